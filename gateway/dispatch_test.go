package gateway_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

func TestDispatchSendsAndWaitsForStatus(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	got := b.view(t, i.ID)
	if got.Status != gateway.IntentSubmitted || got.Messages[0].TransmissionID != "tr-1" || got.Messages[0].Attempts != 1 {
		t.Fatalf("intent %+v", got)
	}
	// A second task for the same message finds nothing to do.
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if n := len(b.first.letters()); n != 1 {
		t.Fatalf("sent %d times", n)
	}
	b.settle(t, i.Messages[0], gateway.ReceiptReceived, "")
	if got := b.view(t, i.ID); got.Status != gateway.IntentSubmitted || got.Messages[0].State != gateway.Received {
		t.Fatalf("after Modtaget: %s, %s; it must be interim", got.Status, got.Messages[0].State)
	}
	b.settle(t, i.Messages[0], gateway.ReceiptDelivered, "")
	if got := b.view(t, i.ID); got.Status != gateway.IntentDelivered || got.FinalAt.IsZero() {
		t.Fatalf("after Afleveret: %s, final at %s", got.Status, got.FinalAt)
	}
}

func TestAcceptedIsDeliveredWhereNoStatusEverFollows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.lastWord = true
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := b.view(t, i.ID); got.Status != gateway.IntentDelivered || got.Messages[0].SubmittedAt.IsZero() || got.FinalAt.IsZero() {
		t.Fatalf("%+v", got)
	}
}

func TestRetryKeepsIdentityAndGrows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	busy := gateway.Outcome{Class: gateway.Retry, Code: "kombi.http.503"}
	b.first.outcomes = []gateway.Outcome{busy, busy, {Class: gateway.Retry, RetryAfter: time.Minute}, accepted}
	i := b.accept(t, draft(t, "r1"))
	for n, want := range []time.Duration{2 * time.Second, 4 * time.Second, time.Minute} {
		later := dispatchLater(t, b, i.Messages[0].ID)
		if !later.Counted || later.At.Sub(b.clock.Now()) != want {
			t.Fatalf("attempt %d: back in %s (counted %t), want %s", n+1, later.At.Sub(b.clock.Now()), later.Counted, want)
		}
		if s := b.states(t, i.ID); s[0] != gateway.Queued {
			t.Fatalf("between attempts: %s", s[0])
		}
		// Too early: not sent, and not counted.
		if early := dispatchLater(t, b, i.Messages[0].ID); early.Counted {
			t.Fatal("an early task counts as a failure")
		}
		b.clock.advance(want)
	}
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	letters := b.first.letters()
	if len(letters) != 4 {
		t.Fatalf("%d attempts", len(letters))
	}
	for _, l := range letters[1:] {
		if l.Message.MessageUUID != letters[0].Message.MessageUUID || l.Message.TransactionID != letters[0].Message.TransactionID {
			t.Fatal("an attempt has another identity than the first")
		}
	}
}

func TestRetryGivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *gateway.Config) {
		c.Policies = map[string]gateway.Policy{"first": {GiveUpAfter: time.Hour}}
	})
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Retry, Code: "busy"}}
	i := b.accept(t, draft(t, "r1"))
	for range 1000 {
		err := b.Dispatch(t.Context(), i.Messages[0].ID)
		if err == nil {
			break
		}
		b.clock.advance(b.view(t, i.ID).Messages[0].DueAt.Sub(b.clock.Now()))
	}
	if s := b.states(t, i.ID); s[0] != gateway.Failed {
		t.Fatalf("after %s of retries: %s", b.clock.Now().Sub(began), s[0])
	}
}

func TestUnknownWaitsForStatus(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Unknown, Code: "answer.missing"}}
	i := b.accept(t, draft(t, "r1"))
	later := dispatchLater(t, b, i.Messages[0].ID)
	if wait := later.At.Sub(b.clock.Now()); wait != 2*time.Minute {
		t.Fatalf("waits %s", wait)
	}
	b.clock.advance(time.Minute)
	dispatchLater(t, b, i.Messages[0].ID)
	b.settle(t, i.Messages[0], gateway.ReceiptDelivered, "")
	b.clock.advance(time.Hour)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if n := len(b.first.letters()); n != 1 {
		t.Fatalf("sent %d times although a status came", n)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatal(s)
	}
}

func TestUnknownResendsWithTheSameIdentity(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Unknown}, accepted}
	i := b.accept(t, draft(t, "r1"))
	dispatchLater(t, b, i.Messages[0].ID)
	b.clock.advance(2 * time.Minute)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	l := b.first.letters()
	if len(l) != 2 || l[0].Message.MessageUUID != l[1].Message.MessageUUID {
		t.Fatalf("%d letters", len(l))
	}
}

func TestUnknownIsHeldWhereTheChannelSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *gateway.Config) {
		c.Policies = map[string]gateway.Policy{"first": {OnUnknown: gateway.Hold}}
	})
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Unknown}}
	i := b.accept(t, draft(t, "r1"))
	dispatchLater(t, b, i.Messages[0].ID)
	b.clock.advance(2 * time.Minute)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := b.view(t, i.ID); got.Status != gateway.IntentHeld || len(b.first.letters()) != 1 {
		t.Fatalf("%s after %d attempts", got.Status, len(b.first.letters()))
	}
	// A late status still settles it.
	b.settle(t, i.Messages[0], gateway.ReceiptDelivered, "")
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatal(s)
	}
}

func TestStatusOvertakesTheAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Unknown, Code: "answer.missing"}}
	b.first.whileSent = func(l gateway.Letter) { b.settle(t, l.Message, gateway.ReceiptDelivered, "") }
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatalf("%s: the lost answer took a delivered letter back", s[0])
	}
}

func TestNextChannelTakesOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Next, Code: "not.registered"}}
	i := b.accept(t, draft(t, "r1", "first", "second"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	got := b.view(t, i.ID)
	if len(got.Messages) != 2 || got.Messages[0].State != gateway.Superseded || got.Messages[1].Channel != "second" {
		t.Fatalf("%+v", got.Messages)
	}
	if got.Messages[0].MessageUUID == got.Messages[1].MessageUUID {
		t.Fatal("the next channel's letter has the identity of the first")
	}
	if got.Status != gateway.IntentAccepted {
		t.Fatalf("intent %s while the fallback waits", got.Status)
	}
	if last := b.queue.enqueued[len(b.queue.enqueued)-1]; last.ID != got.Messages[1].ID {
		t.Fatal("the fallback was not enqueued")
	}
	if err := b.Dispatch(t.Context(), got.Messages[1].ID); err != nil {
		t.Fatal(err)
	}
	b.settle(t, got.Messages[1], gateway.ReceiptDelivered, "")
	if got := b.view(t, i.ID); got.Status != gateway.IntentDelivered {
		t.Fatal(got.Status)
	}
}

func TestNextWithoutNextFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Next, Code: "not.registered"}}
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	_, events, err := b.Intent(t.Context(), "huskeservice", i.ID)
	if err != nil {
		t.Fatal(err)
	}
	if last := events[len(events)-1]; last.Status != gateway.Failed || last.Code != "not.registered" {
		t.Fatalf("%+v", last)
	}
}

func TestUnclassifiedOutcomeNeedsAPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: "surprise"}}
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Failed {
		t.Fatal(s)
	}
}

func TestExpiryEndsWhatHasNotLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Retry}}
	d := draft(t, "r1")
	d.Expires = began.Add(time.Minute)
	i := b.accept(t, d)
	dispatchLater(t, b, i.Messages[0].ID)
	b.clock.advance(time.Minute)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := b.view(t, i.ID); got.Status != gateway.IntentExpired || len(b.first.letters()) != 1 {
		t.Fatalf("%s after %d attempts", got.Status, len(b.first.letters()))
	}
}

func TestExpiryDoesNotHideALetterThatMayHaveLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Unknown}}
	d := draft(t, "r1")
	d.Expires = began.Add(time.Minute)
	i := b.accept(t, d)
	dispatchLater(t, b, i.Messages[0].ID)
	b.clock.advance(time.Hour)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Failed {
		t.Fatalf("%s: a letter that may have been accepted is not merely expired", s[0])
	}
	b.settle(t, i.Messages[0], gateway.ReceiptDelivered, "")
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatal("the late success was not believed")
	}
}

func TestNothingLeavesOutsideItsWindow(t *testing.T) {
	t.Parallel()
	opens := began.Add(3 * time.Hour)
	b := setup(t, func(c *gateway.Config) {
		c.Policies = map[string]gateway.Policy{"first": {Opens: func(asked string, now time.Time) time.Time {
			if asked == "day" && now.Before(opens) {
				return opens
			}
			return now
		}}}
	})
	d := draft(t, "r1")
	d.Window = "day"
	i := b.accept(t, d)
	later := dispatchLater(t, b, i.Messages[0].ID)
	if !later.At.Equal(opens) || later.Counted {
		t.Fatalf("%+v", later)
	}
	if got := b.view(t, i.ID); got.Status != gateway.IntentScheduled || len(b.first.letters()) != 0 {
		t.Fatal(got.Status)
	}
	b.clock.advance(3 * time.Hour)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if len(b.first.letters()) != 1 {
		t.Fatal("not sent when the window opened")
	}
}

func TestNotBefore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := draft(t, "r1")
	d.NotBefore = began.Add(time.Hour)
	i := b.accept(t, d)
	if i.Status != gateway.IntentScheduled || i.Messages[0].State != gateway.Scheduled {
		t.Fatal(i.Status)
	}
	dispatchLater(t, b, i.Messages[0].ID)
	b.clock.advance(time.Hour)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Submitted {
		t.Fatal(s)
	}
}

func TestDispatchOfUnknownMessageIsNothingToDo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if err := b.Dispatch(t.Context(), "msg_gone"); err != nil {
		t.Fatal(err)
	}
}

func TestEventsTellTheWholeStory(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Retry, Code: "kombi.http.503", Text: "busy"}, accepted}
	i := b.accept(t, draft(t, "r1"))
	dispatchLater(t, b, i.Messages[0].ID)
	b.clock.advance(time.Minute)
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	b.settle(t, i.Messages[0], gateway.ReceiptDelivered, "")
	events, err := b.Events(t.Context(), "huskeservice", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var story []gateway.MessageState
	for _, e := range events {
		story = append(story, e.Status)
	}
	want := []gateway.MessageState{gateway.Queued, gateway.Queued, gateway.Submitted, gateway.Delivered}
	if !slices.Equal(story, want) {
		t.Fatalf("%v, want %v", story, want)
	}
	if e := events[1]; e.Code != "kombi.http.503" || e.Text != "busy" || e.Attempt != 1 {
		t.Fatalf("the raw answer is missing: %+v", e)
	}
	if other, err := b.Events(t.Context(), "somebody", 0, 100); err != nil || len(other) != 0 {
		t.Fatalf("another producer sees %d events, %v", len(other), err)
	}
}

// dispatchLater dispatches and expects to be asked to come back.
func dispatchLater(t *testing.T, b *bundle, id string) gateway.Later {
	t.Helper()
	var later *gateway.Later
	if err := b.Dispatch(t.Context(), id); !errors.As(err, &later) {
		t.Fatalf("Dispatch: %v, want Later", err)
	}
	return *later
}
