// Package oidctest is an identity provider for tests: a small one that is strict with its client, and can be told to be wrong
// in every way that a provider, or somebody who plays one, can be wrong. A certified provider stands beside it in the tests
// of package access; that one cannot be made to lie.
//
// It knows one client and one person at a time. [Provider.Sign] makes a token of any claims; [Provider.Rotate],
// [Provider.Withdraw] and [Provider.SetDown] are what happens to providers; [Provider.Twist] changes ID tokens on their way out.
package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The client that the provider knows.
const (
	ClientID     = "console"
	ClientSecret = "s3cret +/%" // one that must be encoded on its way
)

// Provider is one. It is safe for concurrent use.
type Provider struct {
	server   *httptest.Server
	redirect string
	now      func() time.Time

	mu      sync.Mutex
	keys    []key
	serial  int
	down    bool
	asked   int
	person  map[string]any
	codes   map[string]code
	twist   func(claims map[string]any)
	signing func(claims map[string]any) (string, error)
}

type key struct {
	id      string
	alg     jose.SignatureAlgorithm
	private crypto.Signer
	chain   []*x509.Certificate
}

// code is a login that waits to be fetched.
type code struct{ challenge, nonce string }

// Start starts a provider whose client sends people back to redirect; now nil: time.Now.
func Start(redirect string, now func() time.Time) (*Provider, error) {
	if now == nil {
		now = time.Now
	}
	p := &Provider{redirect: redirect, now: now, codes: make(map[string]code)}
	if err := p.Rotate(jose.ES256); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.metadata)
	mux.HandleFunc("GET /keys", p.publish)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		down := p.down
		if r.URL.Path == "/keys" {
			p.asked++
		}
		p.mu.Unlock()
		if down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	return p, nil
}

// Close stops it.
func (p *Provider) Close() { p.server.Close() }

// URL is its issuer.
func (p *Provider) URL() string { return p.server.URL }

// Asked counts how often its keys were asked for.
func (p *Provider) Asked() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// SetDown has it answer nothing but 503.
func (p *Provider) SetDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

// Rotate adds a key, which signs from now on. Its algorithm is RS256, PS256 or ES256.
func (p *Provider) Rotate(alg jose.SignatureAlgorithm) error {
	var private crypto.Signer
	var err error
	if alg == jose.ES256 {
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	} else {
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		return fmt.Errorf("make a key: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.serial++
	p.keys = append([]key{{id: "key-" + strconv.Itoa(p.serial), alg: alg, private: private}}, p.keys...)
	return nil
}

// Certify gives the signing key a certificate that ends at a time.
func (p *Provider) Certify(notAfter time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	template := &x509.Certificate{NotBefore: notAfter.Add(-time.Hour), NotAfter: notAfter}
	der, err := x509.CreateCertificate(rand.Reader, template, template, p.keys[0].private.Public(), p.keys[0].private)
	if err != nil {
		return fmt.Errorf("make a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return fmt.Errorf("read a certificate: %w", err)
	}
	p.keys[0].chain = []*x509.Certificate{cert}
	return nil
}

// Withdraw takes back every key but the one that signs.
func (p *Provider) Withdraw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = p.keys[:1]
}

// Person is who logs in from now on: claims beside those that the provider fills in.
func (p *Provider) Person(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person = claims
}

// Twist changes the claims of ID tokens before they are signed; nil: no longer.
func (p *Provider) Twist(twist func(claims map[string]any)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.twist = twist
}

// SignWith replaces how ID tokens are signed; nil: as they should be.
func (p *Provider) SignWith(sign func(claims map[string]any) (string, error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signing = sign
}

// Sign makes a JWT of claims with the key that signs now; typ is its header of that name, "" for none.
func (p *Provider) Sign(claims map[string]any, typ string) (string, error) {
	p.mu.Lock()
	k := p.keys[0]
	p.mu.Unlock()
	return SignAs(claims, typ, k.id, k.alg, k.private)
}

// SignAs makes a JWT with any key.
func SignAs(claims map[string]any, typ, kid string, alg jose.SignatureAlgorithm, private any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("write claims: %w", err)
	}
	opts := &jose.SignerOptions{}
	if typ != "" {
		opts = opts.WithType(jose.ContentType(typ))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: private, KeyID: kid}}, opts)
	if err != nil {
		return "", fmt.Errorf("make a signer: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return signed.CompactSerialize() //nolint:wrapcheck // it cannot fail for what was just signed
}

func (p *Provider) metadata(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{
		"issuer": p.URL(), "authorization_endpoint": p.URL() + "/authorize", "token_endpoint": p.URL() + "/token",
		"jwks_uri": p.URL() + "/keys", "response_types_supported": []string{"code"},
		"id_token_signing_alg_values_supported": []string{"ES256", "none"},
		"token_endpoint_auth_methods_supported": []string{"client_secret_basic"},
	})
}

func (p *Provider) publish(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// A key of a kind that nobody knows yet, and one that is not for signatures, are among the others.
	list := []any{map[string]string{"kty": "FUTURE", "kid": "f"}}
	for _, k := range p.keys {
		list = append(list,
			jose.JSONWebKey{Key: k.private.Public(), KeyID: k.id, Algorithm: string(k.alg), Use: "sig", Certificates: k.chain},
			jose.JSONWebKey{Key: k.private.Public(), KeyID: "enc-" + k.id, Use: "enc"})
	}
	answer(w, http.StatusOK, map[string]any{"keys": list})
}

// authorize logs the person in at once and sends the browser back, if the client asks as it should.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != ClientID || q.Get("redirect_uri") != p.redirect || q.Get("response_type") != "code" ||
		q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 ||
		len(q.Get("state")) < 20 || len(q.Get("nonce")) < 20 {
		http.Error(w, "not a request of the client", http.StatusBadRequest)
		return
	}
	id := rand.Text()
	p.mu.Lock()
	p.codes[id] = code{q.Get("code_challenge"), q.Get("nonce")}
	p.mu.Unlock()
	back := url.Values{"code": {id}, "state": {q.Get("state")}, "iss": {p.URL()}}
	http.Redirect(w, r, p.redirect+"?"+back.Encode(), http.StatusFound)
}

// token gives an ID token for a code, once, to the client that knows its secret and the verifier.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	name, secret, _ := r.BasicAuth()
	name, errName := url.QueryUnescape(name)
	secret, errSecret := url.QueryUnescape(secret)
	if errName != nil || errSecret != nil || name != ClientID || secret != ClientSecret {
		answer(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	id := r.PostFormValue("code")
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	p.mu.Lock()
	c, known := p.codes[id]
	delete(p.codes, id)
	person, twist, sign := p.person, p.twist, p.signing
	p.mu.Unlock()
	if !known || r.PostFormValue("grant_type") != "authorization_code" || r.PostFormValue("redirect_uri") != p.redirect ||
		base64.RawURLEncoding.EncodeToString(sum[:]) != c.challenge {
		answer(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{
		"iss": p.URL(), "aud": ClientID, "nonce": c.nonce, "iat": p.now().Unix(), "exp": p.now().Add(5 * time.Minute).Unix(),
	}
	maps.Copy(claims, person)
	if twist != nil {
		twist(claims)
	}
	if sign == nil {
		sign = func(claims map[string]any) (string, error) { return p.Sign(claims, "JWT") }
	}
	raw, err := sign(claims)
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]string{"error": "server_error"})
		return
	}
	answer(w, http.StatusOK, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 300, "id_token": raw})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // a client that is gone cannot be told
}
