package xmlstream_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// parse reads a tree that a test wrote by hand.
func parse(t testing.TB, xml string) *etree.Element {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromString(xml); err != nil {
		t.Fatal(err)
	}
	return doc.Root()
}

// goxmldsigCanonical is what goxmldsig makes of the bytes as a receiver would parse them.
func goxmldsigCanonical(t testing.TB, xml []byte) []byte {
	t.Helper()
	canonical, err := dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("").Canonicalize(parse(t, string(xml)))
	if err != nil {
		t.Fatal(err)
	}
	return canonical
}

var canonicalCases = []struct{ name, in, want string }{
	{"empty", `<a/>`, `<a></a>`},
	{"text", "<a>æøå &amp; &lt;b&gt; \"x\" 'y'\t\n&#13;€ 😀</a>", "<a>æøå &amp; &lt;b&gt; \"x\" 'y'\t\n&#xD;€ 😀</a>"},
	{"attribute", "<a b=\"æ&quot;'&amp;&lt;>&#9;&#10;&#13;\"/>", `<a b="æ&quot;'&amp;&lt;>&#x9;&#xA;&#xD;"></a>`},
	{"attributes sorted", `<a z="1" b="2" aa="3" A="4"/>`, `<a A="4" aa="3" b="2" z="1"></a>`},
	{"declared where first used", `<a:x xmlns:a="u:a" xmlns:b="u:b" xmlns:c="u:c"><b:y><b:z/><a:w/></b:y><b:v/></a:x>`,
		`<a:x xmlns:a="u:a"><b:y xmlns:b="u:b"><b:z></b:z><a:w></a:w></b:y><b:v xmlns:b="u:b"></b:v></a:x>`},
	{"declarations sorted", `<b:x xmlns:c="u:c" xmlns:b="u:b" xmlns="u:d" c:k="1" a="2"/>`,
		`<b:x xmlns:b="u:b" xmlns:c="u:c" a="2" c:k="1"></b:x>`},
	{"default namespace", `<x xmlns="u:d" b:k="1" xmlns:b="u:b"><y xmlns=""><z/></y><w/></x>`,
		`<x xmlns="u:d" xmlns:b="u:b" b:k="1"><y xmlns=""><z></z></y><w></w></x>`},
	{"default namespace never used", `<p:x xmlns="u:d" xmlns:p="u:p"/>`, `<p:x xmlns:p="u:p"></p:x>`},
	{"prefix declared anew", `<p:x xmlns:p="u:1"><p:y xmlns:p="u:2"><p:z/></p:y><p:w/></p:x>`,
		`<p:x xmlns:p="u:1"><p:y xmlns:p="u:2"><p:z></p:z></p:y><p:w></p:w></p:x>`},
	{"same declaration again", `<p:x xmlns:p="u:1"><p:y xmlns:p="u:1"/></p:x>`, `<p:x xmlns:p="u:1"><p:y></p:y></p:x>`},
	{"xml:lang", `<a xml:lang="da" b="1"/>`, `<a b="1" xml:lang="da"></a>`},
	{"comment left out", `<a>x<!-- y -->z</a>`, `<a>xz</a>`},
	{"cdata", `<a><![CDATA[<&>]]></a>`, `<a>&lt;&amp;&gt;</a>`},
	{"namespace with special characters", `<p:x xmlns:p="http://x.example/?a&amp;b"/>`, `<p:x xmlns:p="http://x.example/?a&amp;b"></p:x>`},
}

func TestOutputIsExclusiveCanonical(t *testing.T) {
	t.Parallel()
	for _, tt := range canonicalCases {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := mustNew(t, parse(t, tt.in))
			got := readAll(t, d.Canonical())
			if string(got) != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if again := goxmldsigCanonical(t, readAll(t, d)); !bytes.Equal(again, got) {
				t.Errorf("goxmldsig makes\n%s\nof\n%s", again, got)
			}
		})
	}
}

// The attribute order by namespace instead of prefix is left out above: goxmldsig 1.6.1 sorts attributes of different
// namespaces by local name, which section 2.2 of Canonical XML 1.0 does not.
func TestAttributesAreSortedByNamespaceFirst(t *testing.T) {
	t.Parallel()
	const in = `<x xmlns:a="u:2" xmlns:b="u:1" a:k="1" b:l="2"/>`
	const want = `<x xmlns:a="u:2" xmlns:b="u:1" b:l="2" a:k="1"></x>`
	if got := readAll(t, mustNew(t, parse(t, in)).Canonical()); string(got) != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	checkWithXmllint(t, in, want)
}

