package memo

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/brevdue/brevdue/sf1601/memo/internal/xmlscan"
)

// reader turns scanner events into a Message. Its first error is kept and ends everything: next answers false from then
// on, so that the functions of the classes need no error handling.
//
// A class is read by a function that stands beside its element method. It is asked once for every child element and
// offers its properties and classes in the order of the schema, each by the name it has there (with the prefix of
// namespace); the first that takes the child answers true.
type reader struct {
	ctx   context.Context //nolint:containedctx // lives as long as one call of Read
	opts  ReadOptions
	s     *xmlscan.Scanner
	kind  xmlscan.Kind
	err   error
	name  []byte // of the element just started, with the prefix of namespace unless it is memo; nil when unknown
	full  []byte // memory of name
	asked int    // how many names were offered for it

	frames []frame // the open elements
	leaf   []byte  // text of the property being read
	plain  []byte  // text that stands directly in the class being read
	texts  int     // bytes of text kept so far
	base64 *decoder
}

// frame is an open element.
type frame struct {
	name    string // as in a path; * for an element that nobody took
	index   int    // from 1 for a repeated class, else 0
	ordinal int    // position in its class
	seen    uint64 // which ordinals its own single children have had
}

func newReader(ctx context.Context, src io.Reader, opts ReadOptions) *reader {
	l := &opts.Limits
	if l.Text <= 0 {
		l.Text = defaultText
	}
	if l.Texts <= 0 {
		l.Texts = defaultTexts
	}
	scanner := xmlscan.New(contextReader{ctx, src}, xmlscan.Limits{
		Size: l.Size, Depth: l.Depth, Elements: l.Elements, Attributes: l.Attributes,
	}, NamespaceMemo, NamespaceGrd, NamespaceKle, NamespaceForm, NamespaceGln, NamespaceSor, NamespaceDmv, NamespaceUdd)
	return &reader{ctx: ctx, opts: opts, s: scanner}
}

func (r *reader) close() {
	r.s.Release()
	r.base64.release()
}

// contextReader ends reading when its context has ended.
type contextReader struct {
	ctx context.Context //nolint:containedctx // lives as long as one call of Read
	src io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.src.Read(p)
}

// document reads prolog, root and what stands behind it.
func (r *reader) document(root func() bool) {
	for r.next() {
		switch r.kind {
		case xmlscan.Start:
			r.identify()
			if !root() {
				r.fail(ReasonRoot, r.s.Offset, nil)
			}
		case xmlscan.EOF:
			return
		default: // next gives nothing else here
		}
	}
}

// next moves to the next start, text, end or EOF.
func (r *reader) next() bool {
	for r.err == nil {
		kind, err := r.s.Next()
		if err != nil {
			var e *xmlscan.Error
			if !errors.As(err, &e) {
				e = &xmlscan.Error{Reason: xmlscan.Unreadable, Err: err}
			}
			r.err = &ReadError{
				Reason: ReadReason(e.Reason), Path: r.path(), Line: e.Line, Column: e.Column, Offset: e.Offset, Err: e.Err,
			}
			return false
		}
		r.kind = kind
		other, found := event(kind)
		if !found {
			return true
		}
		r.observe(other)
	}
	return false
}

// fail ends the reading.
func (r *reader) fail(reason ReadReason, offset int64, cause error) {
	if r.err == nil {
		r.err = r.failure(reason, offset, cause)
	}
}

// fault ends the reading unless ReadOptions.Fault reads past it.
func (r *reader) fault(reason ReadReason, offset int64) {
	if r.err == nil {
		r.pass(r.failure(reason, offset, nil))
	}
}

// pass asks ReadOptions.Fault about a fault.
func (r *reader) pass(e *ReadError) {
	if r.opts.Fault == nil {
		r.err = e
		return
	}
	r.err = r.opts.Fault(e)
}

func (r *reader) failure(reason ReadReason, offset int64, cause error) *ReadError {
	line, column := r.s.Position(offset)
	return &ReadError{Reason: reason, Path: r.path(), Line: line, Column: column, Offset: offset, Err: cause}
}

// path is the place below Message, as in Finding.
func (r *reader) path() string {
	frames := r.frames
	for i := range min(len(frames), 2) {
		if frames[i].name == "Message" {
			frames = frames[i+1:]
			break
		}
	}
	var b strings.Builder
	for i, f := range frames {
		if i > 0 {
			b.WriteByte('/')
		}
		b.WriteString(f.name)
		if f.index > 0 {
			b.WriteString("[" + strconv.Itoa(f.index) + "]")
		}
	}
	return b.String()
}

// identify names the element just started.
func (r *reader) identify() {
	r.asked = 0
	prefix, known := prefixOf(r.s.Space)
	switch {
	case !known:
		r.name = nil
	case prefix == "memo":
		r.name = r.s.Local
	default:
		r.full = append(append(append(r.full[:0], prefix...), ':'), r.s.Local...)
		r.name = r.full
	}
}

