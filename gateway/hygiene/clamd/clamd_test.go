package clamd_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/brevdue/brevdue/gateway/hygiene/clamd"
)

// daemon is a far end that does what a test says with each connection.
func daemon(t *testing.T, serve func(conn net.Conn)) *clamd.Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "clamd.ctl")
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			serve(conn)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	c, err := clamd.New(clamd.Config{Address: "unix:" + socket})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// command reads up to NUL.
func command(conn net.Conn) string {
	var text []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(conn, b); err != nil || b[0] == 0 {
			return string(text)
		}
		text = append(text, b[0])
	}
}

// document reads the pieces of INSTREAM.
func document(conn net.Conn) []byte {
	var all []byte
	for {
		var n uint32
		if err := binary.Read(conn, binary.BigEndian, &n); err != nil || n == 0 {
			return all
		}
		p := make([]byte, n)
		if _, err := io.ReadFull(conn, p); err != nil {
			return all
		}
		all = append(all, p...)
	}
}

func TestScanSendsTheWholeDocument(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 64<<10 - 2, 64 << 10, 64<<10 + 1, 300_000} {
		want := bytes.Repeat([]byte("Kære "), size/5+1)[:size]
		var got []byte
		c := daemon(t, func(conn net.Conn) {
			if cmd := command(conn); cmd != "zINSTREAM" {
				t.Errorf("command %q", cmd)
			}
			got = document(conn)
			_, _ = conn.Write([]byte("stream: OK\x00"))
		})
		r, err := c.Scan(t.Context(), bytes.NewReader(want))
		if err != nil || r != (clamd.Result{Size: int64(size)}) || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %+v, %v, %d arrived", size, r, err, len(got))
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]struct {
		infected  bool
		signature string
		err       error
	}{
		"stream: Win.Test.EICAR_HDB-1 FOUND\x00":  {infected: true, signature: "Win.Test.EICAR_HDB-1"},
		"stream: Eicar-Test FOUND\n\x00":          {infected: true, signature: "Eicar-Test"},
		"INSTREAM size limit exceeded. ERROR\x00": {err: clamd.ErrTooLarge},
		"stream: Can't allocate memory ERROR\x00": {err: clamd.ErrAnswer},
		"stream: OK":                 {err: clamd.ErrUnavailable}, // cut before its end: no verdict
		"":                           {err: clamd.ErrUnavailable},
		"OK\x00":                     {err: clamd.ErrAnswer},
		"stream: \x00":               {err: clamd.ErrAnswer},
		"COMMAND READ TIMED OUT\x00": {err: clamd.ErrAnswer},
		strings.Repeat("x", 10_000):  {err: clamd.ErrAnswer},
		"stream: OK\x00stream: Eicar-Signature FOUND\x00":       {},
		"stream: OK FOUND\x00":                                  {infected: true, signature: "OK"},
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK\x00 OK": {err: clamd.ErrAnswer},
	} {
		c := daemon(t, func(conn net.Conn) {
			command(conn)
			document(conn)
			_, _ = conn.Write([]byte(answer))
		})
		r, err := c.Scan(t.Context(), strings.NewReader("text"))
		if !errors.Is(err, want.err) || r.Infected != want.infected || r.Signature != want.signature {
			t.Errorf("%.60q: %+v, %v", answer, r, err)
		}
	}
}

