package access_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/access"
)

func tokens(words ...string) []access.Token {
	list := make([]access.Token, len(words))
	for n, word := range words {
		list[n].SHA256 = sha256.Sum256([]byte(word))
	}
	return list
}

// TestTokensEnd: a token works until the moment that it expires, and another of the same producer goes on.
func TestTokensEnd(t *testing.T) {
	t.Parallel()
	k := newClock()
	list := tokens("old", "new")
	list[0].Expires = k.now().Add(time.Hour)
	p, err := access.NewProducers(access.ProducersConfig{List: []access.Producer{{Name: "a", Tokens: list}}, Now: k.now})
	if err != nil {
		t.Fatal(err)
	}
	check := func(token string, want access.Reason) {
		t.Helper()
		found, how, err := p.Authenticate(t.Context(), "Bearer "+token)
		if access.ReasonOf(err) != want || (want == "") != (found != nil) || (found != nil && (found.Name != "a" || how != access.ByToken)) {
			t.Errorf("%s: %v, %v", token, found, err)
		}
	}
	k.add(time.Hour - time.Nanosecond)
	check("old", "")
	check("new", "")
	k.add(time.Nanosecond)
	check("old", access.ExpiredToken)
	check("new", "")
	check("other", access.UnknownToken)
	check(strings.Repeat("x", access.MaxToken+1), access.OversizedToken)
	for _, header := range []string{"", "Bearer", "Bearer  ", "Basic bmV3", "new"} {
		if _, _, err := p.Authenticate(t.Context(), header); access.ReasonOf(err) != access.NoToken {
			t.Errorf("%q: %v", header, err)
		}
	}
}

func TestProducersAreChecked(t *testing.T) {
	t.Parallel()
	k := newClock()
	i := issuer(t, provider(t, k), k)
	logins, err := access.NewIssuer(access.IssuerConfig{URL: "https://login.example"})
	if err != nil {
		t.Fatal(err)
	}
	client := func(subject, id string) access.Client {
		return access.Client{Issuer: i.URL(), Subject: subject, ClientID: id}
	}
	for name, c := range map[string]struct {
		list []access.Producer
		want string
	}{
		"no name":         {[]access.Producer{{Tokens: tokens("a")}}, "empty or taken"},
		"name twice":      {[]access.Producer{{Name: "a", Tokens: tokens("a")}, {Name: "a", Tokens: tokens("b")}}, "empty or taken"},
		"no token":        {[]access.Producer{{Name: "a"}}, "no token and no client"},
		"token twice":     {[]access.Producer{{Name: "a", Tokens: tokens("a")}, {Name: "b", Tokens: tokens("a")}}, "used already"},
		"scope":           {[]access.Producer{{Name: "a", Tokens: tokens("a"), Scopes: []access.Scope{"admin"}}}, `no scope "admin"`},
		"anybody":         {[]access.Producer{{Name: "a", JWT: client("", "")}}, "neither subject nor client id"},
		"unknown issuer":  {[]access.Producer{{Name: "a", JWT: access.Client{Issuer: "https://x.example", Subject: "s"}}}, "no issuer"},
		"login's issuer":  {[]access.Producer{{Name: "a", JWT: access.Client{Issuer: logins.URL(), Subject: "s"}}}, "no issuer"},
		"client twice":    {[]access.Producer{{Name: "a", JWT: client("", "c")}, {Name: "b", JWT: client("", "c")}}, "one token could be"},
		"could be either": {[]access.Producer{{Name: "a", JWT: client("s", "")}, {Name: "b", JWT: client("", "c")}}, "one token could be"},
	} {
		_, err := access.NewProducers(access.ProducersConfig{List: c.list, Issuers: []*access.Issuer{i, logins}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := access.NewProducers(access.ProducersConfig{Issuers: []*access.Issuer{i, i}}); err == nil {
		t.Error("an issuer that is there twice was taken")
	}
	fine := []access.Producer{{Name: "a", JWT: client("s", "c")}, {Name: "b", JWT: client("t", "c")}, {Name: "c", JWT: client("", "d")}}
	if _, err := access.NewProducers(access.ProducersConfig{List: fine, Issuers: []*access.Issuer{i}}); err != nil {
		t.Error(err)
	}
}

func TestIssuersAreChecked(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]access.IssuerConfig{
		"nothing": {}, "plain": {URL: "http://login.example"}, "looks local": {URL: "http://127.0.0.1.login.example"},
		"password": {URL: "https://a:b@login.example"}, "query": {URL: "https://login.example?x=1"}, "none": {URL: "https://l.example", Algorithms: []string{"none"}},
		"shared secret": {URL: "https://l.example", Algorithms: []string{"HS256"}}, "skew": {URL: "https://l.example", ClockSkew: time.Hour},
		"stale": {URL: "https://l.example", Refresh: time.Hour, Stale: time.Minute},
	} {
		if _, err := access.NewIssuer(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
