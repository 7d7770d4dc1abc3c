package sf1601test

import (
	"bytes"
	"slices"
	"unicode"
	"unicode/utf8"
)

// startTag reads a start or empty-element tag.
func (s *scanner) startTag() (event, error) {
	if len(s.stack) == 0 {
		if s.rooted {
			return eventEOF, s.fail("more than one root element")
		}
		s.rooted = true
	}
	if len(s.stack) >= maxScanDepth {
		return eventEOF, s.fail("the elements are too deep")
	}
	s.at = s.pos
	s.pos++
	n := nameLength(s.in[s.pos:])
	if n == 0 {
		return eventEOF, s.fail("a tag has no name")
	}
	e := open{name: s.in[s.pos : s.pos+n], bindings: len(s.bindings)}
	var ok bool
	if e.prefix, e.local, ok = qname(e.name); !ok {
		return eventEOF, s.fail("an element name has more than a prefix and a name")
	}
	s.pos += n
	s.declaredOutside = e.bindings
	empty, err := s.attributes()
	if err != nil {
		return eventEOF, err
	}
	if e.uri, ok = s.resolve(e.prefix); !ok || string(e.prefix) == "xmlns" {
		s.pos = s.at
		return eventEOF, s.fail("an element has an undeclared prefix")
	}
	if err := s.resolveAttributes(); err != nil {
		return eventEOF, err
	}
	s.stack = append(s.stack, e)
	s.pending = empty
	s.prefix, s.local, s.uri = e.prefix, e.local, e.uri
	return eventStart, nil
}

// attributes reads up to the end of the tag and declares namespaces.
func (s *scanner) attributes() (empty bool, err error) {
	s.attrs = s.attrs[:0]
	for {
		from := s.pos
		for s.pos < len(s.in) && space(s.in[s.pos]) {
			s.pos++
		}
		rest := s.in[s.pos:]
		switch {
		case len(rest) == 0:
			return false, s.fail("a tag does not end")
		case rest[0] == '>':
			s.pos++
			return false, nil
		case bytes.HasPrefix(rest, []byte("/>")):
			s.pos += 2
			return true, nil
		case from == s.pos:
			return false, s.fail("attributes are not separated by space")
		}
		if err := s.attribute(rest); err != nil {
			return false, err
		}
	}
}

func (s *scanner) attribute(rest []byte) error {
	n := nameLength(rest)
	prefix, local, ok := qname(rest[:n])
	if n == 0 || !ok {
		return s.fail("an attribute has no proper name")
	}
	i := n
	for i < len(rest) && space(rest[i]) {
		i++
	}
	if i >= len(rest) || rest[i] != '=' {
		return s.fail("an attribute has no value")
	}
	i++
	for i < len(rest) && space(rest[i]) {
		i++
	}
	if i >= len(rest) || rest[i] != '"' && rest[i] != '\'' {
		return s.fail("an attribute value is not quoted")
	}
	end := bytes.IndexByte(rest[i+1:], rest[i])
	if end < 0 {
		return s.fail("an attribute value does not end")
	}
	value, reason := attributeValue(rest[i+1 : i+1+end])
	if reason != "" {
		return s.fail(reason)
	}
	s.pos += i + 1 + end + 1
	switch {
	case string(prefix) == "xmlns":
		return s.declare(local, value)
	case len(prefix) == 0 && string(local) == "xmlns":
		return s.declare(nil, value)
	}
	if len(s.attrs) >= 64 {
		return s.fail("an element has too many attributes")
	}
	s.attrs = append(s.attrs, attribute{prefix: prefix, local: local, value: value})
	return nil
}

// attributeValue normalises a value: references resolved, white space as
// blanks.
func attributeValue(raw []byte) (value []byte, reason string) {
	plain := true
	for i, c := range raw {
		switch {
		case c == '<':
			return nil, "< in an attribute value"
		case charClass[c] == charBad, c == 0xEF && nonCharacter(raw[i:]):
			return nil, "a character is not allowed in XML"
		case c == '&' || c == '\t' || c == '\n' || c == '\r':
			plain = false
		}
	}
	if plain {
		return raw, ""
	}
	raw = appendLines(nil, raw)
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '&':
			r, n := reference(raw[i:])
			if n == 0 {
				return nil, "an entity or reference is not known"
			}
			out = utf8.AppendRune(out, r)
			i += n - 1
		case space(c):
			out = append(out, ' ')
		default:
			out = append(out, c)
		}
	}
	return out, ""
}

