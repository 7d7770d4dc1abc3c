package sf1606test_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var sharedAuthority = sync.OnceValues(func() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
})

// sender sends to a handler over TLS.
func sender(t *testing.T, h http.Handler, cfg sf1606test.SenderConfig) *sf1606test.Sender {
	t.Helper()
	srv := httptest.NewTLSServer(h)
	t.Cleanup(srv.Close)
	transport, _ := srv.Client().Transport.(*http.Transport)
	cfg.URL = srv.URL + sf1606.DefaultPath
	cfg.RootCAs = transport.TLSClientConfig.RootCAs
	cfg.BackoffMin, cfg.BackoffMax = time.Millisecond, time.Millisecond
	s, err := sf1606test.NewSender(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func modtag(t *testing.T, box *sf1606test.Box) http.Handler {
	t.Helper()
	h, err := sf1606.Handler(sf1606.Config{Intake: sf1606.Intake{Sink: box, Authorities: []string{"55133018"}}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// What a sender takes for an acceptance, what for a refusal, and what it sends again.
func TestSenderIsStrict(t *testing.T) {
	t.Parallel()
	const stamp = `"transmissionId":"t","timeStamp":"2026-11-22T09:30:00.000Z",`
	for _, c := range []struct {
		name                string
		status              int
		body                string
		accepted, temporary bool
	}{
		{"accepted", 200, `{` + stamp + `"messageUUID":"UUID","errorCode":null,"receiptStatus":"COMPLETED"}`, true, false},
		{"accepted without errorCode", 201, `{` + stamp + `"messageUUID":"UUID","receiptStatus":"RECEIVED"}`, true, false},
		{"errorCode 0", 200, `{` + stamp + `"messageUUID":"UUID","errorCode":"0","receiptStatus":"COMPLETED"}`, false, false},
		{"errorCode blank", 200, `{` + stamp + `"messageUUID":"UUID","errorCode":"","receiptStatus":"COMPLETED"}`, false, true},
		{"blank in XML", 200, `<r><transmissionId>t</transmissionId><timeStamp>2026-11-22T09:30:00Z</timeStamp><messageUUID>UUID</messageUUID><errorCode/>` +
			`<receiptStatus>COMPLETED</receiptStatus></r>`, false, true},
		{"positive with 400", 400, `{` + stamp + `"messageUUID":"UUID","receiptStatus":"COMPLETED"}`, false, true},
		{"of another message", 200, `{` + stamp + `"messageUUID":"0c2d1a57-3b5e-4d39-8a0a-6f5f1c9d7e21","receiptStatus":"COMPLETED"}`, false, true},
		{"no transmissionId", 200, `{"messageUUID":"UUID","timeStamp":"2026-11-22T09:30:00Z","receiptStatus":"COMPLETED"}`, false, true},
		{"refused", 400, `{` + stamp + `"errorCode":"memo.invalid","receiptStatus":"INVALID"}`, false, false},
		{"refused with 200", 200, `{` + stamp + `"errorCode":"memo.invalid","receiptStatus":"INVALID"}`, false, false},
		{"refused without code", 400, `{` + stamp + `"receiptStatus":"INVALID"}`, false, true},
		{"not now", 503, `{` + stamp + `"errorCode":"brevdue.busy","receiptStatus":"INVALID"}`, false, true},
		{"no receipt", 200, `OK`, false, true},
		{"no such status", 200, `{` + stamp + `"receiptStatus":"OK"}`, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := sf1606test.NewLetters(sf1606test.LettersConfig{}).New(2000)
			var tries atomic.Int32
			s := sender(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				tries.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, strings.ReplaceAll(c.body, "UUID\",", m.Header.MessageUUID+"\","))
			}), sf1606test.SenderConfig{Tries: 3})
			a, err := s.Try(t.Context(), m)
			if err != nil || a.Accepted() != c.accepted || a.Temporary() != c.temporary {
				t.Errorf("accepted %v, temporary %v, problem %v, error %v: %s", a.Accepted(), a.Temporary(), a.Problem, err, a.Body)
			}
			tries.Store(0)
			_, err = s.Send(t.Context(), m)
			if want := map[bool]int32{true: 3, false: 1}[c.temporary]; tries.Load() != want || (err != nil) != c.temporary {
				t.Errorf("%d tries, want %d: %v", tries.Load(), want, err)
			}
		})
	}
}

// A refusal is sent again when the sender is told to, as Digital Post does.
func TestSenderResendsRefused(t *testing.T) {
	t.Parallel()
	box := &sf1606test.Box{}
	s := sender(t, modtag(t, box), sf1606test.SenderConfig{Tries: 3, ResendRefused: true})
	rcpt, err := s.Send(t.Context(), sf1606test.NewLetters(sf1606test.LettersConfig{CVR: "12345678"}).New(2000))
	if err == nil || rcpt.ErrorCode != sf1606.CodeRecipient || !strings.Contains(err.Error(), "after 3 tries") {
		t.Errorf("%+v %v", rcpt, err)
	}
}

// A storm has its rate, its total and its end.
func TestStormLimits(t *testing.T) {
	t.Parallel()
	box := &sf1606test.Box{}
	s := sender(t, modtag(t, box), sf1606test.SenderConfig{})
	res, err := s.Storm(t.Context(), sf1606test.StormConfig{Total: 21, Rate: 200, MinBytes: 1500, MaxBytes: 2500})
	if err != nil || res.Accepted != 21 || res.Elapsed < 90*time.Millisecond {
		t.Errorf("%v: %s", err, res)
	}
	if line := res.String(); !strings.Contains(line, "21 accepted, 0 refused") {
		t.Error(line)
	}
	ctx, cancel := context.WithCancel(t.Context())
	res, err = s.Storm(ctx, sf1606test.StormConfig{Total: 1000, Rate: 1, Done: func(sf1606test.Sent) { cancel() }})
	if err == nil || len(res.Messages) > 2 {
		t.Errorf("%v: %s", err, res)
	}
	for _, bad := range []sf1606test.StormConfig{{}, {Total: 1, Rate: -1}, {Total: 1, MinBytes: 2, MaxBytes: 1}} {
		if _, err := s.Storm(t.Context(), bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}

// Every way to spoil a message is refused for its own reason, and leaves the message itself as it was.
func TestSpoilt(t *testing.T) {
	t.Parallel()
	box := &sf1606test.Box{}
	s := sender(t, modtag(t, box), sf1606test.SenderConfig{})
	m := sf1606test.NewLetters(sf1606test.LettersConfig{}).New(2000)
	for how, want := range map[sf1606test.Spoil]string{
		sf1606test.SpoilXML: "well-formed", sf1606test.SpoilDTD: "document type", sf1606test.SpoilNamespace: "namespace",
		sf1606test.SpoilRecipient: "recipient", sf1606test.SpoilTruncated: "ends before",
	} {
		a, err := s.Spoilt(t.Context(), m, how)
		if err != nil || a.Problem != nil || a.Accepted() || !strings.Contains(a.Receipt.ErrorMessage, want) {
			t.Errorf("%s: %v %v HTTP %d %s", how, err, a.Problem, a.Status, a.Body)
		}
	}
	if _, err := s.Spoilt(t.Context(), m, "x"); err == nil {
		t.Error("an unknown way")
	}
	if a, err := s.Try(t.Context(), m); err != nil || !a.Accepted() {
		t.Errorf("%v HTTP %d %s", err, a.Status, a.Body)
	}
	accepting := sender(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		b, _ := sf1606.Receipt{TransmissionID: "t", MessageUUID: m.Header.MessageUUID, TimeStamp: time.Now(), Status: sf1606.StatusCompleted}.MarshalJSON()
		_, _ = w.Write(b)
	}), sf1606test.SenderConfig{Tries: 1})
	res, err := accepting.Storm(t.Context(), sf1606test.StormConfig{Total: 1, Spoilt: 1})
	if err != nil || res.Unanswered != 1 {
		t.Errorf("a receiver that takes everything: %v %s", err, res)
	}
}

// A storm tells of a receiver that answers two receipts, or loses what it accepted.
func TestStormNoticesTwoReceipts(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		modtag(t, &sf1606test.Box{}).ServeHTTP(w, r) // forgets everything
	})
	s := sender(t, h, sf1606test.SenderConfig{})
	res, err := s.Storm(t.Context(), sf1606test.StormConfig{Total: 5, Duplicates: 1})
	if err != nil || res.Unanswered != 5 || res.Duplicates != 5 {
		t.Errorf("%v: %s", err, res)
	}
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	box := &sf1606test.Box{}
	admin := sf1606test.Admin(sender(t, modtag(t, box), sf1606test.SenderConfig{}), sf1606test.NewLetters(sf1606test.LettersConfig{}))
	call := func(method, body string) (int, sf1606test.Outcome) {
		t.Helper()
		w := httptest.NewRecorder()
		admin.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, "/inbound", strings.NewReader(body)))
		var o sf1606test.Outcome
		if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		return w.Code, o
	}
	for _, bad := range []string{
		`{"kind":"x"}`, `{"count":-1}`, `{"bytes":100000000}`, `{"cuts":2}`, `{"kind":"reply"}`, `{"unknown":1}`, `[]`, `{"rate":-1}`, `{"concurrency":-1}`,
	} {
		if status, _ := call(http.MethodPost, bad); status != http.StatusBadRequest {
			t.Errorf("%s: %d", bad, status)
		}
	}
	const uuid = "0c2d1a57-3b5e-4d39-8a0a-6f5f1c9d7e21"
	status, o := call(http.MethodPost, `{"kind":"reply","replyTo":{"messageUUID":"`+uuid+`","messageID":"brev-1","caseID":"sag-1",`+
		`"contactPointID":"241d39f6-998e-4929-b198-ccacbbf4b330","recipient":"2512489996"}}`)
	if status != http.StatusOK || o.Accepted != 1 || len(o.Messages) != 1 || !o.Messages[0].Receipt.Positive() {
		t.Fatalf("%d %+v", status, o)
	}
	h := box.Messages()[0].Message.Header
	if want := (memo.ReplyData{
		MessageID: "brev-1", MessageUUID: uuid, SenderID: "55133018", RecipientID: "2512489996", CaseID: "sag-1",
		ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330",
	}); len(h.ReplyData) != 1 || !equalReply(h.ReplyData[0], want) || h.Sender.SenderID != "2512489996" {
		t.Errorf("%+v", h.ReplyData)
	}
	if status, o = call(http.MethodPost, `{"kind":"forward","count":3}`); status != http.StatusOK || o.Accepted != 3 {
		t.Errorf("%d %+v", status, o)
	}
	if h := box.Messages()[1].Message.Header; h.ForwardData == nil || h.ForwardData.OriginalSender != "Testby Kommune" {
		t.Errorf("%+v", h)
	}
	if status, o = call(http.MethodPost, ``); status != http.StatusOK || o.Accepted != 1 {
		t.Errorf("%d %+v", status, o)
	}
	if status, o = call(http.MethodGet, ``); status != http.StatusOK || o.Accepted != 5 || o.Messages != nil {
		t.Errorf("%d %+v", status, o)
	}
}

