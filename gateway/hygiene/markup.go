package hygiene

import (
	"bytes"
	"slices"
	"strconv"
)

// markupScan finds what makes HTML, SVG and XML act: tags, event handlers and javascript: links. It reads bytes, drops
// NUL so that UTF-16 is read as well, and resolves numeric character references, which browsers do in attributes.
type markupScan struct {
	found map[Code]bool
	full  bool // HTML or SVG; otherwise XML of any kind, where only a script element counts

	inTag   bool
	tagName bool     // still in the name of the tag
	word    [24]byte // the tag's or attribute's name, lower case
	length  int      // of word
	spaced  bool     // space came after the word
	text    [16]byte // the last characters without space, to find links across them
	next    int      // where the next of them goes
	entity  [10]byte // a character reference that is being read
	inRef   bool     //
	refLen  int      //
}

func newMarkupScan(found map[Code]bool, full bool) *markupScan {
	return &markupScan{found: found, full: full}
}

var embedTags = []string{"iframe", "frame", "object", "embed", "applet", "form", "portal"}

func (s *markupScan) feed(p []byte) {
	for _, b := range p {
		if b == 0 {
			continue
		}
		if b >= 'A' && b <= 'Z' {
			b |= 0x20
		}
		s.link(b)
		switch {
		case b == '<':
			s.inTag, s.tagName, s.length, s.spaced = true, true, 0, false
		case !s.inTag:
		case b == '>':
			s.endName()
			s.inTag = false
		case b <= ' ', b == '/':
			s.endName()
			s.spaced = true
		case b == '=':
			s.attribute()
			s.length = 0
		case b == '"', b == '\'':
			s.length = 0
		default:
			s.letter(b)
		}
	}
}

// letter adds to the name of a tag or an attribute; a prefix of a namespace is dropped.
func (s *markupScan) letter(b byte) {
	if s.spaced {
		s.length, s.spaced = 0, false
	}
	if b == ':' && s.tagName {
		s.length = 0
		return
	}
	if s.length < len(s.word) {
		s.word[s.length] = b
	}
	s.length = min(s.length+1, len(s.word)+1)
}

// endName looks at a tag's name that has ended.
func (s *markupScan) endName() {
	if !s.tagName || s.length == 0 {
		return
	}
	s.tagName = false
	name := string(s.word[:min(s.length, len(s.word))])
	switch {
	case name == "script":
		s.found[ActiveScript] = true
	case s.full && slices.Contains(embedTags, name):
		s.found[ActiveEmbed] = true
	}
	s.length = 0
}

// attribute looks at an attribute's name before its =.
func (s *markupScan) attribute() {
	if !s.full || s.length > len(s.word) {
		return
	}
	name := s.word[:s.length]
	switch {
	case len(name) > 3 && bytes.HasPrefix(name, []byte("on")) && !bytes.ContainsFunc(name, notLetter):
		s.found[ActiveScript] = true
	case string(name) == "http-equiv", string(name) == "srcdoc":
		s.found[ActiveEmbed] = true
	}
}

func notLetter(r rune) bool { return r < 'a' || r > 'z' }

// link looks for javascript: and its like in what was read last, without space and with character references resolved.
func (s *markupScan) link(b byte) {
	if !s.full || b <= ' ' {
		return
	}
	if b == '&' {
		s.inRef, s.refLen = true, 0
		return
	}
	if s.inRef {
		isLetter := b >= 'a' && b <= 'z' || b >= '0' && b <= '9' || b == '#'
		if isLetter && s.refLen < len(s.entity) {
			s.entity[s.refLen] = b
			s.refLen++
			return
		}
		s.inRef = false
		if c := character(s.entity[:s.refLen]); c > ' ' {
			s.push(c)
		}
		if b == ';' {
			return
		}
	}
	s.push(b)
}

func (s *markupScan) push(b byte) {
	s.text[s.next%len(s.text)] = b
	s.next++
	if b != ':' {
		return
	}
	turn := s.next % len(s.text)
	last := append(append(make([]byte, 0, len(s.text)), s.text[turn:]...), s.text[:turn]...)
	if bytes.HasSuffix(last, []byte("javascript:")) || bytes.HasSuffix(last, []byte("vbscript:")) {
		s.found[ActiveScript] = true
	}
}

// character resolves a reference to an ASCII character; 0 is none.
func character(ref []byte) byte {
	s := string(ref)
	switch {
	case s == "colon":
		return ':'
	case len(s) < 2 || s[0] != '#':
		return 0
	}
	base, digits := 10, s[1:]
	if digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	n, err := strconv.ParseUint(digits, base, 7)
	if err != nil {
		return 0
	}
	if n >= 'A' && n <= 'Z' {
		n |= 0x20
	}
	return byte(n)
}
