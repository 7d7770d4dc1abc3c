package smtp_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
)

// TestEveryPhase breaks a session in each of its phases and asks what the gateway is told.
func TestEveryPhase(t *testing.T) {
	t.Parallel()
	const (
		retry, next, fail, unknown, accept = gateway.Retry, gateway.Next, gateway.Fail, gateway.Unknown, gateway.Accept
		again                              = 5 * time.Minute
	)
	login := strings.Replace(hello, "S: 250 8BITMIME", "S: 250 AUTH PLAIN", 1)
	secret := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(secret, []byte("hemmelig\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	withLogin := func(s *smtp.Server) { s.Username, s.PasswordFile = "brevdue", secret }
	withTLS := func(s *smtp.Server) { s.TLS = smtp.TLSRequired }
	hurry := func(s *smtp.Server) { s.Timeouts.Greeting, s.Timeouts.Final = 50*time.Millisecond, 50*time.Millisecond }
	for name, c := range map[string]struct {
		script string
		class  gateway.Class
		code   string
		wait   time.Duration
		set    func(*smtp.Server)
	}{
		"banner 421":                {"S: 421 4.3.2 busy", retry, "421 4.3.2", 0, nil},
		"banner 554":                {"S: 554 no SMTP here", retry, "554", 0, nil},
		"banner nonsense":           {"S: hello there", retry, "smtp.greeting.connection", 0, nil},
		"banner missing":            {"", retry, "smtp.greeting.connection", 0, nil},
		"banner never":              {"HANG", retry, "smtp.greeting.timeout", 0, hurry},
		"EHLO and HELO refused":     {"S: 220 mx\nC: EHLO\nS: 550 who are you\nC: HELO\nS: 550 5.7.1 go away", retry, "550", 0, nil},
		"EHLO unknown, HELO works":  {"S: 220 mx\nC: EHLO\nS: 500 what\nC: HELO\nS: 250 mx\nC: MAIL FROM:<jobcenter@testby.example>\nS: 250 ok\n" + rcpt + data + "DOT\n" + taken, accept, "250", 0, nil},
		"EHLO answered without end": {"S: 220 mx\nC: EHLO\n" + strings.Repeat("S: 250-"+strings.Repeat("x", 1000)+"\n", 300) + "HANG", retry, "smtp.hello.connection", 0, nil},
		"cut in EHLO":               {"S: 220 mx\nC: EHLO", retry, "smtp.hello.connection", 0, nil},
		"STARTTLS not offered":      {hello, retry, "smtp.starttls.missing", 0, withTLS},
		"STARTTLS refused":          {strings.Replace(hello, "8BITMIME", "STARTTLS", 1) + "C: STARTTLS\nS: 454 4.7.0 no certificate", retry, "454 4.7.0", 0, withTLS},
		"STARTTLS, then no TLS":     {strings.Replace(hello, "8BITMIME", "STARTTLS", 1) + "C: STARTTLS\nS: 220 go\nBYTE\nS: 220 not TLS\nHANG", retry, "smtp.starttls.tls", 0, withTLS},
		"AUTH 535":                  {login + "C: AUTH PLAIN\nS: 535 5.7.8 wrong\nHEAR\nS: 500 what\nHEAR\nS: 221 bye", retry, "535 5.7.8", 0, withLogin},
		"AUTH not offered":          {hello, retry, "smtp.auth.missing", 0, withLogin},
		"cut in AUTH":               {login + "C: AUTH PLAIN", retry, "smtp.auth.connection", 0, withLogin},
		"MAIL 421":                  {hello + "C: MAIL\nS: 421 4.4.2 too long idle", retry, "421 4.4.2", 0, nil},
		"MAIL 451":                  {hello + "C: MAIL\nS: 451 4.3.0 later\nHANG", retry, "451 4.3.0", 0, nil},
		"MAIL 530":                  {hello + "C: MAIL\nS: 530 5.7.0 Authentication required\nHANG", retry, "530 5.7.0", 0, nil},
		"MAIL sender refused":       {hello + "C: MAIL\nS: 553 5.1.8 who is that\nHANG", fail, "553 5.1.8", 0, nil},
		"MAIL too large":            {hello + "C: MAIL\nS: 552 5.3.4 too large\nHANG", fail, "552 5.3.4", 0, nil},
		"MAIL 5.7.1":                {hello + "C: MAIL\nS: 553 5.7.1 not your address\nHANG", fail, "553 5.7.1", 0, nil},
		"cut in MAIL":               {hello + "C: MAIL", retry, "smtp.mail.connection", 0, nil},
		"RCPT 450":                  {hello + begin + "C: RCPT\nS: 450 4.2.1 greylisted\nHANG", retry, "450 4.2.1", again, nil},
		"RCPT 550":                  {hello + begin + "C: RCPT\nS: 550 nobody\nHANG", next, "550", 0, nil},
		"RCPT 550 5.0.0":            {hello + begin + "C: RCPT\nS: 550 5.0.0 nobody\nHANG", next, "550 5.0.0", 0, nil},
		"RCPT 5.1.1":                {hello + begin + "C: RCPT\nS: 550 5.1.1 nobody\nHANG", next, "550 5.1.1", 0, nil},
		"RCPT 5.1.10":               {hello + begin + "C: RCPT\nS: 556 5.1.10 null MX\nHANG", next, "556 5.1.10", 0, nil},
		"RCPT 5.2.2":                {hello + begin + "C: RCPT\nS: 552 5.2.2 full\nHANG", next, "552 5.2.2", 0, nil},
		"RCPT 5.4.1":                {hello + begin + "C: RCPT\nS: 550 5.4.1 access denied\nHANG", next, "550 5.4.1", 0, nil},
		"RCPT 5.7.1":                {hello + begin + "C: RCPT\nS: 554 5.7.1 relay denied\nHANG", next, "554 5.7.1", 0, nil},
		"RCPT 5.6.0":                {hello + begin + "C: RCPT\nS: 550 5.6.0 no\nHANG", fail, "550 5.6.0", 0, nil},
		"RCPT 554":                  {hello + begin + "C: RCPT\nS: 554 no\nHANG", fail, "554", 0, nil},
		"RCPT contradicts itself":   {hello + begin + "C: RCPT\nS: 451 5.1.1 hm\nHANG", retry, "451", again, nil},
		"RCPT 3xx":                  {hello + begin + "C: RCPT\nS: 354 hm\nHANG", retry, "354", 0, nil},
		"cut in RCPT":               {hello + begin + "C: RCPT", retry, "smtp.rcpt.connection", 0, nil},
		"DATA 451":                  {hello + begin + rcpt + "C: DATA\nS: 451 4.3.1 disk\nHANG", retry, "451 4.3.1", again, nil},
		"DATA 554":                  {hello + begin + rcpt + "C: DATA\nS: 554 5.5.1 no\nHANG", fail, "554 5.5.1", 0, nil},
		"cut in DATA":               {hello + begin + rcpt + "C: DATA", retry, "smtp.data.connection", 0, nil},
		"cut in the letter":         {hello + begin + rcpt + data + "HEAR", retry, "smtp.content.connection", 0, nil},
		"cut after the dot":         {hello + letter, unknown, "smtp.final.unanswered", 0, nil},
		"never after the dot":       {hello + letter + "HANG", unknown, "smtp.final.unanswered", 0, hurry},
		"nonsense after the dot":    {hello + letter + "S: what?\nHANG", unknown, "smtp.final.unanswered", 0, nil},
		"354 after the dot":         {hello + letter + "S: 354 what?\nHANG", unknown, "354", 0, nil},
		"dot 451":                   {hello + letter + "S: 451 4.7.1 scanner\nHANG", retry, "451 4.7.1", again, nil},
		"dot 421":                   {hello + letter + "S: 421 4.3.2 stopping", retry, "421 4.3.2", 0, nil},
		"dot 552":                   {hello + letter + "S: 552 too large\nHANG", fail, "552", 0, nil},
		"dot 5.2.3":                 {hello + letter + "S: 552 5.2.3 too large for this mailbox\nHANG", next, "552 5.2.3", 0, nil},
		"dot 5.7.1":                 {hello + letter + "S: 554 5.7.1 spam\nHANG", next, "554 5.7.1", 0, nil},
		"dot 5.7.26":                {hello + letter + "S: 550 5.7.26 DMARC\nHANG", fail, "550 5.7.26", 0, nil},
		"taken":                     {hello + letter + taken + "HANG", accept, "250", 0, nil},
		"taken, QUIT lost":          {hello + letter + taken, accept, "250", 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, c.script)
			server := p.server()
			if c.set != nil {
				c.set(&server)
			}
			channel := newChannel(t, smtp.Config{Server: server})
			var documents [][]byte
			if name == "cut in the letter" {
				documents = append(documents, pdf(7_000_000)) // more than the buffers between us hold
			}
			l := newLetter(t, "unknown.person@testby.example", documents...)
			o := channel.Send(t.Context(), l)
			if o.Class != c.class || o.Code != c.code || o.RetryAfter != c.wait {
				t.Fatalf("%s %q after %v (%v), want %s %q after %v", o.Class, o.Code, o.RetryAfter, o.Err, c.class, c.code, c.wait)
			}
			if o.Class != accept && o.Err == nil {
				t.Error("no cause")
			}
			if (o.Class == accept) != (o.TransmissionID == l.Message.ID+"@testby.example") {
				t.Errorf("transmission %q", o.TransmissionID)
			}
			if o.Class == fail && o.Hint == "" {
				t.Error("a person must act and is not told how")
			}
		})
	}
}

