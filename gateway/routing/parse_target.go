package routing

import (
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strings"
)

// targetKeys are the keys of each kind, the one that makes the kind first.
var targetKeys = map[Kind][]string{
	Folder: {"folder", "else"},
	URL:    {"url", "format", "secret_file", "certificate_file", "key_file", "ca_file", "else"},
	Mail:   {"mail", "else"},
	AMQP: {
		"amqp", "queue", "exchange", "routing_key", "format", "user", "password_file", "certificate_file", "key_file", "ca_file",
		"else",
	},
}

func (p *parser) targets(n node) {
	for _, at := range p.ordered(n) {
		name := at.key[len("targets."):]
		t := &Target{Name: name, Place: at.place()}
		switch {
		case name == ProducerTarget:
			p.problem(at, "this name is taken: it means the producer that sent what is answered", "choose another one")
			continue
		case name == "" || len([]rune(name)) > 64:
			p.problem(at, "is no name", "a word of at most 64 characters")
			continue
		}
		p.rules.targets[name] = t
		p.rules.order = append(p.rules.order, t)
		p.oneTarget(at, t)
	}
}

func (p *parser) oneTarget(at node, t *Target) {
	given, ok := p.mapping(at, nil)
	if !ok {
		return
	}
	for _, k := range []Kind{Folder, URL, Mail, AMQP} {
		if _, has := given[string(k)]; !has {
			continue
		}
		if t.Kind != "" {
			p.problem(at, "is both a "+string(t.Kind)+" and a "+string(k), "one target is one place; define two")
			return
		}
		t.Kind = k
	}
	if t.Kind == "" {
		p.problem(at, "says no place", "one of the keys folder, url, mail, amqp")
		return
	}
	if given, ok = p.mapping(at, targetKeys[t.Kind]); !ok {
		return
	}
	if n, has := given["else"]; has {
		t.Else = p.targetList(n, t.Name)
	}
	for key, field := range map[string]*string{
		"folder": &t.Folder, "mail": &t.Address, "secret_file": &t.SecretFile, "certificate_file": &t.CertificateFile,
		"key_file": &t.KeyFile, "ca_file": &t.CAFile, "queue": &t.Queue, "exchange": &t.Exchange, "routing_key": &t.RoutingKey,
		"user": &t.User, "password_file": &t.PasswordFile,
	} {
		if n, has := given[key]; has {
			*field, _ = p.text(n)
		}
	}
	p.place(given, t)
	p.targetPairs(at, t)
}

// place reads where the target is and in which form it wants its messages.
func (p *parser) place(given map[string]node, t *Target) {
	switch t.Kind {
	case URL:
		t.Format = FormatMemo
		p.address(given["url"], t, "https", "http")
	case AMQP:
		t.Format = FormatJSON
		p.address(given["amqp"], t, "amqps", "amqp")
	case Mail:
		if a, err := mail.ParseAddress(t.Address); t.Address != "" && (err != nil || a.Address != t.Address) {
			p.problem(given["mail"], "is not a mailbox", "e.g. post@testby.example")
		}
	case Folder, Producer:
	}
	if n, has := given["format"]; has {
		t.Format, _ = p.oneOf(n, FormatMemo, FormatJSON)
	}
}

// address reads a URL; without encryption it may only lead to this machine.
func (p *parser) address(n node, t *Target, secure, open string) {
	s, ok := p.text(n)
	if !ok {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "" || u.Fragment != "":
		p.problem(n, "is not an address", "e.g. "+secure+"://system.example/post")
	case u.User != nil:
		p.problem(n, "has a user or a password in it", "secrets are named as files: secret_file, password_file, key_file")
	case u.Scheme == open && !isLocal(u.Hostname()):
		p.problem(n, "is not encrypted and leads to another machine", "use "+secure+"://")
	case u.Scheme != secure && u.Scheme != open:
		p.problem(n, "begins with neither "+secure+":// nor "+open+"://", "e.g. "+secure+"://system.example/post")
	default:
		t.URL = s
	}
}

// isLocal tells whether a host name means this machine.
func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// targetPairs looks at keys that need each other.
func (p *parser) targetPairs(at node, t *Target) {
	if (t.CertificateFile == "") != (t.KeyFile == "") {
		p.problem(at, "has only one of certificate_file and key_file", "give both, or none")
	}
	if t.Kind != AMQP {
		return
	}
	switch {
	case t.Queue == "" && t.Exchange == "":
		p.problem(at, "has neither a queue nor an exchange", "queue: NAME, or exchange: NAME with a routing_key")
	case t.Queue != "" && (t.Exchange != "" || t.RoutingKey != ""):
		p.problem(at, "has a queue and an exchange or routing_key", "one of the two ways")
	case (t.User == "") != (t.PasswordFile == ""):
		p.problem(at, "has only one of user and password_file", "give both, or none")
	}
	if slices.ContainsFunc([]string{t.Queue, t.Exchange, t.RoutingKey}, func(s string) bool { return len(s) > 255 }) ||
		strings.HasPrefix(t.Queue, "amq.") {
		p.problem(at, "has a queue, exchange or routing_key that a broker refuses", "at most 255 bytes; queues do not begin with amq.")
	}
}
