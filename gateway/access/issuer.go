package access

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Algorithms lists the signature algorithms that are taken: by key pairs, so that whoever can verify cannot sign.
func Algorithms() []string {
	return []string{string(jose.RS256), string(jose.PS256), string(jose.ES256), string(jose.EdDSA)}
}

// IssuerConfig is what an [Issuer] is made of.
type IssuerConfig struct {
	URL string // as in the claim iss; https, or http on this machine
	// Audience is what the claim aud of producers' tokens must name; "": the issuer is for logins only.
	Audience   string
	Algorithms []string      // of Algorithms(); default all of them
	Refresh    time.Duration // a key that the issuer withdraws works no longer than that; default 15 minutes
	// Stale is how old the keys may be that are used while the issuer does not answer; default 1 hour.
	Stale     time.Duration
	ClockSkew time.Duration    // how much the issuer's clock may differ; default 1 minute, at most 5
	HTTP      *http.Client     // that asks the issuer; nil: one with a timeout and no redirects
	Now       func() time.Time // nil: time.Now
}

// Issuer is an identity provider whose tokens are taken. It is safe for concurrent use.
type Issuer struct {
	url, audience string
	algorithms    []jose.SignatureAlgorithm
	skew          time.Duration
	keys          *keys
	now           func() time.Time
	http          *http.Client
}

// NewIssuer checks the configuration. The issuer is asked when the first token comes, not now: the gateway starts without it.
func NewIssuer(cfg IssuerConfig) (*Issuer, error) {
	if err := CheckIssuerURL(cfg.URL); err != nil {
		return nil, err
	}
	if len(cfg.Algorithms) == 0 {
		cfg.Algorithms = Algorithms()
	}
	i := &Issuer{url: cfg.URL, audience: cfg.Audience, skew: cfg.ClockSkew, now: cfg.Now, http: cfg.HTTP}
	for _, name := range cfg.Algorithms {
		if !slices.Contains(Algorithms(), name) {
			return nil, fmt.Errorf("access: the algorithm %q is not taken", name)
		}
		i.algorithms = append(i.algorithms, jose.SignatureAlgorithm(name))
	}
	if i.now == nil {
		i.now = time.Now
	}
	if i.skew == 0 {
		i.skew = time.Minute
	}
	if cfg.Refresh == 0 {
		cfg.Refresh = 15 * time.Minute
	}
	if cfg.Stale == 0 {
		cfg.Stale = max(time.Hour, cfg.Refresh)
	}
	if i.skew < 0 || i.skew > 5*time.Minute || cfg.Refresh < 0 || cfg.Stale < cfg.Refresh {
		return nil, errors.New("access: an issuer's ClockSkew is 0 to 5 minutes, and its Stale at least its Refresh")
	}
	if i.http == nil {
		i.http = NewHTTPClient(nil)
	}
	i.keys = &keys{issuer: i.url, http: i.http, refresh: cfg.Refresh, stale: cfg.Stale, now: i.now}
	return i, nil
}

// NewHTTPClient makes what asks an issuer: it has a timeout, follows no redirects, and trusts roots; nil: those of the system.
func NewHTTPClient(roots *x509.CertPool) *http.Client {
	return &http.Client{
		Timeout:       askTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, TLSHandshakeTimeout: askTime, IdleConnTimeout: time.Minute,
			MaxIdleConnsPerHost: 2, MaxResponseHeaderBytes: 64 << 10,
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		},
	}
}

// CheckIssuerURL demands an address that nobody on the way can answer for: https, or http on this machine.
func CheckIssuerURL(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Host == "", u.User != nil, u.RawQuery != "", u.Fragment != "":
		return errors.New("access: the issuer is not an address such as https://login.example/realm")
	case u.Scheme == "https", u.Scheme == "http" && IsLoopback(u.Hostname()):
		return nil
	default:
		return errors.New("access: the issuer's address is not https")
	}
}

// IsLoopback reports whether a host name or address is this machine, without asking anybody.
func IsLoopback(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// URL is the issuer's name, as in the claim iss.
func (i *Issuer) URL() string { return i.url }

// Claims is what a verified access token says.
type Claims struct {
	Issuer   string           `json:"iss"`
	Subject  string           `json:"sub"`
	Audience jwt.Audience     `json:"aud"`
	Expires  *jwt.NumericDate `json:"exp"`
	Before   *jwt.NumericDate `json:"nbf"`
	Issued   *jwt.NumericDate `json:"iat"`
	ClientID string           `json:"client_id"`
	Party    string           `json:"azp"` // authorized party: the client, where client_id is missing
}

func (c *Claims) client() string {
	if c.ClientID != "" {
		return c.ClientID
	}
	return c.Party
}

// AccessToken verifies a token of the client credentials grant. [src: RFC-9068 4; RFC-7519 4.1; RFC-8725 3]
//
// The error is a *Refusal, or ErrUnavailable when the issuer's keys cannot be had.
func (i *Issuer) AccessToken(ctx context.Context, raw string) (*Claims, error) {
	payload, header, err := i.verify(ctx, raw)
	if err != nil {
		return nil, err
	}
	// "JWT" and nothing are what providers write that are older than RFC 9068; an ID token is kept out by its audience.
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	switch strings.TrimPrefix(strings.ToLower(typ), "application/") {
	case "", "jwt", "at+jwt":
	default:
		return nil, refuse(WrongType)
	}
	var claims Claims
	if err := decodeClaims(payload, &claims); err != nil {
		return nil, err
	}
	if err := i.check(&claims, i.audience); err != nil {
		return nil, err
	}
	return &claims, nil
}

// check holds claims whose signature is right against who made them, for whom, and for when.
func (i *Issuer) check(claims *Claims, audience string) error {
	now := i.now()
	switch {
	case claims.Issuer != i.url:
		return refuse(UnknownIssuer)
	case audience == "" || !slices.Contains(claims.Audience, audience):
		return refuse(WrongAudience)
	case claims.Expires == nil, !now.Before(claims.Expires.Time().Add(i.skew)):
		return refuse(ExpiredJWT)
	case claims.Before != nil && now.Add(i.skew).Before(claims.Before.Time()),
		claims.Issued != nil && now.Add(i.skew).Before(claims.Issued.Time()):
		return refuse(EarlyJWT)
	}
	return nil
}

// VerifySignature gives the payload of a signed JWT of the issuer; go-oidc checks what is in it.
func (i *Issuer) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	payload, _, err := i.verify(ctx, raw)
	return payload, err
}

// verify checks the signature, and nothing of what it signs.
func (i *Issuer) verify(ctx context.Context, raw string) ([]byte, jose.Header, error) {
	var none jose.Header
	if len(raw) > MaxToken {
		return nil, none, refuse(OversizedToken)
	}
	signed, err := jose.ParseSignedCompact(raw, i.algorithms)
	if unexpected := (*jose.ErrUnexpectedSignatureAlgorithm)(nil); errors.As(err, &unexpected) {
		return nil, none, refuse(WrongAlgorithm)
	}
	if err != nil || len(signed.Signatures) != 1 {
		return nil, none, refuse(MalformedJWT)
	}
	header := signed.Signatures[0].Protected
	candidates, err := i.keys.find(ctx, header.KeyID, header.Algorithm)
	if err != nil {
		return nil, none, err
	}
	if len(candidates) == 0 {
		return nil, none, refuse(UnknownKey)
	}
	for _, key := range candidates {
		if payload, err := signed.Verify(key); err == nil {
			return payload, header, nil
		}
	}
	return nil, none, refuse(WrongSignature)
}
