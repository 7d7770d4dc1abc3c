package config

import (
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"strconv"
	"strings"

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
		if _, err := p.Tokens(); err != nil {
			f.add(at+".token_sha256", err.Error(), "make one with: printf %s TOKEN | sha256sum")
		}
		p.Callback.check(f, at+".callback")
		for _, s := range p.Scopes {
			f.oneOf(at+".scopes", s, scopeNames(httpapi.AllScopes())...)
		}
	}
	for n, o := range c.Operators {
		at := "operators." + strconv.Itoa(n)
		if o.Name == "" {
			f.add(at+".name", "missing", "what the operator logs in with")
		}
		if _, err := hashes(o.TokenSHA256); err != nil {
			f.add(at+".token_sha256", err.Error(), "make one with: printf %s PASSWORD | sha256sum")
		}
	}
}

// Tokens returns the hashes of a producer's tokens.
func (p Producer) Tokens() ([][32]byte, error) { return hashes(p.TokenSHA256) }

// Hash returns the hash of an operator's password.
func (o Operator) Hash() ([32]byte, error) {
	all, err := hashes(o.TokenSHA256)
	if err != nil {
		return [32]byte{}, err
	}
	return all[0], nil
}

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
