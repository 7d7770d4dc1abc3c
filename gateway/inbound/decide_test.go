package inbound_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/inbound"
)

var because = inbound.Decision{By: "operator", Reason: "Sagen hører til ESDH"}

func TestADeliveredPostCanBeDeliveredAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.accept(letter())
	w.deliver(p.ID)
	if _, err := w.service.Redeliver(t.Context(), p.ID, because); err != nil {
		t.Fatal(err)
	}
	w.deliver(p.ID)
	p, events := w.view(p.ID)
	if len(w.targets["desk"].memos) != 2 || p.State != gateway.PostDelivered || codes(events) != "received delivered redeliver delivered" {
		t.Errorf("%d times, %s: %s", len(w.targets["desk"].memos), p.State, codes(events))
	}
	if len(w.queue.posts) != 2 {
		t.Errorf("queued %v", w.queue.posts)
	}
}

func TestAPostIsRoutedByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.targets["desk"].outcomes = []inbound.Outcome{{Verdict: inbound.Refused, Code: "smtp.550"}}
	w.targets["esdh"].outcomes = []inbound.Outcome{{Verdict: inbound.Refused, Code: "folder.closed"}}
	p := w.accept(letter())
	w.deliver(p.ID)
	if p, _ = w.view(p.ID); p.State != gateway.PostHeld {
		t.Fatal(p.State)
	}
	if _, err := w.service.Reroute(t.Context(), p.ID, "esdh", because); err != nil {
		t.Fatal(err)
	}
	w.deliver(p.ID)
	if p, _ = w.view(p.ID); p.State != gateway.PostHeld { // no rule says what follows on a decision by hand
		t.Fatalf("%s at %s", p.State, p.Target)
	}
	if _, err := w.service.Reroute(t.Context(), p.ID, "boern", because); err != nil {
		t.Fatal(err)
	}
	w.deliver(p.ID)
	if p, _ = w.view(p.ID); p.State != gateway.PostDelivered || p.Target != "boern" {
		t.Errorf("%s at %s", p.State, p.Target)
	}
}

func TestAQuarantinedPostIsReleasedOrClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *inbound.Config) { c.Scanner = scanner(func([]byte) (string, error) { return "x", nil }) })
	p := w.accept(letter())
	if _, err := w.service.Reroute(t.Context(), p.ID, "esdh", because); !isInvalid(err, "", "post.state") {
		t.Errorf("rerouted out of quarantine: %v", err)
	}
	if _, err := w.service.Redeliver(t.Context(), p.ID, because); !isInvalid(err, "", "post.state") {
		t.Errorf("redelivered out of quarantine: %v", err)
	}
	if _, err := w.service.Release(t.Context(), p.ID, because); err != nil {
		t.Fatal(err)
	}
	w.deliver(p.ID)
	if p, _ = w.view(p.ID); p.State != gateway.PostDelivered {
		t.Error(p.State)
	}
	if _, err := w.service.Close(t.Context(), p.ID, because); !isInvalid(err, "", "post.state") {
		t.Errorf("closed after it was delivered: %v", err)
	}
}

func TestADecisionNeedsAReasonAndWhatThereIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.accept(letter())
	for _, reason := range []string{"", "  ", "to\nlinjer", strings.Repeat("x", gateway.MaxReason+1), "\xff"} {
		if _, err := w.service.Close(t.Context(), p.ID, inbound.Decision{Reason: reason}); !isInvalid(err, "/reason", "reason") {
			t.Errorf("%q: %v", reason, err)
		}
	}
	if _, err := w.service.Reroute(t.Context(), p.ID, "nobody", because); !isInvalid(err, "/target", "target.unknown") {
		t.Error(err)
	}
	if _, err := w.service.Reroute(t.Context(), p.ID, "producer", because); !isInvalid(err, "", "post.state") {
		t.Error(err)
	}
	if _, err := w.service.Close(t.Context(), "inb_none", because); !errors.Is(err, gateway.ErrNotFound) {
		t.Error(err)
	}
	if _, events := w.view(p.ID); codes(events) != "received" {
		t.Errorf("something happened: %s", codes(events))
	}
}

func isInvalid(err error, pointer, code string) bool {
	invalid, ok := errors.AsType[*gateway.Invalid](err)
	return ok && len(invalid.Problems) == 1 && invalid.Problems[0].Pointer == pointer && invalid.Problems[0].Code == code
}