// Digital Post's end is strict about who calls and what is answered.
func TestNgDPIsStrict(t *testing.T) {
	t.Parallel()
	a, err := sharedAuthority()
	if err != nil {
		t.Fatal(err)
	}
	n, err := sf1606test.StartNgDP(sf1606test.NgDPConfig{Authority: a, User: "u", Password: "p"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	client := n.Client()
	defer client.CloseIdleConnections()
	id := n.Add(sf1606test.NewLetters(sf1606test.LettersConfig{}).New(2000))
	const good = `{"errorCode":null,"receiptStatus":"COMPLETED"}`
	for _, c := range []struct {
		name, method, path, body, media, user string
		status                                int
	}{
		{"another user", "GET", "/memos/?page=0&size=10", "", "", "x", 401},
		{"no page", "GET", "/memos/", "", "", "u", 400},
		{"list", "GET", "/memos/?page=0&size=10", "", "", "u", 200},
		{"no such message", "GET", "/memos/x", "", "", "u", 404},
		{"DELETE before the receipt", "DELETE", "/memos/" + id, "", "", "u", 409},
		{"no receipt", "POST", "/memos/" + id + "/receipt", "x", "application/json", "u", 422},
		{"errorCode 0", "POST", "/memos/" + id + "/receipt", `{"errorCode":"0","receiptStatus":"COMPLETED"}`, "application/json", "u", 422},
		{"errorCode blank", "POST", "/memos/" + id + "/receipt", `{"errorCode":"","receiptStatus":"COMPLETED"}`, "application/json", "u", 422},
		{"of another message", "POST", "/memos/" + id + "/receipt", `{"messageUUID":"x","receiptStatus":"COMPLETED"}`, "application/json", "u", 422},
		{"content type", "POST", "/memos/" + id + "/receipt", good, "text/plain", "u", 400},
		{"receipt", "POST", "/memos/" + id + "/receipt", good, "application/json", "u", 200},
		{"again", "POST", "/memos/" + id + "/receipt", good, "application/json", "u", 409},
		{"DELETE", "DELETE", "/memos/" + id, "", "", "u", 204},
		{"DELETE again", "DELETE", "/memos/" + id, "", "", "u", 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, n.URL()+c.path, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(c.user, "p")
		req.Header.Set("Content-Type", c.media)
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != c.status {
			t.Errorf("%s: HTTP %d, want %d", c.name, res.StatusCode, c.status)
		}
	}
	if st := n.Stats(); len(st.Violations) != 5 || st.Positive != 1 || st.Conflicts != 1 || st.Deleted != 1 || st.Waiting != 0 {
		t.Errorf("%+v", st)
	}
	if err := n.SetFaults(sf1606test.NgDPFaults{RateCut: 2}); err == nil {
		t.Error("a rate of 2 is taken")
	}
}
