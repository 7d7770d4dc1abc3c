package xmlstream_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// both builds the same structure with Builder and with New.
func both(t *testing.T, build func(b *xmlstream.Builder), tree func(root *etree.Element)) (built, made string) {
	t.Helper()
	var b xmlstream.Builder
	build(&b)
	d, err := b.Document()
	if err != nil {
		t.Fatal(err)
	}
	root := etree.NewElement("x")
	tree(root)
	contents := []xmlstream.Content{xmlstream.Bytes([]byte("ab")), xmlstream.Bytes([]byte("c"))}
	want, err := xmlstream.New(root, contents)
	if err != nil {
		t.Fatal(err)
	}
	if d.Size() != want.Size() {
		t.Errorf("sizes are %d and %d", d.Size(), want.Size())
	}
	read := func(d *xmlstream.Document) string {
		r := d.Open(t.Context())
		defer func() { _ = r.Close() }()
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	return read(d), read(want)
}

func TestBuilderWritesWhatNewWrites(t *testing.T) {
	t.Parallel()
	const text = "æ<&>\"'\t\n\r\u0085\u2028😀]]>"
	built, made := both(t, func(b *xmlstream.Builder) {
		b.Open("", "rod", "", xmlstream.Attr{Name: "b", Value: text}, xmlstream.Attr{Name: "a", Value: ""})
		b.Text(text)
		b.Open("p", "x", "urn:1", xmlstream.Attr{Name: "b", Value: "1"}, xmlstream.Attr{Name: "a", Value: "2"})
		b.Open("p", "y", "urn:1")
		b.Content(xmlstream.Bytes([]byte("ab")))
		b.Close()
		b.Open("p", "y", "urn:2")
		b.Open("p", "z", "urn:1")
		b.Close()
		b.Close()
		b.Open("", "d", "urn:3")
		b.Open("", "e", "urn:3")
		b.Close()
		b.Open("", "f", "")
		b.Close()
		b.Close()
		b.Close()
		b.Open("p", "x", "urn:1")
		b.Content(xmlstream.Bytes([]byte("c")))
		b.Close()
		b.Close()
	}, func(root *etree.Element) {
		root.Tag = "rod"
		root.CreateAttr("b", text)
		root.CreateAttr("a", "")
		root.CreateText(text)
		x := root.CreateElement("p:x")
		x.CreateAttr("xmlns:p", "urn:1")
		x.CreateAttr("b", "1")
		x.CreateAttr("a", "2")
		x.CreateElement("p:y").AddChild(xmlstream.Placeholder(0))
		y := x.CreateElement("p:y")
		y.CreateAttr("xmlns:p", "urn:2")
		y.CreateElement("p:z").CreateAttr("xmlns:p", "urn:1")
		d := x.CreateElement("d")
		d.CreateAttr("xmlns", "urn:3")
		d.CreateElement("e")
		d.CreateElement("f").CreateAttr("xmlns", "")
		x = root.CreateElement("p:x")
		x.CreateAttr("xmlns:p", "urn:1")
		x.AddChild(xmlstream.Placeholder(1))
	})
	if built != made {
		t.Errorf("built\n%s\nmade\n%s", built, made)
	}
}

func TestBuilderRefuses(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(b *xmlstream.Builder){
		"nothing":            func(*xmlstream.Builder) {},
		"open element":       func(b *xmlstream.Builder) { b.Open("", "a", "") },
		"second root":        func(b *xmlstream.Builder) { b.Open("", "a", ""); b.Close(); b.Open("", "a", ""); b.Close() },
		"closed too often":   func(b *xmlstream.Builder) { b.Open("", "a", ""); b.Close(); b.Close() },
		"text outside":       func(b *xmlstream.Builder) { b.Text("x") },
		"content outside":    func(b *xmlstream.Builder) { b.Content(xmlstream.Bytes(nil)) },
		"nil content":        func(b *xmlstream.Builder) { b.Open("", "a", ""); b.Content(nil); b.Close() },
		"no name":            func(b *xmlstream.Builder) { b.Open("", "", ""); b.Close() },
		"bad name":           func(b *xmlstream.Builder) { b.Open("", "a b", ""); b.Close() },
		"bad prefix":         func(b *xmlstream.Builder) { b.Open("a:b", "c", "urn:1"); b.Close() },
		"prefix without URI": func(b *xmlstream.Builder) { b.Open("p", "a", ""); b.Close() },
		"prefix xmlns":       func(b *xmlstream.Builder) { b.Open("xmlns", "a", "urn:1"); b.Close() },
		"attribute twice": func(b *xmlstream.Builder) {
			b.Open("", "a", "", xmlstream.Attr{Name: "b"}, xmlstream.Attr{Name: "b"})
			b.Close()
		},
		"attribute xmlns":       func(b *xmlstream.Builder) { b.Open("", "a", "", xmlstream.Attr{Name: "xmlns"}); b.Close() },
		"attribute with prefix": func(b *xmlstream.Builder) { b.Open("", "a", "", xmlstream.Attr{Name: "p:b"}); b.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b xmlstream.Builder
			build(&b)
			if _, err := b.Document(); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestBuilderRefusesCharactersWithoutRepeatingThem(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"\x00", "hemmelig\x1f", "\xff", "\xed\xa0\x80", "\ufffe", "\uffff"} {
		for name, build := range map[string]func(b *xmlstream.Builder){
			"text":      func(b *xmlstream.Builder) { b.Text(bad) },
			"attribute": func(b *xmlstream.Builder) { b.Open("", "b", "", xmlstream.Attr{Name: "c", Value: bad}); b.Close() },
		} {
			var b xmlstream.Builder
			b.Open("", "a", "")
			build(&b)
			b.Close()
			_, err := b.Document()
			if !errors.Is(err, xmlstream.ErrCharacter) || strings.Contains(err.Error(), "hemmelig") || !strings.Contains(err.Error(), "/a") {
				t.Errorf("%s of %q: %v", name, bad, err)
			}
		}
	}
}
