package harness

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"time"
)

// Poll calls f until it is true, it fails, or ctx ends. It is for what tells nobody when it happens: another process.
func Poll(ctx context.Context, every time.Duration, f func() (bool, error)) error {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		if ok, err := f(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// Pause waits for d or the end of ctx.
func Pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// freeAddresses finds n loopback ports that nobody listens on. They are below the range from which systems take ports for
// outgoing connections, so that a restarted process finds its own port free again.
func freeAddresses(ctx context.Context, n int) ([]string, error) {
	const from, to, tries = 12_000, 32_000, 200
	var held []net.Listener
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	var found []string
	for range tries {
		if len(found) == n {
			return found, nil
		}
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(from+rand.IntN(to-from))) //nolint:gosec // any port will do
		if l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address); err == nil {
			held, found = append(held, l), append(found, address)
		}
	}
	return nil, errors.New("no free ports")
}

// errPortTaken marks a start that failed because somebody else took the port in the meantime.
var errPortTaken = errors.New("a port was taken in the meantime")

// waitUp waits until probe succeeds. A process that ends before it does is an error that shows the end of its log.
func (p *Process) waitUp(ctx context.Context, probe func(ctx context.Context) error) error {
	var last error
	err := Poll(ctx, 10*time.Millisecond, func() (bool, error) {
		select {
		case <-p.exited:
			text := tail(p.logFile, 20)
			err := fmt.Errorf("%s ended with %s:\n%s", p.name, p.cmd.ProcessState, text)
			if strings.Contains(strings.ToLower(text), "address already in use") {
				err = errors.Join(errPortTaken, err)
			}
			return false, err
		default:
		}
		attempt, cancel := context.WithTimeout(ctx, 2*time.Second)
		defer cancel()
		last = probe(attempt)
		return last == nil, nil
	})
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%s does not answer: %w (last: %w)\n%s", p.name, err, last, tail(p.logFile, 20))
	}
	return err
}
