package fjernprint_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden files anew")

func company(t *testing.T) *fjernprint.ForsendelseI {
	t.Helper()
	f := letter()
	k, err := fjernprint.Normalise(fjernprint.Address{
		Name: "Brevdue Ægte ApS", CareOf: "Bogholderiet", Street: "Storgatan", House: "1000", Floor: "2. sal", Door: "th.",
		Postcode: "114 55", City: "Stockholm", Country: "se", CountryName: "Sverige",
	}, fjernprint.CityOmitted)
	if err != nil {
		t.Fatal(err)
	}
	f.Modtager = &fjernprint.Modtager{Slutbruger: fjernprint.Virksomhed("12345678"), Adresse: &k}
	f.Kanal = fjernprint.KanalParametre{BrugerNavn: "brevdue", HasteBrevIndikator: fjernprint.Ja}
	f.Post.PostKategoriKode = fjernprint.Prioritaire
	return f
}

func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fjernprint.ForsendelseI{
		"minimum": {AfsendelseIdentifikator: "2b0c1f7e-4c55-4a1e-9d0b-6f3f0a7c9e11", MeddelelseIndholdData: file()},
		"person":  letter(), "company-abroad": company(t), "full": full(),
	} {
		path := filepath.Join("testdata", name+".xml")
		got := xml(t, f)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
}

// Element and Build write the same document.
func TestTreeAndStreamAgree(t *testing.T) {
	t.Parallel()
	for _, f := range []*fjernprint.ForsendelseI{letter(), full(), company(t)} {
		el, contents, err := f.Element(0)
		if err != nil {
			t.Fatal(err)
		}
		d, err := xmlstream.New(el, contents)
		if err != nil {
			t.Fatal(err)
		}
		r := d.Open(t.Context())
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		if got := xml(t, f); got != string(b) {
			t.Errorf("Build:\n%s\nElement:\n%s", got, b)
		}
	}
	el, contents, err := full().Element(5)
	if err != nil || len(contents) != 2 {
		t.Fatal(len(contents), err)
	}
	out := etree.NewDocumentWithRoot(el)
	text, err := out.WriteToString()
	if err != nil || !strings.Contains(text, "<?content 5?>") || !strings.Contains(text, "<?content 6?>") {
		t.Errorf("placeholders do not count from 5: %v\n%s", err, text)
	}
}

func TestAFileWithoutContent(t *testing.T) {
	t.Parallel()
	f := letter()
	f.Bilag = []fjernprint.Bilag{{BilagNavn: "x"}}
	if _, err := f.Document(); err == nil {
		t.Error("an attachment without content was written")
	}
	if _, _, err := f.Element(0); err == nil {
		t.Error("an attachment without content was written as a tree")
	}
}

// node is one element of a document, as what it means.
type node struct{ path, attrs, text string }

func nodes(t *testing.T, text string, skip ...string) []node {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(text); err != nil {
		t.Fatal(err)
	}
	var out []node
	var walk func(path string, e *etree.Element)
	walk = func(path string, e *etree.Element) {
		if slices.Contains(skip, e.Tag) {
			return
		}
		n := node{path: path + "/{" + e.NamespaceURI() + "}" + e.Tag}
		for _, a := range e.Attr {
			if a.Space != "xmlns" && a.Key != "xmlns" {
				n.attrs += a.FullKey() + "=" + a.Value + " "
			}
		}
		n.text = strings.TrimSpace(e.Text())
		out = append(out, n)
		for _, child := range e.ChildElements() {
			walk(n.path, child)
		}
	}
	walk("", doc.Root())
	return out
}

// The official examples are written again, element for element, without what this package never sends.
func TestOfficialExamples(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*fjernprint.ForsendelseI{
		"forsendelse_min.xml": {AfsendelseIdentifikator: "2b0c1f7e-4c55-4a1e-9d0b-6f3f0a7c9e11", MeddelelseIndholdData: file()},
		"forsendelse_max.xml": full(),
	} {
		official, err := os.ReadFile(conformance(t, "fjernprint", name))
		if err != nil {
			t.Fatal(err)
		}
		want := nodes(t, string(official), "DigitalPostParametre", "MeddelelsesFormatObjekt")
		got := nodes(t, xml(t, f))
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("%s, element %d: got %+v, want %+v", name, i, got[min(i, len(got)-1)], want[min(i, len(want)-1)])
			}
		}
	}
}

// large is a file of zeros that counts nothing and holds nothing.
type large int64

func (l large) Size() int64 { return int64(l) }
func (l large) Open(context.Context) (io.ReadCloser, error) {
	return io.NopCloser(io.LimitReader(zeros{}, int64(l))), nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestConstantMemory streams 60 MB and counts what is allocated.
//
//nolint:paralleltest // the count is the whole process's
func TestConstantMemory(t *testing.T) {
	f := letter()
	f.MeddelelseIndholdData = large(40_000_000)
	f.Bilag = []fjernprint.Bilag{{BilagNavn: "x", Indhold: large(20_000_000)}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	d, err := f.Document()
	if err != nil {
		t.Fatal(err)
	}
	r := d.Open(t.Context())
	n, err := io.Copy(io.Discard, r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; n < 80_000_000 || grown > 2<<20 {
		t.Errorf("%d bytes allocated for %d streamed", grown, n)
	}
}

func BenchmarkDocument(b *testing.B) {
	f := full()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Document(); err != nil {
			b.Fatal(err)
		}
	}
}
