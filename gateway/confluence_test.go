package gateway_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
)

// word is one status of a sequence, in the order in which the far end says them.
type word struct {
	kind  gateway.ReceiptKind
	class gateway.Class
}

// sequences are the lives of letters as their far ends tell them, with the state that a message must end in.
func sequences() map[string]struct {
	words []word
	want  gateway.MessageState
} {
	note, received, delivered := word{gateway.ReceiptNote, ""}, word{gateway.ReceiptReceived, ""}, word{gateway.ReceiptDelivered, ""}
	failed, again := word{gateway.ReceiptRejected, gateway.Fail}, word{gateway.ReceiptRejected, gateway.Retry}
	returned := word{gateway.ReceiptReturned, ""}
	return map[string]struct {
		words []word
		want  gateway.MessageState
	}{
		"digital, delivered":           {[]word{received, delivered}, gateway.Delivered},
		"digital, rejected":            {[]word{received, failed}, gateway.Failed},
		"digital, wanted anew":         {[]word{again}, gateway.Failed},
		"digital, only received":       {[]word{received}, gateway.Received},
		"digital, rejected, then late": {[]word{received, failed, delivered}, gateway.Delivered},
		"print, delivered":             {[]word{note, received, note, note, delivered}, gateway.Delivered},
		"print, recalled":              {[]word{note, received, failed}, gateway.Failed},
		"print, came back":             {[]word{note, received, note, note, delivered, note, returned}, gateway.Returned},
		"print, recalled and back":     {[]word{note, received, failed, returned}, gateway.Returned},
		"print, all there is":          {[]word{note, received, failed, delivered, note, returned}, gateway.Returned},
		"print, only the return":       {[]word{returned}, gateway.Returned},
	}
}

// starts bring a message into the states in which its first status may find it.
func starts() map[string]func(t *testing.T, b *bundle, reference string) gateway.Message {
	dispatched := func(outcome gateway.Outcome, after ...func(t *testing.T, b *bundle, id string)) func(*testing.T, *bundle, string) gateway.Message {
		return func(t *testing.T, b *bundle, reference string) gateway.Message {
			t.Helper()
			b.first.mu.Lock()
			b.first.sent, b.first.outcomes = nil, []gateway.Outcome{outcome}
			b.first.mu.Unlock()
			d := draft(t, reference)
			d.Expires = b.clock.Now().Add(time.Hour)
			m := b.accept(t, d).Messages[0]
			_ = b.Dispatch(t.Context(), m.ID) // what it asks for does not matter here
			for _, f := range after {
				f(t, b, m.ID)
			}
			return m
		}
	}
	return map[string]func(*testing.T, *bundle, string) gateway.Message{
		"queued": func(t *testing.T, b *bundle, reference string) gateway.Message {
			return b.accept(t, draft(t, reference)).Messages[0]
		},
		"submitted": dispatched(gateway.Outcome{Class: gateway.Accept}),
		"sending":   dispatched(gateway.Outcome{Class: gateway.Unknown}),
		"retried":   dispatched(gateway.Outcome{Class: gateway.Retry}),
		"failed":    dispatched(gateway.Outcome{Class: gateway.Fail}),
		"scheduled": func(t *testing.T, b *bundle, reference string) gateway.Message {
			d := draft(t, reference)
			d.NotBefore = b.clock.Now().Add(time.Hour)
			return b.accept(t, d).Messages[0]
		},
		"failed by timeout": dispatched(gateway.Outcome{Class: gateway.Unknown}, func(t *testing.T, b *bundle, id string) {
			b.clock.advance(2 * time.Hour)
			_ = b.Dispatch(t.Context(), id)
		}),
	}
}

// TestAnyOrderOfStatusesEndsAlike throws every sequence at every start, in its own order and in random ones, with duplicates
// under the same and under new ids.
func TestAnyOrderOfStatusesEndsAlike(t *testing.T) {
	t.Parallel()
	for name, start := range starts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			r := rand.New(rand.NewPCG(1, uint64(len(name))))
			n := 0
			for sequence, s := range sequences() {
				for try := range 5 {
					n++
					m := start(t, b, fmt.Sprintf("%s-%d", sequence, n))
					first := b.states(t, m.IntentID)[0]
					want := s.want
					if first == gateway.Failed && want == gateway.Received {
						want = gateway.Failed // an interim status says nothing against it
					}
					receipts := make([]gateway.Receipt, 0, 3*len(s.words))
					for k, w := range s.words {
						p := gateway.Receipt{
							ID: uuid.NewString(), Kind: w.kind, Class: w.class, MessageUUID: m.MessageUUID, Status: string(w.kind),
							OccurredAt: b.clock.Now().Add(time.Duration(k) * time.Minute), Transmission: "tr-" + m.ID,
						}
						receipts = append(receipts, p)
						for range try % 3 {
							receipts = append(receipts, p)
						}
						if try%4 == 3 {
							p.ID = uuid.NewString()
							receipts = append(receipts, p)
						}
					}
					if try > 0 {
						r.Shuffle(len(receipts), func(a, b int) { receipts[a], receipts[b] = receipts[b], receipts[a] })
					}
					seen := make(map[string]bool)
					for _, p := range receipts {
						got, err := b.Settle(t.Context(), p)
						if err != nil {
							t.Fatal(err)
						}
						if got.Duplicate != seen[p.ID] || (got.Duplicate && got.Changed) {
							t.Fatalf("%s: %+v, seen %t", sequence, got, seen[p.ID])
						}
						seen[p.ID] = true
					}
					view := b.view(t, m.IntentID)
					if got := view.Messages[0]; got.State != want || len(view.Messages) != 1 {
						t.Errorf("%s, try %d, from %s: %s with %d messages, want %s", sequence, try, first, got.State, len(view.Messages), want)
					}
					if got := view.Messages[0]; got.State.Final() && !got.DueAt.IsZero() {
						t.Errorf("%s: final and due", sequence)
					}
				}
			}
		})
	}
}

