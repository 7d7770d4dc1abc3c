package sf1606_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/memo/memotest"
	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// What is accepted is in the sink, byte for byte, when the receipt comes.
func TestAccept(t *testing.T) {
	t.Parallel()
	for _, format := range []sf1606.Format{"", sf1606.FormatJSON, sf1606.FormatXML} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 22, 10, 30, 0, 123_456_789, time.FixedZone("CET", 3600))
			r := receive(t, sf1606.Config{Intake: sf1606.Intake{
				Now: func() time.Time { return now }, NewUUID: func() string { return "00000000-0000-4000-8000-000000000001" },
			}})
			s := r.sender(sf1606test.SenderConfig{Format: format})
			m := letters().New(100_000)
			m.Header.MessageID = "min-id"
			m.Header.MessageUUID = strings.ToUpper(m.Header.MessageUUID)
			a, err := s.Try(t.Context(), m)
			if err != nil || a.Problem != nil {
				t.Fatal(err, a.Problem)
			}
			want := sf1606.Receipt{
				TransmissionID: "00000000-0000-4000-8000-000000000001", MessageUUID: m.Header.MessageUUID, MessageID: "min-id",
				TimeStamp: time.Date(2026, 11, 22, 9, 30, 0, 123_000_000, time.UTC), Status: sf1606.StatusCompleted,
			}
			if a.Status != http.StatusOK || a.Receipt != want {
				t.Errorf("HTTP %d %s", a.Status, a.Body)
			}
			boxed, ok := r.box.Message(strings.ToLower(m.Header.MessageUUID))
			body := raw(t, m)
			if !ok || boxed.Meta.Receipt != want || boxed.Meta.Size != int64(len(body)) || boxed.Meta.SHA256 != sha256.Sum256(body) ||
				boxed.Meta.Source != sf1606.SourcePostModtag || !strings.Contains(boxed.Meta.Peer, "Testby Kommune") || boxed.Meta.Notices != 0 {
				t.Fatalf("stored %+v", boxed.Meta)
			}
			if !bytes.Equal(boxed.XML, body) {
				t.Error("the XML is recorded otherwise")
			}
			if len(boxed.Documents) != 2 || boxed.Documents[0].File.Document != memo.KindMain ||
				boxed.Documents[1].File.Document != memo.KindAdditional || boxed.Documents[1].File.Filename != "Bilag til brev.pdf" {
				t.Fatalf("documents %+v", boxed.Documents)
			}
			file := boxed.Message.Body.AdditionalDocuments[0].Files[0]
			if file.SHA256 != boxed.Documents[1].SHA256 || file.Size != boxed.Documents[1].Size ||
				!bytes.HasPrefix(boxed.Documents[1].Content, []byte("%PDF-1.7")) {
				t.Error("the content is not the file's")
			}
			r.clean()
		})
	}
}

// The wire form of receipts, to the byte: nobody has published another.
func TestReceiptOnTheWire(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	good := sf1606.Receipt{TransmissionID: "t", MessageUUID: "u", TimeStamp: at, Status: sf1606.StatusCompleted}
	bad := sf1606.Receipt{
		TransmissionID: "t", MessageUUID: "u", MessageID: "i", ErrorCode: "memo.invalid", ErrorMessage: "a < b", TimeStamp: at, Status: sf1606.StatusInvalid,
	}
	for _, c := range []struct {
		rcpt   sf1606.Receipt
		format sf1606.Format
		root   xml.Name
		want   string
	}{
		{good, sf1606.FormatJSON, xml.Name{}, `{"transmissionId":"t","messageUUID":"u","messageId":null,"errorCode":null,` +
			`"errorMessage":null,"timeStamp":"2026-11-22T09:30:00.000Z","receiptStatus":"COMPLETED"}`},
		{bad, sf1606.FormatJSON, xml.Name{}, `{"transmissionId":"t","messageUUID":"u","messageId":"i","errorCode":"memo.invalid",` +
			`"errorMessage":"a \u003c b","timeStamp":"2026-11-22T09:30:00.000Z","receiptStatus":"INVALID"}`},
		{good, sf1606.FormatXML, xml.Name{}, xml.Header + `<Receipt><transmissionId>t</transmissionId><messageUUID>u</messageUUID>` +
			`<timeStamp>2026-11-22T09:30:00.000Z</timeStamp><receiptStatus>COMPLETED</receiptStatus></Receipt>`},
		{bad, sf1606.FormatXML, xml.Name{Space: "urn:x", Local: "Kvittering"}, xml.Header + `<Kvittering xmlns="urn:x"><transmissionId>t</transmissionId>` +
			`<messageUUID>u</messageUUID><messageId>i</messageId><errorCode>memo.invalid</errorCode><errorMessage>a &lt; b</errorMessage>` +
			`<timeStamp>2026-11-22T09:30:00.000Z</timeStamp><receiptStatus>INVALID</receiptStatus></Kvittering>`},
	} {
		got, err := c.rcpt.Encode(c.format, c.root)
		if err != nil || string(got) != c.want {
			t.Errorf("got  %s\nwant %s (%v)", got, c.want, err)
		}
		back, err := sf1606.ParseReceipt(got)
		if err != nil || back != c.rcpt {
			t.Errorf("read back %+v: %v", back, err)
		}
	}
}

