package beskedfordeler_test

import (
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

var farAuthority = sync.OnceValues(func() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
})

// connectionStart is what a broker says first: AMQP 0-9-1, no properties,
// EXTERNAL, en_US.
const connectionStart = "\x01\x00\x00\x00\x00\x00\x1f" + "\x00\x0a\x00\x0a" + "\x00\x09" + "\x00\x00\x00\x00" + //nolint:dupword // bytes: frame, method, version
	"\x00\x00\x00\x08" + "EXTERNAL" + "\x00\x00\x00\x05" + "en_US" + "\xce"

// Far ends that are no broker, or one that hangs, are told apart and given up.
func TestPullFarEnds(t *testing.T) {
	t.Parallel()
	a, err := farAuthority()
	if err != nil {
		t.Fatal(err)
	}
	hold := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	for name, c := range map[string]struct {
		plain  bool // no TLS
		answer func(net.Conn)
		token  int
		want   beskedfordeler.Problem
	}{
		"not TLS":        {true, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, 10, beskedfordeler.ProblemTLS},
		"hangs":          {false, hold, 10, beskedfordeler.ProblemUnreachable},
		"hangs later":    {false, func(c net.Conn) { _, _ = io.WriteString(c, connectionStart); hold(c) }, 10, beskedfordeler.ProblemUnreachable},
		"another tongue": {false, func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, 10, beskedfordeler.ProblemLost},
		"says nothing":   {false, func(net.Conn) {}, 10, beskedfordeler.ProblemLost},
		"refuses":        {false, refuse, 10, beskedfordeler.ProblemLogin},
		"refuses 4 KB":   {false, refuse, 4000, beskedfordeler.ProblemFrameLimit},
		"refuses 20 KB":  {false, refuse, 20_000, beskedfordeler.ProblemFrameLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lc net.ListenConfig
			l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := l.Addr().String()
			if !c.plain {
				l = tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{a.ServerCertificate()}})
			}
			var running sync.WaitGroup
			running.Go(func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					running.Go(func() {
						defer func() { _ = conn.Close() }()
						if secure, ok := conn.(*tls.Conn); ok && secure.HandshakeContext(t.Context()) != nil {
							return
						}
						c.answer(conn)
					})
				}
			})
			cfg := pullConfig()
			cfg.URL, cfg.Token = "amqps://"+address, token(c.token)
			cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.RootCAs(), Certificates: []tls.Certificate{a.ClientCertificate()}}
			cfg.DialTimeout = 300 * time.Millisecond
			p := run(t, cfg)
			p.has(c.want)
			p.stop()
			_ = l.Close()
			running.Wait()
		})
	}
}

// refuse is a login that ends as RabbitMQ ends it: without a word.
func refuse(c net.Conn) {
	if _, err := io.WriteString(c, connectionStart); err != nil {
		return
	}
	buffer := make([]byte, 64) // the protocol header, and something of the login
	_, _ = io.ReadAtLeast(c, buffer, 9)
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	_, _ = io.Copy(io.Discard, c)
}

// Being told to end cuts a login that hangs.
func TestPullEndsInTheMiddleOfALogin(t *testing.T) {
	t.Parallel()
	a, err := farAuthority()
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{a.ServerCertificate()}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	inside, left := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(left)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		header := make([]byte, 8)
		_, _ = io.ReadFull(conn, header)
		close(inside)
		_, _ = io.Copy(io.Discard, conn)
	}()
	cfg := pullConfig()
	cfg.URL, cfg.DialTimeout = "amqps://"+l.Addr().String(), time.Hour
	cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: a.RootCAs()}
	p := run(t, cfg)
	<-inside
	p.stop()
	<-left
}

