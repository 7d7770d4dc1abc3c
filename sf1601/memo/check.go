package memo

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/brevdue/brevdue/sf1601/memo/internal/xmlscan"
)

// Severity says what a finding of Check means for whoever sends the message. The values are stable.
type Severity string

// The severities, worst first.
const (
	// SeverityError is what the 1.1 schema or an official rule of Digital Post forbids, and what is no XML.
	SeverityError Severity = "error"
	// SeverityWarning is what the schema takes and a sender must still not do, as far as practice tells.
	SeverityWarning Severity = "warning"
	// SeverityNote is a form that is allowed and unusual. Receivers must take it; some do not.
	SeverityNote Severity = "note"
)

// CheckFinding is one thing that Check found. It holds no value of the message: Path has names of elements only.
type CheckFinding struct {
	Finding

	Severity     Severity
	Line, Column int    // from 1; columns count characters
	Source       string // id of docs/sources.txt, a space, and the place in it
	Fixable      bool   // Fix corrects it
}

// CheckOptions bound what a check may cost. The zero value has the defaults.
type CheckOptions struct {
	// MaxFindings is how many findings are kept; default 1,000. The others are counted.
	MaxFindings int
	// MaxBytes is how much of a file is read; default 1 GiB. Memory does not grow with it.
	MaxBytes int64
	// MaxElements is how many elements and attributes are read; default 100,000, five times what Read takes.
	MaxElements int
}

// Report is what Check found out about a file.
type Report struct {
	Version  Version        // as declared; empty when the file declares none that is known
	Kombi    bool           // the root is a kombi_request
	Message  bool           // there is a Message
	Size     int64          // bytes that were read
	Findings []CheckFinding // in the order of the file
	Omitted  int            // findings beyond CheckOptions.MaxFindings
	Errors   int            // all findings by severity, omitted ones included
	Warnings int
	Notes    int
}

// Check checks a file that anyone wrote: a memo:Message, or a kombi_request with one in it, of version 1.0, 1.1 or 1.2
// (1.0 is checked by the rules of 1.1, beside the finding about its version). It reads the file once, in constant memory,
// and goes on after a finding as long as the file is XML; the fault that ends reading is the last finding.
//
// What it looks for, with the severity it has:
//
//   - error: the rules of the 1.1 schema one by one, for 1.2 with what is known to have changed; forbidden characters of
//     file names, https, at most ten additional documents, at most MaxSize bytes of the whole file; body and notification
//     as the type of the message asks for
//   - warning: literal prefixes; CPR and CVR as the type of an identification, and their digits; blank texts; what an
//     action must have by its code, and its known codes; an end before its start, which the official full example has;
//     both forms of address; an empty file; another label than UTF-8; idTypeLabel in 1.2; everything about the envelope,
//     which has no schema
//   - note: capital letters of a UUID, 1 and 0, parts of a second, empty optional elements, a byte order mark, another
//     memoSchVersion than 1.1.0
//
// Attributes of XMLSchema-instance and comments are of no interest. What UTC a time really means cannot be seen in a file.
// [src: MEMO-1.1-XSD; MEMO-1.2-NEWS; MEMO-VALIDATION-NEWS; NGDP-OPENAPI Document; SF1601-OVERVIEW; SP-CLIENTS]
//
// The error is about r or ctx only: a file that is no MeMo at all is a Report.
func Check(ctx context.Context, r io.Reader, opts CheckOptions) (*Report, error) {
	i := newInspector(ctx, r, opts)
	defer i.release()
	if err := i.run(); err != nil {
		return nil, err
	}
	return i.finish(), nil
}

const (
	defaultFindings      = 1000
	defaultCheckBytes    = 1 << 30
	defaultCheckElements = 100_000
	checkDepth           = 32
)

// inspector walks through a file with the description of the model (modelClasses) at hand. Check lists what it finds;
// Fix walks the same way and notes edits beside the findings.
type inspector struct {
	ctx    context.Context //nolint:containedctx // lives as long as one call of Check
	s      *xmlscan.Scanner
	model  map[string]*modelClass
	opts   CheckOptions
	report Report
	fixer  *fixer // nil in Check

	nodes   []node // the open elements
	base64  *decoder
	version Version // whose rules are used: 1.1 or 1.2
	leaf    leaf    // the text of the property being read
	header  struct {
		messageType, notification held
	}
	message, body place           // where they start
	told          map[string]bool // what is told once a file: foreign namespaces and prefixes
	signed        bool            // there is a ds:Signature around the Message
	bound         []binding       // the prefixes in scope, with those that Fix declares
	insert        string          // what Fix adds to the start tag
}

