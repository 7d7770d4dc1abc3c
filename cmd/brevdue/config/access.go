package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway/access"
)

// Access is how callers prove who they are, beside tokens and passwords.
type Access struct {
	Issuers  []Issuer `koanf:"issuers"`
	Login    Login    `koanf:"login"`
	Sessions Sessions `koanf:"sessions"`
}

// Issuer is an identity provider.
type Issuer struct {
	URL        string        `koanf:"url"`        // as in its tokens' iss; https
	Audience   string        `koanf:"audience"`   // what its tokens for producers must have in aud; default: none are taken
	Algorithms []string      `koanf:"algorithms"` // default RS256, PS256, ES256, EdDSA
	Refresh    time.Duration `koanf:"refresh"`    // how long a withdrawn key may go on working; default 15m
	Stale      time.Duration `koanf:"stale"`      // how old keys may be that are used while it does not answer; default 1h
	ClockSkew  time.Duration `koanf:"clock_skew"` // default 1m, at most 5m
	CAFile     string        `koanf:"ca_file"`    // extra trust root, PEM
}

// JWT is what a producer is called at an identity provider. What is set must be in its tokens.
type JWT struct {
	Issuer   string `koanf:"issuer"`    // url of one of access.issuers
	Subject  string `koanf:"subject"`   // sub
	ClientID string `koanf:"client_id"` // client_id, or azp
}

// Login is how operators log in with OpenID Connect. Without an issuer they have passwords.
type Login struct {
	Issuer           string              `koanf:"issuer"` // url of one of access.issuers
	ClientID         string              `koanf:"client_id"`
	ClientSecretFile string              `koanf:"client_secret_file"` // default none: a public client
	Scopes           []string            `koanf:"scopes"`             // beside openid; default profile
	NameClaim        string              `koanf:"name_claim"`         // default preferred_username
	RolesClaim       string              `koanf:"roles_claim"`        // default roles; realm_access.roles is one inside of an object
	Roles            map[string][]string `koanf:"roles"`              // which values of it give which role; default the roles' own names
}

// Sessions are the logins of the console.
type Sessions struct {
	// KeyFile holds 32 random bytes in hex a line, the first for new sessions; every process with the role api has the same.
	// Default: a random key, and a restart ends every session.
	KeyFile string        `koanf:"key_file"`
	Idle    time.Duration `koanf:"idle"` // default 30m
	Life    time.Duration `koanf:"life"` // default 10h
}

func roleNames() []string {
	var names []string
	for _, r := range access.Roles() {
		names = append(names, string(r))
	}
	return names
}

func (c *Config) checkAccess(f *findings) {
	if u, err := url.Parse(c.HTTP.PublicURL); c.HTTP.PublicURL != "" &&
		(err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" ||
			(u.Scheme != "https" && (u.Scheme != "http" || !access.IsLoopback(u.Hostname())))) {
		f.add("http.public_url", "not the root of an https address", "e.g. https://brevdue.testby.example")
	}
	issuers := make(map[string]string)
	for n := range c.Access.Issuers {
		i, at := &c.Access.Issuers[n], "access.issuers."+strconv.Itoa(n)
		if _, twice := issuers[i.URL]; twice {
			f.add(at+".url", "there twice", "one entry an issuer")
		}
		issuers[i.URL] = i.Audience
		if _, err := i.Open(time.Now); err != nil {
			f.add(at, err.Error(), "url: https://login.example/realm, audience: what is in aud of tokens for this gateway")
		}
	}
	for n, p := range c.Producers {
		if p.JWT == (JWT{}) {
			continue
		}
		at := "producers." + strconv.Itoa(n) + ".jwt"
		if issuers[p.JWT.Issuer] == "" {
			f.add(at+".issuer", "there is none like it in access.issuers with an audience", "the same url in both places")
		}
		if p.JWT.Subject == "" && p.JWT.ClientID == "" {
			f.add(at, "neither subject nor client_id", "what names the producer in a token: sub, or client_id")
		}
	}
	c.checkLogin(f, issuers)
	if _, err := c.Access.Sessions.Keys(); err != nil {
		f.add("access.sessions.key_file", err.Error(), "32 random bytes in hex a line, e.g. from: openssl rand -hex 32")
	}
	if _, err := access.NewSessions(access.SessionConfig{Idle: c.Access.Sessions.Idle, Life: c.Access.Sessions.Life}); err != nil {
		f.add("access.sessions", err.Error(), "idle: 30m, life: 10h")
	}
}

