package asice

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// large is a file of n bytes that are nowhere in memory.
func large(n int64) File {
	return File{Name: "anmodning/kombi_request.xml", MediaType: "text/xml", Open: func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(pattern{}, n)), nil
	}}
}

type pattern struct{}

func (pattern) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(i)
	}
	return len(p), nil
}

// heap is the most memory in use while f runs, above what was before, as the runtime sees it at every write.
type heap struct {
	w         io.Writer
	base, top uint64
	writes    int
}

func newHeap(w io.Writer) *heap {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &heap{w: w, base: m.HeapAlloc}
}

func (h *heap) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.top = max(h.top, m.HeapAlloc)
}

func (h *heap) Write(p []byte) (int, error) {
	if h.writes++; h.writes%64 == 0 {
		h.look()
	}
	return h.w.Write(p)
}

func (h *heap) extra() float64 { h.look(); return float64(h.top-h.base) / (1 << 20) }

// A letter of 74 MB is a request of 99 MB.
const letter = 99_000_000

func BenchmarkWrite74MB(b *testing.B) {
	opts := Options{Certificate: ours().cert, At: clock}
	b.SetBytes(letter)
	top := 0.0
	for b.Loop() {
		h := newHeap(io.Discard)
		if err := Write(b.Context(), h, append(sample()[:1], large(letter)), opts); err != nil {
			b.Fatal(err)
		}
		top = max(top, h.extra())
	}
	b.ReportMetric(top, "MB-heap")
}

func BenchmarkVerify74MB(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "x.asice"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := Write(b.Context(), f, append(sample()[:1], large(letter)), Options{Certificate: ours().cert, At: clock}); err != nil {
		b.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(letter)
	for b.Loop() {
		c, err := Open(f, info.Size())
		if err != nil {
			b.Fatal(err)
		}
		checks, s, err := c.Verify(b.Context(), Trust{Roots: ours().pool})
		if err != nil || s == nil {
			b.Fatalf("%v %+v", err, checks)
		}
	}
}

// Memory does not grow with the files.
func TestALargeFileIsStreamed(t *testing.T) { //nolint:paralleltest // it measures the heap of the whole process
	const size = 64 << 20
	h := newHeap(io.Discard)
	if err := Write(t.Context(), h, []File{large(size)}, Options{Certificate: ours().cert, At: clock}); err != nil {
		t.Fatal(err)
	}
	if extra := h.extra(); extra > 16 {
		t.Errorf("writing a container of %d MB took %.1f MB of memory", size>>20, extra)
	}
	if h.writes < size/(64<<10) {
		t.Errorf("written in %d pieces only", h.writes)
	}
}