// The official examples are taken; they are to citizens, so the receiver is one for anybody.
func TestOfficialExamples(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"minimum-1.1.xml", "minimum-1.2.xml", "attachment-1.2.xml", "nemsms-1.1.xml"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := memotest.Example(t, name)
			r := receive(t, sf1606.Config{Intake: sf1606.Intake{AnyRecipient: true}})
			a, err := r.sender(sf1606test.SenderConfig{}).Post(t.Context(), bytes.NewReader(b), int64(len(b)))
			if err != nil || !a.Accepted() {
				t.Fatalf("%v: HTTP %d %s", err, a.Status, a.Body)
			}
			if n := r.box.Stats().Committed; n != 1 {
				t.Errorf("%d stored", n)
			}
			strict := receive(t, sf1606.Config{})
			a, err = strict.sender(sf1606test.SenderConfig{}).Post(t.Context(), bytes.NewReader(b), int64(len(b)))
			if err != nil || a.Receipt.ErrorCode != sf1606.CodeRecipient {
				t.Errorf("for another recipient: %v HTTP %d %s", err, a.Status, a.Body)
			}
			strict.clean()
		})
	}
}

// Every bad input gets a receipt with its code, and nothing of it stays.
func TestRefuse(t *testing.T) {
	t.Parallel()
	m := letters().New(20_000)
	good := string(raw(t, m))
	replace := func(old, by string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("the letter has no %s", old)
		}
		return strings.Replace(good, old, by, 1)
	}
	uuid := m.Header.MessageUUID
	for _, c := range []struct {
		name, body, contentType string
		status                  int
		code, text              string
		uuid                    string // in the receipt
	}{
		{name: "not XML", body: `{"messageUUID":"x"}`, code: sf1606.CodeMemoInvalid, text: "well-formed"},
		{name: "empty", body: "", code: sf1606.CodeMemoInvalid, text: "ends before"},
		{name: "DTD", body: "<!DOCTYPE m [<!ENTITY a 'b'>]>" + good, code: sf1606.CodeMemoInvalid, text: "document type declaration"},
		{name: "entity", body: replace("<memo:label>", "<memo:label>&xxe;"), code: sf1606.CodeMemoInvalid, text: "entity", uuid: uuid},
		{name: "wrong namespace", body: replace("https://DigitalPost.dk/MeMo-1", "https://DigitalPost.dk/MeMo-2"), code: sf1606.CodeMemoInvalid, text: "namespace"},
		{name: "wrong version", body: replace(`memoVersion="1.2"`, `memoVersion="3.0"`), code: sf1606.CodeMemoInvalid, text: "memoVersion"},
		{name: "another authority", body: replace("<memo:recipientID>"+cvr, "<memo:recipientID>12345678"), code: sf1606.CodeRecipient, uuid: uuid},
		{name: "a citizen", body: strings.Replace(replace("<memo:recipientID>"+cvr, "<memo:recipientID>2512489996"), "<memo:idType>CVR", "<memo:idType>CPR", 1),
			code: sf1606.CodeRecipient, uuid: uuid},
		{name: "CVR as CPR", body: replace("<memo:idType>CVR", "<memo:idType>CPR"), code: sf1606.CodeRecipient, uuid: uuid},
		{name: "no messageUUID", body: replace("<memo:messageUUID>"+uuid+"</memo:messageUUID>", ""), code: sf1606.CodeMessageUUID},
		{name: "bad messageUUID", body: replace(uuid, "../../etc/passwd"), code: sf1606.CodeMessageUUID},
		{name: "two messageUUID", body: replace("<memo:label>", "<memo:messageUUID>"+uuid+"</memo:messageUUID><memo:label>"), code: sf1606.CodeMemoInvalid, uuid: uuid},
		{name: "bad base64", body: replace("<memo:content>", "<memo:content>?"), code: sf1606.CodeMemoInvalid, text: "base64", uuid: uuid},
		{name: "XML cut at 60 %", body: good[:len(good)*6/10], code: sf1606.CodeMemoInvalid, text: "ends before", uuid: uuid},
		{name: "two roots", body: good + good, code: sf1606.CodeMemoInvalid, uuid: uuid},
		{name: "documents before header", body: bodyFirst(good), code: sf1606.CodeMemoInvalid, text: "MessageHeader"},
		{name: "UTF-16", body: `<?xml version="1.0" encoding="UTF-16"?>` + good, code: sf1606.CodeMemoInvalid, text: "UTF-8"},
		{name: "JSON content type", body: good, contentType: "application/json", status: 415, code: sf1606.CodeContentType},
		{name: "no content type", body: good, contentType: ";", status: 415, code: sf1606.CodeContentType},
		{name: "Latin-1", body: good, contentType: "text/xml; charset=iso-8859-1", status: 415, code: sf1606.CodeContentType},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := receive(t, sf1606.Config{})
			s := r.sender(sf1606test.SenderConfig{ContentType: c.contentType})
			a, err := s.Post(t.Context(), strings.NewReader(c.body), int64(len(c.body)))
			if err != nil || a.Problem != nil {
				t.Fatalf("%v: %v: %s", err, a.Problem, a.Body)
			}
			want := c.status
			if want == 0 {
				want = http.StatusBadRequest
			}
			if a.Status != want || a.Receipt.Status != sf1606.StatusInvalid || a.Receipt.ErrorCode != c.code ||
				!strings.Contains(a.Receipt.ErrorMessage, c.text) || a.Receipt.MessageUUID != c.uuid || a.Temporary() {
				t.Errorf("HTTP %d %s", a.Status, a.Body)
			}
			if strings.Contains(string(a.Body), "2512489996") || strings.Contains(string(a.Body), "passwd") {
				t.Errorf("the receipt repeats the message: %s", a.Body)
			}
			if st := r.box.Stats(); st.Committed != 0 {
				t.Errorf("stored: %+v", st)
			}
			r.clean()
		})
	}
}

