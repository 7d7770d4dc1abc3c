package sf1606test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
)

// SinkSuite tests that a sink keeps the contract of sf1606.Sink and sf1606.Delivery. open makes an empty one for each test.
// What a sink keeps besides (routes, targets, hygiene) must let Letters of CVR 55133018 through.
func SinkSuite(t *testing.T, open func(t *testing.T) sf1606.Sink) {
	t.Helper()
	tests := map[string]func(*sinkTest){
		"accepted is known":         (*sinkTest).known,
		"the same again":            (*sinkTest).again,
		"without documents":         (*sinkTest).noDocuments,
		"equal and empty documents": (*sinkTest).documents,
		"aborted is forgotten":      (*sinkTest).aborted,
		"a content that breaks":     (*sinkTest).broken,
		"an ended context":          (*sinkTest).ended,
		"twins":                     (*sinkTest).twins,
		"many at once":              (*sinkTest).many,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := open(t)
			h, err := sf1606.Handler(sf1606.Config{Intake: sf1606.Intake{Sink: sink, Authorities: []string{"55133018"}}})
			if err != nil {
				t.Fatal(err)
			}
			test(&sinkTest{T: t, sink: sink, handler: h, letters: NewLetters(LettersConfig{})})
		})
	}
}

type sinkTest struct {
	*testing.T

	sink    sf1606.Sink
	handler http.Handler
	letters *Letters
}

// xml is a message as bytes.
func (t *sinkTest) xml(m *memo.Message) []byte {
	t.Helper()
	d, err := m.Document()
	if err != nil {
		t.Fatal(err)
	}
	body := d.Open(t.Context())
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// post sends bytes to PostModtag before the sink.
func (t *sinkTest) post(b []byte) sf1606.Receipt {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, sf1606.DefaultPath, bytes.NewReader(b))
	req.Header.Set("Content-Type", "application/xml")
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, req)
	r, err := sf1606.ParseReceipt(w.Body.Bytes())
	if err != nil {
		t.Errorf("HTTP %d: %v: %s", w.Code, err, w.Body)
	}
	return r
}

// must is post of a message that is accepted.
func (t *sinkTest) must(m *memo.Message) sf1606.Receipt {
	t.Helper()
	r := t.post(t.xml(m))
	if !r.Positive() || r.MessageUUID != m.Header.MessageUUID {
		t.Fatalf("not accepted: %+v", r)
	}
	return r
}

func (t *sinkTest) isKnown(uuid string) (sf1606.Receipt, bool) {
	t.Helper()
	r, found, err := t.sink.Known(t.Context(), strings.ToLower(uuid))
	if err != nil {
		t.Fatal(err)
	}
	return r, found
}

func (t *sinkTest) known() {
	m := t.letters.New(100_000)
	if _, found := t.isKnown(m.Header.MessageUUID); found {
		t.Error("known before it came")
	}
	m.Header.MessageUUID = strings.ToUpper(m.Header.MessageUUID)
	m.Header.MessageID = "id"
	r := t.must(m)
	if stored, found := t.isKnown(m.Header.MessageUUID); !found || stored != r {
		t.Errorf("known as %+v (%v), answered %+v", stored, found, r)
	}
}

func (t *sinkTest) again() {
	m := t.letters.New(20_000)
	first := t.must(m)
	m.Header.MessageUUID = strings.ToUpper(m.Header.MessageUUID)
	if r := t.post(t.xml(m)); r != first {
		t.Errorf("again %+v, first %+v", r, first)
	}
	// And where the sink was not asked before: a Commit of what was committed meanwhile.
	d, b := t.begin(), t.xml(m)
	if recorder, ok := d.(sf1606.Recorder); ok {
		if _, err := recorder.Record().Write(b); err != nil {
			t.Fatal(err)
		}
	}
	r, err := d.Commit(t.Context(), m, sf1606.Meta{
		MessageUUID: strings.ToLower(m.Header.MessageUUID), Size: int64(len(b)), SHA256: sha256.Sum256(b),
		Receipt: sf1606.Receipt{TransmissionID: "another", MessageUUID: m.Header.MessageUUID, Status: sf1606.StatusCompleted},
	})
	if err != nil || r != first {
		t.Errorf("commit again %+v, first %+v: %v", r, first, err)
	}
}

