package inbound_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/sf1601/memo"
)

func boern(m *memo.Message) {
	m.Header.ContentData = &memo.ContentData{KLEdata: &memo.KLEdata{SubjectKey: "27.24.00", Version: "-", Label: "Børn"}}
}

func TestATargetThatDoesNotAnswerIsAskedAgainAndAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.targets["desk"].outcomes = []inbound.Outcome{{Verdict: inbound.Later, Code: "smtp.451", Err: errors.New("busy")}}
	p := w.accept(letter())
	var waits []time.Duration
	for range 12 {
		again := w.deliver(p.ID)
		if again <= 0 {
			t.Fatal("it ended")
		}
		waits = append(waits, again)
		if w.deliver(p.ID); len(w.targets["desk"].memos) != len(waits) {
			t.Fatal("it was tried before its time")
		}
		w.clock.advance(again)
	}
	if waits[0] != inbound.DefaultRetryFirst || waits[11] != inbound.DefaultRetryMax {
		t.Errorf("pauses %v", waits)
	}
	w.targets["desk"].outcomes = []inbound.Outcome{{Verdict: inbound.Taken}}
	if again := w.deliver(p.ID); again != 0 {
		t.Error("it should have been taken")
	}
	p, events := w.view(p.ID)
	if p.State != gateway.PostDelivered || p.Attempts != 13 || !p.DueAt.IsZero() || p.LeasedTo != "" || !p.FinalAt.Equal(w.clock.now()) {
		t.Errorf("%+v", p)
	}
	if got := codes(events); got != "received"+strings.Repeat(" later", 12)+" delivered" {
		t.Error(got)
	}
	for _, e := range events {
		if strings.Contains(e.Text, "busy") {
			t.Error("an event tells the private cause")
		}
	}
}

func TestATargetThatWantsAPauseGetsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.targets["desk"].outcomes = []inbound.Outcome{{Verdict: inbound.Later, Code: "http.503", RetryAfter: 7 * time.Minute}}
	p := w.accept(letter())
	if again := w.deliver(p.ID); again != 7*time.Minute {
		t.Error(again)
	}
}

func TestATargetThatRefusesIsFollowedByTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.targets["boern"].outcomes = []inbound.Outcome{{Verdict: inbound.Refused, Code: "http.410", Text: "Gone."}}
	p := w.accept(letter(boern))
	if p.Rule != "boern" || p.Target != "boern" {
		t.Fatalf("%q %q", p.Rule, p.Target)
	}
	if again := w.deliver(p.ID); again != 0 {
		t.Errorf("the next target follows at once, not after %s", again)
	}
	if p, _ = w.view(p.ID); p.Target != "esdh" || p.State != gateway.PostQueued || len(p.Tried) != 1 {
		t.Fatalf("%+v", p)
	}
	w.targets["esdh"].outcomes = []inbound.Outcome{{Verdict: inbound.Refused, Code: "folder.closed"}}
	if again := w.deliver(p.ID); again != 0 {
		t.Error(again)
	}
	p, events := w.view(p.ID)
	if p.State != gateway.PostHeld || len(p.Tried) != 2 || codes(events) != "received refused held" {
		t.Errorf("%s, tried %v: %s", p.State, p.Tried, codes(events))
	}
}

func TestADeadWorkersPostIsTakenOverWhenItsLeaseEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.accept(letter())
	err := w.journal.Update(t.Context(), func(tx gateway.Tx) error {
		x, err := tx.Post(p.ID)
		if err != nil {
			return err
		}
		x.LeasedTo, x.LeaseEnds = "dead", w.clock.now().Add(inbound.DefaultLease)
		return tx.SavePost(x)
	})
	if err != nil {
		t.Fatal(err)
	}
	if again := w.deliver(p.ID); again != inbound.DefaultLease || len(w.targets["desk"].memos) != 0 {
		t.Fatalf("again in %s", again)
	}
	if n, err := w.service.Sweep(t.Context()); n != 0 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	w.clock.advance(inbound.DefaultLease + time.Minute)
	if n, err := w.service.Sweep(t.Context()); n != 1 || err != nil || len(w.queue.ensured) != 1 {
		t.Errorf("swept %d, %v", n, err)
	}
	if again := w.deliver(p.ID); again != 0 || len(w.targets["desk"].memos) != 1 {
		t.Error("it was not taken over")
	}
}

func TestWhatAPersonDidMeanwhileStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.accept(letter())
	w.targets["desk"].outcomes = []inbound.Outcome{{Verdict: inbound.Later, Code: "slow"}}
	w.targets["desk"].during = func() {
		if _, err := w.service.Close(t.Context(), p.ID, inbound.Decision{By: "operator", Reason: "A mistake"}); err != nil {
			t.Error(err)
		}
	}
	if again := w.deliver(p.ID); again != 0 {
		t.Errorf("again in %s", again)
	}
	p, events := w.view(p.ID)
	if p.State != gateway.PostClosed || codes(events) != "received closed" || events[1].By != "operator" || events[1].Text != "A mistake" {
		t.Errorf("%s: %+v", p.State, events)
	}
}

func TestAPanicOfATargetIsAnAttemptThatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.accept(letter())
	w.targets["desk"].during = func() { panic("2512489996") }
	if again := w.deliver(p.ID); again <= 0 {
		t.Error("it ended")
	}
	if _, events := w.view(p.ID); codes(events) != "received later" || strings.Contains(events[1].Text, "2512489996") {
		t.Errorf("%+v", events)
	}
}

func TestATargetGetsTheBytesThatCame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.accept(letter())
	w.deliver(p.ID)
	if got := w.targets["desk"].memos; len(got) != 1 || got[0] != p.Memo.SHA256 {
		t.Errorf("%v, want %s", got, p.Memo.SHA256)
	}
}
