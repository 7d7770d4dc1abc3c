package gateway_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

func TestCancelBeforeItLeaves(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1"))
	for range 2 { // twice is not an error
		got, err := b.Cancel(t.Context(), "huskeservice", i.ID)
		if err != nil || got.Status != gateway.IntentCancelled {
			t.Fatalf("%v, %v", got, err)
		}
	}
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if n := len(b.first.letters()); n != 0 {
		t.Fatal("a cancelled letter was sent")
	}
}

func TestCancelTooLate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{accepted, {Class: gateway.Unknown}}
	sent, uncertain := b.accept(t, draft(t, "r1")), b.accept(t, draft(t, "r2"))
	if err := b.Dispatch(t.Context(), sent.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	dispatchLater(t, b, uncertain.Messages[0].ID)
	for _, i := range []*gateway.Intent{sent, uncertain} {
		if _, err := b.Cancel(t.Context(), "huskeservice", i.ID); !errors.Is(err, gateway.ErrTooLate) {
			t.Fatalf("%v", err)
		}
	}
	if _, err := b.Cancel(t.Context(), "somebody", sent.ID); !errors.Is(err, gateway.ErrNotFound) {
		t.Fatalf("a stranger's cancel: %v", err)
	}
}

func TestCancelStopsTheLegsThatHaveNotLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft(t, "r1")
	d.Routes = []gateway.Route{{"first"}, {"second"}}
	i := b.accept(t, d)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	got, err := b.Cancel(t.Context(), "huskeservice", i.ID)
	if err != nil || got.Messages[0].State != gateway.Submitted || got.Messages[1].State != gateway.Cancelled {
		t.Fatalf("%+v, %v", got, err)
	}
}

// crash books an attempt as a worker would that dies while sending; evidence says whether it got as far as signing.
func crash(t *testing.T, b *bundle, m gateway.Message, evidence bool) {
	t.Helper()
	a := gateway.Attempt{ID: "att_" + m.ID, MessageID: m.ID, N: 1, Worker: "worker-dead", StartedAt: b.clock.Now()}
	err := b.journal.Update(t.Context(), func(tx gateway.Tx) error {
		if err := tx.Seen("worker-dead", b.clock.Now()); err != nil {
			return err
		}
		got, err := tx.Message(m.ID)
		if err != nil {
			return err
		}
		got.State, got.Attempts, got.DueAt = gateway.Sending, 1, time.Time{}
		if err := tx.SaveMessage(got); err != nil {
			return err
		}
		return tx.InsertAttempt(&a)
	})
	if err != nil {
		t.Fatal(err)
	}
	if evidence {
		if err := b.KeepEvidence(t.Context(), gateway.Evidence{
			ID: "manifest-1", XML: []byte("<x/>"), SignedAt: b.clock.Now(),
			Letters: []gateway.EvidenceLetter{{AttemptID: a.ID, Digest: [32]byte{1}}},
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCrashBeforeAnythingLeftIsRetried(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1"))
	crash(t, b, i.Messages[0], false)
	if r, err := b.Sweep(t.Context()); err != nil || r.Abandoned != 0 {
		t.Fatalf("a living worker's attempt was taken: %+v, %v", r, err)
	}
	b.clock.advance(gateway.DeadAfter + time.Second)
	if r, err := b.Sweep(t.Context()); err != nil || r.Abandoned != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	b.clock.advance(time.Minute)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if l := b.first.letters(); len(l) != 1 || l[0].Attempt.N != 2 || l[0].Message.MessageUUID != i.Messages[0].MessageUUID {
		t.Fatalf("%+v", l)
	}
}

// TestWhatIsBeingSentIsNeverAbandoned: after the machine slept, the sweep may run before the heartbeat.
func TestWhatIsBeingSentIsNeverAbandoned(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1"))
	swept := false
	b.first.whileSent = func(gateway.Letter) {
		swept = true
		b.clock.advance(time.Hour)
		if r, err := b.Sweep(t.Context()); err != nil || r.Abandoned != 0 {
			t.Errorf("%+v, %v", r, err)
		}
	}
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Submitted || !swept {
		t.Fatal(s, swept)
	}
}

// failing is a journal that stores the nth update, counted from when it is set, and says that it did not (stores), or does
// not store it.
type failing struct {
	gateway.Journal
	nth    int // 0: none
	stores bool
}

func (f *failing) Update(ctx context.Context, fn func(gateway.Tx) error) error {
	if f.nth--; f.nth != 0 {
		return f.Journal.Update(ctx, fn)
	}
	if f.stores {
		if err := f.Journal.Update(ctx, fn); err != nil {
			return err
		}
	}
	return gateway.ErrUnavailable
}

// TestALostAttemptIsTakenBackByItsOwnWorker: the worker was told that its booking was not stored although it was, or could not
// store the outcome. It lives on, and so must the message.
func TestALostAttemptIsTakenBackByItsOwnWorker(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		failing failing
		letters int // that left
		want    gateway.MessageState
	}{
		"the booking held":                {failing{nth: 1, stores: true}, 0, gateway.Queued},
		"the outcome could not be stored": {failing{nth: 2}, 1, gateway.Sending},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &c.failing
			b := setup(t, func(cfg *gateway.Config) { f.Journal, cfg.Journal = cfg.Journal, f })
			b.first.witness = c.letters == 0 // which keeps its evidence first, and kept none
			nth := f.nth
			f.nth = 0
			i := b.accept(t, draft(t, "r1"))
			f.nth = nth
			if err := b.Dispatch(t.Context(), i.Messages[0].ID); !errors.Is(err, gateway.ErrUnavailable) {
				t.Fatal(err)
			}
			if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
				t.Fatalf("the queue brings it again, and somebody has it: %v", err)
			}
			if s := b.states(t, i.ID); s[0] != gateway.Sending || len(b.first.letters()) != c.letters {
				t.Fatal(s, len(b.first.letters()))
			}
			for _, want := range []int{0, 1, 0} {
				if err := b.Beat(t.Context()); err != nil {
					t.Fatal(err)
				}
				if r, err := b.Sweep(t.Context()); err != nil || r.Abandoned != want {
					t.Fatalf("%+v, %v; want %d abandoned", r, err, want)
				}
				b.clock.advance(61 * time.Second)
			}
			m := b.view(t, i.ID).Messages[0]
			if m.State != c.want || m.DueAt.IsZero() || m.Uncertain != (c.letters == 1) {
				t.Fatalf("nobody will look at it again: %+v", m)
			}
		})
	}
}