func (c *Config) checkLogin(f *findings, issuers map[string]string) {
	l := &c.Access.Login
	if l.Issuer == "" {
		if l.ClientID != "" || l.ClientSecretFile != "" {
			f.add("access.login.issuer", "missing", "url of one of access.issuers")
		}
		return
	}
	audience, known := issuers[l.Issuer]
	if !known {
		f.add("access.login.issuer", "there is none like it in access.issuers", "the same url in both places")
	}
	switch l.ClientID {
	case "":
		f.add("access.login.client_id", "missing", "as the console is registered with the issuer")
	case audience:
		f.add("access.login.client_id", "the same as the issuer's audience",
			"an operator's ID token could be used as a producer's: give the API an audience of its own")
	}
	if c.HTTP.PublicURL == "" {
		f.add("http.public_url", "missing", "access.login needs it: the issuer sends people back to it")
	}
	if _, err := l.Secret(); err != nil {
		f.add("access.login.client_secret_file", err.Error(), "a file with the secret on one line")
	}
	for role := range l.Roles {
		f.oneOf("access.login.roles", role, roleNames()...)
	}
}

// Open makes the issuer.
func (i *Issuer) Open(now func() time.Time) (*access.Issuer, error) {
	client, err := i.client()
	if err != nil {
		return nil, err
	}
	return access.NewIssuer(access.IssuerConfig{
		URL: i.URL, Audience: i.Audience, Algorithms: i.Algorithms, Refresh: i.Refresh, Stale: i.Stale, ClockSkew: i.ClockSkew,
		HTTP: client, Now: now,
	})
}

// client trusts the issuer's own root too; nil: nothing special.
func (i *Issuer) client() (*http.Client, error) {
	if i.CAFile == "" {
		return nil, nil //nolint:nilnil // no client is the default one
	}
	pool, err := Pool(i.CAFile, true)
	if err != nil {
		return nil, err
	}
	return access.NewHTTPClient(pool), nil
}

// Secret reads the client's secret, "" when there is none.
func (l *Login) Secret() (string, error) {
	if l.ClientSecretFile == "" {
		return "", nil
	}
	raw, err := os.ReadFile(l.ClientSecretFile)
	if err != nil {
		return "", fmt.Errorf("the secret cannot be read: %w", err)
	}
	secret := strings.TrimSpace(string(raw))
	if secret == "" || strings.ContainsAny(secret, "\r\n") {
		return "", errors.New("the secret is not one line")
	}
	return secret, nil
}

// Keys reads the keys of the sessions; none: a random one is to be used.
func (s *Sessions) Keys() ([][]byte, error) {
	if s.KeyFile == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(s.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("the keys cannot be read: %w", err)
	}
	var keys [][]byte
	for line := range strings.FieldsSeq(string(raw)) {
		key, err := hex.DecodeString(line)
		if err != nil || len(key) != access.KeySize {
			return nil, errors.New("not keys of 32 bytes in hex")
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key in it")
	}
	return keys, nil
}

// AccessRoles are the roles of a login, as package access has them.
func (l *Login) AccessRoles() map[access.Role][]string {
	roles := make(map[access.Role][]string, len(l.Roles))
	for name, values := range l.Roles {
		roles[access.Role(name)] = slices.Clone(values)
	}
	return roles
}

// AccessRoles are the operator's, as package access has them.
func (o *Operator) AccessRoles() []access.Role {
	roles := make([]access.Role, len(o.Roles))
	for n, r := range o.Roles {
		roles[n] = access.Role(r)
	}
	return roles
}

// Loopback reports whether the listener can be reached from this machine only.
func (h HTTP) Loopback() bool {
	host, _, err := net.SplitHostPort(h.Listen)
	return err == nil && access.IsLoopback(host)
}

// Insecure reports whether the console is used over plain HTTP on this machine, so that its cookies must travel that way.
func (h HTTP) Insecure() bool {
	return h.Loopback() && h.CertificateFile == "" && !strings.HasPrefix(h.PublicURL, "https:")
}
