package callback

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/webhook"
)

// TestSecretsAreReplacedWithoutAPause: the old alone, both, the new alone, and a broken file in between.
func TestSecretsAreReplacedWithoutAPause(t *testing.T) {
	t.Parallel()
	k := newClock()
	s := newSite(t, k, nil)
	r := receiverOf(t, s)
	h := setup(t, k, r)
	m := h.intents(t, producer, 1, 1)[0]
	replace := func(lines ...string) { // as a person or a secret store does: a new file in place of the old one
		t.Helper()
		next := filepath.Join(filepath.Dir(r.SecretFile), "next")
		if err := os.WriteFile(next, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, r.SecretFile); err != nil {
			t.Fatal(err)
		}
	}
	for n, c := range []struct {
		file       []string
		signatures int
		one, two   bool
	}{
		{nil, 1, true, false},
		{[]string{"# two since today", secret("one"), "", secret("two") + "\r"}, 2, true, true},
		{[]string{"whsec_broken"}, 2, true, true},
		{[]string{secret("two")}, 1, false, true},
	} {
		if c.file != nil {
			replace(c.file...)
		}
		h.happen(t, producer, m)
		h.deliver(t, m)
		got := s.next(t)
		if n2 := len(strings.Fields(got.Header.Get("webhook-signature"))); n2 != c.signatures {
			t.Errorf("step %d: %d signatures", n, n2)
		}
		if one, two := verify(t, got, secret("one")) == nil, verify(t, got, secret("two")) == nil; one != c.one || two != c.two {
			t.Errorf("step %d: the first secret verifies: %t, the second: %t", n, one, two)
		}
	}
	if err := os.Remove(r.SecretFile); err != nil {
		t.Fatal(err)
	}
	h.happen(t, producer, m)
	h.deliver(t, m)
	if verify(t, s.next(t), secret("two")) != nil {
		t.Error("without the file nothing is signed any more")
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120")
	f.Add("Mon, 02 Nov 2026 08:31:30 GMT")
	now := time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		wish := webhook.RetryAfter(value, now)
		c := &Courier{jitter: func() float64 { return 0 }}
		if d := c.delay(0, wish); wish < 0 || d < firstDelay || d > maxRetryAfter {
			t.Errorf("wish %s, delay %s", wish, d)
		}
	})
}

// TestConfigNamesWhatIsWrong: the producer and the field, and nothing secret.
func TestConfigNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	good := Receiver{Producer: producer, URL: "https://testby.example/brevdue", SecretFile: secretFile(t, secret("one"))}
	for want, change := range map[string]func(r *Receiver){
		"":                                 func(*Receiver) {},
		"url: it is missing":               func(r *Receiver) { r.URL = "" },
		"url: it must begin with https://": func(r *Receiver) { r.URL = "http://testby.example" },
		"url: it is no URL":                func(r *Receiver) { r.URL = "https://hemmelig.example:x:y" },
		"url: it names no host":            func(r *Receiver) { r.URL = "https:///x" },
		"url: it must hold no user":        func(r *Receiver) { r.URL = "https://bruger:hemmelig@testby.example" },
		"url: it must not have a fragment": func(r *Receiver) { r.URL = "https://testby.example/#hemmelig" },
		"secret_file":                      func(r *Receiver) { r.SecretFile = filepath.Join(t.TempDir(), "none") },
		"secret_file: line 1":              func(r *Receiver) { r.SecretFile = secretFile(t, "hemmelig") },
		"ca_file: it holds no certificate": func(r *Receiver) { r.CAFile = r.SecretFile },
		"ca_file: open":                    func(r *Receiver) { r.CAFile = filepath.Join(t.TempDir(), "none") },
		"certificate_file and key_file":    func(r *Receiver) { r.CertificateFile = r.SecretFile },
		"the producer has no name":         func(r *Receiver) { r.Producer = "" },
	} {
		r := good
		change(&r)
		h := &house{clock: newClock()}
		_, err := New(Config{Journal: openJournal(t, filepath.Join(t.TempDir(), "j.db")), Queue: &recorder{}, Receivers: []Receiver{r}, Event: eventJSON, Now: h.clock.Now})
		switch {
		case want == "" && err != nil:
			t.Error(err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), r.Producer)):
			t.Errorf("%v, wanted %q", err, want)
		case err != nil && strings.Contains(err.Error(), "hemmelig"):
			t.Errorf("a secret is in the error: %v", err)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a config of nothing was taken")
	}
	c := Config{Journal: openJournal(t, filepath.Join(t.TempDir(), "j.db")), Queue: &recorder{}, Receivers: []Receiver{good, good}, Event: eventJSON, Now: time.Now}
	if _, err := New(c); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a producer twice: %v", err)
	}
	if p := Producers([]Receiver{good}); len(p) != 1 || !p[producer] {
		t.Error(p)
	}
}
