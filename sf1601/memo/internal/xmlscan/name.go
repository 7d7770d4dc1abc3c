package xmlscan

import (
	"bytes"
	"unicode/utf8"
)

// nameLength is how many bytes at the start of b are a Name. [src: XML-1.0 section 2.3]
func nameLength(b []byte) int {
	i := 0
	for i < len(b) {
		c := b[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c == '_', c == ':':
			i++
		case i > 0 && (c >= '0' && c <= '9' || c == '-' || c == '.'):
			i++
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n <= 1 || !nameStart(r) && (i == 0 || !nameOnly(r)) {
				return i
			}
			i += n
		default:
			return i
		}
	}
	return i
}

// nameStart is NameStartChar beyond ASCII.
func nameStart(r rune) bool {
	switch {
	case r < 0xC0, r == 0xD7, r == 0xF7, r == 0x37E:
		return false
	case r <= 0x2FF, r >= 0x370 && r <= 0x1FFF, r == 0x200C, r == 0x200D, r >= 0x2070 && r <= 0x218F:
		return true
	}
	return r >= 0x2C00 && r <= 0x2FEF || r >= 0x3001 && r <= 0xD7FF || r >= 0xF900 && r <= 0xFDCF ||
		r >= 0xFDF0 && r <= 0xFFFD || r >= 0x10000 && r <= 0xEFFFF
}

// nameOnly is NameChar beyond NameStartChar and ASCII.
func nameOnly(r rune) bool {
	return r == 0xB7 || r >= 0x300 && r <= 0x36F || r == 0x203F || r == 0x2040
}

// qname finds the colon of a name, -1 when there is none; false means that it is no QName. [src: XML-NAMES section 4]
func qname(name []byte) (colon int, ok bool) {
	colon = bytes.IndexByte(name, ':')
	if colon < 0 {
		return -1, len(name) > 0
	}
	local := name[colon+1:]
	return colon, colon > 0 && len(local) > 0 && nameLength(local) == len(local) && bytes.IndexByte(local, ':') < 0
}

// split splits a name at its colon; 0 means that there is none.
func split(name []byte, colon int) (prefix, local []byte) {
	if colon == 0 {
		return nil, name
	}
	return name[:colon], name[colon+1:]
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}
