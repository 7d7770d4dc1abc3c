package journaltest

import (
	"fmt"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// happen stores an event of an intent's message and puts it out for telling. It returns its number and when it is due.
func happen(t *testing.T, j gateway.Journal, i *gateway.Intent, message string, at time.Time) (int64, time.Time) {
	t.Helper()
	c := gateway.Callback{
		Event: gateway.Event{
			At: at, Producer: i.Producer, IntentID: i.ID, Reference: i.Reference, MessageID: message, Channel: "digitalpost",
			Status: gateway.Sending, IntentStatus: gateway.IntentSending, Attempt: 1, Code: "K-1", Text: "rå tekst",
		},
		State: gateway.CallbackPending, DueAt: at,
	}
	update(t, j, func(tx gateway.Tx) error {
		if err := tx.InsertEvent(&c.Event); err != nil {
			return err
		}
		c.DueAt = at
		return tx.InsertCallback(&c)
	})
	return c.Event.Seq, c.DueAt
}

// claim takes the next event to be told.
func claim(t *testing.T, j gateway.Journal, producer string, now time.Time) *gateway.Callback {
	t.Helper()
	var c *gateway.Callback
	update(t, j, func(tx gateway.Tx) error {
		var err error
		c, err = tx.ClaimCallback(producer, now, now.Add(time.Minute))
		return err
	})
	return c
}

// claimNothing expects that nothing is due.
func claimNothing(t *testing.T, j gateway.Journal, producer string, now time.Time) {
	t.Helper()
	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error {
		_, err := tx.ClaimCallback(producer, now, now.Add(time.Minute))
		return err
	}), gateway.ErrNotFound)
}

// end stores how an attempt ended.
func end(t *testing.T, j gateway.Journal, c *gateway.Callback, state gateway.CallbackState, at, due time.Time) error {
	t.Helper()
	c.State, c.LastAt, c.DueAt, c.HTTPStatus, c.Failure = state, at, due, 204, ""
	if state != gateway.CallbackDelivered {
		c.HTTPStatus, c.Failure = 500, "server_error"
	}
	return j.Update(t.Context(), func(tx gateway.Tx) error { return tx.SaveCallback(c) })
}

// twoLanes stores two intents with their messages.
func twoLanes(t *testing.T, j gateway.Journal) (one, two *gateway.Intent) {
	t.Helper()
	one, m := Sample(1)
	accept(t, j, one, m)
	two, m = Sample(2)
	accept(t, j, two, m)
	return one, two
}

// callbackLife tells the events of two lanes: in order within one, the other not hindered by a failure.
func callbackLife(t *testing.T, j gateway.Journal) {
	one, two := twoLanes(t, j)
	now := start().Add(time.Hour)
	first, due := happen(t, j, one, "msg_a", now)
	if !due.Equal(now) {
		t.Errorf("the head of a lane is due at %s", due)
	}
	second, due := happen(t, j, one, "msg_a", now.Add(time.Second))
	if !due.IsZero() {
		t.Errorf("behind the head, an event is due at %s", due)
	}
	other, _ := happen(t, j, two, "", now.Add(2*time.Second))
	now = now.Add(3 * time.Second)
	heads, err := j.DueCallbacks(t.Context(), one.Producer, now, 10)
	must(t, err)
	same(t, "the heads", heads, []gateway.DueCallback{
		{Lane: "msg_a", Producer: one.Producer, DueAt: now.Add(-3 * time.Second)},
		{Lane: two.ID, Producer: one.Producer, DueAt: now.Add(-time.Second)},
	})
	claimNothing(t, j, "somebody", now)
	c := claim(t, j, one.Producer, now)
	if c.Event.Seq != first || c.Event.Text != "rå tekst" || c.Event.MessageID != "msg_a" || c.Attempts != 1 ||
		!c.FirstAt.Equal(now) || !c.DueAt.Equal(now.Add(time.Minute)) {
		t.Errorf("claimed %+v", c)
	}
	if d := claim(t, j, one.Producer, now); d.Event.Seq != other {
		t.Errorf("after the first came %d, wanted the other lane's %d", d.Event.Seq, other)
	}
	claimNothing(t, j, one.Producer, now)
	must(t, end(t, j, c, gateway.CallbackPending, now, now.Add(time.Hour)))
	claimNothing(t, j, one.Producer, now.Add(30*time.Second))
	head, err := j.CallbackHead(t.Context(), "msg_a")
	must(t, err)
	if !head.DueAt.Equal(now.Add(time.Hour)) || head.Producer != one.Producer {
		t.Errorf("head %+v", head)
	}
	later := now.Add(time.Hour)
	lapsed := claim(t, j, one.Producer, later) // the claim on the other lane
	if lapsed.Event.Seq != other || lapsed.Attempts != 2 || !lapsed.FirstAt.Equal(now) {
		t.Errorf("after the lapse %+v", lapsed)
	}
	c = claim(t, j, one.Producer, later)
	if c.Event.Seq != first || c.Attempts != 2 || !c.FirstAt.Equal(now) || c.Failure != "server_error" || c.HTTPStatus != 500 {
		t.Errorf("the second claim %+v", c)
	}
	must(t, end(t, j, c, gateway.CallbackDelivered, later, time.Time{}))
	isErr(t, end(t, j, c, gateway.CallbackDelivered, later, time.Time{}), gateway.ErrStale)
	if c := claim(t, j, one.Producer, later); c.Event.Seq != second || c.Attempts != 1 {
		t.Errorf("the next of the lane %+v", c)
	}
	stats, err := j.CallbackStats(t.Context(), one.Producer)
	must(t, err)
	same(t, "the stats", stats, &gateway.CallbackStats{
		Pending: 2, OldestPending: start().Add(time.Hour).Add(time.Second), Delivered: 1, DeliveredAt: later, FailedAt: now,
		HTTPStatus: 500, Failure: "server_error",
	})
	stats, err = j.CallbackStats(t.Context(), "nobody")
	must(t, err)
	same(t, "the stats of nobody", stats, &gateway.CallbackStats{})
	_, err = j.CallbackHead(t.Context(), "msg_none")
	isErr(t, err, gateway.ErrNotFound)
}

