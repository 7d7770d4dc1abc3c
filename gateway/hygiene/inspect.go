package hygiene

import (
	"context"
	"io"
)

// Options are the choices of an authority. The zero value is the default.
type Options struct {
	Flag        []Code // flag these, too
	Tolerate    []Code // report these without flagging
	MaxEntries  int    // of an archive; default 10,000
	MaxExpanded int64  // bytes; default 1 GiB
}

// Document is what is to be inspected.
type Document struct {
	Filename string // as received; never trusted
	Declared string // encodingFormat as received
	// Content is read to its end. When it is an [io.ReaderAt] too, the directory of an archive is read through that, which
	// must give the same bytes.
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

// Scanner inspects a document that is written to it, so that it can be looked at while it is stored. It is for one
// document and one goroutine.
type Scanner struct {
	filename, declared string
	opts               Options
	size               int64
}

// NewScanner begins with one document.
func NewScanner(filename, declared string, opts Options) *Scanner {
	return &Scanner{filename: filename, declared: declared, opts: opts}
}

// Write takes the next bytes. It never fails.
func (s *Scanner) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	return len(p), nil
}

// Report ends the inspection. at, which may be nil, reads the bytes that were written.
func (s *Scanner) Report(at io.ReaderAt) Report {
	_ = at
	return Report{SafeName: SafeName(s.filename), Size: s.size}
}
