package memo_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/memo/memotest"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// corpusSize is how many random messages of each version are made.
const corpusSize = 600

// corpus makes the same random messages every time.
func corpus(v memo.Version) []*memo.Message {
	messages := make([]*memo.Message, corpusSize)
	for i := range messages {
		messages[i] = memotest.Random(rand.New(rand.NewPCG(uint64(i), 3)), v)
	}
	return messages
}

// forEachVersion runs a test for both versions.
func forEachVersion(t *testing.T, test func(t *testing.T, v memo.Version)) {
	t.Helper()
	for _, v := range versions {
		t.Run(string(v), func(t *testing.T) {
			t.Parallel()
			test(t, v)
		})
	}
}

func TestRandomMessagesAreValidByRulesAndSchema(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, v memo.Version) {
		t.Helper()
		var documents [][]byte
		filled := map[string]bool{}
		for i, m := range corpus(v) {
			if err := m.Validate(); err != nil {
				t.Fatalf("message %d: %v", i, err)
			}
			documents = append(documents, render(t, m))
			collectFields(reflect.ValueOf(m), filled)
		}
		for name, done := range filled {
			only12 := name == "Sender.Representative" || name == "ForwardData.OriginalRepresentative"
			only11 := strings.HasSuffix(name, ".IDTypeLabel")
			if !done && (!only12 || v == memo.V1_2) && (!only11 || v == memo.V1_1) {
				t.Errorf("%s is never filled", name)
			}
		}
		if v == memo.V1_1 {
			memotest.ValidateXSD(t, documents...)
		} else {
			memotest.ValidateXSD12(t, documents...)
		}
	})
}

func TestRandomMessagesComeBackEqual(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, v memo.Version) {
		t.Helper()
		for i, m := range corpus(v) {
			document := render(t, m)
			back := read(t, document)
			if !reflect.DeepEqual(back, m) {
				t.Fatalf("message %d: got\n%+v\nwant\n%+v", i, back, m)
			}
			if again := render(t, back); !bytes.Equal(again, document) {
				t.Fatalf("message %d: got\n%s\nwant\n%s", i, again, document)
			}
		}
	})
}

// Whatever a sender may write differently is gone after reading and writing: see the package documentation.
func TestDisguisedMessagesComeBackCanonical(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, v memo.Version) {
		t.Helper()
		for i, m := range corpus(v) {
			want := render(t, m)
			disguised := disguise(t, rand.New(rand.NewPCG(uint64(i), 4)), want)
			m, err := memo.Read(t.Context(), bytes.NewReader(disguised), memo.ReadOptions{Sink: memo.InMemory()})
			if err != nil {
				t.Fatalf("message %d: %v\n%s", i, err, disguised)
			}
			if got := render(t, m); !bytes.Equal(got, want) {
				t.Fatalf("message %d: got\n%s\nwant\n%s\nfrom\n%s", i, got, want, disguised)
			}
		}
	})
}

// disguise writes a document in one of the many ways that mean the same.
func disguise(t *testing.T, r *rand.Rand, document []byte) []byte {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(document); err != nil {
		t.Fatal(err)
	}
	d := disguiser{Rand: r, prefixes: map[string]string{}, pretty: r.IntN(2) == 0}
	d.WriteString([]string{"", "\xEF\xBB\xBF"}[r.IntN(2)])
	d.WriteString([]string{
		"", `<?xml version="1.0"?>`, `<?xml version="1.0" encoding='utf8'?>`, `<?xml version='1.0' encoding="utf-8" standalone="yes" ?>`,
	}[r.IntN(4)])
	d.noise()
	d.element(doc.Root(), 0)
	d.noise()
	return d.Bytes()
}

type disguiser struct {
	bytes.Buffer
	*rand.Rand
	prefixes map[string]string // by URI; all are declared on the root
	pretty   bool
}

// noise writes what may stand between elements.
func (d *disguiser) noise() {
	if d.pretty {
		d.WriteString([]string{"\n", "\r\n\t", "  "}[d.IntN(3)])
	}
	if d.IntN(10) == 0 {
		d.WriteString([]string{"<!-- kommentar & <memo:label> -->", "<?værktøj gem?>", "<!---->"}[d.IntN(3)])
	}
}

