package sf1601test_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// A gateway that is down or fails misses nothing, in order, under the same
// BeskedId.
func TestPushIsRepeatedUntilAcknowledged(t *testing.T) {
	t.Parallel()
	g := newGateway(t)
	g.failing = 3
	srv := start(t, sf1601test.Config{
		PushURL: g.URL, Faults: quick(), PushBackoffMin: time.Millisecond, PushBackoffMax: 4 * time.Millisecond,
	})
	p := newPeer(t, srv)
	accepted(t, p.send(letter{}.String()))
	g.wait(t, 2)
	if err := srv.WaitSettled(deadline(t), 1); err != nil {
		t.Fatal(err)
	}
	got := g.statuses()
	if k := kinds(got); k[0] != beskedfordeler.KindModtaget || k[1] != beskedfordeler.KindAfleveret {
		t.Errorf("order %v", k)
	}
	if got[0].Route.Attempts != 4 || got[1].Route.Attempts != 1 {
		t.Errorf("AntalLeveranceforsoeg %d and %d, want 4 and 1", got[0].Route.Attempts, got[1].Route.Attempts)
	}
	if st := srv.Stats().Pushes; st.Sent != 5 || st.Retried != 3 || st.Acknowledged != 2 || st.Pending != 0 || !strings.Contains(st.LastError, "StatusKode 40") {
		t.Errorf("pushes %+v", st)
	}
}

func TestPushWaitsForAGatewayThatIsDown(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{
		PushURL: "https://127.0.0.1:1/", Faults: quick(), PushBackoffMin: time.Millisecond, PushBackoffMax: 5 * time.Millisecond,
	})
	p := newPeer(t, srv)
	accepted(t, p.send(letter{}.String()))
	if err := srv.WaitFor(deadline(t), func(st sf1601test.Stats) bool { return st.Pushes.Retried >= 3 }); err != nil {
		t.Fatal(err)
	}
	g := newGateway(t)
	if err := srv.SetPushURL(g.URL); err != nil {
		t.Fatal(err)
	}
	g.wait(t, 2)
	if err := srv.SetPushURL("http://plain"); err == nil {
		t.Error("a plain URL was taken")
	}
}

func TestPushKeepsItsBeskedIDOverRetries(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var ids []string
	g := newGateway(t)
	g.Config.Handler = beskedfordeler.PushHandler(beskedfordeler.PushConfig{Deliver: func(_ context.Context, _ []byte, b *beskedfordeler.Besked) error {
		mu.Lock()
		defer mu.Unlock()
		if ids = append(ids, b.ID); len(ids) < 3 {
			return context.DeadlineExceeded
		}
		return nil
	}})
	srv := start(t, sf1601test.Config{PushURL: g.URL, Faults: quick(), PushBackoffMin: time.Millisecond, PushBackoffMax: time.Millisecond})
	accepted(t, newPeer(t, srv).send(letter{}.String()))
	if err := srv.WaitSettled(deadline(t), 1); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ids) != 4 || ids[0] != ids[1] || ids[1] != ids[2] || ids[3] == ids[0] {
		t.Errorf("ids %v", ids)
	}
}

func TestPushWithoutAddressIsCounted(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{Faults: quick()})
	accepted(t, newPeer(t, srv).send(letter{}.String()))
	if err := srv.WaitFor(deadline(t), func(st sf1601test.Stats) bool { return st.Pushes.Unrouted == 2 && st.Pushes.Pending == 0 }); err != nil {
		t.Fatal(err)
	}
}

// Beyond MaxPending the far end says 503 instead of growing, and accepts again
// when there is room.
func TestPendingIsBounded(t *testing.T) {
	t.Parallel()
	f := quick()
	f.AfleveretDelay = sf1601test.Duration(time.Hour)
	srv := start(t, sf1601test.Config{MaxPending: 2, Faults: f})
	p := newPeer(t, srv)
	first := letter{}.String()
	accepted(t, p.send(first))
	accepted(t, p.send(letter{}.String()))
	if a := p.send(letter{}.String()); a.status != http.StatusServiceUnavailable {
		t.Errorf("third: %d", a.status)
	}
	if st := srv.Stats(); st.Letters != 2 {
		t.Errorf("letters %d", st.Letters)
	}
	accepted(t, p.send(first)) // a duplicate needs no place
}

