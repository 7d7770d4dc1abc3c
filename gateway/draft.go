package gateway

import "time"

// Draft is an intent as it was asked for, before it is checked and given identities.
type Draft struct {
	Producer    string
	Reference   string
	Fingerprint [32]byte // of the request, so that the same reference with another body is told apart
	Sender      string
	Recipient   Recipient
	Routes      []Route
	Content     Content // without Documents
	Documents   []DraftDocument
	NotBefore   time.Time
	Expires     time.Time
	Window      string
	Dedupe      string
	Priority    Priority // "": Normal
	Batch       string   // batch_..., "": posted alone
	// Problems are those found while the request was read (a CPR number of nine digits, a time that is none). Accept
	// adds its own and refuses the draft with all of them together.
	Problems []Problem
}

// DraftDocument is a document handed in with the intent, or the name of one handed in before.
type DraftDocument struct {
	Filename    string
	ContentType string
	Content     []byte
	Upload      string // doc_...; Content is empty then
}
