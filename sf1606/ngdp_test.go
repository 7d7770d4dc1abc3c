package sf1606_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// mailbox is Digital Post with a puller and a box.
type mailbox struct {
	t   testing.TB
	far *sf1606test.NgDP
	box *sf1606test.Box
	cfg sf1606.NgDPConfig
	mu  sync.Mutex
	now time.Time
}

func pull(t testing.TB, far sf1606test.NgDPConfig) *mailbox {
	t.Helper()
	far.Authority = authority(t)
	far.User, far.Password = "system", "token"
	n, err := sf1606test.StartNgDP(far)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	b := &mailbox{t: t, far: n, box: &sf1606test.Box{Keep: true}, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	client := n.Client()
	t.Cleanup(client.CloseIdleConnections)
	b.cfg = sf1606.NgDPConfig{
		Intake: sf1606.Intake{Sink: b.box, Authorities: []string{cvr}, Now: func() time.Time {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.now
		}},
		BaseURL: n.URL(), HTTP: client,
		Authorize:  func(r *http.Request) error { r.SetBasicAuth("system", "token"); return nil },
		BackoffMin: time.Millisecond, BackoffMax: 10 * time.Millisecond, Interval: time.Millisecond,
	}
	return b
}

func (b *mailbox) forward(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *mailbox) client() *sf1606.NgDP {
	b.t.Helper()
	c, err := sf1606.NewNgDP(b.cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

// violated fails on anything that Digital Post must not see.
func (b *mailbox) violated() {
	b.t.Helper()
	if v := b.far.Stats().Violations; len(v) > 0 {
		b.t.Errorf("violations: %v", v)
	}
	if st := b.box.Stats(); st.Open != 0 || st.Misused != 0 {
		b.t.Errorf("deliveries left behind: %+v", st)
	}
}

// Everything that waits is stored, answered and deleted, over several pages.
func TestPoll(t *testing.T) {
	t.Parallel()
	b := pull(t, sf1606test.NgDPConfig{})
	b.cfg.PageSize, b.cfg.Parallel = 3, 2
	l := letters()
	ids := map[string]bool{}
	for range 8 {
		ids[b.far.Add(l.New(20_000))] = true
	}
	round, err := b.client().Poll(t.Context())
	if want := (sf1606.Round{Listed: 8, Accepted: 8}); err != nil || round != want {
		t.Fatalf("%+v: %v", round, err)
	}
	if st := b.far.Stats(); st.Positive != 8 || st.Deleted != 8 || st.Waiting != 0 || st.Requests != 4+3*8 {
		t.Errorf("%+v", st)
	}
	for _, m := range b.box.Messages() {
		if !ids[m.Meta.MemoID] || m.Meta.Source != sf1606.SourceNgDP || m.Meta.Peer == "" {
			t.Errorf("%+v", m.Meta)
		}
		if r := b.far.Receipts(m.Meta.MemoID); len(r) != 1 || r[0] != m.Meta.Receipt {
			t.Errorf("receipts %+v, stored %+v", r, m.Meta.Receipt)
		}
	}
	b.violated()
}

// A message that is not for us gets a receipt of refusal, once, and is not deleted; the others pass.
func TestPollRefuses(t *testing.T) {
	t.Parallel()
	b := pull(t, sf1606test.NgDPConfig{})
	c := b.client()
	bad := b.far.Add(sf1606test.NewLetters(sf1606test.LettersConfig{CVR: "12345678"}).New(2000))
	b.far.Add(letters().New(2000))
	round, err := c.Poll(t.Context())
	if want := (sf1606.Round{Listed: 2, Accepted: 1, Refused: 1}); err != nil || round != want {
		t.Fatalf("%+v: %v", round, err)
	}
	if r := b.far.Receipts(bad); len(r) != 1 || r[0].ErrorCode != sf1606.CodeRecipient || r[0].Status != sf1606.StatusInvalid {
		t.Errorf("%+v", r)
	}
	round, err = c.Poll(t.Context())
	if want := (sf1606.Round{Listed: 1, Skipped: 1}); err != nil || round != want {
		t.Errorf("%+v: %v", round, err)
	}
	b.forward(time.Hour)
	round, err = c.Poll(t.Context())
	if want := (sf1606.Round{Listed: 1, Refused: 1}); err != nil || round != want {
		t.Errorf("%+v: %v", round, err)
	}
	b.violated()
}

// A sink that cannot store now gives no receipt at all; the message is fetched again later.
func TestPollSinkFails(t *testing.T) {
	t.Parallel()
	b := pull(t, sf1606test.NgDPConfig{})
	full := true
	b.box.OnCommit = func(context.Context, sf1606.Meta) error {
		if full {
			return errors.New("no space left on device")
		}
		return nil
	}
	c := b.client()
	id := b.far.Add(letters().New(20_000))
	for _, want := range []sf1606.Round{{Listed: 1, Failed: 1}, {Listed: 1, Skipped: 1}} {
		if round, err := c.Poll(t.Context()); err != nil || round != want {
			t.Fatalf("%+v: %v", round, err)
		}
	}
	if r := b.far.Receipts(id); len(r) != 0 {
		t.Errorf("%+v", r)
	}
	full = false
	b.forward(time.Second)
	if round, err := c.Poll(t.Context()); err != nil || round.Accepted != 1 {
		t.Errorf("%+v: %v", round, err)
	}
	b.violated()
}

// A crash between commit and receipt, and between receipt and DELETE, repeats harmlessly.
func TestPollAfterCrash(t *testing.T) {
	t.Parallel()
	for _, answered := range []bool{false, true} {
		b := pull(t, sf1606test.NgDPConfig{})
		id := b.far.Add(letters().New(20_000))
		c := b.client()
		rcpt, refused, err := c.Fetch(t.Context(), id)
		if refused != nil || err != nil || !rcpt.Positive() {
			t.Fatal(rcpt, refused, err)
		}
		if answered {
			if err := c.Answer(t.Context(), id, rcpt); err != nil {
				t.Fatal(err)
			}
		}
		round, err := b.client().Poll(t.Context())
		if want := (sf1606.Round{Listed: 1, Accepted: 1}); err != nil || round != want {
			t.Errorf("%+v: %v", round, err)
		}
		if r := b.far.Receipts(id); len(r) != 1 || r[0] != rcpt {
			t.Errorf("%+v, stored %+v", r, rcpt)
		}
		if st := b.box.Stats(); st.Committed != 1 || st.Known != 1 || b.far.Stats().Waiting != 0 {
			t.Errorf("%+v", st)
		}
		b.violated()
	}
}

// A message that is kept at Digital Post is taken once; receipts can be XML; who cannot say who he is calls nobody.
func TestPollSettings(t *testing.T) {
	t.Parallel()
	b := pull(t, sf1606test.NgDPConfig{})
	b.cfg.KeepMemos, b.cfg.ReceiptFormat = true, sf1606.FormatXML
	c := b.client()
	id := b.far.Add(letters().New(2000))
	for _, want := range []sf1606.Round{{Listed: 1, Accepted: 1}, {Listed: 1, Skipped: 1}} {
		if round, err := c.Poll(t.Context()); err != nil || round != want {
			t.Errorf("%+v: %v", round, err)
		}
	}
	if st := b.far.Stats(); st.Waiting != 1 || st.Positive != 1 || len(b.far.Receipts(id)) != 1 {
		t.Errorf("%+v", st)
	}
	why := errors.New("no token")
	b.cfg.Authorize = func(*http.Request) error { return why }
	before := b.far.Stats().Requests
	if _, err := b.client().Poll(t.Context()); !errors.Is(err, why) || b.far.Stats().Requests != before {
		t.Errorf("%v", err)
	}
	b.violated()
}

// What each status means: of the message, or of the API.
func TestPollStatuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		faults sf1606test.NgDPFaults
		round  sf1606.Round
		status int // of the error
		stored int
	}{
		{"gone", sf1606test.NgDPFaults{RateGone: 1}, sf1606.Round{Listed: 1, Gone: 1}, 0, 0},
		{"locked", sf1606test.NgDPFaults{RateLocked: 1}, sf1606.Round{Listed: 1, Failed: 1}, 0, 0},
		{"receipt refused", sf1606test.NgDPFaults{Receipt422: true}, sf1606.Round{Listed: 1, Failed: 1}, 0, 1},
		{"cut", sf1606test.NgDPFaults{RateCut: 1}, sf1606.Round{Listed: 1, Failed: 1}, 0, 0},
		{"unauthorized", sf1606test.NgDPFaults{Refuse401: true}, sf1606.Round{}, 401, 0},
		{"unavailable", sf1606test.NgDPFaults{Rate503: 1, RetryAfter: 1}, sf1606.Round{}, 503, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := pull(t, sf1606test.NgDPConfig{Faults: c.faults})
			id := b.far.Add(letters().New(20_000))
			round, err := b.client().Poll(t.Context())
			status, _ := errors.AsType[*sf1606.StatusError](err)
			if round != c.round || (err != nil) != (c.status != 0) || status != nil && status.Status != c.status {
				t.Errorf("%+v: %v", round, err)
			}
			if c.status == 503 && status.RetryAfter != time.Second {
				t.Errorf("Retry-After %v", status.RetryAfter)
			}
			if n := b.box.Stats().Committed; n != c.stored {
				t.Errorf("%d stored", n)
			}
			if len(b.far.Receipts(id)) != 0 {
				t.Error("a receipt was taken")
			}
			b.violated()
		})
	}
}

