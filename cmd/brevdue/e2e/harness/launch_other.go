//go:build !linux

package harness

import "os/exec"

func launch(cmd *exec.Cmd) error { return cmd.Start() }
