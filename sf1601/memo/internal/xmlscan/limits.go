package xmlscan

import "fmt"

// Limits bound what a document may cost. A zero field means its default.
type Limits struct {
	Size       int64 // bytes of the document; default 99,500,000
	Depth      int   // elements inside each other; default 32
	Elements   int   // elements, attributes, comments, instructions and CDATA sections together; default 10,000
	Attributes int   // attributes and declarations of one element; default 64
	Scope      int   // namespace declarations in scope; default 64
	Tag        int   // bytes of one tag, or of the XML declaration; default 16 KiB, at most 32 KiB
}

func (l Limits) withDefaults() Limits {
	if l.Size <= 0 {
		l.Size = 99_500_000
	}
	def := func(v *int, standard int) {
		if *v <= 0 {
			*v = standard
		}
	}
	def(&l.Depth, 32)
	def(&l.Elements, 10_000)
	def(&l.Attributes, 64)
	def(&l.Scope, 64)
	def(&l.Tag, 16<<10)
	l.Tag = min(l.Tag, 32<<10)
	return l
}

// Reason says what is wrong. The values are stable.
type Reason string

// The reasons of an Error.
const (
	Syntax      Reason = "syntax"       // not well-formed
	TagMismatch Reason = "tag.mismatch" // an end tag that does not match its start tag
	Character   Reason = "character"    // a character that XML does not allow
	Encoding    Reason = "encoding"     // not UTF-8, or declared to be something else
	Prefix      Reason = "prefix"       // an undeclared prefix, or a declaration that is not allowed
	Attribute   Reason = "attribute"    // an attribute given twice
	DTD         Reason = "dtd"          // a document type declaration
	Entity      Reason = "entity"       // a reference to anything but a predefined entity or a character
	Truncated   Reason = "truncated"    // the document ends too early
	Trailing    Reason = "trailing"     // something stands after the root
	TooLarge    Reason = "limit.size"   // more bytes than Limits.Size
	TooDeep     Reason = "limit.depth"  // more than Limits.Depth
	TooMany     Reason = "limit.count"  // more than Limits.Elements, Attributes or Scope
	TagTooLong  Reason = "limit.tag"    // more bytes than Limits.Tag
	Unreadable  Reason = "read"         // the source failed; Err is its error
	SecondRoot  Reason = "root.second"  // a second root element
)

// Error tells what is wrong and where, without any text of the document.
type Error struct {
	Line, Column int   // from 1; columns count characters
	Offset       int64 // bytes from the start of the document
	Reason       Reason
	Err          error // cause of Unreadable, else nil
}

// Error names place and reason.
func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("line %d, column %d: %s: %v", e.Line, e.Column, e.Reason, e.Err)
	}
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Reason)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// fail makes the error at an index of the buffer.
func (s *Scanner) fail(at int, reason Reason) *Error {
	offset := s.base + int64(at)
	line, column := s.Position(offset)
	return &Error{Line: line, Column: column, Offset: offset, Reason: reason}
}
