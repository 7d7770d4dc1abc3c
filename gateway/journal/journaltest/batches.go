package journaltest

import (
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// batch is a batch from its beginning to its end, beside another one and an intent of none.
func batch(t *testing.T, j gateway.Journal) {
	want := &gateway.Batch{
		ID: "batch_1", Producer: "huskeservice", CreatedAt: start(), Statuses: map[gateway.IntentStatus]int{},
	}
	other := &gateway.Batch{ID: "batch_2", Producer: "somebody", CreatedAt: start()}
	update(t, j, func(tx gateway.Tx) error {
		if err := tx.InsertBatch(want); err != nil {
			return err
		}
		return tx.InsertBatch(other)
	})
	read := func(producer, id string) *gateway.Batch {
		t.Helper()
		got, err := j.Batch(t.Context(), producer, id)
		must(t, err)
		return got
	}
	same(t, "the empty batch", read("huskeservice", want.ID), want)
	for n, of := range []string{want.ID, want.ID, other.ID, "", want.ID} {
		i, m := Sample(n)
		i.Batch, i.Priority = of, gateway.Bulk
		accept(t, j, i, m)
	}
	first, _ := Sample(0)
	update(t, j, func(tx gateway.Tx) error { return tx.SetIntentStatus(first.ID, gateway.IntentDelivered, start()) })
	want.Statuses = map[gateway.IntentStatus]int{gateway.IntentAccepted: 2, gateway.IntentDelivered: 1}
	want.EndedAt, want.Tally = start().Add(time.Minute), gateway.Tally{Lines: 6, Accepted: 3, Existing: 1, Refused: 2}
	update(t, j, func(tx gateway.Tx) error { return tx.EndBatch(want.ID, want.EndedAt, want.Tally) })
	same(t, "the batch", read("huskeservice", want.ID), want)
	same(t, "the batch for anybody", read("", want.ID), want)
	_, err := j.Batch(t.Context(), "somebody", want.ID)
	isErr(t, err, gateway.ErrNotFound)
	_, err = j.Batch(t.Context(), "", "batch_none")
	isErr(t, err, gateway.ErrNotFound)
	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error {
		return tx.EndBatch("batch_none", start(), gateway.Tally{})
	}), gateway.ErrNotFound)
	if j.Update(t.Context(), func(tx gateway.Tx) error {
		return tx.EndBatch(want.ID, start(), gateway.Tally{Lines: 3, Accepted: 1})
	}) == nil {
		t.Error("a tally was stored whose lines do not add up")
	}
}

// priority is kept with intent and message; none is normal, and one that there is not is refused.
func priority(t *testing.T, j gateway.Journal) {
	for n, p := range []gateway.Priority{"", gateway.Urgent, gateway.Normal, gateway.Bulk} {
		i, m := Sample(n)
		i.Priority, m.Priority = p, p
		accept(t, j, i, m)
		if p == "" {
			p = gateway.Normal
		}
		got, err := j.IntentView(t.Context(), "", i.ID)
		must(t, err)
		if got.Priority != p || got.Messages[0].Priority != p {
			t.Errorf("%q was read as %q and %q", p, got.Priority, got.Messages[0].Priority)
		}
	}
	i, m := Sample(9)
	m.Priority = "at once"
	if j.Update(t.Context(), func(tx gateway.Tx) error { return insert(tx, i, m) }) == nil {
		t.Error("a priority that there is not was stored")
	}
}
