package console_test

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/console"
)

func TestNobodyIsLetInWithoutASession(t *testing.T) {
	t.Parallel()
	s := setup(t)
	other := setup(t) // another console, with another key
	forged := *other.cookies[access.Administrator]
	cut := *s.cookies[access.OperatorRole]
	cut.Value = cut.Value[:len(cut.Value)-4]
	for _, path := range []string{
		"/console/", "/console/statuses", "/console/inbound", "/console/queues/", "/console/queues/api/queues", "/console/nothing",
		"/console/queues/static/js/main.5adda2da.chunk.js", "/console/messages/evidence?id=" + task, "/console/inbound/inb_1/memo",
	} {
		for name, cookie := range map[string]*http.Cookie{
			"none": nil, "another console's": &forged, "cut": &cut, "empty": {Name: cut.Name, Value: ""}, "plain": {Name: cut.Name, Value: "operator"},
		} {
			a := ask(t, s, http.MethodGet, path, cookie, nil)
			if a.status != http.StatusUnauthorized || strings.Contains(a.body, "digitalpost") {
				t.Errorf("%s with the cookie %s: %d %s", path, name, a.status, a.body)
			}
			a = ask(t, s, http.MethodGet, path, cookie, nil, "Accept", "text/html")
			if a.status != http.StatusSeeOther || a.header.Get("Location") != "/console/login?return="+url.QueryEscape(path) {
				t.Errorf("a browser at %s with the cookie %s: %d %s", path, name, a.status, a.header.Get("Location"))
			}
		}
		if a := ask(t, s, http.MethodGet, path, nil, nil, "Authorization", "Basic dmFndDp4"); a.status != http.StatusUnauthorized {
			t.Errorf("%s with a password in a header: %d", path, a.status)
		}
	}
	if len(s.audit.all()) != 0 {
		t.Errorf("%+v", s.audit.all())
	}
}

func TestPasswordBeginsASession(t *testing.T) {
	t.Parallel()
	s := setup(t)
	form := func(name, password string) url.Values {
		return url.Values{"name": {name}, "password": {password}, "return": {"/console/statuses"}}
	}
	for name, login := range map[string]url.Values{
		"wrong password": form(operator, "forkert"), "unknown": form("ukendt", password), "another's": form(operator, "andet"), "empty": form("", ""),
	} {
		a := ask(t, s, http.MethodPost, "/console/login", nil, login)
		if a.status != http.StatusUnauthorized || a.header.Get("Set-Cookie") != "" || strings.Contains(a.body, "forkert") {
			t.Errorf("%s: %d %v", name, a.status, a.header)
		}
	}
	a := ask(t, s, http.MethodPost, "/console/login", nil, form(operator, password))
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/console/statuses" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	cookie, err := http.ParseSetCookie(a.header.Get("Set-Cookie"))
	if err != nil || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" {
		t.Fatalf("%+v, %v", cookie, err)
	}
	if strings.Contains(cookie.Value, operator) {
		t.Error("the cookie can be read")
	}
	page := ask(t, s, http.MethodGet, "/console/", cookie, nil)
	if page.status != http.StatusOK || !strings.Contains(page.body, operator+" (operator)") {
		t.Fatalf("%d %s", page.status, page.body)
	}
	// Logging out ends the session, and not only for this browser.
	out := url.Values{"token": {tokenOf(t, page.body, "/console/logout")}}
	if a := ask(t, s, http.MethodPost, "/console/logout", cookie, out); a.status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := ask(t, s, http.MethodGet, "/console/", cookie, nil); a.status != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", a.status)
	}
	var did []access.Action
	for _, e := range s.audit.all() {
		did = append(did, e.Action)
		if e.Who != "" && e.Who != operator {
			t.Errorf("who typed %q is written down", e.Who)
		}
	}
	if n := len(did); n != 6 || did[n-2] != access.LoggedIn || did[n-1] != access.LoggedOut {
		t.Errorf("%v", did)
	}
}

func TestLoginLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s := setup(t)
	for wanted, want := range map[string]string{
		"": "/console/", "/console/statuses?x=1": "/console/statuses?x=1", "https://evil.example/": "/console/", "//evil.example/": "/console/",
		"/console/../v1/intents": "/console/", "/console/\\evil": "/console/", "javascript:alert(1)": "/console/", "/v1/intents": "/console/",
		"/console/logout": "/console/", "/console/queues/": "/console/queues/",
	} {
		form := url.Values{"name": {operator}, "password": {password}, "return": {wanted}}
		a := ask(t, s, http.MethodPost, "/console/login", nil, form)
		if got := a.header.Get("Location"); got != want {
			t.Errorf("%q leads to %q, want %q", wanted, got, want)
		}
	}
}

var hidden = regexp.MustCompile(`<input type="hidden" name="token" value="([^"]+)">`)

