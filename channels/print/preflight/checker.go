package preflight

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// MaxSize is the default limit for a PDF in bytes, 7 MiB, as the public clients of SF1601 have it for physical post.
const MaxSize = 7 << 20

// The codes of findings.
const (
	CodeNotPDF          = "pdf.not_pdf"
	CodeTooLarge        = "pdf.too_large"
	CodeEncrypted       = "pdf.encrypted"
	CodeDamaged         = "pdf.damaged"
	CodeTooComplex      = "pdf.too_complex" // reading it would take more than the limits allow
	CodeNoPages         = "pdf.no_pages"
	CodeTooManyPages    = "pdf.too_many_pages"
	CodePageSize        = "pdf.page_size"
	CodeFontNotEmbedded = "pdf.font_not_embedded"
)

// Finding is one reason why a PDF cannot be printed as a letter.
type Finding struct {
	Code   string
	Detail string // a sentence that names the pages
	Pages  []int  // counted from 1; empty when it is about the whole file
}

// Report is what was found out about a PDF. Without Findings it can be printed.
type Report struct {
	Pages    int // 0 when they could not be counted
	Findings []Finding
}

// Config is what a [Checker] demands. Zero fields take the default.
type Config struct {
	MaxSize   int64   // bytes; default MaxSize
	MaxPages  int     // default 50; the print supplier's limit is not published
	Tolerance float64 // millimetres by which a page may differ from A4; default 2
	Limits    Limits
}

// Limits bound what reading one file costs.
type Limits struct {
	Steps    int   // objects looked at; default 1,000,000
	Scanned  int64 // bytes read, each as often as it is; default 256 MiB
	Unpacked int64 // bytes that compressed parts unpack to, all together; default 128 MiB, of which few are held at a time
	Depth    int   // nesting of objects and of the page tree; default 64
}

// Checker checks PDFs. It is safe for use by several goroutines.
type Checker struct{ cfg Config }

// New makes a checker.
func New(cfg Config) *Checker {
	if cfg.MaxSize <= 0 {
		cfg.MaxSize = MaxSize
	}
	if cfg.MaxPages <= 0 {
		cfg.MaxPages = 50
	}
	if cfg.Tolerance <= 0 {
		cfg.Tolerance = 2
	}
	if cfg.Limits.Steps <= 0 {
		cfg.Limits.Steps = 1_000_000
	}
	if cfg.Limits.Scanned <= 0 {
		cfg.Limits.Scanned = 256 << 20
	}
	if cfg.Limits.Unpacked <= 0 {
		cfg.Limits.Unpacked = 128 << 20
	}
	if cfg.Limits.Depth <= 0 {
		cfg.Limits.Depth = 64
	}
	return &Checker{cfg: cfg}
}

// MaxSize is the largest PDF that may pass, in bytes.
func (c *Checker) MaxSize() int64 { return c.cfg.MaxSize }

// Check looks at a PDF. Whatever the bytes are, the answer is a report; the only error is that of a context that ended.
func (c *Checker) Check(ctx context.Context, pdf []byte) (Report, error) {
	if int64(len(pdf)) > c.cfg.MaxSize {
		return one(CodeTooLarge, fmt.Sprintf("The PDF has more than %d bytes.", c.cfg.MaxSize)), nil
	}
	start := bytes.Index(pdf[:min(len(pdf), 1024)], []byte("%PDF-"))
	if start < 0 {
		return one(CodeNotPDF, "The file is not a PDF."), nil
	}
	report, err := c.read(ctx, pdf[start:])
	if start > 0 && isFault(err) {
		report, err = c.read(ctx, pdf) // what stands before the header is counted in the offsets
	}
	switch {
	case err == nil:
		return report, nil
	case errors.Is(err, errEncrypted):
		return one(CodeEncrypted, "The PDF is encrypted or protected by a password."), nil
	case errors.Is(err, errLimit):
		return one(CodeTooComplex, "The PDF is too complex to be checked."), nil
	case isFault(err):
		return one(CodeDamaged, "The PDF is damaged: "+err.Error()+"."), nil
	default:
		return Report{}, err
	}
}

func (c *Checker) read(ctx context.Context, pdf []byte) (Report, error) {
	r := newReader(ctx, pdf, c.cfg.Limits)
	if err := r.open(); err != nil {
		return Report{}, err
	}
	v := &visit{r: r, cfg: c.cfg, seen: make(map[int]bool)}
	if err := v.tree(); err != nil {
		return Report{}, err
	}
	return v.report(), nil
}

func one(code, detail string) Report {
	return Report{Findings: []Finding{{Code: code, Detail: detail}}}
}
