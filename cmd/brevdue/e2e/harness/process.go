package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Process is a program that was started, the leader of a process group of its own.
type Process struct {
	name    string
	logFile string
	cmd     *exec.Cmd
	exited  chan struct{}
}

// start starts a program; what it prints is appended to logFile.
func start(name, dir, logFile, path string, args ...string) (*Process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // a file in the world's folder
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	defer func() { _ = log.Close() }()    // the child has its own
	cmd := exec.Command(path, args...)    //nolint:gosec,noctx // our programs; Kill and Terminate end them
	cmd.Dir, cmd.Env = dir, environment() //
	cmd.Stdout, cmd.Stderr = log, log     //
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := launch(cmd); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{name: name, logFile: logFile, cmd: cmd, exited: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // ProcessState tells how it ended
		close(p.exited)
	}()
	return p, nil
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Kill ends the whole group with SIGKILL and waits for the process. It may be called again.
func (p *Process) Kill() {
	_ = syscall.Kill(-p.PID(), syscall.SIGKILL) // it may have ended already
	<-p.exited
}

// Terminate sends SIGTERM and waits until the process has ended by itself. It returns the exit code, -1 when a signal
// ended it. When ctx ends first the group is killed and the error is ctx's.
func (p *Process) Terminate(ctx context.Context) (int, error) {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return -1, fmt.Errorf("stop %s: %w", p.name, err)
	}
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		p.Kill()
		return -1, fmt.Errorf("stop %s: it did not end in time: %w", p.name, ctx.Err())
	}
}

// Log is everything the process has printed.
func (p *Process) Log() string {
	text, err := os.ReadFile(p.logFile)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// tail is the end of a file, for a message about a failure.
func tail(file string, lines int) string {
	raw, err := os.ReadFile(file) //nolint:gosec // a file in the world's folder
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
