package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway/access"
)

func tokenRun(t *testing.T, in string, args ...string) (out string, code int) {
	t.Helper()
	var b strings.Builder
	code = run(t.Context(), args, terminal{in: strings.NewReader(in), out: &b, err: &b})
	return b.String(), code
}

// TestTokenNew: the configuration takes what is printed, and the hash is that of the token.
func TestTokenNew(t *testing.T) {
	t.Parallel()
	out, code := tokenRun(t, "", "token", "new", "--json", "--expires", "2027-06-30", "--note", "server 1")
	var made struct {
		Token string `json:"token"`
		Entry struct {
			SHA256  string `json:"sha256"`
			Expires string `json:"expires"`
			Note    string `json:"note"`
		} `json:"entry"`
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != exitOK {
		t.Fatalf("%d %s %v", code, out, err)
	}
	sum := sha256.Sum256([]byte(made.Token))
	if made.Entry.SHA256 != hex.EncodeToString(sum[:]) || len(made.Token) != 51 || made.Entry.Note != "server 1" {
		t.Errorf("%+v", made)
	}
	p := config.Producer{Tokens: []config.Token{{SHA256: made.Entry.SHA256, Expires: made.Entry.Expires}}}
	tokens, err := p.AccessTokens()
	if err != nil || len(tokens) != 1 || tokens[0].Expires.UTC().String() != "2027-06-30 22:00:00 +0000 UTC" {
		t.Errorf("%+v, %v", tokens, err)
	}
	again, _ := tokenRun(t, "", "token", "new")
	if strings.Contains(again, made.Token) || !strings.Contains(again, "- {sha256: \"") {
		t.Errorf("%s", again)
	}
	if out, code := tokenRun(t, "", "token", "new", "--expires", "soon"); code != exitUsage {
		t.Errorf("%d %s", code, out)
	}
}

func TestTokenPassword(t *testing.T) {
	t.Parallel()
	const word = "en lang sætning om ingenting"
	out, code := tokenRun(t, word+"\n", "token", "password")
	hash := strings.TrimSpace(out)
	if code != exitOK || access.CheckHash(hash) != nil || strings.Contains(out, "sætning") {
		t.Fatalf("%d %s", code, out)
	}
	p, err := access.NewPasswords([]access.StaticOperator{{Name: "vagt", Hash: hash}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Login(t.Context(), "vagt", word); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", "kort\n"} {
		if out, code := tokenRun(t, bad, "token", "password"); code != exitUsage {
			t.Errorf("%q: %d %s", bad, code, out)
		}
	}
}
