package inbound_test

import (
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/inbound"
)

// An attempt that takes longer than the lease keeps it; nobody else gets the post meanwhile.
func TestALongAttemptKeepsItsLease(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *inbound.Config) { c.Lease = 30 * time.Millisecond })
	p := w.accept(letter())
	first := w.view1(p.ID)
	extended := 0
	w.targets["desk"].during = func() {
		for last := (time.Time{}); extended < 3; {
			w.clock.advance(5 * time.Millisecond)
			now, _, err := w.journal.PostView(t.Context(), p.ID)
			if err != nil {
				t.Error(err)
				return
			}
			if now.LeaseEnds.After(last) && now.LeasedTo == "worker" {
				last = now.LeaseEnds
				extended++
			}
		}
	}
	if again := w.deliver(p.ID); again != 0 {
		t.Fatalf("comes again after %v", again)
	}
	after := w.view1(p.ID)
	if after.State != gateway.PostDelivered || after.LeasedTo != "" || first.State != gateway.PostQueued || extended < 3 {
		t.Errorf("%+v", after)
	}
}

// A lease that a person took away is not taken back, and what the attempt brought is not recorded.
func TestALostLeaseStaysLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(c *inbound.Config) { c.Lease = time.Millisecond })
	p := w.accept(letter())
	w.targets["desk"].during = func() {
		if _, err := w.service.Close(t.Context(), p.ID, because); err != nil {
			t.Error(err)
		}
	}
	w.deliver(p.ID)
	if after := w.view1(p.ID); after.State != gateway.PostClosed || after.LeasedTo != "" {
		t.Errorf("%+v", after)
	}
}

func (w *world) view1(id string) *gateway.Post {
	w.t.Helper()
	p, _ := w.view(id)
	return p
}
