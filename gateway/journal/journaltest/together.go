package journaltest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Together runs what must hold when several processes work on one journal. open returns journals that stand on one empty
// database, each as another process would open it, and closes them when the test ends.
func Together(t *testing.T, open func(t *testing.T) []gateway.Journal) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, []gateway.Journal){
		"a message is changed by one at a time": togetherCounting,
		"an attempt is booked once":             togetherBooking,
		"a reference is used once":              togetherReference,
		"a dedupe key waits once":               togetherDedupe,
		"an intent sees all its messages":       togetherLegs,
		"events are seen without gaps":          togetherEvents,
		"a lane is told in order":               togetherLanes,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, open(t))
		})
	}
}

// everyone runs work on each journal from so many callers at once and waits for all.
func everyone(journals []gateway.Journal, callers int, work func(j gateway.Journal, caller int)) {
	var group sync.WaitGroup
	for n := range callers * len(journals) {
		group.Go(func() { work(journals[n%len(journals)], n) })
	}
	group.Wait()
}

// togetherCounting counts in two messages, which every update reads in another order.
func togetherCounting(t *testing.T, journals []gateway.Journal) {
	const callers, each = 4, 15
	i, m := Sample(1)
	accept(t, journals[0], i, m)
	i2, m2 := Sample(2)
	accept(t, journals[0], i2, m2)
	ids := [2]string{m.ID, m2.ID}
	everyone(journals, callers, func(j gateway.Journal, caller int) {
		for k := range each {
			if err := j.Update(t.Context(), func(tx gateway.Tx) error {
				for n := range ids {
					m, err := tx.Message(ids[(n+caller+k)%2])
					if err != nil {
						return err
					}
					m.Attempts++
					if err := tx.SaveMessage(m); err != nil {
						return err
					}
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	})
	for _, id := range ids {
		if got := message(t, journals[0], id); got.Attempts != len(journals)*callers*each || got.Version != int64(got.Attempts) {
			t.Errorf("counted %d in version %d", got.Attempts, got.Version)
		}
	}
}

// togetherBooking lets all claim the same messages, as workers do.
func togetherBooking(t *testing.T, journals []gateway.Journal) {
	const messages = 40
	for n := range messages {
		i, m := Sample(n)
		accept(t, journals[0], i, m)
	}
	var booked atomic.Int64
	everyone(journals, 4, func(j gateway.Journal, caller int) {
		for n := range messages {
			_, sample := Sample(n)
			var got bool
			err := j.Update(t.Context(), func(tx gateway.Tx) error {
				got = false
				m, err := tx.Message(sample.ID)
				if err != nil || m.DueAt.IsZero() {
					return err
				}
				m.State, m.DueAt = gateway.Sending, time.Time{}
				m.Attempts++
				got = true
				if err := tx.InsertAttempt(&gateway.Attempt{
					ID: fmt.Sprintf("att_%d_%d", n, caller), MessageID: m.ID, N: m.Attempts, Worker: "w", StartedAt: start(),
				}); err != nil {
					return err
				}
				return tx.SaveMessage(m)
			})
			if err != nil {
				t.Error(err)
			}
			if err == nil && got {
				booked.Add(1)
			}
		}
	})
	if booked.Load() != messages {
		t.Errorf("%d messages were booked %d times", messages, booked.Load())
	}
}

// togetherReference posts the same references from everywhere: one is stored, the others find it.
func togetherReference(t *testing.T, journals []gateway.Journal) {
	const intents = 20
	var stored atomic.Int64
	everyone(journals, 3, func(j gateway.Journal, caller int) {
		for n := range intents {
			i, m := Sample(n)
			i.ID, m.ID = fmt.Sprintf("%s_%d", i.ID, caller), fmt.Sprintf("%s_%d", m.ID, caller)
			m.IntentID = i.ID
			m.MessageUUID, m.AfsendelseID = fmt.Sprint(caller, "-", n), fmt.Sprint(caller, "-", n)
			var inserted bool
			if err := j.Update(t.Context(), func(tx gateway.Tx) error {
				var err error
				if inserted, err = tx.InsertIntent(i); err != nil {
					return err
				}
				if inserted {
					return tx.InsertMessage(m)
				}
				_, err = tx.IntentByReference(i.Producer, i.Reference)
				return err
			}); err != nil {
				t.Error(err)
			} else if inserted {
				stored.Add(1)
			}
		}
	})
	if stored.Load() != intents {
		t.Errorf("%d references were stored %d times", intents, stored.Load())
	}
}

// togetherDedupe posts intents with one key from everywhere: one waits.
func togetherDedupe(t *testing.T, journals []gateway.Journal) {
	const keys = 10
	var waiting atomic.Int64
	everyone(journals, 3, func(j gateway.Journal, caller int) {
		for k := range keys {
			i, m := Sample(caller*keys + k)
			i.Dedupe = fmt.Sprint("key-", k)
			var first bool
			if err := j.Update(t.Context(), func(tx gateway.Tx) error {
				first = false
				other, err := tx.WaitingDuplicate(i.Producer, i.Dedupe)
				if err != nil || other != "" {
					return err
				}
				first = true
				return insert(tx, i, m)
			}); err != nil {
				t.Error(err)
			} else if first {
				waiting.Add(1)
			}
		}
	})
	if waiting.Load() != keys {
		t.Errorf("%d intents wait for %d keys", waiting.Load(), keys)
	}
}

// togetherLegs ends the messages of an intent at the same time, each from another process. The last one must see all.
func togetherLegs(t *testing.T, journals []gateway.Journal) {
	const intents = 60
	legs := len(journals)
	for n := range intents {
		i, _ := Sample(n)
		var messages []*gateway.Message
		for leg := range legs {
			_, m := Sample(n*legs + leg)
			m.IntentID, m.Leg = i.ID, leg
			messages = append(messages, m)
		}
		accept(t, journals[0], i, messages...)
	}
	for n := range intents {
		everyone(journals, 1, func(j gateway.Journal, leg int) {
			_, sample := Sample(n*legs + leg)
			if err := j.Update(t.Context(), func(tx gateway.Tx) error { return deliver(tx, sample.ID) }); err != nil {
				t.Error(err)
			}
		})
	}
	for n := range intents {
		i, _ := Sample(n)
		got, err := journals[0].Intent(t.Context(), i.ID)
		must(t, err)
		if got.Status != gateway.IntentDelivered {
			t.Errorf("intent %d stands as %s when all is delivered", n, got.Status)
		}
	}
}

// deliver ends a message and derives the status of its intent.
func deliver(tx gateway.Tx, id string) error {
	m, err := tx.Message(id)
	if err != nil {
		return err
	}
	head, err := tx.IntentHead(m.IntentID)
	if err != nil {
		return err
	}
	m.State, m.FinalAt, m.DueAt = gateway.Delivered, start(), time.Time{}
	if err := tx.SaveMessage(m); err != nil {
		return err
	}
	all, err := tx.MessagesOf(head.ID)
	if err != nil {
		return err
	}
	if status := gateway.DeriveStatus(all); status != head.Status {
		return tx.SetIntentStatus(head.ID, status, time.Time{})
	}
	return nil
}

// togetherEvents reads the feed on one journal while all write.
func togetherEvents(t *testing.T, journals []gateway.Journal) {
	const callers, each = 5, 30
	i, _ := Sample(1)
	accept(t, journals[0], i)
	var readers sync.WaitGroup
	done := make(chan struct{})
	for n, producer := range []string{"", i.Producer} {
		readers.Go(func() {
			seen := follow(t, journals[n%len(journals)], producer, done)
			if want := 1 + len(journals)*callers*each*4/5; seen != want {
				t.Errorf("reader %d saw %d events of %d", n, seen, want)
			}
		})
	}
	everyone(journals, callers, func(j gateway.Journal, _ int) {
		for n := range each {
			tell(t, j, i, n%5 == 0)
		}
	})
	close(done)
	readers.Wait()
}

// follow reads the feed by its cursor until it is told that no more comes, and returns how many it saw.
func follow(t *testing.T, j gateway.Journal, producer string, done <-chan struct{}) int {
	t.Helper()
	var seen int
	var last int64
	for over := false; ; {
		page, err := j.Events(t.Context(), producer, last, 7)
		if err != nil {
			t.Error(err)
			return seen
		}
		for _, e := range page {
			if e.Seq <= last {
				t.Errorf("number %d after %d", e.Seq, last)
			}
			last = e.Seq
		}
		seen += len(page)
		if len(page) == 0 && over {
			return seen
		}
		over = over || len(page) == 0 && isClosed(done)
	}
}

// claimAny takes the next event to be told; nil: there is none.
func claimAny(t *testing.T, j gateway.Journal, producer string, now time.Time) *gateway.Callback {
	t.Helper()
	var c *gateway.Callback
	err := j.Update(t.Context(), func(tx gateway.Tx) error {
		var err error
		c, err = tx.ClaimCallback(producer, now, now.Add(time.Minute))
		return err
	})
	if err != nil && !errors.Is(err, gateway.ErrNotFound) {
		t.Error(err)
	}
	if err != nil {
		return nil
	}
	return c
}

// togetherLanes puts events out in a few lanes while all tell them. Each is told once, those of a lane in order, and no
// lane is left behind.
func togetherLanes(t *testing.T, journals []gateway.Journal) {
	const lanes, each = 6, 15
	intents := make([]*gateway.Intent, lanes)
	for n := range intents {
		i, m := Sample(n)
		accept(t, journals[0], i, m)
		intents[n] = i
	}
	now := start().Add(time.Hour)
	var mu sync.Mutex
	told := map[string][]int64{}
	var total atomic.Int64
	began := time.Now()
	everyone(journals, 4, func(j gateway.Journal, caller int) {
		if caller < lanes {
			for range each {
				happen(t, j, intents[caller], "lane-"+intents[caller].ID, now)
			}
		}
		for total.Load() < lanes*each && !t.Failed() {
			if time.Since(began) > time.Minute {
				t.Error("a lane was left behind")
				return
			}
			c := claimAny(t, j, intents[0].Producer, now)
			if c == nil {
				continue
			}
			mu.Lock()
			told[c.Event.Lane()] = append(told[c.Event.Lane()], c.Event.Seq)
			mu.Unlock()
			if err := end(t, j, c, gateway.CallbackDelivered, now, time.Time{}); err != nil {
				t.Error(err)
			}
			total.Add(1)
		}
	})
	for lane, seqs := range told {
		if !slices.IsSorted(seqs) {
			t.Errorf("%s was told in the order %v", lane, seqs)
		}
	}
	stats, err := journals[0].CallbackStats(t.Context(), intents[0].Producer)
	must(t, err)
	if stats.Delivered != lanes*each || stats.Pending != 0 || len(told) != lanes {
		t.Errorf("%+v of %d in %d lanes", stats, lanes*each, len(told))
	}
}
