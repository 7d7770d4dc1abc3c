package memo

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/brevdue/brevdue/sf1601/memo/internal/xmlscan"
)

// ReadOptions say where file contents go, what a message may cost, and who is told what. The zero value reads with the
// default limits, throws the contents away after counting and hashing them, and refuses every fault.
//
// The functions are called during Read, on its goroutine, in document order.
type ReadOptions struct {
	// Sink takes the contents of files. Nil discards them.
	Sink Sink
	// Limits bound memory and time; zero fields mean the defaults.
	Limits ReadLimits
	// Notice is told of everything that was tolerated and that the Message does not hold: see NoticeCode. May be nil.
	Notice func(Notice)
	// Fault decides about a fault that can be read past: see ReadReason.Passable. Nil, or returning an error, ends Read
	// (with that error); returning nil reads on, with the zero value where the fault stands.
	Fault func(*ReadError) error
	// Observe is told of every tag, text, comment and instruction with its place in the file. It is for checkers; reading
	// is slower with it. May be nil.
	Observe func(Event)
}

// ReadLimits bound what reading one message may cost. A message of an authority stays far below all of them.
type ReadLimits struct {
	Size       int64 // bytes of the XML; default MaxSize
	Depth      int   // elements inside each other; default 32 (MeMo in a kombi_request needs 8)
	Elements   int   // elements, attributes, comments, instructions and CDATA sections together; default 10,000
	Attributes int   // attributes and namespace declarations of one element; default 64
	Text       int   // bytes of the text of one property other than content; default 64 KiB
	Texts      int   // bytes of all such texts together; default 2 MiB
}

// MaxSize is the most a request may weigh, in bytes of XML with the files as base64: 99.5 MB, read as decimal.
// [src: SF1601-OVERVIEW]
const MaxSize = 99_500_000

const (
	defaultText  = 64 << 10
	defaultTexts = 2 << 20
)

// Kombi is a kombi_request as it was read: the envelope of KombiPostAfsend.
type Kombi struct {
	KombiValgKode string   // as written; empty for a Message that stands alone
	Message       *Message // nil when the request has none, as for Fysisk Post alone
	Forsendelse   bool     // it has a ForsendelseISamling, which is not read
}

// Read reads one memo:Message of version 1.1 or 1.2 from src, up to the end of src, in constant memory: every content
// goes to opts.Sink while it is read, everything else into the Message. Every File of it carries the Size and SHA256 of
// its content, and a Content when the sink's writer offers one (see Sink), so that the message can be written again.
//
// It is strict about XML and lenient about MeMo; the package documentation lists both. Mandatory properties that are
// absent stay zero: Validate and Check tell about them. The error is a *ReadError, except for what Sink, Fault or ctx
// said, which it wraps. When there is an error there is no Message, and contents already handed to the sink are of a
// message that must not be used.
//
// ctx is looked at between reads; a src that blocks must be ended by its owner.
func Read(ctx context.Context, src io.Reader, opts ReadOptions) (*Message, error) {
	r := newReader(ctx, src, opts)
	defer r.close()
	var m *Message
	r.document(func() bool { return r.message(&m) })
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

// ReadKombi reads a kombi_request, or a memo:Message that stands alone, as Read does. A ForsendelseISamling and a
// ds:Signature in the request are skipped.
func ReadKombi(ctx context.Context, src io.Reader, opts ReadOptions) (*Kombi, error) {
	r := newReader(ctx, src, opts)
	defer r.close()
	k := new(Kombi)
	r.document(func() bool {
		return value(r, ":kombi_request", k, readKombi) || r.message(&k.Message)
	})
	if r.err != nil {
		return nil, r.err
	}
	return k, nil
}

func readKombi(r *reader, x *Kombi) bool {
	if r.text(":KombiValgKode", &x.KombiValgKode) || r.message(&x.Message) {
		return true
	}
	switch {
	case string(r.s.Local) == "ForsendelseISamling":
		x.Forsendelse = true
	case r.s.Space == "http://www.w3.org/2000/09/xmldsig#" && string(r.s.Local) == "Signature":
	default:
		return false
	}
	r.skip()
	return true
}

// ReadReason says why a message is refused. The values are stable.
type ReadReason string

// The reasons. Those of XML come first; the last ones are of MeMo.
const (
	ReasonSyntax      = ReadReason(xmlscan.Syntax)      // not well-formed XML
	ReasonTagMismatch = ReadReason(xmlscan.TagMismatch) // an end tag that does not match its start tag
	ReasonCharacter   = ReadReason(xmlscan.Character)   // a character that XML does not allow
	ReasonEncoding    = ReadReason(xmlscan.Encoding)    // not UTF-8, or declared to be something else
	ReasonPrefix      = ReadReason(xmlscan.Prefix)      // an undeclared namespace prefix, or a bad declaration
	ReasonAttribute   = ReadReason(xmlscan.Attribute)   // an attribute given twice
	ReasonDTD         = ReadReason(xmlscan.DTD)         // a document type declaration
	ReasonEntity      = ReadReason(xmlscan.Entity)      // an entity that XML does not predefine, or no character
	ReasonTruncated   = ReadReason(xmlscan.Truncated)   // the document ends too early
	ReasonTrailing    = ReadReason(xmlscan.Trailing)    // something stands after the root
	ReasonSecondRoot  = ReadReason(xmlscan.SecondRoot)  // a second root element
	ReasonSize        = ReadReason(xmlscan.TooLarge)    // more than ReadLimits.Size
	ReasonDepth       = ReadReason(xmlscan.TooDeep)     // more than ReadLimits.Depth
	ReasonCount       = ReadReason(xmlscan.TooMany)     // more than ReadLimits.Elements or Attributes, or 64 namespaces
	ReasonTag         = ReadReason(xmlscan.TagTooLong)  // a tag of more than 16 KiB
	ReasonText        = ReadReason("limit.text")        // more than ReadLimits.Text or Texts
	ReasonRead        = ReadReason(xmlscan.Unreadable)  // src failed or ctx ended; Err tells
	ReasonSink        = ReadReason("sink")              // the Sink failed; Err tells

	ReasonRoot      ReadReason = "root"      // the root element is not the one to be read
	ReasonVersion   ReadReason = "version"   // memoVersion is absent or neither 1.1 nor 1.2
	ReasonValue     ReadReason = "value"     // no boolean, time or date where there must be one
	ReasonBase64    ReadReason = "base64"    // a content is not base64
	ReasonDuplicate ReadReason = "duplicate" // a second one of what a class has once
)

// Passable tells whether ReadOptions.Fault may read past it.
func (r ReadReason) Passable() bool {
	switch r {
	case ReasonVersion, ReasonValue, ReasonBase64, ReasonDuplicate:
		return true
	default:
		return false
	}
}

// ReadError tells why and where a message was refused. It holds no text of the message.
type ReadError struct {
	Reason       ReadReason
	Path         string // as Finding.Path: elements that MeMo does not know are *
	Line, Column int    // from 1; columns count characters
	Offset       int64  // bytes from the start of the document
	Err          error  // cause of ReasonRead and ReasonSink, else nil
}

// Error names reason and place.
func (e *ReadError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "memo: line %d, column %d: ", e.Line, e.Column)
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(string(e.Reason))
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *ReadError) Unwrap() error { return e.Err }
