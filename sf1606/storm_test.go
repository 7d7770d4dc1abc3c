package sf1606_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// A storm with twins, duplicates and cut uploads against a sink that fails now and then: what the sender holds for
// accepted is stored once, and nothing else is.
func TestStorm(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(1, 2))
	box := &sf1606test.Box{OnCommit: func(context.Context, sf1606.Meta) error {
		mu.Lock()
		defer mu.Unlock()
		if dice.Float64() < 0.1 {
			return errors.New("database is locked")
		}
		return nil
	}}
	r := receive(t, sf1606.Config{Intake: sf1606.Intake{Sink: box}})
	s := r.sender(sf1606test.SenderConfig{Tries: 20})
	res, err := s.Storm(t.Context(), sf1606test.StormConfig{
		Total: 300, Letters: letters(), MinBytes: 1000, MaxBytes: 100_000, Duplicates: 0.1, Cuts: 0.1, Twins: 0.1, Spoilt: 0.2,
	})
	if err != nil || res.Accepted != 300 || res.Unanswered != 0 || res.Refused != 0 || res.Resent == 0 || res.Duplicates == 0 || res.Cuts == 0 || res.Spoilt == 0 {
		t.Fatalf("%v: %s", err, res)
	}
	for _, sent := range res.Messages {
		boxed, ok := box.Message(sent.MessageUUID)
		if !ok || boxed.Meta.Receipt != sent.Receipt || boxed.Meta.Size != sent.Bytes {
			t.Errorf("%+v is not what is stored: %+v", sent, boxed.Meta)
		}
	}
	if n := len(box.Messages()); n != 300 {
		t.Errorf("%d stored", n)
	}
	r.clean()
}
