package harness

import (
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// launcher starts every process from one thread that lives as long as we do. The kernel is asked to kill a child when
// the thread that started it ends (PR_SET_PDEATHSIG counts threads), so a test binary that panics leaves nothing behind.
var launcher = sync.OnceValue(func() chan<- func() {
	starts := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range starts {
			f()
		}
	}()
	return starts
})

func launch(cmd *exec.Cmd) error {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	done := make(chan error, 1)
	launcher() <- func() { done <- cmd.Start() }
	return <-done
}
