package gateway_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// held posts an intent and loses the answer of its letter, so that it is held.
func held(t *testing.T, b *bundle, d gateway.Draft) *gateway.Intent {
	t.Helper()
	i := b.accept(t, d)
	dispatchLater(t, b, i.Messages[0].ID)
	b.clock.advance(2 * time.Minute)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Held {
		t.Fatalf("%s, want held", s[0])
	}
	return i
}

// holding is a bundle whose first channel holds what it does not know of, and answers as told.
func holding(t *testing.T, outcomes ...gateway.Outcome) *bundle {
	t.Helper()
	b := setup(t, func(c *gateway.Config) {
		c.Policies = map[string]gateway.Policy{"first": {OnUnknown: gateway.Hold}}
	})
	b.first.outcomes = outcomes
	return b
}

// lastEvent is the last event of an intent.
func lastEvent(t *testing.T, b *bundle, id string) gateway.Event {
	t.Helper()
	_, events, err := b.Intent(t.Context(), "huskeservice", id)
	if err != nil || len(events) == 0 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	return events[len(events)-1]
}

func TestReleaseSendsAgainWithTheSameIdentity(t *testing.T) {
	t.Parallel()
	b := holding(t, gateway.Outcome{Class: gateway.Unknown}, gateway.Outcome{Class: gateway.Retry, Code: "busy"}, accepted)
	i := held(t, b, draft(t, "r1"))
	id := i.Messages[0].ID
	b.clock.advance(100 * time.Hour) // longer than retries go on: the release begins anew
	got, err := b.Release(t.Context(), "huskeservice", id, "Modtageren har ikke fået brevet")
	if err != nil || got.Status != gateway.IntentAccepted || got.Messages[0].State != gateway.Queued {
		t.Fatalf("%+v, %v", got, err)
	}
	if e := lastEvent(t, b, i.ID); e.Code != "held.released" || e.Text != "Modtageren har ikke fået brevet" || e.Status != gateway.Queued {
		t.Fatalf("event %+v", e)
	}
	if last := b.queue.ensured[len(b.queue.ensured)-1]; last.ID != id || !last.DueAt.Equal(b.clock.Now()) {
		t.Fatalf("the queue was told %+v", last)
	}
	// A busy far end does not hold it again: the decision to send stands. But it may have left, so it cannot be cancelled.
	dispatchLater(t, b, id)
	if s := b.states(t, i.ID); s[0] != gateway.Queued {
		t.Fatalf("after a busy far end: %s", s[0])
	}
	if _, err := b.Cancel(t.Context(), "huskeservice", i.ID); !errors.Is(err, gateway.ErrTooLate) {
		t.Fatalf("cancel: %v", err)
	}
	b.clock.advance(time.Minute)
	if err := b.Dispatch(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	l := b.first.letters()
	if len(l) != 3 || l[2].Message.MessageUUID != l[0].Message.MessageUUID || l[2].Message.AfsendelseID != l[0].Message.AfsendelseID {
		t.Fatalf("%d letters", len(l))
	}
	if s := b.states(t, i.ID); s[0] != gateway.Submitted {
		t.Fatal(s)
	}
}

func TestAReleasedLetterThatIsLostAgainIsHeldAgain(t *testing.T) {
	t.Parallel()
	b := holding(t, gateway.Outcome{Class: gateway.Unknown})
	i := held(t, b, draft(t, "r1"))
	if _, err := b.Release(t.Context(), "huskeservice", i.Messages[0].ID, "igen"); err != nil {
		t.Fatal(err)
	}
	dispatchLater(t, b, i.Messages[0].ID)
	b.clock.advance(2 * time.Minute)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Held || len(b.first.letters()) != 2 {
		t.Fatalf("%s after %d letters", s[0], len(b.first.letters()))
	}
}

func TestCloseEndsAHeldMessage(t *testing.T) {
	t.Parallel()
	for as, want := range map[gateway.MessageState]gateway.IntentStatus{
		gateway.Failed: gateway.IntentFailed, gateway.Delivered: gateway.IntentDelivered,
	} {
		b := holding(t, gateway.Outcome{Class: gateway.Unknown})
		i := held(t, b, draft(t, "r1", "first", "second"))
		got, err := b.Close(t.Context(), "huskeservice", i.Messages[0].ID, "Borgeren har ringet", as)
		if err != nil || got.Status != want || got.FinalAt.IsZero() || len(got.Messages) != 1 {
			t.Fatalf("%s: %+v, %v", as, got, err)
		}
		if e := lastEvent(t, b, i.ID); e.Code != "held.closed" || e.Text != "Borgeren har ringet" || e.Status != as {
			t.Fatalf("event %+v", e)
		}
		b.clock.advance(time.Hour)
		if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil || len(b.first.letters()) != 1 {
			t.Fatalf("%s: %v, %d letters", as, err, len(b.first.letters()))
		}
		if r := b.settle(t, i.Messages[0], gateway.ReceiptDelivered, ""); r.Changed != (as == gateway.Failed) {
			t.Fatalf("%s: a late status: %+v", as, r)
		}
	}
}

func TestDecisionsAreRefused(t *testing.T) {
	t.Parallel()
	b := holding(t, gateway.Outcome{Class: gateway.Unknown})
	d := draft(t, "r1")
	d.Expires = began.Add(time.Hour)
	i := held(t, b, d)
	sent := b.accept(t, draft(t, "r2"))
	id := i.Messages[0].ID
	decide := func(producer, id, reason string, want error) {
		t.Helper()
		_, released := b.Release(t.Context(), producer, id, reason)
		_, closed := b.Close(t.Context(), producer, id, reason, gateway.Failed)
		if !errors.Is(released, want) || !errors.Is(closed, want) {
			t.Errorf("release: %v; close: %v; want %v", released, closed, want)
		}
	}
	decide("somebody", id, "x", gateway.ErrNotFound)
	decide("huskeservice", "msg_none", "x", gateway.ErrNotFound)
	decide("huskeservice", sent.Messages[0].ID, "x", gateway.ErrNotHeld)
	for reason, code := range map[string]string{
		"": "required", "  ": "required", strings.Repeat("å", 501): "text.too_long", "a\nb": "text.invalid",
	} {
		_, released := b.Release(t.Context(), "huskeservice", id, reason)
		_, closed := b.Close(t.Context(), "huskeservice", id, reason, gateway.Failed)
		for _, err := range []error{released, closed} {
			var invalid *gateway.Invalid
			if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Pointer != "/reason" || invalid.Problems[0].Code != code {
				t.Errorf("reason of %d bytes: %v, want %s", len(reason), err, code)
			}
		}
	}
	var invalid *gateway.Invalid
	if _, err := b.Close(t.Context(), "huskeservice", id, "x", gateway.Cancelled); !errors.As(err, &invalid) || invalid.Problems[0].Pointer != "/outcome" {
		t.Errorf("closed as cancelled: %v", err)
	}
	b.clock.advance(time.Hour)
	if _, err := b.Release(t.Context(), "huskeservice", id, "x"); !errors.Is(err, gateway.ErrExpired) {
		t.Errorf("released after it expired: %v", err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Held {
		t.Errorf("a refused decision made it %s", s[0])
	}
	if _, err := b.Close(t.Context(), "huskeservice", id, strings.Repeat("å", 500), gateway.Failed); err != nil {
		t.Errorf("after it expired it can still be closed: %v", err)
	}
}
