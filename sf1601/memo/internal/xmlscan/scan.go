// Package xmlscan reads XML from anyone: strict about what XML is, bounded in what it holds, and exact about where
// everything stands.
//
// The job in the order it happens:
//
//  1. New takes a reader and Limits. Nothing is read yet.
//  2. Next moves to the next event: a start tag, a piece of text, an end tag, a comment or an instruction. What it found
//     stands in the Scanner's fields until the next call.
//  3. Text comes in pieces of at most a buffer, so a text of 100 MB costs what one of 100 bytes costs.
//  4. Position tells line and column of what was found, counted only when asked.
//  5. Release gives the buffers back.
//
// It reads XML 1.0 (fifth edition) in UTF-8 with Namespaces in XML 1.0: tags must match, attributes must be unique, names
// and characters must be legal, prefixes must be declared. It refuses what only an attacker needs: a DTD, and every
// entity but the five predefined ones and character references. [src: XML-1.0; XML-NAMES]
package xmlscan

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
)

// Kind is a kind of event.
type Kind uint8

// The events. Declaration comes at most once and first.
const (
	EOF         Kind = iota // the document is complete
	Declaration             // <?xml ...?>; Data is the encoding as written, empty when none
	Start                   // a start tag; Empty tells <a/>, whose End follows at once
	End                     // an end tag
	Text                    // a piece of character data, references resolved; may be followed by more
	Comment                 // a comment
	Instruction             // a processing instruction
)

// Attr is an attribute that is not a namespace declaration.
type Attr struct {
	Prefix, Local []byte
	Space         string // namespace URI, empty for an attribute without prefix
	Value         []byte // normalised as CDATA, references resolved
	Offset        int64  // of its name
}

// Namespace is a declaration in scope; Prefix is empty for the default namespace.
type Namespace struct {
	Prefix []byte
	URI    string
}

// Scanner reads one document. It is not safe for concurrent use.
type Scanner struct {
	// What Next found; valid until the next call.
	Offset        int64  // its first byte in the document
	Limit         int64  // the byte after its last one
	Prefix, Local []byte // Start and End: the name as written
	Space         string // Start and End: its namespace URI
	Attrs         []Attr // Start
	Empty         bool   // Start: written as <a/>
	Data          []byte // Text, Declaration
	BOM           bool   // the document starts with a byte order mark

	limits Limits
	known  []string // URIs that are not copied
	src    io.Reader
	*storage

	pos, n int   // unread bytes of the buffer
	base   int64 // document offset of the buffer's first byte
	mark   mark  // where line and column were counted last
	srcErr error // io.EOF or what the source said
	err    error // sticky

	begun, rooted, closed bool
	pendingEnd            bool // the End of an empty element is due
	cdata                 bool // inside a CDATA section
	elements              int
}

// bufferSize bounds a piece of text; a tag must be smaller (Limits.Tag).
const bufferSize = 64 << 10

// lookahead is what is kept back from a piece of text, so that a reference, a line end, a character or ]]> is never cut.
const lookahead = 64

// storage is the memory of a Scanner.
type storage struct {
	buf    [bufferSize]byte
	out    []byte // text or attribute values that differ from the input
	names  []byte // the names of the open elements, one after the other
	open   []element
	scope  []Namespace
	attrs  []Attr
	tagEnd int // bindings below are of the tag being read
}

// element is an open element.
type element struct {
	name   int // offset in names; the prefixes it declares stand behind it
	length int
	prefix int // length of the prefix, 0 when there is none
	space  string
	scope  int // declarations before it
}

// pool keeps storages. A pool is not state: it changes no result.
var pool = sync.Pool{New: func() any { return new(storage) }}

// New returns a Scanner of r. Zero limits mean the defaults. URIs in known are compared instead of copied.
func New(r io.Reader, limits Limits, known ...string) *Scanner {
	st := pool.Get().(*storage) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	st.names, st.open, st.scope = st.names[:0], st.open[:0], st.scope[:0]
	return &Scanner{src: r, limits: limits.withDefaults(), known: known, storage: st, mark: mark{line: 1, column: 1}}
}

// Release gives the memory back. The Scanner and what it found must not be used any more.
func (s *Scanner) Release() {
	if s.storage == nil {
		return
	}
	clear(s.attrs[:cap(s.attrs)])
	clear(s.scope[:cap(s.scope)])
	if cap(s.out) > bufferSize {
		s.out = nil
	}
	pool.Put(s.storage)
	s.storage, s.err = nil, errors.New("xmlscan: released")
}

