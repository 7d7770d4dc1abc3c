package sf1606

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// upload is the body of a request with limits on its time that follow its progress: a pause may be as long as idle, and
// the whole may take grace plus the time that minRate gives for what has come. Only time spent waiting for the sender
// counts, not what a slow sink takes.
type upload struct {
	src      io.Reader
	deadline func(time.Time) error // of the connection's reads
	clock    func() time.Time
	idle     time.Duration
	grace    time.Duration
	minRate  int64 // bytes per second

	read  int64
	spent time.Duration
	err   error // that ended it; io.EOF when it came whole
}

// Read reads with a deadline. Its errors but io.EOF are *Refusal.
func (u *upload) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	left := u.grace + time.Duration(float64(u.read)/float64(u.minRate)*float64(time.Second)) - u.spent
	if left <= 0 {
		u.end(os.ErrDeadlineExceeded)
		return 0, u.err
	}
	start := u.clock()
	if err := u.deadline(start.Add(min(u.idle, left))); err != nil && !errors.Is(err, http.ErrNotSupported) {
		u.end(err)
		return 0, u.err
	}
	n, err := u.src.Read(p)
	u.read += int64(n)
	u.spent += u.clock().Sub(start)
	if err != nil {
		u.end(err)
	}
	return n, u.err
}

// end keeps the reason and takes the deadline off the connection: net/http reads on behind the body to see the sender go
// away, and would take a deadline for that.
func (u *upload) end(err error) {
	_ = u.deadline(time.Time{}) // a dead connection tells it by itself
	switch {
	case errors.Is(err, io.EOF):
		u.err = io.EOF
	case errors.Is(err, os.ErrDeadlineExceeded):
		u.err = Refuse(CodeUploadSlow, err)
	default:
		u.err = Refuse(CodeUploadCut, err)
	}
}

// whole tells whether the body came to its end.
func (u *upload) whole() bool { return errors.Is(u.err, io.EOF) }
