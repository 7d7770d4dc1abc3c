package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

// emptyTasks is how many tasks that do nothing asynq works off a second: one server, 64 at once, the queue filled
// beforehand. It is the ceiling that the engine sets.
func emptyTasks(ctx context.Context, address string, tasks int) (float64, error) {
	const queue, enqueuers = "empty", 10
	redis := asynq.RedisClientOpt{Addr: address}
	client := asynq.NewClient(redis)
	defer func() { _ = client.Close() }()
	errs := make([]error, enqueuers)
	var filling sync.WaitGroup
	for n := range enqueuers {
		filling.Go(func() {
			for range tasks / enqueuers {
				_, err := client.EnqueueContext(ctx, asynq.NewTask("empty", []byte("msg_01JDPZ5X9V1N6K8T4Q2W3E7R5Y")), asynq.Queue(queue))
				if err != nil {
					errs[n] = err
					return
				}
			}
		})
	}
	filling.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, fmt.Errorf("fill asynq's queue: %w", err)
	}
	total := int64(tasks / enqueuers * enqueuers)
	var worked atomic.Int64
	done := make(chan struct{})
	server := asynq.NewServer(redis, asynq.Config{Concurrency: 64, Queues: map[string]int{queue: 1}, LogLevel: asynq.FatalLevel})
	began := time.Now()
	err := server.Start(asynq.HandlerFunc(func(context.Context, *asynq.Task) error {
		if worked.Add(1) == total {
			close(done)
		}
		return nil
	}))
	if err != nil {
		return 0, fmt.Errorf("start asynq: %w", err)
	}
	defer server.Shutdown()
	select {
	case <-done:
		return float64(total) / time.Since(began).Seconds(), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
