package smtp_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
)

func TestParseURL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	password, empty := filepath.Join(dir, "password"), filepath.Join(dir, "empty")
	for name, content := range map[string]string{password: "hemmelig\n", empty: "\n"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for raw, want := range map[string]*smtp.Server{
		"smtp://127.0.0.1:1025":                 {Host: "127.0.0.1", Port: 1025},
		"smtp://mx.testby.example":              {Host: "mx.testby.example"},
		"smtps://mx.testby.example/":            {Host: "mx.testby.example", TLS: smtp.TLSImplicit},
		"smtp://[::1]:25?starttls=none":         {Host: "::1", Port: 25, TLS: smtp.TLSNone},
		"smtp://u@mx?password_file=" + password: {Host: "mx", Username: "u", PasswordFile: password},
		"smtp://mx?starttls=required&timeout=5s&final_timeout=1m&idle=2s&sessions=3&letters=4&ehlo=gw": {
			Host: "mx", TLS: smtp.TLSRequired, LocalName: "gw", Sessions: 3, Letters: 4, Idle: 2 * time.Second,
			Timeouts: smtp.Timeouts{Dial: 5 * time.Second, Greeting: 5 * time.Second, Command: 5 * time.Second, Final: time.Minute},
		},
		"http://mx":                           nil,
		"smtp:mx":                             nil,
		"smtp://":                             nil,
		"://":                                 nil,
		"smtp://mx:0x19":                      nil,
		"smtp://mx:70000":                     nil,
		"smtp://u:hemmelig@mx":                nil,
		"smtp://u@mx":                         nil,
		"smtp://mx?password_file=" + password: nil,
		"smtp://u@mx?password_file=" + empty:  nil,
		"smtp://u@mx?password_file=/nowhere":  nil,
		"smtp://mx/path":                      nil,
		"smtp://mx#x":                         nil,
		"smtp://mx?starttls=maybe":            nil,
		"smtps://mx?starttls=none":            nil,
		"smtp://mx?what=1":                    nil,
		"smtp://mx?sessions=1&sessions=2":     nil,
		"smtp://mx?sessions=-1":               nil,
		"smtp://mx?timeout=soon":              nil,
		"smtp://mx?ca_file=" + password:       nil,
		"smtp://mx?ca_file=/nowhere":          nil,
		"smtp://mx?ehlo=a%20b":                nil,
		"smtp://mx?%zz":                       nil,
		"smtp://u@mx?starttls=none&password_file=" + password:          nil,
		"smtp://u@mx?starttls=opportunistic&password_file=" + password: nil,
		"smtp://u@localhost?starttls=none&password_file=" + password: {
			Host: "localhost", TLS: smtp.TLSNone, Username: "u", PasswordFile: password,
		},
	} {
		got, err := smtp.ParseURL(raw)
		switch {
		case want == nil && !errors.Is(err, smtp.ErrServer):
			t.Errorf("%s: %v", raw, err)
		case want == nil && strings.Contains(err.Error(), "hemmelig"):
			t.Errorf("%s: the error repeats the password: %v", raw, err)
		case want != nil && (err != nil || got != *want):
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, c := range smtp.Codes() {
		key := fmt.Sprint(c.Pattern, c.Phases)
		if seen[key] || c.Pattern == "" || c.Hint == "" || c.Source == "" {
			t.Errorf("%+v", c)
		}
		seen[key] = true
		if c.Class != gateway.Next && c.Class != gateway.Fail && c.Class != gateway.Retry {
			t.Errorf("%s: class %s", c.Pattern, c.Class)
		}
	}
}

// TestImplicitTLSRefusesAPlainServer covers smtps against a server that speaks without it.
func TestImplicitTLSRefusesAPlainServer(t *testing.T) {
	t.Parallel()
	p := newPeer(t, "S: 220 mx\nHANG")
	server := p.server()
	server.TLS = smtp.TLSImplicit
	o := newChannel(t, smtp.Config{Server: server}).Send(t.Context(), newLetter(t, "nancy@testby.example"))
	if o.Class != gateway.Retry || o.Code != "smtp.connect.tls" {
		t.Errorf("%s %s: %v", o.Class, o.Code, o.Err)
	}
}
