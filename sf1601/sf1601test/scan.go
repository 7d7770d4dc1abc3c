package sf1601test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scanner is a pull parser for namespaced XML 1.0 in UTF-8 held in memory. It
// checks well-formedness, copies nothing it need not copy, and knows no DTD: a
// letter of 99.5 MB is one pass over its bytes.
//
// It is the simulator's own, so that what a client writes is read by other
// code than wrote it. Its fuzz test holds it against encoding/xml.
//
// It follows XML 1.0 (fifth edition) and Namespaces in XML 1.0, and is stricter
// than both: no DTD, UTF-8 only, at most maxScanDepth levels.
type scanner struct {
	in  []byte
	pos int

	stack           []open
	bindings        []binding
	declaredOutside int  // bindings in force outside the tag being read
	pending         bool // an empty-element tag owes its end event
	rooted          bool // the root element has been seen

	// Of the last start or end event.
	prefix, local []byte
	uri           string
	attrs         []attribute // of the last start event, without namespace declarations
	at            int         // where its tag begins

	// Of the last text event: character data with references resolved. Valid
	// until the next event.
	text []byte
	buf  []byte // where text is built when it is not a slice of in
}

type open struct {
	name     []byte // as written
	prefix   []byte
	local    []byte
	uri      string
	bindings int // how many were in force outside
}

type binding struct {
	prefix []byte
	uri    string
}

type attribute struct {
	prefix, local []byte
	uri           string
	value         []byte
}

type event int

const (
	eventEOF event = iota
	eventStart
	eventEnd
	eventText
)

const maxScanDepth = 64

const nsXML = "http://www.w3.org/XML/1998/namespace"

// scanError is ill-formed XML. Its text never quotes the document.
type scanError struct {
	line, column int
	reason       string
}

func (e *scanError) Error() string {
	return fmt.Sprintf("ill-formed XML at line %d, column %d: %s", e.line, e.column, e.reason)
}

