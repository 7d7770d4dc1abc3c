package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// The acceptance of "nothing is lost and nothing is sent twice": so many intents, so many kills.
const (
	intents      = 2000
	intentsShort = 200
	kills        = 5
)

// TestKilled posts intents while serve is killed again and again, and checks that every letter is delivered once.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		flush bool
	}{{"SIGKILL", false}, {"SIGKILL and a flushed Redis", true}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ctx, w := setup(t, 5*time.Minute, harness.Options{DigitalPost: map[string]any{"unknown_wait": "10s"}})
			k := &killing{w: w, dice: dice(t), count: intents}
			if testing.Short() {
				k.count = intentsShort
			}
			posting := make(chan error, 1)
			go func() { posting <- k.postAll(ctx) }()
			k.kill(ctx, t, tc.flush)
			if err := <-posting; err != nil {
				t.Fatal(err)
			}
			k.await(ctx, t)
			k.judge(ctx, t)
		})
	}
}

// dice are repeatable: BREVDUE_E2E_SEED throws them again.
func dice(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	if given := os.Getenv("BREVDUE_E2E_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("BREVDUE_E2E_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, seed))
}

// killing is a run of the test.
type killing struct {
	w     *harness.World
	dice  *rand.Rand
	count int

	posted atomic.Int64
	mu     sync.Mutex
	ids    map[string]string // of intents, by reference
	again  int               // answers that told of an earlier post
}

// postAll posts every intent from several clients, each as often as it takes.
func (k *killing) postAll(ctx context.Context) error {
	const clients = 16
	k.ids = make(map[string]string, k.count)
	errs := make(chan error, clients)
	for c := range clients {
		go func() {
			for n := c; n < k.count; n += clients {
				if err := k.post(ctx, fmt.Sprintf("sag-%d", n)); err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	var first error
	for range clients {
		if err := <-errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// post posts until there is an answer. No answer means nothing: the intent may have been stored or not.
func (k *killing) post(ctx context.Context, reference string) error {
	in := harness.Letter(reference, "2512489996")
	return harness.Poll(ctx, 50*time.Millisecond, func() (bool, error) {
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		answer, err := k.w.Gateway.Client.PostIntent(attempt, in)
		if err != nil {
			return false, fatal(err)
		}
		k.mu.Lock()
		k.ids[reference] = answer.ID
		if answer.Existing {
			k.again++
		}
		k.mu.Unlock()
		k.posted.Add(1)
		return true, nil
	})
}

// fatal keeps the errors that a client should not try again.
func fatal(err error) error {
	var p *httpapi.Problem
	if errors.As(err, &p) && p.Status < 500 {
		return err
	}
	return nil
}

// kill kills and restarts serve at random points of the way, which is from the first intent posted to the last letter at the
// far end. With flush, Redis is emptied about halfway under the gateway that runs then.
func (k *killing) kill(ctx context.Context, t *testing.T, flush bool) {
	t.Helper()
	way := 2 * k.count
	var points []int
	for range kills {
		points = append(points, way/50+k.dice.IntN(way*9/10))
	}
	flushAt := -1
	if flush {
		flushAt = way*2/5 + k.dice.IntN(way/5)
		points = append(points, flushAt)
	}
	slices.Sort(points)
	for _, point := range points {
		k.reach(ctx, t, point)
		harness.Pause(ctx, time.Duration(k.dice.IntN(50))*time.Millisecond)
		if point == flushAt {
			flushAt = -1
			if err := k.w.Redis.FlushAll(ctx); err != nil {
				t.Fatal(err)
			}
			t.Logf("flushed Redis with %d of %d posted", k.posted.Load(), k.count)
			continue
		}
		k.w.Gateway.Kill()
		t.Logf("killed with %d of %d posted", k.posted.Load(), k.count)
		if err := k.w.Restart(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// reach waits until the posts and the letters at the far end together are so many. A gateway that has just come back has to
// wait for the attempts of its dead predecessor, so it may stand still for a while.
func (k *killing) reach(ctx context.Context, t *testing.T, point int) {
	t.Helper()
	err := harness.Poll(ctx, 10*time.Millisecond, func() (bool, error) {
		stats, err := k.w.Sim.Stats(ctx)
		return int(k.posted.Load()+stats.Letters) >= point, err
	})
	if err != nil {
		t.Fatalf("waiting for %d: %v; %d were posted", point, err, k.posted.Load())
	}
}

// await waits until every intent has been delivered.
func (k *killing) await(ctx context.Context, t *testing.T) {
	t.Helper()
	began := time.Now()
	delivered, cursor := map[string]bool{}, int64(0)
	err := harness.Poll(ctx, 100*time.Millisecond, func() (bool, error) {
		page, err := k.w.Gateway.Client.Events(ctx, cursor, 500)
		if err != nil {
			return false, err
		}
		for _, e := range page.Events {
			if e.IntentStatus == "delivered" {
				delivered[e.Intent] = true
			}
		}
		cursor = page.Next
		return len(delivered) >= k.count, nil
	})
	if err != nil {
		t.Errorf("%d of %d were delivered: %v", len(delivered), k.count, err)
	}
	t.Logf("the last was delivered %.0f s after the last start", time.Since(began).Seconds())
}

// judge compares what the gateway, the clients and the far end know.
func (k *killing) judge(ctx context.Context, t *testing.T) {
	t.Helper()
	all, err := k.w.Gateway.Intents(ctx)
	if err != nil {
		t.Fatal(err)
	}
	uuids, attempts := map[string]string{}, 0
	for _, i := range all {
		uuids[i.Messages[0].ID] = i.Messages[0].MessageUUID
		attempts += i.Messages[0].Attempts
		if i.Status != "delivered" || len(i.Messages) != 1 || k.ids[i.Reference] != i.ID {
			t.Errorf("%s is %s with %d messages, and the client was told %q", i.ID, i.Status, len(i.Messages), k.ids[i.Reference])
		}
	}
	if len(all) != k.count || len(k.ids) != k.count {
		t.Errorf("%d intents stored, %d answered, want %d", len(all), len(k.ids), k.count)
	}
	k.judgeFarEnd(ctx, t, uuids)
	t.Logf("%d attempts for %d letters; %d posts were told that they had been here before", attempts, k.count, k.again)
}

func (k *killing) judgeFarEnd(ctx context.Context, t *testing.T, uuids map[string]string) {
	t.Helper()
	stats, err := k.w.Sim.Stats(ctx)
	if err != nil {
		t.Fatal(err)
	}
	letters, err := k.w.Sim.Messages(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if stats.TwoIdentities != 0 || stats.Letters != int64(k.count) || len(letters) != k.count {
		t.Errorf("the far end has %d letters (%d remembered), %d with two identities; want %d and none",
			stats.Letters, len(letters), stats.TwoIdentities, k.count)
	}
	seen := map[string]bool{}
	for _, m := range letters {
		if uuids[m.MessageID] != m.MessageUUID || seen[m.MessageID] {
			t.Errorf("message %s arrived as %s, the gateway knows it as %s (seen before: %t)",
				m.MessageID, m.MessageUUID, uuids[m.MessageID], seen[m.MessageID])
		}
		if len(m.TransactionIDs) != 1 {
			t.Errorf("message %s arrived under %d x-TransaktionsId, want one", m.MessageID, len(m.TransactionIDs))
		}
		seen[m.MessageID] = true
	}
	t.Logf("%d calls brought a letter that had been accepted before", stats.Duplicates)
}
