package queue_test

import (
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/queue"
	"github.com/brevdue/brevdue/gateway/queue/redistest"
)

// TestLimiterIsShared lets two processes share one rate, and each keep it by itself when Redis is gone.
func TestLimiterIsShared(t *testing.T) {
	t.Parallel()
	s, err := redistest.Start(t.Context(), t.TempDir(), redistest.Login{})
	s = needed(t, s, err)
	var limits [2]func() (time.Duration, bool)
	for n := range limits {
		q, err := queue.Open(t.Context(), queue.Config{URL: "redis://" + s.Address, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = q.Close() })
		limit := q.Limiter("producer:fagsystem", 0.1)
		limits[n] = func() (time.Duration, bool) { return limit(t.Context()) }
	}
	if _, ok := limits[0](); !ok {
		t.Error("the first request was refused")
	}
	for n, limit := range limits {
		if wait, ok := limit(); ok || wait <= 5*time.Second || wait > 10*time.Second {
			t.Errorf("process %d: %s, %t, want a refusal for about ten seconds", n, wait, ok)
		}
	}
	s.Kill()
	for n, limit := range limits {
		if _, ok := limit(); !ok {
			t.Errorf("process %d refuses because Redis is away", n)
		}
		began := time.Now()
		if _, ok := limit(); ok || time.Since(began) > 100*time.Millisecond {
			t.Errorf("process %d, alone: %t after %s", n, ok, time.Since(began))
		}
	}
}
