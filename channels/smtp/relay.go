package smtp

import (
	"context"
	"errors"
	"io"
	"time"
)

// Relay hands mails that somebody else has written to a mail server, over the same sessions as a [Channel] does. Close it
// when it is no longer used.
type Relay struct{ pool *pool }

// NewRelay makes a relay; now is for deadlines, nil means time.Now. It connects when the first mail is handed over.
func NewRelay(server Server, now func() time.Time) *Relay {
	if now == nil {
		now = time.Now
	}
	return &Relay{pool: newPool(server, now)}
}

// Close says goodbye on every connection that waits; those in use end with their mail.
func (r *Relay) Close() { r.pool.close() }

// Hand gives one mail of size bytes from one address to one other, both as the envelope has them, to the server. content
// writes the mail, dots not doubled; it may be asked twice. err is nil when the server took the mail. reply is the code that
// the server gave to this mail (from MAIL on), 0 when it did not get that far or did not say. err holds no word of the
// server's; an error of content's own is in its chain.
func (r *Relay) Hand(
	ctx context.Context, from, to string, size int64, content func(ctx context.Context, w io.Writer) error,
) (reply int, err error) {
	m := &mail{from: from, to: to, size: size, whole: func(ctx context.Context, w io.Writer) error {
		guarded := &writing{w: w}
		err := content(ctx, guarded)
		if err != nil && guarded.failed == nil {
			return &documentError{err}
		}
		return err
	}}
	_, e := r.pool.hand(ctx, m)
	switch {
	case e == nil:
		return accepted, nil
	case e.Phase == PhaseMail, e.Phase == PhaseRcpt, e.Phase == PhaseData, e.Phase == PhaseFinal:
		return e.Code, e
	default:
		return 0, e
	}
}

// writing remembers whether it was the wire that failed.
type writing struct {
	w      io.Writer
	failed error
}

// Write implements io.Writer.
func (w *writing) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	if err != nil {
		w.failed = errors.Join(w.failed, err)
	}
	return n, err
}
