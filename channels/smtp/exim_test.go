package smtp_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/channels/channeltest"
	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
)

// exim is a real mail server (Debian's exim4-daemon-light) with a spool and mailboxes of its own.
type exim struct {
	dir, program, config string
	port                 int
}

// The recipients that eximConfig knows by their local part: unknown, content and later are refused each in their way,
// everybody else gets mail.
const eximConfig = `
spool_directory = DIR/spool
log_file_path = DIR/%%slog
pid_file_path = DIR/exim.pid
primary_hostname = mx.testby.example
exim_user = USER
exim_group = GROUP
never_users =
keep_environment =
daemon_smtp_ports = PORT
local_interfaces = 127.0.0.1
queue_only = true
host_lookup =
smtp_accept_max = 0
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 1000
smtputf8_advertise_hosts = *
message_size_limit = 20M
tls_advertise_hosts = *
tls_certificate = DIR/cert.pem
tls_privatekey = DIR/key.pem
auth_advertise_hosts = ${if def:tls_in_cipher{*}{}}
domainlist local_domains = *.example
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
begin acl
rcpt:
  deny   local_parts = unknown
         message = 5.1.1 <$local_part@$domain>: nobody of this name
  deny   local_parts = content
         message = 5.6.0 not this letter
  defer  local_parts = later
         message = 4.7.1 <$local_part@$domain>: greylisted
  accept domains = +local_domains
  deny   message = 5.7.1 relay not permitted
begin routers
maildir:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = DIR/mail/inbox
  envelope_to_add
  create_directory
  user = nobody
  group = nogroup
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and{{eq{$auth2}{brevdue}}{eq{$auth3}{hemmelig}}}}
  server_set_id = $auth2
`

// findExim looks where Debian has it.
func findExim(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"exim4", "/usr/sbin/exim4", "/usr/sbin/exim"} {
		if program, err := exec.LookPath(name); err == nil {
			return program
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("exim4 is missing: install exim4-daemon-light")
	}
	t.Skip("SKIPPED: no real mail server here: install exim4-daemon-light")
	return ""
}

func startExim(t testing.TB) *exim {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: exim4 wants to be root, even with everything in a folder of its own")
	}
	e := &exim{program: findExim(t), dir: openFolder(t), port: freePort(t)}
	e.config = filepath.Join(e.dir, "exim.conf")
	e.certificate(t)
	text := strings.NewReplacer("DIR", e.dir, "PORT", strconv.Itoa(e.port), "USER", "root", "GROUP", "root", "%%", "%").Replace(eximConfig)
	e.write(t, "exim.conf", []byte(text))
	mailboxes := filepath.Join(e.dir, "mail")
	if err := errors.Join(os.Mkdir(mailboxes, 0o700), os.Chmod(mailboxes, 0o777)); err != nil {
		t.Fatal(err)
	}
	// The shell ends exim when our side of its input closes, even if the test dies before it can clean up.
	const until = `"$0" "$@" & read -r _; kill $!; wait`
	var out bytes.Buffer
	cmd := exec.Command("sh", "-c", until, e.program, "-C", e.config, "-bdf") //nolint:noctx // it lives as long as the test
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
			log, _ := os.ReadFile(filepath.Join(e.dir, "mainlog"))
			t.Logf("exim says:\n%s%s", out.String(), log)
		}
	})
	e.await(t)
	return e
}

// openFolder is a folder for the test into which others may look: t.TempDir is for its owner alone.
func openFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "exim") //nolint:usetesting // said above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// await polls, for exim tells nobody when it listens.
func (e *exim) await(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", e.port), time.Second) //nolint:noctx // bounded
		if err == nil {
			_ = conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("exim does not listen")
		}
		<-time.After(10 * time.Millisecond)
	}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a local port
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return portOf(t, l)
}

func (e *exim) write(t testing.TB, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(e.dir, name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// certificate makes the server's certificate, for localhost only.
func (e *exim) certificate(t testing.TB) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	e.write(t, "cert.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	e.write(t, "key.pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}))
}

// spooled returns the Message-IDs of what the server has taken, sorted; it writes them before it answers.
func (e *exim) spooled(t testing.TB) []string {
	t.Helper()
	headers, err := filepath.Glob(filepath.Join(e.dir, "spool", "input", "*-H"))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, name := range headers {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), "Message-ID: <")
		id, _, _ := strings.Cut(rest, ">")
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// deliver runs the queue once and returns the mails for a local part, as they lie in the server's one mailbox.
func (e *exim) deliver(t testing.TB, localPart string) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, e.program, "-C", e.config, "-qff").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(e.dir, "mail", "inbox", "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var mails []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(b, []byte("Envelope-to: "+localPart+"@")) {
			continue
		}
		mails = append(mails, strings.ReplaceAll(string(b), "\n", "\r\n"))
	}
	return mails
}

// cutter is a line between the channel and the server that can be cut right after the server has taken a letter.
type cutter struct {
	listener net.Listener
	to       string
	armed    atomic.Bool
	wg       sync.WaitGroup
}

func newCutter(t *testing.T, e *exim) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a local port
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: l, to: fmt.Sprintf("127.0.0.1:%d", e.port)}
	c.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c.wg.Go(func() { c.join(conn) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.wg.Wait()
	})
	return c
}

