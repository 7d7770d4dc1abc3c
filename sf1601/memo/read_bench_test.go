package memo_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

func BenchmarkReadLetter4KB(b *testing.B) {
	m := letter(memo.V1_1)
	m.Body.MainDocument.Files[0].Content = xmlstream.Bytes(make([]byte, 4096))
	benchmarkRead(b, render(b, m))
}

func BenchmarkRead99MB(b *testing.B) {
	m := letter(memo.V1_1)
	m.Body.MainDocument.Files[0].Content = zeroes(74_600_000)
	benchmarkRead(b, render(b, m))
}

func benchmarkRead(b *testing.B, document []byte) {
	b.Helper()
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		// The wrapper hides bytes.Reader's other methods, so that it reads like a file.
		if _, err := memo.Read(b.Context(), struct{ io.Reader }{bytes.NewReader(document)}, memo.ReadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
