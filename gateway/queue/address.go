package queue

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
)

// ErrURL is the family of errors for a queue URL that cannot be used. Their texts never hold a password.
var ErrURL = errors.New("queue url")

// The ways in which Redis runs.
const (
	single   = "redis"
	sentinel = "redis-sentinel"
	cluster  = "redis-cluster"
)

// address is a queue URL that was understood:
//
//	redis://[user[:password]@]host[:port][/db][?parameters]
//	redis-sentinel://[user[:password]@]host[:port],host[:port],...[/db]?master=NAME[&parameters]
//	redis-cluster://[user[:password]@]host[:port],host[:port],...[?parameters]
//
// With rediss, rediss-sentinel and rediss-cluster all connections are TLS, those to the sentinels, too. User and password
// are those of Redis itself. The parameters, all optional:
//
//	password_file                            the password, on the first line of a file, instead of one in the URL
//	sentinel_user, sentinel_password_file    where the sentinels want a login of their own
//	ca_file                                  PEM roots to trust instead of the system's
//	certificate_file, key_file               PEM, for a Redis that asks for a certificate
//	server_name                              the name in the server's certificate; default the host that is called
type address struct {
	kind           string // single, sentinel or cluster
	tls            bool
	hosts          []string // host:port
	user, password string
	db             int
	query          url.Values
}

// CheckURL reports what is wrong with a queue URL without connecting or reading a file. Its errors are ErrURL.
func CheckURL(raw string) error {
	if raw == Embedded {
		return nil
	}
	_, err := parse(raw)
	return err
}

// parse reads a URL by itself: net/url refuses several hosts, and its errors show the password.
func parse(raw string) (*address, error) {
	scheme, rest, found := strings.Cut(raw, "://")
	a := &address{kind: scheme}
	if kind, ok := strings.CutPrefix(scheme, "rediss"); ok {
		a.kind, a.tls = "redis"+kind, true
	}
	if !found || !slices.Contains([]string{single, sentinel, cluster}, a.kind) {
		return nil, fmt.Errorf("%w: the scheme is none of embedded, redis, redis-sentinel, redis-cluster, and those with rediss",
			ErrURL)
	}
	rest, query, _ := strings.Cut(rest, "?")
	rest, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		if err := a.login(rest[:at]); err != nil {
			return nil, err
		}
		rest = rest[at+1:]
	}
	var err error
	if a.hosts, err = hosts(rest, a.kind); err != nil {
		return nil, err
	}
	if path = strings.Trim(path, "/"); path != "" {
		if a.db, err = strconv.Atoi(path); err != nil || a.db < 0 || a.kind == cluster && a.db != 0 {
			return nil, fmt.Errorf("%w: after the host comes the number of the database, which a cluster has none of", ErrURL)
		}
	}
	if a.query, err = parameters(query, a.kind, a.tls); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *address) login(userinfo string) error {
	user, password, _ := strings.Cut(userinfo, ":")
	var errs [2]error
	a.user, errs[0] = url.PathUnescape(user)
	a.password, errs[1] = url.PathUnescape(password)
	if errors.Join(errs[:]...) != nil {
		return fmt.Errorf("%w: write special characters of user and password as %%XX", ErrURL)
	}
	return nil
}

// hosts splits a list and adds the usual port.
func hosts(list, kind string) ([]string, error) {
	usual := "6379"
	if kind == sentinel {
		usual = "26379"
	}
	all := strings.Split(list, ",")
	if kind == single && len(all) > 1 {
		return nil, fmt.Errorf("%w: several hosts are a redis-sentinel or a redis-cluster", ErrURL)
	}
	for n, host := range all {
		name, port, err := net.SplitHostPort(host)
		if err != nil {
			name, port = strings.Trim(host, "[]"), usual
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if name == "" || strings.ContainsAny(name, " @[]") || err != nil || number == 0 {
			return nil, fmt.Errorf("%w: host %d is not host or host:port", ErrURL, n+1)
		}
		all[n] = net.JoinHostPort(name, port)
	}
	return all, nil
}

// parameters refuses what it does not know: a misspelt ca_file would be no ca_file.
func parameters(raw, kind string, secure bool) (url.Values, error) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: what follows ? cannot be parsed", ErrURL)
	}
	known := []string{"password_file"}
	if kind == sentinel {
		known = append(known, "master", "sentinel_user", "sentinel_password_file")
	}
	if secure {
		known = append(known, "ca_file", "certificate_file", "key_file", "server_name")
	}
	for name := range query {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("%w: there is no parameter %q here, but %s", ErrURL, name, strings.Join(known, ", "))
		}
	}
	switch {
	case kind == sentinel && query.Get("master") == "":
		return nil, fmt.Errorf("%w: ?master= names the primary that the sentinels watch", ErrURL)
	case query.Has("certificate_file") != query.Has("key_file"):
		return nil, fmt.Errorf("%w: certificate_file and key_file belong together", ErrURL)
	}
	return query, nil
}

// secret reads the file that a parameter names; fallback without one.
func (a *address) secret(parameter, fallback string) (string, error) {
	name := a.query.Get(parameter)
	if name == "" {
		return fallback, nil
	}
	raw, err := os.ReadFile(name) //nolint:gosec // the operator names the file
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrURL, parameter, err)
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	return strings.TrimSpace(line), nil
}

// secure is how TLS is spoken, nil where it is not.
func (a *address) secure(base *tls.Config) (*tls.Config, error) {
	if !a.tls {
		return nil, nil //nolint:nilnil // go-redis takes nil for plain text
	}
	if base == nil {
		base = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	cfg := base.Clone()
	cfg.ServerName = a.query.Get("server_name")
	if name := a.query.Get("ca_file"); name != "" {
		pem, err := os.ReadFile(name) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, fmt.Errorf("%w: ca_file: %w", ErrURL, err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: ca_file: no certificate in PEM", ErrURL)
		}
	}
	if name := a.query.Get("certificate_file"); name != "" {
		key := a.query.Get("key_file")
		if _, err := tls.LoadX509KeyPair(name, key); err != nil {
			return nil, fmt.Errorf("%w: certificate_file: %w", ErrURL, err)
		}
		// Read at every connection, of which there are few: one that was renewed is used without a restart.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert, err := tls.LoadX509KeyPair(name, key)
			if err != nil {
				return nil, fmt.Errorf("certificate for redis: %w", err)
			}
			return &cert, nil
		}
	}
	return cfg, nil
}
