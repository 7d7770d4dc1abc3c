package journal_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
	"github.com/brevdue/brevdue/gateway/journal/pgtest"
)

// TestPostgresKill is TestKill on PostgreSQL: the writing process is killed at random moments.
func TestPostgresKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	url := database(t)
	acknowledged := map[int]bool{}
	for round := range 4 {
		for _, n := range killAfter(t, url, round*1_000_000, 50+rand.IntN(400)) {
			acknowledged[n] = true
		}
		check(t, url, acknowledged)
	}
}

// TestPostgresServerKilled kills the server, again and again, while journals write that stay open all the time. What was
// acknowledged is there, whole; what failed says that the journal is not available; and after the server is back, the same
// journals go on.
func TestPostgresServerKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts servers")
	}
	server := pgtest.New(t)
	url, err := server.Database(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	one := openPostgres(t, url, journal.Options{Migrate: true})
	journals := []*journal.Journal{one, openPostgres(t, url, journal.Options{})}

	var mu sync.Mutex
	acknowledged := map[int]bool{}
	var next, stored, refused atomic.Int64
	stop := make(chan struct{})
	var group sync.WaitGroup
	for c := range 16 {
		j := journals[c%len(journals)]
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				n := int(next.Add(1))
				switch err := writeOne(j, n); {
				case err == nil:
					mu.Lock()
					acknowledged[n] = true
					mu.Unlock()
					stored.Add(1)
				case errors.Is(err, gateway.ErrUnavailable):
					refused.Add(1)
				default:
					t.Errorf("update %d: %v", n, err)
				}
			}
		})
	}
	for round := range 3 {
		until(t, &stored, 200+rand.Int64N(400))
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		until(t, &refused, 1)
		if err := one.Ping(t.Context()); !errors.Is(err, gateway.ErrUnavailable) {
			t.Errorf("without a server, Ping gave %v", err)
		}
		if _, err := one.Intent(t.Context(), "int_1"); !errors.Is(err, gateway.ErrUnavailable) {
			t.Errorf("without a server, a question gave %v", err)
		}
		if err := server.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		t.Logf("round %d: %d stored, %d refused", round, stored.Load(), refused.Load())
	}
	until(t, &stored, 100)
	close(stop)
	group.Wait()
	check(t, url, acknowledged)
}

// until waits for a counter to grow by so much.
func until(t *testing.T, counter *atomic.Int64, by int64) {
	t.Helper()
	began, goal := time.Now(), counter.Load()+by
	for counter.Load() < goal { // the writers count and tell nobody
		if time.Since(began) > time.Minute {
			t.Fatalf("the writers have not got from %d to %d", goal-by, goal)
		}
		runtime.Gosched()
		time.Sleep(time.Millisecond) //nolint:forbidigo // as above
	}
}

// writeOne stores intent n with a message and an event.
func writeOne(j gateway.Journal, n int) error {
	i, m := journaltest.Sample(n)
	return j.Update(context.Background(), func(tx gateway.Tx) error {
		if err := insert(i, m)(tx); err != nil {
			return err
		}
		return tx.InsertEvent(&gateway.Event{At: i.CreatedAt, IntentID: i.ID, MessageID: m.ID})
	})
}

// TestPostgresCommitUnanswered cuts the connections while updates commit: one that is told of as stored is there, and one
// that is told of as failed is not, so that who repeats it does not find it half done.
func TestPostgresCommitUnanswered(t *testing.T) {
	t.Parallel()
	url := database(t)
	j := openPostgres(t, url, journal.Options{})
	stop := make(chan struct{})
	var cutter sync.WaitGroup
	cutter.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond):
				_ = execOn(context.Background(), url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
					WHERE datname = current_database() AND application_name = 'brevdue' AND pid <> pg_backend_pid()
						AND state <> 'idle' ORDER BY random() LIMIT 1`) // there may be none
			}
		}
	})
	const callers, each = 8, 60
	var stored [callers * each]bool
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for k := range each {
				n := c*each + k
				err := writeOne(j, n)
				stored[n] = err == nil
				if err != nil && !errors.Is(err, gateway.ErrUnavailable) {
					t.Errorf("update %d: %v", n, err)
				}
			}
		})
	}
	group.Wait()
	close(stop)
	cutter.Wait()
	failed := 0
	for n := range stored {
		i, _ := journaltest.Sample(n)
		_, err := j.IntentView(t.Context(), "", i.ID)
		if stored[n] != (err == nil) {
			t.Errorf("update %d, told of as stored %v: %v", n, stored[n], err)
		}
		if !stored[n] {
			failed++
		}
	}
	t.Logf("%d of %d updates failed", failed, len(stored))
}
