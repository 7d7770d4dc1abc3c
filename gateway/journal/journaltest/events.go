package journaltest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

func eventsInOrder(t *testing.T, j gateway.Journal) {
	one, _ := Sample(1)
	two, _ := Sample(2)
	two.Producer = "somebody"
	update(t, j, func(tx gateway.Tx) error {
		for _, i := range []*gateway.Intent{one, two} {
			if _, err := tx.InsertIntent(i); err != nil {
				return err
			}
		}
		return nil
	})
	var want []gateway.Event
	for n := range 6 {
		i := []*gateway.Intent{one, two}[n%2]
		e := gateway.Event{
			At: start(), Producer: i.Producer, IntentID: i.ID, Reference: i.Reference, MessageID: fmt.Sprintf("msg_%d", n),
			Channel: "digitalpost", Status: gateway.Sending, IntentStatus: gateway.IntentSending, Attempt: n,
			Code: "K-1", Text: "rå tekst",
		}
		update(t, j, func(tx gateway.Tx) error { return tx.InsertEvent(&e) })
		if n > 0 && e.Seq <= want[n-1].Seq {
			t.Errorf("event %d has number %d after %d", n, e.Seq, want[n-1].Seq)
		}
		want = append(want, e)
	}
	feed := func(producer string, after int64, limit int, want ...gateway.Event) {
		t.Helper()
		got, err := j.Events(t.Context(), producer, after, limit)
		must(t, err)
		same(t, "the feed", got, want)
	}
	feed("", 0, 100, want...)
	feed("", want[1].Seq, 2, want[2], want[3])
	feed("somebody", 0, 100, want[1], want[3], want[5])
	feed("somebody", want[1].Seq, 1, want[3])
	feed("nobody", 0, 100)
	feed("", want[5].Seq, 100)
	story, err := j.MessageEvents(t.Context(), one.ID)
	must(t, err)
	same(t, "the story", story, []gateway.Event{want[0], want[2], want[4]})
	if j.Update(t.Context(), func(tx gateway.Tx) error {
		return tx.InsertEvent(&gateway.Event{At: start(), IntentID: "int_none"})
	}) == nil {
		t.Error("an event of no intent was stored")
	}
}

// eventsWithoutGaps reads the feed by its cursor while many write: a reader that remembers the last number misses none.
func eventsWithoutGaps(t *testing.T, j gateway.Journal) {
	const writers, each = 16, 20
	i, _ := Sample(1)
	accept(t, j, i)
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := range each {
				tell(t, j, i, (n+w)%5 == 0)
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	var seen int
	var last int64
	for over := false; ; {
		page, err := j.Events(t.Context(), "", last, 7)
		must(t, err)
		for _, e := range page {
			if e.Seq <= last {
				t.Fatalf("number %d after %d", e.Seq, last)
			}
			last = e.Seq
		}
		seen += len(page)
		if len(page) == 0 && over {
			break
		}
		over = over || len(page) == 0 && isClosed(done)
	}
	if want := 1 + writers*each*4/5; seen != want {
		t.Errorf("the reader saw %d events of %d", seen, want)
	}
}

// tell writes an event, or takes it back after it was given a number.
func tell(t *testing.T, j gateway.Journal, i *gateway.Intent, takeBack bool) {
	t.Helper()
	err := j.Update(t.Context(), func(tx gateway.Tx) error {
		err := tx.InsertEvent(&gateway.Event{At: start(), Producer: i.Producer, IntentID: i.ID, Text: "x"})
		if err == nil && takeBack {
			return errRefused
		}
		return err
	})
	if (err != nil) != takeBack {
		t.Errorf("taken back: %v, %v", takeBack, err)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
