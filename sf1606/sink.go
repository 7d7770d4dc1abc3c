package sf1606

import (
	"context"
	"crypto/sha256"
	"io"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// Sink keeps what is received. It is asked from many goroutines at once.
//
// An error that is or wraps a [*Refusal] refuses the message with that code; any other error is told to the sender as
// temporary ([CodeUnavailable]) without its text.
type Sink interface {
	// Known returns the receipt that was committed for a messageUUID, and whether there is one. The UUID is in lower
	// case; it must be compared so.
	Known(ctx context.Context, messageUUID string) (Receipt, bool, error)
	// Begin opens a delivery for a message whose documents are about to come.
	Begin(ctx context.Context, a Arrival) (Delivery, error)
}

// Delivery is one message on its way into a sink. Its methods are called one after the other, never at the same time:
// Document for each file, then Commit; Abort instead or after a failed Commit. No method is called after Abort, or after a
// Commit without error.
type Delivery interface {
	// Document takes one file of the message in document order. content ends with io.EOF when the file was read whole
	// and well; any other error of it means that the message is refused. What Document leaves unread is read past.
	Document(ctx context.Context, f memo.FileInfo, content io.Reader) error
	// Commit makes message, documents and meta.Receipt durable, all or nothing, and returns the receipt that is answered.
	// When the messageUUID was committed before or meanwhile, it stores nothing, cleans up, and returns the receipt that
	// is stored. A sink that keeps a message and yet refuses it (quarantine) returns a receipt of its own.
	//
	// The files of m are in the order of Document, with Size and SHA256 of their contents.
	Commit(ctx context.Context, m *memo.Message, meta Meta) (Receipt, error)
	// Abort removes everything of the delivery. ctx is not ended when the sender's is.
	Abort(ctx context.Context, cause error)
}

// Recorder is a Delivery that keeps the XML as it came, too.
type Recorder interface {
	// Record takes the bytes of the message from its first, before and while its documents are taken; all of them have been
	// written when Commit is called. An error means that the message is refused as temporary. It is asked for once, right
	// after Begin, and written to also while Document runs; Commit and Abort end it. Nil records nothing.
	Record() io.Writer
}

// Source is the way a message came in.
type Source string

// The two sources.
const (
	SourcePostModtag Source = "postmodtag" // pushed by the Postkomponent
	SourceNgDP       Source = "ngdp"       // pulled from Digital Post
)

// Arrival is what is known of a message before it is read.
type Arrival struct {
	Source         Source
	TransmissionID string // of the receipt
	Peer           string // subject of the sender's certificate; empty when there was none
	MemoID         string // NgDP: the id under which it was fetched
}

// Meta is what is known of a message when it has been read whole.
type Meta struct {
	Arrival

	MessageUUID string            // in lower case
	Size        int64             // bytes of the XML as it came
	SHA256      [sha256.Size]byte // of the same bytes
	Notices     int               // elements, attributes and texts that MeMo does not know and that the message does not hold
	Receipt     Receipt           // positive; to be stored and answered
}
