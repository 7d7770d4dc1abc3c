package httpapi

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

// gated is a client that reads when the test lets it, and notes what was written.
type gated struct {
	open    chan struct{} // closed: writes go on
	written bytes.Buffer
	err     error
}

func (*gated) Header() http.Header { return make(http.Header) }
func (*gated) WriteHeader(int)     {}

func (g *gated) Write(b []byte) (int, error) {
	<-g.open
	if g.err != nil {
		return 0, g.err
	}
	return g.written.Write(b)
}

// TestOutboxKeepsLinesUpToItsLimit: a sender waits for a client that does not read only above the limit.
func TestOutboxKeepsLinesUpToItsLimit(t *testing.T) {
	t.Parallel()
	const limit = 300 << 10
	g := &gated{open: make(chan struct{})}
	o := newOutbox(g, limit)
	line := strings.Repeat("x", 1000)
	sent := 0
	for ; sent*1100 < limit; sent++ {
		if err := o.send(strconv.Itoa(sent) + line); err != nil {
			t.Fatal(err)
		}
	}
	const more = 2000
	done := make(chan error, 1)
	go func() {
		for n := range more {
			if err := o.send(strconv.Itoa(sent+n) + line); err != nil {
				done <- err
				return
			}
		}
		done <- o.close()
	}()
	select {
	case err := <-done:
		t.Fatalf("2 MB were taken over the limit: %v", err)
	default:
	}
	close(g.open)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(g.written.String()), "\n")
	if len(lines) != sent+more {
		t.Fatalf("%d lines, want %d", len(lines), sent+more)
	}
	for n, l := range lines {
		if l != `"`+strconv.Itoa(n)+line+`"` {
			t.Fatalf("line %d is %.20s", n, l)
		}
	}
	if o.held != 0 {
		t.Errorf("%d bytes are still counted", o.held)
	}
}

func TestOutboxOfAClientThatIsGone(t *testing.T) {
	t.Parallel()
	errGone := errors.New("connection reset")
	g := &gated{open: make(chan struct{}), err: errGone}
	o := newOutbox(g, 100)
	waiting := make(chan error, 1)
	go func() {
		var err error
		for err == nil {
			err = o.send(strings.Repeat("x", 60))
		}
		waiting <- err
	}()
	close(g.open)
	if err := <-waiting; !errors.Is(err, errGone) {
		t.Error(err)
	}
	if err := o.close(); !errors.Is(err, errGone) {
		t.Error(err)
	}
}
