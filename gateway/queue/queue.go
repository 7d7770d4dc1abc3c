package queue

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/brevdue/brevdue/gateway"
)

// TaskType is the asynq task type of "look at this message".
const TaskType = "message:dispatch"

const (
	// feeders hand tasks to Redis in the background; backlog is how many may wait for them.
	feeders = 4
	backlog = 8192
	// maxRetry keeps asynq from ending a task: the gateway decides when a message is given up.
	maxRetry = math.MaxInt32 / 2
	// taskTimeout is a last resort. Each channel bounds its own calls.
	taskTimeout = 30 * time.Minute
)

// Config is what a [Queue] is made of.
type Config struct {
	URL    string           // embedded, redis://, redis-sentinel://, redis-cluster://, and the same with rediss
	TLS    *tls.Config      // how TLS is spoken with a rediss URL, which adds its own roots and certificate; nil: 1.2 or newer
	Secret string           // password of the embedded server; any unguessable text
	Now    func() time.Time // required
	Logger *slog.Logger     // nil: none
}

// Queue implements gateway.Queue.
type Queue struct {
	conn      connection
	client    *asynq.Client
	inspector *asynq.Inspector
	redis     redis.UniversalClient
	now       func() time.Time
	log       *slog.Logger

	memory memory
	feed   chan errand
	done   sync.WaitGroup
	closed sync.Once
}

var _ gateway.Queue = (*Queue)(nil)

// Open connects and checks that Redis answers.
func Open(ctx context.Context, cfg Config) (*Queue, error) {
	conn, err := connect(cfg.URL, cfg.Secret, cfg.TLS)
	if err != nil {
		return nil, err
	}
	client, ok := conn.opt.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		conn.stop()
		return nil, fmt.Errorf("%w: no client for it", ErrURL)
	}
	q := &Queue{
		conn: conn, redis: client,
		client: asynq.NewClientFromRedisClient(client), inspector: asynq.NewInspectorFromRedisClient(client),
		now: cfg.Now, log: cfg.Logger, feed: make(chan errand, backlog),
	}
	if q.log == nil {
		q.log = slog.New(slog.DiscardHandler)
	}
	if err := q.Ping(ctx); err != nil {
		_ = client.Close()
		conn.stop()
		return nil, err
	}
	for range feeders {
		q.done.Go(q.feeder)
	}
	return q, nil
}

// Ping reports whether Redis answers.
func (q *Queue) Ping(ctx context.Context) error {
	if err := q.redis.Ping(ctx).Err(); err != nil {
		return fmt.Errorf("the queue does not answer: %w", err)
	}
	return nil
}

// RedisConnOpt is how others (the dashboard) reach the same Redis.
func (q *Queue) RedisConnOpt() asynq.RedisConnOpt { return q.conn.opt }

// Close hands over what still waits and disconnects. Enqueue must not be called during or after it.
func (q *Queue) Close() error {
	var err error
	q.closed.Do(func() {
		close(q.feed)
		q.done.Wait()
		if e := q.redis.Close(); e != nil {
			err = fmt.Errorf("close the queue: %w", e)
		}
		q.conn.stop()
	})
	return err
}

// Enqueue hands a task over in the background, so that accepting an intent does not wait for Redis. When Redis is too
// slow for that, the caller waits; when Redis refuses, the sweep will bring the message back.
func (q *Queue) Enqueue(ctx context.Context, m gateway.DueMessage) error {
	select {
	case q.feed <- errand{message: m}:
		return nil
	default:
		return ignoreConflict(q.enqueue(ctx, m, m.ID))
	}
}

func (q *Queue) feeder() {
	for e := range q.feed {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		if err := q.run(ctx, e); err != nil {
			q.log.Warn("enqueue failed, the sweep will repeat it", "id", cmp.Or(e.message.ID, e.callback.Lane), "error", err)
		}
		cancel()
	}
}

// errand is a task to be handed over: of a message, of a lane of callbacks, or of a post.
type errand struct {
	message  gateway.DueMessage
	callback gateway.DueCallback
	post     gateway.DuePost
}

func (q *Queue) run(ctx context.Context, e errand) error {
	if e.callback.Lane != "" {
		return q.enqueueCallback(ctx, e.callback)
	}
	if e.post.ID != "" {
		return ignoreConflict(q.putPost(ctx, e.post, e.post.ID))
	}
	return ignoreConflict(q.enqueue(ctx, e.message, e.message.ID))
}

func (q *Queue) enqueue(ctx context.Context, m gateway.DueMessage, taskID string) error {
	opts := []asynq.Option{
		asynq.TaskID(taskID), asynq.Queue(Name(m.Channel, m.Priority)), asynq.MaxRetry(maxRetry), asynq.Timeout(taskTimeout),
	}
	if m.DueAt.After(q.now()) {
		opts = append(opts, asynq.ProcessAt(wholeSecondAfter(m.DueAt)))
	}
	if _, err := q.client.EnqueueContext(ctx, asynq.NewTask(TaskType, []byte(m.ID)), opts...); err != nil {
		return fmt.Errorf("enqueue %s: %w", taskID, err)
	}
	return nil
}

// Name is the queue of a channel and priority: the channel's own name for normal, with the priority after a dot for the
// others.
func Name(channel string, p gateway.Priority) string {
	if p == "" || p == gateway.Normal {
		return channel
	}
	return channel + "." + string(p)
}

func ignoreConflict(err error) error {
	if errors.Is(err, asynq.ErrTaskIDConflict) {
		return nil
	}
	return err
}

// wholeSecondAfter rounds up, because asynq rounds down.
func wholeSecondAfter(t time.Time) time.Time { return t.Add(time.Second - 1).Truncate(time.Second) }

// Ensure implements gateway.Queue: it enqueues, and where a task of that id is in the way and would not run soon by
// itself, it sets that task aside.
func (q *Queue) Ensure(ctx context.Context, m gateway.DueMessage) error {
	err := q.enqueue(ctx, m, m.ID)
	if !errors.Is(err, asynq.ErrTaskIDConflict) {
		return err
	}
	name := Name(m.Channel, m.Priority)
	info, err := q.inspector.GetTaskInfo(name, m.ID)
	switch {
	case errors.Is(err, asynq.ErrTaskNotFound) || errors.Is(err, asynq.ErrQueueNotFound):
		return ignoreConflict(q.enqueue(ctx, m, m.ID)) // it ended in between
	case err != nil:
		return fmt.Errorf("look at task %s: %w", m.ID, err)
	}
	switch info.State {
	case asynq.TaskStateArchived, asynq.TaskStateCompleted:
		if err := q.inspector.DeleteTask(name, m.ID); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
			return fmt.Errorf("set task %s aside: %w", m.ID, err)
		}
		return ignoreConflict(q.enqueue(ctx, m, m.ID))
	case asynq.TaskStateActive:
		// Its worker may be dead. A second task does no harm, since the journal hands a message to one worker only;
		// its id changes every half minute, so that a slow letter does not collect many.
		again := fmt.Sprintf("%s.%d", m.ID, q.now().Unix()/30)
		return ignoreConflict(q.enqueue(ctx, m, again))
	case asynq.TaskStateRetry, asynq.TaskStateScheduled:
		if info.NextProcessAt.After(m.DueAt.Add(2 * time.Second)) {
			if err := q.inspector.RunTask(name, m.ID); err != nil && !errors.Is(err, asynq.ErrTaskNotFound) {
				return fmt.Errorf("bring task %s forward: %w", m.ID, err)
			}
		}
		return nil
	case asynq.TaskStatePending, asynq.TaskStateAggregating:
		return nil
	default:
		return nil
	}
}
