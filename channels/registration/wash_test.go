package registration_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/brevdue/brevdue/channels/registration"
	"github.com/brevdue/brevdue/sf1601"
)

var errLine = errors.New("line 4: not a CPR number")

// list is n questions. Number 3 of every ten could not be read, number 5 is not registered.
func list(t testing.TB, n int, drawn *atomic.Int64) iter.Seq[registration.Question] {
	t.Helper()
	return func(yield func(registration.Question) bool) {
		for k := range n {
			q := registration.Question{Service: sf1601.DigitalPost, Err: errLine}
			if k%10 != 3 {
				q.ID, q.Err = cpr(t, fmt.Sprintf("%06d%04d", 10100+k/10, 9990+k%10)), nil
			}
			if drawn != nil {
				drawn.Add(1)
			}
			if !yield(q) {
				return
			}
		}
	}
}

func TestWashKeepsTheOrder(t *testing.T) {
	t.Parallel()
	for _, concurrency := range []int{-1, 1, 2, 16} {
		var now, most atomic.Int64
		far := &farEnd{}
		far.answer = func(_ context.Context, _ sf1601.Service, id sf1601.Identifier) (bool, error) {
			defer now.Add(-1)
			for n := now.Add(1); ; {
				if seen := most.Load(); n <= seen || most.CompareAndSwap(seen, n) {
					break
				}
			}
			return id.Value[9] != '5', nil
		}
		r := open(t, registration.Config{Forespoerg: far})
		next := 0
		for a := range r.Wash(t.Context(), list(t, 1000, nil), concurrency) {
			unreadable := next%10 == 3
			if a.N != next || errors.Is(a.Err, errLine) != unreadable || !unreadable && a.Err != nil ||
				a.Registered != (!unreadable && next%10 != 5) || a.ID.IsZero() != unreadable {
				t.Fatalf("answer %d: %+v", next, a)
			}
			next++
		}
		if next != 1000 || far.asked.Load() != 900 {
			t.Fatalf("%d answers to 1000 lines, %d questions", next, far.asked.Load())
		}
		if most.Load() > int64(max(concurrency, 1)) {
			t.Errorf("%d questions at once, want at most %d", most.Load(), concurrency)
		}
	}
}

// TestWashHoldsFewLines has nothing answered: no more is drawn from the list than may be under way.
func TestWashHoldsFewLines(t *testing.T) {
	t.Parallel()
	const concurrency = 4
	release := make(chan struct{})
	far := &farEnd{answer: func(context.Context, sf1601.Service, sf1601.Identifier) (bool, error) {
		<-release
		return true, nil
	}}
	r := open(t, registration.Config{Forespoerg: far})
	var drawn atomic.Int64
	questions := func(yield func(registration.Question) bool) {
		for k := range 100 {
			drawn.Add(1)
			if !yield(registration.Question{Service: sf1601.NemSMS, ID: cpr(t, fmt.Sprintf("25124800%02d", k))}) {
				return
			}
		}
	}
	var all sync.WaitGroup
	answers := 0
	all.Go(func() {
		for range r.Wash(t.Context(), questions, concurrency) {
			answers++
		}
	})
	waitFor(t, func() bool { return registration.Waiting(r) == concurrency && drawn.Load() == concurrency+1 })
	close(release)
	all.Wait()
	if answers != 100 {
		t.Fatalf("%d answers", answers)
	}
}

func TestOneFailureStopsNoOther(t *testing.T) {
	t.Parallel()
	broken := &sf1601.Error{Class: sf1601.Denied, Op: sf1601.OpForespoerg}
	far := &farEnd{answer: func(_ context.Context, _ sf1601.Service, id sf1601.Identifier) (bool, error) {
		if id.Value[9] == '7' {
			return false, broken
		}
		return true, nil
	}}
	failed, answered := 0, 0
	for a := range open(t, registration.Config{Forespoerg: far}).Wash(t.Context(), list(t, 100, nil), 8) {
		switch {
		case errors.Is(a.Err, broken):
			failed++
		case a.Err == nil && a.Registered:
			answered++
		}
	}
	if failed != 10 || answered != 80 {
		t.Fatalf("%d failed, %d answered", failed, answered)
	}
}

func TestWashCanBeLeft(t *testing.T) {
	t.Parallel()
	var drawn atomic.Int64
	seen := 0
	for range open(t, registration.Config{Forespoerg: &farEnd{}}).Wash(t.Context(), list(t, 100_000, &drawn), 8) {
		if seen++; seen == 10 {
			break
		}
	}
	if n := drawn.Load(); n > 100 {
		t.Fatalf("%d lines were drawn for 10 answers", n)
	}
}

func TestWashEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var drawn atomic.Int64
	seen := 0
	for a := range open(t, registration.Config{Forespoerg: &farEnd{}}).Wash(ctx, list(t, 100_000, &drawn), 8) {
		if a.N != seen {
			t.Fatalf("answer %d is number %d", seen, a.N)
		}
		if seen++; seen == 10 {
			cancel()
		}
	}
	if n := drawn.Load(); n > 1000 || int64(seen) > n {
		t.Fatalf("%d lines were drawn, %d answered", n, seen)
	}
}

func TestAnEmptyListHasNoAnswers(t *testing.T) {
	t.Parallel()
	for range open(t, registration.Config{Forespoerg: &farEnd{}}).Wash(t.Context(), list(t, 0, nil), 8) {
		t.Fatal("an answer to nothing")
	}
}

func BenchmarkWash(b *testing.B) {
	r, err := registration.New(registration.Config{Forespoerg: &farEnd{}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for range r.Wash(context.Background(), list(b, 10_000, nil), 16) {
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "lines/s")
}
