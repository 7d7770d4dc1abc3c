package config_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway/access"
)

// withAccess is a valid configuration with every way to prove who one is; KEYS and SECRET are files.
func withAccess(t *testing.T, changes ...string) string {
	t.Helper()
	dir := t.TempDir()
	keys, secret := filepath.Join(dir, "keys"), filepath.Join(dir, "secret")
	write(t, keys, []byte(strings.Repeat("ab", 32)+"\n"+strings.Repeat("cd", 32)+"\n"))
	write(t, secret, []byte("s3cret\n"))
	hash, err := access.HashPassword("tolv tegn eller flere")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("KEYS", keys, "SECRET", secret, "HASH", hash).Replace(`
http: {public_url: "https://brevdue.testby.example/"}
access:
  issuers: [{url: "https://login.testby.example/realm", audience: api, clock_skew: 30s}]
  login: {issuer: "https://login.testby.example/realm", client_id: console, client_secret_file: "SECRET", roles: {operator: [vagt]}}
  sessions: {key_file: "KEYS", idle: 20m}
operators: [{name: vagt, password_hash: "HASH", roles: [operator, letters]}, {name: anden, token_sha256: "` + strings.Repeat("ab", 32) + `"}]
producers:
  - {name: a, tokens: [{sha256: "` + strings.Repeat("01", 32) + `", expires: "2027-06-30", note: x}, {sha256: "` + strings.Repeat("02", 32) + `"}]}
  - {name: b, jwt: {issuer: "https://login.testby.example/realm", client_id: b}}
`)
	base := file(t, time.Now().Add(time.Hour), `producers: [{name: p, token_sha256: "`+strings.Repeat("ab", 32)+`"}]`,
		strings.NewReplacer(changes...).Replace(text))
	return base
}

func TestAccessIsRead(t *testing.T) {
	t.Parallel()
	c, err := config.Load(withAccess(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := c.Access.Sessions.Keys()
	if err != nil || len(keys) != 2 || !bytes.Equal(keys[0], bytes.Repeat([]byte{0xab}, 32)) {
		t.Errorf("%x, %v", keys, err)
	}
	if secret, err := c.Access.Login.Secret(); err != nil || secret != "s3cret" {
		t.Errorf("%q, %v", secret, err)
	}
	tokens, err := c.Producers[0].AccessTokens()
	if err != nil || len(tokens) != 2 || tokens[0].Expires.UTC() != time.Date(2027, 6, 30, 22, 0, 0, 0, time.UTC) || !tokens[1].Expires.IsZero() {
		t.Errorf("%+v, %v", tokens, err)
	}
	if r := c.Operators[1].Roles; len(r) != 1 || r[0] != "reader" {
		t.Errorf("an operator without roles is %v", r)
	}
	if c.HTTP.Insecure() || !c.HTTP.Loopback() {
		t.Error("a console behind TLS has cookies that travel in the clear")
	}
	if !(config.HTTP{Listen: "127.0.0.1:80"}).Insecure() || (config.HTTP{Listen: "0.0.0.0:80"}).Insecure() || (config.HTTP{Listen: ":80"}).Loopback() {
		t.Error("cookies are Secure but on this machine")
	}
}

func TestAccessIsChecked(t *testing.T) {
	t.Parallel()
	const realm = `"https://login.testby.example/realm"`
	for name, c := range map[string]struct {
		change []string
		key    string
	}{
		"plain issuer":         {[]string{"https://login", "http://login"}, "access.issuers.0"},
		"alg none":             {[]string{"clock_skew: 30s", "algorithms: [none]"}, "access.issuers.0"},
		"large skew":           {[]string{"30s", "1h"}, "access.issuers.0"},
		"issuer's root":        {[]string{"clock_skew: 30s", "ca_file: /nowhere.pem"}, "access.issuers.0"},
		"unknown issuer":       {[]string{"jwt: {issuer: " + realm, `jwt: {issuer: "https://x.example"`}, "producers.1.jwt.issuer"},
		"no audience":          {[]string{"audience: api", "refresh: 1m"}, "producers.1.jwt.issuer"},
		"anybody":              {[]string{", client_id: b}", "}"}, "producers.1.jwt"},
		"no way in":            {[]string{"jwt: {issuer: " + realm + ", client_id: b}", "targets: [x]"}, "producers.1.token_sha256"},
		"token":                {[]string{strings.Repeat("01", 32), "x"}, "producers.0.tokens.0"},
		"expires":              {[]string{"2027-06-30", "next year"}, "producers.0.tokens.0"},
		"login's issuer":       {[]string{"login: {issuer: " + realm, `login: {issuer: "https://x.example"`}, "access.login.issuer"},
		"login without issuer": {[]string{"login: {issuer: " + realm + ",", "login: {"}, "access.login.issuer"},
		"client is audience":   {[]string{"client_id: console", "client_id: api"}, "access.login.client_id"},
		"no client":            {[]string{"client_id: console, ", ""}, "access.login.client_id"},
		"no public URL":        {[]string{`http: {public_url: "https://brevdue.testby.example/"}`, ""}, "http.public_url"},
		"plain public URL":     {[]string{"https://brevdue", "http://brevdue"}, "http.public_url"},
		"path":                 {[]string{"testby.example/\"}", "testby.example/x\"}"}, "http.public_url"},
		"no secret":            {[]string{`client_secret_file: "`, `client_secret_file: "/nowhere`}, "access.login.client_secret_file"},
		"unknown role":         {[]string{"roles: {operator:", "roles: {root:"}, "access.login.roles"},
		"operator's role":      {[]string{"[operator, letters]", "[root]"}, "operators.0.roles"},
		"operator's hash":      {[]string{"pbkdf2-sha256", "md5"}, "operators.0.password_hash"},
		"two hashes":           {[]string{"name: anden,", "name: anden, password_hash: x,"}, "operators.1.password_hash"},
		"name twice":           {[]string{"name: anden", "name: vagt"}, "operators.1.name"},
		"no keys":              {[]string{`key_file: "`, `key_file: "/nowhere`}, "access.sessions.key_file"},
		"idle":                 {[]string{"20m", "1s"}, "access.sessions"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Load(withAccess(t, c.change...), nil)
			var wrong config.Errors
			if !errors.As(err, &wrong) {
				t.Fatalf("%v", err)
			}
			for _, e := range wrong {
				if e.Key == c.key {
					return
				}
			}
			t.Errorf("want %s, got %v", c.key, err)
		})
	}
}
