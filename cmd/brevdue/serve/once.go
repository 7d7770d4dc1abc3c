package serve

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/brevdue/brevdue/gateway/access"
)

// once remembers in the queue's Redis which sessions were ended and which forms were sent, for every process of the console.
// What it keeps are hashes of random ids.
type once struct {
	redis redis.UniversalClient
	now   func() time.Time
}

var _ access.Once = (*once)(nil)

func newOnce(opt asynq.RedisConnOpt, now func() time.Time) (*once, error) {
	client, ok := opt.MakeRedisClient().(redis.UniversalClient)
	if !ok {
		return nil, errors.New("the queue has no Redis")
	}
	return &once{client, now}, nil
}

// Mark is access.Once.
func (o *once) Mark(ctx context.Context, id string, until time.Time) (bool, error) {
	left := until.Sub(o.now())
	if left <= 0 {
		return true, nil // what it is about is over
	}
	err := o.redis.SetArgs(ctx, o.key(id), 1, redis.SetArgs{Mode: "NX", TTL: max(left, time.Second)}).Err()
	if errors.Is(err, redis.Nil) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("redis: %w", err)
	}
	return true, nil
}

// Marked is access.Once.
func (o *once) Marked(ctx context.Context, id string) (bool, error) {
	n, err := o.redis.Exists(ctx, o.key(id)).Result()
	if err != nil {
		return false, fmt.Errorf("redis: %w", err)
	}
	return n > 0, nil
}

func (*once) key(id string) string { return "brevdue:access:" + id }

// Close closes the connections.
func (o *once) Close() error {
	if err := o.redis.Close(); err != nil {
		return fmt.Errorf("sessions: %w", err)
	}
	return nil
}
