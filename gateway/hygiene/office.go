package hygiene

import "bytes"

// oldOffice are words in documents of the older office formats (OLE2 and RTF), in lower case.
// [src: MS-OVBA 2.2.1; MS-OFFCRYPTO 1.3.1]
var oldOffice = map[string]Code{
	"_vba_project":     Macro,
	"encryptedpackage": Encrypted,
	"ole10native":      OfficeEmbedded,
	"\\objdata":        OfficeEmbedded,
	"\\objocx":         OfficeEmbedded,
}

// longestWord is the longest of oldOffice.
const longestWord = 16

// wordScan finds the words of oldOffice, in UTF-16 too: NUL is dropped.
type wordScan struct {
	found map[Code]bool
	buf   []byte
}

func newWordScan(found map[Code]bool) *wordScan { return &wordScan{found: found} }

func (s *wordScan) feed(p []byte) {
	const piece = 8192
	for len(p) > 0 {
		n := min(len(p), piece)
		for _, b := range p[:n] {
			if b >= 'A' && b <= 'Z' {
				b |= 0x20
			}
			if b != 0 {
				s.buf = append(s.buf, b)
			}
		}
		p = p[n:]
		for word, c := range oldOffice {
			if !s.found[c] && bytes.Contains(s.buf, []byte(word)) {
				s.found[c] = true
			}
		}
		if keep := len(s.buf) - longestWord; keep > 0 {
			s.buf = append(s.buf[:0], s.buf[keep:]...)
		}
	}
}
