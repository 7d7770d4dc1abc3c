package inbound_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oklog/ulid/v2"
	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/documents"
	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const authority = "55133018"

// rules send what answers us to its producer, children's cases to a system that may refuse, and the rest to the desk.
const rules = `
targets:
  esdh: {folder: /srv/esdh}
  boern: {url: "https://boern.testby.example/post", format: memo, else: esdh}
  desk: {mail: post@testby.example}
rules:
  - {name: svar, match: {reply_to: ours}, target: producer}
  - {name: boern, match: {kle: "27."}, target: boern}
default: desk
`

// world is a service with a real journal and a real document store.
type world struct {
	t         *testing.T
	service   *inbound.Service
	journal   *journal.Journal
	documents *documents.Folder
	dir       string
	queue     *queued
	targets   map[string]*target
	clock     *clock
	url       string
}

// stage lets a folder be the store of a service.
type stage struct{ *documents.Folder }

func (s stage) Stage(ctx context.Context, r io.Reader, limit int64) (inbound.Staged, error) {
	doc, err := s.Folder.Stage(ctx, r, limit)
	if err != nil {
		return nil, err
	}
	return doc, nil
}

type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// queued remembers what it was asked for.
type queued struct {
	mu      sync.Mutex
	posts   []string
	ensured []string
	err     error
}

func (q *queued) EnqueuePost(_ context.Context, p gateway.DuePost) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.posts = append(q.posts, p.ID)
	return q.err
}

func (q *queued) EnsurePost(_ context.Context, p gateway.DuePost) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ensured = append(q.ensured, p.ID)
	return q.err
}

// target answers what it is told to and remembers what it got.
type target struct {
	mu       sync.Mutex
	outcomes []inbound.Outcome // the last one stays
	memos    []string          // SHA-256 of what was read
	during   func()
}

func (x *target) Deliver(ctx context.Context, p *inbound.Parcel) inbound.Outcome {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.during != nil {
		x.during()
	}
	r, err := p.Memo(ctx)
	if err != nil {
		return inbound.Outcome{Code: "memo", Err: err}
	}
	defer func() { _ = r.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return inbound.Outcome{Code: "memo", Err: err}
	}
	x.memos = append(x.memos, hex.EncodeToString(h.Sum(nil)))
	o := x.outcomes[0]
	if len(x.outcomes) > 1 {
		x.outcomes = x.outcomes[1:]
	}
	return o
}

type option func(*inbound.Config)

func newWorld(t *testing.T, options ...option) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), queue: &queued{}, clock: &clock{at: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)}}
	var err error
	w.journal, err = journal.Open(t.Context(), "sqlite:"+filepath.Join(w.dir, "journal.db"), journal.Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.journal.Close(); err != nil {
			t.Error(err)
		}
	})
	if w.documents, err = documents.Open("file:"+filepath.Join(w.dir, "documents"), documents.Options{}); err != nil {
		t.Fatal(err)
	}
	parsed, err := routing.Parse([]byte(rules), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.targets = map[string]*target{}
	targets := map[string]inbound.Target{}
	for _, x := range parsed.Targets() {
		w.targets[x.Name] = &target{outcomes: []inbound.Outcome{{Verdict: inbound.Taken, Code: "ok"}}}
		targets[x.Name] = w.targets[x.Name]
	}
	cfg := inbound.Config{
		Journal: w.journal, Documents: stage{w.documents}, Queue: w.queue, Rules: parsed, Targets: targets,
		Now: w.clock.now, NewID: func(prefix string) string { return prefix + "_" + ulid.Make().String() },
		NewUUID: uuid.NewString, Worker: "worker",
	}
	for _, o := range options {
		o(&cfg)
	}
	if w.service, err = inbound.New(cfg); err != nil {
		t.Fatal(err)
	}
	handler, err := sf1606.Handler(sf1606.Config{
		Intake: sf1606.Intake{Sink: w.service, Authorities: []string{authority}, Now: w.clock.now, NewUUID: uuid.NewString},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	w.url = server.URL + sf1606.DefaultPath
	return w
}

// letter is a message from a citizen with one document.
func letter(change ...func(*memo.Message)) *memo.Message {
	m := &memo.Message{
		Version: memo.V1_1,
		Header: memo.MessageHeader{
			MessageType: memo.DigitalPost, MessageUUID: uuid.NewString(), MessageID: "MSG-1", Label: "Spørgsmål om min sag",
			Sender:    memo.Sender{SenderID: "2512489996", IDType: memo.CPR, Label: "Nancy Ann Berggren"},
			Recipient: memo.Recipient{RecipientID: authority, IDType: memo.CVR, Label: "Testby Kommune"},
		},
		Body: &memo.MessageBody{
			CreatedDateTime: time.Date(2026, 11, 2, 7, 0, 0, 0, time.UTC),
			MainDocument: memo.MainDocument{Files: []memo.File{{
				EncodingFormat: "text/plain", Filename: "besked.txt", Language: "da", Content: text("Hvornår er mit møde?"),
			}}},
		},
	}
	for _, c := range change {
		c(m)
	}
	return m
}

// text is a content in memory.
type text string

func (s text) Size() int64 { return int64(len(s)) }

func (s text) Open(context.Context) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(string(s))), nil
}

func bytesOf(t *testing.T, m *memo.Message) []byte {
	t.Helper()
	doc, err := m.Document()
	if err != nil {
		t.Fatal(err)
	}
	r := doc.Open(t.Context())
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// send posts a message and returns the receipt and the HTTP status.
func (w *world) send(xml []byte) (sf1606.Receipt, int) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url, bytes.NewReader(xml))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/xml")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := sf1606.ParseReceipt(raw)
	if err != nil {
		w.t.Fatalf("%v: %s", err, raw)
	}
	return r, res.StatusCode
}

// accept sends a message that must be accepted, and returns its post.
func (w *world) accept(m *memo.Message) *gateway.Post {
	w.t.Helper()
	if r, status := w.send(bytesOf(w.t, m)); !r.Positive() || status != http.StatusOK {
		w.t.Fatalf("%d %+v", status, r)
	}
	posts, err := w.journal.Posts(w.t.Context(), gateway.PostFilter{MessageUUID: m.Header.MessageUUID, Limit: 2})
	if err != nil || len(posts) != 1 {
		w.t.Fatalf("%d posts, %v", len(posts), err)
	}
	p, _ := w.view(posts[0].ID)
	return p
}

func (w *world) view(id string) (*gateway.Post, []gateway.PostEvent) {
	w.t.Helper()
	p, events, err := w.journal.PostView(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return p, events
}

// deliver expects the queue to be told nothing, or that the post comes again after a while.
func (w *world) deliver(id string) (again time.Duration) {
	w.t.Helper()
	err := w.service.Deliver(w.t.Context(), id)
	if err == nil {
		return 0
	}
	later, ok := errors.AsType[*gateway.Later](err)
	if !ok {
		w.t.Fatal(err)
	}
	return later.At.Sub(w.clock.now())
}

func codes(events []gateway.PostEvent) string {
	list := make([]string, len(events))
	for n, e := range events {
		list[n] = e.Code
	}
	return strings.Join(list, " ")
}

// files counts what is in the document store, and what is left half written.
func (w *world) files() (kept, temporary int) {
	w.t.Helper()
	err := filepath.WalkDir(filepath.Join(w.dir, "documents"), func(path string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			if filepath.Base(filepath.Dir(path)) == "tmp" {
				temporary++
			} else {
				kept++
			}
		}
		return err
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return kept, temporary
}
