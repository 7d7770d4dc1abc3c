//go:build !linux

package rabbittest

import "syscall"

// dieWithUs cannot be asked for here.
func dieWithUs(*syscall.SysProcAttr) {}
