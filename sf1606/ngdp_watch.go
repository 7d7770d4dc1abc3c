package sf1606

import (
	"context"
	"errors"
	"io"
	"time"
)

// watch ends a call that stands still: the first answer within its first limit, then every read within idle.
type watch struct {
	timer *time.Timer
	idle  time.Duration
}

var errIdle = errors.New("sf1606: NgDP: the API stood still")

func newWatch(first time.Duration, cancel context.CancelCauseFunc) *watch {
	return &watch{timer: time.AfterFunc(first, func() { cancel(errIdle) })}
}

func (w *watch) stop() { w.timer.Stop() }

// reader reads from src with a new limit for each read, and none between them.
func (w *watch) reader(src io.Reader) io.Reader { return watched{w, src} }

type watched struct {
	w   *watch
	src io.Reader
}

func (r watched) Read(p []byte) (int, error) {
	r.w.timer.Reset(r.w.idle)
	defer r.w.timer.Stop()
	return r.src.Read(p)
}
