package gateway_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// slow is a channel whose statuses take their time.
type slow struct{ scripted }

func (s *slow) StatusWithin() time.Duration { return 10 * 24 * time.Hour }

// sweepAfter lets time go by and sweeps.
func (b *bundle) sweepAfter(t *testing.T, d time.Duration) gateway.SweepResult {
	t.Helper()
	b.clock.advance(d)
	r, err := b.Sweep(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestOverdueIsNotedOnceAndChangesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two, done := b.accept(t, draft(t, "r1")), b.accept(t, draft(t, "r2")), b.accept(t, draft(t, "r3"))
	for _, i := range []*gateway.Intent{one, two, done} {
		if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	b.accept(t, draft(t, "r4")) // never sent: nothing is awaited
	b.settle(t, two.Messages[0], gateway.ReceiptReceived, "")
	b.settle(t, done.Messages[0], gateway.ReceiptDelivered, "")
	if r := b.sweepAfter(t, gateway.OverdueAfter-time.Microsecond); r.Overdue != 0 {
		t.Fatalf("too early: %+v", r)
	}
	if r := b.sweepAfter(t, time.Minute); r.Overdue != 2 {
		t.Fatalf("%+v", r)
	}
	if r := b.sweepAfter(t, 48*time.Hour); r.Overdue != 0 {
		t.Fatalf("again: %+v", r)
	}
	for i, want := range map[*gateway.Intent]gateway.MessageState{one: gateway.Submitted, two: gateway.Received} {
		codes, texts := b.events(t, i.ID)
		if last(codes) != "overdue" || !strings.Contains(last(texts), "24h0m0s after it was accepted at 2026-12-01T09:00:00Z") {
			t.Errorf("%s, %q", last(codes), last(texts))
		}
		if got := b.states(t, i.ID)[0]; got != want {
			t.Errorf("%s became %s", want, got)
		}
	}
	h, err := b.Health(t.Context())
	if err != nil || len(h.Overdue) != 1 || h.Overdue[0] != (gateway.OverdueChannel{Channel: "first", Count: 2, Oldest: began}) {
		t.Fatalf("%+v, %v", h, err)
	}
	messages, err := b.Overdue(t.Context(), 10)
	if err != nil || len(messages) != 2 || messages[0].OverdueAt.IsZero() {
		t.Fatalf("%+v, %v", messages, err)
	}
	b.settle(t, one.Messages[0], gateway.ReceiptDelivered, "")
	b.settle(t, two.Messages[0], gateway.ReceiptRejected, gateway.Fail)
	if h, err = b.Health(t.Context()); err != nil || len(h.Overdue) != 0 {
		t.Errorf("%+v, %v", h, err)
	}
}

func TestOverdueByChannel(t *testing.T) {
	t.Parallel()
	const never = 1000 * 24 * time.Hour
	for name, c := range map[string]struct {
		policy   gateway.Policy
		lastWord bool
		slow     bool
		want     time.Duration
	}{
		"default":                    {want: gateway.OverdueAfter},
		"configured":                 {policy: gateway.Policy{OverdueAfter: time.Hour}, want: time.Hour},
		"off":                        {policy: gateway.Policy{OverdueAfter: -1}, want: never},
		"the channel's own":          {slow: true, want: 10 * 24 * time.Hour},
		"configured before its own":  {slow: true, policy: gateway.Policy{OverdueAfter: time.Hour}, want: time.Hour},
		"nothing more is to be said": {lastWord: true, policy: gateway.Policy{OverdueAfter: time.Hour}, want: never},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ch := &slow{scripted{name: "first", lastWord: c.lastWord, outcomes: []gateway.Outcome{accepted}}}
			b := setup(t, func(cfg *gateway.Config) {
				cfg.Policies = map[string]gateway.Policy{"first": c.policy}
				cfg.Channels = []gateway.Channel{&ch.scripted}
				if c.slow {
					cfg.Channels = []gateway.Channel{ch}
				}
			})
			if err := b.Dispatch(context.WithoutCancel(t.Context()), b.accept(t, draft(t, "r1")).Messages[0].ID); err != nil {
				t.Fatal(err)
			}
			if r := b.sweepAfter(t, c.want-time.Minute); r.Overdue != 0 {
				t.Errorf("a minute before %s: %+v", c.want, r)
			}
			want := 1
			if c.want == never {
				want = 0
			}
			if r := b.sweepAfter(t, 2*time.Minute); r.Overdue != want {
				t.Errorf("a minute after %s: %+v", c.want, r)
			}
		})
	}
}

// TestManyOverdueAtOnce: a broker that was silent for a day makes all letters of it overdue; pages do not stop at one.
func TestManyOverdueAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const letters = 250
	for n := range letters {
		i := b.accept(t, draft(t, "r"+time.Duration(n).String()))
		if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
			t.Fatal(err)
		}
	}
	if r := b.sweepAfter(t, 25*time.Hour); r.Overdue != letters {
		t.Fatalf("%+v", r)
	}
}