// bodyFirst moves the MessageHeader behind the MessageBody.
func bodyFirst(s string) string {
	const start, end = "<memo:MessageHeader>", "</memo:MessageHeader>"
	a, b := strings.Index(s, start), strings.Index(s, end)+len(end)
	return s[:a] + strings.Replace(s[b:], "</memo:Message>", s[a:b]+"</memo:Message>", 1)
}

// What stands before the documents is kept until the delivery begins, and so is bounded.
func TestMuchBeforeTheDocuments(t *testing.T) {
	t.Parallel()
	good := string(raw(t, letters().New(20_000)))
	for _, at := range []string{"<memo:MessageHeader>", "<memo:MessageBody>"} {
		for kilobytes, code := range map[int]string{900: "", 1100: sf1606.CodeMemoInvalid} {
			r := receive(t, sf1606.Config{})
			body := strings.Replace(good, at, strings.Repeat(" ", kilobytes<<10)+at, 1)
			a, err := r.sender(sf1606test.SenderConfig{}).Post(t.Context(), strings.NewReader(body), int64(len(body)))
			if err != nil || a.Problem != nil || a.Receipt.ErrorCode != code {
				t.Errorf("%d KiB before %s: %v %v HTTP %d %s", kilobytes, at, err, a.Problem, a.Status, a.Body)
			}
			if code == "" {
				if boxed := r.box.Messages()[0]; string(boxed.XML) != body || boxed.Meta.Size != int64(len(body)) {
					t.Error("the XML is recorded otherwise")
				}
			}
			r.clean()
		}
	}
}

