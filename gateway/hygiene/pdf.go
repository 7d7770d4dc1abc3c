package hygiene

import (
	"compress/zlib"
	"io"
)

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
	"Encrypt":        Encrypted,
}

// The most that is looked at in compressed streams of objects. Beyond it the report says that something was not.
const (
	maxObjectStreams = 4096    // of one document
	maxObjects       = 8 << 20 // bytes of one stream, uncompressed
	maxAllObjects    = 64 << 20
)

// pdfScan finds names in a PDF, also those that are written with #xx for some of their characters.
type pdfScan struct {
	found  map[Code]bool
	name   [16]byte // longer than any name of interest
	length int      // -1: not in a name
	hex    int      // digits still to come after #
	value  byte     // of those that came

	position int64   // bytes taken
	keyword  int     // -1: no stream of objects is announced; else how much of "stream" has come, and of its line end
	streams  []int64 // where streams of objects begin
	skipped  bool    // there are more of them
}

func newPDFScan(found map[Code]bool) *pdfScan { return &pdfScan{found: found, length: -1, keyword: -1} }

func (s *pdfScan) feed(p []byte) {
	for _, b := range p {
		if s.keyword >= 0 {
			s.announced(b)
		}
		s.position++
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
		if string(s.name[:s.length]) == "ObjStm" {
			s.keyword = 0
		}
	}
	s.length, s.hex = -1, 0
}

// announced waits, after /ObjStm, for the word stream and the end of its line, behind which the objects begin.
func (s *pdfScan) announced(b byte) {
	const word = "stream"
	switch {
	case s.keyword < len(word) && b == word[s.keyword]:
		s.keyword++
	case s.keyword == len(word) && b == '\r':
	case s.keyword == len(word) && b == '\n':
		if s.skipped = s.skipped || len(s.streams) == maxObjectStreams; !s.skipped {
			s.streams = append(s.streams, s.position+1)
		}
		s.keyword = -1
	case b == word[0]:
		s.keyword = 1
	default:
		s.keyword = 0
	}
}

// objects looks into the compressed streams of objects, as far as the bytes can be read again and the bounds allow.
func (s *pdfScan) objects(at io.ReaderAt, size int64) {
	left := int64(maxAllObjects)
	// Streams do not share bytes, so that together they have no more than the document; 4 KiB each are read ahead.
	in := &io.LimitedReader{N: size + int64(len(s.streams))*4096}
	for _, start := range s.streams {
		if at == nil || left <= 0 || !s.inflate(in, io.NewSectionReader(at, start, size-start), &left) {
			s.skipped = true
		}
	}
	if s.skipped || s.keyword >= 0 {
		s.found[PDFCompressed] = true
	}
}

// inflate looks into one stream and tells whether it saw it whole.
func (s *pdfScan) inflate(in *io.LimitedReader, stream io.Reader, left *int64) bool {
	in.R = stream
	z, err := zlib.NewReader(in)
	if err != nil {
		return false
	}
	inner := newPDFScan(s.found)
	most := min(maxObjects, *left)
	n, err := io.Copy(feeder{inner}, io.LimitReader(z, most))
	inner.feed([]byte{' '})
	*left -= n
	return err == nil && n < most
}

// feeder makes a writer of a scan.
type feeder struct {
	scan interface{ feed(p []byte) }
}

func (f feeder) Write(p []byte) (int, error) {
	f.scan.feed(p)
	return len(p), nil
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
