package webhook

import (
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// of is a secret of so many bytes.
func of(fill string, bytes int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(fill, bytes)))
}

func TestSecretFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ content, err string }{
		"one":           {of("s", 24), ""},
		"longest":       {of("s", 64) + "\n", ""},
		"commented":     {"# a\n\n" + of("s", 32), ""},
		"eight":         {strings.Repeat(of("s", 32)+"\n", 8), ""},
		"nine":          {strings.Repeat(of("s", 32)+"\n", 9), "9 secrets"},
		"empty":         {"", "no secret"},
		"comments only": {"# none\n", "no secret"},
		"short":         {of("s", 23), "line 1 has a secret of 23 bytes"},
		"long":          {"\n" + of("s", 65), "line 2 has a secret of 65 bytes"},
		"no prefix":     {of("s", 32) + "\nhemmelig", "line 2 does not begin"},
		"no base64":     {"whsec_hemmelig!", "line 1 is not base64"},
		"endless":       {"whsec_" + strings.Repeat("A", 1<<20), "too long"},
	} {
		keys, err := parse([]byte(c.content))
		switch {
		case c.err == "" && (err != nil || len(keys) == 0):
			t.Errorf("%s: %v", name, err)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v, wanted %q", name, err, c.err)
		case err != nil && strings.Contains(err.Error(), "hemmelig"):
			t.Errorf("%s: the secret is in the error", name)
		}
	}
}

// TestAStreamIsSignedAsTheLibrarySigns: headers and signatures are the same, byte for byte, for every key.
func TestAStreamIsSignedAsTheLibrarySigns(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(path, []byte(of("a", 24)+"\n"+of("b", 64)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	for _, body := range []string{"", "x", strings.Repeat("æøå\r\n", 100_000)} {
		whole, streamed := http.Header{}, http.Header{}
		if err := s.Sign(whole, "inb_1", at, []byte(body)); err != nil {
			t.Fatal(err)
		}
		err := s.SignStream(streamed, "inb_1", at, func(w io.Writer) error {
			for b := range strings.SplitAfterSeq(body, "\n") {
				if _, err := io.WriteString(w, b); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
			if whole.Get(name) == "" || whole.Get(name) != streamed.Get(name) {
				t.Errorf("%d bytes: %s: %q, the library says %q", len(body), name, streamed.Get(name), whole.Get(name))
			}
		}
		for _, key := range []string{of("a", 24), of("b", 64)} {
			w, err := standardwebhooks.NewWebhook(key)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Verify([]byte(body), streamed); err != nil {
				t.Errorf("%d bytes: %v", len(body), err)
			}
		}
	}
	failed := errors.New("no more")
	h := http.Header{}
	if err := s.SignStream(h, "inb_1", at, func(io.Writer) error { return failed }); !errors.Is(err, failed) || len(h) != 0 {
		t.Errorf("%v %v", err, h)
	}
}

func FuzzSecrets(f *testing.F) {
	f.Add([]byte(of("s", 24) + "\n#\n" + of("t", 24)))
	f.Add([]byte("whsec_"))
	f.Fuzz(func(t *testing.T, content []byte) {
		keys, err := parse(content)
		if (err == nil) != (len(keys) > 0) || len(keys) > MaxSecrets {
			t.Errorf("%d secrets, %v", len(keys), err)
		}
	})
}
