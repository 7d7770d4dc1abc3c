package httpapi

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestMountsAndMetrics: other handlers live on the same server, and everything is counted.
func TestMountsAndMetrics(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	s, err := New(Config{
		Gateway: accepting{}, Producers: testProducers(), Metrics: registry, NewRequestID: func() string { return "req-1" },
		Mounts: map[string]http.Handler{"/console/": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "console "+r.URL.Path)
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w
	}
	if w := get("/console/queues/"); w.Body.String() != "console /console/queues/" || w.Header().Get("X-Request-Id") != "req-1" {
		t.Errorf("%d %s %v", w.Code, w.Body, w.Header())
	}
	get("/v1/events")
	get("/2512489996")
	metrics := get("/metrics").Body.String()
	for _, want := range []string{
		`brevdue_http_requests_total{route="/console/",status="200"} 1`,
		`brevdue_http_requests_total{route="GET /v1/events",status="401"} 1`,
		`brevdue_http_requests_total{route="/",status="404"} 1`,
		`brevdue_http_request_seconds_count{route="/console/"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in\n%s", want, metrics)
		}
	}
	if strings.Contains(metrics, "2512489996") {
		t.Error("a path became a label")
	}
	if _, err := New(Config{Gateway: accepting{}, Metrics: registry}); err == nil {
		t.Error("two servers count in one registry")
	}
}

// TestHTTPServerHasLimits: what a stranger may cost before a token is known.
func TestHTTPServerHasLimits(t *testing.T) {
	t.Parallel()
	s := NewHTTPServer("127.0.0.1:0", http.NotFoundHandler(), slog.New(slog.DiscardHandler))
	if s.ReadHeaderTimeout <= 0 || s.ReadHeaderTimeout > time.Minute || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 || s.MaxHeaderBytes > 64<<10 {
		t.Errorf("%+v", s)
	}
	if s.ReadTimeout != 0 || s.WriteTimeout != 0 {
		t.Error("a fixed timeout would cut off a large document")
	}
	h := setup(t)
	h.http = &http.Client{} // net/http itself answers this one, which the document does not describe
	if a := h.ask(t, http.MethodGet, "/healthz", "", "X-Long", strings.Repeat("a", 32<<10)); a.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a long header: %d", a.status)
	}
}

// TestConnectionLivesOnAfterABody: the read deadline of one body does not end the next request on the connection.
func TestConnectionLivesOnAfterABody(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for n := range 3 {
		if a := h.ask(t, http.MethodPost, "/v1/documents?filename=a.pdf", strings.Repeat("x", 1+n*100_000), "Content-Type", "application/pdf"); a.status != http.StatusCreated {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}