// What is not a POST to the path.
func TestOtherCalls(t *testing.T) {
	t.Parallel()
	h, err := sf1606.Handler(sf1606.Config{Intake: sf1606.Intake{Sink: new(sf1606test.Box), Authorities: []string{cvr}}, Path: "/modtag"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodHead, "/modtag", 200}, {http.MethodGet, "/modtag", 405}, {http.MethodPut, "/modtag", 405},
		{http.MethodPost, "/modtag/", 404}, {http.MethodPost, sf1606.DefaultPath, 404}, {http.MethodPost, "/modtag", 415},
	} {
		w := httptest.NewRecorder()
		req, err := http.NewRequestWithContext(t.Context(), c.method, "https://x"+c.path, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		h.ServeHTTP(w, req)
		if w.Code != c.status {
			t.Errorf("%s %s: %d", c.method, c.path, w.Code)
		}
	}
}

// The same message again is answered the same receipt; also while the first is still coming.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	r := receive(t, sf1606.Config{})
	s := r.sender(sf1606test.SenderConfig{})
	m := letters().New(20_000)
	first, err := s.Send(t.Context(), m)
	if err != nil || !first.Positive() {
		t.Fatal(first, err)
	}
	m.Header.MessageUUID = strings.ToUpper(m.Header.MessageUUID)
	again, err := r.sender(sf1606test.SenderConfig{Format: sf1606.FormatXML}).Send(t.Context(), m)
	if err != nil || again != first {
		t.Errorf("again: %+v, first: %+v: %v", again, first, err)
	}
	if st := r.box.Stats(); st.Begun != 1 || st.Known != 1 {
		t.Errorf("%+v", st)
	}
	r.clean()
}