// binding is a prefix in scope.
type binding struct {
	prefix, uri string
	depth       int // of the element that declares it
}

// place is where something stands.
type place struct {
	offset       int64
	line, column int
}

// held is a value kept for the rules of its class.
type held struct {
	name  string
	value string
	at    place
}

func newInspector(ctx context.Context, r io.Reader, opts CheckOptions) *inspector {
	if opts.MaxFindings <= 0 {
		opts.MaxFindings = defaultFindings
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = defaultCheckBytes
	}
	if opts.MaxElements <= 0 {
		opts.MaxElements = defaultCheckElements
	}
	scanner := xmlscan.New(contextReader{ctx, r}, xmlscan.Limits{
		Size: opts.MaxBytes, Depth: checkDepth, Elements: opts.MaxElements,
	}, NamespaceMemo, NamespaceGrd, NamespaceKle, NamespaceForm, NamespaceGln, NamespaceSor, NamespaceDmv, NamespaceUdd)
	return &inspector{
		ctx: ctx, s: scanner, model: modelClasses(), opts: opts, version: V1_1, nodes: make([]node, 0, checkDepth),
		message: place{line: 1, column: 1},
	}
}

func (i *inspector) release() {
	i.s.Release()
	i.base64.release()
}

// run walks to the end of the file or to the fault that hides the rest.
func (i *inspector) run() error {
	for {
		kind, err := i.s.Next()
		if err != nil {
			return i.broken(err)
		}
		switch kind {
		case xmlscan.EOF:
			i.report.Size = i.s.Limit
			i.ended()
			return i.failed()
		case xmlscan.Declaration:
			i.declaration()
		case xmlscan.Start:
			i.start()
		case xmlscan.Text:
			i.text()
		case xmlscan.End:
			i.end()
		case xmlscan.Comment, xmlscan.Instruction:
			i.aside()
		}
		if err := i.failed(); err != nil {
			return err
		}
	}
}

// failed is the failure of the fixer, if there is one.
func (i *inspector) failed() error {
	if i.fixer != nil {
		return i.fixer.err
	}
	return nil
}

// broken makes a finding of what ends reading. What r or ctx said is an error.
func (i *inspector) broken(err error) error {
	var e *xmlscan.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Reason == xmlscan.Unreadable || i.fixer != nil {
		return &ReadError{
			Reason: ReadReason(e.Reason), Path: i.path(""), Line: e.Line, Column: e.Column, Offset: e.Offset, Err: e.Err,
		}
	}
	i.report.Size = e.Offset
	if len(i.report.Findings) >= i.opts.MaxFindings { // what ends reading is always told
		i.report.Findings = i.report.Findings[:i.opts.MaxFindings-1]
		i.report.Omitted++
	}
	at := place{offset: e.Offset, line: e.Line, column: e.Column}
	i.find(SeverityError, RuleXML+Rule(e.Reason), "", at, xmlDetail(e.Reason), sourceXML)
	return nil
}

// find adds a finding about a property of the innermost open element, or about that element when name is empty. Beyond
// CheckOptions.MaxFindings it is counted only.
func (i *inspector) find(severity Severity, rule Rule, name string, at place, detail, source string) {
	switch severity {
	case SeverityError:
		i.report.Errors++
	case SeverityWarning:
		i.report.Warnings++
	case SeverityNote:
		i.report.Notes++
	}
	if len(i.report.Findings) >= i.opts.MaxFindings {
		i.report.Omitted++
		return
	}
	i.report.Findings = append(i.report.Findings, CheckFinding{
		Finding:  Finding{Path: i.path(name), Rule: rule, Detail: detail},
		Severity: severity, Line: at.line, Column: at.column, Source: source,
	})
}

// fixable adds a finding that Fix corrects. In Fix, done says what was done about it, and the edits are noted.
func (i *inspector) fixable(severity Severity, rule Rule, name string, at place, detail, source, done string, edits ...edit) {
	kept := len(i.report.Findings)
	i.find(severity, rule, name, at, detail, source)
	if len(i.report.Findings) > kept {
		i.report.Findings[kept].Fixable = true
	}
	if i.fixer != nil {
		i.fixer.change(Change{Path: i.path(name), Rule: rule, Line: at.line, Column: at.column, Detail: done}, edits...)
	}
}

// finish puts the findings into the order of the file.
func (i *inspector) finish() *Report {
	slices.SortStableFunc(i.report.Findings, func(a, b CheckFinding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &i.report
}
