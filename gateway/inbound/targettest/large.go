package targettest

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/inbound"
)

// The largest message that Digital Post carries, and what its delivery may take beside what the process has.
const (
	largest   = 99_500_000
	moreLarge = 16 << 20
)

// RunLarge brings the largest message and fails when that takes more than 16 MB. It must not run beside other tests. Memory
// is what the process has for itself (RssAnon): pages of a mapped file are the system's to take back.
func RunLarge(t *testing.T, w World) {
	t.Helper()
	p := Parcel(t, largest*3/4-8000)
	if p.Post.Memo.Size > largest || p.Post.Memo.Size < largest-100_000 {
		t.Fatalf("a MeMo of %d bytes", p.Post.Memo.Size)
	}
	if o := w.Target.Deliver(t.Context(), Parcel(t, 10)); o.Verdict != inbound.Taken { // connections and buffers
		t.Fatalf("%s %s: %v", o.Verdict, o.Code, o.Err)
	}
	runtime.GC()
	debug.FreeOSMemory()
	before := anonymous(t)
	ctx, cancel := context.WithCancel(t.Context())
	peak := make(chan int64)
	go func() {
		most := before
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most = max(most, anonymous(t))
			case <-ctx.Done():
				peak <- most
				return
			}
		}
	}()
	began := time.Now()
	o := w.Target.Deliver(t.Context(), p)
	took := time.Since(began)
	cancel()
	more := <-peak - before
	if o.Verdict != inbound.Taken {
		t.Fatalf("%s %s: %v", o.Verdict, o.Code, o.Err)
	}
	t.Logf("%s: %.1f MB in %s, %.1f MB of memory more",
		o.Code, float64(p.Post.Memo.Size)/1e6, took.Round(time.Millisecond), float64(more)/1e6)
	if more > moreLarge {
		t.Errorf("delivery of the largest message takes %d bytes of memory", more)
	}
	whole(t, w, p, 1)
}

// anonymous is the memory that the process has for itself, in bytes.
func anonymous(t *testing.T) int64 {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("SKIPPED, NOT MEASURED: no /proc/self/status here")
	}
	for line := range strings.Lines(string(status)) {
		if rest, is := strings.CutPrefix(line, "RssAnon:"); is {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			if err != nil {
				t.Error(err)
			}
			return kb << 10
		}
	}
	t.Error("no RssAnon")
	return 0
}
