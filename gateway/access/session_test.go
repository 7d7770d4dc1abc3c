package access_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/access"
)

func door(t *testing.T, k *clock, change func(*access.SessionConfig)) *access.Sessions {
	t.Helper()
	cfg := access.SessionConfig{Now: k.now}
	if change != nil {
		change(&cfg)
	}
	s, err := access.NewSessions(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var vagt = access.Operator{Name: "vagt", Roles: []access.Role{access.OperatorRole}, How: access.ByOIDC}

// begin logs vagt in and returns the cookie.
func begin(t *testing.T, s *access.Sessions, with ...*http.Cookie) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if _, err := s.Begin(t.Context(), w, request(t, with...), vagt); err != nil {
		t.Fatal(err)
	}
	return given(t, w)
}

func request(t *testing.T, with ...*http.Cookie) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/console/", nil)
	for _, c := range with {
		r.AddCookie(c)
	}
	return r
}

func given(t *testing.T, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	cookie, err := http.ParseSetCookie(w.Header().Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	return cookie
}

func TestCookiesAreSafe(t *testing.T) {
	t.Parallel()
	k := newClock()
	c := begin(t, door(t, k, nil))
	if c.Name != "__Host-brevdue" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 {
		t.Errorf("%+v", c)
	}
	if strings.Contains(c.Value, "vagt") {
		t.Error("it can be read")
	}
	if c := begin(t, door(t, k, func(c *access.SessionConfig) { c.Insecure = true })); c.Secure || c.Name != "brevdue" {
		t.Errorf("on this machine: %+v", c)
	}
}

// TestSessionsEnd: by themselves, and when they are ended, in every process that has the same key and memory.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	k := newClock()
	key, once := access.NewKey(), access.NewMemory(k.now)
	shared := func(c *access.SessionConfig) { c.Keys, c.Once = [][]byte{key}, once }
	one, two := door(t, k, shared), door(t, k, shared)
	cookie := begin(t, one)
	want := func(name string, c *http.Cookie, reason access.Reason) (renewed *http.Cookie) {
		t.Helper()
		w := httptest.NewRecorder()
		session, err := two.Of(w, request(t, c))
		if access.ReasonOf(err) != reason || (reason == "") != (session != nil) {
			t.Errorf("%s: %+v, %v; want %q", name, session, err, reason)
		}
		if session != nil && (session.Operator.Name != vagt.Name || !session.Operator.May(access.Decide) || session.Operator.How != access.ByOIDC) {
			t.Errorf("%s: %+v", name, session.Operator)
		}
		if w.Header().Get("Set-Cookie") == "" {
			return c
		}
		return given(t, w)
	}
	if c := want("at once", cookie, ""); c != cookie {
		t.Error("the cookie was renewed at once")
	}
	k.add(29 * time.Minute)
	renewed := want("after a while", cookie, "")
	if renewed == cookie {
		t.Error("the cookie was not renewed")
	}
	k.add(2 * time.Minute)
	want("renewed", renewed, "")
	want("an old copy", cookie, access.IdleSession)
	for range 30 { // it is used, and ends all the same
		k.add(20 * time.Minute)
		renewed = want("in use", renewed, map[bool]access.Reason{true: "", false: access.ExpiredSession}[k.now().Sub(newClock().now()) < 10*time.Hour])
	}
	cookie = begin(t, one)
	w := httptest.NewRecorder()
	session, err := one.Of(w, request(t, cookie))
	if err != nil {
		t.Fatal(err)
	}
	if err := one.End(t.Context(), w, session); err != nil {
		t.Fatal(err)
	}
	if gone := given(t, w); gone.Value != "" || gone.MaxAge >= 0 {
		t.Errorf("%+v", gone)
	}
	want("ended", cookie, access.EndedSession)
	// A login ends the session before it, so that nobody can be made to log in to somebody else's.
	before := begin(t, one)
	after := begin(t, one, before)
	want("before the login", before, access.EndedSession)
	want("after the login", after, "")
}

