package callback

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/queue"
)

// inOrder groups what a receiver took by message, as the numbers of the events.
func inOrder(calls []call) map[string][]int64 {
	lanes := make(map[string][]int64)
	for _, c := range calls {
		lanes[c.Message] = append(lanes[c.Message], c.Seq)
	}
	return lanes
}

// TestAnOutageOfAnHourIsMadeUpInOrder is a receiver that answers 500 for an hour, then takes everything, but for some
// answers that get lost. Every event arrives in the order of its message, twice only where the answer was lost.
func TestAnOutageOfAnHourIsMadeUpInOrder(t *testing.T) {
	t.Parallel()
	k := newClock()
	opens := k.Now().Add(time.Hour)
	var s *site
	lost := make(map[string]bool) // by webhook-id; guarded by s.mu
	s = newSite(t, k, func(w http.ResponseWriter, _ *http.Request, c call) {
		if k.Now().Before(opens) {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		s.took(c)
		s.mu.Lock()
		lose := c.Seq%7 == 0 && !lost[c.ID]
		lost[c.ID] = lost[c.ID] || lose
		s.mu.Unlock()
		if lose {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(http.StatusOK)
	})
	h := setup(t, k)
	url := startRedis(t)
	r := receiverOf(t, s)
	q, one := h.run(t, url, h.journal, r)
	_, two := h.run(t, url, openJournal(t, h.path), r) // a second process
	messages := h.intents(t, producer, 1, 12)
	const rounds, perRound = 6, 2
	tell := func() {
		for range perRound {
			h.happen(t, producer, messages...)
		}
		for _, m := range messages {
			if err := q.EnqueueCallback(t.Context(), gateway.DueCallback{Lane: m, DueAt: k.Now()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	// Three hours in steps of five minutes: a lane that loses an answer, and then a connection that the receiver has closed
	// meanwhile, waits a quarter of an hour for each.
	for n := range 36 {
		if n < rounds {
			tell()
		}
		if n > 0 {
			if _, err := one.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		h.settled(t, producer, sweepGrace, one, two)
		k.advance(5 * time.Minute)
	}
	total := len(messages) * rounds * perRound
	if stats := h.stats(t, producer); stats.Delivered != int64(total) || stats.Pending != 0 || stats.GivenUp != 0 {
		t.Fatalf("%+v, wanted %d delivered", stats, total)
	}
	got := inOrder(s.all())
	for _, m := range messages {
		seqs := got[m]
		if !slices.IsSorted(seqs) {
			t.Errorf("%s: out of order: %v", m, seqs)
		}
		for _, seq := range slices.Compact(slices.Clone(seqs)) {
			want := 1
			if seq%7 == 0 {
				want = 2
			}
			if n := len(slices.DeleteFunc(slices.Clone(seqs), func(s int64) bool { return s != seq })); n != want {
				t.Errorf("%s: event %d came %d times, wanted %d", m, seq, n, want)
			}
		}
		if n := len(slices.Compact(slices.Clone(seqs))); n != rounds*perRound {
			t.Errorf("%s: %d events of %d", m, n, rounds*perRound)
		}
	}
	if calls := one.Stats()[0].Calls + two.Stats()[0].Calls; calls > uint64(3*total) {
		t.Errorf("%d calls for %d events: the outage was not waited for", calls, total)
	}
}

// TestABadMessageBlocksItsOwnLaneOnly: one message is refused for ever, the others are told at once. After 24 hours its
// first event is given up and the next one has its own 24 hours.
func TestABadMessageBlocksItsOwnLaneOnly(t *testing.T) {
	t.Parallel()
	k := newClock()
	var s *site
	bad := "msg_00000000000000000000000002"
	s = newSite(t, k, func(w http.ResponseWriter, _ *http.Request, c call) {
		s.took(c)
		if c.Message == bad {
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	h := setup(t, k, receiverOf(t, s))
	messages := h.intents(t, producer, 1, 3)
	for range 3 {
		h.happen(t, producer, messages...)
	}
	if at := h.deliver(t, messages[0]); !at.IsZero() {
		t.Fatal(at)
	}
	if stats := h.stats(t, producer); stats.Delivered != 6 || stats.Pending != 3 || stats.Failure != "refused" || stats.HTTPStatus != 400 {
		t.Fatalf("%+v", stats)
	}
	began, attempts := k.Now(), 1
	if want := (gateway.DueCallback{Lane: bad, Producer: producer, DueAt: began.Add(5 * time.Second)}); len(h.queue.enqueued) != 1 || h.queue.enqueued[0] != want {
		t.Fatalf("enqueued %+v", h.queue.enqueued)
	}
	for at := began.Add(5 * time.Second); h.stats(t, producer).GivenUp == 0; attempts++ {
		if early := h.deliver(t, bad); !early.Equal(at) {
			t.Fatalf("looked at too early it says %s, wanted %s", early, at)
		}
		k.advance(at.Sub(k.Now()))
		at = h.deliver(t, bad)
	}
	if since := k.Now().Sub(began); since != GiveUpAfter {
		t.Errorf("given up after %s", since)
	}
	// 5 s doubling to 15 min: 0 5 10 20 ... 1280 s, then every 15 min to 24 h, with the last one on the dot.
	if attempts < 90 || attempts > 120 {
		t.Errorf("%d attempts", attempts)
	}
	if seqs := slices.Compact(inOrder(s.all())[bad]); len(seqs) != 2 { // the lane went on with its second
		t.Errorf("events tried: %v", seqs)
	}
	if stats := h.stats(t, producer); stats.Pending != 2 || stats.GivenUp != 1 {
		t.Errorf("%+v", stats)
	}
	if st := h.courier.Stats()[0]; st.Delivered != 6 || st.GivenUp != 1 || st.Failed["refused"] != uint64(attempts+1) || st.InFlight != 0 {
		t.Errorf("%+v after %d attempts", st, attempts)
	}
}

// TestDelays is the doubling, the receiver's own wish and the spread.
func TestDelays(t *testing.T) {
	t.Parallel()
	c := &Courier{jitter: func() float64 { return 0 }}
	var tried time.Duration
	var got []time.Duration
	for range 12 {
		d := c.delay(tried, 0)
		got = append(got, d)
		tried += d
	}
	for n, want := range []int{5, 5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900} {
		if got[n] != time.Duration(want)*time.Second {
			t.Errorf("delay %d is %s, wanted %d s", n, got[n], want)
		}
	}
	for wish, want := range map[time.Duration]time.Duration{
		time.Second: firstDelay, 10 * time.Minute: 10 * time.Minute, 48 * time.Hour: time.Hour,
	} {
		if d := c.delay(0, wish); d != want {
			t.Errorf("wish %s: %s, wanted %s", wish, d, want)
		}
	}
	c.jitter = func() float64 { return 0.999 }
	if d := c.delay(time.Hour, 0); d < 17*time.Minute || d >= 18*time.Minute {
		t.Errorf("spread to %s", d)
	}
}

// TestGone gives an event up at once; a replay tells it again with the name that it had.
func TestGone(t *testing.T) {
	t.Parallel()
	k := newClock()
	status := http.StatusGone
	var s *site
	s = newSite(t, k, func(w http.ResponseWriter, _ *http.Request, c call) {
		s.took(c)
		w.WriteHeader(status)
	})
	h := setup(t, k, receiverOf(t, s))
	m := h.intents(t, producer, 1, 1)[0]
	h.happen(t, producer, m, m)
	if at := h.deliver(t, m); !at.IsZero() {
		t.Fatal(at)
	}
	if stats := h.stats(t, producer); stats.GivenUp != 2 || stats.Failure != "gone" || stats.HTTPStatus != 410 {
		t.Fatalf("%+v", stats)
	}
	status = http.StatusOK
	if err := h.journal.Update(t.Context(), func(tx gateway.Tx) error {
		_, _, err := tx.ReplayCallbacks(producer, 0, 1<<62, k.Now(), 100)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	h.deliver(t, m)
	calls := s.all()
	if len(calls) != 4 || calls[0].ID != calls[2].ID || calls[1].ID != calls[3].ID || calls[0].ID == calls[1].ID {
		t.Fatalf("%+v", calls)
	}
	if stats := h.stats(t, producer); stats.GivenUp != 0 || stats.Delivered != 2 {
		t.Fatalf("%+v", stats)
	}
}

// TestASlowReceiverTakesItsOwnSeatsOnly: while one receiver stands still with all its seats, another is told everything.
func TestASlowReceiverTakesItsOwnSeatsOnly(t *testing.T) {
	t.Parallel()
	k := newClock()
	hold := make(chan struct{})
	slow := newSite(t, k, func(_ http.ResponseWriter, _ *http.Request, _ call) { <-hold })
	slow.came = make(chan call, 100)
	fast := newSite(t, k, nil)
	h := setup(t, k)
	one, two := receiverOf(t, slow), receiverOf(t, fast)
	one.Concurrency, one.Timeout, two.Producer, two.Concurrency = 3, time.Minute, "somebody", 2
	q, c := h.run(t, queue.Embedded, h.journal, one, two)
	if c.Workers() != 5 {
		t.Fatal(c.Workers())
	}
	stuck, free := h.intents(t, producer, 1, 40), h.intents(t, "somebody", 100, 40)
	h.happen(t, producer, stuck...)
	h.happen(t, "somebody", free...)
	for n := range stuck {
		for _, lane := range []string{stuck[n], free[n]} {
			if err := q.EnqueueCallback(t.Context(), gateway.DueCallback{Lane: lane, DueAt: k.Now()}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range free {
		fast.next(t)
	}
	h.settled(t, "somebody", 0)
	if n := c.receivers[producer].seats.inUse(); n != 3 {
		t.Errorf("%d seats of the slow receiver are taken", n)
	}
	close(hold)
	for range stuck {
		slow.next(t)
	}
	h.settled(t, producer, 0, c) // those who were turned away are told by those who sat
	if stats := h.stats(t, producer); stats.Delivered != 40 || stats.Pending != 0 {
		t.Errorf("%+v", stats)
	}
}

// TestTheSweepBringsBackWhatTheQueueLost: lanes that nobody looked at for a while are offered again, and no others.
func TestTheSweepBringsBackWhatTheQueueLost(t *testing.T) {
	t.Parallel()
	k := newClock()
	s := newSite(t, k, nil)
	h := setup(t, k, receiverOf(t, s))
	messages := h.intents(t, producer, 1, 3)
	h.happen(t, producer, messages[:2]...)
	k.advance(sweepGrace)
	h.happen(t, producer, messages[2])
	if n, err := h.courier.Sweep(t.Context()); err != nil || n != 2 {
		t.Fatalf("%d, %v", n, err)
	}
	if len(h.queue.ensured) != 2 || h.queue.ensured[0].Lane != messages[0] || h.queue.ensured[1].Lane != messages[1] {
		t.Fatalf("%+v", h.queue.ensured)
	}
	h.deliver(t, messages[0])
	k.advance(time.Hour)
	if n, err := h.courier.Sweep(t.Context()); err != nil || n != 0 {
		t.Fatalf("after all were told: %d, %v", n, err)
	}
}

// TestWhatNobodyIsToldStays: a lane of a producer without a receiver, and one that there is not.
func TestWhatNobodyIsToldStays(t *testing.T) {
	t.Parallel()
	h := setup(t, newClock())
	m := h.intents(t, "somebody", 1, 1)[0]
	h.happen(t, "somebody", m)
	for _, lane := range []string{m, "msg_none"} {
		if at := h.deliver(t, lane); !at.IsZero() {
			t.Errorf("%s is to come back at %s", lane, at)
		}
	}
	if stats := h.stats(t, "somebody"); stats.Pending != 1 {
		t.Errorf("%+v", stats)
	}
}
