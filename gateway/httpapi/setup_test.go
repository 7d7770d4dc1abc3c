package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/journal"
)

// The tokens of the tests' producers.
const (
	tokenHuske   = "huske-token-8f2b1c"
	tokenHuske2  = "huske-token-next-91aa"
	tokenOther   = "other-token-77e0"
	tokenReader  = "reader-token-5150"
	tokenAdmin   = "vagt-token-2718"
	tokenESDH    = "esdh-token-6022"
	tokenBoern   = "boern-token-1618"
	tokenPost    = "post-token-1414"
	tokenUnknown = "unknown-token-0000"
)

// clock is the time that the rules of every test see.
func clock() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

func hash(tokens ...string) []access.Token {
	var out []access.Token
	for _, token := range tokens {
		out = append(out, access.Token{SHA256: sha256.Sum256([]byte(token))})
	}
	return out
}

func testProducers() []Producer {
	return []Producer{
		{Name: "huskeservice", Tokens: hash(tokenHuske, tokenHuske2), Scopes: Scopes()},
		{Name: "other", Tokens: hash(tokenOther), Scopes: Scopes()},
		{Name: "reader", Tokens: hash(tokenReader), Scopes: []Scope{ReadIntents}},
		{Name: "vagt", Tokens: hash(tokenAdmin), Scopes: []Scope{AdminReceipts}},
		// A producer that reads the answers to its letters, two systems that own post, and an operator.
		{Name: "esdh", Tokens: hash(tokenESDH), Scopes: append(Scopes(), ReadInbound, DecideInbound), Targets: []string{"esdh", "arkiv"}},
		{Name: "boern", Tokens: hash(tokenBoern), Scopes: []Scope{ReadInbound}, Targets: []string{"boern"}},
		{Name: "posthus", Tokens: hash(tokenPost), Scopes: []Scope{AdminInbound}},
	}
}

// house is a real gateway over a real journal behind a server, and a client whose every exchange is held against
// openapi.yaml.
type house struct {
	gateway *gateway.Gateway
	inbound Inbound // nil until a test has one
	journal *journal.Journal
	url     string
	http    *http.Client
	client  *Client
	log     *logBuffer
	queue   *queueFake
}

// setup starts a house. break_ may put something between the server and the gateway.
func setup(t *testing.T, breaks ...func(Gateway) Gateway) *house {
	t.Helper()
	j, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), journal.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{journal: j, log: &logBuffer{}, queue: &queueFake{}}
	logger := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var ids atomic.Int64
	h.gateway, err = gateway.New(gateway.Config{
		Journal: j, Documents: &documentsFake{}, Queue: h.queue,
		Channels: []gateway.Channel{letterbox{"digitalpost"}, letterbox{"print"}},
		Senders:  map[string]gateway.Sender{"jobcenter": {Name: "jobcenter", Label: "Testby Kommune, Jobcenter"}},
		Windows:  []string{"day"},
		ErrorCodes: []gateway.ErrorCode{{
			Code: "NGDP-1", FarEnd: "NgDP", Outcome: gateway.Next, HintEN: "Print it.", HintDA: "Print det.", Source: "a list",
			Date: clock(),
		}},
		Registry: registryFake{}, ReadReceipt: readFake,
		Callbacks: gateway.CallbackConfig{Producers: map[string]bool{"huskeservice": true}, Queue: h.queue},
		Now:       clock, NewUUID: uuid.NewString, Worker: "test", Logger: logger,
		NewID: func(prefix string) string { return fmt.Sprintf("%s_%026d", prefix, ids.Add(1)) },
	})
	if err != nil {
		t.Fatal(err)
	}
	var g Gateway = h.gateway
	for _, b := range breaks {
		g = b(g)
	}
	h.serve(t, g, logger)
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// serve puts a server over g and a watched client in front of it.
func (h *house) serve(t *testing.T, g Gateway, logger *slog.Logger) {
	t.Helper()
	s, err := New(Config{Gateway: g, Inbound: h.inbound, Producers: testProducers(), Logger: logger, MaxBody: 64 << 10, Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(s)
	server.Config = NewHTTPServer("", s, logger)
	server.Start()
	t.Cleanup(server.Close)
	h.url = server.URL
	h.http = &http.Client{
		Transport: &watched{t: t, next: server.Client().Transport},
		// A redirect is an answer like another.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	h.client = &Client{BaseURL: h.url, Token: tokenHuske, HTTP: h.http}
}

// stranger is another producer.
func (h *house) stranger() *Client { return &Client{BaseURL: h.url, Token: tokenOther, HTTP: h.http} }

// answer is a response that was read.
type answer struct {
	status int
	header http.Header
	body   string
}

// problem reads a problem and its findings, and fails when the answer is something else.
func (a answer) problem(t *testing.T) *Problem {
	t.Helper()
	p := &Problem{}
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Fatalf("%d with content type %q, want a problem: %s", a.status, got, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), p); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	if p.Status != a.status || p.Type != typePrefix+p.Code || p.Title == "" {
		t.Errorf("status, type and title do not fit: %+v", p)
	}
	return p
}

// ask sends a request as it is written, with the token of huskeservice unless the header says otherwise.
func (h *house) ask(t *testing.T, method, path, body string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tokenHuske)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for n := 0; n < len(header); n += 2 {
		if header[n+1] == "" {
			req.Header.Del(header[n])
		} else {
			req.Header.Set(header[n], header[n+1])
		}
	}
	resp, err := h.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(content)}
}

