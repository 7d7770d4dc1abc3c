package access_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/access/oidctest"
)

// callers are producers with a token and with clients of a provider.
func callers(t *testing.T, p *oidctest.Provider, k *clock) *access.Producers {
	t.Helper()
	list := []access.Producer{
		{Name: "static", Tokens: tokens("static-token")},
		{Name: "huske", JWT: access.Client{Issuer: p.URL(), ClientID: "huskeservice"}},
		{Name: "esdh", JWT: access.Client{Issuer: p.URL(), Subject: "sub-esdh", ClientID: "esdh"}},
	}
	found, err := access.NewProducers(access.ProducersConfig{List: list, Issuers: []*access.Issuer{issuer(t, p, k)}, Now: k.now})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func claimsOf(p *oidctest.Provider, k *clock) map[string]any {
	return map[string]any{
		"iss": p.URL(), "aud": audience, "sub": "huskeservice", "client_id": "huskeservice",
		"iat": k.now().Unix(), "nbf": k.now().Unix(), "exp": k.now().Add(5 * time.Minute).Unix(),
	}
}

func signed(t *testing.T, p *oidctest.Provider, claims map[string]any) string {
	t.Helper()
	raw, err := p.Sign(claims, "at+jwt")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestJWTsNameTheirProducer(t *testing.T) {
	t.Parallel()
	k := newClock()
	p := provider(t, k)
	c := callers(t, p, k)
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256} {
		if err := p.Rotate(alg); err != nil {
			t.Fatal(err)
		}
		k.add(time.Minute) // the keys may be asked for again
		for name, change := range map[string]func(map[string]any){
			"huske": func(map[string]any) {},
			"esdh":  func(m map[string]any) { m["sub"], m["client_id"] = "sub-esdh", "esdh" },
		} {
			claims := claimsOf(p, k)
			change(claims)
			found, how, err := c.Authenticate(t.Context(), "Bearer "+signed(t, p, claims))
			if err != nil || found.Name != name || how != access.ByJWT {
				t.Errorf("%s %s: %+v, %v", alg, name, found, err)
			}
		}
	}
	azp := claimsOf(p, k)
	delete(azp, "client_id")
	azp["azp"], azp["aud"] = "huskeservice", []string{"x", audience}
	if found, _, err := c.Authenticate(t.Context(), "bearer "+signed(t, p, azp)); err != nil || found.Name != "huske" {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestBadJWTsAreRefused: every way a token can be wrong that we know of.
func TestBadJWTsAreRefused(t *testing.T) {
	t.Parallel()
	k := newClock()
	p := provider(t, k)
	c := callers(t, p, k)
	with := func(change func(map[string]any)) string {
		claims := claimsOf(p, k)
		change(claims)
		return signed(t, p, claims)
	}
	set := func(name string, value any) string { return with(func(m map[string]any) { m[name] = value }) }
	good := signed(t, p, claimsOf(p, k))
	parts := strings.Split(good, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	payload, err := json.Marshal(claimsOf(p, k))
	if err != nil {
		t.Fatal(err)
	}
	as := func(typ, kid string, alg jose.SignatureAlgorithm, key any) string {
		raw, err := oidctest.SignAs(claimsOf(p, k), typ, kid, alg, key)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other := provider(t, k)
	foreign := maps.Clone(claimsOf(p, k))
	typ := func(name string) string {
		raw, err := p.Sign(claimsOf(p, k), name)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	embedded := func() string { // a token that brings the key it should be believed with
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: stranger}, &jose.SignerOptions{EmbedJWK: true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := signer.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := s.CompactSerialize()
		return raw
	}
	for name, c2 := range map[string]struct {
		token string
		want  access.Reason
	}{
		"alg none":             {b64([]byte(`{"alg":"none"}`)) + "." + b64(payload) + ".", access.WrongAlgorithm},
		"alg None":             {b64([]byte(`{"alg":"None"}`)) + "." + b64(payload) + ".", access.WrongAlgorithm},
		"alg none, signed":     {b64([]byte(`{"alg":"none","kid":"key-1"}`)) + "." + b64(payload) + "." + parts[2], access.WrongAlgorithm},
		"shared secret":        {as("at+jwt", "key-1", jose.HS256, []byte("0123456789abcdef0123456789abcdef")), access.WrongAlgorithm},
		"another algorithm":    {as("at+jwt", "key-1", jose.ES384, p384(t)), access.WrongAlgorithm},
		"a stranger's key":     {as("at+jwt", "key-1", jose.ES256, stranger), access.WrongSignature},
		"no key id, stranger":  {as("at+jwt", "", jose.ES256, stranger), access.WrongSignature},
		"an unknown key":       {as("at+jwt", "key-99", jose.ES256, stranger), access.UnknownKey},
		"a key for encryption": {as("at+jwt", "enc-key-1", jose.ES256, stranger), access.UnknownKey},
		"brings its key":       {embedded(), access.WrongSignature},
		"another's signature":  {parts[0] + "." + b64([]byte(strings.Replace(string(payload), "huskeservice", "esdh", 2))) + "." + parts[2], access.WrongSignature},
		"another provider's":   {signed(t, other, foreign), access.WrongSignature},
		"unknown issuer":       {set("iss", "https://evil.example"), access.UnknownIssuer},
		"issuer and more":      {set("iss", p.URL()+"/"), access.UnknownIssuer},
		"another audience":     {set("aud", "https://other.example/api"), access.WrongAudience},
		"the console's":        {set("aud", oidctest.ClientID), access.WrongAudience},
		"audience's beginning": {set("aud", audience[:10]), access.WrongAudience},
		"no audience":          {with(func(m map[string]any) { delete(m, "aud") }), access.WrongAudience},
		"expired":              {set("exp", k.now().Add(-2*time.Minute).Unix()), access.ExpiredJWT},
		"never expires":        {with(func(m map[string]any) { delete(m, "exp") }), access.ExpiredJWT},
		"not yet":              {set("nbf", k.now().Add(2*time.Minute).Unix()), access.EarlyJWT},
		"from the future":      {set("iat", k.now().Add(2*time.Minute).Unix()), access.EarlyJWT},
		"unknown client":       {with(func(m map[string]any) { m["client_id"], m["sub"] = "x", "x" }), access.UnknownJWTClient},
		"client of another":    {with(func(m map[string]any) { m["client_id"] = "esdh" }), access.UnknownJWTClient},
		"a logout token":       {typ("logout+jwt"), access.WrongType},
		"a DPoP proof":         {typ("dpop+jwt"), access.WrongType},
		"expires as text":      {set("exp", "tomorrow"), access.MalformedJWT},
		"no JSON":              {parts[0] + "." + b64([]byte("{")) + "." + parts[2], access.MalformedJWT},
		"no base64":            {parts[0] + ".%%%." + parts[2], access.MalformedJWT},
		"empty parts":          {"..", access.MalformedJWT},
		"encrypted":            {"a.b.c.d.e", access.UnknownToken},
		"cut":                  {good[:len(good)-8], access.WrongSignature},
		"oversized":            {set("x", strings.Repeat("x", access.MaxToken)), access.OversizedToken},
		"issuer there twice":   {parts[0] + "." + b64([]byte(`{"iss":"https://evil.example","iss":"`+p.URL()+`"}`)) + "." + parts[2], access.MalformedJWT},
	} {
		k.add(time.Second)
		found, _, err := c.Authenticate(t.Context(), "Bearer "+c2.token)
		if found != nil || access.ReasonOf(err) != c2.want {
			t.Errorf("%s: %v, %v; want %s", name, found, err, c2.want)
		}
		if err != nil && len(c2.token) > 20 && (strings.Contains(err.Error(), c2.token) || strings.Contains(err.Error(), "huskeservice")) {
			t.Errorf("%s: the error holds what was presented: %v", name, err)
		}
	}
}

func p384(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestKeysAreRotated: a new key is found when the first token comes that it signed, a withdrawn one works no longer than
// Refresh, and strangers cannot make us ask the provider for every token that they invent.
func TestKeysAreRotated(t *testing.T) {
	t.Parallel()
	k := newClock()
	p := provider(t, k)
	c := callers(t, p, k)
	try := func(token string, want access.Reason) {
		t.Helper()
		if _, _, err := c.Authenticate(t.Context(), "Bearer "+token); access.ReasonOf(err) != want || (want == "" && err != nil) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	claims := claimsOf(p, k)
	claims["exp"] = k.now().Add(24 * time.Hour).Unix()
	old := signed(t, p, claims)
	for range 5 {
		try(old, "")
	}
	if n := p.Asked(); n != 1 {
		t.Errorf("the keys were asked for %d times", n)
	}
	if err := p.Rotate(jose.RS256); err != nil {
		t.Fatal(err)
	}
	k.add(10 * time.Second)
	try(signed(t, p, claims), "")
	try(old, "")
	if n := p.Asked(); n != 2 {
		t.Errorf("after a new key: asked %d times", n)
	}
	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 50 {
		raw, err := oidctest.SignAs(claims, "", "invented-"+string(rune('a'+n)), jose.ES256, stranger)
		if err != nil {
			t.Fatal(err)
		}
		try(raw, access.UnknownKey)
	}
	k.add(6 * time.Second)
	try(old, "")
	if n := p.Asked(); n > 3 {
		t.Errorf("strangers made us ask %d times", n)
	}
	p.Withdraw()
	k.add(16 * time.Minute)
	try(old, access.UnknownKey)
	try(signed(t, p, claims), "")
}

// TestExpiredKeysAreRefused: the certificate of a key says how long it is one.
func TestExpiredKeysAreRefused(t *testing.T) {
	t.Parallel()
	k := newClock()
	p := provider(t, k)
	c := callers(t, p, k)
	if err := p.Certify(k.now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	token := signed(t, p, claimsOf(p, k))
	if _, _, err := c.Authenticate(t.Context(), "Bearer "+token); err != nil {
		t.Fatal(err)
	}
	k.add(61 * time.Second)
	if _, _, err := c.Authenticate(t.Context(), "Bearer "+token); access.ReasonOf(err) != access.UnknownKey {
		t.Errorf("%v", err)
	}
}

// TestAProviderThatIsDown does not keep tokens of ours from working, nor, for a while, JWTs whose key is known.
func TestAProviderThatIsDown(t *testing.T) {
	t.Parallel()
	k := newClock()
	p := provider(t, k)
	c := callers(t, p, k)
	p.SetDown(true)
	try := func(token string) error {
		_, _, err := c.Authenticate(t.Context(), "Bearer "+token)
		return err
	}
	claims := claimsOf(p, k)
	claims["exp"] = k.now().Add(24 * time.Hour).Unix()
	token := signed(t, p, claims)
	for range 3 {
		if err := try(token); !errors.Is(err, access.ErrUnavailable) || access.ReasonOf(err) != "" {
			t.Errorf("%v", err)
		}
		if err := try("static-token"); err != nil {
			t.Error(err)
		}
	}
	p.SetDown(false)
	k.add(2 * time.Second)
	if err := try(token); err != nil {
		t.Fatal(err)
	}
	p.SetDown(true)
	k.add(30 * time.Minute)
	if err := try(token); err != nil {
		t.Errorf("with keys of half an hour ago: %v", err)
	}
	k.add(31 * time.Minute)
	if err := try(token); !errors.Is(err, access.ErrUnavailable) {
		t.Errorf("with keys of an hour ago: %v", err)
	}
	p.SetDown(false)
	k.add(time.Minute)
	var all sync.WaitGroup
	before := p.Asked()
	for range 20 {
		all.Go(func() {
			if err := try(token); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := p.Asked() - before; n == 0 || n > 3 {
		t.Errorf("twenty callers asked %d times", n)
	}
}

func FuzzAuthenticate(f *testing.F) {
	k := newClock()
	i, err := access.NewIssuer(access.IssuerConfig{URL: "http://127.0.0.1:1", Audience: audience, Now: k.now})
	if err != nil {
		f.Fatal(err)
	}
	p, err := access.NewProducers(access.ProducersConfig{
		List:    []access.Producer{{Name: "a", JWT: access.Client{Issuer: i.URL(), Subject: "s"}, Tokens: tokens("right")}},
		Issuers: []*access.Issuer{i}, Now: k.now,
	})
	if err != nil {
		f.Fatal(err)
	}
	b64 := base64.RawURLEncoding.EncodeToString
	for _, seed := range []string{
		"", "Bearer", "Bearer x", "Bearer a.b.c", "bearer  ..", "Basic x",
		"Bearer " + b64([]byte(`{"alg":"none"}`)) + "." + b64([]byte(`{"iss":"http://127.0.0.1:1"}`)) + ".",
		"Bearer " + b64([]byte(`{"alg":"ES256","kid":"k"}`)) + "." + b64([]byte(`{"iss":"http://127.0.0.1:1"}`)) + ".AA",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		found, _, err := p.Authenticate(t.Context(), header)
		if found != nil && !strings.HasSuffix(strings.TrimSpace(header), "right") {
			t.Errorf("%q let somebody in", header)
		}
		if (found == nil) == (err == nil) {
			t.Error("neither let in nor refused")
		}
	})
}
