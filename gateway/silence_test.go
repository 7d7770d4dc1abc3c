package gateway_test

import (
	"errors"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// patient is a bundle whose first channel waits a day for a final status.
func patient(t *testing.T) *bundle {
	t.Helper()
	return setup(t, func(c *gateway.Config) {
		c.Policies = map[string]gateway.Policy{"first": {NextAfter: 24 * time.Hour}}
	})
}

func dispatch(t *testing.T, b *bundle, id string) {
	t.Helper()
	if err := b.Dispatch(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

// swept runs the sweep and dispatches what it brought to the queue.
func swept(t *testing.T, b *bundle) int {
	t.Helper()
	b.queue.ensured = nil
	if _, err := b.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, m := range b.queue.ensured {
		dispatch(t, b, m.ID)
	}
	return len(b.queue.ensured)
}

func TestSilenceStartsTheNextChannelOnce(t *testing.T) {
	t.Parallel()
	for name, interim := range map[string]bool{"submitted": false, "received": true} {
		b := patient(t)
		d := draft(t, "r1", "first", "second")
		d.Priority = gateway.Urgent
		i := b.accept(t, d)
		dispatch(t, b, i.Messages[0].ID)
		if interim {
			b.clock.advance(time.Hour)
			b.settle(t, i.Messages[0], gateway.ReceiptReceived, "")
		}
		b.clock.advance(22 * time.Hour)
		if n := swept(t, b); n != 0 {
			t.Fatalf("%s: before its time %d messages were due", name, n)
		}
		if later := dispatchLater(t, b, i.Messages[0].ID); later.Counted || !later.At.Equal(began.Add(24*time.Hour)) {
			t.Fatalf("%s: %+v", name, later)
		}
		b.clock.advance(2*time.Hour + 6*time.Second)
		if n := swept(t, b); n != 1 {
			t.Fatalf("%s: %d messages were due", name, n)
		}
		dispatch(t, b, i.Messages[0].ID) // a second task finds nothing to do
		got := b.view(t, i.ID)
		if len(got.Messages) != 2 || got.Messages[0].State != gateway.Superseded || got.Messages[1].State != gateway.Queued ||
			got.Messages[1].Priority != gateway.Urgent || got.Messages[1].Channel != "second" {
			t.Fatalf("%s: %+v", name, got.Messages)
		}
		if last := b.queue.enqueued[len(b.queue.enqueued)-1]; last.ID != got.Messages[1].ID || last.Priority != gateway.Urgent {
			t.Fatalf("%s: enqueued %+v", name, last)
		}
		// The last channel of the route has no next one, whatever its silence.
		dispatch(t, b, got.Messages[1].ID)
		b.clock.advance(1000 * time.Hour)
		if n := swept(t, b); n != 0 {
			t.Fatalf("%s: %d messages are due though no channel is left", name, n)
		}
		_, events, err := b.Intent(t.Context(), "huskeservice", i.ID)
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, e := range events {
			if e.Code == "undelivered.after" && e.MessageID == i.Messages[0].ID && e.Status == gateway.Superseded {
				told++
			}
		}
		if told != 1 {
			t.Fatalf("%s: told %d times", name, told)
		}
	}
}

func TestAFinalStatusEndsTheWaiting(t *testing.T) {
	t.Parallel()
	b := patient(t)
	i := b.accept(t, draft(t, "r1", "first", "second"))
	dispatch(t, b, i.Messages[0].ID)
	b.settle(t, i.Messages[0], gateway.ReceiptDelivered, "")
	b.clock.advance(100 * time.Hour)
	if n := swept(t, b); n != 0 || len(b.view(t, i.ID).Messages) != 1 {
		t.Fatalf("%d due", n)
	}
}

func TestLateDeliveryIsToldOnBothRoads(t *testing.T) {
	t.Parallel()
	b := patient(t)
	i := b.accept(t, draft(t, "r1", "first", "second"))
	dispatch(t, b, i.Messages[0].ID)
	b.clock.advance(25 * time.Hour)
	swept(t, b)
	if r := b.settle(t, i.Messages[0], gateway.ReceiptDelivered, ""); !r.Matched || r.Changed {
		t.Fatalf("%+v", r)
	}
	got, events, err := b.Intent(t.Context(), "huskeservice", i.ID)
	if err != nil || got.Messages[0].State != gateway.Superseded || got.Messages[1].State != gateway.Queued {
		t.Fatalf("%+v, %v", got, err)
	}
	last := events[len(events)-2:]
	if last[0].MessageID != got.Messages[0].ID || last[0].Code != string(gateway.ReceiptDelivered) ||
		last[1].MessageID != got.Messages[1].ID || last[1].Code != "superseded.delivered" {
		t.Fatalf("%+v", last)
	}
}

func TestSilenceIsNotEndedForAnExpiredIntent(t *testing.T) {
	t.Parallel()
	b := patient(t)
	d := draft(t, "r1", "first", "second")
	d.Expires = began.Add(12 * time.Hour)
	i := b.accept(t, d)
	dispatch(t, b, i.Messages[0].ID)
	b.clock.advance(25 * time.Hour)
	if n := swept(t, b); n != 1 {
		t.Fatalf("%d due", n)
	}
	if s := b.states(t, i.ID); len(s) != 1 || s[0] != gateway.Submitted {
		t.Fatal(s)
	}
	if n := swept(t, b); n != 0 {
		t.Fatal("it is looked at again and again")
	}
}

func TestSilenceIsOffUnlessItIsSet(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1", "first", "second"))
	dispatch(t, b, i.Messages[0].ID)
	b.clock.advance(10_000 * time.Hour)
	if n := swept(t, b); n != 0 || !b.view(t, i.ID).Messages[0].DueAt.IsZero() {
		t.Fatalf("%d due", n)
	}
}

// TestSilenceWhoseSettingChanged: what was accepted under another setting follows the new one.
func TestSilenceWhoseSettingChanged(t *testing.T) {
	t.Parallel()
	var cfg gateway.Config
	b := setup(t, func(c *gateway.Config) {
		c.Policies = map[string]gateway.Policy{"first": {NextAfter: 24 * time.Hour}}
		cfg = *c
	})
	i := b.accept(t, draft(t, "r1", "first", "second"))
	dispatch(t, b, i.Messages[0].ID)
	for _, c := range []struct {
		after, want time.Duration // since it was accepted; 0: off, never
	}{{48 * time.Hour, 48 * time.Hour}, {0, 0}} {
		cfg.Policies = map[string]gateway.Policy{"first": {NextAfter: c.after}}
		g, err := gateway.New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		b.Gateway = g
		b.clock.advance(25 * time.Hour)
		err = b.Dispatch(t.Context(), i.Messages[0].ID)
		m := b.view(t, i.ID).Messages[0]
		var later *gateway.Later
		switch {
		case m.State != gateway.Submitted:
			t.Fatalf("%s: %s", c.after, m.State)
		case c.want == 0 && (err != nil || !m.DueAt.IsZero()):
			t.Errorf("off: %v, due %s", err, m.DueAt)
		case c.want != 0 && (!errors.As(err, &later) || !later.At.Equal(began.Add(c.want)) || !m.DueAt.Equal(later.At)):
			t.Errorf("%s: %v, due %s", c.after, err, m.DueAt)
		}
	}
}
