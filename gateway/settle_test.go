package gateway_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/gateway"
)

func TestReceiptsTwiceAndInTheWrongOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	delivered := gateway.Receipt{ID: uuid.NewString(), Kind: gateway.ReceiptDelivered, MessageUUID: i.Messages[0].MessageUUID}
	for n := range 3 {
		r, err := b.Settle(t.Context(), delivered)
		if err != nil {
			t.Fatal(err)
		}
		if r.Duplicate != (n > 0) || r.Changed != (n == 0) {
			t.Fatalf("delivery %d: %+v", n, r)
		}
	}
	if r := b.settle(t, i.Messages[0], gateway.ReceiptReceived, ""); r.Changed {
		t.Fatal("a late Modtaget took the delivery back")
	}
	if r := b.settle(t, i.Messages[0], gateway.ReceiptRejected, gateway.Fail); r.Changed {
		t.Fatal("a late Fejlet took the delivery back")
	}
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatal(s)
	}
}

func TestReceiptIsMatchedByEachOfItsKeys(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]func(m gateway.Message) gateway.Receipt{
		"MessageUUID": func(m gateway.Message) gateway.Receipt { return gateway.Receipt{MessageUUID: m.MessageUUID} },
		"AfsendelseIdentifikator": func(m gateway.Message) gateway.Receipt {
			return gateway.Receipt{MessageUUID: uuid.NewString(), AfsendelseID: m.AfsendelseID}
		},
		"TransmissionId": func(gateway.Message) gateway.Receipt { return gateway.Receipt{Transmission: "tr-1"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			i := b.accept(t, draft(t, "r1"))
			if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
				t.Fatal(err)
			}
			r := key(i.Messages[0])
			r.ID, r.Kind = uuid.NewString(), gateway.ReceiptDelivered
			if got, err := b.Settle(t.Context(), r); err != nil || !got.Changed {
				t.Fatalf("%+v, %v", got, err)
			}
		})
	}
}

func TestUnmatchedReceiptIsKeptAndMatchedLater(t *testing.T) {
	t.Parallel()
	b := setup(t)
	early := gateway.Receipt{ID: uuid.NewString(), Kind: gateway.ReceiptDelivered, Transmission: "tr-1", Raw: []byte("<x/>")}
	if got, err := b.Settle(t.Context(), early); err != nil || got.Matched {
		t.Fatalf("%+v, %v", got, err)
	}
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	r, err := b.Sweep(t.Context())
	if err != nil || r.Rematched != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	if s := b.states(t, i.ID); s[0] != gateway.Delivered {
		t.Fatal(s)
	}
	if r, err := b.Sweep(t.Context()); err != nil || r.Rematched != 0 {
		t.Fatalf("matched again: %+v, %v", r, err)
	}
}

func TestRejectionStartsTheNextChannelOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1", "first", "second"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	b.settle(t, i.Messages[0], gateway.ReceiptReceived, "")
	for range 2 {
		b.settle(t, i.Messages[0], gateway.ReceiptRejected, gateway.Next)
	}
	if got := b.view(t, i.ID); len(got.Messages) != 2 || got.Messages[0].State != gateway.Superseded {
		t.Fatalf("%d messages, first %s", len(got.Messages), got.Messages[0].State)
	}
}

func TestRejectionNeedsAPerson(t *testing.T) {
	t.Parallel()
	for _, class := range []gateway.Class{gateway.Fail, gateway.Retry, ""} {
		b := setup(t)
		i := b.accept(t, draft(t, "r1", "first", "second"))
		if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
			t.Fatal(err)
		}
		b.settle(t, i.Messages[0], gateway.ReceiptRejected, class)
		if got := b.view(t, i.ID); got.Status != gateway.IntentFailed || len(got.Messages) != 1 {
			t.Fatalf("class %q: %s, %d messages", class, got.Status, len(got.Messages))
		}
	}
}

func TestLateSuccessReopensAFailure(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.first.outcomes = []gateway.Outcome{{Class: gateway.Fail, Code: "x"}}
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	b.settle(t, i.Messages[0], gateway.ReceiptReceived, "")
	if s := b.states(t, i.ID); s[0] != gateway.Failed {
		t.Fatalf("an interim status reopened it: %s", s[0])
	}
	b.settle(t, i.Messages[0], gateway.ReceiptDelivered, "")
	if got := b.view(t, i.ID); got.Status != gateway.IntentDelivered || got.FinalAt.IsZero() {
		t.Fatal(got.Status)
	}
}

func TestReturnedAfterDelivered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	i := b.accept(t, draft(t, "r1"))
	if err := b.Dispatch(t.Context(), i.Messages[0].ID); err != nil {
		t.Fatal(err)
	}
	b.settle(t, i.Messages[0], gateway.ReceiptDelivered, "")
	b.settle(t, i.Messages[0], gateway.ReceiptReturned, "")
	if got := b.view(t, i.ID); got.Messages[0].State != gateway.Returned || got.Status != gateway.IntentFailed {
		t.Fatalf("%s, %s", got.Messages[0].State, got.Status)
	}
}

// progress orders the states that statuses lead through; a message never loses rank by a status.
var progress = map[gateway.MessageState]int{
	gateway.Queued: 0, gateway.Sending: 1, gateway.Submitted: 2, gateway.Received: 3, gateway.Failed: 4, gateway.Delivered: 5, gateway.Returned: 6,
}

// TestNoStatusGoesBackward throws random outcomes and receipts at messages, in every order, and watches their states.
func TestNoStatusGoesBackward(t *testing.T) {
	t.Parallel()
	b := setup(t)
	kinds := []gateway.ReceiptKind{
		gateway.ReceiptReceived, gateway.ReceiptDelivered, gateway.ReceiptRejected, gateway.ReceiptReturned, gateway.ReceiptNote,
	}
	outcomes := []gateway.Class{gateway.Accept, gateway.Unknown, gateway.Retry, gateway.Fail}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 7))
		b.first.mu.Lock()
		b.first.sent, b.first.outcomes = nil, nil
		for range 4 {
			b.first.outcomes = append(b.first.outcomes, gateway.Outcome{Class: outcomes[r.IntN(len(outcomes))]})
		}
		b.first.mu.Unlock()
		i := b.accept(t, draft(t, "seed-"+uuid.NewString()))
		before, best := gateway.Queued, 0
		for range 8 {
			status := r.IntN(2) == 0
			if status {
				b.settle(t, i.Messages[0], kinds[r.IntN(len(kinds))], gateway.Fail)
			} else {
				b.clock.advance(time.Hour)
				_ = b.Dispatch(t.Context(), i.Messages[0].ID) // what it asks for does not matter here
			}
			after := b.states(t, i.ID)[0]
			if before != after && before.Final() && !before.May(after) {
				t.Fatalf("seed %d: %s became %s", seed, before, after)
			}
			if status && progress[after] < best {
				t.Fatalf("seed %d: a status took it from %s back to %s", seed, before, after)
			}
			before, best = after, progress[after]
		}
	}
}
