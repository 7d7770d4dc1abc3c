package fjernprint

import (
	"strconv"
	"time"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// Namespace is the namespace of ForsendelseI and of the ForsendelseISamling around it. [src: FJERNPRINT-XSD ForsendelseI]
const Namespace = "urn:oio:fjernprint:1.0.0"

// space is a namespace, by the prefix that is written; that of Fjernprint itself is the default one.
type space string

// The namespaces of ForsendelseI. An address mixes six of them, and siblings differ. [src: FJERNPRINT-XSD KontaktOplysning]
const (
	fp    space = ""
	dkal  space = "dkal"
	adir  space = "adir"
	sd    space = "sd"
	itst  space = "itst"
	d03   space = "d03"
	d0315 space = "d0315"
	d0513 space = "d0513"
	d0519 space = "d0519"
)

func (s space) uri() string {
	const dkcc = "http://rep.oio.dk/ebxml/xml/schemas/dkcc/"
	switch s {
	case fp:
		return Namespace
	case dkal:
		return "urn:oio:dkal:1.0.0"
	case adir:
		return "urn:oio:adir:dagpenge:2009.07.01"
	case sd:
		return "urn:oio:sagdok:3.0.0"
	case itst:
		return "http://rep.oio.dk/itst.dk/xml/schemas/2006/01/17/"
	case d03:
		return dkcc + "2003/02/13/"
	case d0315:
		return dkcc + "2005/03/15/"
	case d0513:
		return dkcc + "2005/05/13/"
	case d0519:
		return dkcc + "2005/05/19/"
	}
	return Namespace
}

// output is where a writer writes: a tree, or the document itself.
type output interface {
	Open(prefix, local, uri string, attrs ...xmlstream.Attr)
	Text(text string)
	Content(c xmlstream.Content)
	Close()
}

// writer writes classes and their properties.
type writer struct {
	out     output
	missing int // files without a Content
}

func (w *writer) open(s space, name string, attrs ...xmlstream.Attr) {
	w.out.Open(string(s), name, s.uri(), attrs...)
}

func (w *writer) close() { w.out.Close() }

// leaf writes a property, empty or not.
func (w *writer) leaf(s space, name, value string, attrs ...xmlstream.Attr) {
	w.open(s, name, attrs...)
	if value != "" {
		w.out.Text(value)
	}
	w.close()
}

func (w *writer) optional(s space, name, value string) {
	if value != "" {
		w.leaf(s, name, value)
	}
}

// number writes an integer whose zero means absent.
func (w *writer) number(s space, name string, n int64) {
	if n != 0 {
		w.leaf(s, name, strconv.FormatInt(n, 10))
	}
}

func (w *writer) indikator(name string, i Indikator) {
	if i != Uangivet {
		w.leaf(fp, name, strconv.FormatBool(i == Ja))
	}
}

// content writes the place of a file.
func (w *writer) content(s space, name string, c xmlstream.Content) {
	w.open(s, name)
	if c == nil {
		w.missing++
	} else {
		w.out.Content(c)
	}
	w.close()
}

func (w *writer) dateTime(s space, name string, t time.Time) {
	if !t.IsZero() {
		w.leaf(s, name, t.UTC().Format("2006-01-02T15:04:05Z"))
	}
}

// date writes the day a time shows in its own location.
func (w *writer) date(s space, name string, t time.Time) {
	if !t.IsZero() {
		w.leaf(s, name, t.Format(time.DateOnly))
	}
}

// tree is an output that builds an etree, with placeholders where the contents go.
type tree struct {
	first    int // number of the first placeholder
	contents []xmlstream.Content
	root, at *etree.Element
}

// Open declares a prefix where no element around has it; the prefixes of this package never change their namespace.
func (t *tree) Open(prefix, local, uri string, attrs ...xmlstream.Attr) {
	e := &etree.Element{Space: prefix, Tag: local}
	declared := false
	for above := t.at; above != nil && !declared; above = above.Parent() {
		declared = above.Space == prefix
	}
	switch {
	case declared:
	case prefix == "":
		e.CreateAttr("xmlns", uri)
	default:
		e.CreateAttr("xmlns:"+prefix, uri)
	}
	for _, a := range attrs {
		e.CreateAttr(a.Name, a.Value)
	}
	if t.at == nil {
		t.root = e
	} else {
		t.at.AddChild(e)
	}
	t.at = e
}

// Text adds character data.
func (t *tree) Text(text string) { t.at.AddChild(etree.NewText(text)) }

// Content adds a placeholder.
func (t *tree) Content(c xmlstream.Content) {
	t.at.AddChild(xmlstream.Placeholder(t.first + len(t.contents)))
	t.contents = append(t.contents, c)
}

// Close goes back to the parent.
func (t *tree) Close() { t.at = t.at.Parent() }
