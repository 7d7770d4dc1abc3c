package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// restartDelay is how long a supervisor waits before it starts a process that has ended by itself.
const restartDelay = 500 * time.Millisecond

// node is a gateway process under a supervisor: whatever ends is started again, as systemd or Kubernetes would.
type node struct {
	name, roles string
	gateway     *harness.Gateway

	mu      sync.Mutex
	process *harness.Process // nil while it is down
	down    time.Duration    // how long it stays down after it was ended on purpose; 0 in between
	meant   bool             // its end is on purpose
	lives   int
	crashes int // ends that nobody meant
	ended   chan struct{}
}

func (n *node) api() bool { return strings.Contains(n.roles, "api") }

// run keeps the process alive until ctx ends, and ends it then.
func (n *node) run(ctx context.Context) {
	defer close(n.ended)
	for ctx.Err() == nil {
		p, err := n.gateway.Launch(n.roles)
		if err != nil {
			harness.Pause(ctx, restartDelay)
			continue
		}
		n.mu.Lock()
		n.process = p
		n.lives++
		n.mu.Unlock()
		select {
		case <-p.Exited():
		case <-ctx.Done():
			p.Kill()
		}
		n.mu.Lock()
		delay := n.down
		if !n.meant && ctx.Err() == nil {
			n.crashes++
			delay = restartDelay
		}
		n.process, n.meant, n.down = nil, false, 0
		n.mu.Unlock()
		harness.Pause(ctx, delay)
	}
}

// end has the process ended by f, and keeps it down for a while.
func (n *node) end(down time.Duration, f func(p *harness.Process) error) error {
	n.mu.Lock()
	p := n.process
	if p != nil {
		n.meant, n.down = true, down
	}
	n.mu.Unlock()
	if p == nil {
		return nil
	}
	return f(p)
}

func (n *node) kill(down time.Duration) error {
	return n.end(down, func(p *harness.Process) error { p.Kill(); return nil })
}

func (n *node) stop(ctx context.Context, down time.Duration) error {
	return n.end(down, func(p *harness.Process) error {
		ctx, cancel := context.WithTimeout(ctx, 40*time.Second)
		defer cancel()
		if _, err := p.Terminate(ctx); err != nil {
			return violated("%s did not stop within 40 s of SIGTERM", n.name)
		}
		return nil
	})
}

// pause stops the process for a while.
func (n *node) pause(ctx context.Context, d time.Duration) error {
	n.mu.Lock()
	p := n.process
	n.mu.Unlock()
	if p == nil {
		return nil
	}
	return freeze(ctx, p, d)
}

func freeze(ctx context.Context, p *harness.Process, d time.Duration) error {
	if err := p.Pause(); err != nil {
		return err
	}
	harness.Pause(ctx, d)
	return p.Resume()
}

// ready waits until the process has said that it started.
func (n *node) ready(ctx context.Context) error {
	err := harness.Poll(ctx, 50*time.Millisecond, func() (bool, error) {
		text, err := os.ReadFile(n.gateway.LogFile)
		return strings.Contains(string(text), `"msg":"started"`), ignoreMissing(err)
	})
	if err != nil {
		return fmt.Errorf("%s does not start: %w\n%s", n.name, err, harness.Tail(n.gateway.LogFile, 10))
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// panicked finds a line that no fault excuses.
func (n *node) panicked() string {
	text, err := os.ReadFile(n.gateway.LogFile)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		for _, mark := range []string{"panic:", "fatal error:", "WARNING: DATA RACE", `"panic"`} {
			if strings.Contains(line, mark) && !strings.Contains(line, "SIGKILL") {
				return strings.TrimSpace(line)
			}
		}
	}
	return ""
}

// violation is an invariant that broke, as opposed to a harness that does not work.
type violation struct {
	text  string
	cause error
}

func (v violation) Error() string {
	if v.cause == nil {
		return v.text
	}
	return v.text + ": " + v.cause.Error()
}

func (v violation) Unwrap() error { return v.cause }

func violated(format string, args ...any) error { return violation{text: fmt.Sprintf(format, args...)} }