// Two uploads of one message at the same time: both reach the commit, one is stored, both get its receipt.
func TestTwins(t *testing.T) {
	t.Parallel()
	both := make(chan struct{})
	arrived := make(chan struct{}, 2)
	box := &sf1606test.Box{OnCommit: func(ctx context.Context, _ sf1606.Meta) error {
		arrived <- struct{}{}
		select {
		case <-both:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	r := receive(t, sf1606.Config{Intake: sf1606.Intake{Sink: box}})
	s := r.sender(sf1606test.SenderConfig{})
	m := letters().New(20_000)
	type result struct {
		rcpt sf1606.Receipt
		err  error
	}
	results := make(chan result, 2)
	for range 2 {
		go func() {
			rcpt, err := s.Send(t.Context(), m)
			results <- result{rcpt, err}
		}()
	}
	<-arrived
	<-arrived
	close(both)
	a, b := <-results, <-results
	if a.err != nil || b.err != nil || a.rcpt != b.rcpt || !a.rcpt.Positive() {
		t.Errorf("%+v %+v", a, b)
	}
	if st := box.Stats(); st.Committed != 1 || st.Doubled != 1 {
		t.Errorf("%+v", st)
	}
	r.clean()
}

// A sink that fails or panics anywhere is a temporary refusal, and the delivery is ended.
func TestFailingSink(t *testing.T) {
	t.Parallel()
	broken := errors.New("no space left on device")
	for name, box := range map[string]*sf1606test.Box{
		"known":          {OnKnown: func(context.Context, string) error { return broken }},
		"begin":          {OnBegin: func(context.Context, sf1606.Arrival) error { return broken }},
		"document":       {OnDocument: func(context.Context, memo.FileInfo) error { return broken }},
		"record":         {OnRecord: func([]byte) error { return broken }},
		"record later":   {OnRecord: failAfter(1, broken)},
		"record panic":   {OnRecord: func([]byte) error { panic("1234567890") }},
		"commit":         {OnCommit: func(context.Context, sf1606.Meta) error { return broken }},
		"known panic":    {OnKnown: func(context.Context, string) error { panic("1234567890") }},
		"begin panic":    {OnBegin: func(context.Context, sf1606.Arrival) error { panic("1234567890") }},
		"document panic": {OnDocument: func(context.Context, memo.FileInfo) error { panic("1234567890") }},
		"commit panic":   {OnCommit: func(context.Context, sf1606.Meta) error { panic("1234567890") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log syncBuffer
			r := receive(t, sf1606.Config{
				Intake: sf1606.Intake{Sink: box, Logger: slog.New(slog.NewTextHandler(&log, nil))}, RetryAfter: 7 * time.Second,
			})
			a, err := r.sender(sf1606test.SenderConfig{}).Try(t.Context(), letters().New(200_000))
			if err != nil || a.Status != 503 || a.Receipt.ErrorCode != sf1606.CodeUnavailable || !a.Temporary() || a.Header.Get("Retry-After") != "7" ||
				strings.Contains(string(a.Body), "space") {
				t.Errorf("%v: HTTP %d %v %s", err, a.Status, a.Header, a.Body)
			}
			if text := log.String(); strings.Contains(text, "1234567890") || !strings.Contains(text, sf1606.CodeUnavailable) {
				t.Errorf("the log says %s", text)
			}
			r.clean()
		})
	}
}

// failAfter fails after n calls.
func failAfter(n int, err error) func([]byte) error {
	return func([]byte) error {
		if n--; n < 0 {
			return err
		}
		return nil
	}
}

// syncBuffer is a buffer for a log.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// A sink may refuse with a code of its own, and may store a receipt of refusal.
func TestSinkRefuses(t *testing.T) {
	t.Parallel()
	box := &sf1606test.Box{OnCommit: func(context.Context, sf1606.Meta) error {
		return fmt.Errorf("policy: %w", &sf1606.Refusal{Code: "brevdue.own", Text: "Ikke her."})
	}}
	r := receive(t, sf1606.Config{Intake: sf1606.Intake{Sink: box}, Statuses: sf1606.Statuses{Refused: 422}})
	a, err := r.sender(sf1606test.SenderConfig{}).Try(t.Context(), letters().New(2_000))
	if err != nil || a.Status != 422 || a.Receipt.ErrorCode != "brevdue.own" || a.Receipt.ErrorMessage != "Ikke her." || a.Temporary() {
		t.Errorf("%v: HTTP %d %s", err, a.Status, a.Body)
	}
	r.clean()
}

// An upload of exactly the limit is taken, one byte more is not; told or chunked.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	const limit = 300_000
	for _, chunked := range []bool{false, true} {
		for extra, code := range []string{"", sf1606.CodeTooLarge} {
			r := receive(t, sf1606.Config{Intake: sf1606.Intake{MaxBytes: limit}})
			b := raw(t, letters().New(limit))
			b = append(b, bytes.Repeat([]byte("\n"), limit-len(b)+extra)...)
			size := int64(len(b))
			if chunked {
				size = -1
			}
			a, err := r.sender(sf1606test.SenderConfig{}).Post(t.Context(), bytes.NewReader(b), size)
			if err != nil || a.Problem != nil || a.Receipt.ErrorCode != code {
				t.Fatalf("chunked %v, %d bytes: %v %v HTTP %d %s", chunked, len(b), err, a.Problem, a.Status, a.Body)
			}
			if code != "" && a.Status != http.StatusRequestEntityTooLarge {
				t.Errorf("HTTP %d", a.Status)
			}
			r.clean()
		}
	}
}

// The limit of the standard, to the byte. [src: SF1601-OVERVIEW]
func TestLargest(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceEnabled {
		t.Skip("300 MB; not in -short, and slow with the race detector")
	}
	for extra, code := range map[int64]string{0: "", 1: sf1606.CodeTooLarge, 100_000_001 - memo.MaxSize: sf1606.CodeTooLarge} {
		box := &sf1606test.Box{}
		r := receive(t, sf1606.Config{Intake: sf1606.Intake{Sink: box}})
		size := memo.MaxSize + extra
		d, err := letters().New(memo.MaxSize).Document()
		if err != nil {
			t.Fatal(err)
		}
		body := d.Open(t.Context())
		pad := strings.NewReader(strings.Repeat(" ", int(size-d.Size())))
		a, err := r.sender(sf1606test.SenderConfig{}).Post(t.Context(), io.MultiReader(body, pad), size)
		if err != nil || a.Problem != nil || a.Receipt.ErrorCode != code {
			t.Errorf("%d bytes: %v %v HTTP %d %s", size, err, a.Problem, a.Status, a.Body)
		}
		_ = body.Close()
		r.clean()
	}
}
