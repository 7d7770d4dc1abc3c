package gateway

import "time"

// Event is one line in the story of a message, and of the cursor feed that producers read.
type Event struct {
	Seq          int64 // grows; the cursor of the feed
	At           time.Time
	Producer     string
	IntentID     string
	Reference    string
	MessageID    string // "" for an event of the intent as a whole
	Channel      string
	Status       MessageState // the message's state after it; for an intent's own event its status
	IntentStatus IntentStatus
	Attempt      int    // number of the attempt it belongs to; 0: none
	Code         string // raw code from the far end, or ours
	Text         string // raw text from the far end, or ours; for the producer, never for a log
	PostID       string // the inbound post that answers the message (CodeReply); "": none
	CaseID       string // of the letter that it answers
}

// CodeReply is the code of the event that tells a producer of an answer to its letter: Event.PostID is the answer.
const CodeReply = "reply.received"