func (t *sinkTest) noDocuments() {
	m := t.letters.New(2000)
	m.Header.MessageType, m.Header.Notification, m.Body = memo.NemSMS, "Husk din tid", nil
	t.must(m)
}

func (t *sinkTest) documents() {
	m := t.letters.New(100_000)
	same := m.Body.MainDocument.Files[0]
	empty := same
	empty.Content = Filler(0)
	m.Body.MainDocument.Files = append(m.Body.MainDocument.Files, same)
	m.Body.TechnicalDocuments = []memo.TechnicalDocument{{Files: []memo.File{same, empty}}}
	t.must(m)
	other := t.letters.New(2000)
	other.Body.MainDocument.Files = []memo.File{same}
	t.must(other)
}

func (t *sinkTest) begin() sf1606.Delivery {
	t.Helper()
	d, err := t.sink.Begin(t.Context(), sf1606.Arrival{Source: sf1606.SourcePostModtag, TransmissionID: "t"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var document = memo.FileInfo{ //nolint:gochecknoglobals // a constant that Go cannot spell
	Path: "MessageBody/MainDocument/File[1]/content", Document: memo.KindMain, DocumentIndex: 1, FileIndex: 1,
	EncodingFormat: "application/pdf", Filename: "Brev.pdf", Language: "da",
}

func (t *sinkTest) aborted() {
	d := t.begin()
	if err := d.Document(t.Context(), document, strings.NewReader("%PDF-1.7")); err != nil {
		t.Fatal(err)
	}
	d.Abort(t.Context(), errors.New("cut"))
	m := t.letters.New(20_000)
	b := t.xml(m)
	if r := t.post(b[:len(b)*6/10]); r.Positive() {
		t.Errorf("half a message is accepted: %+v", r)
	}
	if _, found := t.isKnown(m.Header.MessageUUID); found {
		t.Error("half a message is known")
	}
	t.must(m)
}

// endless gives bytes, then an error.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left == 0 {
		return 0, errCut
	}
	n := min(e.left, len(p))
	e.left -= n
	return n, nil
}

func (t *sinkTest) broken() {
	d := t.begin()
	if err := d.Document(t.Context(), document, &endless{left: 300_000}); err == nil {
		t.Error("a content that broke is taken for whole")
	}
	d.Abort(t.Context(), errCut)
}

func (t *sinkTest) ended() {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d, err := t.sink.Begin(ctx, sf1606.Arrival{Source: sf1606.SourceNgDP, MemoID: "x"})
	if err != nil {
		return // as good: nothing was begun
	}
	_ = d.Document(ctx, document, strings.NewReader("%PDF-1.7")) // may or may not look at its context
	d.Abort(context.WithoutCancel(ctx), context.Canceled)
}

func (t *sinkTest) twins() {
	b := t.xml(t.letters.New(20_000))
	receipts := make([]sf1606.Receipt, 8)
	var wait sync.WaitGroup
	for i := range receipts {
		wait.Go(func() { receipts[i] = t.post(b) })
	}
	wait.Wait()
	for _, r := range receipts {
		if !r.Positive() || r != receipts[0] {
			t.Errorf("%+v beside %+v", r, receipts[0])
		}
	}
}

func (t *sinkTest) many() {
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 10 {
				m := t.letters.New(5000)
				r := t.post(t.xml(m))
				stored, found, err := t.sink.Known(t.Context(), m.Header.MessageUUID)
				if err != nil || !found || stored != r || !r.Positive() {
					t.Errorf("%+v, known as %+v (%v): %v", r, stored, found, err)
				}
			}
		})
	}
	wait.Wait()
}