func TestDuplicateMayBeRefused(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{RefuseDuplicates: true, Faults: quick()})
	p := newPeer(t, srv)
	body := letter{}.String()
	accepted(t, p.send(body))
	if a := p.send(body); a.status != 200 || !strings.Contains(a.body, "<Result>false</Result>") || !strings.Contains(a.body, "accepted before") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestDuplicateKeepsItsTransmissionID(t *testing.T) {
	t.Parallel()
	_, p, g := town(t, sf1601test.Config{})
	body := letter{}.String()
	first, second := p.send(body), p.send(body)
	if first.body != second.body {
		t.Errorf("answers differ:\n%s\n%s", first.body, second.body)
	}
	if got := g.wait(t, 2); len(got) != 2 {
		t.Errorf("%d statuses", len(got))
	}
}

func TestFaultRates(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		set     func(*sf1601test.Faults)
		outcome string
		status  int // 0 for a cut connection
		letters int64
	}{
		"503":        {func(f *sf1601test.Faults) { f.Rate503 = 1; f.RetryAfter = sf1601test.Duration(1500 * time.Millisecond) }, sf1601test.OutcomeUnavailable, 503, 0},
		"401":        {func(f *sf1601test.Faults) { f.Rate401 = 1 }, sf1601test.OutcomeUnauthorized, 401, 0},
		"cut before": {func(f *sf1601test.Faults) { f.RateCutBefore = 1 }, sf1601test.OutcomeCutBefore, 0, 0},
		"cut after":  {func(f *sf1601test.Faults) { f.RateCutAfter = 1 }, sf1601test.OutcomeCutAfter, 0, 1},
		"latency":    {func(f *sf1601test.Faults) { f.Latency = sf1601test.Duration(time.Millisecond) }, sf1601test.OutcomeAccepted, 200, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := start(t, sf1601test.Config{})
			f := srv.Faults()
			c.set(&f)
			if err := srv.SetFaults(f); err != nil {
				t.Fatal(err)
			}
			p := newPeer(t, srv)
			req := p.kombi(letter{}.String())
			req.GetBody = nil
			a, err := p.do(req)
			if (err != nil) != (c.status == 0) || a.status != c.status {
				t.Errorf("answer %d, %v", a.status, err)
			}
			if name == "503" && a.header.Get("Retry-After") != "2" {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
			if err := srv.WaitFor(deadline(t), func(st sf1601test.Stats) bool { return st.Outcomes[c.outcome] == 1 }); err != nil {
				t.Fatal(err, srv.Stats())
			}
			if st := srv.Stats(); st.Letters != c.letters {
				t.Errorf("letters %d", st.Letters)
			}
		})
	}
	srv := start(t, sf1601test.Config{})
	for _, f := range []sf1601test.Faults{{Rate503: -0.1}, {Rate401: 1.1}, {Rate503: 0.6, RateCutAfter: 0.6}, {TokenLifetime: -1}} {
		if err := srv.SetFaults(f); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}

func TestPushTwice(t *testing.T) {
	t.Parallel()
	f := quick()
	f.RatePushTwice = 1
	_, p, g := town(t, sf1601test.Config{Faults: f})
	accepted(t, p.send(letter{}.String()))
	got := g.wait(t, 4)
	if got[0].ID != got[1].ID || got[2].ID != got[3].ID || got[1].ID == got[2].ID {
		t.Errorf("ids of %v", kinds(got))
	}
}

// The same seed rolls the same dice.
func TestSeedRepeats(t *testing.T) {
	t.Parallel()
	run := func() (out []int) {
		srv := start(t, sf1601test.Config{Seed: 42, Faults: sf1601test.Faults{Rate503: 0.5}})
		p := newPeer(t, srv)
		for range 20 {
			out = append(out, p.send(letter{recipient: "2512489987"}.String()).status)
		}
		return out
	}
	first, second := run(), run()
	ok := 0
	for i := range first {
		if first[i] != second[i] {
			t.Fatalf("runs differ: %v, %v", first, second)
		}
		if first[i] == 200 {
			ok++
		}
	}
	if ok == 0 || ok == len(first) {
		t.Errorf("a rate of one half gave %v", first)
	}
}
