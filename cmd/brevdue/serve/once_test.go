package serve

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"
)

// TestOnceIsSharedAndForgets: what one process marks is marked for the other, once, and not for longer than it must be.
func TestOnceIsSharedAndForgets(t *testing.T) {
	t.Parallel()
	redis := miniredis.RunT(t)
	open := func() *once {
		o, err := newOnce(asynq.RedisClientOpt{Addr: redis.Addr()}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = o.Close() })
		return o
	}
	one, two := open(), open()
	until := time.Now().Add(time.Minute)
	if first, err := one.Mark(t.Context(), "a", until); err != nil || !first {
		t.Fatal(first, err)
	}
	if first, err := two.Mark(t.Context(), "a", until); err != nil || first {
		t.Error(first, err)
	}
	for id, want := range map[string]bool{"a": true, "b": false} {
		if marked, err := two.Marked(t.Context(), id); err != nil || marked != want {
			t.Error(id, marked, err)
		}
	}
	redis.FastForward(2 * time.Minute)
	if marked, err := two.Marked(t.Context(), "a"); err != nil || marked {
		t.Error(marked, err)
	}
	if len(redis.Keys()) != 0 {
		t.Error(redis.Keys())
	}
	redis.Close()
	if _, err := one.Marked(t.Context(), "a"); err == nil {
		t.Error("it is said to know what it cannot")
	}
	if _, err := one.Mark(t.Context(), "c", until); err == nil {
		t.Error("it is said to remember what it cannot")
	}
}
