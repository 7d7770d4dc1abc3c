package target_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/inbound/target"
	"github.com/brevdue/brevdue/gateway/inbound/targettest"
	"github.com/brevdue/brevdue/gateway/routing"
)

const desk = "post@testby.example"

// post is a mail server that keeps whole mails on the disk.
type post struct {
	dir string

	mu     sync.Mutex
	refuse *gosmtp.SMTPError // at the recipient
	at     *gosmtp.SMTPError // at the letter
	mails  []string          // files
}

func newPost(t testing.TB) (p *post, port int) {
	t.Helper()
	p = &post{dir: t.TempDir()}
	s := gosmtp.NewServer(p)
	s.Domain, s.MaxMessageBytes, s.MaxLineLength = "mx.testby.example", 1<<30, 2000
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a local port
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-served
	})
	address, is := l.Addr().(*net.TCPAddr)
	if !is {
		t.Fatal("not TCP")
	}
	return p, address.Port
}

func (p *post) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return &posting{p}, nil }

func (p *post) set(refuse, at *gosmtp.SMTPError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.at = refuse, at
}

func (p *post) taken() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.mails...)
}

type posting struct{ *post }

func (*posting) Mail(string, *gosmtp.MailOptions) error { return nil }
func (*posting) Reset()                                 {}
func (*posting) Logout() error                          { return nil }

func (p *posting) Rcpt(string, *gosmtp.RcptOptions) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return p.refuse
	}
	return nil
}

func (p *posting) Data(r io.Reader) error {
	f, err := os.CreateTemp(p.dir, "mail")
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at != nil {
		return p.at
	}
	p.mails = append(p.mails, f.Name())
	return nil
}

func newMailbox(t testing.TB, server smtp.Server, o target.Options) inbound.Target {
	t.Helper()
	relay := smtp.NewRelay(server, nil)
	t.Cleanup(relay.Close)
	o.Mailer, o.MailFrom = relay, "digitalpost@testby.example"
	return newTarget(t, routing.Target{Name: "desk", Kind: routing.Mail, Address: desk}, o)
}

// opened is a mail as its reader sees it.
type opened struct {
	header netmail.Header
	text   string
	copy   targettest.Copy
}

func open(t testing.TB, r io.Reader) opened {
	t.Helper()
	m, err := netmail.ReadMessage(bufio.NewReader(r))
	if err != nil {
		t.Fatal(err)
	}
	o := opened{header: m.Header}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" {
		t.Fatalf("%s, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			b, err := io.ReadAll(quotedprintable.NewReader(part))
			if err != nil {
				t.Fatal(err)
			}
			o.text = string(b)
			continue
		}
		sum := digestOf(t, base64.NewDecoder(base64.StdEncoding, part))
		if name := part.FileName(); name == "memo.xml" {
			o.copy.Memo = sum
		} else {
			if o.copy.Documents == nil {
				o.copy.Documents = map[string]string{}
			}
			// FileName takes what it thinks is a path apart; the parameter is what was written.
			_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
			if err != nil {
				t.Error(err)
			}
			o.copy.Documents[params["filename"]] = sum
		}
	}
	for line := range strings.Lines(o.text) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, targettest.Base) {
			o.copy.Links = append(o.copy.Links, line)
		}
	}
	return o
}

func mailboxWorld(o target.Options) func(t *testing.T) targettest.World {
	return func(t *testing.T) targettest.World {
		t.Helper()
		p, port := newPost(t)
		return targettest.World{
			Target: newMailbox(t, smtp.Server{Host: "127.0.0.1", Port: port, TLS: smtp.TLSNone}, o),
			Set: func(t *testing.T, m targettest.Mood) bool {
				t.Helper()
				switch m {
				case targettest.Takes:
					p.set(nil, nil)
				case targettest.Refuses:
					p.set(nil, &gosmtp.SMTPError{Code: 554, Message: targettest.Remote})
				case targettest.Busy:
					p.set(&gosmtp.SMTPError{Code: 451, Message: targettest.Remote}, nil)
				case targettest.Gone:
					return false
				}
				return true
			},
			Got: func(t *testing.T, parcel *inbound.Parcel) []targettest.Copy {
				t.Helper()
				var copies []targettest.Copy
				for _, path := range p.taken() {
					f, err := os.Open(path)
					if err != nil {
						t.Fatal(err)
					}
					got := open(t, f)
					_ = f.Close()
					if strings.HasSuffix(got.header.Get("Subject"), parcel.Post.MessageUUID) {
						copies = append(copies, got.copy)
					}
				}
				return copies
			},
		}
	}
}