// chunked posts a body without saying how long it is.
func (h *house) chunked(t *testing.T, path string, body io.Reader) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+path, io.NopCloser(body))
	if err != nil {
		t.Fatal(err)
	}
	req.ContentLength = -1
	req.Header.Set("Authorization", "Bearer "+tokenHuske)
	resp, err := h.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(content)}
}

// wantNothingStored fails when an intent was stored or a message enqueued.
func (h *house) wantNothingStored(t *testing.T) {
	t.Helper()
	intents, err := h.gateway.Intents(t.Context(), gateway.IntentFilter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	if n := h.queue.enqueued.Load(); n != 0 || len(intents) != 0 {
		t.Errorf("%d intents were stored and %d messages enqueued", len(intents), n)
	}
}

// letter is a valid intent with everything that a letter can have.
func letter(reference string) *IntentRequest {
	return &IntentRequest{
		Reference: reference, Sender: "jobcenter",
		Recipient: RecipientRequest{
			CPR: "2512489996", Name: "Nancy Ann Berggren", Email: "nancy@borger.example", Mobile: "+4520304050",
			Address: AddressRequest{Street: "Rådhuspladsen", House: "2", Postcode: "8000", City: "Aarhus C", Country: "DK"},
		},
		Routes: [][]string{{"digitalpost", "print"}},
		Content: ContentRequest{
			Title: "Indkaldelse til jobsamtale", Text: "Du er indkaldt til samtale.", Notification: "Ny indkaldelse",
			Documents: []DocumentRequest{{
				Filename: "Indkaldelse.pdf", ContentType: "application/pdf", Content: Base64{Bytes: []byte("%PDF-1.7 a letter")},
			}},
			Actions: []ActionRequest{
				{
					Type: "AFTALE", Label: "Jobsamtale", Start: "2026-12-01T10:00:00+01:00", End: "2026-12-01T10:45:00+01:00",
					Location: "Værkmestergade 5", Abstract: "Jobsamtale", Description: "Medbring CV",
					Organizer: OrganizerRequest{Name: "Jobcenter", Mail: "jobcenter@testby.example"},
				},
				{Type: "TILMELDING", Label: "Tilmeld", URL: "https://testby.example/tilmeld", End: "2026-12-10T23:59:00+01:00"},
			},
			Reply: ReplyRequest{Allowed: true, By: "2026-12-24T00:00:00Z"}, KLE: "27.24.00",
			Case: CaseRequest{ID: "sag-1", System: "esdh"},
		},
		Send: SendRequest{Expires: "2026-12-31T00:00:00+01:00", Window: "day"},
	}
}

// text is a letter as JSON, with replacements: old, new, old, new.
func text(t testing.TB, in *IntentRequest, replace ...string) string {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	out := string(body)
	for n := 0; n < len(replace); n += 2 {
		if !strings.Contains(out, replace[n]) {
			t.Fatalf("%s is not in %s", replace[n], out)
		}
		out = strings.Replace(out, replace[n], replace[n+1], 1)
	}
	return out
}

// letterbox is a channel that refuses the filenames of Digital Post and cannot send.
type letterbox struct{ name string }

func (l letterbox) Name() string { return l.name }

func (letterbox) Check(_ context.Context, l gateway.Letter) (found []gateway.Problem) {
	for n, d := range l.Intent.Content.Documents {
		if strings.ContainsAny(d.Filename, ":\u00a0") {
			found = append(found, gateway.Problem{
				Pointer: fmt.Sprintf("/content/documents/%d/filename", n), Code: "filename.forbidden",
				Detail: `Forbidden are: < > : " / \ | ? * U+00A0.`,
			})
		}
	}
	return found
}

func (letterbox) Send(context.Context, gateway.Letter) gateway.Outcome {
	return gateway.Outcome{Class: gateway.Fail, Code: "test"}
}

// queueFake counts what it is handed.
type queueFake struct{ enqueued, lanes atomic.Int64 }

func (q *queueFake) Enqueue(context.Context, gateway.DueMessage) error {
	q.enqueued.Add(1)
	return nil
}
func (*queueFake) Ensure(context.Context, gateway.DueMessage) error { return nil }
func (*queueFake) Forgot(context.Context) (bool, error)             { return false, nil }

// registryFake knows everybody but those whose number ends in 9995, and fails for 9987.
type registryFake struct{}

func (registryFake) Registered(_ context.Context, service string, id gateway.Identifier, fresh bool) (bool, error) {
	switch number := id.Reveal(); {
	case strings.HasSuffix(number, "9987"):
		return false, errors.New("the registry does not answer")
	case strings.HasSuffix(number, "9000"):
		panic(number)
	case service == "nemsms" || fresh:
		return true, nil
	default:
		return !strings.HasSuffix(number, "9995"), nil
	}
}

// readFake reads a status that says "readable" and then the UUID of its message.
func readFake(raw []byte) (gateway.Receipt, error) {
	uuid, ok := strings.CutPrefix(string(raw), "readable ")
	if !ok {
		return gateway.Receipt{}, errors.New("message is not well-formed XML")
	}
	return gateway.Receipt{ID: "read-" + uuid, Kind: gateway.ReceiptDelivered, MessageUUID: uuid, Raw: raw}, nil
}

// documentsFake keeps documents in memory.
type documentsFake struct{ files sync.Map }

func (d *documentsFake) Put(_ context.Context, r io.Reader, limit int64) (string, int64, error) {
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, limit+1))
	if err != nil {
		return "", 0, fmt.Errorf("read: %w", err)
	}
	if n > limit {
		return "", 0, gateway.ErrTooLarge
	}
	sum := hex.EncodeToString(h.Sum(nil))
	d.files.Store(sum, true)
	return sum, n, nil
}

