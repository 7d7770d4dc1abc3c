package smtp_test

import (
	"bufio"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/brevdue/brevdue/channels/smtp"
)

// A peer is a server that plays one script per connection, in order. The lines of a script:
//
//	S: TEXT    say this line
//	C: PREFIX  hear a line that starts like this
//	DOT        hear lines up to the final dot
//	HEAR       hear one line, whatever it is
//	BYTE       hear one byte
//	HANG       wait until the other side closes or says goodbye
//	TLS        speak TLS from here on
//
// At the end of its script it closes the connection. A script "DATA" is a whole letter from MAIL to the answer.
type peer struct {
	t        *testing.T
	listener net.Listener
	tls      *tls.Config
	wg       sync.WaitGroup

	mu    sync.Mutex
	heard []string
	mails []string
	conns int
	hung  chan struct{}
}

func newPeer(t *testing.T, scripts ...string) *peer {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, listener: l, hung: make(chan struct{}, 16)}
	p.wg.Go(func() { p.serve(scripts) })
	t.Cleanup(func() {
		_ = l.Close()
		p.wg.Wait()
	})
	return p
}

func (p *peer) server() smtp.Server {
	return smtp.Server{Host: "127.0.0.1", Port: portOf(p.t, p.listener), TLS: smtp.TLSNone, LocalName: "gw.testby.example"}
}

func portOf(t testing.TB, l net.Listener) int {
	t.Helper()
	address, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatalf("listens at %v", l.Addr())
	}
	return address.Port
}

func (p *peer) serve(scripts []string) {
	for n := 0; ; n++ {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.conns++
		p.mu.Unlock()
		if n >= len(scripts) {
			_ = conn.Close()
			continue
		}
		p.wg.Go(func() { p.play(conn, scripts[n]) })
	}
}

const (
	hello  = "S: 220 mx ESMTP\nC: EHLO gw.testby.example\nS: 250-mx\nS: 250-SIZE 20000000\nS: 250 8BITMIME\n"
	begin  = "C: MAIL FROM:<jobcenter@testby.example> SIZE=\nS: 250 2.1.0 ok\n"
	rcpt   = "C: RCPT TO:<\nS: 250 2.1.5 ok\n"
	data   = "C: DATA\nS: 354 go on\n"
	letter = begin + rcpt + data + "DOT\n"
	taken  = "S: 250 2.0.0 queued as 4711\n"
)

func (p *peer) play(conn net.Conn, script string) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	line := func() (string, bool) {
		s, err := r.ReadString('\n')
		s = strings.TrimSuffix(s, "\r\n")
		p.mu.Lock()
		defer p.mu.Unlock()
		p.heard = append(p.heard, s)
		return s, err == nil
	}
	for step := range strings.Lines(script) {
		step = strings.TrimSuffix(step, "\n")
		what, rest, _ := strings.Cut(step, " ")
		switch what {
		case "S:":
			if _, err := conn.Write([]byte(rest + "\r\n")); err != nil {
				return
			}
		case "C:":
			if s, ok := line(); !ok {
				return
			} else if !strings.HasPrefix(s, rest) {
				p.t.Errorf("the client said %q where the script has %q", s, rest)
				return
			}
		case "HEAR":
			if _, ok := line(); !ok {
				return
			}
		case "DOT":
			if !p.mail(r) {
				return
			}
		case "HANG":
			p.hung <- struct{}{}
			for {
				if s, err := r.ReadString('\n'); err != nil || strings.HasPrefix(s, "QUIT") {
					return
				}
			}
		case "BYTE":
			if _, err := r.ReadByte(); err != nil {
				return
			}
		case "TLS":
			conn = tls.Server(conn, p.tls)
			r = bufio.NewReader(conn)
		}
	}
}

// mail reads one letter, with its dots undoubled.
func (p *peer) mail(r *bufio.Reader) bool {
	var b strings.Builder
	for {
		s, err := r.ReadString('\n')
		if err != nil {
			return false
		}
		if s == ".\r\n" {
			break
		}
		b.WriteString(strings.TrimPrefix(s, "."))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mails = append(p.mails, b.String())
	return true
}

func (p *peer) letters() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.mails...)
}

func (p *peer) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.heard, "\n")
}

func (p *peer) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns
}
