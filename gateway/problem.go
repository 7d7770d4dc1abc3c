package gateway

import (
	"errors"
	"fmt"
	"time"

	"github.com/brevdue/brevdue/actions"
)

// Problem is one thing wrong with a draft: a JSON pointer into the request, a stable code, and a sentence without
// personal data.
type Problem = actions.Problem

// Invalid is the error for a draft that must not be accepted. Nothing of it has been stored.
type Invalid struct{ Problems []Problem }

// Error names the first problem and how many more there are.
func (e *Invalid) Error() string {
	if len(e.Problems) == 0 {
		return "the intent is not valid"
	}
	p := e.Problems[0]
	return fmt.Sprintf("%s: %s (%s), %d problem(s) in all", p.Pointer, p.Detail, p.Code, len(e.Problems))
}

// The sentinels that callers of the use cases match with errors.Is.
var (
	ErrNotFound      = errors.New("not found")
	ErrConflict      = errors.New("the reference was used before with another body")
	ErrTooLate       = errors.New("too late to cancel: the message has left")
	ErrTransition    = errors.New("the state machine forbids it")
	ErrStale         = errors.New("the row was changed by somebody else")
	ErrUnknownSender = errors.New("the sender profile no longer exists")
	ErrTooLarge      = errors.New("more bytes than allowed")
	// ErrUnavailable says that something the gateway stands on does not answer now; the same call may succeed later.
	ErrUnavailable = errors.New("not available now")
)

// Later is what Dispatch returns when the message must be looked at again: the queue runs the task again at At.
type Later struct {
	At      time.Time
	Counted bool   // an attempt was made and did not succeed; false: it was not its time yet
	Reason  string // a fixed word, fit for a dashboard
}

// Error says why without saying whom.
func (l *Later) Error() string { return l.Reason }
