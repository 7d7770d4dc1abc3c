package evidence

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

// largeLetter is a letter with 74 MB of files, whose request is made up while it is read.
func largeLetter(t testing.TB) *gateway.Dossier {
	t.Helper()
	d := dossier(t)
	const content = "S8OmcmUgYm9yZ2Vy"
	head, tail, found := strings.Cut(string(kombi(t)), content)
	if !found {
		t.Fatal("the letter has no content")
	}
	const size = 98_666_668 // of 74,000,001 bytes in base64
	open := func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(head), io.LimitReader(letterA{}, size), strings.NewReader(tail))), nil
	}
	h := sha256.New()
	r, err := open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(h, r)
	if err != nil {
		t.Fatal(err)
	}
	d.Request.Open, d.Request.Size, d.Request.Digest = open, n, [sha256.Size]byte(h.Sum(nil))
	for i := range d.Attempts {
		d.Attempts[i].Digest = d.Request.Digest[:]
		d.Evidence[i] = sign(t, ours().cert, d.Attempts[i].ManifestID, d.Request.Digest, d.Attempts[i].ID)
	}
	return d
}

type letterA struct{}

func (letterA) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'A'
	}
	return len(p), nil
}

// heap is the most memory in use, above what was at first, as the runtime sees it now and then.
type heap struct{ base, top, calls uint64 }

func newHeap() *heap {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &heap{base: m.HeapAlloc}
}

func (h *heap) look() {
	if h.calls++; h.calls%64 != 1 {
		return
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.top = max(h.top, m.HeapAlloc)
}

func (h *heap) extra() float64 { return float64(max(h.top, h.base)-h.base) / (1 << 20) }

// watched looks at the heap while it passes on.
type watched struct {
	*heap
	f *os.File
}

func (w watched) Write(p []byte) (int, error)            { w.look(); return w.f.Write(p) }
func (w watched) ReadAt(p []byte, at int64) (int, error) { w.look(); return w.f.ReadAt(p, at) }

func BenchmarkEvidence74MB(b *testing.B) {
	d := largeLetter(b)
	f, err := os.Create(filepath.Join(b.TempDir(), "letter.asice"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	b.Run("write", func(b *testing.B) {
		b.SetBytes(d.Request.Size)
		top := 0.0
		for b.Loop() {
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				b.Fatal(err)
			}
			w := watched{newHeap(), f}
			if err := Write(b.Context(), w, d, options()); err != nil {
				b.Fatal(err)
			}
			top = max(top, w.extra())
		}
		b.ReportMetric(top, "MB-heap")
	})
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("verify", func(b *testing.B) {
		b.SetBytes(size)
		top := 0.0
		for b.Loop() {
			r := watched{newHeap(), f}
			report, err := Verify(b.Context(), r, size, Trust{Roots: ours().pool})
			if err != nil || !report.OK() {
				b.Fatalf("%v %+v", err, report.Failures())
			}
			top = max(top, r.extra())
		}
		b.ReportMetric(top, "MB-heap")
	})
}
