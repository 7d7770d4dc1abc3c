package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// The bounds of one group: so many updates, and no more taken in after so long.
const (
	maxGroup     = 256
	maxGathering = 10 * time.Millisecond
)

// The statements that hold a transaction together.
const (
	queryBegin     = "BEGIN IMMEDIATE"
	queryCommit    = "COMMIT"
	queryRollback  = "ROLLBACK"
	querySavepoint = "SAVEPOINT one"
	queryRelease   = "RELEASE one"
	queryUndo      = "ROLLBACK TO one"
)

func controlQueries() []string {
	return []string{queryBegin, queryCommit, queryRollback, querySavepoint, queryRelease, queryUndo}
}

// writer is group commit: one goroutine that owns the session and runs the updates of many callers in one transaction.
//
// When an update fails before it wrote anything, there is nothing to undo and the group goes on. When it fails after it
// wrote (rare: what callers expect to fail, fails on a read or on a write that changes no row), the whole group is
// rolled back and run again with a savepoint around each update, and only the failing ones are undone. A savepoint for
// every update of every group would make SQLite copy each page that it touches.
//
// When the disk fails, or the commit, nobody is told that anything is stored.
type writer struct {
	session  *session
	log      *slog.Logger
	now      func() time.Time // measures how long a group gathers
	requests chan *request
	closing  chan struct{} // closed: no new requests
	stopped  chan struct{} // closed: the goroutine has ended
	once     sync.Once
	closeErr error
	group    []*request // reused
}

// request is one update that waits for its turn.
type request struct {
	fn    func(gateway.Tx) error
	turn  atomic.Int32 // who got it first: the writer or its caller, who no longer waits
	done  chan error   // takes one answer
	err   error        // of fn in the present run
	saved []*int64     // versions that the run raised
}

const (
	turnOpen int32 = iota
	turnTaken
	turnGivenUp
)

func openWriter(path string, log *slog.Logger, now func() time.Time) (*writer, error) {
	s, err := openSession(path, append(controlQueries(), txQueries()...))
	if err != nil {
		return nil, err
	}
	w := &writer{
		session: s, log: log, now: now,
		requests: make(chan *request, maxGroup),
		closing:  make(chan struct{}), stopped: make(chan struct{}),
	}
	go w.run()
	return w, nil
}

func (w *writer) isClosed() bool {
	select {
	case <-w.closing:
		return true
	default:
		return false
	}
}

// update hands fn in and waits for its answer.
func (w *writer) update(ctx context.Context, fn func(gateway.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.isClosed() {
		return ErrClosed
	}
	r := &request{fn: fn, done: make(chan error, 1)}
	select {
	case w.requests <- r:
	case <-ctx.Done():
		return ctx.Err()
	case <-w.closing:
		return ErrClosed
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		if r.turn.CompareAndSwap(turnOpen, turnGivenUp) {
			return ctx.Err()
		}
	case <-w.stopped: // the request came in when the goroutine was past its last look
		if r.turn.CompareAndSwap(turnOpen, turnGivenUp) {
			return ErrClosed
		}
	}
	return <-r.done
}

// close lets the goroutine finish what was handed in, then writes the log back and closes the connection.
func (w *writer) close() error {
	w.once.Do(func() {
		close(w.closing)
		<-w.stopped
		if err := w.session.control(queryCheckpoint); err != nil {
			w.closeErr = fmt.Errorf("journal: checkpoint: %w", err)
		}
		if err := w.session.close(); err != nil {
			w.closeErr = errors.Join(w.closeErr, fmt.Errorf("journal: close: %w", err))
		}
	})
	<-w.stopped
	return w.closeErr
}

// queryCheckpoint writes the log back into the database file and empties it.
const queryCheckpoint = "PRAGMA wal_checkpoint(TRUNCATE)"

// run serves requests until close. An update that ends the goroutine it runs on (runtime.Goexit, which is what a test's
// FailNow does) fails with its whole group, and another goroutine takes over.
func (w *writer) run() {
	served := false
	defer func() {
		if served {
			close(w.stopped)
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

// take returns a request that waits, nil when there is none.
func (w *writer) take() *request {
	select {
	case r := <-w.requests:
		return r
	default:
		return nil
	}
}

// next returns one more request for a group, nil when none waits or the group is full. Callers that the last commit
// has just answered get one chance to hand in their next update.
func (w *writer) next(began time.Time) *request {
	if len(w.group) >= maxGroup || w.now().Sub(began) > maxGathering {
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

// together runs a group without savepoints. errDirty: all is rolled back, run it apart.
func (w *writer) together(first *request) error {
	began := w.now()
	w.session.broken = nil
	if err := w.session.control(queryBegin); err != nil {
		w.refuse(first)
		return err
	}
	for r := first; r != nil; r = w.next(began) {
		if !r.turn.CompareAndSwap(turnOpen, turnTaken) {
			continue
		}
		w.group = append(w.group, r)
		w.session.writes = 0
		r.run(w)
		if err := w.session.broken; err != nil {
			return w.rollback(err)
		}
		if r.err != nil && w.session.writes > 0 {
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

// apart runs the group again with a savepoint around each update.
func (w *writer) apart() error {
	w.session.broken = nil
	if err := w.session.control(queryBegin); err != nil {
		return err
	}
	for _, r := range w.group {
		if err := w.guard(r); err != nil {
			return w.rollback(err)
		}
	}
	return w.finish()
}

// guard runs one update in a savepoint and undoes it when it fails. An error means that the transaction is lost.
func (w *writer) guard(r *request) error {
	if err := w.session.control(querySavepoint); err != nil {
		return err
	}
	r.run(w)
	if err := w.session.broken; err != nil {
		return err
	}
	if r.err != nil {
		r.forget()
		if err := w.session.control(queryUndo); err != nil {
			return err
		}
	}
	return w.session.control(queryRelease)
}

func (w *writer) finish() error {
	if err := w.session.control(queryCommit); err != nil {
		return w.rollback(fmt.Errorf("commit: %w", err))
	}
	return nil
}

// rollback undoes the transaction and returns cause. SQLite has undone it by itself after some failures; then there is
// nothing to roll back, and its complaint says nothing.
func (w *writer) rollback(cause error) error {
	for _, r := range w.group {
		r.forget()
	}
	if err := w.session.control(queryRollback); err != nil {
		w.log.Debug("journal: rollback after a failure", "cause", cause, "error", err)
	}
	return cause
}

// run calls fn and keeps its error. A panic becomes an error; its stack goes to the log.
func (r *request) run(w *writer) {
	t := &tx{session: w.session, request: r}
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

// forget takes back what the run changed in the caller's memory: it may run again.
func (r *request) forget() {
	for _, version := range r.saved {
		*version--
	}
	r.saved = r.saved[:0]
}
