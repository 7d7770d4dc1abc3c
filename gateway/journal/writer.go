package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// The bounds of one group: so many updates, and no more taken in after so long.
const (
	maxGroup     = 256
	maxGathering = 10 * time.Millisecond
)

// writer is group commit: one goroutine that owns a session and runs the updates of many callers in one transaction.
//
// When an update fails before it wrote anything, there is nothing to undo and the group goes on. When it fails after it
// wrote (rare: what callers expect to fail, fails on a read or on a write that changes no row), the whole group is
// rolled back and run again in a way that undoes the failing ones alone; see savepoints and alone.
//
// When the disk fails, or the commit, nobody is told that anything is stored.
type writer struct {
	*line

	session session
	log     *slog.Logger
	now     func() time.Time // measures how long a group gathers
	limit   int              // updates of a group
	apart   func() error     // runs the group again, each update for itself
	group   []*request       // reused; nil: answered
}

// start begins to serve the line.
func (w *writer) start() {
	w.serving.Add(1)
	go w.run()
}

// run serves requests until close. An update that ends the goroutine it runs on (runtime.Goexit, which is what a test's
// FailNow does) fails with its whole group, and another goroutine takes over.
func (w *writer) run() {
	served := false
	defer func() {
		if served {
			w.serving.Done()
			return
		}
		w.answer(w.rollback(errExited))
		go w.run()
	}()
	w.serve()
	served = true
}

// errExited is the answer to the group of an update that ended its goroutine.
var errExited = errors.New("an update ended its goroutine")

func (w *writer) serve() {
	for {
		select {
		case r := <-w.requests:
			w.commit(r)
		case <-w.closing:
			for r := w.take(); r != nil; r = w.take() {
				w.commit(r)
			}
			return
		}
	}
}

// next returns one more request for a group, nil when none waits or the group is full. Callers that the last commit
// has just answered get one chance to hand in their next update.
func (w *writer) next(began time.Time) *request {
	if len(w.group) >= w.limit || w.now().Sub(began) > maxGathering {
		return nil
	}
	if r := w.take(); r != nil {
		return r
	}
	runtime.Gosched()
	return w.take()
}

// commit runs first and all that wait with it in one transaction and answers them.
func (w *writer) commit(first *request) {
	w.group = w.group[:0]
	err := w.together(first)
	if errors.Is(err, errDirty) {
		err = w.apart()
	}
	w.answer(err)
}

// answer tells everybody in the group how it ended: err for all, nil for each as its own update ended.
func (w *writer) answer(err error) {
	for i, r := range w.group {
		switch {
		case r == nil:
		case err != nil:
			r.forget()
			r.done <- fmt.Errorf("journal: %w: %w", gateway.ErrUnavailable, err)
		case r.err != nil:
			r.done <- r.err
		default:
			r.done <- nil
		}
		w.group[i] = nil
	}
	w.group = w.group[:0]
}

// errDirty says that an update failed after it wrote.
var errDirty = errors.New("an update failed after it wrote")

// together runs a group as if nothing failed. errDirty: all is rolled back, run it apart.
func (w *writer) together(first *request) error {
	began := w.now()
	if err := w.session.begin(); err != nil {
		w.refuse(first)
		return err
	}
	for r := first; r != nil; r = w.next(began) {
		if !r.turn.CompareAndSwap(turnOpen, turnTaken) {
			continue
		}
		w.group = append(w.group, r)
		w.session.next()
		r.run(w)
		if err := w.session.broken(); err != nil {
			return w.rollback(err)
		}
		if r.err != nil && w.session.wrote() {
			return w.rollback(errDirty)
		}
	}
	return w.finish()
}

// refuse answers a request of a group that could not begin.
func (w *writer) refuse(r *request) {
	if r.turn.CompareAndSwap(turnOpen, turnTaken) {
		w.group = append(w.group, r)
	}
}

func (w *writer) finish() error {
	if err := w.session.commit(); err != nil {
		return w.rollback(fmt.Errorf("commit: %w", err))
	}
	return nil
}

// rollback undoes the transaction and returns cause. A database has undone it by itself after some failures; then there is
// nothing to roll back, and its complaint says nothing.
func (w *writer) rollback(cause error) error {
	for _, r := range w.group {
		if r != nil {
			r.forget()
		}
	}
	if err := w.session.rollback(); err != nil {
		w.log.Debug("journal: rollback after a failure", "cause", cause, "error", err)
	}
	return cause
}

// run calls fn and keeps its error. A panic becomes an error; its stack goes to the log.
func (r *request) run(w *writer) {
	t := &tx{session: sealedSession{w.session, w.seals}, seals: w.seals, request: r}
	defer func() {
		t.session = nil // a tx kept beyond its end does nothing
		if p := recover(); p != nil {
			r.err = panicError(p)
			w.log.Error("journal: panic in an update", "error", r.err, "stack", string(debug.Stack()))
		}
	}()
	r.err = r.fn(t)
}

// panicError tells of a panic. A value that is no error is not shown: it might hold personal data.
func panicError(p any) error {
	if err, ok := p.(runtime.Error); ok {
		return fmt.Errorf("journal: panic in an update: %w", err)
	}
	return fmt.Errorf("journal: panic in an update: a value of type %T", p)
}
