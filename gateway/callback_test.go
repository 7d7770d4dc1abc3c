package gateway_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// lanes is a queue of callbacks that only remembers.
type lanes struct {
	mu       sync.Mutex
	enqueued []gateway.DueCallback
	ensured  []gateway.DueCallback
	err      error
}

func (l *lanes) EnqueueCallback(_ context.Context, c gateway.DueCallback) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.enqueued = append(l.enqueued, c)
	return l.err
}

func (l *lanes) EnsureCallback(_ context.Context, c gateway.DueCallback) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ensured = append(l.ensured, c)
	return l.err
}

// telling is a bundle whose producer huskeservice is told of its events.
func telling(t *testing.T, change ...func(*gateway.Config)) (*bundle, *lanes) {
	t.Helper()
	l := &lanes{}
	b := setup(t, append(change, func(c *gateway.Config) {
		c.Callbacks = gateway.CallbackConfig{Producers: map[string]bool{"huskeservice": true}, Queue: l}
	})...)
	return b, l
}

// told claims and delivers everything that huskeservice is to be told, and returns it in that order.
func (b *bundle) told(t *testing.T) []gateway.Event {
	t.Helper()
	var all []gateway.Event
	for {
		var c *gateway.Callback
		err := b.journal.Update(t.Context(), func(tx gateway.Tx) (err error) {
			now := b.clock.Now()
			if c, err = tx.ClaimCallback("huskeservice", now, now.Add(time.Minute)); err != nil {
				return err
			}
			c.State, c.LastAt, c.DueAt = gateway.CallbackDelivered, now, time.Time{}
			return tx.SaveCallback(c)
		})
		if errors.Is(err, gateway.ErrNotFound) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c.Event)
	}
}