// newScanner starts reading doc, which must not change while it is read.
func newScanner(doc []byte) (*scanner, error) {
	s := &scanner{in: doc}
	s.in = bytes.TrimPrefix(s.in, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(s.in) {
		return nil, s.fail("the bytes are not UTF-8")
	}
	return s, s.declaration()
}

func (s *scanner) fail(reason string) *scanError {
	line, column := s.position(s.pos)
	return &scanError{line: line, column: column, reason: reason}
}

// position is the line and column, from 1, of a byte offset.
func (s *scanner) position(pos int) (line, column int) {
	pos = min(pos, len(s.in))
	before := s.in[:pos]
	return bytes.Count(before, []byte("\n")) + 1, pos - bytes.LastIndexByte(before, '\n')
}

// declaration reads the XML declaration when there is one. Clients label UTF-8
// as utf8, too.
func (s *scanner) declaration() error {
	rest, ok := bytes.CutPrefix(s.in, []byte("<?xml"))
	if !ok || len(rest) == 0 || !space(rest[0]) {
		return nil
	}
	end := bytes.Index(rest, []byte("?>"))
	if end < 0 {
		return s.fail("the XML declaration does not end")
	}
	body := rest[:end]
	seen := 0
	for _, want := range []string{"version", "encoding", "standalone"} {
		trimmed := bytes.TrimLeft(body, " \t\r\n")
		after, ok := bytes.CutPrefix(trimmed, []byte(want))
		if !ok {
			continue
		}
		if len(trimmed) == len(body) {
			return s.fail("the XML declaration lacks a space")
		}
		value, left, ok := declared(after)
		if !ok || !declaredValue(want, value) {
			return s.fail("the XML declaration has a bad " + want)
		}
		body, seen = left, seen+1
		if want == "version" {
			seen += 10
		}
	}
	if seen < 11 || len(bytes.TrimSpace(body)) > 0 {
		return s.fail("the XML declaration is not version, encoding, standalone")
	}
	s.pos = len("<?xml") + end + len("?>")
	return nil
}

// declared splits ="value" rest.
func declared(b []byte) (value string, rest []byte, ok bool) {
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(b) == 0 || b[0] != '=' {
		return "", nil, false
	}
	b = bytes.TrimLeft(b[1:], " \t\r\n")
	if len(b) == 0 || b[0] != '"' && b[0] != '\'' {
		return "", nil, false
	}
	end := bytes.IndexByte(b[1:], b[0])
	if end < 0 {
		return "", nil, false
	}
	return string(b[1 : 1+end]), b[end+2:], true
}

func declaredValue(name, value string) bool {
	switch name {
	case "version":
		return value == "1.0"
	case "encoding":
		return strings.EqualFold(value, "utf-8") || strings.EqualFold(value, "utf8")
	}
	return value == "yes" || value == "no"
}

// next moves to the next event.
func (s *scanner) next() (event, error) {
	if s.pending {
		s.pending = false
		return s.pop(), nil
	}
	for s.pos < len(s.in) {
		if s.in[s.pos] != '<' {
			if len(s.stack) > 0 {
				return eventText, s.charData()
			}
			if !space(s.in[s.pos]) {
				return eventEOF, s.fail("text outside the root element")
			}
			s.pos++
			continue
		}
		rest := s.in[s.pos:]
		switch {
		case len(rest) < 2:
			return eventEOF, s.fail("a tag does not end")
		case rest[1] == '/':
			return s.endTag()
		case rest[1] == '?':
			if err := s.instruction(); err != nil {
				return eventEOF, err
			}
		case rest[1] == '!':
			cdata, err := s.bang(rest)
			if err != nil {
				return eventEOF, err
			}
			if cdata {
				return eventText, nil
			}
		default:
			return s.startTag()
		}
	}
	if len(s.stack) > 0 {
		return eventEOF, s.fail("the document ends inside an element")
	}
	if !s.rooted {
		return eventEOF, s.fail("there is no root element")
	}
	return eventEOF, nil
}

// bang reads what begins with <!: a comment, or CDATA into s.text.
func (s *scanner) bang(rest []byte) (bool, error) {
	if bytes.HasPrefix(rest, []byte("<!--")) {
		end := bytes.Index(rest[4:], []byte("--"))
		if end < 0 || len(rest) < 4+end+3 || rest[4+end+2] != '>' {
			return false, s.fail("a comment does not end, or holds two hyphens")
		}
		if err := s.characters(rest[4 : 4+end]); err != nil {
			return false, err
		}
		s.pos += 4 + end + 3
		return false, nil
	}
	if body, ok := bytes.CutPrefix(rest, []byte("<![CDATA[")); ok {
		end := bytes.Index(body, []byte("]]>"))
		if len(s.stack) == 0 || end < 0 {
			return false, s.fail("CDATA outside the root element, or without end")
		}
		if err := s.characters(body[:end]); err != nil {
			return false, err
		}
		s.text = body[:end]
		if bytes.IndexByte(s.text, '\r') >= 0 {
			s.buf = appendLines(s.buf[:0], s.text)
			s.text = s.buf
		}
		s.pos += len("<![CDATA[") + end + len("]]>")
		return true, nil
	}
	return false, s.fail("a DTD or another declaration is not allowed")
}

func (s *scanner) instruction() error {
	rest := s.in[s.pos+2:]
	end := bytes.Index(rest, []byte("?>"))
	if end < 0 {
		return s.fail("a processing instruction does not end")
	}
	n := nameLength(rest[:end])
	if n == 0 || n < end && !space(rest[n]) || bytes.IndexByte(rest[:n], ':') >= 0 || bytes.EqualFold(rest[:n], []byte("xml")) {
		return s.fail("a processing instruction has a bad target")
	}
	if err := s.characters(rest[:end]); err != nil {
		return err
	}
	s.pos += 2 + end + 2
	return nil
}

// characters checks that b holds only characters of XML.
func (s *scanner) characters(b []byte) error {
	for i, c := range b {
		if charClass[c] == charBad || c == 0xEF && nonCharacter(b[i:]) {
			return s.fail("a character is not allowed in XML")
		}
	}
	return nil
}

// nonCharacter is U+FFFE or U+FFFF at the start of b.
func nonCharacter(b []byte) bool { return len(b) > 2 && b[1] == 0xBF && b[2] >= 0xBE }

// Classes of bytes in character data.
const (
	charPlain = iota
	charBad
	charSpecial // needs a look: & ] CR and the lead byte of U+FFFE
)

var charClass = func() (t [256]uint8) {
	for c := range 0x20 {
		t[c] = charBad
	}
	t['\t'], t['\n'] = charPlain, charPlain
	for _, c := range []byte{'\r', '&', ']', 0xEF} {
		t[c] = charSpecial
	}
	return t
}()

// charData reads text up to the next tag into s.text.
func (s *scanner) charData() error {
	rest := s.in[s.pos:]
	if end := bytes.IndexByte(rest, '<'); end >= 0 {
		rest = rest[:end]
	}
	copied := false
	from := 0 // what of rest is not in buf yet
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		if charClass[c] == charPlain {
			continue
		}
		r, n, wrong := special(rest[i:])
		if wrong != "" {
			s.pos += i
			return s.fail(wrong)
		}
		if n == 0 {
			continue
		}
		if !copied {
			s.buf, copied = s.buf[:0], true
		}
		s.buf = utf8.AppendRune(append(s.buf, rest[from:i]...), r)
		i += n - 1
		from = i + 1
	}
	s.pos += len(rest)
	if !copied {
		s.text = rest
		return nil
	}
	s.buf = append(s.buf, rest[from:]...)
	s.text = s.buf
	return nil
}

