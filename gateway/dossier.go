package gateway

import (
	"context"
	"io"
)

// Dossier is everything that the journal knows about one message: what evidence of its delivery is made from.
type Dossier struct {
	Intent   *Intent // with content, without messages
	Sender   Sender  // as configured today; what was sent says who it was then
	Message  Message
	Events   []Event    // of this message and of the intent as a whole, in order
	Attempts []Attempt  // all of them, in order
	Evidence []Evidence // the signed manifests that the attempts name, each once, without Letters
	Receipts []Receipt  // matched to the message, in the order they came
	// Request is what was handed over: the kombi_request or the mail, byte for byte. nil when nothing was about to leave,
	// or when it was sent before requests were kept.
	Request *Exhibit
}

// Kept is a request as the journal keeps it.
type Kept struct {
	AttemptID string   // the attempt that it was about to leave in
	Digest    [32]byte // SHA-256 of the request
	Skeleton  []byte   // what it is put together from; nil: it has been erased
}

// Exhibit is a file that is put together again, byte for byte, when it is read.
type Exhibit struct {
	Name        string // with its ending, e.g. "kombi_request.xml", "mail.eml"
	ContentType string
	Size        int64
	Digest      [32]byte // SHA-256 of the bytes as they were to be sent
	// Open reads it from its first byte. The reader fails with ErrExhibit before its last bytes when the whole has not
	// Digest.
	Open func(ctx context.Context) (io.ReadCloser, error)
}
