package httpapi

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// A body may take bodyGrace, and for what is longer as long as bodyRate allows. So a 99.5 MB document has 25 minutes,
// and a client that sends one byte now and then is cut off after half a minute.
const (
	bodyGrace = 30 * time.Second
	bodyRate  = 64 << 10 // bytes per second
)

// pacedBody moves the connection's read deadline forward with every byte that comes, and takes it away at the end of
// the body (a deadline that fires later would cancel the request's context).
type pacedBody struct {
	body     io.Reader
	control  *http.ResponseController
	start    time.Time // of the connection's deadlines, which are in real time whatever the clock of the rules says
	deadline time.Time
	got      int64
	failed   error // why reading ended before the end of the body; fit to be answered
}

func newPacedBody(w http.ResponseWriter, body io.Reader) *pacedBody {
	now := time.Now() //nolint:forbidigo // a connection's deadline is in real time
	return &pacedBody{body: body, control: http.NewResponseController(w), start: now}
}

// Read is io.Reader. Its errors, except io.EOF, are fit to be answered.
func (p *pacedBody) Read(b []byte) (int, error) {
	if next := p.start.Add(bodyGrace + time.Duration(p.got/bodyRate)*time.Second); next.After(p.deadline) {
		p.deadline = next
		p.setDeadline(next)
	}
	n, err := p.body.Read(b)
	p.got += int64(n)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		p.setDeadline(time.Time{})
	default:
		p.failed = bodyProblem(err)
		err = p.failed
	}
	return n, err
}

// setDeadline does its best: a connection that knows no deadlines (a test's) or is gone says so on the next read.
func (p *pacedBody) setDeadline(t time.Time) { _ = p.control.SetReadDeadline(t) }

// bodyProblem tells apart why a body could not be read to its end.
func bodyProblem(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return problemOf(err)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return newProblem(codeBodyTooSlow, "").because(err)
	}
	return newProblem(codeBodyAborted, "").because(err)
}
