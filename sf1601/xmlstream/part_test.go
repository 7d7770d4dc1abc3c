package xmlstream_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"testing"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// kept is a content with a name.
type kept struct {
	xmlstream.Content

	name string
}

func (k kept) Name() string { return k.name }

func TestPartsAreTheDocument(t *testing.T) {
	t.Parallel()
	first, second := []byte("ab"), bytes.Repeat([]byte("æ"), 50_000)
	var b xmlstream.Builder
	b.Open("", "rod", "")
	b.Content(kept{xmlstream.Bytes(first), "first"})
	b.Content(xmlstream.Bytes(second))
	b.Open("", "x", "")
	b.Content(xmlstream.Bytes(nil))
	b.Close()
	b.Close()
	d, err := b.Document()
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]*xmlstream.Document{
		"built": d, "canonical": d.Canonical(), "signed": d.WithLastChild([]byte("<s></s>")),
	} {
		r := d.Open(t.Context())
		want, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		var got []byte
		var names []string
		for _, p := range d.Parts() {
			if p.Content == nil {
				if len(p.Text) == 0 {
					t.Errorf("%s: an empty text", name)
				}
				got = append(got, p.Text...)
				continue
			}
			c, err := p.Content.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(c)
			if err != nil || int64(len(raw)) != p.Size {
				t.Fatalf("%s: %d bytes of %d, %v", name, len(raw), p.Size, err)
			}
			got = base64.StdEncoding.AppendEncode(got, raw)
			if n, is := p.Content.(xmlstream.Named); is {
				names = append(names, n.Name())
			}
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: the parts are not the document", name)
		}
		if len(names) != 1 || names[0] != "first" {
			t.Errorf("%s: names %q", name, names)
		}
	}
}
