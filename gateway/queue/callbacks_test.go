package queue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/queue"
)

// deliverer lets a dispatcher of the tests look at lanes.
type deliverer struct{ *dispatcher }

func (d deliverer) Deliver(ctx context.Context, lane string) error { return d.Dispatch(ctx, lane) }

// runCallbacks works off the lanes until the test ends.
func runCallbacks(t *testing.T, q *queue.Queue, d *dispatcher) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- q.RunCallbacks(ctx, queue.CallbackWorkers{Deliverer: deliverer{d}, Concurrency: 8}) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestALaneIsLookedAtWhenItIsDue(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, url string) {
		q, d := open(t, url), newDispatcher(done)
		runCallbacks(t, q, d)
		due := time.Now().Add(1200 * time.Millisecond)
		for lane, at := range map[string]time.Time{"msg_now": {}, "msg_later": due} {
			if err := q.EnqueueCallback(t.Context(), gateway.DueCallback{Lane: lane, Producer: "x", DueAt: at}); err != nil {
				t.Fatal(err)
			}
		}
		if c := d.next(t); c.id != "msg_now" {
			t.Fatal(c.id)
		}
		if c := d.next(t); c.id != "msg_later" || c.at.Before(due) {
			t.Fatalf("%s, %s early", c.id, due.Sub(c.at))
		}
	})
}

// TestWhatHappensWhileALaneIsLookedAt is not left lying: a second look follows, and comes back when it is told to.
func TestWhatHappensWhileALaneIsLookedAt(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, url string) {
		q := open(t, url)
		first := make(chan struct{})
		d := newDispatcher(func(_ string, n int) error {
			switch n {
			case 1:
				<-first
				return nil
			case 2:
				close(first)
				return &gateway.Later{At: time.Now().Add(100 * time.Millisecond), Counted: true}
			default:
				return nil
			}
		})
		runCallbacks(t, q, d)
		lane := gateway.DueCallback{Lane: "msg_1"}
		if err := q.EnqueueCallback(t.Context(), lane); err != nil {
			t.Fatal(err)
		}
		d.next(t)
		for range 3 {
			if err := q.EnqueueCallback(t.Context(), lane); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			d.next(t)
		}
	})
}

// TestEnsureCallbackBringsALaneForward from each state that its task may be in.
func TestEnsureCallbackBringsALaneForward(t *testing.T) {
	t.Parallel()
	backends(t, func(t *testing.T, url string) {
		q := open(t, url)
		inspector := asynq.NewInspector(q.RedisConnOpt())
		defer func() { _ = inspector.Close() }()
		client := asynq.NewClient(q.RedisConnOpt())
		defer func() { _ = client.Close() }()
		for id, opt := range map[string]asynq.Option{
			"msg_pending": asynq.MaxRetry(5), "msg_scheduled": asynq.ProcessIn(time.Hour), "msg_archived": asynq.MaxRetry(5),
		} {
			task := asynq.NewTask(queue.TaskCallback, []byte(id))
			if _, err := client.EnqueueContext(t.Context(), task, asynq.TaskID(id), asynq.Queue(queue.CallbackQueue), opt); err != nil {
				t.Fatal(err)
			}
		}
		if err := inspector.ArchiveTask(queue.CallbackQueue, "msg_archived"); err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{"msg_pending", "msg_scheduled", "msg_archived", "msg_new"} {
			if err := q.EnsureCallback(t.Context(), gateway.DueCallback{Lane: id, DueAt: time.Now().Add(time.Hour)}); err != nil {
				t.Fatalf("%s: %v", id, err)
			}
		}
		info, err := inspector.GetTaskInfo(queue.CallbackQueue, "msg_new")
		if err != nil || string(info.Payload) != "msg_new" {
			t.Fatalf("%q, %v", info.Payload, err)
		}
		d := newDispatcher(done)
		runCallbacks(t, q, d)
		seen := make(map[string]bool)
		for len(seen) < 4 {
			seen[d.next(t).id] = true
		}
	})
}

// TestEnsureCallbackPassesAWorkerThatHangs: the task is active, its worker says nothing more, and the lane is looked at.
func TestEnsureCallbackPassesAWorkerThatHangs(t *testing.T) {
	t.Parallel()
	q := open(t, startRedis(t))
	hang := make(chan struct{})
	d := newDispatcher(func(_ string, n int) error {
		if n == 1 {
			<-hang
		}
		return nil
	})
	runCallbacks(t, q, d)
	t.Cleanup(func() { close(hang) })
	for range 2 {
		if err := q.EnsureCallback(t.Context(), gateway.DueCallback{Lane: "msg_1"}); err != nil {
			t.Fatal(err)
		}
		d.next(t)
	}
}

// TestALaneWhoseJournalFailsComesBack as a failure of its task.
func TestALaneWhoseJournalFailsComesBack(t *testing.T) {
	t.Parallel()
	q := open(t, queue.Embedded)
	d := newDispatcher(func(_ string, n int) error {
		if n == 1 {
			return errors.New("the journal does not answer")
		}
		return nil
	})
	runCallbacks(t, q, d)
	if err := q.EnqueueCallback(t.Context(), gateway.DueCallback{Lane: "msg_1"}); err != nil {
		t.Fatal(err)
	}
	d.next(t)
	d.next(t)
}