func (d *disguiser) element(e *etree.Element, depth int) {
	if depth == 0 {
		d.declare()
	}
	name := d.prefixes[e.NamespaceURI()] + e.Tag
	d.WriteString("<" + name)
	if depth == 0 {
		for uri, prefix := range d.prefixes {
			d.WriteString(strings.TrimSuffix(" xmlns:"+prefix, ":") + d.quote(uri))
		}
		d.WriteString("\n" + ` xmlns:rid="https://www.nets.eu/løsninger" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"`)
		d.WriteString(" xsi:schemaLocation = 'https://DigitalPost.dk/MeMo-1 MeMo_core.xsd' memoSchVersion" + d.quote("1.1.0"))
		d.WriteString(" memoVersion" + d.quote(e.SelectAttrValue("memoVersion", "")+strings.Repeat("0", d.IntN(2))))
	}
	if len(e.Child) == 0 && d.IntN(2) == 0 {
		d.WriteString([]string{"/>", " />"}[d.IntN(2)])
		return
	}
	d.WriteString(strings.Repeat(" ", d.IntN(2)) + ">")
	children := e.ChildElements()
	for _, child := range children {
		d.noise()
		d.element(child, depth+1)
	}
	if len(children) > 0 {
		d.noise()
	} else {
		d.leaf(e.Tag, e.Text())
	}
	d.WriteString("</" + name + strings.Repeat("\n", d.IntN(2)) + ">")
}

// declare gives every namespace a prefix, or makes that of MeMo the default. The map is written in any order.
func (d *disguiser) declare() {
	for i, uri := range []string{
		memo.NamespaceMemo, memo.NamespaceGrd, memo.NamespaceGln, memo.NamespaceSor,
		memo.NamespaceDmv, memo.NamespaceKle, memo.NamespaceForm, memo.NamespaceUdd,
	} {
		d.prefixes[uri] = fmt.Sprintf("n%d-%d:", i, d.IntN(10))
	}
	if d.IntN(2) == 0 {
		d.prefixes[memo.NamespaceMemo] = ""
	}
}

func (d *disguiser) quote(value string) string {
	if d.IntN(2) == 0 {
		return `="` + value + `"`
	}
	return ` = '` + strings.ReplaceAll(value, "e", "&#x65;") + "'"
}

// leaf writes a property: texts keep every character, other types only their value.
func (d *disguiser) leaf(tag, text string) {
	switch {
	case tag == "content":
		for line := range slicesOf(text, 1+d.IntN(200)) {
			d.WriteString(line + []string{"\n", "\r\n", " \t", "&#10;", "<!-- x -->"}[d.IntN(5)])
		}
	case tag == "mandatory" || tag == "legalNotification" || tag == "reply":
		d.WriteString(map[string][]string{"true": {"true", "1", " true\n"}, "false": {"false", "0", ""}}[text][d.IntN(3)])
	case strings.HasSuffix(tag, "DateTime"):
		d.WriteString(strings.TrimSuffix(text, "Z") + []string{"Z", ".999Z", ".5+00:00", "-00:00 "}[d.IntN(4)])
	case tag == "doNotDeliverUntilDate":
		d.WriteString(text + []string{"", "Z", "+02:00"}[d.IntN(3)])
	case tag == "language" || tag == "url" || tag == "productionUnitNumber":
		d.WriteString("\n " + strings.ReplaceAll(text, "&", "&amp;") + "\t")
	default:
		for part := range slicesOf(text, 1+d.IntN(40)) {
			d.text(part)
		}
	}
}

// text writes a text escaped, as references or as CDATA.
func (d *disguiser) text(text string) {
	if d.IntN(3) == 0 && !strings.ContainsAny(text, "\r]") {
		d.WriteString("<![CDATA[" + text + "]]>")
		return
	}
	for _, c := range text {
		switch {
		case c == '<' || c == '&' || c == '>' || c == '\r' || d.IntN(20) == 0:
			fmt.Fprintf(d, []string{"&#%d;", "&#x%X;", "&#x%x;"}[d.IntN(3)], c)
		case c == '\n' && d.IntN(2) == 0:
			d.WriteString("\r\n")
		default:
			d.WriteRune(c)
		}
	}
}

// slicesOf yields text in pieces of n characters.
func slicesOf(text string, n int) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		runes := []rune(text)
		for len(runes) > 0 {
			k := min(n, len(runes))
			if !yield(string(runes[:k])) {
				return
			}
			runes = runes[k:]
		}
	}
}

// Element and Document write the same, by two ways.
func TestElementIsTheDocument(t *testing.T) {
	t.Parallel()
	forEachVersion(t, func(t *testing.T, v memo.Version) {
		t.Helper()
		for i, m := range corpus(v) {
			e, contents, err := m.Element(0)
			if err != nil {
				t.Fatal(err)
			}
			d, err := xmlstream.New(e, contents)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := stream(t, d), render(t, m); !bytes.Equal(got, want) {
				t.Fatalf("message %d: got\n%s\nwant\n%s", i, got, want)
			}
		}
	})
}
