package xmlscan

import (
	"bytes"
	"unicode/utf8"
)

// nsXML and nsXMLNS are the two namespaces that XML itself binds.
const (
	nsXML   = "http://www.w3.org/XML/1998/namespace"
	nsXMLNS = "http://www.w3.org/2000/xmlns/"
)

// tag returns the whole tag at pos, from < to >.
func (s *Scanner) tag() ([]byte, error) {
	quote := byte(0)
	for i := 1; ; {
		b := s.buf[s.pos:s.n]
		for ; i < len(b); i++ {
			switch c := b[i]; {
			case c == '<':
				return nil, s.fail(s.pos+i, Syntax)
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '>':
				if i >= s.limits.Tag {
					return nil, s.fail(s.pos, TagTooLong)
				}
				return b[:i+1], nil
			}
		}
		if i >= s.limits.Tag {
			return nil, s.fail(s.pos, TagTooLong)
		}
		if s.srcErr != nil {
			return nil, s.fail(s.pos, Truncated)
		}
		if err := s.need(len(b) + 1); err != nil {
			return nil, err
		}
	}
}

// startTag reads a start tag or an empty element.
func (s *Scanner) startTag() error {
	s.Offset = s.base + int64(s.pos)
	switch {
	case s.closed:
		return s.fail(s.pos, SecondRoot)
	case len(s.open) >= s.limits.Depth:
		return s.fail(s.pos, TooDeep)
	}
	tag, err := s.tag()
	if err != nil {
		return err
	}
	length := nameLength(tag[1:])
	name := tag[1 : 1+length]
	colon, ok := qname(name)
	if !ok {
		return s.fail(s.pos+1, Syntax)
	}
	e := element{name: len(s.names), length: length, prefix: max(colon, 0), scope: len(s.scope)}
	s.names = append(s.names, name...)
	if err := s.attributes(tag, 1+length); err != nil {
		return err
	}
	prefix, local := split(s.elementName(e), e.prefix)
	if e.space, ok = s.resolve(prefix); !ok || string(prefix) == "xmlns" {
		return s.fail(s.pos+1, Prefix)
	}
	if err := s.countMore(1 + len(s.attrs) + len(s.scope) - e.scope); err != nil {
		return err
	}
	s.open = append(s.open, e)
	s.rooted = true
	s.pos += len(tag)
	s.Limit = s.base + int64(s.pos)
	s.Prefix, s.Local, s.Space, s.Attrs = prefix, local, e.space, s.attrs
	s.Empty = tag[len(tag)-2] == '/'
	s.pendingEnd = s.Empty
	return nil
}

// Declared returns the namespace declarations of the element that Next just started.
func (s *Scanner) Declared() []Namespace {
	if len(s.open) == 0 {
		return nil
	}
	return s.scope[s.open[len(s.open)-1].scope:]
}

// attributes reads the rest of a start tag from i.
func (s *Scanner) attributes(tag []byte, i int) error {
	s.attrs, s.tagEnd = s.attrs[:0], len(s.scope)
	s.out = s.out[:0]
	end := len(tag) - 1
	if tag[end-1] == '/' {
		end--
	}
	for count := 0; ; count++ {
		from := i
		for i < end && isSpace(tag[i]) {
			i++
		}
		if i == end {
			break
		}
		if i == from {
			return s.fail(s.pos+i, Syntax)
		}
		if count >= s.limits.Attributes {
			return s.fail(s.pos+i, TooMany)
		}
		var err error
		if i, err = s.attribute(tag[:end], i); err != nil {
			return err
		}
	}
	return s.resolveAttributes()
}

// attribute reads one attribute at i and returns the index after it.
func (s *Scanner) attribute(tag []byte, i int) (int, error) {
	start := i
	length := nameLength(tag[i:])
	name := tag[i : i+length]
	colon, ok := qname(name)
	if !ok {
		return 0, s.fail(s.pos+i, Syntax)
	}
	i = skipSpace(tag, i+length)
	if i >= len(tag) || tag[i] != '=' {
		return 0, s.fail(s.pos+i, Syntax)
	}
	i = skipSpace(tag, i+1)
	if i >= len(tag) || tag[i] != '"' && tag[i] != '\'' {
		return 0, s.fail(s.pos+i, Syntax)
	}
	closing := bytes.IndexByte(tag[i+1:], tag[i])
	if closing < 0 {
		return 0, s.fail(s.pos+i, Syntax)
	}
	value, err := s.value(tag[i+1:i+1+closing], i+1, len(tag))
	if err != nil {
		return 0, err
	}
	after := i + 1 + closing + 1
	prefix, local := split(name, max(colon, 0))
	switch {
	case string(prefix) == "xmlns":
		return after, s.declare(local, value, start)
	case len(prefix) == 0 && string(local) == "xmlns":
		return after, s.declare(nil, value, start)
	}
	s.attrs = append(s.attrs, Attr{Prefix: prefix, Local: local, Value: value, Offset: s.base + int64(s.pos+start)})
	return after, nil
}

