package gateway_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/documents"
	"github.com/brevdue/brevdue/gateway/journal"
)

// began is when every test's clock starts.
var began = time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)

// bundle is one gateway over a real journal and document store, with a clock, a channel and a queue that the test moves.
type bundle struct {
	*gateway.Gateway
	journal *journal.Journal
	clock   *clock
	first   *scripted // channel "first"
	second  *scripted // channel "second"
	queue   *recorder
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// scripted is a channel that answers what the test says, and remembers what it was given.
type scripted struct {
	name      string
	witness   bool
	lastWord  bool
	mu        sync.Mutex
	outcomes  []gateway.Outcome // one per attempt; the last one repeats
	sent      []gateway.Letter
	problems  []gateway.Problem
	whileSent func(l gateway.Letter)
}

func (s *scripted) Name() string    { return s.name }
func (s *scripted) Witnesses() bool { return s.witness }
func (s *scripted) LastWord() bool  { return s.lastWord }
func (s *scripted) Check(context.Context, gateway.Letter) []gateway.Problem {
	return s.problems
}

func (s *scripted) Send(_ context.Context, l gateway.Letter) gateway.Outcome {
	s.mu.Lock()
	s.sent = append(s.sent, l)
	o := s.outcomes[min(len(s.sent), len(s.outcomes))-1]
	s.mu.Unlock()
	if s.whileSent != nil {
		s.whileSent(l)
	}
	return o
}

func (s *scripted) letters() []gateway.Letter {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]gateway.Letter(nil), s.sent...)
}

// recorder is a queue that only remembers.
type recorder struct {
	mu       sync.Mutex
	enqueued []gateway.DueMessage
	ensured  []gateway.DueMessage
	forgot   bool
}

func (r *recorder) Enqueue(_ context.Context, m gateway.DueMessage) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.enqueued = append(r.enqueued, m)
	return nil
}

func (r *recorder) Ensure(_ context.Context, m gateway.DueMessage) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ensured = append(r.ensured, m)
	return nil
}

func (r *recorder) Forgot(context.Context) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.forgot
	r.forgot = false
	return f, nil
}

var accepted = gateway.Outcome{Class: gateway.Accept, TransmissionID: "tr-1"}

// setup makes a bundle. change may adjust the configuration.
func setup(t testing.TB, change ...func(*gateway.Config)) *bundle {
	t.Helper()
	dir := t.TempDir()
	j, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(dir, "j.db"), journal.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	docs, err := documents.Open("file:"+filepath.Join(dir, "documents"), documents.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{
		journal: j, clock: &clock{now: began}, queue: &recorder{},
		first:  &scripted{name: "first", witness: true, outcomes: []gateway.Outcome{accepted}},
		second: &scripted{name: "second", outcomes: []gateway.Outcome{accepted}},
	}
	var ids sync.Mutex
	n := 0
	cvr, err := gateway.ParseCVR("55133018")
	if err != nil {
		t.Fatal(err)
	}
	cfg := gateway.Config{
		Journal: j, Documents: docs, Queue: b.queue, Channels: []gateway.Channel{b.first, b.second},
		Senders: map[string]gateway.Sender{"jobcenter": {Name: "jobcenter", CVR: cvr, Label: "Testby Kommune"}},
		Windows: []string{"day"}, Now: b.clock.Now, NewUUID: uuid.NewString, Worker: "worker-1",
		NewID: func(prefix string) string {
			ids.Lock()
			defer ids.Unlock()
			n++
			return fmt.Sprintf("%s_%06d", prefix, n)
		},
	}
	for _, c := range change {
		c(&cfg)
	}
	if b.Gateway, err = gateway.New(cfg); err != nil {
		t.Fatal(err)
	}
	return b
}

// draft is a valid draft with one route.
func draft(t *testing.T, reference string, route ...string) gateway.Draft {
	t.Helper()
	cpr, err := gateway.ParseCPR("2512489996")
	if err != nil {
		t.Fatal(err)
	}
	if len(route) == 0 {
		route = []string{"first"}
	}
	return gateway.Draft{
		Producer: "huskeservice", Reference: reference, Fingerprint: sha256.Sum256([]byte(reference)),
		Sender: "jobcenter", Recipient: gateway.Recipient{ID: cpr, Name: "Nancy Ann Berggren"},
		Routes:  []gateway.Route{route},
		Content: gateway.Content{Title: "Indkaldelse", Text: "Du er indkaldt."},
	}
}

// accept posts a draft and returns the stored intent.
func (b *bundle) accept(t *testing.T, d gateway.Draft) *gateway.Intent {
	t.Helper()
	i, existing, err := b.Accept(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	if existing {
		t.Fatalf("%s exists already", d.Reference)
	}
	return i
}

// view reads an intent back.
func (b *bundle) view(t *testing.T, id string) *gateway.Intent {
	t.Helper()
	i, _, err := b.Intent(t.Context(), "huskeservice", id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// states lists the states of an intent's messages in order.
func (b *bundle) states(t *testing.T, id string) []gateway.MessageState {
	t.Helper()
	var s []gateway.MessageState
	for _, m := range b.view(t, id).Messages {
		s = append(s, m.State)
	}
	return s
}

// settle brings a receipt of the kind for a message, under an id of its own.
func (b *bundle) settle(t *testing.T, m gateway.Message, kind gateway.ReceiptKind, class gateway.Class) gateway.SettleResult {
	t.Helper()
	r, err := b.Settle(t.Context(), gateway.Receipt{
		ID: uuid.NewString(), Kind: kind, Class: class, MessageUUID: m.MessageUUID, Status: string(kind), OccurredAt: b.clock.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