// declare binds a prefix for the element being read.
func (s *scanner) declare(prefix, uri []byte) error {
	for _, b := range s.bindings[s.declaredOutside:] {
		if bytes.Equal(b.prefix, prefix) {
			return s.fail("a namespace prefix is declared twice in one element")
		}
	}
	switch {
	case string(prefix) == "xmlns", string(uri) == "http://www.w3.org/2000/xmlns/",
		(string(prefix) == "xml") != (string(uri) == nsXML):
		return s.fail("a reserved namespace is declared")
	case len(prefix) > 0 && len(uri) == 0:
		return s.fail("a prefix is declared without namespace")
	case len(s.bindings) >= 256:
		return s.fail("too many namespaces are declared")
	}
	s.bindings = append(s.bindings, binding{prefix: prefix, uri: intern(uri)})
	return nil
}

// intern keeps the common namespaces from being copied for every letter.
func intern(uri []byte) string {
	switch string(uri) {
	case nsMemo:
		return nsMemo
	case nsGrd:
		return nsGrd
	case nsKle:
		return nsKle
	}
	return string(uri)
}

func (s *scanner) resolve(prefix []byte) (string, bool) {
	if string(prefix) == "xml" {
		return nsXML, true
	}
	for _, b := range slices.Backward(s.bindings) {
		if bytes.Equal(b.prefix, prefix) {
			return b.uri, true
		}
	}
	return "", len(prefix) == 0
}

func (s *scanner) resolveAttributes() error {
	for i := range s.attrs {
		a := &s.attrs[i]
		if len(a.prefix) > 0 {
			uri, ok := s.resolve(a.prefix)
			if !ok {
				return s.fail("an attribute has an undeclared prefix")
			}
			a.uri = uri
		}
		for _, b := range s.attrs[:i] {
			if a.uri == b.uri && bytes.Equal(a.local, b.local) {
				return s.fail("an attribute is given twice")
			}
		}
	}
	return nil
}

func (s *scanner) endTag() (event, error) {
	rest := s.in[s.pos+2:]
	n := nameLength(rest)
	if len(s.stack) == 0 || !bytes.Equal(rest[:n], s.stack[len(s.stack)-1].name) {
		return eventEOF, s.fail("an end tag does not match its start tag")
	}
	for n < len(rest) && space(rest[n]) {
		n++
	}
	if n >= len(rest) || rest[n] != '>' {
		return eventEOF, s.fail("an end tag does not end")
	}
	s.at = s.pos
	s.pos += 2 + n + 1
	return s.pop(), nil
}

// pop ends the innermost element.
func (s *scanner) pop() event {
	e := s.stack[len(s.stack)-1]
	s.stack = s.stack[:len(s.stack)-1]
	s.bindings = s.bindings[:e.bindings]
	s.prefix, s.local, s.uri = e.prefix, e.local, e.uri
	return eventEnd
}

// qname splits a name at its colon.
func qname(name []byte) (prefix, local []byte, ok bool) {
	i := bytes.IndexByte(name, ':')
	if i < 0 {
		return nil, name, true
	}
	prefix, local = name[:i], name[i+1:]
	return prefix, local, i > 0 && nameLength(local) == len(local) && len(local) > 0 && bytes.IndexByte(local, ':') < 0
}

// nameLength is how many bytes at the start of b are an XML name.
func nameLength(b []byte) int {
	i := 0
	for i < len(b) {
		c := b[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == ':':
			i++
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.'):
			i++
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(b[i:])
			if !unicode.IsLetter(r) && (i == 0 || r != 0xB7) {
				return i
			}
			i += n
		default:
			return i
		}
	}
	return i
}
