package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/hibiken/asynq"

	"github.com/brevdue/brevdue/gateway"
)

// Dispatcher does what is due for a message. *gateway.Gateway is one.
type Dispatcher interface {
	Dispatch(ctx context.Context, messageID string) error
}

// Workers says how tasks are worked off.
type Workers struct {
	Dispatcher  Dispatcher
	Concurrency map[string]int // letters in flight per channel, over all priorities
	// Shutdown is how long letters in flight may take when the process stops; default 30 seconds. After it their attempts
	// stay open and are found by the sweep.
	Shutdown time.Duration
}

// Run works off the queues of all channels until ctx ends, then lets letters in flight finish.
func (q *Queue) Run(ctx context.Context, w Workers) error {
	if w.Shutdown <= 0 {
		w.Shutdown = 30 * time.Second
	}
	servers := make([]*asynq.Server, 0, len(w.Concurrency))
	defer func() {
		for _, s := range servers {
			s.Stop() // take no more
		}
		for _, s := range servers {
			s.Shutdown()
		}
	}()
	for channel, concurrency := range w.Concurrency {
		seats := newSeats(concurrency)
		for _, p := range gateway.Priorities() {
			name := Name(channel, p)
			q.memory.add(name)
			s := asynq.NewServerFromRedisClient(q.redis, q.serverConfig(name, concurrency, w.Shutdown))
			if err := s.Start(q.handler(ctx, w.Dispatcher, seats, p)); err != nil {
				return fmt.Errorf("start workers of %s: %w", name, err)
			}
			servers = append(servers, s)
		}
	}
	<-ctx.Done()
	return nil
}

// handler takes a seat of the task's priority and dispatches its message. Who still waits for a seat when running ends
// goes back into the queue.
func (q *Queue) handler(running context.Context, d Dispatcher, seats *seats, p gateway.Priority) *asynq.ServeMux {
	mux := asynq.NewServeMux()
	mux.HandleFunc(TaskType, func(ctx context.Context, t *asynq.Task) error {
		leave, err := seats.take(running, p)
		if err != nil {
			return &gateway.Later{At: q.now(), Reason: "shutdown"}
		}
		defer leave()
		// A letter on its way is not torn up because Redis hiccups and the lease of its task lapses.
		return d.Dispatch(context.WithoutCancel(ctx), string(t.Payload()))
	})
	return mux
}

func (q *Queue) serverConfig(name string, concurrency int, shutdown time.Duration) asynq.Config {
	return asynq.Config{
		Concurrency: concurrency,
		Queues:      map[string]int{name: 1},
		// Idle polling is the latency of a lone letter (half to one and a half times this).
		TaskCheckInterval:        50 * time.Millisecond,
		DelayedTaskCheckInterval: time.Second,
		ShutdownTimeout:          shutdown,
		RetryDelayFunc:           q.retryDelay,
		IsFailure:                isFailure,
		Logger:                   logger{q.log},
		LogLevel:                 asynq.WarnLevel,
	}
}

// retryDelay turns the gateway's decision into asynq's terms, rounded up to what asynq will round down. An error that is
// no decision (the journal did not answer) comes back after five seconds.
func (q *Queue) retryDelay(_ int, err error, _ *asynq.Task) time.Duration {
	var later *gateway.Later
	if !errors.As(err, &later) {
		return 5 * time.Second
	}
	return max(wholeSecondAfter(later.At).Sub(q.now()), 0)
}

// isFailure keeps the dashboard's count of failures honest: waiting for a window is none.
func isFailure(err error) bool {
	var later *gateway.Later
	return !errors.As(err, &later) || later.Counted
}

// logger lets asynq speak through slog.
type logger struct{ log *slog.Logger }

func (l logger) Debug(args ...any) { l.log.Debug("asynq", "says", fmt.Sprint(args...)) }
func (l logger) Info(args ...any)  { l.log.Info("asynq", "says", fmt.Sprint(args...)) }
func (l logger) Warn(args ...any)  { l.log.Warn("asynq", "says", fmt.Sprint(args...)) }
func (l logger) Error(args ...any) { l.log.Error("asynq", "says", fmt.Sprint(args...)) }
func (l logger) Fatal(args ...any) { l.log.Error("asynq", "says", fmt.Sprint(args...)) }