func TestLibxml2AgreesOnTheCanonicalForm(t *testing.T) {
	t.Parallel()
	for _, tt := range canonicalCases {
		if strings.Contains(tt.in, "<!--") || strings.Contains(tt.in, "?a&amp;b") {
			continue // xmllint --exc-c14n keeps comments, and libxml2 does not escape & in a declaration
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkWithXmllint(t, tt.in, tt.want)
		})
	}
}

func checkWithXmllint(t *testing.T, in, want string) {
	t.Helper()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("MISSING: xmllint; required while CI=true")
		}
		t.Skip("SKIPPED, NOT CHECKED: xmllint is missing (apt-get install libxml2-utils)")
	}
	cmd := exec.CommandContext(t.Context(), xmllint, "--nonet", "--exc-c14n", "-")
	cmd.Stdin = strings.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSuffix(string(out), "\n"); got != want {
		t.Errorf("libxml2 makes\n%s\nwant\n%s", got, want)
	}
}

func TestDeclarationsMayStandOnAnAncestorOrOnEachElement(t *testing.T) {
	t.Parallel()
	const want = `<m:a xmlns:m="u:m"><m:b></m:b><g:c xmlns:g="u:g"><g:d></g:d></g:c></m:a>`
	for _, in := range []string{
		`<m:a xmlns:m="u:m" xmlns:g="u:g"><m:b/><g:c><g:d/></g:c></m:a>`,
		`<m:a xmlns:m="u:m"><m:b xmlns:m="u:m"/><g:c xmlns:g="u:g"><g:d xmlns:g="u:g"/></g:c></m:a>`,
	} {
		if got := readAll(t, mustNew(t, parse(t, in)).Canonical()); string(got) != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	text := func(s string) *etree.Element {
		root := etree.NewElement("a")
		root.CreateElement("b").CreateText("hemmelig" + s)
		return root
	}
	attr := func(key, value string) *etree.Element {
		root := etree.NewElement("a")
		root.CreateAttr(key, value)
		return root
	}
	child := func(token etree.Token) *etree.Element {
		root := etree.NewElement("a")
		root.AddChild(token)
		return root
	}
	twice := etree.NewElement("a")
	twice.Attr = []etree.Attr{{Key: "k", Value: "1"}, {Key: "k", Value: "2"}}
	one := xmlstream.Bytes(nil)
	for _, tt := range []struct {
		name     string
		root     *etree.Element
		contents []xmlstream.Content
		want     string
		is       error
	}{
		{"no root", nil, nil, "no root", nil},
		{"NUL", text("\x00"), nil, "/a/b", xmlstream.ErrCharacter},
		{"escape", text("\x1b"), nil, "/a/b", xmlstream.ErrCharacter},
		{"U+FFFE", text("\uFFFE"), nil, "/a/b", xmlstream.ErrCharacter},
		{"U+FFFF", text("\uFFFF"), nil, "/a/b", xmlstream.ErrCharacter},
		{"Latin-1", text("\xe6"), nil, "/a/b", xmlstream.ErrCharacter},
		{"surrogate", text("\xed\xa0\x80"), nil, "/a/b", xmlstream.ErrCharacter},
		{"attribute character", attr("k", "hemmelig\x01"), nil, "/a", xmlstream.ErrCharacter},
		{"attribute twice", twice, nil, "twice", nil},
		{"undeclared element prefix", etree.NewElement("p:a"), nil, `"p" is not declared`, nil},
		{"undeclared attribute prefix", attr("p:k", ""), nil, `"p" is not declared`, nil},
		{"empty name", etree.NewElement(""), nil, "not a name", nil},
		{"name with a space", etree.NewElement("a b"), nil, "not a name", nil},
		{"attribute name", attr(`k="1" l`, ""), nil, "proper name", nil},
		{"empty prefix declaration", attr("xmlns:p", ""), nil, "declaration", nil},
		{"xmlns declared", attr("xmlns:xmlns", "u"), nil, "declaration", nil},
		{"xml declared elsewhere", attr("xmlns:xml", "u"), nil, "declaration", nil},
		{"directive", child(etree.NewDirective("DOCTYPE a")), nil, "directive", nil},
		{"processing instruction", child(etree.NewProcInst("xml-stylesheet", "x")), nil, "processing instruction", nil},
		{"placeholder without number", child(etree.NewProcInst("content", "x")), nil, "no number", nil},
		{"placeholder below zero", child(etree.NewProcInst("content", "-1")), nil, "no number", nil},
		{"placeholder without content", letter(1), nil, "placeholder 0 has no content", nil},
		{"content without placeholder", letter(1), []xmlstream.Content{one, one}, "content 1 has no placeholder", nil},
		{"nil content", letter(1), []xmlstream.Content{nil}, "content 0 is nil", nil},
		{"negative size", letter(1), []xmlstream.Content{content{size: -1}}, "impossible size", nil},
		{"overflowing size", letter(1), []xmlstream.Content{content{size: 1 << 62}}, "impossible size", nil},
		{"sizes that overflow together", letter(4), []xmlstream.Content{
			content{size: 1 << 60}, content{size: 1 << 60}, content{size: 1 << 60}, content{size: 2 << 60},
		}, "content 3 has an impossible size", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := xmlstream.New(tt.root, tt.contents)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error is %v, want one with %q", err, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("error %v is not %v", err, tt.is)
			}
			if strings.Contains(err.Error(), "hemmelig") {
				t.Errorf("error repeats the text: %v", err)
			}
		})
	}
}

