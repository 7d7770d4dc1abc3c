// Package channeltest is the conformance suite that every channel passes, so that the gateway can rely on one behaviour
// whatever protocol is behind it.
//
// The job, in the order it happens: a channel's test makes a [Harness] over a real far end and calls [Run]; each case
// sends a letter that makes the far end behave in one way, and holds the channel to what the gateway's policy needs: the
// class, the identity, nothing sent by a check, nothing personal in what is logged.
package channeltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Scenario is a way for the far end to behave.
type Scenario string

// The scenarios. A channel whose protocol cannot show one leaves it out of its harness.
const (
	Accepts Scenario = "accepts"
	Refuses Scenario = "refuses this letter"
	Busy    Scenario = "is busy and says when to come back"
	Cuts    Scenario = "accepts and cuts the connection before its answer"
	Gone    Scenario = "cannot be reached"
)

// want is the class that the gateway's policy needs for each scenario.
var want = map[Scenario]gateway.Class{
	Accepts: gateway.Accept, Refuses: gateway.Fail, Busy: gateway.Retry, Cuts: gateway.Unknown, Gone: gateway.Retry,
}

// Harness is a channel over a far end of its own.
type Harness struct {
	Channel gateway.Channel
	// Letter makes a letter with fresh identities that makes the far end behave in the given way; ok is false when it cannot.
	Letter func(t *testing.T, s Scenario) (letter gateway.Letter, ok bool)
	// Arrived returns how many different letters with this messageUUID the far end holds, and how many calls brought them.
	Arrived func(t *testing.T, messageUUID string) (letters, calls int)
	// Secrets are the personal data in the letters, none of which may show up in what is logged.
	Secrets []string
	// NoDocuments says that the channel carries no documents, so that it cannot fail to read one.
	NoDocuments bool
}

// Run holds the channel to the suite. open is called once per case.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	t.Helper()
	for s := range want {
		t.Run("far end "+string(s), func(t *testing.T) {
			t.Parallel()
			scenario(t, open(t), s)
		})
	}
	for name, test := range map[string]func(*testing.T, Harness){
		"a check sends nothing":                    checkSendsNothing,
		"the same letter again is the same letter": sameIdentity,
		"a document that cannot be read":           unreadableDocument,
		"a context that has ended":                 endedContext,
		"many at once":                             manyAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func scenario(t *testing.T, h Harness, s Scenario) {
	t.Helper()
	letter, ok := h.Letter(t, s)
	if !ok {
		t.Skipf("the protocol of %s cannot show this", h.Channel.Name())
	}
	o := send(t, h, letter)
	if o.Class != want[s] {
		t.Fatalf("class %s (code %q, %v), want %s", o.Class, o.Code, o.Err, want[s])
	}
	letters, _ := h.Arrived(t, letter.Message.MessageUUID)
	if arrives := s == Accepts || s == Cuts; arrives != (letters == 1) {
		t.Fatalf("%d letters arrived", letters)
	}
	if s == Busy && o.RetryAfter <= 0 {
		t.Error("the far end's wish to be left alone for a while is lost")
	}
	if s != Accepts && o.Code == "" {
		t.Error("an outcome without a code cannot be looked up")
	}
}

func send(t *testing.T, h Harness, letter gateway.Letter) gateway.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o := h.Channel.Send(ctx, letter)
	logged := fmt.Sprint(o.Code, o.Hint, o.Err, letter)
	for _, secret := range h.Secrets {
		if secret != "" && strings.Contains(logged, secret) {
			t.Errorf("what is logged about the outcome holds personal data")
		}
	}
	return o
}

func checkSendsNothing(t *testing.T, h Harness) {
	letter, _ := h.Letter(t, Accepts)
	if ps := h.Channel.Check(t.Context(), letter); len(ps) > 0 {
		t.Fatalf("a good letter is refused: %+v", ps)
	}
	if letters, calls := h.Arrived(t, letter.Message.MessageUUID); letters+calls > 0 {
		t.Fatalf("a check has sent something: %d letters", letters)
	}
}

func sameIdentity(t *testing.T, h Harness) {
	letter, _ := h.Letter(t, Accepts)
	for range 2 {
		if o := send(t, h, letter); o.Class != gateway.Accept {
			t.Fatalf("%s: %v", o.Class, o.Err)
		}
	}
	if letters, calls := h.Arrived(t, letter.Message.MessageUUID); letters != 1 || calls != 2 {
		t.Fatalf("%d letters in %d calls, want 1 in 2", letters, calls)
	}
}

var errUnreadable = errors.New("the disk is gone")

// failing yields some bytes and then an error.
type failing struct{ *bytes.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errUnreadable
	}
	return n, err
}

func (failing) Close() error { return nil }

func unreadableDocument(t *testing.T, h Harness) {
	if h.NoDocuments {
		t.Skipf("%s carries no documents", h.Channel.Name())
	}
	letter, _ := h.Letter(t, Accepts)
	letter.Open = func(context.Context, int) (io.ReadCloser, error) {
		return failing{bytes.NewReader([]byte("half"))}, nil
	}
	o := send(t, h, letter)
	if o.Class == gateway.Accept || o.Class == gateway.Fail {
		t.Fatalf("%s: the letter is whole in the journal, so this may be neither accepted nor final", o.Class)
	}
	if letters, _ := h.Arrived(t, letter.Message.MessageUUID); letters != 0 {
		t.Fatal("half a letter arrived")
	}
}

func endedContext(t *testing.T, h Harness) {
	letter, _ := h.Letter(t, Accepts)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := h.Channel.Send(ctx, letter)
	if letters, _ := h.Arrived(t, letter.Message.MessageUUID); letters != 0 || o.Class != gateway.Retry {
		t.Fatalf("%s with %d letters at the far end; nothing left, so it is to be retried", o.Class, letters)
	}
}

func manyAtOnce(t *testing.T, h Harness) {
	const n = 32
	var wg sync.WaitGroup
	letters := make([]gateway.Letter, n)
	for k := range letters {
		letters[k], _ = h.Letter(t, Accepts)
	}
	for _, letter := range letters {
		wg.Go(func() {
			if o := send(t, h, letter); o.Class != gateway.Accept || o.TransmissionID == "" {
				t.Errorf("%s, transmission %q: %v", o.Class, o.TransmissionID, o.Err)
			}
		})
	}
	wg.Wait()
	for _, letter := range letters {
		if letters, calls := h.Arrived(t, letter.Message.MessageUUID); letters != 1 || calls != 1 {
			t.Errorf("%d letters in %d calls", letters, calls)
		}
	}
}
