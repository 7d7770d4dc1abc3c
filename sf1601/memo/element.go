package memo

import (
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// Namespaces of MeMo 1.0, 1.1 and 1.2 by the prefix that is written.
const (
	NamespaceMemo = "https://DigitalPost.dk/MeMo-1"
	NamespaceGrd  = "https://data.gov.dk/model/core/"
	NamespaceGln  = "https://www.gs1.dk/gs1-standarder/identifikation/gln-global-location-number/"
	NamespaceSor  = "https://services.nsi.dk/en/Services/SOR"
	NamespaceDmv  = "https://motorregister.skat.dk/"
	NamespaceKle  = "http://kle-online.dk/"
	NamespaceForm = "http://www.form-online.dk/"
	NamespaceUdd  = "https://www.dst.dk/da/TilSalg/Forskningsservice/Dokumentation/hoejkvalitetsvariable/elevregister-2/udd#"
)

func namespace(prefix string) string {
	switch prefix {
	case "grd":
		return NamespaceGrd
	case "gln":
		return NamespaceGln
	case "sor":
		return NamespaceSor
	case "dmv":
		return NamespaceDmv
	case "kle":
		return NamespaceKle
	case "form":
		return NamespaceForm
	case "udd":
		return NamespaceUdd
	default:
		return NamespaceMemo
	}
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
	version  Version
	out      output
	prefixes []string // of the open classes; a property has that of its class
	missing  int      // files without a Content
}

// open starts the element of a class.
func (w *writer) open(tag string, attrs ...xmlstream.Attr) {
	prefix, local, _ := strings.Cut(tag, ":")
	w.prefixes = append(w.prefixes, prefix)
	w.out.Open(prefix, local, namespace(prefix), attrs...)
}

func (w *writer) close() {
	w.prefixes = w.prefixes[:len(w.prefixes)-1]
	w.out.Close()
}

// leaf writes a property in the namespace of its class, empty or not.
func (w *writer) leaf(name, value string) {
	prefix := w.prefixes[len(w.prefixes)-1]
	w.out.Open(prefix, name, namespace(prefix))
	if value != "" {
		w.out.Text(value)
	}
	w.out.Close()
}

func (w *writer) optional(name, value string) {
	if value != "" {
		w.leaf(name, value)
	}
}

func (w *writer) boolean(name string, value bool) { w.leaf(name, strconv.FormatBool(value)) }

// dateTime writes a mandatory time; the zero time gives an empty element, which no schema takes.
func (w *writer) dateTime(name string, t time.Time) { w.leaf(name, formatTime(t)) }

func (w *writer) optionalTime(name string, t time.Time) { w.optional(name, formatTime(t)) }

// content writes the place of a content.
func (w *writer) content(name string, c xmlstream.Content) {
	prefix := w.prefixes[len(w.prefixes)-1]
	w.out.Open(prefix, name, namespace(prefix))
	if c == nil {
		w.missing++
	} else {
		w.out.Content(c)
	}
	w.out.Close()
}

// formatTime is memoDateTimeType: real UTC, whole seconds, Z. The zero time is empty.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// writeOne writes an optional class; nil writes nothing.
func writeOne[P interface {
	*C
	write(w *writer)
}, C any](w *writer, p P) {
	if p != nil {
		p.write(w)
	}
}

// writeAll writes a repeated class.
func writeAll[C interface{ write(w *writer) }](w *writer, classes []C) {
	for _, c := range classes {
		c.write(w)
	}
}

// tree is an output that builds an etree, with placeholders where the contents go.
type tree struct {
	first    int // number of the first placeholder
	contents []xmlstream.Content
	root     *etree.Element
	at       *etree.Element
}

// Open declares a prefix where no element around has it.
func (t *tree) Open(prefix, local, uri string, attrs ...xmlstream.Attr) {
	e := &etree.Element{Space: prefix, Tag: local}
	declared := false
	for above := t.at; above != nil && !declared; above = above.Parent() {
		declared = above.Space == prefix
	}
	if !declared {
		e.Attr = append(e.Attr, etree.Attr{Space: "xmlns", Key: prefix, Value: uri})
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

// Date is a day without a time or zone: doNotDeliverUntilDate is the only property of type xs:date. The zero Date is
// absent.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day that t shows in its own location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{year, month, day}
}

// IsZero tells whether the date is absent.
func (d Date) IsZero() bool { return d == Date{} }

// valid tells whether the calendar has the day.
func (d Date) valid() bool {
	return d.Year > 0 && d.Year < 10000 && d == DateOf(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC))
}

// String returns the date as 2006-01-02.
func (d Date) String() string {
	var b strings.Builder
	b.WriteString(pad(d.Year, 4))
	b.WriteByte('-')
	b.WriteString(pad(int(d.Month), 2))
	b.WriteByte('-')
	b.WriteString(pad(d.Day, 2))
	return b.String()
}

func pad(n, width int) string {
	s := strconv.Itoa(n)
	return strings.Repeat("0", max(0, width-len(s))) + s
}