// prefixOf is the inverse of namespace; no namespace has the empty prefix.
func prefixOf(uri string) (prefix string, known bool) {
	switch uri {
	case NamespaceMemo:
		return "memo", true
	case NamespaceGrd:
		return "grd", true
	case NamespaceKle:
		return "kle", true
	case NamespaceForm:
		return "form", true
	case NamespaceGln:
		return "gln", true
	case NamespaceSor:
		return "sor", true
	case NamespaceDmv:
		return "dmv", true
	case NamespaceUdd:
		return "udd", true
	default:
		return "", uri == ""
	}
}

// is offers a name to the element just started.
func (r *reader) is(name string) bool {
	r.asked++
	return string(r.name) == name
}

// first tells whether the element just taken is the first of its name in its class; a second one is a fault and skipped.
func (r *reader) first() bool {
	if len(r.frames) == 0 {
		return true
	}
	f := &r.frames[len(r.frames)-1]
	bit := uint64(1) << r.asked
	if f.seen&bit == 0 {
		f.seen |= bit
		return true
	}
	r.fault(ReasonDuplicate, r.s.Offset)
	r.skip()
	return false
}

// enter opens the element that was taken under a name of a class function.
func (r *reader) enter(name string, index int) {
	if _, local, found := strings.Cut(name, ":"); found {
		name = local
	}
	r.frames = append(r.frames, frame{name: name, index: index, ordinal: r.asked})
	r.observe(EventStart)
	if name != "Message" { // no other class has attributes
		for _, a := range r.s.Attrs {
			r.noticeAttribute(a)
		}
	}
}

func (r *reader) leave() {
	r.observe(EventEnd)
	r.frames = r.frames[:len(r.frames)-1]
}

// readClass reads the element just taken into x.
func readClass[C any](r *reader, name string, index int, x *C, read func(*reader, *C) bool) {
	r.enter(name, index)
	for r.next() {
		switch r.kind {
		case xmlscan.Start:
			r.identify()
			if !read(r, x) {
				r.notice(NoticeElement, r.s.Local, r.s.Offset)
				r.skip()
			}
		case xmlscan.Text:
			r.observe(EventText)
			r.stray(x)
		case xmlscan.End:
			if len(r.plain) > 0 {
				r.settle(x)
			}
			r.leave()
			return
		default: // next gives nothing else here
		}
	}
}

// value reads a class that stands once, into its place.
func value[C any](r *reader, name string, x *C, read func(*reader, *C) bool) bool {
	if !r.is(name) {
		return false
	}
	if r.first() {
		readClass(r, name, 0, x, read)
	}
	return true
}

// one reads an optional class.
func one[C any](r *reader, name string, x **C, read func(*reader, *C) bool) bool {
	if !r.is(name) {
		return false
	}
	if r.first() {
		*x = new(C)
		readClass(r, name, 0, *x, read)
	}
	return true
}

// many reads one of a repeated class.
func many[C any](r *reader, name string, list *[]C, read func(*reader, *C) bool) bool {
	if !r.is(name) {
		return false
	}
	if n := len(*list); n == cap(*list) { // append would grow by a quarter, and copy long lists more often
		grown := make([]C, n, max(1, 2*n))
		copy(grown, *list)
		*list = grown
	}
	*list = (*list)[:len(*list)+1]
	readClass(r, name, len(*list), &(*list)[len(*list)-1], read)
	return true
}

// skip reads past the element just started, which nobody took.
func (r *reader) skip() {
	depth := len(r.frames)
	r.enterUnknown()
	for len(r.frames) > depth && r.next() {
		switch r.kind {
		case xmlscan.Start:
			r.enterUnknown()
		case xmlscan.Text:
			r.observe(EventText)
		case xmlscan.End:
			r.leave()
		default: // next gives nothing else here
		}
	}
}

func (r *reader) enterUnknown() {
	name := "*"
	if r.opts.Observe != nil {
		name = string(r.s.Local)
	}
	r.frames = append(r.frames, frame{name: name})
	r.observe(EventStart)
}

// stray tells of text between the elements of a class. Two classes are seen written as plain text instead of with their
// one mandatory property, and are read so while they have no property. [src: SP-CLIENTS itk-dev/serviceplatformen]
func (r *reader) stray(class any) {
	text := trimSpace(r.s.Data)
	if len(text) == 0 {
		return
	}
	if plainProperty(class) == nil || r.frames[len(r.frames)-1].seen != 0 {
		r.notice(NoticeText, nil, r.s.Offset)
		return
	}
	if r.count(len(r.plain), len(text)) {
		r.plain = append(r.plain, text...)
	}
}

// settle gives the plain text of a class, of which there is some, to its property, unless that came too.
func (r *reader) settle(class any) {
	if p := plainProperty(class); p != nil && *p == "" {
		*p = string(r.plain)
	}
	r.plain = r.plain[:0]
}

// plainProperty is the property that the plain text of a class stands for.
func plainProperty(class any) *string {
	switch x := class.(type) {
	case *PropertyNumber:
		return &x.PropertyNumber
	case *GlobalLocationNumber:
		return &x.GlobalLocationNumber
	default:
		return nil
	}
}