func TestMailboxConformance(t *testing.T) {
	t.Parallel()
	targettest.Run(t, mailboxWorld(target.Options{}))
}

func TestMailboxLarge(t *testing.T) { //nolint:paralleltest // measures memory
	//nolint:paralleltest // as above
	t.Run("attached", func(t *testing.T) { targettest.RunLarge(t, mailboxWorld(target.Options{MailMax: 1 << 30})(t)) })
	//nolint:paralleltest // as above
	t.Run("links", func(t *testing.T) { targettest.RunLarge(t, mailboxWorld(target.Options{})(t)) })
}

// TestMailboxReplies: what the server says, and where, decides.
func TestMailboxReplies(t *testing.T) {
	t.Parallel()
	p, port := newPost(t)
	x := newMailbox(t, smtp.Server{Host: "127.0.0.1", Port: port, TLS: smtp.TLSNone}, target.Options{})
	for _, c := range []struct {
		reply   int
		verdict inbound.Verdict
	}{
		{421, inbound.Later}, {450, inbound.Later}, {451, inbound.Later}, {452, inbound.Later},
		{530, inbound.Later}, {535, inbound.Later},
		{550, inbound.Refused}, {552, inbound.Refused}, {553, inbound.Refused}, {554, inbound.Refused},
	} {
		said := &gosmtp.SMTPError{Code: c.reply, Message: targettest.Remote}
		p.set(said, nil)
		code(t, x.Deliver(t.Context(), targettest.Parcel(t, 10)), c.verdict, "smtp."+strconv.Itoa(c.reply))
		p.set(nil, said)
		code(t, x.Deliver(t.Context(), targettest.Parcel(t, 10)), c.verdict, "smtp."+strconv.Itoa(c.reply))
	}
	code(t, newMailbox(t, smtp.Server{Host: "127.0.0.1", Port: 1, TLS: smtp.TLSNone}, target.Options{}).
		Deliver(t.Context(), targettest.Parcel(t, 10)), inbound.Later, "mail.unavailable")
}

// TestMailboxSizes: everything, without memo.xml, links, and nothing.
func TestMailboxSizes(t *testing.T) {
	t.Parallel()
	p, port := newPost(t)
	parcel := targettest.Parcel(t, 300_000, 300_000) // about 820 kB of base64, and as much again in memo.xml
	nowhere := *parcel
	nowhere.DocumentURL = func(int) string { return "" }
	for n, c := range []struct {
		max       int64
		parcel    *inbound.Parcel
		word      string
		documents int
		memo      bool
		links     int
	}{
		{5_000_000, parcel, "mail.taken", 2, true, 0},
		{1_500_000, parcel, "mail.taken", 2, false, 0},
		{100_000, parcel, "mail.taken_links", 0, false, 2},
		{100_000, &nowhere, "mail.too_large", 0, false, 0},
		{100, parcel, "mail.too_large", 0, false, 0},
	} {
		before := len(p.taken())
		x := newMailbox(t, smtp.Server{Host: "127.0.0.1", Port: port, TLS: smtp.TLSNone}, target.Options{MailMax: c.max})
		o := x.Deliver(t.Context(), c.parcel)
		if o.Code != c.word || (o.Verdict == inbound.Taken) != (c.word != "mail.too_large") {
			t.Fatalf("%d: %s %s: %v", n, o.Verdict, o.Code, o.Err)
		}
		if o.Verdict != inbound.Taken {
			if o.Verdict != inbound.Refused || len(p.taken()) != before {
				t.Errorf("%d: %s, %d mails", n, o.Verdict, len(p.taken())-before)
			}
			continue
		}
		raw, err := os.ReadFile(p.taken()[before])
		if err != nil {
			t.Fatal(err)
		}
		if int64(len(raw)) > c.max {
			t.Errorf("%d: the mail has %d bytes", n, len(raw))
		}
		got := open(t, bytes.NewReader(raw))
		if len(got.copy.Documents) != c.documents || (got.copy.Memo != "") != c.memo || len(got.copy.Links) != c.links {
			t.Errorf("%d: %d documents, memo %t, links %v", n, len(got.copy.Documents), got.copy.Memo != "", got.copy.Links)
		}
	}
}