// The daemon answers in the middle of a document and hangs up.
func TestScanHearsAnEarlyAnswer(t *testing.T) {
	t.Parallel()
	c := daemon(t, func(conn net.Conn) {
		command(conn)
		_, _ = io.CopyN(io.Discard, conn, 100_000)
		_, _ = conn.Write([]byte("INSTREAM size limit exceeded. ERROR\x00"))
	})
	if _, err := c.Scan(t.Context(), io.LimitReader(zeros{}, 1<<30)); !errors.Is(err, clamd.ErrTooLarge) {
		t.Errorf("error %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestScanEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	c := daemon(t, func(conn net.Conn) {
		command(conn)
		document(conn)
		cancel() // no answer ever
		_, _ = io.Copy(io.Discard, conn)
	})
	if _, err := c.Scan(ctx, strings.NewReader("text")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestScanGivesUpOnASilentDaemon(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it accepts in the kernel only
	c, err := clamd.New(clamd.Config{Address: "tcp:" + l.Addr().String(), IdleTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Scan(t.Context(), strings.NewReader("text")); !errors.Is(err, clamd.ErrUnavailable) {
		t.Errorf("error %v", err)
	}
	if err := c.Ping(t.Context()); !errors.Is(err, clamd.ErrUnavailable) {
		t.Errorf("ping: %v", err)
	}
}

var errDisk = errors.New("disk")

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

func TestScanTellsThatTheDocumentCannotBeRead(t *testing.T) {
	t.Parallel()
	c := daemon(t, func(conn net.Conn) { command(conn); document(conn) })
	if _, err := c.Scan(t.Context(), io.MultiReader(strings.NewReader("text"), failing{})); !errors.Is(err, errDisk) {
		t.Errorf("error %v", err)
	}
}

// A document of which a part is missing is no document that was found clean, nor one that the daemon praised too early.
func TestScanIsCleanOnlyWhole(t *testing.T) {
	t.Parallel()
	c := daemon(t, func(conn net.Conn) {
		command(conn)
		document(conn)
		_, _ = conn.Write([]byte("stream: OK\x00"))
	})
	cut := io.MultiReader(strings.NewReader("half"), iotest.ErrReader(io.ErrUnexpectedEOF))
	if r, err := c.Scan(t.Context(), cut); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %+v, %v", r, err)
	}
	early := daemon(t, func(conn net.Conn) {
		command(conn)
		_, _ = conn.Write([]byte("stream: OK\x00"))
		_, _ = io.Copy(io.Discard, conn)
	})
	if r, err := early.Scan(t.Context(), io.LimitReader(zeros{}, 1<<30)); !errors.Is(err, clamd.ErrAnswer) {
		t.Errorf("early: %+v, %v", r, err)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	c, err := clamd.New(clamd.Config{Address: "unix:" + filepath.Join(t.TempDir(), "none.ctl")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Scan(t.Context(), strings.NewReader("")); !errors.Is(err, clamd.ErrUnavailable) {
		t.Errorf("scan: %v", err)
	}
	if _, err := c.Version(t.Context()); !errors.Is(err, clamd.ErrUnavailable) {
		t.Errorf("version: %v", err)
	}
}

func TestVersion(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]clamd.Version{
		"ClamAV 1.4.6/27800/Sat Nov  7 09:26:35 2026\x00": {
			Program: "ClamAV 1.4.6", Signatures: "27800", Date: time.Date(2026, 11, 7, 9, 26, 35, 0, time.UTC),
		},
		"ClamAV 1.4.6\x00": {Program: "ClamAV 1.4.6"},
	} {
		c := daemon(t, func(conn net.Conn) { command(conn); _, _ = conn.Write([]byte(answer)) })
		if v, err := c.Version(t.Context()); err != nil || v != want {
			t.Errorf("%q: %+v, %v", answer, v, err)
		}
	}
	c := daemon(t, func(conn net.Conn) { command(conn); _, _ = conn.Write([]byte("220 mail ready\x00")) })
	if _, err := c.Version(t.Context()); !errors.Is(err, clamd.ErrAnswer) {
		t.Errorf("a mail server: %v", err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "/run/clamd.ctl", "unix:clamd.ctl", "unix:", "tcp:localhost", "tcp:", "http://localhost:3310"} {
		if _, err := clamd.New(clamd.Config{Address: address}); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
	for _, address := range []string{"unix:/run/clamav/clamd.ctl", "tcp:127.0.0.1:3310", "tcp:[::1]:3310"} {
		if _, err := clamd.New(clamd.Config{Address: address}); err != nil {
			t.Errorf("%q: %v", address, err)
		}
	}
}
