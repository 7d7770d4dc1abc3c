package serve

import (
	"bytes"
	"crypto/sha256"
	"io"
	"runtime"
	"testing"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/signature"
)

// largeLetter is the largest that SF1601 takes, in bytes of its documents.
const largeLetter = 74_000_000

// pattern is a PDF, as far as anybody looks, that nobody has to hold in memory.
type pattern struct{ at int64 }

func (p *pattern) Read(b []byte) (int, error) {
	const head = "%PDF-1.7\n"
	n := copy(b, head[min(p.at, int64(len(head))):])
	for ; n < len(b); n++ {
		i := p.at + int64(n)
		b[n] = byte(i>>9) ^ byte(i)
	}
	p.at += int64(n)
	return n, nil
}

// sendLarge sends the largest letter and returns its message.
func (o *office) sendLarge(t testing.TB) string {
	t.Helper()
	o.wire.whole = false
	u, err := o.gateway.Upload(t.Context(), "fagsystem", "Brev.pdf", io.LimitReader(&pattern{}, largeLetter))
	if err != nil {
		t.Fatal(err)
	}
	return o.send(t, digitalpost.Name, gateway.Draft{
		Content:   gateway.Content{Title: "Et stort brev"},
		Documents: []gateway.DraftDocument{{Filename: "Brev.pdf", ContentType: "application/pdf", Upload: u.ID}},
	})
}

// read opens the request of a message and hands it to sink.
func (o *office) read(t testing.TB, id string, sink io.Writer) int64 {
	t.Helper()
	d, err := o.gateway.Dossier(t.Context(), "fagsystem", id)
	if err != nil {
		t.Fatal(err)
	}
	r, err := d.Request.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	n, err := io.CopyBuffer(struct{ io.Writer }{sink}, r, make([]byte, 32<<10))
	if err != nil || n != d.Request.Size {
		t.Fatalf("%d of %d bytes: %v", n, d.Request.Size, err)
	}
	return n
}

// The memory of the whole process is counted, so nothing may run beside it: it is not parallel.
func TestALargeLetterIsPutTogetherInLittleMemory(t *testing.T) { //nolint:paralleltest // see above
	if testing.Short() {
		t.Skip("takes seconds")
	}
	o := newOffice(t, signature.Detached)
	id := o.sendLarge(t)
	h := sha256.New()
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n := o.read(t, id, h)
	runtime.ReadMemStats(&after)
	if !bytes.Equal(h.Sum(nil), o.wire.sum[:]) {
		t.Error("it is not what was sent")
	}
	const bound = 16 << 20
	if used := after.TotalAlloc - before.TotalAlloc; n < largeLetter || used > bound { // all that was ever allocated, more than was in use at a time
		t.Errorf("%d bytes took %d bytes of memory, at most %d are allowed", n, used, bound)
	} else {
		t.Logf("%d bytes took %d bytes of memory", n, used)
	}
}

func BenchmarkALargeLetterIsPutTogether(b *testing.B) {
	o := newOffice(b, signature.Detached)
	id := o.sendLarge(b)
	b.ReportAllocs()
	for b.Loop() {
		b.SetBytes(o.read(b, id, io.Discard))
	}
}
