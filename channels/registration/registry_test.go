package registration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/registration"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
)

var _ digitalpost.Registry = (*registration.Registry)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// farEnd answers as told and counts how often it is asked.
type farEnd struct {
	asked  atomic.Int64
	answer func(ctx context.Context, service sf1601.Service, id sf1601.Identifier) (bool, error)
}

func (f *farEnd) PostForespoerg(ctx context.Context, service sf1601.Service, id sf1601.Identifier) (bool, error) {
	f.asked.Add(1)
	if f.answer == nil {
		return id.Value[len(id.Value)-4:] != "9995", nil
	}
	return f.answer(ctx, service, id)
}

// clock is a time that a test moves.
type clock struct{ nanos atomic.Int64 }

func (c *clock) Now() time.Time          { return time.Unix(1_800_000_000, c.nanos.Load()) }
func (c *clock) advance(d time.Duration) { c.nanos.Add(int64(d)) }

func open(t *testing.T, cfg registration.Config) *registration.Registry {
	t.Helper()
	r, err := registration.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func cpr(t testing.TB, digits string) gateway.Identifier {
	t.Helper()
	id, err := gateway.ParseCPR(digits)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// ask demands an answer.
func ask(t *testing.T, r *registration.Registry, service sf1601.Service, id gateway.Identifier, fresh, want bool) {
	t.Helper()
	got, err := r.Registered(t.Context(), service, id, fresh)
	if err != nil || got != want {
		t.Fatalf("%s: %t, %v; want %t", service, got, err, want)
	}
}

func TestAnAnswerIsKeptForItsLife(t *testing.T) {
	t.Parallel()
	far, now := &farEnd{}, &clock{}
	r := open(t, registration.Config{Forespoerg: far, Now: now.Now})
	yes, no := cpr(t, "2512489996"), cpr(t, "2512489995")
	for range 3 {
		ask(t, r, sf1601.DigitalPost, yes, false, true)
		ask(t, r, sf1601.DigitalPost, no, false, false)
	}
	if n := far.asked.Load(); n != 2 {
		t.Fatalf("asked %d times about two people", n)
	}
	now.advance(registration.DefaultLife - 1)
	ask(t, r, sf1601.DigitalPost, yes, false, true)
	if n := far.asked.Load(); n != 2 {
		t.Fatalf("asked again a nanosecond too early: %d", n)
	}
	now.advance(1)
	ask(t, r, sf1601.DigitalPost, yes, false, true)
	if n := far.asked.Load(); n != 3 {
		t.Fatalf("an answer outlived its life: asked %d times", n)
	}
}

func TestServicesAndSchemesAreDifferentQuestions(t *testing.T) {
	t.Parallel()
	far := &farEnd{answer: func(_ context.Context, service sf1601.Service, id sf1601.Identifier) (bool, error) {
		return service == sf1601.NemSMS && id.Type == memo.CPR, nil
	}}
	r := open(t, registration.Config{Forespoerg: far})
	company, err := gateway.ParseCVR("55133018")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		ask(t, r, sf1601.DigitalPost, cpr(t, "2512489996"), false, false)
		ask(t, r, sf1601.NemSMS, cpr(t, "2512489996"), false, true)
		ask(t, r, sf1601.DigitalPost, company, false, false)
	}
	if n := far.asked.Load(); n != 3 {
		t.Fatalf("asked %d times", n)
	}
}

func TestFreshAsksAgainAndRenewsWhatIsKept(t *testing.T) {
	t.Parallel()
	var registered atomic.Bool
	registered.Store(true)
	far := &farEnd{answer: func(context.Context, sf1601.Service, sf1601.Identifier) (bool, error) { return registered.Load(), nil }}
	r := open(t, registration.Config{Forespoerg: far})
	id := cpr(t, "2512489996")
	ask(t, r, sf1601.DigitalPost, id, false, true)
	registered.Store(false)
	ask(t, r, sf1601.DigitalPost, id, false, true)
	ask(t, r, sf1601.DigitalPost, id, true, false)
	ask(t, r, sf1601.DigitalPost, id, false, false)
	if n := far.asked.Load(); n != 2 {
		t.Fatalf("asked %d times", n)
	}
}

func TestAnErrorIsNeitherKeptNorAnAnswer(t *testing.T) {
	t.Parallel()
	broken := &sf1601.Error{Class: sf1601.Temporary, Op: sf1601.OpForespoerg, HTTPStatus: 503}
	var fails atomic.Bool
	fails.Store(true)
	far := &farEnd{answer: func(context.Context, sf1601.Service, sf1601.Identifier) (bool, error) {
		if fails.Load() {
			return true, broken // an answer beside an error is none
		}
		return true, nil
	}}
	r := open(t, registration.Config{Forespoerg: far})
	id := cpr(t, "2512489996")
	for range 2 {
		if got, err := r.Registered(t.Context(), sf1601.NemSMS, id, false); got || !errors.Is(err, broken) || !errors.Is(err, sf1601.ErrTemporary) {
			t.Fatalf("%t, %v", got, err)
		}
	}
	fails.Store(false)
	ask(t, r, sf1601.NemSMS, id, false, true)
	if n := far.asked.Load(); n != 3 {
		t.Fatalf("asked %d times", n)
	}
}

func TestKeepingCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	far := &farEnd{}
	r := open(t, registration.Config{Forespoerg: far, Life: -1})
	for range 3 {
		ask(t, r, sf1601.DigitalPost, cpr(t, "2512489996"), false, true)
	}
	if n := far.asked.Load(); n != 3 {
		t.Fatalf("asked %d times", n)
	}
}

