package xmlscan

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// mark is a place whose line and column are known.
type mark struct {
	offset       int64
	line, column int
}

// Position returns the line and the column in characters, both from 1, of an offset inside the event that Next found.
// A line ends with LF; a byte order mark takes no column.
func (s *Scanner) Position(offset int64) (line, column int) {
	if s.storage == nil {
		return 0, 0
	}
	if start := int(s.Offset - s.base); s.Offset > s.mark.offset && start <= s.n && s.Offset <= offset {
		s.advance(start)
	}
	m := s.mark
	if from, to := int(m.offset-s.base), int(offset-s.base); from >= 0 && to > from {
		m = m.over(s.buf[from:min(to, s.n)])
	}
	return m.line, m.column
}

// advance moves the mark to an index of the buffer.
func (s *Scanner) advance(to int) {
	if from := int(s.mark.offset - s.base); from >= 0 && to > from {
		s.mark = s.mark.over(s.buf[from:to])
	}
}

// over moves a mark over b.
func (m mark) over(b []byte) mark {
	m.offset += int64(len(b))
	if lines := bytes.Count(b, []byte{'\n'}); lines > 0 {
		m.line += lines
		m.column = 1
		b = b[bytes.LastIndexByte(b, '\n')+1:]
	}
	m.column += characters(b)
	return m
}

// characters counts the bytes that start a character.
func characters(b []byte) int {
	n := len(b)
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		n -= bits.OnesCount64(w & 0x8080808080808080 &^ (w << 1)) // 10xxxxxx continues a character
	}
	for _, c := range b {
		if c&0xC0 == 0x80 {
			n--
		}
	}
	return n
}
