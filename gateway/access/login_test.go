package access_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/access/oidctest"
)

func login(t *testing.T, p *oidctest.Provider, k *clock, change func(*access.LoginConfig)) *access.Login {
	t.Helper()
	cfg := access.LoginConfig{
		Issuer: issuer(t, p, k), ClientID: oidctest.ClientID, ClientSecret: oidctest.ClientSecret, RedirectURL: redirect, Sessions: door(t, k, nil),
	}
	if change != nil {
		change(&cfg)
	}
	l, err := access.NewLogin(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// there takes a browser to the provider and back to our door, which it does not open.
func there(t *testing.T, l *access.Login) (back *http.Request) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := l.Start(w, request(t), "/console/statuses"); err != nil {
		t.Fatal(err)
	}
	cookie := given(t, w)
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteLaxMode || cookie.MaxAge != 600 {
		t.Errorf("%+v", cookie)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.Header().Get("Location"), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	at, err := url.Parse(resp.Header.Get("Location"))
	if err != nil || resp.StatusCode != http.StatusFound {
		t.Fatalf("%d, %v", resp.StatusCode, err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, at.RequestURI(), nil)
	r.AddCookie(cookie)
	return r
}

func TestLoginWithAProvider(t *testing.T) {
	t.Parallel()
	k := newClock()
	p := provider(t, k)
	for name, c := range map[string]struct {
		person map[string]any
		change func(*access.LoginConfig)
		who    string
		roles  []access.Role
		reason access.Reason
	}{
		"roles by name":      {map[string]any{"sub": "1", "preferred_username": "vagt", "roles": []string{"operator", "x"}}, nil, "vagt", []access.Role{access.OperatorRole}, ""},
		"one role":           {map[string]any{"sub": "1", "roles": "reader"}, nil, "1", []access.Role{access.Reader}, ""},
		"admin may not read": {map[string]any{"sub": "1", "roles": "administrator"}, nil, "1", []access.Role{access.Administrator}, ""},
		"granted":            {map[string]any{"sub": "1", "roles": []string{"administrator", "letters"}}, nil, "1", []access.Role{access.Administrator, access.Letters}, ""},
		"groups": {
			map[string]any{"sub": "1", "mail": "v@t.example", "realm": map[string]any{"groups": []any{"BREV-vagt", 7}}},
			func(c *access.LoginConfig) {
				c.NameClaim, c.RolesClaim, c.Roles = "mail", "realm.groups", map[access.Role][]string{access.OperatorRole: {"BREV-vagt"}}
			},
			"v@t.example", []access.Role{access.OperatorRole}, "",
		},
		"mapped only": {
			map[string]any{"sub": "1", "roles": "administrator"},
			func(c *access.LoginConfig) { c.Roles = map[access.Role][]string{access.Reader: {"x"}} }, "", nil, access.NoRole,
		},
		"no role":      {map[string]any{"sub": "1", "roles": []string{"x"}}, nil, "", nil, access.NoRole},
		"no claim":     {map[string]any{"sub": "1"}, nil, "", nil, access.NoRole},
		"odd claim":    {map[string]any{"sub": "1", "roles": map[string]any{"operator": true}}, nil, "", nil, access.NoRole},
		"letters only": {map[string]any{"sub": "1", "roles": "letters"}, nil, "", nil, access.NoRole},
		"nobody":       {map[string]any{"roles": "operator"}, nil, "", nil, access.MalformedJWT},
		"long name":    {map[string]any{"sub": strings.Repeat("x", 200), "roles": "operator"}, nil, "", nil, access.MalformedJWT},
		"wrong secret": {map[string]any{"sub": "1"}, func(c *access.LoginConfig) { c.ClientSecret = "x" }, "", nil, access.Denied},
	} {
		p.Person(c.person)
		if o, _, err := login(t, p, k, c.change).Finish(httptest.NewRecorder(), there(t, login(t, p, k, nil))); err == nil {
			t.Errorf("%s: the login of a console with another key was finished: %+v", name, o)
		}
		l := login(t, p, k, c.change)
		o, wanted, err := l.Finish(httptest.NewRecorder(), there(t, l))
		if access.ReasonOf(err) != c.reason {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil && (o.Name != c.who || !slices.Equal(o.Roles, c.roles) || o.How != access.ByOIDC || wanted != "/console/statuses") {
			t.Errorf("%s: %+v, %q", name, o, wanted)
		}
	}
}

// TestLoginsAreNotStolen: state, nonce, code and cookie belong together, and are good for one time.
func TestLoginsAreNotStolen(t *testing.T) {
	t.Parallel()
	k := newClock()
	p := provider(t, k)
	p.Person(map[string]any{"sub": "1", "roles": "operator"})
	l := login(t, p, k, nil)
	query := func(r *http.Request, name, value string) {
		q := r.URL.Query()
		q.Set(name, value)
		r.URL.RawQuery = q.Encode()
	}
	for name, c := range map[string]struct {
		change func(r *http.Request)
		want   access.Reason
	}{
		"no cookie":          {func(r *http.Request) { r.Header.Del("Cookie") }, access.WrongState},
		"another's cookie":   {func(r *http.Request) { r.Header.Set("Cookie", there(t, l).Header.Get("Cookie")) }, access.WrongState},
		"no state":           {func(r *http.Request) { query(r, "state", "") }, access.WrongState},
		"another issuer":     {func(r *http.Request) { query(r, "iss", "https://evil.example") }, access.WrongState},
		"the person said no": {func(r *http.Request) { query(r, "error", "access_denied") }, access.Denied},
		"no code":            {func(r *http.Request) { query(r, "code", "") }, access.Denied},
		"invented code":      {func(r *http.Request) { query(r, "code", "x") }, access.Denied},
		"another's code":     {func(r *http.Request) { query(r, "code", there(t, l).URL.Query().Get("code")) }, access.Denied}, // PKCE
		"too late":           {func(*http.Request) { k.add(11 * time.Minute) }, access.WrongState},
	} {
		r := there(t, l)
		c.change(r)
		if o, _, err := l.Finish(httptest.NewRecorder(), r); o != nil || access.ReasonOf(err) != c.want {
			t.Errorf("%s: %+v, %v; want %s", name, o, err, c.want)
		}
	}
	r := there(t, l)
	if _, _, err := l.Finish(httptest.NewRecorder(), r); err != nil {
		t.Fatal(err)
	}
	if _, _, err := l.Finish(httptest.NewRecorder(), r); access.ReasonOf(err) != access.WrongState {
		t.Errorf("the same again: %v", err)
	}
}

func TestBadIDTokensAreRefused(t *testing.T) {
	t.Parallel()
	k := newClock()
	p := provider(t, k)
	p.Person(map[string]any{"sub": "1", "roles": "administrator"})
	l := login(t, p, k, nil)
	set := func(name string, value any) func(map[string]any) { return func(m map[string]any) { m[name] = value } }
	for name, c := range map[string]struct {
		twist func(map[string]any)
		want  access.Reason
	}{
		"another nonce":    {set("nonce", "x"), access.WrongNonce},
		"no nonce":         {func(m map[string]any) { delete(m, "nonce") }, access.WrongNonce},
		"for producers":    {set("aud", audience), access.WrongAudience},
		"for two":          {set("aud", []string{oidctest.ClientID, "x"}), access.WrongAudience},
		"another's party":  {set("azp", "x"), access.WrongAudience},
		"expired":          {set("exp", k.now().Add(-time.Hour).Unix()), access.ExpiredJWT},
		"not yet":          {set("nbf", k.now().Add(time.Hour).Unix()), access.EarlyJWT},
		"another issuer's": {set("iss", "https://evil.example"), access.UnknownIssuer},
		"another's access": {set("at_hash", "AAAA"), access.WrongSignature},
	} {
		p.Twist(c.twist)
		if o, _, err := l.Finish(httptest.NewRecorder(), there(t, l)); o != nil || access.ReasonOf(err) != c.want {
			t.Errorf("%s: %+v, %v; want %s", name, o, err, c.want)
		}
	}
	p.Twist(nil)
	p.SignWith(func(claims map[string]any) (string, error) {
		payload, err := json.Marshal(claims)
		b64 := base64.RawURLEncoding.EncodeToString
		return b64([]byte(`{"alg":"none"}`)) + "." + b64(payload) + ".", err
	})
	if o, _, err := l.Finish(httptest.NewRecorder(), there(t, l)); o != nil || access.ReasonOf(err) != access.WrongAlgorithm {
		t.Errorf("alg none: %+v, %v", o, err)
	}
	p.SignWith(nil)
	r := there(t, l)
	p.SetDown(true)
	if _, _, err := l.Finish(httptest.NewRecorder(), r); !errors.Is(err, access.ErrUnavailable) {
		t.Errorf("down: %v", err)
	}
	if err := l.Start(httptest.NewRecorder(), request(t), "/console/"); !errors.Is(err, access.ErrUnavailable) {
		t.Errorf("down: %v", err)
	}
}

func TestLoginsAreChecked(t *testing.T) {
	t.Parallel()
	k := newClock()
	i, s := issuer(t, provider(t, k), k), door(t, k, nil)
	for name, cfg := range map[string]access.LoginConfig{
		"nothing": {}, "no sessions": {Issuer: i, ClientID: "c", RedirectURL: redirect},
		"client is the audience": {Issuer: i, ClientID: audience, RedirectURL: redirect, Sessions: s},
		"role":                   {Issuer: i, ClientID: "c", RedirectURL: redirect, Sessions: s, Roles: map[access.Role][]string{"root": {"x"}}},
		"key":                    {Issuer: i, ClientID: "c", RedirectURL: redirect, Sessions: s, Keys: [][]byte{{1}}},
	} {
		if _, err := access.NewLogin(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
