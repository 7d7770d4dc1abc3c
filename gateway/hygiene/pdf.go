package hygiene

// pdfNames are the names of objects in a PDF that say what it does, none so short that it could stand in compressed data
// by chance. [src: ISO-32000-1 7.5.7, 7.6, 7.11.4, 12.6]
var pdfNames = map[string]Code{
	"JavaScript":     PDFScript,
	"OpenAction":     PDFAction,
	"Launch":         PDFLaunch,
	"SubmitForm":     PDFLaunch,
	"ImportData":     PDFLaunch,
	"EmbeddedFile":   PDFEmbedded,
	"EmbeddedFiles":  PDFEmbedded,
	"FileAttachment": PDFEmbedded,
	"RichMedia":      PDFEmbedded,
	"ObjStm":         PDFCompressed,
	"Encrypt":        Encrypted,
}

// pdfScan finds names in a PDF, also those that are written with #xx for some of their characters.
type pdfScan struct {
	found  map[Code]bool
	name   [16]byte // longer than any name of interest
	length int      // -1: not in a name
	hex    int      // digits still to come after #
	value  byte     // of those that came
}

func newPDFScan(found map[Code]bool) *pdfScan { return &pdfScan{found: found, length: -1} }

func (s *pdfScan) feed(p []byte) {
	for _, b := range p {
		switch {
		case b == '/':
			s.end()
			s.length, s.hex = 0, 0
		case s.length < 0:
		case isPDFDelimiter(b):
			s.end()
		case s.hex > 0:
			s.digit(b)
		case b == '#':
			s.hex, s.value = 2, 0
		default:
			s.put(b)
		}
	}
}

func (s *pdfScan) digit(b byte) {
	d, ok := unhex(b)
	if !ok {
		s.length, s.hex = -1, 0
		return
	}
	s.value = s.value<<4 | d
	if s.hex--; s.hex == 0 {
		s.put(s.value)
	}
}

func (s *pdfScan) put(b byte) {
	if s.length == len(s.name) {
		s.length = -1
		return
	}
	s.name[s.length] = b
	s.length++
}

// end looks at the name that has ended.
func (s *pdfScan) end() {
	if s.length > 0 {
		if c, known := pdfNames[string(s.name[:s.length])]; known {
			s.found[c] = true
		}
	}
	s.length, s.hex = -1, 0
}

func isPDFDelimiter(b byte) bool {
	switch b {
	case 0, '\t', '\n', '\f', '\r', ' ', '(', ')', '<', '>', '[', ']', '{', '}', '%':
		return true
	}
	return false
}

func unhex(b byte) (byte, bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b|0x20 >= 'a' && b|0x20 <= 'f':
		return b | 0x20 - 'a' + 10, true
	}
	return 0, false
}