func (d *documentsFake) Open(_ context.Context, sum string) (io.ReadCloser, error) {
	if _, ok := d.files.Load(sum); !ok {
		return nil, gateway.ErrNotFound
	}
	return io.NopCloser(strings.NewReader("")), nil
}

// broken answers every call with err, or panics with value.
type broken struct {
	Gateway
	err   error
	value any
}

func (b broken) fail() error {
	if b.value != nil {
		panic(b.value)
	}
	return b.err
}

func (b broken) Accept(context.Context, gateway.Draft) (*gateway.Intent, bool, error) {
	return nil, false, b.fail()
}

func (b broken) Cancel(context.Context, string, string) (*gateway.Intent, error) {
	return nil, b.fail()
}

func (b broken) Release(context.Context, string, string, string) (*gateway.Intent, error) {
	return nil, b.fail()
}

func (b broken) Close(context.Context, string, string, string, gateway.MessageState) (*gateway.Intent, error) {
	return nil, b.fail()
}

func (b broken) Intent(context.Context, string, string) (*gateway.Intent, []gateway.Event, error) {
	return nil, nil, b.fail()
}

func (b broken) Intents(context.Context, gateway.IntentFilter) ([]gateway.Intent, error) {
	return nil, b.fail()
}

func (b broken) Events(context.Context, string, int64, int) ([]gateway.Event, error) {
	return nil, b.fail()
}

func (b broken) Upload(context.Context, string, string, io.Reader) (*gateway.Upload, error) {
	return nil, b.fail()
}
func (b broken) BeginBatch(context.Context, string) (string, error) { return "", b.fail() }
func (b broken) Batch(context.Context, string, string) (*gateway.Batch, error) {
	return nil, b.fail()
}
func (b broken) Explain(string) (gateway.ErrorCode, bool) { return gateway.ErrorCode{}, false }

func (b broken) Registered(context.Context, string, gateway.Identifier, bool) (bool, error) {
	return false, b.fail()
}

func (b broken) Ready(context.Context) error { return b.fail() }

func (b broken) Health(context.Context) (*gateway.Health, error) { return nil, b.err }

func (broken) ReceiptCounts() gateway.ReceiptCounts { return gateway.ReceiptCounts{} }

func (b broken) Quarantine(context.Context, gateway.ReceiptFilter) ([]gateway.Receipt, error) {
	return nil, b.fail()
}

func breaking(err error) func(Gateway) Gateway {
	return func(g Gateway) Gateway { return broken{Gateway: g, err: err} }
}

var errSecret = errors.New("the secret cause 2512489996")

// logBuffer is a log that a test can read.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
