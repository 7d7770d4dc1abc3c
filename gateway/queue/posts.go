package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"

	"github.com/brevdue/brevdue/gateway"
)

// PostQueue is the asynq queue of inbound post. No channel has that name.
const PostQueue = "inbound"

// TaskPost is the asynq task type of "bring this post to its target".
const TaskPost = "post:deliver"

// PostWorkers says how inbound post is worked off.
type PostWorkers struct {
	Deliverer   Deliverer
	Concurrency int           // posts on their way at a time; default 20
	Shutdown    time.Duration // for posts on their way when the process stops; default 30 seconds
}

// EnqueuePost hands a task over in the background; when Redis is too slow for that, the caller waits.
func (q *Queue) EnqueuePost(ctx context.Context, p gateway.DuePost) error {
	select {
	case q.feed <- errand{post: p}:
		return nil
	default:
		return ignoreConflict(q.putPost(ctx, p, p.ID))
	}
}

func (q *Queue) putPost(ctx context.Context, p gateway.DuePost, id string) error {
	opts := []asynq.Option{
		asynq.TaskID(id), asynq.Queue(PostQueue), asynq.MaxRetry(maxRetry), asynq.Timeout(taskTimeout),
	}
	if p.DueAt.After(q.now()) {
		opts = append(opts, asynq.ProcessAt(wholeSecondAfter(p.DueAt)))
	}
	if _, err := q.client.EnqueueContext(ctx, asynq.NewTask(TaskPost, []byte(p.ID)), opts...); err != nil {
		return fmt.Errorf("enqueue post %s: %w", id, err)
	}
	return nil
}

// EnsurePost makes certain that the queue holds a live task for a post that is due: where one is in the way and would not
// run soon by itself, it is set aside or brought forward.
func (q *Queue) EnsurePost(ctx context.Context, p gateway.DuePost) error {
	p.DueAt = time.Time{}
	return q.ensure(ctx, PostQueue, p.ID, func(ctx context.Context, id string) error { return q.putPost(ctx, p, id) })
}

// ensure puts a task that is due now.
func (q *Queue) ensure(ctx context.Context, queue, id string, put func(ctx context.Context, id string) error) error {
	err := put(ctx, id)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	info, err := q.inspector.GetTaskInfo(queue, id)
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound):
		return ignoreConflict(put(ctx, id)) // it ended in between
	case err != nil:
		return fmt.Errorf("look at task %s: %w", id, err)
	}
	switch info.State {
	case asynq.TaskStateArchived, asynq.TaskStateCompleted:
		if err := q.inspector.DeleteTask(queue, id); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
			return fmt.Errorf("set task %s aside: %w", id, err)
		}
		return ignoreConflict(put(ctx, id))
	case asynq.TaskStateActive:
		// Its worker may be dead; the journal gives a lease to one worker only, so a second task does no harm.
		return ignoreConflict(put(ctx, fmt.Sprintf("%s.%d", id, q.now().Unix()/30)))
	case asynq.TaskStateRetry, asynq.TaskStateScheduled:
		if err := q.inspector.RunTask(queue, id); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
			return fmt.Errorf("bring task %s forward: %w", id, err)
		}
		return nil
	case asynq.TaskStatePending, asynq.TaskStateAggregating:
		return nil
	default:
		return nil
	}
}

// RunPosts works off the queue of inbound post until ctx ends, then lets what is on its way finish.
func (q *Queue) RunPosts(ctx context.Context, w PostWorkers) error {
	if w.Concurrency <= 0 {
		w.Concurrency = 20
	}
	if w.Shutdown <= 0 {
		w.Shutdown = 30 * time.Second
	}
	s := asynq.NewServerFromRedisClient(q.redis, q.serverConfig(PostQueue, w.Concurrency, w.Shutdown))
	mux := asynq.NewServeMux()
	mux.HandleFunc(TaskPost, func(ctx context.Context, t *asynq.Task) error {
		// A post on its way is not torn up because Redis hiccups and the lease of its task lapses.
		return w.Deliverer.Deliver(context.WithoutCancel(ctx), string(t.Payload()))
	})
	if err := s.Start(mux); err != nil {
		return fmt.Errorf("start workers of %s: %w", PostQueue, err)
	}
	<-ctx.Done()
	s.Stop()
	s.Shutdown()
	return nil
}
