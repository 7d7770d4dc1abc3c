package journal

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/brevdue/brevdue/gateway"
)

// line is where updates wait for a writer. Any number of writers serve it.
type line struct {
	seals    seals
	requests chan *request
	closing  chan struct{} // closed: no new requests
	stopped  chan struct{} // closed: every writer has ended
	serving  sync.WaitGroup
	once     sync.Once
}

func newLine(s seals) *line {
	return &line{seals: s, requests: make(chan *request, maxGroup), closing: make(chan struct{}), stopped: make(chan struct{})}
}

// request is one update that waits for its turn.
type request struct {
	fn    func(gateway.Tx) error
	turn  atomic.Int32 // who got it first: a writer or its caller, who no longer waits
	done  chan error   // takes one answer
	err   error        // of fn in the present run
	saved []*int64     // versions that the run raised
}

const (
	turnOpen int32 = iota
	turnTaken
	turnGivenUp
)

// forget takes back what the run changed in the caller's memory: it may run again.
func (r *request) forget() {
	for _, version := range r.saved {
		*version--
	}
	r.saved = r.saved[:0]
}

func (l *line) isClosed() bool {
	select {
	case <-l.closing:
		return true
	default:
		return false
	}
}

// update hands fn in and waits for its answer.
func (l *line) update(ctx context.Context, fn func(gateway.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if l.isClosed() {
		return ErrClosed
	}
	r := &request{fn: fn, done: make(chan error, 1)}
	select {
	case l.requests <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.closing:
		return ErrClosed
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.turn.CompareAndSwap(turnOpen, turnGivenUp) {
			return ctx.Err()
		}
	case <-l.stopped: // the request came in when the writers were past their last look
		if r.turn.CompareAndSwap(turnOpen, turnGivenUp) {
			return ErrClosed
		}
	}
	return <-r.done
}

// close lets the writers finish what was handed in and returns when they have ended.
func (l *line) close() {
	l.once.Do(func() {
		close(l.closing)
		l.serving.Wait()
		close(l.stopped)
	})
	<-l.stopped
}

// take returns a request that waits, nil when there is none.
func (l *line) take() *request {
	select {
	case r := <-l.requests:
		return r
	default:
		return nil
	}
}
