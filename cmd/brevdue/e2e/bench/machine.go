package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine says what the figures were measured on.
func machine(ctx context.Context) string {
	return fmt.Sprintf("%s/%s, %d cores (%s), %s memory, %s, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(),
		fact("/proc/cpuinfo", `(?m)^model name\s*:\s*(.+)$`), fact("/proc/meminfo", `(?m)^MemTotal:\s*(.+)$`),
		runtime.Version(), redisVersion(ctx))
}

// fact finds something in a file of the kernel.
func fact(file, pattern string) string {
	raw, err := os.ReadFile(file) //nolint:gosec // a fixed name
	if err != nil {
		return "unknown"
	}
	if found := regexp.MustCompile(pattern).FindSubmatch(raw); found != nil {
		return strings.TrimSpace(string(found[1]))
	}
	return "unknown"
}

func redisVersion(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "redis-server", "--version").Output()
	if err != nil {
		return "Redis unknown"
	}
	if found := regexp.MustCompile(`v=(\S+)`).FindSubmatch(out); found != nil {
		return "Redis " + string(found[1])
	}
	return "Redis unknown"
}

// machineCPU is the time that all processors together have worked and rested so far (proc_stat(5)), zero elsewhere.
func machineCPU() (busy, idle time.Duration) {
	const tick = time.Second / 100
	for n, field := range strings.Fields(fact("/proc/stat", `(?m)^cpu +(.+)$`)) {
		ticks, err := strconv.ParseInt(field, 10, 64)
		switch {
		case err != nil || n > 7: // guest time is counted in user time already
		case n == 3 || n == 4: // idle, iowait
			idle += time.Duration(ticks) * tick
		default:
			busy += time.Duration(ticks) * tick
		}
	}
	return busy, idle
}