// A message that the API cannot give does not keep the others back, and an API that fails for all of them ends the round.
func TestPollPassesBrokenMessages(t *testing.T) {
	t.Parallel()
	const all = 20
	m := raw(t, letters().New(2000))
	for broken, want := range map[int]int{4: all - 4, all: 0} {
		srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			id := strings.TrimPrefix(r.URL.Path, "/memos/")
			n, _ := strconv.Atoi(id)
			switch {
			case r.Method == http.MethodGet && id != "" && n < broken:
				w.WriteHeader(http.StatusInternalServerError)
			case r.Method == http.MethodGet:
				w.Header().Set("Content-Type", "text/xml; charset=utf-8")
				_, _ = w.Write(m)
			}
		}))
		t.Cleanup(srv.Close)
		c, err := sf1606.NewNgDP(sf1606.NgDPConfig{
			Intake: sf1606.Intake{Sink: &sf1606test.Box{}, AnyRecipient: true}, BaseURL: srv.URL, HTTP: srv.Client(),
			List: func(io.Reader) ([]string, error) {
				ids := make([]string, all)
				for i := range ids {
					ids[i] = strconv.Itoa(i)
				}
				return ids, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		round, err := c.Poll(t.Context())
		if round.Accepted != want || (err != nil) != (want == 0) || want == 0 && round.Failed > 5 {
			t.Errorf("%d broken: %+v %v", broken, round, err)
		}
	}
}

// Run brings everything home through every fault, each message once, and ends with its context.
func TestRunThroughFaults(t *testing.T) {
	t.Parallel()
	b := pull(t, sf1606test.NgDPConfig{Faults: sf1606test.NgDPFaults{
		Rate503: 0.1, RateCut: 0.2, RateLost: 0.2, RateGone: 0.1, RateLocked: 0.1, RateGarbage: 0.1,
	}, Seed: 7})
	b.cfg.Parallel = 4
	b.cfg.Now = time.Now
	l := letters()
	for range 60 {
		b.far.Add(l.New(5000))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error, 1)
	c := b.client()
	go func() { done <- c.Run(ctx) }()
	if err := b.far.WaitFor(deadline(t), func(st sf1606test.NgDPStats) bool { return st.Waiting == 0 }); err != nil {
		t.Fatal(err, b.far.Stats())
	}
	why := errors.New("enough")
	cancel(why)
	if err := <-done; !errors.Is(err, why) {
		t.Error(err)
	}
	st := b.far.Stats()
	if n := b.box.Stats().Committed; n != 60 || st.Positive != 60 || st.Negative != 0 || st.Faults == 0 {
		t.Errorf("%d stored, %+v", n, st)
	}
	b.violated()
}

// What is no message, but a proxy's page, or a message whose end is missing, is never refused: it is fetched again.
func TestFetchOfNoMessage(t *testing.T) {
	t.Parallel()
	m := string(raw(t, letters().New(2000)))
	for name, answer := range map[string]http.HandlerFunc{
		"HTML": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>Log ind</html>")
		},
		"cut without notice": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/xml")
			_, _ = io.WriteString(w, m[:len(m)/2])
		},
		"no content": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) },
	} {
		srv := httptest.NewTLSServer(answer)
		t.Cleanup(srv.Close)
		box := &sf1606test.Box{}
		c, err := sf1606.NewNgDP(sf1606.NgDPConfig{
			Intake: sf1606.Intake{Sink: box, AnyRecipient: true}, BaseURL: srv.URL, HTTP: srv.Client(),
		})
		if err != nil {
			t.Fatal(err)
		}
		rcpt, refused, err := c.Fetch(t.Context(), "x")
		if err == nil && (refused == nil || !refused.Temporary) || rcpt.Positive() {
			t.Errorf("%s: %+v %v %v", name, rcpt, refused, err)
		}
	}
}

