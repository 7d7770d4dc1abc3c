package callback

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/journal"
)

// The test binary runs itself again with these set: as a process that tells a receiver and is killed meanwhile.
const (
	childJournal = "BREVDUE_TEST_JOURNAL"
	childURL     = "BREVDUE_TEST_URL"
	childCA      = "BREVDUE_TEST_CA"
	childSecret  = "BREVDUE_TEST_SECRET_FILE"
	childLane    = "BREVDUE_TEST_LANE"
	childNow     = "BREVDUE_TEST_NOW"
)

func TestMain(m *testing.M) {
	if os.Getenv(childJournal) != "" {
		if err := tellUntilKilled(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func tellUntilKilled() error {
	ctx := context.Background()
	now, err := time.Parse(time.RFC3339, os.Getenv(childNow))
	if err != nil {
		return fmt.Errorf("child: %w", err)
	}
	j, err := journal.Open(ctx, "sqlite:"+os.Getenv(childJournal), journal.Options{})
	if err != nil {
		return fmt.Errorf("child: %w", err)
	}
	c, err := New(Config{
		Journal: j, Queue: &recorder{}, Event: eventJSON, Now: func() time.Time { return now },
		Receivers: []Receiver{{
			Producer: producer, URL: os.Getenv(childURL), SecretFile: os.Getenv(childSecret), CAFile: os.Getenv(childCA),
			AllowPrivate: true, Timeout: time.Minute,
		}},
	})
	if err != nil {
		return fmt.Errorf("child: %w", err)
	}
	return c.Deliver(ctx, os.Getenv(childLane))
}

// TestAKilledProcessLosesNothing kills a process between the receiver's having an event and the record of that. Once the
// claim lapses, the event is told again under the same name, and the lane goes on.
func TestAKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts a process")
	}
	k := newClock()
	var killed atomic.Bool
	started := make(chan *os.Process, 1)
	var s *site
	s = newSite(t, k, func(_ http.ResponseWriter, r *http.Request, c call) {
		s.took(c)
		if killed.CompareAndSwap(false, true) {
			if err := (<-started).Kill(); err != nil { // SIGKILL, before it is answered
				t.Error(err)
			}
			<-r.Context().Done()
		}
	})
	receiver := receiverOf(t, s)
	h := setup(t, k, receiver)
	m := h.intents(t, producer, 1, 1)[0]
	h.happen(t, producer, m, m, m)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), childJournal+"="+h.path, childURL+"="+s.URL, childCA+"="+receiver.CAFile,
		childSecret+"="+receiver.SecretFile, childLane+"="+m, childNow+"="+k.Now().Format(time.RFC3339))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started <- cmd.Process
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
		t.Fatalf("the process was not killed: %v", err)
	}
	s.next(t)
	k.advance(time.Second) // nobody may touch the lane before the claim has lapsed
	if at := h.deliver(t, m); at.IsZero() || len(s.all()) != 1 {
		t.Fatalf("while the claim holds: comes back at %s, %d calls", at, len(s.all()))
	}
	k.advance(lease + sweepGrace)
	if n, err := h.courier.Sweep(t.Context()); err != nil || n != 1 {
		t.Fatalf("the sweep found %d, %v", n, err)
	}
	h.deliver(t, m)
	calls := s.all()
	if len(calls) != 4 || calls[0].ID != calls[1].ID || calls[1].Seq >= calls[2].Seq || calls[2].Seq >= calls[3].Seq {
		t.Fatalf("%+v", calls)
	}
	if !bytes.Equal(calls[0].Body, calls[1].Body) {
		t.Errorf("told again, it reads otherwise:\n%s\n%s", calls[0].Body, calls[1].Body)
	}
	if stats := h.stats(t, producer); stats.Delivered != 3 || stats.Pending != 0 {
		t.Errorf("%+v", stats)
	}
}

// TestALateAnswerDoesNotCountTwice: a call outlives its claim, and somebody else tells the event meanwhile.
func TestALateAnswerDoesNotCountTwice(t *testing.T) {
	t.Parallel()
	k := newClock()
	var first atomic.Bool
	began, hold := make(chan struct{}), make(chan struct{})
	s := newSite(t, k, func(http.ResponseWriter, *http.Request, call) {
		if first.CompareAndSwap(false, true) {
			close(began)
			<-hold
		}
	})
	r := receiverOf(t, s)
	r.Timeout = time.Minute
	h := setup(t, k, r)
	other := h.newCourier(t, h.journal, h.queue, r)
	m := h.intents(t, producer, 1, 1)[0]
	h.happen(t, producer, m)
	ended := make(chan error, 1)
	go func() { ended <- h.courier.Deliver(t.Context(), m) }()
	<-began
	k.advance(lease)
	if err := other.Deliver(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	close(hold)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if stats := h.stats(t, producer); stats.Delivered != 1 || stats.Pending != 0 {
		t.Errorf("%+v", stats)
	}
	if st := h.courier.Stats()[0]; st.Stale != 1 || st.Delivered != 0 {
		t.Errorf("%+v", st)
	}
}