func TestNewRefusesAPlaceholderThatStandsTwice(t *testing.T) {
	t.Parallel()
	root := letter(1)
	root.AddChild(xmlstream.Placeholder(0))
	if _, err := xmlstream.New(root, []xmlstream.Content{xmlstream.Bytes(nil)}); err == nil {
		t.Error("no error")
	}
}

func TestNewLeavesTheTreeAlone(t *testing.T) {
	t.Parallel()
	root := parse(t, `<a:x z="1" b="2" xmlns:a="u:a" xmlns:b="u:b"><b:y/><!-- c --></a:x>`)
	before := root.Copy()
	mustNew(t, root)
	var got, want strings.Builder
	root.WriteTo(&got, &etree.WriteSettings{})
	before.WriteTo(&want, &etree.WriteSettings{})
	if got.String() != want.String() {
		t.Errorf("the tree became %s", got.String())
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add("æ & <b>\r\n\t\"'", "x\r\n\t<>&\"'", "u:a&b", "u:c")
	f.Add("]]>", "", "", "")
	f.Add("\x00", "\uFFFE", "\xff", "u")
	f.Fuzz(func(t *testing.T, text, value, uri1, uri2 string) {
		root := etree.NewElement("a:x")
		root.CreateAttr("xmlns:a", uri1)
		root.CreateAttr("xmlns:b", uri2)
		root.CreateAttr("k", value)
		root.CreateText(text)
		root.CreateElement("b:y").CreateText(text)
		root.CreateElement("z").AddChild(xmlstream.Placeholder(0))
		d, err := xmlstream.New(root, []xmlstream.Content{xmlstream.Bytes([]byte(text))})
		if err != nil {
			return
		}
		got := readAll(t, d.Canonical())
		if int64(len(got)) != d.Canonical().Size() {
			t.Errorf("Size promised %d, got %d bytes", d.Canonical().Size(), len(got))
		}
		parsed := parse(t, string(got))
		if parsed.Text() != text || parsed.SelectAttrValue("k", "") != value {
			t.Errorf("text or attribute does not survive: %q, %q", text, value)
		}
		if again := goxmldsigCanonical(t, got); !bytes.Equal(again, got) {
			t.Errorf("goxmldsig makes\n%q\nof\n%q", again, got)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	root := etree.NewElement("m:a")
	root.CreateAttr("xmlns:m", "u:m")
	root.CreateAttr("xmlns:g", "u:g")
	for range 50 {
		root.CreateElement("m:b").CreateElement("g:c").CreateText("Indkaldelse til jobsamtale i Rådhuset & <andre> steder")
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := xmlstream.New(root, nil); err != nil {
			b.Fatal(err)
		}
	}
}