// A broker that is no longer there without saying so is noticed by its missing
// heartbeats, and the message in hand comes again.
func TestPullNoticesASilentBroker(t *testing.T) {
	t.Parallel()
	n := broker(t)
	q := queue(t, n)
	proxy := newProxy(t, n.Address())
	publish(t, n, q, events(1)...)
	var calls int
	frozen := make(chan struct{})
	p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
		c.URL, c.Heartbeat = "amqps://"+proxy.address, time.Second
		deliver := c.Deliver
		c.Deliver = func(ctx context.Context, raw []byte, b *beskedfordeler.Besked) error {
			if calls++; calls == 1 {
				proxy.freeze()
				close(frozen)
			}
			return deliver(ctx, raw, b)
		}
	})
	<-frozen
	p.until("disconnected", func(s beskedfordeler.PullState) bool { return !s.Connected })
	if !strings.Contains(p.log.String(), string(beskedfordeler.ProblemLost)) {
		t.Errorf("log %s", p.log)
	}
	proxy.thaw()
	for range 2 {
		if got := p.next(); got.besked.ID != "0" {
			t.Errorf("got %+v", got)
		}
	}
	if s := p.settled(2); s.Redelivered != 1 || s.Reconnects != 1 {
		t.Errorf("state %+v", s)
	}
}

// Ten pullers, each cut off in the middle of its work without a goodbye, leave
// the same behind as one that was let alone: every message stored, none left
// with the broker.
func TestPullCutOffTenTimes(t *testing.T) {
	t.Parallel()
	n := broker(t)
	q := queue(t, n)
	const count, kills = 1500, 10
	bodies := slices.Concat(events(count), events(count), events(count))
	rng := rand.New(rand.NewPCG(1, 2))
	rng.Shuffle(len(bodies), func(i, k int) { bodies[i], bodies[k] = bodies[k], bodies[i] })
	publish(t, n, q, bodies...)
	var mu sync.Mutex
	stored, calls := map[string]bool{}, 0
	run := func(after int) {
		proxy := newProxy(t, n.Address())
		enough := make(chan struct{})
		p := pulling(t, n, q, func(c *beskedfordeler.PullConfig) {
			c.URL, c.DrainTimeout = "amqps://"+proxy.address, time.Nanosecond
			mine := 0
			c.Deliver = func(ctx context.Context, _ []byte, b *beskedfordeler.Besked) error {
				mu.Lock()
				defer mu.Unlock()
				stored[b.ID] = true
				calls++
				if mine++; mine == after {
					proxy.freeze()
					close(enough)
				}
				return ctx.Err()
			}
		})
		if after == 0 {
			waitEmpty(t, n, q)
		} else {
			<-enough
			proxy.cut()
		}
		p.stop()
	}
	for i := range kills {
		run(100 + 37*i)
	}
	run(0)
	empty(t, n, q)
	mu.Lock()
	defer mu.Unlock()
	if len(stored) != count || calls < len(bodies) {
		t.Errorf("%d of %d are stored after %d deliveries", len(stored), count, calls)
	}
	t.Logf("%d messages, %d deliveries", len(bodies), calls)
}

// proxy forwards connections until it is frozen; those that were made before
// never go on.
type proxy struct {
	address string
	to      string

	mu     sync.Mutex
	frozen bool
	conns  []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String(), to: to}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.serve(&running, in) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.thaw()
		p.cut()
		running.Wait()
	})
	return p
}

func (p *proxy) serve(running *sync.WaitGroup, in net.Conn) {
	out, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.to)
	if err != nil {
		_ = in.Close()
		return
	}
	p.mu.Lock()
	if p.frozen {
		p.mu.Unlock()
		_, _ = in.Close(), out.Close()
		return
	}
	p.conns = append(p.conns, in, out)
	p.mu.Unlock()
	running.Go(func() { p.copy(in, out) })
	p.copy(out, in)
}

func (p *proxy) copy(to, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		p.mu.Lock()
		frozen := p.frozen
		p.mu.Unlock()
		if frozen {
			return // without closing: the other side hears nothing
		}
		if err != nil {
			_ = to.Close()
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			_ = from.Close()
			return
		}
	}
}

func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = true
}

// thaw ends what was frozen, as the other machine does when it is back.
func (p *proxy) thaw() {
	p.cut()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = false
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// run runs a puller that leads to a far end of the test's own.
func run(t *testing.T, cfg beskedfordeler.PullConfig) *pull {
	t.Helper()
	p := &pull{t: t, taken: make(chan taken, 10), log: &lockedBuffer{}}
	cfg.Logger = slog.New(slog.NewTextHandler(p.log, nil))
	cfg.Reconnect = beskedfordeler.Backoff{Min: 10 * time.Millisecond, Max: 50 * time.Millisecond}
	p.start(cfg)
	return p
}
