package rabbittest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
)

// process is a program that was started, the leader of its process group.
type process struct {
	cmd    *exec.Cmd
	exited chan struct{}
}

// launch starts a program; what it prints is appended to log. One goroutine
// with a thread of its own starts it and waits for it: on Linux the kernel
// kills a child when the thread that started it ends, so that a test process
// that dies leaves nothing behind.
func launch(dir, log string, env []string, path string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600) //nolint:gosec // a file in the node's folder
	if err != nil {
		return nil, fmt.Errorf("rabbittest: %w", err)
	}
	cmd := exec.Command(path, args...) //nolint:gosec,noctx // RabbitMQ's programs; kill ends them
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithUs(cmd.SysProcAttr)
	p := &process{cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer func() { _ = out.Close() }()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // how it ended is of no interest
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("rabbittest: start %s: %w", path, err)
	}
	return p, nil
}

func (p *process) signal(s syscall.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("rabbittest: %w", err)
	}
	return nil
}

// kill ends the group and waits. It may be called again.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it may have ended already
	<-p.exited
}
