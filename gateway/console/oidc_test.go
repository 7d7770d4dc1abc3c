package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/access/oidctest"
	"github.com/brevdue/brevdue/gateway/console"
)

// TestLoginWithAProvider goes the whole way as a browser does: from a page, to the provider, and back to that page.
func TestLoginWithAProvider(t *testing.T) {
	t.Parallel()
	const back = "http://console.test/console/login/callback"
	p, err := oidctest.Start(back, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	s := setup(t, func(c *console.Config) {
		issuer, err := access.NewIssuer(access.IssuerConfig{URL: p.URL()})
		if err != nil {
			t.Fatal(err)
		}
		c.Login, err = access.NewLogin(access.LoginConfig{
			Issuer: issuer, ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret, RedirectURL: back, Sessions: c.Sessions,
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	// there goes to the provider and says where it sends the browser back to, and with which cookie.
	there := func() (callback string, cookie *http.Cookie) {
		page := ask(t, s, http.MethodGet, "/console/login?return=/console/inbound", nil, nil)
		if !strings.Contains(page.body, `href="/console/login/start?return=%2fconsole%2finbound"`) {
			t.Fatalf("%s", page.body)
		}
		a := ask(t, s, http.MethodGet, "/console/login/start?return=/console/inbound", nil, nil)
		cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
		if err != nil || a.status != http.StatusFound || !strings.HasPrefix(a.header.Get("Location"), p.URL()+"/authorize?") {
			t.Fatalf("%d %v %v", a.status, a.header, err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.header.Get("Location"), nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		at, err := url.Parse(resp.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		return at.RequestURI(), cookie
	}
	p.Person(map[string]any{"sub": "1", "preferred_username": "vagt", "roles": []string{"operator"}})
	callback, cookie := there()
	if a := ask(t, s, http.MethodGet, callback, nil, nil); a.status != http.StatusUnauthorized || a.header.Get("Set-Cookie") != "" {
		t.Errorf("another browser: %d %v", a.status, a.header)
	}
	a := ask(t, s, http.MethodGet, callback, cookie, nil, "Sec-Fetch-Site", "cross-site")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/console/inbound" || len(a.header.Values("Set-Cookie")) != 2 {
		t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
	session, err := http.ParseSetCookie(a.header.Values("Set-Cookie")[1])
	if err != nil {
		t.Fatal(err)
	}
	if page := ask(t, s, http.MethodGet, "/console/inbound", session, nil); page.status != http.StatusOK || !strings.Contains(page.body, "vagt (operator)") {
		t.Errorf("%d %s", page.status, page.body)
	}
	if a := ask(t, s, http.MethodGet, callback, cookie, nil); a.status != http.StatusUnauthorized {
		t.Errorf("the same again: %d", a.status)
	}

	p.Person(map[string]any{"sub": "2", "roles": []string{"other"}})
	callback, cookie = there()
	if a := ask(t, s, http.MethodGet, callback, cookie, nil); a.status != http.StatusForbidden || !strings.Contains(a.body, "no role here") {
		t.Errorf("no role: %d %s", a.status, a.body)
	}
	callback, cookie = there()
	p.SetDown(true)
	if a := ask(t, s, http.MethodGet, callback, cookie, nil); a.status != http.StatusServiceUnavailable || a.header.Get("Retry-After") == "" {
		t.Errorf("the provider is down: %d %v", a.status, a.header)
	}
	var did []access.Action
	for _, e := range s.audit.all() {
		did = append(did, e.Action)
	}
	if !slices.Equal(did, []access.Action{access.LoggedIn, access.LoginRefused}) {
		t.Errorf("%v", did)
	}
}