func TestTheServersWordsAreKeptFromTheLog(t *testing.T) {
	t.Parallel()
	p := newPeer(t, hello+begin+"C: RCPT\nS: 550-5.1.1 <nancy@testby.example>: not here\nS: 550 5.1.1 Nancy has moved\nHANG")
	o := newChannel(t, smtp.Config{Server: p.server()}).Send(t.Context(), newLetter(t, "nancy@testby.example"))
	if o.Text != "<nancy@testby.example>: not here Nancy has moved" {
		t.Errorf("text %q", o.Text)
	}
	if logged := o.Err.Error() + o.Hint + o.Code; strings.Contains(strings.ToLower(logged), "nancy") {
		t.Errorf("what is logged names the recipient: %s", logged)
	}
}

func TestAnEndingContext(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script string
		class  gateway.Class
		code   string
	}{
		"while greeting":     {"HANG", gateway.Retry, "smtp.cancelled"},
		"while asking":       {hello + begin + "C: RCPT\nHANG", gateway.Retry, "smtp.cancelled"},
		"while TLS begins":   {strings.Replace(hello, "8BITMIME", "STARTTLS", 1) + "C: STARTTLS\nS: 220 go\nHANG", gateway.Retry, "smtp.cancelled"},
		"after the last dot": {hello + letter + "HANG", gateway.Unknown, "smtp.final.unanswered"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, c.script)
			server := p.server()
			if strings.Contains(c.script, "TLS") {
				server.TLS = smtp.TLSRequired
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan gateway.Outcome, 1)
			channel := newChannel(t, smtp.Config{Server: server})
			l := newLetter(t, "nancy@testby.example")
			go func() { done <- channel.Send(ctx, l) }()
			<-p.hung
			cancel()
			if o := <-done; o.Class != c.class || o.Code != c.code {
				t.Errorf("%s %q, want %s %q", o.Class, o.Code, c.class, c.code)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	server := p.server()
	_ = p.listener.Close()
	o := newChannel(t, smtp.Config{Server: server}).Send(t.Context(), newLetter(t, "nancy@testby.example"))
	if o.Class != gateway.Retry || o.Code != "smtp.connect.connection" || o.Hint == "" {
		t.Errorf("%s %q %q", o.Class, o.Code, o.Hint)
	}
}