// special looks at a byte of text that is not plain. The first n bytes of b
// stand for r; n is 0 when they stand for themselves.
func special(b []byte) (r rune, n int, wrong string) {
	switch c := b[0]; {
	case charClass[c] == charBad, nonCharacter(b) && c == 0xEF:
		return 0, 0, "a character is not allowed in XML"
	case bytes.HasPrefix(b, []byte("]]>")):
		return 0, 0, "]]> in text"
	case bytes.HasPrefix(b, []byte("\r\n")):
		return '\n', 2, ""
	case c == '\r':
		return '\n', 1, ""
	case c == '&':
		if r, n = reference(b); n == 0 {
			return 0, 0, "an entity or reference is not known"
		}
		return r, n, ""
	}
	return 0, 0, ""
}

// appendLines appends b with line ends as XML reads them.
func appendLines(to, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c == '\r' {
			c = '\n'
			if i+1 < len(b) && b[i+1] == '\n' {
				i++
			}
		}
		to = append(to, c)
	}
	return to
}

// reference resolves the reference at the start of b; n is its length, 0 when
// it is none.
func reference(b []byte) (r rune, n int) {
	end := bytes.IndexByte(b[:min(len(b), 16)], ';')
	if end < 2 {
		return 0, 0
	}
	name := string(b[1:end])
	switch name {
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "amp":
		return '&', end + 1
	case "apos":
		return '\'', end + 1
	case "quot":
		return '"', end + 1
	}
	number, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, 0
	}
	base := 10
	if hex, ok := strings.CutPrefix(number, "x"); ok {
		number, base = hex, 16
	}
	v, err := strconv.ParseUint(number, base, 21)
	if err != nil || strings.ContainsAny(number, "_+") {
		return 0, 0
	}
	r = rune(v)
	if !utf8.ValidRune(r) || r == 0xFFFE || r == 0xFFFF || r < 0x80 && charClass[r] == charBad {
		return 0, 0
	}
	return r, end + 1
}

func space(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
