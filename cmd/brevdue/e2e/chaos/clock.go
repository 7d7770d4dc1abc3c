package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// A clock that jumps. Tools that put another clock under a program (libfaketime) work on calls of libc, which a Go program
// does not make, and Linux has no namespace for the time of day. So the program is built with another [time.Now], by the go
// command's own means for replacing a file (-overlay): it adds the seconds that a file of the process's folder names. The
// monotonic clock, and with it every timer and timeout, goes on as it did, which is what happens when an operator or NTP
// sets the clock of a machine.

const (
	clockFile = "chaos-clock"
	// jumps is by how much: more than the time after which a silent process counts as dead, and little enough that what was
	// put off by a wrong clock still comes within a run.
	jumps = 40 * time.Second

	nowBefore = "sec, nsec, mono := runtimeNow()\n"
	nowAfter  = nowBefore + "\tsec += chaosAhead.Load()\n"

	// Now itself must not call the system, for it is called where there is no stack for that.
	ahead = `package time

import "sync/atomic"

var chaosAhead atomic.Int64

func init() {
	go func() {
		for {
			chaosAhead.Store(chaosLook())
			Sleep(20 * Millisecond)
		}
	}()
}

func chaosLook() int64 {
	var text [16]byte
	var n int
	if fd, err := open("` + clockFile + `"); err == nil {
		n, _ = read(fd, text[:])
		closefd(fd)
	}
	v, sign := int64(0), int64(1)
	for _, b := range text[:max(n, 0)] {
		switch {
		case b == '-':
			sign = -1
		case b >= '0' && b <= '9':
			v = v*10 + int64(b-'0')
		}
	}
	return v * sign
}
`
)

// errNoClock says that this version of Go has another time.Now than the one we know.
var errNoClock = errors.New("the clock of this version of Go cannot be moved")

// movable has the go command build programs whose clock can be moved, from now on in this process.
func movable(ctx context.Context, dir string) error {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return fmt.Errorf("go env GOROOT: %w", err)
	}
	folder := filepath.Join(strings.TrimSpace(string(out)), "src", "time")
	source, err := os.ReadFile(filepath.Join(folder, "time.go")) //nolint:gosec // Go's own
	if err != nil {
		return fmt.Errorf("%w: %w", errNoClock, err)
	}
	head, now, found := strings.Cut(string(source), "\nfunc Now() Time {\n")
	if !found || strings.Count(now, nowBefore) != 1 {
		return errNoClock
	}
	text := head + "\nfunc Now() Time {\n" + strings.Replace(now, nowBefore, nowAfter, 1)
	files := map[string]string{"time.go": text, "chaos_clock.go": ahead}
	replace := map[string]string{}
	for name, content := range files {
		own := filepath.Join(dir, name)
		if err := os.WriteFile(own, []byte(content), 0o600); err != nil {
			return fmt.Errorf("clock: %w", err)
		}
		replace[filepath.Join(folder, name)] = own
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	return os.Setenv("GOFLAGS", strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+path))
}

// jump moves the clock of the process for a while. A life of it that begins meanwhile has the wrong clock, too.
func (n *node) jump(ctx context.Context, by, d time.Duration) error {
	path := filepath.Join(n.gateway.Dir, clockFile)
	seconds := []byte(strconv.Itoa(int(by.Seconds())))
	err := harness.Poll(ctx, 100*time.Millisecond, func() (bool, error) { // the disk may be full
		return os.WriteFile(path, seconds, 0o600) == nil, nil
	})
	if err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	harness.Pause(ctx, d)
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	return nil
}
