package letterpdf

import (
	"fmt"
	"time"
)

// Letter is what a letter says. Every text is plain text.
type Letter struct {
	Sender    string    // the authority's name at the top; may be empty
	Recipient []string  // name and address as they stand in the window, line by line
	Date      time.Time // printed as a Danish date in its own location, and the file's dates; required
	CaseID    string    // printed as "Sagsnr."; may be empty
	Title     string    // headline and document title; required
	Text      string    // paragraphs and lists
	Sections  []Section // after the text, e.g. one for each action
}

// Section is a headline with lines under it.
type Section struct {
	Title string
	Lines []string
}

// Document is a finished letter.
type Document struct {
	PDF   []byte
	Pages int
}

// Field is the part of a [Letter] that a [Finding] is about.
type Field string

// The fields.
const (
	FieldSender    Field = "sender"
	FieldRecipient Field = "recipient"
	FieldCaseID    Field = "case"
	FieldTitle     Field = "title"
	FieldText      Field = "text"
	FieldSections  Field = "sections"
)

// The codes of findings.
const (
	CodeRequired  = "required"        // the field is empty
	CodeCharacter = "text.character"  // a character cannot be printed
	CodeTooLong   = "text.too_long"   // the text does not fit into its place
	CodeManyPages = "letter.too_long" // the letter has more pages than allowed
)

// Finding is one reason why a letter cannot be made.
type Finding struct {
	Field  Field
	Index  int // line of Recipient, or section
	Code   string
	Detail string // a sentence that names characters by their number and holds no other part of the text
}

// Invalid is the error of [Maker.Make] for a letter that cannot be printed as it is.
type Invalid struct{ Findings []Finding }

// Error says how much is wrong and what comes first, without any text of the letter.
func (e *Invalid) Error() string {
	if len(e.Findings) == 0 {
		return "the letter cannot be printed"
	}
	f := e.Findings[0]
	return fmt.Sprintf("the letter cannot be printed: %s: %s (%d in all)", f.Field, f.Code, len(e.Findings))
}
