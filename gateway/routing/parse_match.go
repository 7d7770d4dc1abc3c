package routing

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// matchKeys are the conditions, in the order in which the documents list them.
func matchKeys() []string {
	return []string{
		"contact_point", "contact_group", "contact_info", "kle", "form", "case_id", "case_system", "reply_to", "sender_type",
		"sender_list", "post_type", "message_code", "label", "cpr_list", "documents", "forwarded", "size",
	}
}

// match reads the conditions of a rule.
func (p *parser) match(n node) []condition {
	given, ok := p.mapping(n, matchKeys())
	if !ok {
		return nil
	}
	var list []condition
	for _, key := range matchKeys() {
		at, has := given[key]
		if !has {
			continue
		}
		if c := p.condition(key, at); c != nil {
			list = append(list, c)
		}
	}
	return list
}

func (p *parser) condition(key string, n node) condition {
	for f, field := range fields {
		if field.key == key {
			return p.words(n, fieldOf(f))
		}
	}
	switch key {
	case "contact_info":
		return p.contactInfo(n)
	case "reply_to":
		return p.replyTo(n)
	case "sender_list":
		return p.identifiers(n, key, func(m *message) *identifier { return &m.sender })
	case "cpr_list":
		return p.identifiers(n, key, func(m *message) *identifier { return &m.cpr })
	case "label":
		return p.label(n)
	case "documents":
		return p.documents(n)
	case "forwarded":
		if is, ok := p.oneOf(n, "true", "false"); ok {
			return forwarded{is: is == "true"}
		}
	case "size":
		return p.size(n)
	}
	return nil
}

func fieldOf(n int) field { return field(n) }

func (p *parser) words(n node, f field) condition {
	c := words{field: f}
	for _, item := range p.texts(n) {
		s, _ := p.text(item)
		var x pattern
		ok := true
		switch {
		case f == senderType:
			s, ok = p.oneOf(item, "CPR", "CVR")
			x = pattern{text: fold(s)}
		case fields[f].dotted:
			x, ok = p.branch(item, s)
		case fields[f].wild:
			x, ok = p.wild(item, s)
		case strings.Contains(s, "*"):
			p.problem(item, "* is not taken here", "write out what it stands for")
			ok = false
		default:
			x = pattern{text: fold(s)}
		}
		if ok {
			c.patterns = append(c.patterns, x)
		}
	}
	if len(c.patterns) == 0 {
		return nil
	}
	return c
}

var dotted = regexp.MustCompile(`^[0-9A-Za-z]+(\.[0-9A-Za-z]+)*\.?$`)

// branch reads a classification key or the beginning of one.
func (p *parser) branch(n node, s string) (pattern, bool) {
	switch {
	case !dotted.MatchString(s):
		p.problem(n, "is not a key of numbers and dots", "e.g. 27.03 for it and all below, 27. for all below 27")
		return pattern{}, false
	case strings.HasSuffix(s, "."):
		return pattern{text: fold(s), form: begins}, true
	}
	return pattern{text: fold(s), form: branch}, true
}

// wild reads a word that may end with *.
func (p *parser) wild(n node, s string) (pattern, bool) {
	start, ends := strings.CutSuffix(s, "*")
	if strings.Contains(start, "*") {
		p.problem(n, "has a * that is not its last character", "e.g. sag-2026-*")
		return pattern{}, false
	}
	if ends {
		return pattern{text: strings.TrimLeft(strings.ToLower(start), " "), form: begins}, true
	}
	return pattern{text: fold(s)}, true
}

func (p *parser) contactInfo(n node) condition {
	var c contactInfo
	for _, item := range p.list(n) {
		given, ok := p.mapping(item, []string{"label", "value"})
		if !ok {
			continue
		}
		var pair infoPair
		for key, to := range map[string]**pattern{"label": &pair.label, "value": &pair.value} {
			at, has := given[key]
			if !has {
				continue
			}
			if s, ok := p.text(at); ok {
				if x, ok := p.wild(at, s); ok {
					*to = &x
				}
			}
		}
		switch {
		case len(given) == 0:
			p.problem(item, "says neither label nor value", "")
		case pair != infoPair{}:
			c.pairs = append(c.pairs, pair)
		}
	}
	if c.pairs == nil {
		return nil
	}
	return c
}

func (p *parser) replyTo(n node) condition {
	var is [3]bool
	for _, item := range p.texts(n) {
		s, ok := p.oneOf(item, "ours", "other", "any", "none")
		if !ok {
			return nil
		}
		is[0] = is[0] || s == "none"
		is[1] = is[1] || s == "other" || s == "any"
		is[2] = is[2] || s == "ours" || s == "any"
	}
	var c replyTo
	for i, r := range []Reply{ReplyNone, ReplyOther, ReplyOurs} {
		if is[i] {
			c.any = append(c.any, r)
		}
	}
	if c.any == nil {
		return nil
	}
	return c
}

