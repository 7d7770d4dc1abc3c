package queue

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"

	"github.com/brevdue/brevdue/gateway"
)

// seats share a channel's letters in flight between the priorities, so that none starves another: bulk has at most three
// quarters of them, bulk and normal together at most seven eighths, and the rest is kept for urgent. Whoever waits for a
// seat gets it in the order of asking, so bulk moves on under any load of normal letters.
type seats struct {
	all, calm, bulk *semaphore.Weighted
}

// newSeats divides n seats. With fewer than four there is nothing to divide.
func newSeats(n int) *seats {
	calm, bulk := n-n/8, n-n/4
	if n >= 4 && calm == n {
		calm = n - 1
	}
	return &seats{
		all: semaphore.NewWeighted(int64(n)), calm: semaphore.NewWeighted(int64(calm)), bulk: semaphore.NewWeighted(int64(bulk)),
	}
}

// take waits for a seat and returns how to leave it. The narrow gate comes first, so that nobody holds a seat of the wide
// one while waiting.
func (s *seats) take(ctx context.Context, p gateway.Priority) (leave func(), err error) {
	var gates []*semaphore.Weighted
	switch p {
	case gateway.Bulk:
		gates = []*semaphore.Weighted{s.bulk, s.calm, s.all}
	case gateway.Urgent:
		gates = []*semaphore.Weighted{s.all}
	case gateway.Normal:
		gates = []*semaphore.Weighted{s.calm, s.all}
	default:
		gates = []*semaphore.Weighted{s.calm, s.all}
	}
	for n, g := range gates {
		if err := g.Acquire(ctx, 1); err != nil {
			release(gates[:n])
			return nil, fmt.Errorf("wait for a seat: %w", err)
		}
	}
	return func() { release(gates) }, nil
}

func release(gates []*semaphore.Weighted) {
	for _, g := range gates {
		g.Release(1)
	}
}
