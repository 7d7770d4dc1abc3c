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

// class starts the element of a class. The root and every class of a foreign namespace declare their prefix.
func class(tag string) *etree.Element {
	e := etree.NewElement(tag)
	if e.Space != "memo" || e.Tag == "Message" {
		e.Attr = append(e.Attr, etree.Attr{Space: "xmlns", Key: e.Space, Value: namespace(e.Space)})
	}
	return e
}

// leaf writes a property in the namespace of its class, empty or not.
func leaf(parent *etree.Element, name, value string) {
	e := etree.NewElement(name)
	e.Space = parent.Space
	if value != "" {
		e.AddChild(etree.NewText(value))
	}
	parent.AddChild(e)
}

func optional(parent *etree.Element, name, value string) {
	if value != "" {
		leaf(parent, name, value)
	}
}

func boolean(parent *etree.Element, name string, value bool) {
	leaf(parent, name, strconv.FormatBool(value))
}

// dateTime writes a mandatory time; the zero time gives an empty element, which no schema takes.
func dateTime(parent *etree.Element, name string, t time.Time) {
	leaf(parent, name, formatTime(t))
}

func optionalTime(parent *etree.Element, name string, t time.Time) {
	optional(parent, name, formatTime(t))
}

// formatTime is memoDateTimeType: real UTC, whole seconds, Z. The zero time is empty.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// add writes an optional class; nil writes nothing.
func add[P interface {
	*C
	element() *etree.Element
}, C any](parent *etree.Element, p P) {
	if p != nil {
		parent.AddChild(p.element())
	}
}

// addAll writes a repeated class.
func addAll[C interface{ element() *etree.Element }](parent *etree.Element, classes []C) {
	for _, c := range classes {
		parent.AddChild(c.element())
	}
}

// files collects the contents of File classes in document order.
type files struct {
	first    int
	contents []xmlstream.Content
	missing  int // files without a Content
}

// placeholder returns the token that stands for a content.
func (f *files) placeholder(c xmlstream.Content) etree.Token {
	if c == nil {
		f.missing++
	}
	f.contents = append(f.contents, c)
	return xmlstream.Placeholder(f.first + len(f.contents) - 1)
}

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
