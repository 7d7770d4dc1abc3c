package harness

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Memory is the resident memory of a process in bytes.
type Memory struct {
	Now  int64 // VmRSS
	Peak int64 // VmHWM: the most since the start, or since ResetPeak
}

// Memory reads /proc/PID/status; an error where there is none.
func (p *Process) Memory() (Memory, error) {
	raw, err := os.ReadFile(p.proc("status"))
	if err != nil {
		return Memory{}, fmt.Errorf("memory of %s: %w", p.name, err)
	}
	var m Memory
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		name, rest, _ := strings.Cut(lines.Text(), ":")
		kilobytes, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		switch {
		case err != nil:
		case name == "VmRSS":
			m.Now = kilobytes << 10
		case name == "VmHWM":
			m.Peak = kilobytes << 10
		}
	}
	if m.Now == 0 || m.Peak == 0 {
		return m, fmt.Errorf("memory of %s: not in /proc/PID/status", p.name)
	}
	return m, nil
}

// ResetPeak makes the present memory the peak (proc_pid_clear_refs(5), value 5).
func (p *Process) ResetPeak() error {
	if err := os.WriteFile(p.proc("clear_refs"), []byte("5"), 0o200); err != nil {
		return fmt.Errorf("memory of %s: %w", p.name, err)
	}
	return nil
}

func (p *Process) proc(file string) string {
	return "/proc/" + strconv.Itoa(p.PID()) + "/" + file
}

// CPU is the processor time the process has used so far, in user and kernel mode.
func (p *Process) CPU() (time.Duration, error) {
	raw, err := os.ReadFile(p.proc("stat"))
	if err != nil {
		return 0, fmt.Errorf("processor time of %s: %w", p.name, err)
	}
	// After the name in parentheses, fields 14 and 15 of proc_pid_stat(5) are utime and stime in ticks; Linux tells
	// user space of 100 a second on every architecture that Go runs on.
	const tick = time.Second / 100
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("processor time of %s: not in /proc/PID/stat", p.name)
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("processor time of %s: %w", p.name, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}
