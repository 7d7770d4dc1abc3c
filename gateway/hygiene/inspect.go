package hygiene

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/gabriel-vasile/mimetype"
)

// Options are the choices of an authority. The zero value is the default.
type Options struct {
	Flag        []Code // flag these, too
	Tolerate    []Code // report these without flagging
	MaxEntries  int    // of an archive; default 10,000
	MaxExpanded int64  // bytes an archive may claim to unpack to; default 1 GiB
}

// What an archive may be when nothing else is chosen.
const (
	DefaultMaxEntries  = 10_000
	DefaultMaxExpanded = 1 << 30
)

const (
	expandsTimes = 100      // how many times its size an archive may unpack to,
	expandsFrom  = 10 << 20 // counted from so many bytes
)

// Document is what is to be inspected.
type Document struct {
	Filename string // as received; never trusted
	Declared string // encodingFormat as received
	// Content is read to its end. When it is an [io.ReaderAt] too, the directory of an archive is read through that, which
	// must give the same bytes from offset 0.
	Content io.Reader
}

// Inspect reads a document to its end. The error is that of reading, or of ctx; a document that is broken or hostile is a
// report, not an error.
func Inspect(ctx context.Context, d Document, opts Options) (Report, error) {
	s := NewScanner(d.Filename, d.Declared, opts)
	if _, err := io.Copy(s, &contextReader{ctx: ctx, r: d.Content}); err != nil {
		return Report{}, err
	}
	at, _ := d.Content.(io.ReaderAt)
	return s.Report(at), nil
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context //nolint:containedctx // it lives as long as one call of Inspect
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// Scanner inspects a document that is written to it, so that it can be looked at while it is stored. Its memory does not
// grow with the document. It is for one document and one goroutine.
type Scanner struct {
	filename, declared string
	opts               Options
	size               int64
	head               []byte // until the type is known
	kind               *mimetype.MIME
	found              map[Code]bool
	scans              []interface{ feed(p []byte) }
	zip                *zipScan
	pdf                *pdfScan
}

// NewScanner begins with one document: its name and declared type as received.
func NewScanner(filename, declared string, opts Options) *Scanner {
	if opts.MaxEntries <= 0 {
		opts.MaxEntries = DefaultMaxEntries
	}
	if opts.MaxExpanded <= 0 {
		opts.MaxExpanded = DefaultMaxExpanded
	}
	return &Scanner{filename: filename, declared: mediaType(declared), opts: opts, found: make(map[Code]bool)}
}

// Write takes the next bytes. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	rest := p
	if s.kind == nil {
		n := min(headSize-len(s.head), len(rest))
		s.head = append(s.head, rest[:n]...)
		if rest = rest[n:]; len(s.head) == headSize {
			s.begin()
		}
	}
	s.feed(rest)
	return len(p), nil
}

func (s *Scanner) feed(p []byte) {
	if len(p) == 0 {
		return
	}
	for _, x := range s.scans {
		x.feed(p)
	}
}

// begin tells the type by the head and chooses what to look for in it and in the rest.
func (s *Scanner) begin() {
	s.kind = mimetype.Detect(s.head)
	byBytes := mediaType(s.kind.String())
	end := ending(s.filename)
	add := func(x interface{ feed(p []byte) }) { s.scans = append(s.scans, x) }
	// A PDF may begin up to 1,024 bytes into the file, behind anything. [src: ISO-32000-1 annex H.3]
	if bytes.Contains(s.head[:min(len(s.head), 1024)], []byte("%PDF-")) {
		s.pdf = newPDFScan(s.found)
		add(s.pdf)
	}
	isMarkup := func(name string) bool {
		return slices.Contains([]string{"text/html", "application/xhtml+xml", "image/svg+xml"}, name)
	}
	switch {
	case isMarkup(byBytes), isMarkup(s.declared), slices.Contains([]string{"html", "htm", "xhtml", "shtml", "svg", "mht", "mhtml"}, end):
		add(newMarkupScan(s.found, true))
	case s.kind.Is("text/xml"), strings.HasSuffix(byBytes, "xml"), end == "xml", end == "xsl":
		add(newMarkupScan(s.found, false))
	}
	if inFamily(s.kind, "application/x-ole-storage") || bytes.HasPrefix(s.head, []byte(`{\rt`)) {
		add(newWordScan(s.found))
	}
	if inFamily(s.kind, "application/zip") {
		s.zip = newZipScan()
		add(s.zip)
	}
	s.feed(s.head)
	s.head = nil
}

// inFamily tells whether a type is another one or a special form of it.
func inFamily(kind *mimetype.MIME, name string) bool {
	for ; kind != nil; kind = kind.Parent() {
		if kind.Is(name) {
			return true
		}
	}
	return false
}

// Report ends the inspection; nothing may be written after it. at, which may be nil, reads the bytes that were written.
func (s *Scanner) Report(at io.ReaderAt) Report {
	if s.kind == nil {
		s.begin()
	}
	s.feed([]byte(" ")) // a name or tag at the very end has ended
	r := Report{SafeName: SafeName(s.filename), Declared: s.declared, Real: mediaType(s.kind.String()), Size: s.size}
	if s.pdf != nil {
		s.pdf.objects(at, s.size)
	}
	s.judgeType(r.Real)
	s.judgeName(r.SafeName)
	r.Archive = s.judgeArchive(r.Real, at)
	r.Reasons = s.opts.reasons(s.found)
	return r
}

func (s *Scanner) judgeType(byBytes string) {
	if s.size == 0 {
		s.found[TypeUnknown] = true
		return
	}
	s.found[TypeUnknown] = byBytes == unknownType
	s.found[Executable] = slices.ContainsFunc(programTypes, s.kind.Is)
	if s.declared == "" || s.declared == unknownType {
		s.found[TypeUndeclared] = true
		return
	}
	s.found[TypeMismatch] = !agrees(s.declared, s.kind)
}

func (s *Scanner) judgeName(safe string) {
	s.found[NameUnsafe] = safe != s.filename
	end := ending(SafeName(s.filename))
	s.found[NameExecutable] = slices.Contains(programEndings, end)
	hidden := strings.ContainsFunc(s.filename, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) })
	stem := strings.TrimSuffix(strings.ToLower(safe), "."+end)
	s.found[NameDeceives] = hidden || s.found[NameExecutable] && slices.Contains(documentEndings, ending(stem))
}

// documentEndings are what people take for harmless when something else follows.
var documentEndings = []string{
	"pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "rtf", "txt", "jpg", "jpeg", "png", "gif", "html", "xml",
}

// judgeArchive looks at the directory where it can be read, and otherwise at the headers that passed by.
func (s *Scanner) judgeArchive(byBytes string, at io.ReaderAt) *Archive {
	s.found[ArchiveFound] = slices.Contains(archiveTypes, byBytes)
	if s.zip == nil {
		if s.found[ArchiveFound] {
			return &Archive{Entries: -1, Expanded: -1}
		}
		return nil
	}
	e := &s.zip.entries
	e.Expanded = -1
	maps.Copy(s.found, e.found) // entries that the directory keeps quiet about count, too
	if at != nil {
		read, err := readDirectory(at, s.size)
		if err != nil {
			s.found[ArchiveBroken] = true
		} else {
			e = read
			maps.Copy(s.found, e.found)
		}
	}
	s.found[ArchiveMany] = e.Entries > s.opts.MaxEntries
	s.found[ArchiveExpands] = e.Expanded > s.opts.MaxExpanded || e.Expanded > expandsFrom && e.Expanded/expandsTimes > s.size
	archive := e.Archive
	return &archive
}
