package xmlscan

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// text finds a piece of character data. The buffer holds at least one byte of it.
func (s *Scanner) text() error {
	for {
		b := s.buf[s.pos:s.n]
		end := bytes.IndexByte(b, '<')
		if end < 0 {
			if s.srcErr == nil && len(b) <= lookahead {
				if err := s.need(len(b) + 1); err != nil {
					return err
				}
				continue
			}
			if end = len(b); s.srcErr == nil {
				end -= lookahead
			}
		}
		return s.piece(b, end, true)
	}
}

// cdataText finds a piece of a CDATA section; false means that the section ended.
func (s *Scanner) cdataText() (bool, error) {
	for {
		b := s.buf[s.pos:s.n]
		if end := bytes.Index(b, []byte("]]>")); end == 0 {
			s.cdata = false
			s.pos += len("]]>")
			return false, nil
		} else if end > 0 {
			return true, s.piece(b, end, false)
		}
		switch {
		case len(b) > lookahead && s.srcErr == nil:
			return true, s.piece(b, len(b)-lookahead, false)
		case s.srcErr != nil:
			if err := s.readError(); err != nil {
				return false, err
			}
			// A bad character is told before the end that is missing, in whatever pieces the source came.
			if err := s.piece(b, len(b), false); err != nil {
				return false, err
			}
			return false, s.fail(s.n, Truncated)
		}
		if err := s.need(len(b) + 1); err != nil {
			return false, err
		}
	}
}

// piece makes Data of the unread bytes up to end, or a little more where end cuts a character. What follows in b is only
// looked at.
func (s *Scanner) piece(b []byte, end int, references bool) error {
	s.Offset = s.base + int64(s.pos)
	plain := true
	from, i := 0, 0
	for {
		i += plainLength(b[i:max(i, end)])
		if i >= end {
			break
		}
		n, replacement, reason := s.special(b[i:], references)
		if reason != "" {
			return s.fail(s.pos+i, reason)
		}
		if replacement >= 0 {
			if plain {
				s.out, plain = s.out[:0], false
			}
			s.out = append(s.out, b[from:i]...)
			s.out = utf8.AppendRune(s.out, replacement)
			from = i + n
		}
		i += n
	}
	if plain {
		s.Data = b[:i]
	} else {
		s.out = append(s.out, b[from:i]...)
		s.Data = s.out
	}
	s.pos += i
	s.Limit = s.base + int64(s.pos)
	return nil
}

// special judges the byte at the start of b that is not plain, and takes n bytes. A replacement of -1 keeps them.
func (s *Scanner) special(b []byte, references bool) (n int, replacement rune, reason Reason) {
	switch c := b[0]; {
	case c >= utf8.RuneSelf:
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n <= 1 {
			return 0, 0, Encoding
		}
		if r == 0xFFFE || r == 0xFFFF {
			return 0, 0, Character
		}
		return n, -1, ""
	case c == '\r':
		if len(b) > 1 && b[1] == '\n' {
			return 2, '\n', ""
		}
		return 1, '\n', ""
	case c == ']':
		if references && bytes.HasPrefix(b, []byte("]]>")) {
			return 0, 0, Syntax
		}
		return 1, -1, ""
	case c == '&':
		if !references {
			return 1, -1, ""
		}
		r, n := reference(b)
		if n == 0 {
			return 0, 0, Entity
		}
		return n, r, ""
	default:
		return 0, 0, Character
	}
}

// reference resolves the reference at the start of b; n is its length, 0 when it is none. A character reference of more
// than a dozen digits is none.
func reference(b []byte) (r rune, n int) {
	end := bytes.IndexByte(b[:min(len(b), 16)], ';')
	if end < 2 {
		return 0, 0
	}
	switch name := b[1:end]; string(name) {
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
	default:
		r := characterNumber(name)
		if r < 0 {
			return 0, 0
		}
		return r, end + 1
	}
}

// characterNumber is the character of #10 or #xA; -1 when it is none.
func characterNumber(name []byte) rune {
	base, digits := rune(10), name[1:]
	if name[0] != '#' {
		return -1
	}
	if len(digits) > 0 && digits[0] == 'x' {
		base, digits = 16, digits[1:]
	}
	if len(digits) == 0 {
		return -1
	}
	var r rune
	for _, c := range digits {
		d := rune(-1)
		switch {
		case c >= '0' && c <= '9':
			d = rune(c - '0')
		case base == 16 && c|0x20 >= 'a' && c|0x20 <= 'f':
			d = rune(c|0x20-'a') + 10
		}
		if r = r*base + d; d < 0 || r > utf8.MaxRune {
			return -1
		}
	}
	if !utf8.ValidRune(r) || r == 0xFFFE || r == 0xFFFF || r < ' ' && r != '\t' && r != '\n' && r != '\r' {
		return -1
	}
	return r
}

// plainLength is how many bytes at the start of b stand for themselves: ASCII but control characters, & and ].
func plainLength(b []byte) int {
	for i := 0; i < len(b); {
		if i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			if w&highBits == 0 && !hasLess(w, ' ') && !hasByte(w, '&') && !hasByte(w, ']') {
				i += 8
				continue
			}
		}
		if !isPlain(b[i]) {
			return i
		}
		i++
	}
	return len(b)
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// hasLess and hasByte look into the eight bytes of w, none of which has its high bit set.
func hasLess(w uint64, c byte) bool { return (w-lowBits*uint64(c))&^w&highBits != 0 }

func hasByte(w uint64, c byte) bool {
	x := w ^ lowBits*uint64(c)
	return (x-lowBits)&^x&highBits != 0
}

func isPlain(c byte) bool {
	return c >= ' ' && c < utf8.RuneSelf && c != '&' && c != ']' || c == '\t' || c == '\n'
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