// TestEveryEventIsPutOut compares what is told with the feed, for what will never get a receipt, too: each way that a
// letter may go is walked, the last event of a message tells the state it is in, and all states are seen.
func TestEveryEventIsPutOut(t *testing.T) {
	t.Parallel()
	unknown := gateway.Outcome{Class: gateway.Unknown, Code: "cut"}
	refuse := func(class gateway.Class) func(*testing.T, *bundle, *gateway.Intent) {
		return func(t *testing.T, b *bundle, i *gateway.Intent) {
			t.Helper()
			b.first.outcomes = []gateway.Outcome{{Class: class, Code: "X-1"}}
			b.look(t, i.Messages[0].ID)
		}
	}
	send := func(t *testing.T, b *bundle, i *gateway.Intent) {
		t.Helper()
		b.look(t, i.Messages[0].ID)
	}
	hold := func(t *testing.T, b *bundle, i *gateway.Intent) {
		t.Helper()
		b.first.outcomes = []gateway.Outcome{unknown}
		b.look(t, i.Messages[0].ID)
		b.clock.advance(3 * time.Minute)
		b.look(t, i.Messages[0].ID)
	}
	receipt := func(kind gateway.ReceiptKind, class gateway.Class) func(*testing.T, *bundle, *gateway.Intent) {
		return func(t *testing.T, b *bundle, i *gateway.Intent) {
			t.Helper()
			send(t, b, i)
			b.settle(t, i.Messages[0], kind, class)
		}
	}
	var mu sync.Mutex
	seen := make(map[gateway.MessageState]bool)
	t.Cleanup(func() { // when all have been walked
		for _, s := range gateway.MessageStates() {
			if !seen[s] {
				t.Errorf("nobody is told of %s", s)
			}
		}
	})
	for name, c := range map[string]struct {
		draft func(d *gateway.Draft)
		walk  func(t *testing.T, b *bundle, i *gateway.Intent)
		end   []gateway.MessageState
	}{
		"delivered":               {nil, receipt(gateway.ReceiptDelivered, ""), []gateway.MessageState{gateway.Delivered}},
		"received":                {nil, receipt(gateway.ReceiptReceived, ""), []gateway.MessageState{gateway.Received}},
		"rejected later":          {nil, receipt(gateway.ReceiptRejected, gateway.Fail), []gateway.MessageState{gateway.Failed}},
		"accepted":                {nil, send, []gateway.MessageState{gateway.Submitted}},
		"refused at the far end":  {nil, refuse(gateway.Fail), []gateway.MessageState{gateway.Failed}},
		"next, but there is none": {nil, refuse(gateway.Next), []gateway.MessageState{gateway.Failed}},
		"tried again":             {nil, refuse(gateway.Retry), []gateway.MessageState{gateway.Queued}},
		"answer lost":             {nil, refuse(gateway.Unknown), []gateway.MessageState{gateway.Sending}},
		"held":                    {nil, hold, []gateway.MessageState{gateway.Held}},
		"returned": {nil, func(t *testing.T, b *bundle, i *gateway.Intent) {
			t.Helper()
			receipt(gateway.ReceiptDelivered, "")(t, b, i)
			b.settle(t, i.Messages[0], gateway.ReceiptReturned, "")
		}, []gateway.MessageState{gateway.Returned}},
		"given up": {nil, func(t *testing.T, b *bundle, i *gateway.Intent) {
			t.Helper()
			refuse(gateway.Retry)(t, b, i)
			b.clock.advance(100 * time.Hour)
			b.look(t, i.Messages[0].ID)
		}, []gateway.MessageState{gateway.Failed}},
		"fallen back": {func(d *gateway.Draft) { d.Routes = []gateway.Route{{"first", "second"}} }, refuse(gateway.Next),
			[]gateway.MessageState{gateway.Superseded, gateway.Queued}},
		"fallen back later": {func(d *gateway.Draft) { d.Routes = []gateway.Route{{"first", "second"}} },
			receipt(gateway.ReceiptRejected, gateway.Next), []gateway.MessageState{gateway.Superseded, gateway.Queued}},
		"expired": {func(d *gateway.Draft) { d.Expires = began.Add(time.Hour) }, func(t *testing.T, b *bundle, i *gateway.Intent) {
			t.Helper()
			b.clock.advance(2 * time.Hour)
			b.look(t, i.Messages[0].ID)
		}, []gateway.MessageState{gateway.Expired}},
		"expired, but may have left": {func(d *gateway.Draft) { d.Expires = began.Add(time.Hour) },
			func(t *testing.T, b *bundle, i *gateway.Intent) {
				t.Helper()
				b.second.outcomes = []gateway.Outcome{unknown}
				b.look(t, i.Messages[0].ID)
				b.clock.advance(2 * time.Hour)
				b.look(t, i.Messages[0].ID)
			}, []gateway.MessageState{gateway.Failed}},
		"scheduled": {func(d *gateway.Draft) { d.NotBefore = began.Add(time.Hour) },
			func(*testing.T, *bundle, *gateway.Intent) {}, []gateway.MessageState{gateway.Scheduled}},
		"cancelled": {nil, func(t *testing.T, b *bundle, i *gateway.Intent) {
			t.Helper()
			if _, err := b.Cancel(t.Context(), "huskeservice", i.ID); err != nil {
				t.Fatal(err)
			}
		}, []gateway.MessageState{gateway.Cancelled}},
		"released": {nil, func(t *testing.T, b *bundle, i *gateway.Intent) {
			t.Helper()
			hold(t, b, i)
			if _, err := b.Release(t.Context(), "", i.Messages[0].ID, "nu"); err != nil {
				t.Fatal(err)
			}
		}, []gateway.MessageState{gateway.Queued}},
		"closed": {nil, func(t *testing.T, b *bundle, i *gateway.Intent) {
			t.Helper()
			hold(t, b, i)
			if _, err := b.Close(t.Context(), "", i.Messages[0].ID, "opgivet", gateway.Failed); err != nil {
				t.Fatal(err)
			}
		}, []gateway.MessageState{gateway.Failed}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := telling(t, func(cfg *gateway.Config) {
				if name != "expired, but may have left" {
					cfg.Policies = map[string]gateway.Policy{"first": {OnUnknown: gateway.Hold}}
				}
			})
			d := draft(t, "r1")
			if c.draft != nil {
				c.draft(&d)
			}
			if name == "expired, but may have left" {
				d.Routes = []gateway.Route{{"second"}}
			}
			i := b.accept(t, d)
			c.walk(t, b, i)
			if states := b.states(t, i.ID); !slices.Equal(states, c.end) {
				t.Fatalf("it ended in %v, wanted %v", states, c.end)
			}
			feed, err := b.Events(t.Context(), "huskeservice", 0, 500)
			if err != nil {
				t.Fatal(err)
			}
			got := b.told(t)
			slices.SortFunc(got, func(x, y gateway.Event) int { return int(x.Seq - y.Seq) })
			if !slices.Equal(got, feed) || len(feed) == 0 {
				t.Fatalf("told %+v, the feed has %+v", got, feed)
			}
			last := make(map[string]gateway.MessageState)
			for _, e := range feed {
				last[e.MessageID] = e.Status
				mu.Lock()
				seen[e.Status] = seen[e.Status] || e.MessageID != ""
				mu.Unlock()
			}
			for _, m := range b.view(t, i.ID).Messages {
				if last[m.ID] != m.State {
					t.Errorf("message %s is %s, the last that was told is %q", m.ID, m.State, last[m.ID])
				}
			}
		})
	}
}

// look has a worker look at a message, whatever it wants next.
func (b *bundle) look(t *testing.T, id string) {
	t.Helper()
	var later *gateway.Later
	if err := b.Dispatch(t.Context(), id); err != nil && !errors.As(err, &later) {
		t.Fatal(err)
	}
}