// Run comes back for a message that failed as soon as it is due, long before the next round would be.
func TestRunTriesAgain(t *testing.T) {
	t.Parallel()
	b := pull(t, sf1606test.NgDPConfig{})
	b.cfg.Now, b.cfg.Interval = time.Now, time.Hour
	var tries atomic.Int32
	b.box.OnCommit = func(context.Context, sf1606.Meta) error {
		if tries.Add(1) < 4 {
			return errors.New("no space left on device")
		}
		return nil
	}
	b.far.Add(letters().New(2000))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	c := b.client()
	go func() { done <- c.Run(ctx) }()
	if err := b.far.WaitFor(deadline(t), func(st sf1606test.NgDPStats) bool { return st.Waiting == 0 }); err != nil {
		t.Error(err, b.far.Stats())
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || tries.Load() != 4 {
		t.Errorf("%d tries: %v", tries.Load(), err)
	}
	b.violated()
}

// A message that stands still is given up.
func TestFetchStandsStill(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	m := raw(t, letters().New(100_000))
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		_, _ = w.Write(m[:60_000])
		_ = http.NewResponseController(w).Flush()
		<-held
	}))
	defer srv.Close()
	defer close(held)
	box := &sf1606test.Box{}
	c, err := sf1606.NewNgDP(sf1606.NgDPConfig{
		Intake: sf1606.Intake{Sink: box, AnyRecipient: true}, BaseURL: srv.URL, HTTP: srv.Client(), Idle: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	rcpt, refused, err := c.Fetch(t.Context(), "x")
	if err != nil || refused == nil || !refused.Temporary || rcpt.Positive() {
		t.Errorf("%+v %v %v", rcpt, refused, err)
	}
	if st := box.Stats(); st.Aborted != 1 || st.Open != 0 {
		t.Errorf("%+v", st)
	}
}

func TestReadIDs(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`["a","b"]`:                            "a b",
		`[]`:                                   "",
		`{"memos":["a"],"currentPage":0}`:      "a",
		`{"content":[{"id":"a"}]}`:             "a",
		`{"elements":[{"messageUUID":"a"}]}`:   "a",
		`{"ids":[{"memoId":"a"},"b"]}`:         "a b",
		`{"memos":null}`:                       "",
		`{}`:                                   "error",
		`{"memos":{}}`:                         "error",
		`{"memos":["a"],"ids":["b"]}`:          "error",
		`[1]`:                                  "error",
		`[""]`:                                 "error",
		`[".."]`:                               "error",
		`[{}]`:                                 "error",
		`"a"`:                                  "error",
		``:                                     "error",
		`["` + strings.Repeat("a", 300) + `"]`: "error",
		`[` + strings.Repeat(" ", 5<<20) + `]`: "error",
	} {
		ids, err := sf1606.ReadIDs(strings.NewReader(body))
		if err != nil && want != "error" || err == nil && strings.Join(ids, " ") != want {
			t.Errorf("%.40s: %v %v", body, ids, err)
		}
	}
}

