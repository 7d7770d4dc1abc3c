package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/brevdue/brevdue/gateway"
)

// CallbackQueue is the asynq queue of the lanes of events that producers are to be told. No channel has that name.
const CallbackQueue = "callbacks"

// The asynq task types of "look at this lane". A lane has one task of the first type. While that one is active, a second
// one of the other type may wait: what happens in the lane after the first has seen nothing more is not left lying.
const (
	TaskCallback     = "callback:deliver"
	TaskCallbackWake = "callback:wake"
)

// Deliverer does what is due for a lane of callbacks (*callback.Courier), or for a post (*inbound.Service).
type Deliverer interface {
	Deliver(ctx context.Context, id string) error
}

// CallbackWorkers says how the lanes are worked off.
type CallbackWorkers struct {
	Deliverer   Deliverer
	Concurrency int           // lanes in work; callback.Courier says how many it can use
	Shutdown    time.Duration // for calls under way when the process stops; default 10 seconds
}

var _ gateway.CallbackQueue = (*Queue)(nil)

// EnqueueCallback implements gateway.CallbackQueue. A task holds the id of a message or an intent and nothing else.
func (q *Queue) EnqueueCallback(ctx context.Context, c gateway.DueCallback) error {
	select {
	case q.feed <- errand{callback: c}:
		return nil
	default:
		return q.enqueueCallback(ctx, c)
	}
}

// enqueueCallback enqueues a task, and where the lane has one, a second one if it is due.
func (q *Queue) enqueueCallback(ctx context.Context, c gateway.DueCallback) error {
	err := q.putCallback(ctx, c, TaskCallback, c.Lane)
	if errors.Is(err, asynq.ErrTaskIDConflict) && !c.DueAt.After(q.now()) {
		err = q.putCallback(ctx, c, TaskCallbackWake, c.Lane+".wake")
	}
	return ignoreConflict(err)
}

func (q *Queue) putCallback(ctx context.Context, c gateway.DueCallback, kind, id string) error {
	opts := []asynq.Option{
		asynq.TaskID(id), asynq.Queue(CallbackQueue), asynq.MaxRetry(maxRetry), asynq.Timeout(taskTimeout),
	}
	if c.DueAt.After(q.now()) {
		opts = append(opts, asynq.ProcessAt(wholeSecondAfter(c.DueAt)))
	}
	if _, err := q.client.EnqueueContext(ctx, asynq.NewTask(kind, []byte(c.Lane)), opts...); err != nil {
		return fmt.Errorf("enqueue callback %s: %w", id, err)
	}
	return nil
}

// EnsureCallback implements gateway.CallbackQueue. The lane is due whatever this process's clock says: a task that waits
// for its time is brought forward.
func (q *Queue) EnsureCallback(ctx context.Context, c gateway.DueCallback) error {
	c.DueAt = time.Time{}
	err := q.putCallback(ctx, c, TaskCallback, c.Lane)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	info, err := q.inspector.GetTaskInfo(CallbackQueue, c.Lane)
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound):
		return ignoreConflict(q.putCallback(ctx, c, TaskCallback, c.Lane)) // it ended in between
	case err != nil:
		return fmt.Errorf("look at callback %s: %w", c.Lane, err)
	}
	switch info.State {
	case asynq.TaskStateArchived, asynq.TaskStateCompleted:
		if err := q.inspector.DeleteTask(CallbackQueue, c.Lane); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
			return fmt.Errorf("set callback %s aside: %w", c.Lane, err)
		}
		return ignoreConflict(q.putCallback(ctx, c, TaskCallback, c.Lane))
	case asynq.TaskStateActive:
		// Its worker may be dead; the journal hands a lane to one worker only, so a second task does no harm.
		again := fmt.Sprintf("%s.%d", c.Lane, q.now().Unix()/30)
		return ignoreConflict(q.putCallback(ctx, c, TaskCallbackWake, again))
	case asynq.TaskStateRetry, asynq.TaskStateScheduled:
		if err := q.inspector.RunTask(CallbackQueue, c.Lane); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
			return fmt.Errorf("bring callback %s forward: %w", c.Lane, err)
		}
		return nil
	case asynq.TaskStatePending, asynq.TaskStateAggregating:
		return nil
	default:
		return nil
	}
}

// RunCallbacks works off the queue of lanes until ctx ends, then lets calls under way finish.
func (q *Queue) RunCallbacks(ctx context.Context, w CallbackWorkers) error {
	if w.Shutdown <= 0 {
		w.Shutdown = 10 * time.Second
	}
	s := asynq.NewServerFromRedisClient(q.redis, q.serverConfig(CallbackQueue, w.Concurrency, w.Shutdown))
	mux := asynq.NewServeMux()
	mux.HandleFunc(TaskCallback, func(_ context.Context, t *asynq.Task) error {
		return w.Deliverer.Deliver(ctx, string(t.Payload()))
	})
	mux.HandleFunc(TaskCallbackWake, func(_ context.Context, t *asynq.Task) error {
		return q.wake(ctx, w.Deliverer, string(t.Payload()))
	})
	if err := s.Start(mux); err != nil {
		return fmt.Errorf("start workers of %s: %w", CallbackQueue, err)
	}
	<-ctx.Done()
	s.Stop()
	s.Shutdown()
	return nil
}

// wake is a second look at a lane. Where somebody else has the lane, or it waits for its time, others see to it.
func (q *Queue) wake(ctx context.Context, d Deliverer, lane string) error {
	err := d.Deliver(ctx, lane)
	if later, ok := errors.AsType[*gateway.Later](err); ok && !later.Counted && later.At.After(q.now()) {
		return nil
	}
	return err
}
