package queue

import (
	"context"
	"math"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"golang.org/x/time/rate"
)

// Pacer returns a function that waits until a channel's rate allows one more letter, counted over all processes that share
// this Redis. While Redis does not answer, each process keeps the whole rate by itself: too fast by the number of
// processes, but never without a limit, and never standing still.
func (q *Queue) Pacer(channel string, perSecond float64) func(ctx context.Context) error {
	// redis_rate counts whole letters in a period: 0.5/s is one in two seconds.
	limit := redis_rate.Limit{Rate: int(math.Ceil(perSecond)), Period: time.Second, Burst: max(1, int(perSecond/10))}
	limit.Period = time.Duration(float64(limit.Rate) / perSecond * float64(time.Second))
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
