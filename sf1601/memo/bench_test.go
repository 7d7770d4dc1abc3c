package memo_test

import (
	"context"
	"io"
	"testing"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// zeroes is a large Content that costs no memory.
type zeroes int64

func (z zeroes) Size() int64 { return int64(z) }

func (z zeroes) Open(context.Context) (io.ReadCloser, error) {
	return io.NopCloser(&zeroReader{left: int64(z)}), nil
}

type zeroReader struct{ left int64 }

func (r *zeroReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), r.left))
	clear(p[:n])
	r.left -= int64(n)
	return n, nil
}

func BenchmarkLetter4KB(b *testing.B)  { benchmarkLetter(b, xmlstream.Bytes(make([]byte, 4096))) }
func BenchmarkLetter74MB(b *testing.B) { benchmarkLetter(b, zeroes(74_000_000)) }

// benchmarkLetter builds and streams a letter with two actions.
func benchmarkLetter(b *testing.B, content xmlstream.Content) {
	b.Helper()
	m := letter(memo.V1_1)
	m.Body.MainDocument.Files[0].Content = content
	buf := make([]byte, 32<<10)
	b.ReportAllocs()
	for b.Loop() {
		d, err := m.Document()
		if err != nil {
			b.Fatal(err)
		}
		r := d.Open(b.Context())
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r, buf); err != nil {
			b.Fatal(err)
		}
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
		b.SetBytes(d.Size())
	}
}

func BenchmarkValidate(b *testing.B) {
	m := letter(memo.V1_1)
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Validate(); err != nil {
			b.Fatal(err)
		}
	}
}
