package httpapi

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestClientBesideTheGateway: what a client makes of answers that are not the gateway's.
func TestClientBesideTheGateway(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/events" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(`{"events": "none"}`))
			return
		}
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html>Bad gateway</html>"))
	}))
	t.Cleanup(proxy.Close)
	c := &Client{BaseURL: proxy.URL + "/", Token: "x"}
	intent, err := c.Intent(t.Context(), "int_1")
	p := wantProblem(t, err, http.StatusBadGateway, "http.502")
	if p.RetryAfter != 7*time.Second || intent != nil {
		t.Errorf("%+v %v", p, intent)
	}
	if _, err := c.Events(t.Context(), 0, 0); err == nil {
		t.Error("an answer of another shape was taken")
	} else if _, ok := errors.AsType[*Problem](err); ok {
		t.Errorf("%v is no problem of the gateway's", err)
	}
	c.BaseURL = "http://127.0.0.1:1"
	if _, err := c.PostIntent(t.Context(), letter("a")); err == nil {
		t.Error("nobody answered, and there was no error")
	}
}

// TestClientNamesTheIDSafely: an id from a command line cannot lead elsewhere.
func TestClientNamesTheIDSafely(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for _, id := range []string{"../events", "a/cancel", "a?b=c", "æ b"} {
		wantProblem(t, second(h.client.Intent(t.Context(), id)), http.StatusNotFound, "not_found")
	}
}
