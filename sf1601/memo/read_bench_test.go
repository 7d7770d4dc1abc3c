package memo_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// The largest message there may be: 99.5 MB of XML around one file.
const largestContent = 74_620_000

func largest() *memo.Message {
	m := letter(memo.V1_1)
	m.Body.MainDocument.Files[0].Content = zeroes(largestContent)
	return m
}

// reader hides everything of a bytes.Reader but Read.
func reader(document []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(document)} }

func BenchmarkReadLetter4KB(b *testing.B) {
	m := letter(memo.V1_1)
	m.Body.MainDocument.Files[0].Content = xmlstream.Bytes(make([]byte, 4096))
	benchmarkRead(b, render(b, m))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "letters/s")
}

func BenchmarkRead99MB(b *testing.B) { benchmarkRead(b, render(b, largest())) }

// BenchmarkRead99MBLines reads base64 in lines of 76 characters, as MIME writes it.
func BenchmarkRead99MBLines(b *testing.B) {
	document := render(b, largest())
	head, rest, _ := bytes.Cut(document, []byte("<memo:content>"))
	content, tail, _ := bytes.Cut(rest, []byte("</memo:content>"))
	content = content[:len(content)/100*98]
	var lines bytes.Buffer
	lines.Write(head)
	lines.WriteString("<memo:content>")
	for len(content) > 76 {
		lines.Write(content[:76])
		lines.WriteByte('\n')
		content = content[76:]
	}
	lines.WriteString("</memo:content>")
	lines.Write(tail)
	benchmarkRead(b, lines.Bytes())
}

// BenchmarkRead99MBEtree is what a DOM needs for the same, without decoding the content.
func BenchmarkRead99MBEtree(b *testing.B) {
	document := render(b, largest())
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := etree.NewDocument().ReadFrom(reader(document)); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkRead(b *testing.B, document []byte) {
	b.Helper()
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := memo.Read(b.Context(), reader(document), memo.ReadOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite99MB(b *testing.B) { benchmarkLetter(b, zeroes(largestContent)) }

// BenchmarkWrite99MBEtree writes the same with a DOM that holds the base64.
func BenchmarkWrite99MBEtree(b *testing.B) {
	document := render(b, largest())
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(document); err != nil {
		b.Fatal(err)
	}
	root := doc.Root()
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		out := etree.NewDocument()
		out.WriteSettings = etree.WriteSettings{CanonicalEndTags: true, CanonicalText: true, CanonicalAttrVal: true}
		out.SetRoot(root)
		if _, err := out.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

// hostile are documents of 10 MB that cost a careless reader much more.
func hostile() map[string]string {
	const size = 10_000_000
	const open = `<memo:Message xmlns:memo="https://DigitalPost.dk/MeMo-1" memoVersion="1.1"><memo:MessageHeader>`
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	declarations := "<x " + strings.Repeat(`xmlns:%="u" `, 60) + "/>"
	for i := range 60 {
		declarations = strings.Replace(declarations, "%", "p"+string(rune('A'+i/26))+string(rune('a'+i%26)), 1)
	}
	content, _, _ := strings.Cut(lines, "aGVt")
	attributes := strings.ReplaceAll(declarations, "xmlns:", "")
	return map[string]string{
		"nested":         open + fill("<x>"),
		"siblings":       open + fill("<x/>"),
		"replies":        open + fill("<memo:ReplyData/>"),
		"attributes":     open + "<x " + fill("a='b' "),
		"manyAttributes": open + fill(attributes),
		"declarations":   open + fill(declarations),
		"attribute":      open + "<x a='" + fill("b"),
		"unclosedTag":    open + "<" + fill("b"),
		"entities":       `<!DOCTYPE x [` + fill(`<!ENTITY a "&b;&b;&b;&b;">`),
		"references":     open + "<memo:label>" + fill("&amp;"),
		"texts":          open + fill("<memo:ReplyData><memo:comment>"+strings.Repeat("x", 1000)+"</memo:comment></memo:ReplyData>"),
		"comments":       open + fill("<!--x-->"),
		"comment":        open + "<!--" + fill("x "),
		"stray":          open + fill("x "),
		"cdata":          open + "<memo:label>" + fill("<![CDATA[]]>"),
		"plainNumber":    open + `<memo:ContentData><grd:PropertyNumber xmlns:grd="https://data.gov.dk/model/core/">` + fill("1<!---->"),
		"base64":         content + fill(" ="),
		"whiteSpace":     lines + fill("\n"),
	}
}

func BenchmarkHostile10MB(b *testing.B) {
	for name, document := range hostile() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if m, err := memo.Read(b.Context(), strings.NewReader(document), memo.ReadOptions{}); err == nil && name != "whiteSpace" {
					b.Fatalf("read %v", m)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/op")
		})
	}
}

// allocated is how many bytes f allocates. Other tests must not run meanwhile: see TestMemory.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// The memory bounds that the package documentation states. It runs alone, because allocations are counted for the whole
// process.
//
//nolint:paralleltest // see above
func TestMemory(t *testing.T) {
	document := render(t, largest())
	const bound = 4 << 20
	if n := allocated(func() {
		if _, err := memo.Read(t.Context(), reader(document), memo.ReadOptions{}); err != nil {
			t.Error(err)
		}
	}); n > bound {
		t.Errorf("reading %d bytes allocates %d", len(document), n)
	}
	if n := allocated(func() { write(t, largest()) }); n > bound {
		t.Errorf("writing %d bytes allocates %d", len(document), n)
	}
	for name, document := range hostile() {
		var err error
		n := allocated(func() {
			_, err = memo.Read(t.Context(), strings.NewReader(document), memo.ReadOptions{})
		})
		var e *memo.ReadError
		if name != "whiteSpace" && !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
		if n > 8<<20 {
			t.Errorf("%s allocates %d bytes", name, n)
		}
	}
}

// write streams a message into nothing.
func write(t *testing.T, m *memo.Message) {
	t.Helper()
	d, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	r := d.Open(context.Background())
	defer func() { _ = r.Close() }()
	if n, err := io.Copy(io.Discard, r); err != nil || n != d.Size() {
		t.Errorf("%d of %d bytes: %v", n, d.Size(), err)
	}
}