func TestCrashAfterSigningWaitsForAStatus(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1"))
	crash(t, b, i.Messages[0], true)
	b.clock.advance(gateway.DeadAfter + time.Second)
	if r, err := b.Sweep(t.Context()); err != nil || r.Abandoned != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	dispatchLater(t, b, i.Messages[0].ID)
	if len(b.first.letters()) != 0 {
		t.Fatal("sent again before a status had its time")
	}
	if last := b.queue.ensured[len(b.queue.ensured)-1]; last.ID != i.Messages[0].ID || last.DueAt.IsZero() {
		t.Fatalf("nobody will look again: %+v", last)
	}
	b.settle(t, i.Messages[0], gateway.ReceiptDelivered, "")
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatal(s)
	}
}

func TestCrashOfAChannelWithoutEvidenceIsUnknown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.witness = false
	i := b.accept(t, draft(t, "r1"))
	crash(t, b, i.Messages[0], false)
	b.clock.advance(gateway.DeadAfter + time.Second)
	if _, err := b.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if later := dispatchLater(t, b, i.Messages[0].ID); later.Reason != "awaiting status" {
		t.Fatal(later.Reason)
	}
}

func TestSweepEnqueuesWhatNobodyHolds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, ref := range []string{"r1", "r2", "r3"} {
		b.accept(t, draft(t, ref))
	}
	if r, err := b.Sweep(t.Context()); err != nil || r.Requeued != 0 {
		t.Fatalf("fresh messages are left to their tasks: %+v, %v", r, err)
	}
	b.clock.advance(6 * time.Second)
	if r, err := b.Sweep(t.Context()); err != nil || r.Requeued != 3 {
		t.Fatalf("%+v, %v", r, err)
	}
}

func TestSweepFillsAnEmptiedQueueWhole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const n = 1200 // more than two pages
	for k := range n {
		d := draft(t, "r"+time.Duration(k).String())
		if k%2 == 0 {
			d.NotBefore = began.Add(30 * 24 * time.Hour) // what waits for its time is filled in, too
		}
		b.accept(t, d)
	}
	b.queue.forgot = true
	r, err := b.Sweep(t.Context())
	if err != nil || !r.Forgot || r.Requeued != n {
		t.Fatalf("%+v, %v", r, err)
	}
	seen := make(map[string]bool)
	for _, m := range b.queue.ensured {
		seen[m.ID] = true
	}
	if len(seen) != n {
		t.Fatalf("%d different messages", len(seen))
	}
}