func (c *cutter) join(near net.Conn) {
	defer func() { _ = near.Close() }()
	far, err := net.Dial("tcp", c.to) //nolint:noctx // a local port
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	c.wg.Go(func() {
		_, _ = bufio.NewReader(near).WriteTo(far)
		_ = far.Close()
	})
	for r := bufio.NewReader(far); ; {
		line, err := r.ReadString('\n')
		if err != nil || (c.armed.Load() && strings.HasPrefix(line, "250 OK id=")) {
			return
		}
		if _, err := near.Write([]byte(line)); err != nil {
			return
		}
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	shared := startExim(t)
	channeltest.Run(t, func(t *testing.T) channeltest.Harness {
		t.Helper()
		line := newCutter(t, shared)
		port := portOf(t, line.listener)
		channel := newChannel(t, smtp.Config{Server: smtp.Server{Host: "127.0.0.1", Port: port, TLS: smtp.TLSNone}})
		recipients := map[channeltest.Scenario]string{
			channeltest.Accepts: "nancy", channeltest.Refuses: "content", channeltest.Busy: "later",
			channeltest.Cuts: "nancy", channeltest.Gone: "nancy",
		}
		var mu sync.Mutex
		ids := make(map[string]string)
		return channeltest.Harness{
			Channel: channel,
			Letter: func(t *testing.T, s channeltest.Scenario) (gateway.Letter, bool) {
				t.Helper()
				line.armed.Store(s == channeltest.Cuts)
				if s == channeltest.Gone {
					_ = line.listener.Close()
				}
				l := newLetter(t, recipients[s]+"@testby.example", pdf(100_000))
				mu.Lock()
				ids[l.Message.MessageUUID] = l.Message.ID + "@testby.example"
				mu.Unlock()
				return l, true
			},
			Arrived: func(t *testing.T, messageUUID string) (letters, calls int) {
				t.Helper()
				mu.Lock()
				id := ids[messageUUID]
				mu.Unlock()
				for _, spooled := range shared.spooled(t) {
					if spooled == id {
						calls++
					}
				}
				return min(calls, 1), calls
			},
			Secrets: []string{"nancy@", "content@", "later@", "Nancy", "indkaldt"},
		}
	})
}

// TestARealServer sends over TLS with a login and reads the mail where it was delivered.
func TestARealServer(t *testing.T) {
	t.Parallel()
	e := startExim(t)
	e.write(t, "password", []byte("hemmelig\n"))
	e.write(t, "wrong", []byte("forkert\n"))
	url := func(host, query string) smtp.Server {
		t.Helper()
		s, err := smtp.ParseURL("smtp://brevdue@" + net.JoinHostPort(host, strconv.Itoa(e.port)) + "?" + query)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	good := "starttls=required&ca_file=" + e.dir + "/cert.pem&password_file=" + e.dir + "/password"
	d := pdf(500_000)
	l := newLetter(t, "nancy@testby.example", d)
	o := newChannel(t, smtp.Config{Server: url("localhost", good)}).Send(t.Context(), l)
	if o.Class != gateway.Accept || !strings.HasPrefix(o.Text, "OK id=") {
		t.Fatalf("%s %s %q: %v", o.Class, o.Code, o.Text, o.Err)
	}
	mails := e.deliver(t, "nancy")
	if len(mails) != 1 {
		t.Fatalf("%d mails in the mailbox", len(mails))
	}
	h, parts := parse(t, mails[0])
	if got := decoded(t, h.Get("Subject")); got != l.Intent.Content.Title || len(parts) != 4 || !bytes.Equal(parts[3].content, d) {
		t.Errorf("%q with %d parts", got, len(parts))
	}
	if received := h.Get("Received"); !strings.Contains(received, "with esmtpsa") {
		t.Errorf("the mail came without TLS or login: %s", received)
	}
	for name, c := range map[string]struct{ host, query, code string }{
		"wrong password":     {"localhost", strings.Replace(good, "/password", "/wrong", 1), "535"},
		"wrong name":         {"127.0.0.1", good, "smtp.starttls.tls"},
		"unknown authority":  {"localhost", "starttls=required&password_file=" + e.dir + "/password", "smtp.starttls.tls"},
		"a login needs TLS":  {"localhost", "starttls=none&password_file=" + e.dir + "/password", "smtp.auth.missing"},
		"any certificate do": {"127.0.0.1", "starttls=opportunistic&password_file=" + e.dir + "/password", "250"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newChannel(t, smtp.Config{Server: url(c.host, c.query)}).Send(t.Context(), newLetter(t, "nancy@testby.example"))
			if want := c.code == "250"; o.Code != c.code || (o.Class == gateway.Accept) != want || (!want && (o.Class != gateway.Retry || o.Hint == "")) {
				t.Errorf("%s %q: %v", o.Class, o.Code, o.Err)
			}
		})
	}
}

func TestARealServerRefuses(t *testing.T) {
	t.Parallel()
	e := startExim(t)
	channel := newChannel(t, smtp.Config{SMTPUTF8: true, Server: smtp.Server{Host: "127.0.0.1", Port: e.port, TLS: smtp.TLSNone}})
	for _, c := range []struct {
		to, code string
		class    gateway.Class
	}{
		{"unknown@testby.example", "550 5.1.1", gateway.Next},
		{"content@testby.example", "550 5.6.0", gateway.Fail},
		{"later@testby.example", "451 4.7.1", gateway.Retry},
		{"nancy@elsewhere.test", "550 5.7.1", gateway.Next},
		{"søren@testby.example", "250", gateway.Accept},
		{"nancy@testby.example", "250", gateway.Accept},
	} {
		if o := channel.Send(t.Context(), newLetter(t, c.to)); o.Class != c.class || o.Code != c.code {
			t.Errorf("%s: %s %q %v", c.to, o.Class, o.Code, o.Err)
		}
	}
	if got := len(e.spooled(t)); got != 2 {
		t.Errorf("%d letters in the spool", got)
	}
	if mails := e.deliver(t, "søren"); len(mails) != 1 {
		t.Errorf("%d mails for a name with an ø", len(mails))
	}
}