// TestStatusesThatMayStartTheNextChannel: with a channel left there is at most one fallback, whatever the order, and none
// when the delivery came first.
func TestStatusesThatMayStartTheNextChannel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for n, order := range [][]word{
		{{gateway.ReceiptDelivered, ""}, {gateway.ReceiptRejected, gateway.Next}},
		{{gateway.ReceiptRejected, gateway.Next}, {gateway.ReceiptDelivered, ""}},
		{{gateway.ReceiptRejected, gateway.Next}, {gateway.ReceiptRejected, gateway.Next}, {gateway.ReceiptReturned, ""}},
	} {
		i := b.accept(t, draft(t, fmt.Sprintf("r-%d", n), "first", "second"))
		if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
			t.Fatal(err)
		}
		for _, w := range order {
			b.settle(t, i.Messages[0], w.kind, w.class)
		}
		want, state := 2, gateway.Superseded
		if n == 0 {
			want, state = 1, gateway.Delivered
		}
		if got := b.view(t, i.ID); len(got.Messages) != want || got.Messages[0].State != state {
			t.Errorf("order %d: %d messages, the first %s", n, len(got.Messages), got.Messages[0].State)
		}
	}
}

// TestManyReceiptsShuffledOverAJournalThatIsReopened settles 1,000 receipts (10,000 when BREVDUE_SOAK is set), each three times
// and in random order, from several callers, while the journal is closed under them and opened again ten times; who got an error comes again, as
// an unacknowledged status does.
func TestManyReceiptsShuffledOverAJournalThatIsReopened(t *testing.T) {
	t.Parallel()
	messages := 200
	if os.Getenv("BREVDUE_SOAK") != "" {
		messages = 2000
	}
	path := filepath.Join(t.TempDir(), "j.db")
	var b *bundle
	var ids atomic.Int64
	open := func() {
		t.Helper()
		j, err := journal.Open(t.Context(), "sqlite:"+path, journal.Options{Migrate: true})
		if err != nil {
			t.Fatal(err)
		}
		b = setup(t, func(c *gateway.Config) {
			c.Journal = j
			c.NewID = func(prefix string) string { return fmt.Sprintf("%s_%09d", prefix, ids.Add(1)) }
		})
		b.journal = j
	}
	open()
	kinds := []gateway.ReceiptKind{gateway.ReceiptNote, gateway.ReceiptReceived, gateway.ReceiptRejected, gateway.ReceiptDelivered, gateway.ReceiptReturned}
	intents, want := make([]string, messages), make([]gateway.MessageState, messages)
	var receipts []gateway.Receipt
	ends := []gateway.MessageState{gateway.Returned, gateway.Delivered, gateway.Failed, gateway.Received, gateway.Returned}
	for n := range messages {
		i := b.accept(t, draft(t, fmt.Sprintf("r-%d", n)))
		if n%3 > 0 {
			_ = b.Dispatch(t.Context(), i.Messages[0].ID)
		}
		intents[n], want[n] = i.ID, ends[n%len(ends)]
		for k := range 5 {
			kind := kinds[k]
			if progress[want[n]] < map[gateway.ReceiptKind]int{"received": 3, "rejected": 4, "delivered": 5, "returned": 6}[kind] {
				kind = gateway.ReceiptNote
			}
			p := gateway.Receipt{
				ID: uuid.NewString(), Kind: kind, Class: gateway.Fail, MessageUUID: i.Messages[0].MessageUUID, OccurredAt: b.clock.Now(),
			}
			receipts = append(receipts, p, p, p)
		}
	}
	r := rand.New(rand.NewPCG(3, 9))
	r.Shuffle(len(receipts), func(a, b int) { receipts[a], receipts[b] = receipts[b], receipts[a] })
	for kill := 0; len(receipts) > 0; kill++ {
		receipts = settleAll(t, b, receipts, kill < 10, len(receipts)/12)
		if kill < 10 {
			if err := b.journal.Close(); err != nil {
				t.Fatal(err)
			}
			open()
		}
	}
	defer func() { _ = b.journal.Close() }()
	for n, id := range intents {
		if got := b.states(t, id)[0]; got != want[n] {
			t.Errorf("message %d is %s, want %s", n, got, want[n])
		}
	}
	if health, err := b.Health(t.Context()); err != nil || health.Quarantined != 0 {
		t.Errorf("%+v, %v", health, err)
	}
}

// settleAll settles receipts from eight callers and returns those that were not. When kill is set the journal is closed
// after some of them.
func settleAll(t *testing.T, b *bundle, receipts []gateway.Receipt, kill bool, after int) []gateway.Receipt {
	t.Helper()
	var next, settled atomic.Int64
	left := make(chan gateway.Receipt, len(receipts))
	done := make(chan struct{})
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		if kill {
			<-done
			_ = b.journal.Close()
		}
	}()
	ended := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { ended <- struct{}{} }()
			for {
				n := int(next.Add(1)) - 1
				if n >= len(receipts) {
					return
				}
				if _, err := b.Settle(t.Context(), receipts[n]); err != nil {
					left <- receipts[n]
				} else if settled.Add(1) == int64(after) {
					close(done)
				}
			}
		}()
	}
	for range 8 {
		<-ended
	}
	if settled.Load() < int64(after) {
		close(done)
	}
	<-closed
	close(left)
	var again []gateway.Receipt
	for p := range left {
		again = append(again, p)
	}
	return again
}
