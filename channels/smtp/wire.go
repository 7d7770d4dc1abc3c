package smtp

import (
	"errors"
	"net"
	"sync"
	"time"
)

// errTooMuch is for a server that answers without end.
var errTooMuch = errors.New("the server's answer is too long")

// maxAnswer bounds what a server may say before it is our turn again, TLS's own words included.
const maxAnswer = 256 << 10

// wire is a connection with deadlines that an ending context moves to now, for good.
type wire struct {
	net.Conn

	mu          sync.Mutex
	interrupted bool
	block       time.Duration // > 0: every write may take this long

	now   func() time.Time
	heard int // bytes read since the last write
}

// within gives what follows the time d; block > 0 gives every write its own.
func (w *wire) within(d, block time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.block = block
	if w.interrupted {
		return nil
	}
	return w.SetDeadline(w.now().Add(d)) //nolint:wrapcheck // becomes the cause of an Error
}

// interrupt ends whatever is being waited for, and everything after.
func (w *wire) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.interrupted = true
	_ = w.SetDeadline(time.Unix(1, 0))
}

func (w *wire) broken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.interrupted
}

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	if w.heard > maxAnswer {
		return 0, errTooMuch
	}
	n, err := w.Conn.Read(p)
	w.heard += n
	return n, err //nolint:wrapcheck // a net.Conn
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	w.heard = 0
	w.mu.Lock()
	block := w.block
	w.mu.Unlock()
	if block > 0 {
		if err := w.within(block, block); err != nil {
			return 0, err
		}
	}
	return w.Conn.Write(p) //nolint:wrapcheck // a net.Conn
}
