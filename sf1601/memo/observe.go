package memo

import "github.com/brevdue/brevdue/sf1601/memo/internal/xmlscan"

// NoticeCode says what was tolerated.
type NoticeCode string

// What Read tolerates and leaves out.
const (
	NoticeElement   NoticeCode = "unknown.element"   // an element its class does not have, with all that is in it
	NoticeAttribute NoticeCode = "unknown.attribute" // an attribute its class does not have
	NoticeText      NoticeCode = "stray.text"        // text between the elements of a class
)

// Notice tells of something that was read past.
type Notice struct {
	Code         NoticeCode
	Path         string // of the class it stands in, as Finding.Path
	Name         string // local name of the element or attribute, from the document
	Line, Column int    // from 1; columns count characters
	Offset       int64
}

// EventKind is a kind of Event.
type EventKind string

// The kinds.
const (
	EventDeclaration EventKind = "declaration" // <?xml ...?>; Text is its encoding as written
	EventStart       EventKind = "start"
	EventText        EventKind = "text" // a piece of character data; one property may have several
	EventEnd         EventKind = "end"
	EventComment     EventKind = "comment"
	EventInstruction EventKind = "instruction"
)

// Event is one token of the document in document order, as a checker needs it.
//
// A class starts with EventStart; the events up to the EventEnd of the same Depth are its own. Elements that are not
// known to their class come with Ordinal 0, and so does everything inside them.
type Event struct {
	Kind EventKind
	// Path is the place as in Finding.Path; the root Message is the empty path. Unknown elements stand with their own
	// name. A text has the path of its element.
	Path  string
	Depth int // number of open elements: 1 for the root's start, its texts and its end

	// Of EventStart and EventEnd.
	Prefix, Local, Namespace string
	// Ordinal is the position of the element in its class by the schema, from 1, so that the ordinals of the children of
	// one class never fall when they stand in order. Two names of one xs:choice have ordinals of their own.
	Ordinal int
	Index   int // 1, 2, ... for a class or property that may stand more than once, else 0

	// Of EventStart.
	Attributes []EventAttribute
	Declared   []EventNamespace // namespaces declared here
	Empty      bool             // written as <a/>; its EventEnd has Offset == Limit

	Text string // EventText: references resolved, line ends as LF. Empty for the text of a content, which goes to the Sink

	Line, Column  int   // of Offset, from 1; columns count characters
	Offset, Limit int64 // the bytes of the token: Offset <= byte < Limit
}

// EventAttribute is an attribute that is not a namespace declaration.
type EventAttribute struct {
	Prefix, Local, Namespace, Value string
	Offset                          int64 // of its name
}

// EventNamespace is a namespace declaration; Prefix is empty for the default namespace.
type EventNamespace struct{ Prefix, URI string }

func (r *reader) observe(kind EventKind) {
	if r.opts.Observe == nil {
		return
	}
	e := Event{Kind: kind, Path: r.path(), Depth: len(r.frames), Offset: r.s.Offset, Limit: r.s.Limit}
	e.Line, e.Column = r.s.Position(e.Offset)
	if kind == EventText || kind == EventDeclaration {
		e.Text = string(r.s.Data)
	}
	if kind == EventStart || kind == EventEnd {
		f := &r.frames[len(r.frames)-1]
		e.Prefix, e.Local, e.Namespace = string(r.s.Prefix), string(r.s.Local), r.s.Space
		e.Ordinal, e.Index = f.ordinal, f.index
	}
	if kind == EventStart {
		e.Empty = r.s.Empty
		for _, a := range r.s.Attrs {
			e.Attributes = append(e.Attributes, EventAttribute{string(a.Prefix), string(a.Local), a.Space, string(a.Value), a.Offset})
		}
		for _, d := range r.s.Declared() {
			e.Declared = append(e.Declared, EventNamespace{string(d.Prefix), d.URI})
		}
	}
	r.opts.Observe(e)
}

// observeContent is observe for a piece of a content, whose text goes to the sink.
func (r *reader) observeContent() {
	if r.opts.Observe == nil {
		return
	}
	e := Event{Kind: EventText, Path: r.path(), Depth: len(r.frames), Offset: r.s.Offset, Limit: r.s.Limit}
	e.Line, e.Column = r.s.Position(e.Offset)
	r.opts.Observe(e)
}

func (r *reader) notice(code NoticeCode, name []byte, offset int64) {
	if r.opts.Notice == nil || r.err != nil {
		return
	}
	n := Notice{Code: code, Path: r.path(), Name: string(name), Offset: offset}
	n.Line, n.Column = r.s.Position(offset)
	r.opts.Notice(n)
}

// noticeAttribute tells of an attribute. Those of XMLSchema-instance say nothing about a message.
func (r *reader) noticeAttribute(a xmlscan.Attr) {
	if a.Space != "http://www.w3.org/2001/XMLSchema-instance" {
		r.notice(NoticeAttribute, a.Local, a.Offset)
	}
}

// event translates what the scanner found besides elements.
func event(kind xmlscan.Kind) (EventKind, bool) {
	switch kind {
	case xmlscan.Declaration:
		return EventDeclaration, true
	case xmlscan.Comment:
		return EventComment, true
	case xmlscan.Instruction:
		return EventInstruction, true
	default:
		return "", false
	}
}
