package sf1606

import (
	"errors"
	"strings"
	"testing"
)

// Every code has one row, ours are known as ours, and each has a status that tells a caller whether to come again.
func TestCodes(t *testing.T) {
	t.Parallel()
	cfg, err := Config{Intake: Intake{Sink: noSink{}, AnyRecipient: true}}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range Codes() {
		if seen[c.Code] || strings.HasPrefix(c.Code, "brevdue.") != (c.Source == ours) || !strings.HasSuffix(c.Text, ".") {
			t.Errorf("%+v", c)
		}
		seen[c.Code] = true
		cause := errors.New("private")
		r := Refuse(c.Code, cause)
		if r.Code != c.Code || r.Text != c.Text || r.Temporary != c.Temporary || !errors.Is(r, cause) || !strings.Contains(r.Error(), c.Code) {
			t.Errorf("%+v", r)
		}
		if status := cfg.Statuses.of(r); status < 400 || c.Temporary != (status == 503 || status == 408 || c.Code == CodeUploadCut) {
			t.Errorf("%s: HTTP %d", c.Code, status)
		}
	}
	if r := Refuse("x.y", nil); r.Code != "x.y" || r.Text == "" || r.Error() != "sf1606: x.y" {
		t.Errorf("%+v", r)
	}
	if status := cfg.Statuses.of(&Refusal{Code: "x.y", Temporary: true}); status != 503 {
		t.Errorf("HTTP %d", status)
	}
}

// noSink is never asked.
type noSink struct{ Sink }

// Settings that cannot be are told.
func TestConfig(t *testing.T) {
	t.Parallel()
	good := Config{Intake: Intake{Sink: noSink{}, Authorities: []string{"55133018"}}}
	if _, err := Handler(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"sink":        func(c *Config) { c.Sink = nil },
		"authorities": func(c *Config) { c.Authorities = nil },
		"authority 1": func(c *Config) { c.Authorities = []string{"5513301"} },
		"path":        func(c *Config) { c.Path = "modtag" },
		"method":      func(c *Config) { c.Method = "GET" },
		"format":      func(c *Config) { c.Format = "yaml" },
		"status":      func(c *Config) { c.Statuses.Refused = 204 },
		"negative":    func(c *Config) { c.MaxBytes = -1 },
		"limit":       func(c *Config) { c.MaxLarge = -1 },
	} {
		c := good
		spoil(&c)
		if _, err := Handler(c); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