// tokenOf finds the token of the form that is posted to a path.
func tokenOf(t *testing.T, page, path string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `action="`+path+`"`)
	m := hidden.FindStringSubmatch(rest)
	if !found || m == nil {
		t.Fatalf("there is no form for %s in %s", path, page)
	}
	return m[1]
}

// decisionsOf are the forms of the console: where each stands, and what is filled in.
func decisionsOf() map[string]struct {
	page string
	form url.Values
	done int
} {
	type d = struct {
		page string
		form url.Values
		done int
	}
	receipt := "urn:besked/1 ø"
	return map[string]d{
		"/console/messages/release":  {"/console/messages/decide?id=" + heldTask, url.Values{"id": {heldTask}}, 303},
		"/console/messages/close":    {"/console/messages/decide?id=" + heldTask, url.Values{"id": {heldTask}, "outcome": {"delivered"}}, 303},
		"/console/receipts/match":    {"/console/receipts/decide?id=" + url.QueryEscape(receipt), url.Values{"id": {receipt}, "message": {task}}, 303},
		"/console/receipts/retry":    {"/console/receipts/decide?id=ab12", url.Values{"id": {"ab12"}}, 422},
		"/console/receipts/rematch":  {"/console/statuses", url.Values{"id": {""}}, 303},
		"/console/inbound/redeliver": {"/console/inbound/decide?id=inb_1", url.Values{"id": {"inb_1"}}, 303},
		"/console/inbound/reroute":   {"/console/inbound/decide?id=inb_1", url.Values{"id": {"inb_1"}, "target": {"esdh"}}, 303},
		"/console/inbound/close":     {"/console/inbound/decide?id=inb_1", url.Values{"id": {"inb_1"}}, 303},
	}
}

// TestDecisions sends every form as it should be sent, and in every way that it should not.
func TestDecisions(t *testing.T) {
	t.Parallel()
	for path, d := range decisionsOf() {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			s := setup(t)
			who := s.cookies[access.OperatorRole]
			form := func() url.Values {
				page := get(t, s, d.page)
				if page.status != http.StatusOK || strings.Contains(page.body, "Nancy") {
					t.Fatalf("%d %s", page.status, page.body)
				}
				f := url.Values{"token": {tokenOf(t, page.body, path)}, "reason": {"ringet til borgeren"}}
				maps.Copy(f, d.form)
				return f
			}
			refused := func(name string, status int, cookie *http.Cookie, f url.Values, headers ...string) {
				t.Helper()
				if a := ask(t, s, http.MethodPost, path, cookie, f, headers...); a.status != status {
					t.Errorf("%s: %d, want %d: %s", name, a.status, status, a.body)
				}
				if n := len(s.audit.all()); n != 0 {
					t.Errorf("%s: it was done", name)
				}
			}
			good := form()
			refused("no session", 401, nil, good)
			refused("a reader", 403, s.cookies[access.Reader], good)
			refused("an administrator", 403, s.cookies[access.Administrator], good)
			refused("another site", 403, who, good, "Sec-Fetch-Site", "cross-site")
			refused("another origin", 403, who, good, "Origin", "https://evil.example")
			refused("JSON", 400, who, good, "Content-Type", "application/json")
			refused("gzip", 400, who, good, "Content-Encoding", "gzip")
			refused("no token", 403, who, url.Values{"id": d.form["id"], "reason": {"x"}})
			for name, change := range map[string]func(url.Values){
				"another's token": func(f url.Values) { f.Set("token", tokenOf(t, get(t, s, "/console/").body, "/console/logout")) },
				"another id":      func(f url.Values) { f.Set("id", "msg_01JDZX4T8Q0000000000000009") },
			} {
				f := form()
				change(f)
				refused(name, 403, who, f)
			}
			twice := form()
			twice["reason"] = []string{"a", "b"}
			refused("a field twice", 400, who, twice)
			for name, reason := range map[string]string{"no reason": "", "blanks": "  ", "two lines": "a\nb", "too long": strings.Repeat("x", 501)} {
				f := form()
				f.Set("reason", reason)
				refused(name, 422, who, f)
			}
			large := form()
			large.Set("reason", strings.Repeat("x", 20<<10))
			refused("too large", 400, who, large)

			a := ask(t, s, http.MethodPost, path, who, good)
			if a.status != d.done {
				t.Fatalf("%d %s", a.status, a.body)
			}
			if a.status == http.StatusSeeOther {
				if page := get(t, s, a.header.Get("Location")); !strings.Contains(page.body, `class="done"`) {
					t.Errorf("the page after it does not say that it is done: %s", page.body)
				}
			}
			entries := s.audit.all()
			if len(entries) != 1 || entries[0].Who != "operator" || entries[0].Object != d.form.Get("id") || entries[0].Reason != "ringet til borgeren" {
				t.Errorf("%+v", entries)
			}
			// The same form again: a double click, the back button, or somebody who has a copy.
			if a := ask(t, s, http.MethodPost, path, who, good); a.status != http.StatusForbidden || len(s.audit.all()) != 1 {
				t.Errorf("sent twice: %d", a.status)
			}
		})
	}
}

