package httpapi

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/access/oidctest"
)

// TestJWTs: a token of an identity provider is as good as one of ours, a bad one is answered as any other, and a provider that
// is down is our trouble, and only that of JWTs.
func TestJWTs(t *testing.T) {
	t.Parallel()
	p, err := oidctest.Start("http://127.0.0.1:1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	issuer, err := access.NewIssuer(access.IssuerConfig{URL: p.URL(), Audience: "api"})
	if err != nil {
		t.Fatal(err)
	}
	h := setup(t)
	list := append(testProducers(), Producer{Name: "jwt", JWT: access.Client{Issuer: p.URL(), ClientID: "c"}, Scopes: []Scope{ReadIntents}})
	log := &logBuffer{}
	s, err := New(Config{
		Gateway: h.gateway, Producers: list, Issuers: []*access.Issuer{issuer}, Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, token string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		s.ServeHTTP(w, r)
		return w
	}
	claims := map[string]any{"iss": p.URL(), "aud": "api", "client_id": "c", "exp": time.Now().Add(time.Minute).Unix()}
	good, err := p.Sign(claims, "at+jwt")
	if err != nil {
		t.Fatal(err)
	}
	claims["aud"] = "another"
	bad, err := p.Sign(claims, "at+jwt")
	if err != nil {
		t.Fatal(err)
	}
	p.SetDown(true)
	if w := ask(http.MethodGet, "/v1/events", good); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("down: %d %s", w.Code, w.Body)
	}
	if w := ask(http.MethodGet, "/v1/events", tokenHuske); w.Code != http.StatusOK {
		t.Errorf("down, with a token of ours: %d %s", w.Code, w.Body)
	}
	p.SetDown(false)
	deadline := time.Now().Add(10 * time.Second)
	for ask(http.MethodGet, "/v1/events", good).Code != http.StatusOK { // the issuer is asked again after a second
		if time.Now().After(deadline) {
			t.Fatal("the issuer is up, and its tokens are not taken")
		}
	}
	if w := ask(http.MethodPost, "/v1/intents", good); w.Code != http.StatusForbidden {
		t.Errorf("without the scope: %d", w.Code)
	}
	w := ask(http.MethodGet, "/v1/events", bad)
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `"token.invalid"`) || strings.Contains(w.Body.String(), "audience") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if text := log.String(); !strings.Contains(text, "jwt.audience") || strings.Contains(text, bad) || strings.Contains(text, bad[len(bad)-20:]) {
		t.Error("the log lacks why it was refused, or holds the token")
	}
}
