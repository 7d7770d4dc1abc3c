package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/redis/go-redis/v9"
)

// memory knows the queues that this process works off. Each has a marker in Redis, whose absence tells that its tasks are
// lost. A marker has the hash tag of its queue: in a cluster it lives and dies on the node that has the tasks.
type memory struct {
	mu     sync.Mutex
	queues map[string]struct{}
}

// marker is the key of a queue's marker; asynq's own keys of the queue have the same tag.
func marker(queue string) string { return "brevdue:{" + queue + "}:filled" }

func (m *memory) add(queue string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.queues == nil {
		m.queues = make(map[string]struct{})
	}
	m.queues[queue] = struct{}{}
}

func (m *memory) markers() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := []string{marker("journal")} // also where no queue is worked off yet
	for _, queue := range slices.Sorted(maps.Keys(m.queues)) {
		keys = append(keys, marker(queue))
	}
	return keys
}

// Forgot implements gateway.Queue. It also counts an expired or deleted marker as a loss, and a queue that is worked off
// for the first time: filling the queue again is always safe. Where one node of a cluster does not answer, what the others
// have lost is told all the same.
func (q *Queue) Forgot(ctx context.Context) (bool, error) {
	var set []*redis.BoolCmd
	_, err := q.redis.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, key := range q.memory.markers() {
			set = append(set, p.SetNX(ctx, key, "1", 0))
		}
		return nil
	})
	forgot := false
	for _, cmd := range set {
		forgot = forgot || cmd.Err() == nil && cmd.Val()
	}
	if err != nil && !forgot && !errors.Is(err, redis.Nil) {
		return false, fmt.Errorf("the queue does not answer: %w", err)
	}
	return forgot, nil
}