// Depth is the number of open elements, the one just started included and the one just ended not.
func (s *Scanner) Depth() int { return len(s.open) }

// Next moves to the next event. Every error is an *Error and final.
func (s *Scanner) Next() (Kind, error) {
	if s.err != nil {
		return EOF, s.err
	}
	kind, err := s.next()
	if err != nil {
		s.err = err
	}
	return kind, err
}

func (s *Scanner) next() (Kind, error) {
	if s.pendingEnd {
		s.pendingEnd = false
		s.Offset = s.Limit
		s.pop()
		return End, nil
	}
	if !s.begun {
		s.begun = true
		if declared, err := s.begin(); declared || err != nil {
			return Declaration, err
		}
	}
	for {
		if s.cdata {
			if found, err := s.cdataText(); found || err != nil {
				return Text, err
			}
			continue
		}
		if err := s.need(1); err != nil {
			return EOF, err
		}
		switch {
		case s.pos == s.n:
			return EOF, s.finish()
		case s.buf[s.pos] == '<':
			kind, err := s.markup()
			if kind != EOF || err != nil {
				return kind, err
			}
		case len(s.open) > 0:
			return Text, s.text()
		default:
			if err := s.outside(); err != nil {
				return EOF, err
			}
		}
	}
}

// markup reads what starts with <. EOF without an error means that a CDATA section began.
func (s *Scanner) markup() (Kind, error) {
	const longest = len("<![CDATA[")
	if err := s.need(longest); err != nil {
		return EOF, err
	}
	b := s.buf[s.pos:min(s.n, s.pos+longest)]
	switch {
	case len(b) < 2:
		return EOF, s.fail(s.pos, Truncated)
	case b[1] == '/':
		return End, s.endTag()
	case b[1] == '?':
		return Instruction, s.instruction()
	case b[1] != '!':
		return Start, s.startTag()
	case bytes.HasPrefix(b, []byte("<!--")):
		return Comment, s.comment()
	case bytes.Equal(b, []byte("<![CDATA[")) && len(s.open) > 0:
		s.cdata = true
		s.pos += longest
		return EOF, s.countMore(1)
	case bytes.HasPrefix(b, []byte("<!DOCTYPE")):
		return EOF, s.fail(s.pos, DTD)
	case s.srcErr != nil && (begins("<!DOCTYPE", b) || begins("<![CDATA[", b)):
		return EOF, s.fail(s.pos, Truncated)
	default:
		return EOF, s.fail(s.pos, Syntax)
	}
}

// begins tells whether markup begins with all that is left of the document.
func begins(markup string, left []byte) bool { return strings.HasPrefix(markup, string(left)) }

// outside skips white space before and after the root.
func (s *Scanner) outside() error {
	for ; s.pos < s.n && s.buf[s.pos] != '<'; s.pos++ {
		if !isSpace(s.buf[s.pos]) {
			if s.rooted {
				return s.fail(s.pos, Trailing)
			}
			return s.fail(s.pos, Syntax)
		}
	}
	return nil
}

// finish judges the end of the input.
func (s *Scanner) finish() error {
	s.Offset, s.Limit = s.base+int64(s.pos), s.base+int64(s.pos)
	if len(s.open) > 0 || !s.rooted {
		return s.fail(s.pos, Truncated)
	}
	return nil
}

// need makes sure that k unread bytes are in the buffer, or all that there are. k must be at most bufferSize.
func (s *Scanner) need(k int) error {
	for s.n-s.pos < k && s.srcErr == nil {
		s.fill()
	}
	return s.readError()
}

// readError is what hinders reading, except the end.
func (s *Scanner) readError() error {
	if total := s.base + int64(s.n); total > s.limits.Size {
		return s.fail(s.n-int(total-s.limits.Size), TooLarge)
	}
	if s.srcErr != nil && s.srcErr != io.EOF { //nolint:errorlint // set below, never wrapped
		e := s.fail(s.n, Unreadable)
		e.Err = s.srcErr
		return e
	}
	return nil
}

// fill moves the unread bytes to the front and reads once.
func (s *Scanner) fill() {
	if s.pos > 0 {
		s.advance(s.pos)
		copy(s.buf[:], s.buf[s.pos:s.n])
		s.base += int64(s.pos)
		s.n -= s.pos
		s.pos = 0
	}
	for range 100 {
		k, err := s.src.Read(s.buf[s.n:])
		s.n += k
		if errors.Is(err, io.EOF) {
			err = io.EOF
		}
		if s.srcErr = err; k > 0 || err != nil {
			return
		}
	}
	s.srcErr = io.ErrNoProgress
}
