package callback

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log" //nolint:depguard // net/http asks for one
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
	"github.com/brevdue/brevdue/gateway/queue"
)

const producer = "huskeservice" // that of journaltest.Sample

// clock is the time of a test.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now().UTC().Truncate(time.Second)} }

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

// call is what a receiver got.
type call struct {
	ID      string // webhook-id
	Seq     int64
	Message string
	Type    string
	Header  http.Header
	Body    []byte
	At      time.Time
}

// site is a receiver over TLS that remembers what it got and answers what the test says.
type site struct {
	*httptest.Server

	clock  *clock
	answer func(w http.ResponseWriter, r *http.Request, c call)
	mu     sync.Mutex
	calls  []call
	came   chan call
}

// newSite starts a receiver. answer nil is 204.
func newSite(t testing.TB, k *clock, answer func(w http.ResponseWriter, r *http.Request, c call)) *site {
	t.Helper()
	if answer == nil {
		answer = func(w http.ResponseWriter, _ *http.Request, _ call) { w.WriteHeader(http.StatusNoContent) }
	}
	s := &site{clock: k, answer: answer, came: make(chan call, 100_000)}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = quiet()
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var e struct {
		Type string `json:"type"`
		Data struct {
			Seq     int64  `json:"seq"`
			Message string `json:"message"`
		} `json:"data"`
	}
	_ = json.Unmarshal(body, &e) // a test that cares looks at Body
	c := call{
		ID: r.Header.Get("webhook-id"), Seq: e.Data.Seq, Message: e.Data.Message, Type: e.Type, Header: r.Header.Clone(),
		Body: body, At: s.clock.Now(),
	}
	s.answer(w, r, c)
	s.came <- c
}

// took records an event as taken by the receiver.
func (s *site) took(c call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
}

func (s *site) all() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// next waits for a call.
func (s *site) next(t *testing.T) call {
	t.Helper()
	select {
	case c := <-s.came:
		return c
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came within 30 seconds")
		return call{}
	}
}

// caFile writes the certificate that a site is trusted by.
func (s *site) caFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(path, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// secret is one that differs by name.
func secret(name string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(fmt.Sprintf("%-32s", name)))
}

