package breaker_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brevdue/brevdue/channels/breaker"
	"github.com/brevdue/brevdue/gateway"
)

// far is a channel that answers what it is told.
type far struct {
	mu      sync.Mutex
	outcome gateway.Class
	calls   int
	witness bool
}

func (*far) Name() string                                            { return "far" }
func (*far) Check(context.Context, gateway.Letter) []gateway.Problem { return nil }
func (f *far) Witnesses() bool                                       { return f.witness }
func (f *far) LastWord() bool                                        { return f.witness }

func (f *far) Send(context.Context, gateway.Letter) gateway.Outcome {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	return gateway.Outcome{Class: f.outcome}
}

// patient is a channel whose statuses take their time.
type patient struct{ far }

func (*patient) StatusWithin() time.Duration { return 240 * time.Hour }

func TestWrapKeepsTheTimeThatStatusesTake(t *testing.T) {
	t.Parallel()
	if d := breaker.Wrap(&patient{}, breaker.Config{}).StatusWithin(); d != 240*time.Hour {
		t.Error(d)
	}
	if d := breaker.Wrap(&far{}, breaker.Config{}).StatusWithin(); d != 0 {
		t.Error(d)
	}
}

func (f *far) set(c gateway.Class) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.outcome = c
}

func TestBreakerStopsHammeringAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var states []string
		f := &far{outcome: gateway.Retry}
		b := breaker.Wrap(f, breaker.Config{Failures: 3, Pause: time.Minute, Trials: 2, Changed: func(s string) { states = append(states, s) }})
		for range 10 {
			b.Send(t.Context(), gateway.Letter{})
		}
		if f.calls != 3 || b.State() != "open" {
			t.Fatalf("%d calls, %s", f.calls, b.State())
		}
		o := b.Send(t.Context(), gateway.Letter{})
		if o.Class != gateway.Retry || o.Code != breaker.Code || o.RetryAfter != time.Minute {
			t.Fatalf("%+v", o)
		}
		if wait := time.Until(b.Opens(time.Now())); wait != time.Minute {
			t.Fatalf("opens in %s", wait)
		}
		time.Sleep(61 * time.Second) // fake time
		if !b.Opens(time.Now()).Equal(time.Now()) {
			t.Fatal("still closed for the gateway after the pause")
		}
		b.Send(t.Context(), gateway.Letter{}) // on trial, and fails
		if f.calls != 4 || b.State() != "open" {
			t.Fatalf("after a failed trial: %d calls, %s", f.calls, b.State())
		}
		f.set(gateway.Accept)
		time.Sleep(61 * time.Second)
		for range 2 {
			b.Send(t.Context(), gateway.Letter{})
		}
		if b.State() != "closed" || f.calls != 6 {
			t.Fatalf("%s after %d calls", b.State(), f.calls)
		}
		if want := []string{"open", "half-open", "open", "half-open", "closed"}; !slices.Equal(states, want) {
			t.Fatalf("%v, want %v", states, want)
		}
	})
}

func TestRefusedLettersAreNoFailureOfTheFarEnd(t *testing.T) {
	t.Parallel()
	for _, class := range []gateway.Class{gateway.Accept, gateway.Fail, gateway.Next} {
		f := &far{outcome: class}
		b := breaker.Wrap(f, breaker.Config{Failures: 2})
		for range 50 {
			b.Send(t.Context(), gateway.Letter{})
		}
		if f.calls != 50 || b.State() != "closed" {
			t.Errorf("%s: %d calls, %s", class, f.calls, b.State())
		}
	}
}

func TestWrapKeepsTheChannelsNature(t *testing.T) {
	t.Parallel()
	if b := breaker.Wrap(&far{witness: true}, breaker.Config{}); b.Name() != "far" || !b.Witnesses() || !b.LastWord() {
		t.Fatalf("%s, %t, %t", b.Name(), b.Witnesses(), b.LastWord())
	}
	if b := breaker.Wrap(&far{}, breaker.Config{}); b.Witnesses() || b.LastWord() {
		t.Fatal("a channel without evidence became a witness, or its acceptance final")
	}
}