func TestTheOldestAnswerGoesFirst(t *testing.T) {
	t.Parallel()
	far, now := &farEnd{}, &clock{}
	r := open(t, registration.Config{Forespoerg: far, MaxEntries: 3, Now: now.Now})
	id := func(n int) gateway.Identifier { return cpr(t, fmt.Sprintf("25124800%02d", n)) }
	for n := range 4 { // 0 is pushed out by 3
		ask(t, r, sf1601.DigitalPost, id(n), false, true)
		now.advance(time.Second)
	}
	for n := 1; n < 4; n++ {
		ask(t, r, sf1601.DigitalPost, id(n), false, true)
	}
	if n := far.asked.Load(); n != 4 {
		t.Fatalf("asked %d times: a young answer was dropped", n)
	}
	ask(t, r, sf1601.DigitalPost, id(0), false, true)
	if n := far.asked.Load(); n != 5 {
		t.Fatalf("asked %d times: more is kept than allowed", n)
	}
}

// TestOneQuestionForAll has many ask the same while the far end thinks: it is asked once. Those who leave get their own
// error, and nobody else is disturbed.
func TestOneQuestionForAll(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	far := &farEnd{answer: func(ctx context.Context, _ sf1601.Service, _ sf1601.Identifier) (bool, error) {
		select {
		case <-release:
			return true, nil
		case <-ctx.Done():
			return false, ctx.Err()
		}
	}}
	r := open(t, registration.Config{Forespoerg: far})
	id := cpr(t, "2512489996")
	first, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := r.Registered(first, sf1601.DigitalPost, id, false)
		left <- err
	}()
	waitFor(t, func() bool { return far.asked.Load() == 1 })
	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() {
			if got, err := r.Registered(t.Context(), sf1601.DigitalPost, id, n%2 == 0); !got || err != nil {
				t.Errorf("%t, %v", got, err)
			}
		})
	}
	waitFor(t, func() bool { return registration.Waiting(r) == 51 })
	leave() // the one whose context the question was asked under
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatalf("the one who left got %v", err)
	}
	close(release)
	all.Wait()
	if n := far.asked.Load(); n != 1 {
		t.Fatalf("asked %d times at once", n)
	}
}

// TestTheLastToLeaveCallsTheQuestionOff: nobody waits for a far end that nobody wants to hear any more, and who comes
// after that is not given the called-off question's error.
func TestTheLastToLeaveCallsTheQuestionOff(t *testing.T) {
	t.Parallel()
	calledOff := make(chan struct{})
	far := &farEnd{}
	far.answer = func(ctx context.Context, _ sf1601.Service, _ sf1601.Identifier) (bool, error) {
		if far.asked.Load() > 1 {
			return true, nil
		}
		<-ctx.Done()
		defer close(calledOff)
		return false, nil // an answer all the same, but of before
	}
	r := open(t, registration.Config{Forespoerg: far})
	id := cpr(t, "2512489996")
	ctx, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := r.Registered(ctx, sf1601.DigitalPost, id, false)
		left <- err
	}()
	waitFor(t, func() bool { return registration.Waiting(r) == 1 })
	leave()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	<-calledOff
	ask(t, r, sf1601.DigitalPost, id, false, true)
}

