package config

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

func (c *Config) checkPeople(f *findings) {
	names := make(map[string]bool)
	for n, p := range c.Producers {
		at := "producers." + strconv.Itoa(n)
		if p.Name == "" || names[p.Name] {
			f.add(at+".name", "missing or used twice", "every producer has a name of its own")
		}
		names[p.Name] = true
		p.checkTokens(f, at)
		p.Callback.check(f, at+".callback")
		if _, err := p.PerSecond(); err != nil {
			f.add(at+".rate", err.Error(), "a number of requests per s, m or h, such as 50/s")
		}
		for _, s := range p.Scopes {
			f.oneOf(at+".scopes", s, scopeNames(httpapi.AllScopes())...)
		}
	}
	names = make(map[string]bool)
	for n, o := range c.Operators {
		at := "operators." + strconv.Itoa(n)
		if o.Name == "" || names[o.Name] {
			f.add(at+".name", "missing or used twice", "what the operator logs in with")
		}
		names[o.Name] = true
		o.check(f, at)
	}
}

// checkTokens demands some way for the producer to say who it is.
func (p Producer) checkTokens(f *findings, at string) {
	if p.TokenSHA256 != "" || (len(p.Tokens) == 0 && p.JWT == (JWT{})) {
		if _, err := hashes(p.TokenSHA256); err != nil {
			f.add(at+".token_sha256", err.Error(), "make a token and its line with: brevdue token new")
		}
	}
	for n, t := range p.Tokens {
		if _, err := t.parse(); err != nil {
			f.add(at+".tokens."+strconv.Itoa(n), err.Error(), "make a token and its line with: brevdue token new")
		}
	}
}

// AccessTokens returns what is known of a producer's tokens.
func (p Producer) AccessTokens() ([]access.Token, error) {
	var out []access.Token
	if p.TokenSHA256 != "" {
		sums, err := hashes(p.TokenSHA256)
		if err != nil {
			return nil, err
		}
		for _, sum := range sums {
			out = append(out, access.Token{SHA256: sum})
		}
	}
	for _, t := range p.Tokens {
		token, err := t.parse()
		if err != nil {
			return nil, err
		}
		out = append(out, token)
	}
	return out, nil
}

// Token is one of a producer's tokens.
type Token struct {
	SHA256  string `koanf:"sha256"`  // hex
	Expires string `koanf:"expires"` // a date (its end, in Danish time) or a time such as 2027-01-31T12:00:00Z; default never
	Note    string `koanf:"note"`    // for people
}

var errExpires = errors.New("expires is neither a date nor a time")

func (t Token) parse() (access.Token, error) {
	sums, err := hashes(t.SHA256)
	if err != nil || len(sums) != 1 {
		return access.Token{}, errHash
	}
	token := access.Token{SHA256: sums[0], Note: t.Note}
	if t.Expires == "" {
		return token, nil
	}
	if token.Expires, err = time.Parse(time.RFC3339, t.Expires); err == nil {
		return token, nil
	}
	zone, err := time.LoadLocation("Europe/Copenhagen")
	if err != nil {
		return access.Token{}, fmt.Errorf("the zone of Denmark: %w", err)
	}
	day, err := time.ParseInLocation(time.DateOnly, t.Expires, zone)
	if err != nil {
		return access.Token{}, errExpires
	}
	token.Expires = day.AddDate(0, 0, 1)
	return token, nil
}

// check demands one hash of the operator's password, and known roles.
func (o *Operator) check(f *findings, at string) {
	key := at + ".password_hash"
	switch {
	case o.PasswordHash != "" && o.TokenSHA256 != "":
		f.add(key, "token_sha256 is set as well", "keep one of them")
	case o.PasswordHash == "":
		key = at + ".token_sha256"
		fallthrough
	default:
		if err := access.CheckHash(o.Hash()); err != nil {
			f.add(key, "not a hash of a password", "make one with: brevdue token password")
		}
	}
	for _, role := range o.Roles {
		f.oneOf(at+".roles", role, roleNames()...)
	}
}

// Hash is what is known of the operator's password.
func (o *Operator) Hash() string { return cmp.Or(o.PasswordHash, o.TokenSHA256) }

var errHash = errors.New("not the hex of a SHA-256")

func hashes(list string) ([][32]byte, error) {
	var out [][32]byte
	for part := range strings.SplitSeq(list, ",") {
		raw, err := hex.DecodeString(strings.TrimSpace(part))
		if err != nil || len(raw) != 32 {
			return nil, errHash
		}
		out = append(out, [32]byte(raw))
	}
	return out, nil
}

// check looks at a callback that is wanted.
func (c Callback) check(f *findings, at string) {
	if c == (Callback{}) {
		return
	}
	if u, err := url.Parse(c.URL); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		f.add(at+".url", "not an address to call", "https://host/path, without user and password")
	}
	if c.SecretFile == "" {
		f.add(at+".secret_file", "missing", "a file with one secret a line: whsec_ and the base64 of 24 to 64 random bytes")
	} else if _, err := os.Stat(c.SecretFile); err != nil {
		f.add(at+".secret_file", err.Error(), "a file with one secret a line: whsec_ and the base64 of 24 to 64 random bytes")
	}
	certificatePool(f, at+".ca_file", c.CAFile, false)
	pair(f, at, c.CertificateFile, c.KeyFile, false)
	if c.Concurrency < 0 {
		f.add(at+".concurrency", "negative", "how many calls may be under way at once; default 8")
	}
}
