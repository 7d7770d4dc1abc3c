package gateway

import "errors"

// ErrUnanswerable says that nobody can be found in a post to whom an answer could go.
var ErrUnanswerable = errors.New("the post names no sender that can be answered")

// Answered is one message of the thread that a letter answers (MeMo class ReplyData). The texts are those of that message,
// as it named them; what is empty was not told.
type Answered struct {
	MessageID          string
	MessageUUID        string // UUID v4
	ReplyUUID          string // of the message that this one answered
	SenderID           Private
	RecipientID        Private
	CaseID             string
	ContactPointID     string
	GeneratingSystemID string
	Comment            Private
	Additional         []Pair // AdditionalReplyData, at most four
}

// Pair is a free pair of texts that travels through a thread.
type Pair struct{ Label, Value Private }

// Answering is what an answer to a post takes from it.
type Answering struct {
	Recipient          Recipient  // who sent the post
	Title              string     // of an answer that has none of its own
	Answers            []Answered // the post itself, then the thread that it named
	CaseID, CaseSystem string     // of an answer that names no case; both or neither
}

// PostFacts is what a system that owns a post may want to know before it reads it. Personal data, but for the classification.
type PostFacts struct {
	Sender        Identifier // zero: none that can be read
	SenderType    string     // idType as it was written
	Label         Private    // the subject
	ContactPoint  string     // contactPointID
	ContactGroup  string
	KLE           string
	FORM          string
	CaseIDs       []string
	CaseSystem    string
	PostType      string
	MessageCode   string
	Forwarded     bool
	DocumentTypes []string
}