// callbackStale lets a claim lapse and another take over: the late answer of the first changes nothing.
func callbackStale(t *testing.T, j gateway.Journal) {
	one, _ := twoLanes(t, j)
	now := start()
	seq, _ := happen(t, j, one, "msg_a", now)
	slow := claim(t, j, one.Producer, now)
	fast := claim(t, j, one.Producer, now.Add(time.Minute))
	if fast.Event.Seq != seq || fast.Attempts != 2 {
		t.Fatalf("%+v", fast)
	}
	isErr(t, end(t, j, slow, gateway.CallbackGivenUp, now, time.Time{}), gateway.ErrStale)
	must(t, end(t, j, fast, gateway.CallbackDelivered, now, time.Time{}))
	// A replay does not let an old claim look like a new one.
	update(t, j, func(tx gateway.Tx) error {
		_, _, err := tx.ReplayCallbacks(one.Producer, 0, seq, now, 100)
		return err
	})
	isErr(t, end(t, j, fast, gateway.CallbackDelivered, now, time.Time{}), gateway.ErrStale)
	if c := claim(t, j, one.Producer, now); c.Event.Seq != seq-2 { // the events of the two intents come first
		t.Errorf("claimed %d", c.Event.Seq)
	}
}

// callbackReplay makes events pending again: those delivered, those given up and those that were never put out; in pages,
// of one producer, and with an event under way.
func callbackReplay(t *testing.T, j gateway.Journal) {
	one, two := twoLanes(t, j)
	stranger, m := Sample(3)
	stranger.Producer = "somebody"
	accept(t, j, stranger, m)
	now := start()
	var seqs []int64
	for n := range 6 {
		seq, _ := happen(t, j, []*gateway.Intent{one, two}[n%2], fmt.Sprintf("msg_%d", n%2), now)
		seqs = append(seqs, seq)
	}
	foreign, _ := happen(t, j, stranger, "msg_s", now)
	for n, state := range []gateway.CallbackState{gateway.CallbackDelivered, gateway.CallbackGivenUp, gateway.CallbackDelivered} {
		c := claim(t, j, one.Producer, now)
		if c.Event.Seq != seqs[n] {
			t.Fatalf("claim %d is %d", n, c.Event.Seq)
		}
		must(t, end(t, j, c, state, now, time.Time{}))
	}
	underway := claim(t, j, one.Producer, now) // the second of msg_1
	var through []int64
	total := 0
	for after := seqs[0] - 1; ; {
		var end int64
		var count int
		update(t, j, func(tx gateway.Tx) (err error) {
			end, count, err = tx.ReplayCallbacks(one.Producer, after, 1<<62, now.Add(time.Second), 4)
			return err
		})
		if end == 0 {
			break
		}
		after, total, through = end, total+count, append(through, end)
	}
	same(t, "pages", through, []int64{seqs[3], seqs[5]})
	if total != 3 {
		t.Errorf("%d are pending again", total)
	}
	if err := end(t, j, underway, gateway.CallbackPending, now, now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	var told []int64
	for range 6 {
		c := claim(t, j, one.Producer, now)
		told = append(told, c.Event.Seq)
		must(t, end(t, j, c, gateway.CallbackDelivered, now, time.Time{}))
	}
	claimNothing(t, j, one.Producer, now)
	same(t, "told", inLanes(told, seqs), [][]int64{{seqs[0], seqs[2], seqs[4]}, {seqs[1], seqs[3], seqs[5]}})
	update(t, j, func(tx gateway.Tx) error { // what was never put out: the acceptance of both intents
		end, count, err := tx.ReplayCallbacks(one.Producer, 0, seqs[0]-1, now, 100)
		if end != 2 || count != 2 {
			t.Errorf("replayed %d through %d", count, end)
		}
		return err
	})
	if c := claim(t, j, "somebody", now); c.Event.Seq != foreign {
		t.Errorf("somebody's %d", c.Event.Seq)
	}
	claimNothing(t, j, "somebody", now)
}

// inLanes sorts what was told into the two lanes of seqs.
func inLanes(told, seqs []int64) [][]int64 {
	lanes := make([][]int64, 2)
	for _, seq := range told {
		for n := range seqs {
			if seqs[n] == seq {
				lanes[n%2] = append(lanes[n%2], seq)
			}
		}
	}
	return lanes
}
