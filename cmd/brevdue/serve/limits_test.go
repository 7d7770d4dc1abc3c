package serve

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1606"
)

// listeners are the servers of all kinds as serve opens them, without TLS, which is none of the limits.
func listeners(t *testing.T) map[string]*http.Server {
	t.Helper()
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	push, err := beskedfordeler.PushServer(plain(ok), tls.Certificate{Certificate: [][]byte{{1}}}, x509.NewCertPool(), nil)
	if err != nil {
		t.Fatal(err)
	}
	push.TLSConfig = nil
	return map[string]*http.Server{
		"http": httpapi.NewHTTPServer("", plain(ok), nil), "beskedfordeler": push, "sf1606": sf1606.NewServer(plain(ok), nil, nil),
	}
}

// serving opens the listener and returns its address.
func serving(t *testing.T, server *http.Server) string {
	t.Helper()
	l, err := open(t.Context(), "http.listen", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- l.serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.address()
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// ask sends a request as it is and returns the status of the answer.
func ask(t *testing.T, address, request string) int {
	t.Helper()
	conn := dial(t, address)
	go func() { _, _ = io.WriteString(conn, request) }() // the server may answer and close before the end
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.StatusCode
}

// TestLimitsOfEveryListener is the table of what no listener takes.
func TestLimitsOfEveryListener(t *testing.T) {
	t.Parallel()
	header := func(lines int, size int) string {
		var b strings.Builder
		for n := range lines {
			fmt.Fprintf(&b, "a%d: %s\r\n", n, strings.Repeat("x", size))
		}
		return b.String()
	}
	for name, server := range listeners(t) {
		switch {
		case server.ReadHeaderTimeout <= 0 || server.ReadHeaderTimeout > 10*time.Second:
			t.Errorf("%s waits %s for a header", name, server.ReadHeaderTimeout)
		case server.IdleTimeout <= 0 || server.IdleTimeout > 5*time.Minute:
			t.Errorf("%s keeps an idle connection for %s", name, server.IdleTimeout)
		case server.MaxHeaderBytes <= 0 || server.MaxHeaderBytes > 64<<10:
			t.Errorf("%s takes %d bytes of header", name, server.MaxHeaderBytes)
		}
		server.ReadHeaderTimeout = time.Second
		address := serving(t, server)
		for what, tc := range map[string]struct {
			request string
			want    int
		}{
			"an honest request":  {"POST / HTTP/1.1\r\nHost: x\r\n" + header(20, 20) + "\r\n", 200},
			"10,000 headers":     {"POST / HTTP/1.1\r\nHost: x\r\n" + header(10_000, 1) + "\r\n", 431},
			"101 headers":        {"POST / HTTP/1.1\r\nHost: x\r\n" + header(101, 1) + "\r\n", 431},
			"one header of 1 MB": {"POST / HTTP/1.1\r\nHost: x\r\n" + header(1, 1<<20) + "\r\n", 431},
			"a URL of 9 KB":      {"GET /" + strings.Repeat("a", 9<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n", 414},
			"gzip":               {"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n123456789", 415},
			"deflate, unending":  {"POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: deflate\r\nTransfer-Encoding: chunked\r\n\r\n", 415},
		} {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				if got := ask(t, address, tc.request); got != tc.want {
					t.Errorf("answered %d, want %d", got, tc.want)
				}
			})
		}
		t.Run(name+"/a header that does not end", func(t *testing.T) {
			t.Parallel()
			conn := dial(t, address)
			began := time.Now()
			if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\na: "); err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, conn); err != nil || time.Since(began) > 10*time.Second {
				t.Errorf("cut after %s: %v", time.Since(began), err)
			}
		})
	}
}

func TestConnectionsWaitForAPlace(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := newNarrow(l, 2)
	accepted := make(chan net.Conn)
	go func() {
		defer close(accepted)
		for {
			conn, err := n.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	}()
	for range 3 {
		dial(t, l.Addr().String())
	}
	first, second := <-accepted, <-accepted
	select {
	case <-accepted:
		t.Fatal("a third connection got in")
	case <-time.After(50 * time.Millisecond):
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	_ = first.Close() // gives one place back, not two
	third := <-accepted
	dial(t, l.Addr().String())
	select {
	case <-accepted:
		t.Fatal("a connection closed twice gave two places back")
	case <-time.After(50 * time.Millisecond):
	}
	if err := n.Close(); err != nil { // also while Accept waits for a place
		t.Fatal(err)
	}
	for conn := range accepted {
		_ = conn.Close()
	}
	_, _ = second.Close(), third.Close()
}