// TestAnAbandonedAttemptIsTold: what the sweep takes over from a dead worker is an event like another.
func TestAnAbandonedAttemptIsTold(t *testing.T) {
	t.Parallel()
	b, _ := telling(t)
	i := b.accept(t, draft(t, "r1"))
	m := i.Messages[0]
	if err := b.journal.Update(t.Context(), func(tx gateway.Tx) error { // as a worker that dies while it sends
		m.State, m.Attempts, m.DueAt = gateway.Sending, 1, time.Time{}
		if err := tx.InsertAttempt(&gateway.Attempt{ID: "att_1", MessageID: m.ID, N: 1, Worker: "another", StartedAt: began}); err != nil {
			return err
		}
		return tx.SaveMessage(&m)
	}); err != nil {
		t.Fatal(err)
	}
	b.clock.advance(gateway.DeadAfter + time.Second)
	if r, err := b.Sweep(t.Context()); err != nil || r.Abandoned != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := b.told(t); got[len(got)-1].Code != "worker.died" {
		t.Fatalf("%+v", got)
	}
}

// TestADiscardedIntentIsTold as an event of the intent, in a lane of its own.
func TestADiscardedIntentIsTold(t *testing.T) {
	t.Parallel()
	b, l := telling(t)
	first, second := draft(t, "r1"), draft(t, "r2")
	first.Dedupe, second.Dedupe = "samtale", "samtale"
	b.accept(t, first)
	i := b.accept(t, second)
	if last := l.enqueued[len(l.enqueued)-1]; last.Lane != i.ID || last.Producer != "huskeservice" {
		t.Fatalf("%+v", l.enqueued)
	}
	if got := b.told(t); got[len(got)-1].Status != gateway.MessageState(gateway.IntentDiscarded) {
		t.Fatalf("%+v", got)
	}
}

// TestOnlyHeadsAreEnqueued, only of those who are told, and only of what was committed.
func TestOnlyHeadsAreEnqueued(t *testing.T) {
	t.Parallel()
	b, l := telling(t)
	i := b.accept(t, draft(t, "r1"))
	id := i.Messages[0].ID
	if len(l.enqueued) == 0 || l.enqueued[0].Lane != id {
		t.Fatalf("%+v", l.enqueued)
	}
	count := len(l.enqueued)
	b.look(t, id) // the first event is still waiting: the second one waits behind it
	if len(l.enqueued) != count {
		t.Fatalf("%+v", l.enqueued)
	}
	other := draft(t, "r1")
	other.Producer = "somebody"
	b.accept(t, other)
	refused := errors.New("no")
	err := b.journal.Update(t.Context(), func(gateway.Tx) error { return refused })
	if !errors.Is(err, refused) || len(l.enqueued) != count {
		t.Fatalf("%v, %+v", err, l.enqueued)
	}
	if stats, err := b.journal.CallbackStats(t.Context(), "somebody"); err != nil || stats.Pending != 0 {
		t.Fatalf("%+v, %v", stats, err)
	}
	l.err = errors.New("Redis is gone")
	b.accept(t, draft(t, "r3")) // is accepted all the same
	if got := b.told(t); len(got) < 3 {
		t.Fatalf("%+v", got)
	}
}

// TestReplayInPages tells a thousand events again, in order, and wakes as few lanes as get the work going.
func TestReplayInPages(t *testing.T) {
	t.Parallel()
	b, l := telling(t)
	for n := range 700 {
		b.accept(t, draft(t, "r"+time.Duration(n).String()))
	}
	before := b.told(t)
	if n, err := b.Replay(t.Context(), "huskeservice", before[9].Seq, 0); err != nil || n != len(before)-10 {
		t.Fatalf("%d of %d, %v", n, len(before), err)
	}
	if len(l.ensured) != 32 {
		t.Errorf("%d lanes were woken", len(l.ensured))
	}
	if again := b.told(t); !slices.Equal(again, before[10:]) {
		t.Errorf("%d events came again, in another order or others", len(again))
	}
	if n, err := b.Replay(t.Context(), "huskeservice", 0, before[9].Seq); err != nil || n != 10 {
		t.Fatalf("%d, %v", n, err)
	}
	if _, err := b.Replay(t.Context(), "somebody", 0, 0); !errors.Is(err, gateway.ErrNoCallback) {
		t.Error(err)
	}
	if _, err := b.Callbacks(t.Context(), "somebody"); !errors.Is(err, gateway.ErrNoCallback) {
		t.Error(err)
	}
	if stats, err := b.Callbacks(t.Context(), "huskeservice"); err != nil || stats.Pending != 10 {
		t.Errorf("%+v, %v", stats, err)
	}
}

func TestCallbacksNeedAQueue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := gateway.New(gateway.Config{
		Journal: b.journal, Documents: nothing{}, Queue: b.queue, Now: b.clock.Now, NewID: func(string) string { return "" },
		NewUUID: func() string { return "" }, Worker: "w", Callbacks: gateway.CallbackConfig{Producers: map[string]bool{"x": true}},
	})
	if err == nil {
		t.Fatal("it was taken")
	}
}

// nothing is a document store that nobody asks.
type nothing struct{ gateway.Documents }