func TestForeignCookiesAreRefused(t *testing.T) {
	t.Parallel()
	k := newClock()
	s := door(t, k, nil)
	cookie := begin(t, s)
	for name, value := range map[string]string{
		"empty": "", "text": "vagt", "cut": cookie.Value[:20], "longer": cookie.Value + "AAAA", "huge": strings.Repeat("A", 10_000),
		"another key's": begin(t, door(t, k, nil)).Value, "changed": "A" + cookie.Value[1:],
	} {
		c := *cookie
		c.Value = value
		if value == cookie.Value {
			continue
		}
		_, err := s.Of(httptest.NewRecorder(), request(t, &c))
		if reason := access.ReasonOf(err); reason != access.BrokenSession && (value != "" || reason != access.NoSession) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestKeysOfCookiesAreReplaced: what the old key sealed opens while it is in the list, and no longer.
func TestKeysOfCookiesAreReplaced(t *testing.T) {
	t.Parallel()
	k := newClock()
	old, fresh := access.NewKey(), access.NewKey()
	with := func(keys ...[]byte) *access.Sessions {
		return door(t, k, func(c *access.SessionConfig) { c.Keys = keys })
	}
	cookie := begin(t, with(old))
	if _, err := with(fresh, old).Of(httptest.NewRecorder(), request(t, cookie)); err != nil {
		t.Error(err)
	}
	if _, err := with(fresh).Of(httptest.NewRecorder(), request(t, cookie)); access.ReasonOf(err) != access.BrokenSession {
		t.Error(err)
	}
	for name, cfg := range map[string]access.SessionConfig{
		"short key": {Keys: [][]byte{make([]byte, 16)}}, "idle": {Idle: time.Second}, "life": {Idle: time.Hour, Life: time.Minute},
	} {
		if _, err := access.NewSessions(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestFormsAreSentOnce(t *testing.T) {
	t.Parallel()
	k := newClock()
	s := door(t, k, nil)
	a, b := &access.Session{ID: "a"}, &access.Session{ID: "b"}
	token := func() string {
		token, err := s.FormToken(a, "close msg_1")
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	first := token()
	for name, c := range map[string]struct {
		session       *access.Session
		action, token string
	}{
		"another session": {b, "close msg_1", first}, "another action": {a, "release msg_1", first}, "another thing": {a, "close msg_2", first},
		"none": {a, "close msg_1", ""}, "invented": {a, "close msg_1", "AAAA"}, "cut": {a, "close msg_1", first[:30]},
	} {
		if err := s.Spend(t.Context(), c.session, c.action, c.token); access.ReasonOf(err) != access.WrongForm {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := s.Spend(t.Context(), a, "close msg_1", first); err != nil {
		t.Error(err)
	}
	if err := s.Spend(t.Context(), a, "close msg_1", first); access.ReasonOf(err) != access.ReplayedForm {
		t.Error(err)
	}
	late := token()
	k.add(time.Hour)
	if err := s.Spend(t.Context(), a, "close msg_1", late); access.ReasonOf(err) != access.WrongForm {
		t.Error(err)
	}
}

// lost cannot say what it remembers.
type lost struct{}

func (lost) Mark(context.Context, string, time.Time) (bool, error) { return false, errors.New("down") }

func (lost) Marked(context.Context, string) (bool, error) { return false, errors.New("down") }

func TestNobodyIsLetInWhenEndedSessionsAreNotKnown(t *testing.T) {
	t.Parallel()
	s := door(t, newClock(), func(c *access.SessionConfig) { c.Once = lost{} })
	cookie := begin(t, s)
	if _, err := s.Of(httptest.NewRecorder(), request(t, cookie)); !errors.Is(err, access.ErrUnavailable) {
		t.Error(err)
	}
	token, err := s.FormToken(&access.Session{ID: "a"}, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Spend(t.Context(), &access.Session{ID: "a"}, "x", token); !errors.Is(err, access.ErrUnavailable) {
		t.Error(err)
	}
}

func TestMemoryForgets(t *testing.T) {
	t.Parallel()
	k := newClock()
	m := access.NewMemory(k.now)
	for n := range 5000 {
		if first, _ := m.Mark(t.Context(), time.Duration(n).String(), k.now().Add(time.Minute)); !first {
			t.Fatal(n)
		}
		k.add(time.Second)
	}
	if marked, _ := m.Marked(t.Context(), time.Duration(0).String()); marked {
		t.Error("it remembers for too long")
	}
	if marked, _ := m.Marked(t.Context(), time.Duration(4999).String()); !marked {
		t.Error("it forgets too soon")
	}
}

func FuzzCookie(f *testing.F) {
	k := newClock()
	s, err := access.NewSessions(access.SessionConfig{Now: k.now})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, value string) {
		r := request(t)
		r.Header.Set("Cookie", s.CookieName()+"="+value)
		if session, err := s.Of(httptest.NewRecorder(), r); err == nil {
			t.Errorf("%q is the session %+v", value, session)
		}
	})
}

func TestRolesAllowWhatTheyShould(t *testing.T) {
	t.Parallel()
	all := []access.Permission{access.See, access.Decide, access.ReadLetters, access.Administer}
	for role, want := range map[access.Role][]bool{
		access.Reader: {true, false, false, false}, access.OperatorRole: {true, true, true, false},
		access.Administrator: {true, false, false, true}, access.Letters: {false, false, true, false}, "root": {false, false, false, false},
	} {
		for n, p := range all {
			if got := (access.Operator{Roles: []access.Role{role}}).May(p); got != want[n] {
				t.Errorf("%s %s: %v", role, p, got)
			}
		}
	}
	if (access.Operator{}).May(access.See) || vagt.May("everything") {
		t.Error("nobody, or nothing, is allowed")
	}
}