func TestNothingIsDoneThatCannotBeWrittenDown(t *testing.T) {
	t.Parallel()
	s := setup(t)
	who := s.cookies[access.OperatorRole]
	page := get(t, s, "/console/messages/decide?id="+heldTask)
	s.audit.err = errors.New("the disk is full")
	form := url.Values{"token": {tokenOf(t, page.body, "/console/messages/release")}, "reason": {"x"}, "id": {heldTask}}
	for name, a := range map[string]answer{
		"a decision": ask(t, s, http.MethodPost, "/console/messages/release", who, form),
		"evidence":   get(t, s, "/console/messages/evidence?id="+task),
		"a memo":     get(t, s, "/console/inbound/inb_1/memo"),
		"a login":    ask(t, s, http.MethodPost, "/console/login", nil, url.Values{"name": {operator}, "password": {password}}),
	} {
		if a.status != http.StatusServiceUnavailable || strings.Contains(a.body, "Nancy") || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// TestLettersAreReadByThoseWhoMay: and each reading is written down.
func TestLettersAreReadByThoseWhoMay(t *testing.T) {
	t.Parallel()
	var door *access.Sessions
	s := setup(t, func(c *console.Config) { door = c.Sessions })
	granted := access.Operator{Name: "chef", Roles: []access.Role{access.Administrator, access.Letters}, How: access.ByOIDC}
	cookies := map[string]*http.Cookie{
		"operator": s.cookies[access.OperatorRole], "reader": s.cookies[access.Reader], "administrator": s.cookies[access.Administrator],
		"chef": cookieOf(t, door, granted),
	}
	read := 0
	for path, want := range map[string]string{
		"/console/messages/evidence?id=" + task:                         "PK",
		"/console/receipts/raw?id=" + url.QueryEscape("urn:besked/1 ø"): "<raw>Nancy</raw>",
		"/console/receipts/raw?id=ab12":                                 "<raw Nancy",
		"/console/inbound/inb_1/memo":                                   "<Message>Nancy</Message>",
		"/console/inbound/inb_1/documents/0":                            "%PDF Nancy",
	} {
		for name, cookie := range cookies {
			a := ask(t, s, http.MethodGet, path, cookie, nil)
			may := name == "operator" || name == "chef"
			if may {
				read++
			}
			if (a.status == http.StatusOK) != may || (a.body == want) != may || (!may && a.status != http.StatusForbidden) {
				t.Errorf("%s as %s: %d %q", path, name, a.status, a.body)
			}
			if disposition := a.header.Get("Content-Disposition"); may && !strings.HasPrefix(disposition, "attachment") {
				t.Errorf("%s: %q", path, disposition)
			}
			entries := s.audit.all()
			if len(entries) != read || (may && entries[read-1].Who != name) {
				t.Fatalf("%s as %s: %+v", path, name, entries)
			}
		}
	}
	for _, path := range []string{
		"/console/messages/evidence?id=" + heldTask, "/console/messages/evidence?id=../../etc/passwd", "/console/receipts/raw?id=none",
		"/console/inbound/inb_1/documents/1", "/console/inbound/inb_1/documents/-1", "/console/inbound/inb_1/documents/00",
		"/console/inbound/inb_1/documents/..%2f..%2fmemo", "/console/inbound/inb_1/documents/0/../../memo",
	} {
		if a := get(t, s, path); a.status/100 == 2 || len(s.audit.all()) != read {
			t.Errorf("%s: %d %q", path, a.status, a.body)
		}
	}
}

func TestLoginLessIsForThisMachineOnly(t *testing.T) {
	t.Parallel()
	s := setup(t, func(c *console.Config) { c.LoginLess = true })
	if a := ask(t, s, http.MethodGet, "/console/", nil, nil); a.status != http.StatusOK || !strings.Contains(a.body, "demo (operator") {
		t.Errorf("%d %s", a.status, a.body)
	}
	for name, change := range map[string]func(*http.Request){
		"another machine":                 func(r *http.Request) { r.RemoteAddr = "192.0.2.7:1234" },
		"a name that leads here":          func(r *http.Request) { r.Host = "evil.example:8080" },
		"a name that looks like this one": func(r *http.Request) { r.Host = "127.0.0.1.evil.example" },
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/console/", nil)
		r.RemoteAddr = "127.0.0.1:1234"
		change(r)
		w := httptest.NewRecorder()
		s.Config.Handler.ServeHTTP(w, r)
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}
