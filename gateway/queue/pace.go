package queue

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"golang.org/x/time/rate"
)

// Pacer returns a function that waits until a channel's rate allows one more letter, counted over all processes that share
// this Redis. While Redis does not answer, each process keeps the whole rate by itself: too fast by the number of
// processes, but never without a limit, and never standing still.
func (q *Queue) Pacer(channel string, perSecond float64) func(ctx context.Context) error {
	limit := limitOf(perSecond, max(1, int(perSecond/10)))
	limiter, alone := redis_rate.NewLimiter(q.redis), rate.NewLimiter(rate.Limit(perSecond), limit.Burst)
	return func(ctx context.Context) error {
		for {
			r, err := limiter.Allow(ctx, "brevdue:rate:"+channel, limit)
			switch {
			case err != nil && ctx.Err() != nil:
				return ctx.Err()
			case err != nil:
				return alone.Wait(ctx)
			case r.Allowed > 0:
				return nil
			}
			timer := time.NewTimer(r.RetryAfter)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			}
		}
	}
}

// limitOf writes a rate as redis_rate does, which counts whole ones in a period: 0.5/s is one in two seconds.
func limitOf(perSecond float64, burst int) redis_rate.Limit {
	limit := redis_rate.Limit{Rate: int(math.Ceil(perSecond)), Burst: burst}
	limit.Period = time.Duration(float64(limit.Rate) / perSecond * float64(time.Second))
	return limit
}

const (
	// askWithin is how long a request may wait for Redis to say whether it is within its rate.
	askWithin = 250 * time.Millisecond
	// askAgain is how long Redis is not asked after it did not answer.
	askAgain = 5 * time.Second
)

// Limiter returns a function that says at once whether one more of something may happen, and if not, after how long. A
// second's worth may come at once. It is counted over all processes that share this Redis; while Redis does not answer, by
// each process alone.
func (q *Queue) Limiter(name string, perSecond float64) func(ctx context.Context) (wait time.Duration, ok bool) {
	limit := limitOf(perSecond, max(1, int(perSecond)))
	limiter, alone := redis_rate.NewLimiter(q.redis), rate.NewLimiter(rate.Limit(perSecond), limit.Burst)
	var away atomic.Int64 // until when Redis is not asked, in milliseconds since 1970
	return func(ctx context.Context) (time.Duration, bool) {
		now := q.now()
		if now.UnixMilli() >= away.Load() {
			asking, cancel := context.WithTimeout(ctx, askWithin)
			r, err := limiter.Allow(asking, "brevdue:rate:"+name, limit)
			cancel()
			if err == nil {
				return r.RetryAfter, r.Allowed > 0
			}
			if ctx.Err() == nil {
				away.Store(now.Add(askAgain).UnixMilli())
			}
		}
		if alone.AllowN(now, 1) {
			return 0, true
		}
		return time.Duration(float64(time.Second) / perSecond), false
	}
}