// An id is a path segment, whatever it holds.
func TestIDsAreEscaped(t *testing.T) {
	t.Parallel()
	paths := make(chan string, 1)
	srv := httptest.NewTLSServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { paths <- r.RequestURI }))
	defer srv.Close()
	c, err := sf1606.NewNgDP(sf1606.NgDPConfig{
		Intake: sf1606.Intake{Sink: &sf1606test.Box{}, AnyRecipient: true}, BaseURL: srv.URL + "/apis/v1/", HTTP: srv.Client(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), "a/../b?c"); err != nil {
		t.Fatal(err)
	}
	if got := <-paths; got != "/apis/v1/memos/a%2F..%2Fb%3Fc" {
		t.Error(got)
	}
}

func TestNgDPConfig(t *testing.T) {
	t.Parallel()
	good := sf1606.NgDPConfig{
		Intake:  sf1606.Intake{Sink: &sf1606test.Box{}, Authorities: []string{cvr}},
		BaseURL: "https://x.example/apis/v1", HTTP: &http.Client{},
	}
	if _, err := sf1606.NewNgDP(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*sf1606.NgDPConfig){
		"sink":        func(c *sf1606.NgDPConfig) { c.Sink = nil },
		"authorities": func(c *sf1606.NgDPConfig) { c.Authorities = nil },
		"authority 1": func(c *sf1606.NgDPConfig) { c.Authorities = []string{"1234567a"} },
		"HTTP client": func(c *sf1606.NgDPConfig) { c.HTTP = nil },
		"Timeout":     func(c *sf1606.NgDPConfig) { c.HTTP = &http.Client{Timeout: time.Second} },
		"base URL":    func(c *sf1606.NgDPConfig) { c.BaseURL = "http://x.example" },
		"limit":       func(c *sf1606.NgDPConfig) { c.BackoffMin, c.BackoffMax = time.Hour, time.Minute },
		"Parallel":    func(c *sf1606.NgDPConfig) { c.Parallel = -1 },
	} {
		c := good
		spoil(&c)
		if _, err := sf1606.NewNgDP(c); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
