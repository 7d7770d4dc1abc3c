package memo_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

func BenchmarkCheckLetter4KB(b *testing.B) {
	m := letter(memo.V1_1)
	m.Body.MainDocument.Files[0].Content = xmlstream.Bytes(make([]byte, 4096))
	benchmarkCheck(b, render(b, m))
}

func BenchmarkCheck99MB(b *testing.B) {
	m := letter(memo.V1_1)
	m.Body.MainDocument.Files[0].Content = zeroes(74_600_000)
	benchmarkCheck(b, render(b, m))
}

func benchmarkCheck(b *testing.B, document []byte) {
	b.Helper()
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		// The wrapper hides bytes.Reader's other methods, so that it reads like a pipe.
		r, err := memo.Check(b.Context(), struct{ io.Reader }{bytes.NewReader(document)}, memo.CheckOptions{})
		if err != nil || r.Errors > 0 {
			b.Fatal(r, err)
		}
	}
}

func BenchmarkFix99MB(b *testing.B) {
	m := letter(memo.V1_1)
	m.Body.MainDocument.Files[0].Content = zeroes(74_600_000)
	m.Body.MainDocument.Files[0].Filename = "a:b.pdf"
	document := render(b, m)
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		changes, err := memo.Fix(b.Context(), bytes.NewReader(document), io.Discard)
		if err != nil || len(changes) != 1 {
			b.Fatal(changes, err)
		}
	}
}

// BenchmarkCheckHostile checks 10 MB of what an attacker would send.
func BenchmarkCheckHostile(b *testing.B) {
	const size = 10 << 20
	const root = `<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" memoVersion="1.2">`
	for name, unit := range map[string]string{
		"nested": "<a>", "siblings": "<a/>", "attributes": "<a " + strings.Repeat("b='' ", 1000) + "/>", "entities": "&x;", "references": "&#38;",
		"comments": "<!---->", "prefixes": "<a xmlns:b='c'/>", "headers": "<memo:MessageBody/>", "orders": "<memo:MessageBody/><memo:MessageHeader/>",
	} {
		document := []byte(root + strings.Repeat(unit, size/len(unit)) + "</memo:Message>")
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := memo.Check(b.Context(), struct{ io.Reader }{bytes.NewReader(document)}, memo.CheckOptions{})
				if err != nil || r.Errors == 0 {
					b.Fatal(r, err)
				}
			}
		})
	}
}