// TestMailboxMail: what the desk reads, and what stands in the header for everybody on the way.
func TestMailboxMail(t *testing.T) {
	t.Parallel()
	p, port := newPost(t)
	zone, err := time.LoadLocation("Europe/Copenhagen")
	if err != nil {
		t.Fatal(err)
	}
	x := newMailbox(t, smtp.Server{Host: "127.0.0.1", Port: port, TLS: smtp.TLSNone}, target.Options{Zone: zone})
	parcel := targettest.Parcel(t, 1_234_567)
	parcel.Post.Documents[0].SafeName = "bilag \"æ\" 100%; x=y.pdf"
	code(t, x.Deliver(t.Context(), parcel), inbound.Taken, "mail.taken")
	code(t, x.Deliver(t.Context(), parcel), inbound.Taken, "mail.taken")
	first, second := read(t, p.taken()[0]), read(t, p.taken()[1])
	if !bytes.Equal(first, second) {
		t.Error("two attempts send different mails")
	}
	for n, line := range bytes.Split(first, []byte("\r\n")) {
		if len(line) > 998 || bytes.ContainsAny(line, "\r\n") {
			t.Errorf("line %d has %d bytes, or a lone line end", n, len(line))
		}
	}
	head, _, _ := bytes.Cut(first, []byte("\r\n\r\n"))
	for _, private := range []string{targettest.CPR, "Nancy", "Spørgsmål", targettest.CaseID} {
		if bytes.Contains(head, []byte(private)) {
			t.Errorf("the header shows %q", private)
		}
	}
	got := open(t, bytes.NewReader(first))
	for name, want := range map[string]string{
		"Subject": "Digital Post modtaget: " + parcel.Post.MessageUUID, "From": "<digitalpost@testby.example>", "To": "<" + desk + ">",
		"Message-Id": "<" + parcel.Post.ID + "@testby.example>", "Date": "Mon, 2 Nov 2026 09:00:00 +0100", "Auto-Submitted": "auto-generated",
	} {
		if v := got.header.Get(name); v != want {
			t.Errorf("%s: %q, wanted %q", name, v, want)
		}
	}
	for _, want := range []string{
		"Der er modtaget en meddelelse i Digital Post.", "Modtaget: 2. november 2026 kl. 09.00", "Afsender: en borger (CPR)",
		"Sag: " + targettest.CaseID, "pdf.javascript", parcel.Post.ID, "(1,2 MB)", "Hele meddelelsen ligger i memo.xml.",
	} {
		if !strings.Contains(got.text, want) {
			t.Errorf("the text lacks %q:\n%s", want, got.text)
		}
	}
	for _, private := range []string{targettest.CPR, "Nancy"} {
		if strings.Contains(got.text, private) {
			t.Errorf("the text shows %q", private)
		}
	}
	if got.copy.Documents[parcel.Post.Documents[0].SafeName] != parcel.Post.Documents[0].SHA256 || got.copy.Memo != parcel.Post.Memo.SHA256 {
		t.Errorf("%+v", got.copy)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// eximConfig takes mail for the desk into its spool and refuses everybody else.
const eximConfig = `
spool_directory = DIR/spool
log_file_path = DIR/%slog
pid_file_path = DIR/exim.pid
primary_hostname = mx.testby.example
exim_user = root
exim_group = root
never_users =
keep_environment =
daemon_smtp_ports = PORT
local_interfaces = 127.0.0.1
queue_only = true
host_lookup =
message_size_limit = 400M
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
  accept recipients = post@testby.example
  defer  recipients = later@testby.example
         message = far-end-words
  deny   message = far-end-words
`

// TestMailboxWithARealServer: Debian's exim takes, defers and refuses; what it took is in its spool as it was sent.
func TestMailboxWithARealServer(t *testing.T) {
	t.Parallel()
	program := ""
	for _, name := range []string{"exim4", "/usr/sbin/exim4", "/usr/sbin/exim"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	switch {
	case program == "" && os.Getenv("CI") == "true":
		t.Fatal("exim4 is missing: install exim4-daemon-light")
	case program == "":
		t.Skip("SKIPPED, NOT TESTED: no real mail server here: install exim4-daemon-light")
	case os.Getuid() != 0:
		t.Skip("SKIPPED, NOT TESTED: exim4 wants to be root, even with everything in a folder of its own")
	}
	dir, port := startExim(t, program)
	deliver := func(to string, p *inbound.Parcel) inbound.Outcome {
		t.Helper()
		relay := smtp.NewRelay(smtp.Server{Host: "127.0.0.1", Port: port, TLS: smtp.TLSNone}, nil)
		defer relay.Close()
		x := newTarget(t, routing.Target{Name: "desk", Kind: routing.Mail, Address: to}, target.Options{
			Mailer: relay, MailFrom: "digitalpost@testby.example", MailMax: 1 << 30,
		})
		return x.Deliver(t.Context(), p)
	}
	p := targettest.Parcel(t, 20_000_000, 0)
	code(t, deliver("post@testby.example", p), inbound.Taken, "mail.taken")
	code(t, deliver("later@testby.example", targettest.Parcel(t, 10)), inbound.Later, "smtp.451")
	code(t, deliver("nobody@testby.example", targettest.Parcel(t, 10)), inbound.Refused, "smtp.550")
	bodies, err := filepath.Glob(filepath.Join(dir, "spool", "input", "*-D"))
	if err != nil || len(bodies) != 1 {
		t.Fatalf("%v, %v", bodies, err)
	}
	body := read(t, bodies[0])
	_, body, _ = bytes.Cut(body, []byte("\n")) // its own first line
	first, _, _ := bytes.Cut(body, []byte("\n"))
	boundary := strings.TrimPrefix(strings.TrimSpace(string(first)), "--")
	mail := "Content-Type: multipart/mixed; boundary=\"" + boundary + "\"\r\n\r\n"
	got := open(t, io.MultiReader(strings.NewReader(mail), bytes.NewReader(body)))
	if got.copy.Memo != p.Post.Memo.SHA256 || len(got.copy.Documents) != 2 || got.copy.Documents["æøå 0.bin"] != p.Post.Documents[0].SHA256 {
		t.Errorf("%+v", got.copy)
	}
}

func startExim(t *testing.T, program string) (dir string, port int) {
	t.Helper()
	dir = t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a local port
	if err != nil {
		t.Fatal(err)
	}
	address, is := l.Addr().(*net.TCPAddr)
	if err := l.Close(); err != nil || !is {
		t.Fatal(err)
	}
	port = address.Port
	config := filepath.Join(dir, "exim.conf")
	text := strings.NewReplacer("DIR", dir, "PORT", strconv.Itoa(port)).Replace(eximConfig)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	// The shell ends exim when our side of its input closes, even if the test dies before it can clean up.
	const until = `"$0" "$@" & read -r _; kill $!; wait`
	var out bytes.Buffer
	cmd := exec.Command("sh", "-c", until, program, "-C", config, "-bdf") //nolint:noctx // it lives as long as the test
	cmd.Stdout, cmd.Stderr = &out, &out
	alive, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = alive.Close()
		_ = cmd.Wait()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(dir, "mainlog"))
			t.Logf("exim says:\n%s%s", out.String(), log)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for { // exim tells nobody when it listens
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = conn.Close()
			return dir, port
		}
		if ctx.Err() != nil {
			t.Fatal("exim does not listen")
		}
		timer := time.NewTimer(10 * time.Millisecond)
		<-timer.C
	}
}
