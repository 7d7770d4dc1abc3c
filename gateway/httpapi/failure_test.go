package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// TestUnmappedErrorIs500WithoutDetail goes through every route.
func TestUnmappedErrorIs500WithoutDetail(t *testing.T) {
	t.Parallel()
	h := setup(t, breaking(errSecret))
	for line, body := range map[string]string{
		"POST /v1/intents": text(t, letter("a")), "GET /v1/intents": "", "GET /v1/intents/int_1": "",
		"POST /v1/messages/msg_1/release": `{"reason":"x"}`, "POST /v1/messages/msg_1/close": `{"reason":"x"}`,
		"GET /v1/batches/batch_1": "", "POST /v1/registrations": `{"cpr":"2512489996","service":"nemsms"}`,
		"POST /v1/intents/int_1/cancel": "", "GET /v1/events": "", "POST /v1/documents?filename=a.pdf": "{}",
	} {
		method, path, _ := strings.Cut(line, " ")
		a := h.ask(t, method, path, body)
		p := a.problem(t)
		if a.status != http.StatusInternalServerError || p.Code != "internal" || p.Detail != "" || len(p.Errors) != 0 {
			t.Errorf("%s: %d %s", line, a.status, a.body)
		}
		if strings.Contains(a.body, "secret") {
			t.Errorf("%s tells the cause: %s", line, a.body)
		}
		id := a.header.Get("X-Request-Id")
		if log := h.log.String(); id == "" || !strings.Contains(log, id) || !strings.Contains(log, "the secret cause") {
			t.Errorf("%s: the log does not tell the cause under request id %q", line, id)
		}
	}
}

func TestUnavailableIs503WithRetryAfter(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{
		"timeout":   fmt.Errorf("insert: %w", context.DeadlineExceeded),
		"network":   fmt.Errorf("connect: %w", &net.OpError{Op: "dial", Err: errors.New("refused")}),
		"stale":     fmt.Errorf("save: %w", gateway.ErrStale),
		"temporary": fmt.Errorf("write: %w", busy{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := setup(t, breaking(err))
			for _, path := range []string{"/v1/intents", "/readyz"} {
				a := h.ask(t, http.MethodGet, path, "")
				p := a.problem(t)
				if a.status != http.StatusServiceUnavailable || p.Code != "unavailable" || p.Detail != "" || a.header.Get("Retry-After") != "2" {
					t.Errorf("%s: %d %v %s", path, a.status, a.header, a.body)
				}
			}
			p := wantProblem(t, second(h.client.PostIntent(t.Context(), letter("a"))), http.StatusServiceUnavailable, "unavailable")
			if p.RetryAfter != 2*time.Second || p.RequestID == "" {
				t.Errorf("%+v", p)
			}
		})
	}
}

// busy is what a journal may say of itself.
type busy struct{}

func (busy) Error() string   { return "busy" }
func (busy) Temporary() bool { return true }

// TestReadyzTellsNothing: whoever asks is not told why.
func TestReadyzTellsNothing(t *testing.T) {
	t.Parallel()
	h := setup(t, breaking(errSecret))
	a := h.ask(t, http.MethodGet, "/readyz", "", "Authorization", "")
	if p := a.problem(t); a.status != http.StatusServiceUnavailable || p.Detail != "" || strings.Contains(a.body, "secret") {
		t.Errorf("%d %s", a.status, a.body)
	}
	h = setup(t)
	for path, want := range map[string]string{"/readyz": `{"status":"ready"}`, "/healthz": `{"status":"ok"}`} {
		if a := h.ask(t, http.MethodGet, path, "", "Authorization", ""); a.status != http.StatusOK || a.body != want {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}

func TestPanicIs500(t *testing.T) {
	t.Parallel()
	h := setup(t, func(g Gateway) Gateway { return broken{Gateway: g, value: "2512489996 Nancy"} })
	a := h.ask(t, http.MethodGet, "/v1/events", "")
	if p := a.problem(t); a.status != http.StatusInternalServerError || p.Code != "internal" {
		t.Errorf("%d %s", a.status, a.body)
	}
	log := h.log.String()
	if !strings.Contains(log, "panic=string") || !strings.Contains(log, "failure_test.go") && !strings.Contains(log, "setup_test.go") {
		t.Errorf("the log has no stack: %s", log)
	}
	if strings.Contains(log, "Nancy") || strings.Contains(a.body, "Nancy") {
		t.Error("the value of the panic got out")
	}
	if a := h.ask(t, http.MethodGet, "/healthz", ""); a.status != http.StatusOK {
		t.Errorf("after it: %d", a.status)
	}
}

// TestClientThatIsGone is no failure of ours.
func TestClientThatIsGone(t *testing.T) {
	t.Parallel()
	h := setup(t)
	s, err := New(Config{Gateway: broken{err: context.Canceled}, Producers: testProducers()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/events", nil)
	r.Header.Set("Authorization", "Bearer "+tokenHuske)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Body.Len() != 0 || strings.Contains(h.log.String(), "level=ERROR") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	m := httptest.NewRecorder()
	s.ServeHTTP(m, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	if want := `brevdue_http_requests_total{route="GET /v1/events",status="499"} 1`; !strings.Contains(m.Body.String(), want) {
		t.Errorf("no %s in %s", want, m.Body)
	}
}

// TestLogHoldsNothingPrivate does everything that can be done and reads the log, at its most talkative.
func TestLogHoldsNothingPrivate(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for _, body := range []string{
		text(t, letter("sag-hemmelig")), text(t, letter("sag-hemmelig"), "2512489996", "251248999"),
		text(t, letter("x"), `"reference"`, `"2512489996"`), `{"recipient":{"cpr":2512489996`, text(t, letter("x"), "Du er", "Du var"),
	} {
		h.ask(t, http.MethodPost, "/v1/intents", body)
	}
	h.ask(t, http.MethodGet, "/v1/intents?reference=sag-hemmelig", "")
	h.ask(t, http.MethodGet, "/v1/intents/2512489996", "")
	h.ask(t, http.MethodGet, "/2512489996?cpr=2512489996", "")
	h.ask(t, http.MethodGet, "/v1/events", "", "Authorization", "Bearer "+tokenUnknown)
	h.ask(t, http.MethodPost, "/v1/documents?filename=Nancy.pdf", "x")
	log := h.log.String()
	if !strings.Contains(log, `route="POST /v1/intents"`) || !strings.Contains(log, "status=401") {
		t.Fatalf("the log is not what this test should read: %s", log)
	}
	for _, private := range []string{
		"2512489996", "251248", "Nancy", "Rådhuspladsen", "borger.example", "20304050", "indkaldt", "Indkaldelse",
		"sag-hemmelig", tokenHuske, tokenUnknown, "Bearer",
	} {
		if strings.Contains(log, private) {
			t.Errorf("the log holds %q", private)
		}
	}
	if p := (&Problem{Status: 422, Code: "x", Errors: []Finding{{"/a", "b", "c"}}}).Error(); !strings.Contains(p, "/a (b): c") {
		t.Error(p)
	}
}