func TestAQuestionHasATimeLimit(t *testing.T) {
	t.Parallel()
	far := &farEnd{answer: func(ctx context.Context, _ sf1601.Service, _ sf1601.Identifier) (bool, error) {
		<-ctx.Done()
		return false, ctx.Err()
	}}
	r := open(t, registration.Config{Forespoerg: far, Timeout: time.Millisecond})
	if _, err := r.Registered(t.Context(), sf1601.DigitalPost, cpr(t, "2512489996"), false); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
}

func TestWhatCannotBeAskedIsNotAsked(t *testing.T) {
	t.Parallel()
	far := &farEnd{}
	r := open(t, registration.Config{Forespoerg: far})
	if _, err := r.Registered(t.Context(), sf1601.DigitalPost, gateway.Identifier{}, false); !errors.Is(err, registration.ErrQuestion) {
		t.Error(err)
	}
	if _, err := r.Registered(t.Context(), "fax", cpr(t, "2512489996"), false); !errors.Is(err, registration.ErrQuestion) {
		t.Error(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Registered(ended, sf1601.DigitalPost, cpr(t, "2512489996"), false); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := far.asked.Load(); n != 0 {
		t.Fatalf("asked %d times", n)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		cfg  registration.Config
		want string
	}{
		"nobody to ask":    {registration.Config{}, "Forespoerg"},
		"short key":        {registration.Config{Forespoerg: &farEnd{}, Key: make([]byte, 31)}, "31 bytes"},
		"negative entries": {registration.Config{Forespoerg: &farEnd{}, MaxEntries: -1}, "MaxEntries"},
		"negative timeout": {registration.Config{Forespoerg: &farEnd{}, Timeout: -1}, "Timeout"},
	} {
		if _, err := registration.New(tc.cfg); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoIdentifierIsKept looks for the number in everything the registry holds after the call.
func TestNoIdentifierIsKept(t *testing.T) {
	t.Parallel()
	r := open(t, registration.Config{Forespoerg: &farEnd{}, Key: bytes.Repeat([]byte{7}, 32)})
	ask(t, r, sf1601.DigitalPost, cpr(t, "2512489996"), false, true)
	if held := registration.Held(r); strings.Contains(held, "2512489996") || held == "" {
		t.Fatalf("held: %q", held)
	}
}

// TestManyAtOnce is for the race detector: few identifiers, many callers, a small cache, contexts that end.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	far, now := &farEnd{}, &clock{}
	r := open(t, registration.Config{Forespoerg: far, MaxEntries: 4, Life: time.Second, Now: now.Now})
	ids := make([]gateway.Identifier, 8)
	for n := range ids {
		ids[n] = cpr(t, fmt.Sprintf("251248999%d", n))
	}
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for n := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				if (worker+n)%7 == 0 {
					cancel()
				}
				id := ids[(worker+n)%len(ids)]
				got, err := r.Registered(ctx, sf1601.DigitalPost, id, n%11 == 0)
				if want := (worker+n)%len(ids) != 5; err == nil && got != want {
					t.Errorf("%d: %t", (worker+n)%len(ids), got)
				}
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				cancel()
				now.advance(10 * time.Millisecond)
			}
		})
	}
	all.Wait()
	if entries := registration.Entries(r); entries > 4 {
		t.Fatalf("%d answers kept", entries)
	}
}

// waitFor polls, where nothing tells that it has happened.
func waitFor(t *testing.T, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(10 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("waited in vain")
		}
	}
}

func BenchmarkKept(b *testing.B) {
	r, err := registration.New(registration.Config{Forespoerg: &farEnd{}})
	if err != nil {
		b.Fatal(err)
	}
	id := cpr(b, "2512489996")
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := r.Registered(context.Background(), sf1601.DigitalPost, id, false); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}
