package access

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// LoginConfig is what a [Login] is made of. Issuer, ClientID and RedirectURL are required.
type LoginConfig struct {
	Issuer       *Issuer
	ClientID     string
	ClientSecret string   // "": a public client, which PKCE alone protects
	RedirectURL  string   // of this console, as registered with the provider
	Scopes       []string // beside openid; default profile
	// NameClaim is what the operator is called in the audit trail; default preferred_username, and sub where it is missing.
	NameClaim string
	// RolesClaim is where the provider says what the person is: a text or a list of texts; inside of objects with dots, such
	// as realm_access.roles. Default roles.
	RolesClaim string
	// Roles says which of the claim's values give which role. Empty: the roles' own names.
	Roles    map[Role][]string
	Sessions *Sessions // of the same console
	// Keys are those of the sessions; none: a random one, so that the same process must take the browser back.
	Keys [][]byte
}

// Login lets operators in who are known to an OpenID Connect provider. It is safe for concurrent use.
type Login struct {
	cfg    LoginConfig
	states *seal
	verify *oidc.IDTokenVerifier
}

// loginLife is how long somebody may take at the provider.
const loginLife = 10 * time.Minute

// maxName is the most bytes of an operator's name.
const maxName = 128

// NewLogin checks the configuration. The provider is asked when the first person comes.
func NewLogin(cfg LoginConfig) (*Login, error) {
	if cfg.Issuer == nil || cfg.Sessions == nil || cfg.ClientID == "" || cfg.RedirectURL == "" {
		return nil, errors.New("access: a login needs an issuer, a client id, a redirect URL and sessions")
	}
	if cfg.ClientID == cfg.Issuer.audience {
		return nil, errors.New("access: the login's client id must not be the audience of producers' tokens")
	}
	if len(cfg.Scopes) == 0 {
		cfg.Scopes = []string{"profile"}
	}
	if cfg.NameClaim == "" {
		cfg.NameClaim = "preferred_username"
	}
	if cfg.RolesClaim == "" {
		cfg.RolesClaim = "roles"
	}
	for role := range cfg.Roles {
		if !slices.Contains(Roles(), role) {
			return nil, fmt.Errorf("access: there is no role %q", role)
		}
	}
	l := &Login{cfg: cfg}
	var err error
	if l.states, err = newSeal(cfg.Keys, "login"); err != nil {
		return nil, err
	}
	algorithms := make([]string, len(cfg.Issuer.algorithms))
	for n, a := range cfg.Issuer.algorithms {
		algorithms[n] = string(a)
	}
	l.verify = oidc.NewVerifier(cfg.Issuer.url, cfg.Issuer, &oidc.Config{
		ClientID: cfg.ClientID, SupportedSigningAlgs: algorithms,
		Now: func() time.Time { return cfg.Issuer.now().Add(-cfg.Issuer.skew) },
	})
	return l, nil
}

// attempt is what a login that is under way has to know; the browser keeps it, sealed.
type attempt struct {
	State    string `json:"s"`
	Nonce    string `json:"n"`
	Verifier string `json:"v"`
	Return   string `json:"r"`
	Began    int64  `json:"b"`
}

func (l *Login) cookieName() string {
	if l.cfg.Sessions.secure {
		return "__Host-brevdue-login"
	}
	return "brevdue-login"
}

func (l *Login) cookie(value string, age int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure, but on this machine
		Name: l.cookieName(), Value: value, Path: "/", MaxAge: age,
		Secure: l.cfg.Sessions.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// Start sends the browser to the provider; returnTo is the path that the person wanted. The error is ErrUnavailable when the
// provider does not answer.
func (l *Login) Start(w http.ResponseWriter, r *http.Request, returnTo string) error {
	client, err := l.client(r.Context())
	if err != nil {
		return err
	}
	a := attempt{rand.Text(), rand.Text(), oauth2.GenerateVerifier(), returnTo, l.cfg.Issuer.now().Unix()}
	value, err := l.states.close(a, "")
	if err != nil {
		return err
	}
	http.SetCookie(w, l.cookie(value, int(loginLife.Seconds())))
	http.Redirect(w, r, client.AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), http.StatusFound)
	return nil
}

// Finish takes the browser back from the provider and says who it is, and which path they wanted.
//
// The error is a *Refusal, or ErrUnavailable when the provider does not answer.
func (l *Login) Finish(w http.ResponseWriter, r *http.Request) (o *Operator, returnTo string, err error) {
	a, err := l.attempt(w, r)
	if err != nil {
		return nil, "", err
	}
	q := r.URL.Query()
	if q.Get("error") != "" || q.Get("code") == "" {
		return nil, "", refuse(Denied)
	}
	client, err := l.client(r.Context())
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), oauth2.HTTPClient, l.cfg.Issuer.http), askTime)
	defer cancel()
	token, err := client.Exchange(ctx, q.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode/100 == 4 {
			return nil, "", &Refusal{Denied, fmt.Errorf("the provider answers %d %q", refused.Response.StatusCode, refused.ErrorCode)}
		}
		return nil, "", fmt.Errorf("%w: the provider's token endpoint", ErrUnavailable) // the cause may quote the answer
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := l.idToken(ctx, raw, token.AccessToken, a.Nonce)
	if err != nil {
		return nil, "", err
	}
	o, err = l.operator(id)
	return o, a.Return, err
}

