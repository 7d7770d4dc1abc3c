package callback

import (
	"context"
	"sync"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

// meddling is a journal that does something after each update.
type meddling struct {
	gateway.Journal

	after func(n int)
	mu    sync.Mutex
	n     int
}

func (m *meddling) Update(ctx context.Context, fn func(tx gateway.Tx) error) error {
	err := m.Journal.Update(ctx, fn)
	m.mu.Lock()
	m.n++
	n := m.n
	m.mu.Unlock()
	m.after(n)
	return err
}

// TestWhoIsTurnedAwayIsNotForgotten: a lane comes in when the only one who sits has just found nothing more, and has not
// left yet.
func TestWhoIsTurnedAwayIsNotForgotten(t *testing.T) {
	t.Parallel()
	k := newClock()
	s := newSite(t, k, nil)
	r := receiverOf(t, s)
	r.Concurrency = 1
	h := setup(t, k, r)
	messages := h.intents(t, producer, 1, 2)
	var c *Courier
	j := &meddling{Journal: h.journal, after: func(n int) {
		if n == 2 { // the first was told, and nothing more was found
			h.happen(t, producer, messages[1])
			if err := c.Deliver(t.Context(), messages[1]); err != nil {
				t.Error(err)
			}
		}
	}}
	c = h.newCourier(t, j, h.queue, r)
	h.happen(t, producer, messages[0])
	if err := c.Deliver(t.Context(), messages[0]); err != nil {
		t.Fatal(err)
	}
	if stats := h.stats(t, producer); stats.Delivered != 2 || stats.Pending != 0 {
		t.Fatalf("%+v", stats)
	}
}
