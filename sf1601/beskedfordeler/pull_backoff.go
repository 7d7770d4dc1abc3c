package beskedfordeler

import (
	"context"
	"time"
)

func (b Backoff) orDefault(lowest, highest time.Duration) Backoff {
	if b.Max <= 0 {
		return Backoff{lowest, highest}
	}
	if b.Min <= 0 {
		b.Min = min(lowest, b.Max)
	}
	return b
}

// pause is the pause after attempt, counted from 0: doubled from Min to Max
// and spread over its upper half by jitter, a number in [0,1).
func (b Backoff) pause(attempt int, jitter float64) time.Duration {
	d := b.Max
	if attempt < 32 && b.Min<<attempt > 0 {
		d = min(d, b.Min<<attempt)
	}
	return d/2 + time.Duration(jitter*float64(d)/2)
}

// wait waits for d; false when ctx ended or broken was closed first.
func wait(ctx context.Context, broken <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-broken:
	}
	return false
}