// secretFile writes secrets, one a line.
func secretFile(t testing.TB, secrets ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(path, []byte(strings.Join(secrets, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// receiverOf is a Receiver for a site of this machine.
func receiverOf(t testing.TB, s *site) Receiver {
	t.Helper()
	return Receiver{
		Producer: producer, URL: s.URL, SecretFile: secretFile(t, secret("one")), AllowPrivate: true, CAFile: s.caFile(t),
	}
}

// house is a journal with intents, and a courier.
type house struct {
	journal *journal.Journal
	path    string
	queue   *recorder
	clock   *clock
	courier *Courier
}

// recorder is a queue that only remembers.
type recorder struct {
	mu       sync.Mutex
	enqueued []gateway.DueCallback
	ensured  []gateway.DueCallback
}

func (r *recorder) EnqueueCallback(_ context.Context, c gateway.DueCallback) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.enqueued = append(r.enqueued, c)
	return nil
}

func (r *recorder) EnsureCallback(_ context.Context, c gateway.DueCallback) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ensured = append(r.ensured, c)
	return nil
}

func openJournal(t testing.TB, path string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), "sqlite:"+path, journal.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// setup makes a house with a courier for the receivers, over a queue that only remembers.
func setup(t testing.TB, k *clock, receivers ...Receiver) *house {
	t.Helper()
	h := &house{path: filepath.Join(t.TempDir(), "journal.db"), queue: &recorder{}, clock: k}
	h.journal = openJournal(t, h.path)
	h.courier = h.newCourier(t, h.journal, h.queue, receivers...)
	return h
}

func (h *house) newCourier(t testing.TB, j gateway.Journal, q gateway.CallbackQueue, receivers ...Receiver) *Courier {
	t.Helper()
	c, err := New(Config{Journal: j, Queue: q, Receivers: receivers, Event: eventJSON, Now: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// eventJSON stands for the feed's.
func eventJSON(e *gateway.Event) ([]byte, error) {
	return json.Marshal(map[string]any{"seq": e.Seq, "message": e.MessageID, "status": e.Status})
}

// intents stores so many intents of a producer, each with a message, and returns the ids of the messages.
func (h *house) intents(t testing.TB, of string, first, count int) []string {
	t.Helper()
	var ids []string
	if err := h.journal.Update(t.Context(), func(tx gateway.Tx) error {
		ids = ids[:0]
		for n := first; n < first+count; n++ {
			i, m := journaltest.Sample(n)
			i.Producer = of
			if _, err := tx.InsertIntent(i); err != nil {
				return err
			}
			if err := tx.InsertMessage(m); err != nil {
				return err
			}
			ids = append(ids, m.ID)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return ids
}

// happen stores an event for each of the messages and puts it out for telling, as the gateway does.
func (h *house) happen(t testing.TB, of string, messages ...string) {
	t.Helper()
	if err := h.journal.Update(t.Context(), func(tx gateway.Tx) error {
		for _, m := range messages {
			e := gateway.Event{
				At: h.clock.Now(), Producer: of, IntentID: strings.Replace(m, "msg", "int", 1), MessageID: m, Status: gateway.Submitted,
				IntentStatus: gateway.IntentSubmitted,
			}
			if err := tx.InsertEvent(&e); err != nil {
				return err
			}
			if err := tx.InsertCallback(&gateway.Callback{Event: e, DueAt: e.At}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func (h *house) stats(t testing.TB, of string) gateway.CallbackStats {
	t.Helper()
	s, err := h.journal.CallbackStats(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	return *s
}

// deliver looks at a lane; it says when the lane is to be looked at again, zero: never.
func (h *house) deliver(t testing.TB, lane string) time.Time {
	t.Helper()
	switch err := h.courier.Deliver(t.Context(), lane).(type) { //nolint:errorlint // it comes unwrapped
	case nil:
		return time.Time{}
	case *gateway.Later:
		return err.At
	default:
		t.Fatal(err)
		return time.Time{}
	}
}

// verify checks a call's signature with the library, whatever time it is.
func verify(t *testing.T, c call, secret string) error {
	t.Helper()
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return w.VerifyIgnoringTimestamp(c.Body, c.Header)
}

// startRedis runs a private redis-server and returns its URL.
func startRedis(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not installed, and CI must have it")
		}
		t.Skip("SKIPPED LOUDLY: redis-server is not installed; this test needs a real Redis")
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil || l.Close() != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), path, "--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "yes")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + port})
	defer func() { _ = client.Close() }()
	eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil })
	return "redis://127.0.0.1:" + port
}

// eventually polls until ok, where the other side gives no signal.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(60 * time.Second)
	for !ok() {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatal("it did not happen within 60 seconds")
		}
	}
}

// run opens a queue and works off its callbacks with a courier of its own until the test ends.
func (h *house) run(t *testing.T, url string, j gateway.Journal, receivers ...Receiver) (*queue.Queue, *Courier) {
	t.Helper()
	q, err := queue.Open(t.Context(), queue.Config{URL: url, Secret: "secret", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	c := h.newCourier(t, j, q, receivers...)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- q.RunCallbacks(ctx, queue.CallbackWorkers{Deliverer: c, Concurrency: c.Workers()})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := q.Close(); err != nil {
			t.Error(err)
		}
	})
	return q, c
}

// settled waits until nothing was due for a while and no call is under way.
func (h *house) settled(t *testing.T, of string, since time.Duration, couriers ...*Courier) {
	t.Helper()
	eventually(t, func() bool {
		due, err := h.journal.DueCallbacks(t.Context(), of, h.clock.Now().Add(-since), 1)
		if err != nil {
			t.Fatal(err)
		}
		busy := 0
		for _, c := range couriers {
			for _, r := range c.receivers {
				busy += r.seats.inUse()
			}
		}
		return len(due) == 0 && busy == 0
	})
}

// quiet is the error log of a server whose errors are meant.
func quiet() *log.Logger { return slog.NewLogLogger(slog.DiscardHandler, slog.LevelError) }
