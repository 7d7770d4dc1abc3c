package sf1606_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1606"
	"github.com/brevdue/brevdue/sf1606/sf1606test"
)

// memoryDir, in the environment, makes the test program a receiver of its own, with the certificates of that folder.
const memoryDir = "SF1606_TEST_MEMORY_DIR"

// The figures that a receiver promises: memory beside what it needs at rest.
const (
	mostForOne = 24 << 20
	mostForTen = 120 << 20
)

// measured runs a receiver in a process of its own and gives what n messages of 99.5 MB at once cost it beside what it
// held at rest, in bytes of resident memory.
func measured(t testing.TB, n int) (extra int64, took time.Duration) {
	t.Helper()
	dir := t.TempDir()
	if err := authority(t).WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-test.run=^TestMemoryReceiver$", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), memoryDir+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	ask := func(what string) string {
		if _, err := io.WriteString(in, what+"\n"); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatal("the receiver has ended")
		}
		return lines.Text()
	}
	r := &receiver{t: t, url: "https://" + ask("address") + sf1606.DefaultPath}
	s := r.sender(sf1606test.SenderConfig{})
	storm := func(total int, bytes int64) time.Duration {
		res, err := s.Storm(t.Context(), sf1606test.StormConfig{Total: total, Concurrency: total, MinBytes: bytes, MaxBytes: bytes, Letters: letters()})
		if err != nil || res.Accepted != total {
			t.Fatalf("%v: %s", err, res)
		}
		return res.Elapsed
	}
	storm(n, 20_000) // connections and code are there
	rest := number(t, ask("rest"))
	took = storm(n, memo.MaxSize)
	peak := number(t, ask("peak"))
	if err := in.Close(); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	return peak - rest, took
}

func number(t testing.TB, s string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestMemoryReceiver is the receiver of measured, and nothing in a run of its own. It answers lines on its standard output.
func TestMemoryReceiver(t *testing.T) { //nolint:paralleltest // a program of its own
	dir := os.Getenv(memoryDir)
	if dir == "" {
		t.Skip("the receiver of another test")
	}
	a, err := sf1601test.LoadOrCreate(dir, sf1601test.AuthorityOptions{KeyBits: 2048, CVR: cvr})
	if err != nil {
		t.Fatal(err)
	}
	h, err := sf1606.Handler(sf1606.Config{Intake: sf1606.Intake{Sink: &sf1606test.Box{}, Authorities: []string{cvr}}})
	if err != nil {
		t.Fatal(err)
	}
	config, err := sf1606.TLS{Certificate: a.ServerCertificate(), ClientCAs: a.RootCAs()}.Config()
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := sf1606.NewServer(h, config, slog.New(slog.DiscardHandler))
	go func() { _ = server.ServeTLS(l, "", "") }()
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		switch lines.Text() {
		case "address":
			_, _ = fmt.Fprintln(os.Stdout, l.Addr())
		case "rest":
			debug.FreeOSMemory()
			if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak begins here
				t.Fatal(err)
			}
			_, _ = fmt.Fprintln(os.Stdout, resident(t, "VmRSS"))
		case "peak":
			_, _ = fmt.Fprintln(os.Stdout, resident(t, "VmHWM"))
		}
	}
	_ = server.Close()
}

// resident reads a figure of this process, in bytes.
func resident(t testing.TB, name string) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), name+":")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	return number(t, kilobytes) << 10
}

// One message of 99.5 MB costs at most 24 MB, ten at once 120 MB.
func TestMemory(t *testing.T) { //nolint:paralleltest // what is measured needs the machine
	if testing.Short() || raceEnabled {
		t.Skip("about 1.1 GB are sent; not in -short, and the race detector keeps memory of its own")
	}
	if _, err := os.Stat("/proc/self/clear_refs"); err != nil {
		t.Skip("SKIPPED: resident memory is measured on Linux only")
	}
	for n, most := range map[int]int64{1: mostForOne, 10: mostForTen} {
		extra, took := measured(t, n)
		t.Logf("%d of 99.5 MB: %.1f MB extra resident memory, %.1f s", n, float64(extra)/1e6, took.Seconds())
		if extra > most {
			t.Errorf("%d messages: %d bytes extra, at most %d", n, extra, most)
		}
	}
}

// BenchmarkMemory prints the figures of TestMemory.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{1, 10} {
		b.Run(fmt.Sprintf("%dx99.5MB", n), func(b *testing.B) {
			for b.Loop() {
				extra, took := measured(b, n)
				b.ReportMetric(float64(extra)/(1<<20), "extra-RSS-MiB")
				b.ReportMetric(float64(n)*99.5/took.Seconds(), "MB/s-received")
			}
		})
	}
}

// BenchmarkReceive20KB is the whole way of small messages over mutual TLS, sender included, with a sink that stores nothing.
func BenchmarkReceive20KB(b *testing.B) {
	r := receive(b, sf1606.Config{Intake: sf1606.Intake{Sink: &sf1606test.Box{}}})
	s := r.sender(sf1606test.SenderConfig{})
	l := letters()
	b.ReportAllocs()
	b.ResetTimer()
	res, err := s.Storm(context.Background(), sf1606test.StormConfig{Total: b.N, Letters: l})
	if err != nil || res.Accepted != b.N {
		b.Fatal(err, res)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
