package inbound

import (
	"context"
	"io"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Target is one place that posts are brought to. It is asked from many goroutines at once.
type Target interface {
	// Deliver hands the parcel over. It returns only when it knows, or ctx ends.
	Deliver(ctx context.Context, p *Parcel) Outcome
}

// Parcel is what a target gets.
type Parcel struct {
	Post    *gateway.Post
	Receipt []byte // JSON that the sender was answered
	// Memo reads the XML as it came, from its first byte, any number of times.
	Memo func(ctx context.Context) (io.ReadCloser, error)
	// Document reads document n of Post.Documents from its first byte, any number of times.
	Document func(ctx context.Context, n int) (io.ReadCloser, error)
	// DocumentURL is where the system that owns the post may fetch document n with a token of its own; "" when there is no
	// such place.
	DocumentURL func(n int) string
}

// Verdict is what a target says.
type Verdict string

// The verdicts. The zero value counts as Later.
const (
	Taken   Verdict = "taken"   // the target has it, durably
	Refused Verdict = "refused" // it will not take it, now or ever
	Later   Verdict = "later"   // it does not answer, or says not now
)

// Outcome is how one attempt at a target ended.
type Outcome struct {
	Verdict    Verdict
	Code       string        // stable word, e.g. "http.503", "smtp.550", "folder.full"
	Text       string        // a sentence without personal data; what a remote system said is not repeated
	RetryAfter time.Duration // the target's own wish; 0: none
	Err        error         // the private cause
}