// value normalises an attribute value that stands at index at of the tag.
func (s *Scanner) value(raw []byte, at, room int) ([]byte, error) {
	if plainLength(raw) == len(raw) && bytes.IndexByte(raw, '\n') < 0 && bytes.IndexByte(raw, '\t') < 0 {
		return raw, nil
	}
	if cap(s.out)-len(s.out) < len(raw) { // values already handed out must not move
		s.out = make([]byte, 0, max(room, 256))
	}
	start := len(s.out)
	for i := 0; i < len(raw); {
		if c := raw[i]; isPlain(c) {
			if c == '\t' || c == '\n' {
				c = ' '
			}
			s.out = append(s.out, c)
			i++
			continue
		}
		n, replacement, reason := s.special(raw[i:], true)
		switch {
		case reason == Syntax: // ]]> is allowed here
			n, replacement = 1, -1
		case reason != "":
			return nil, s.fail(s.pos+at+i, reason)
		}
		switch {
		case replacement < 0:
			s.out = append(s.out, raw[i:i+n]...)
		case raw[i] == '\r':
			s.out = append(s.out, ' ')
		default:
			s.out = utf8.AppendRune(s.out, replacement)
		}
		i += n
	}
	return s.out[start:len(s.out):len(s.out)], nil
}

// declare binds a prefix for the tag being read.
func (s *Scanner) declare(prefix, uri []byte, at int) error {
	for _, b := range s.scope[s.tagEnd:] {
		if bytes.Equal(b.Prefix, prefix) {
			return s.fail(s.pos+at, Attribute)
		}
	}
	isXML := string(prefix) == "xml"
	switch {
	case string(prefix) == "xmlns", string(uri) == nsXMLNS, isXML != (string(uri) == nsXML), len(prefix) > 0 && len(uri) == 0:
		return s.fail(s.pos+at, Prefix)
	case len(s.scope) >= s.limits.Scope:
		return s.fail(s.pos+at, TooMany)
	}
	// The prefix must outlive the buffer: it is kept beside the names.
	kept := len(s.names)
	s.names = append(s.names, prefix...)
	s.scope = append(s.scope, Namespace{Prefix: s.names[kept:len(s.names):len(s.names)], URI: s.intern(uri)})
	return nil
}

// intern returns a known URI without copying it.
func (s *Scanner) intern(uri []byte) string {
	for _, k := range s.known {
		if string(uri) == k {
			return k
		}
	}
	return string(uri)
}

func (s *Scanner) resolve(prefix []byte) (string, bool) {
	if string(prefix) == "xml" {
		return nsXML, true
	}
	for i := len(s.scope) - 1; i >= 0; i-- {
		if b := &s.scope[i]; bytes.Equal(b.Prefix, prefix) {
			return b.URI, true
		}
	}
	return "", len(prefix) == 0
}

// resolveAttributes looks up the namespaces of the attributes and makes sure that none stands twice.
func (s *Scanner) resolveAttributes() error {
	for i := range s.attrs {
		a := &s.attrs[i]
		at := int(a.Offset - s.base)
		if len(a.Prefix) > 0 {
			uri, ok := s.resolve(a.Prefix)
			if !ok {
				return s.fail(at, Prefix)
			}
			a.Space = uri
		}
		for j := range i {
			if b := &s.attrs[j]; bytes.Equal(a.Local, b.Local) && a.Space == b.Space {
				return s.fail(at, Attribute)
			}
		}
	}
	return nil
}

// endTag reads an end tag.
func (s *Scanner) endTag() error {
	s.Offset = s.base + int64(s.pos)
	tag, err := s.tag()
	if err != nil {
		return err
	}
	length := nameLength(tag[2:])
	switch {
	case skipSpace(tag, 2+length) != len(tag)-1:
		return s.fail(s.pos, Syntax)
	case len(s.open) == 0:
		return s.fail(s.pos, TagMismatch)
	}
	e := s.open[len(s.open)-1]
	if !bytes.Equal(s.elementName(e), tag[2:2+length]) {
		return s.fail(s.pos, TagMismatch)
	}
	s.pos += len(tag)
	s.Limit = s.base + int64(s.pos)
	s.pop()
	return nil
}

// elementName is the name of an open element. The prefixes it declares stand behind it.
func (s *Scanner) elementName(e element) []byte {
	return s.names[e.name : e.name+e.length]
}

// pop ends the innermost element.
func (s *Scanner) pop() {
	e := s.open[len(s.open)-1]
	s.Prefix, s.Local = split(s.elementName(e), e.prefix)
	s.Space = e.space
	s.open, s.scope, s.names = s.open[:len(s.open)-1], s.scope[:e.scope], s.names[:e.name]
	s.closed = len(s.open) == 0
}