// attempt opens the browser's cookie and holds the state against it; both are good for one time.
func (l *Login) attempt(w http.ResponseWriter, r *http.Request) (*attempt, error) {
	cookie, err := r.Cookie(l.cookieName())
	if err != nil {
		return nil, refuse(WrongState)
	}
	http.SetCookie(w, l.cookie("", -1))
	var a attempt
	if err := l.states.open(cookie.Value, "", &a); err != nil {
		return nil, refuse(WrongState)
	}
	until := time.Unix(a.Began, 0).Add(loginLife)
	q := r.URL.Query()
	issuer := q.Get("iss") // whom the answer is from, where the provider says it [src: RFC-9207 2.4]
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(a.State)) != 1 || !l.cfg.Issuer.now().Before(until) ||
		(issuer != "" && issuer != l.cfg.Issuer.url) {
		return nil, refuse(WrongState)
	}
	first, err := l.cfg.Sessions.once.Mark(r.Context(), mark("login", a.State), until)
	if err != nil {
		return nil, fmt.Errorf("%w: logins that were finished: %w", ErrUnavailable, err)
	}
	if !first {
		return nil, refuse(WrongState)
	}
	return &a, nil
}

// idToken verifies an ID token. [src: OIDC-CORE 3.1.3.7]
func (l *Login) idToken(ctx context.Context, raw, accessToken, nonce string) (*oidc.IDToken, error) {
	if raw == "" || len(raw) > MaxToken {
		return nil, refuse(MalformedJWT)
	}
	payload, err := l.cfg.Issuer.VerifySignature(ctx, raw)
	if err != nil {
		return nil, err
	}
	var claims Claims
	if err := decodeClaims(payload, &claims); err != nil {
		return nil, err
	}
	if err := l.cfg.Issuer.check(&claims, l.cfg.ClientID); err != nil {
		return nil, err
	}
	id, err := l.verify.Verify(ctx, raw) // the same by other people's code, and what is left
	if err != nil {
		return nil, refuse(MalformedJWT)
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, refuse(WrongNonce)
	case claims.Party != "" && claims.Party != l.cfg.ClientID, len(claims.Audience) > 1 && claims.Party == "":
		return nil, refuse(WrongAudience)
	case id.AccessTokenHash != "" && id.VerifyAccessToken(accessToken) != nil:
		return nil, refuse(WrongSignature)
	}
	return id, nil
}

// operator reads who it is and what they may.
func (l *Login) operator(id *oidc.IDToken) (*Operator, error) {
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return nil, refuse(MalformedJWT)
	}
	o := &Operator{Name: id.Subject, How: ByOIDC}
	if name, _ := claims[l.cfg.NameClaim].(string); name != "" {
		o.Name = name
	}
	if len(o.Name) == 0 || len(o.Name) > maxName {
		return nil, refuse(MalformedJWT)
	}
	values := texts(at(claims, l.cfg.RolesClaim))
	for _, role := range Roles() {
		wanted := []string{string(role)}
		if len(l.cfg.Roles) > 0 {
			wanted = l.cfg.Roles[role]
		}
		if slices.ContainsFunc(wanted, func(v string) bool { return slices.Contains(values, v) }) {
			o.Roles = append(o.Roles, role)
		}
	}
	if !o.May(See) {
		return nil, refuse(NoRole)
	}
	return o, nil
}

// at finds a claim: by its whole name, or along its dots.
func at(claims map[string]any, name string) any {
	if v, found := claims[name]; found {
		return v
	}
	first, rest, found := strings.Cut(name, ".")
	inside, isObject := claims[first].(map[string]any)
	if !found || !isObject {
		return nil
	}
	return at(inside, rest)
}

// texts are the texts of a claim that is one or a list of them.
func texts(claim any) []string {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		var list []string
		for _, one := range v {
			if s, ok := one.(string); ok {
				list = append(list, s)
			}
		}
		return list
	default:
		return nil
	}
}

// client asks the provider for its addresses.
func (l *Login) client(ctx context.Context) (*oauth2.Config, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, l.cfg.Issuer.http), l.cfg.Issuer.url)
	if err != nil {
		return nil, fmt.Errorf("%w: the provider's metadata: %w", ErrUnavailable, err)
	}
	var metadata struct {
		Methods json.RawMessage `json:"token_endpoint_auth_methods_supported"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return nil, fmt.Errorf("%w: the provider's metadata: %w", ErrUnavailable, err)
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInHeader // the default of the standard [src: OIDC-DISCOVERY 3]
	var methods []string
	if json.Unmarshal(metadata.Methods, &methods) == nil && len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") ||
		l.cfg.ClientSecret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams
	}
	return &oauth2.Config{
		ClientID: l.cfg.ClientID, ClientSecret: l.cfg.ClientSecret, Endpoint: endpoint, RedirectURL: l.cfg.RedirectURL,
		Scopes: append([]string{oidc.ScopeOpenID}, l.cfg.Scopes...),
	}, nil
}