// maxList bounds a list file, in lines.
const maxList = 1_000_000

// identifiers reads a list file: a number a line, # begins a comment.
func (p *parser) identifiers(n node, key string, of func(*message) *identifier) condition {
	name, ok := p.text(n)
	if !ok {
		return nil
	}
	if p.readFile == nil {
		p.problem(n, "lists are not read here", "")
		return nil
	}
	set, read := p.lists[name]
	if !read {
		if set = p.readList(n, name); set == nil {
			return nil
		}
		if p.lists == nil {
			p.lists = make(map[string]map[identifier]struct{})
		}
		p.lists[name] = set
	}
	p.rules.hashing = true
	return identifiers{name: key, file: name, set: set, of: of}
}

func (p *parser) readList(n node, name string) map[identifier]struct{} {
	raw, err := p.readFile(name)
	if err != nil {
		p.problem(n, "the list cannot be read: "+err.Error(), "a file with one CPR or CVR number a line, beside the rules file")
		return nil
	}
	set := make(map[identifier]struct{})
	line := 0
	for text := range bytes.Lines(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))) {
		line++
		number, _, _ := strings.Cut(string(text), "#")
		if number = strings.TrimSpace(number); number == "" {
			continue
		}
		id := p.rules.identify(number)
		if (id == identifier{}) || line > maxList {
			p.problem(n, "line "+strconv.Itoa(line)+" of "+name+" is not a CPR or CVR number",
				"ten or eight digits a line, # begins a comment")
			return nil
		}
		set[id] = struct{}{}
	}
	return set
}

func (p *parser) documents(n node) condition {
	var c documents
	if _, isMap := n.Node.(ast.MapNode); !isMap {
		c.any = p.types(n)
	} else if given, ok := p.mapping(n, []string{"any", "all"}); ok {
		if at, has := given["any"]; has {
			c.any = p.types(at)
		}
		if at, has := given["all"]; has {
			c.all = p.types(at)
		}
		if len(given) == 0 {
			p.problem(n, "says neither any nor all", "e.g. {all: application/pdf}")
		}
	}
	if c.any == nil && c.all == nil {
		return nil
	}
	return c
}

var mediaTypePattern = regexp.MustCompile(`^[a-z0-9!#$&^_.+-]+/(\*|[a-z0-9!#$&^_.+-]+)$`)

func (p *parser) types(n node) []pattern {
	var list []pattern
	for _, item := range p.texts(n) {
		s, _ := p.text(item)
		if s = fold(s); !mediaTypePattern.MatchString(s) {
			p.problem(item, "is not a type of files", "e.g. application/pdf, or image/*")
			continue
		}
		if start, all := strings.CutSuffix(s, "*"); all {
			list = append(list, pattern{text: start, form: begins})
			continue
		}
		list = append(list, pattern{text: s})
	}
	return list
}

func (p *parser) size(n node) condition {
	given, ok := p.mapping(n, []string{"over", "up_to"})
	if !ok {
		return nil
	}
	c := size{over: -1, upTo: math.MaxInt64}
	var parts []string
	if at, has := given["over"]; has {
		if c.over, ok = p.bytes(at); !ok {
			return nil
		}
		s, _ := p.text(at)
		parts = append(parts, "over "+s)
	}
	if at, has := given["up_to"]; has {
		if c.upTo, ok = p.bytes(at); !ok {
			return nil
		}
		s, _ := p.text(at)
		parts = append(parts, "up to "+s)
	}
	switch {
	case parts == nil:
		p.problem(n, "says neither over nor up_to", "e.g. {over: 10 MB}")
		return nil
	case c.over >= c.upTo:
		p.problem(n, "no message is over and up to that", "over is the smaller one")
		return nil
	}
	c.text = strings.Join(parts, " and ")
	return c
}

var amount = regexp.MustCompile(`(?i)^([0-9]{1,9})(\.[0-9])? ?(B|kB|MB|GB)?$`)

// bytes reads an amount in decimal units, as the standard counts its 99.5 MB.
func (p *parser) bytes(n node) (int64, bool) {
	s, ok := p.text(n)
	if !ok {
		return 0, false
	}
	parts := amount.FindStringSubmatch(s)
	if parts == nil {
		p.problem(n, "is not an amount", "e.g. 500 kB, 10 MB or 99.5 MB")
		return 0, false
	}
	unit := map[string]int64{"": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9}[strings.ToLower(parts[3])]
	whole, _ := strconv.ParseInt(parts[1], 10, 64)
	tenths, _ := strconv.ParseInt(strings.TrimPrefix(parts[2]+"0", ".")[:1], 10, 64)
	return whole*unit + tenths*unit/10, true
}
