package httpapi

import (
	"net/http"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for name, c := range map[string]struct {
		header string
		status int
		code   string
	}{
		"missing":           {"", 401, "token.missing"},
		"empty":             {"Bearer ", 401, "token.missing"},
		"basic":             {"Basic aHVza2U6eA==", 401, "token.missing"},
		"unknown":           {"Bearer " + tokenUnknown, 401, "token.invalid"},
		"prefix of a token": {"Bearer " + tokenHuske[:8], 401, "token.invalid"},
		"token and more":    {"Bearer " + tokenHuske + "x", 401, "token.invalid"},
		"first token":       {"Bearer " + tokenHuske, 200, ""},
		"second token":      {"Bearer " + tokenHuske2, 200, ""},
		"scheme's case":     {"bearer " + tokenHuske, 200, ""},
		"reader reads":      {"Bearer " + tokenReader, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := h.ask(t, http.MethodGet, "/v1/events", "", "Authorization", c.header)
			if a.status != c.status {
				t.Fatalf("%d, want %d", a.status, c.status)
			}
			if c.code == "" {
				return
			}
			if p := a.problem(t); p.Code != c.code {
				t.Errorf("%s, want %s", p.Code, c.code)
			}
			if challenge := a.header.Get("WWW-Authenticate"); !strings.HasPrefix(challenge, `Bearer realm="brevdue"`) {
				t.Errorf("challenge %q", challenge)
			}
			if strings.Contains(a.body, tokenUnknown) {
				t.Error("the answer repeats the token")
			}
		})
	}
}

// TestEveryRouteNeedsItsScope: without a token, with a foreign one, and with one that lacks the scope.
func TestEveryRouteNeedsItsScope(t *testing.T) {
	t.Parallel()
	h := setup(t)
	writes := 0
	for _, r := range routes() {
		path := strings.ReplaceAll(r.path, "{id}", "int_1")
		for header, status := range map[string]int{"": 401, "Bearer " + tokenUnknown: 401} {
			if a := h.ask(t, r.method, path, "", "Authorization", header); a.status != status {
				t.Errorf("%s %s with %q: %d", r.method, path, header, a.status)
			}
		}
		a := h.ask(t, r.method, path, "", "Authorization", "Bearer "+tokenReader)
		if r.scope != ReadIntents {
			if r.scope == WriteIntents {
				writes++
			}
			if p := a.problem(t); a.status != http.StatusForbidden || p.Code != "scope.missing" || !strings.Contains(p.Detail, string(r.scope)) {
				t.Errorf("%s %s with a reader's token: %d %s", r.method, path, a.status, a.body)
			}
		} else if a.status == http.StatusForbidden || a.status == http.StatusUnauthorized {
			t.Errorf("%s %s with a reader's token: %d", r.method, path, a.status)
		}
	}
	if writes != 6 {
		t.Errorf("%d routes write", writes)
	}
}

func TestProducersAreChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		list []Producer
		want string
	}{
		"no name":      {[]Producer{{Tokens: hash("a")}}, "empty or taken"},
		"same name":    {[]Producer{{Name: "a", Tokens: hash("a")}, {Name: "a", Tokens: hash("b")}}, "empty or taken"},
		"no token":     {[]Producer{{Name: "a"}}, "no token"},
		"shared token": {[]Producer{{Name: "a", Tokens: hash("a")}, {Name: "b", Tokens: hash("a")}}, "used already"},
		"no scope":     {[]Producer{{Name: "a", Tokens: hash("a"), Scopes: []Scope{"admin"}}}, `no scope "admin"`},
	} {
		_, err := New(Config{Gateway: broken{}, Producers: c.list})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("no gateway: accepted")
	}
}
