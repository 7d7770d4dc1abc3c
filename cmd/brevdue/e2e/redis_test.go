package e2e

import (
	"context"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/queue/redistest"
)

// lettersPerPart are posted before, during and after a failover.
const lettersPerPart = 30

// redis fails the test, or skips it where Redis is not installed.
func redis(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, redistest.ErrNoRedis) && os.Getenv("CI") != "true" {
		t.Skip("NOT TESTED: redis-server or redis-cli is not installed; this test needs a real one (apt-get install redis-server)")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// queued is a world whose queue is at url.
func queued(t *testing.T, url string) (context.Context, *harness.World) {
	t.Helper()
	return setup(t, 4*time.Minute, harness.Options{Change: func(settings map[string]any) {
		settings["queue"] = map[string]any{"url": url}
	}})
}

// survive posts letters before, while and after fail does its worst, and wants each delivered once.
func survive(ctx context.Context, t *testing.T, w *harness.World, fail, recovered func() error) {
	t.Helper()
	k := &killing{w: w, ids: map[string]string{}}
	post := func(part string) {
		t.Helper()
		for n := range lettersPerPart {
			k.count++
			if err := k.post(ctx, part+strconv.Itoa(n)); err != nil {
				t.Fatal(err)
			}
		}
	}
	post("foer-")
	if err := fail(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	post("under-")
	posted := time.Since(began)
	if err := recovered(); err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	post("efter-")
	k.await(ctx, t)
	k.judge(ctx, t)
	t.Logf("%d letters accepted within %s while Redis was failing; it had recovered after %s, and the last letter was delivered after %s",
		lettersPerPart, posted.Round(time.Millisecond), took.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
}

// TestRedisSentinelFailover kills the primary under a gateway at work.
func TestRedisSentinelFailover(t *testing.T) {
	t.Parallel()
	s, err := redistest.StartSentinel(t.Context(), t.TempDir(), "")
	redis(t, err)
	t.Cleanup(s.Close)
	ctx, w := queued(t, s.URL(""))
	survive(ctx, t, w,
		func() error { s.Primary.Kill(); return nil },
		func() error { return s.Failover(ctx, s.Primary) })
}

// TestRedisClusterNodeComesBackEmpty kills one of three nodes without replicas, the one that has the letters' queue, and
// starts it without what it held.
func TestRedisClusterNodeComesBackEmpty(t *testing.T) {
	t.Parallel()
	c, err := redistest.StartCluster(t.Context(), t.TempDir(), 0, redistest.Login{})
	redis(t, err)
	t.Cleanup(c.Close)
	ctx, w := queued(t, c.URL())
	victim, err := c.Home(ctx, "asynq:{digitalpost}:pending")
	if err != nil {
		t.Fatal(err)
	}
	survive(ctx, t, w,
		func() error { victim.Kill(); return nil },
		func() error { return errors.Join(victim.Forget(), victim.Restart(ctx)) })
}

// TestRedisClusterFailover kills the node that has the letters' queue; its replica takes over.
func TestRedisClusterFailover(t *testing.T) {
	t.Parallel()
	c, err := redistest.StartCluster(t.Context(), t.TempDir(), 1, redistest.Login{})
	redis(t, err)
	t.Cleanup(c.Close)
	ctx, w := queued(t, c.URL())
	const key = "asynq:{digitalpost}:pending"
	victim, err := c.Home(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	survive(ctx, t, w,
		func() error { victim.Kill(); return nil },
		func() error { return c.Failover(ctx, key, victim) })
}
