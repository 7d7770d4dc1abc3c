package letterpdf

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

const language = "da"

// meta is what the XMP packet says.
type meta struct{ title, author, producer string }

// errShape means that fpdf's output is not what tag expects of the pinned version.
var errShape = errors.New("letterpdf: the written pages have an unexpected shape")

var trailer = regexp.MustCompile(`(?s)/Size (\d+)\s+/Root (\d+) 0 R\s+/Info (\d+) 0 R\s+>>\s+startxref\s+(\d+)\s+%%EOF\s*$`)

// update is an incremental update under construction. [src: ISO-32000-1 §7.5.6]
type update struct {
	out     bytes.Buffer
	offsets map[int]int
	next    int // the next free object number
}

func (u *update) reserve() int {
	u.next++
	return u.next - 1
}

func (u *update) object(n int, body string) {
	u.offsets[n] = u.out.Len()
	fmt.Fprintf(&u.out, "%d 0 obj\n%s\nendobj\n", n, body)
}

// tag appends an incremental update to what fpdf wrote: a catalog with the structure tree and the metadata, and the
// pages with their entry in the parent tree.
func tag(raw []byte, f *flow, about meta) ([]byte, error) {
	// Marked content needs PDF 1.4 and XMP 1.4; the header keeps its length, so no offset moves.
	if !bytes.HasPrefix(raw, []byte("%PDF-1.3\n")) {
		return nil, errShape
	}
	raw = append([]byte("%PDF-1.7"), raw[len("%PDF-1.3"):]...)
	m := trailer.FindSubmatch(raw)
	if m == nil {
		return nil, errShape
	}
	var numbers [4]int
	for k := range numbers {
		n, err := strconv.Atoi(string(m[k+1]))
		if err != nil {
			return nil, errShape
		}
		numbers[k] = n
	}
	size, root, info, previous := numbers[0], numbers[1], numbers[2], numbers[3]
	u := &update{offsets: make(map[int]int), next: size}
	u.out.Grow(len(raw) + len(raw)/4)
	u.out.Write(raw)

	for k := range f.pages {
		if err := u.page(raw, k); err != nil {
			return nil, err
		}
	}
	treeRoot := u.structure(f)
	metadata := u.reserve()
	packet := about.xmp()
	u.object(metadata, fmt.Sprintf("<</Type /Metadata /Subtype /XML /Length %d>>\nstream\n%s\nendstream", len(packet), packet))
	u.object(root, fmt.Sprintf("<</Type /Catalog\n/Pages 1 0 R\n/Lang (%s)\n/MarkInfo <</Marked true>>\n"+
		"/ViewerPreferences <</DisplayDocTitle true>>\n/StructTreeRoot %d 0 R\n/Metadata %d 0 R>>", language, treeRoot, metadata))
	return u.finish(root, info, previous), nil
}

// pageObject is the object number that fpdf gives page k, counted from 0: each page is followed by its content.
func pageObject(k int) int { return 3 + 2*k }

// page writes page k again with its key into the parent tree.
func (u *update) page(raw []byte, k int) error {
	n := pageObject(k)
	head := []byte(fmt.Sprintf("\n%d 0 obj\n<</Type /Page\n", n))
	_, rest, found := bytes.Cut(raw, head)
	entries, _, ends := bytes.Cut(rest, []byte("\nendobj\n"))
	if !found || !ends {
		return errShape
	}
	u.object(n, fmt.Sprintf("<</Type /Page\n/StructParents %d\n/Tabs /S\n%s", k, entries))
	return nil
}

// structure writes the structure tree and the parent tree and returns the number of the root.
func (u *update) structure(f *flow) int {
	root, parents := u.reserve(), u.reserve()
	owners := make([][]int, len(f.pages)) // owners[page][mcid] is the element's object
	document := u.element(f.root, root, owners)
	u.object(root, fmt.Sprintf("<</Type /StructTreeRoot /K [%d 0 R] /ParentTree %d 0 R /ParentTreeNextKey %d>>",
		document, parents, len(f.pages)))
	var nums strings.Builder
	for page, list := range owners {
		fmt.Fprintf(&nums, "%d [", page)
		for _, n := range list {
			fmt.Fprintf(&nums, "%d 0 R ", n)
		}
		nums.WriteString("]\n")
	}
	u.object(parents, "<</Nums ["+nums.String()+"]>>")
	return root
}

// element writes a node and everything below it and returns its number. Marks are met in the order of their numbers,
// because nodes are placed in reading order.
func (u *update) element(n *node, parent int, owners [][]int) int {
	own := u.reserve()
	var kids strings.Builder
	for _, m := range n.marks {
		for len(owners[m.page]) <= m.id {
			owners[m.page] = append(owners[m.page], 0)
		}
		owners[m.page][m.id] = own
		fmt.Fprintf(&kids, "<</Type /MCR /Pg %d 0 R /MCID %d>> ", pageObject(m.page), m.id)
	}
	for _, kid := range n.kids {
		fmt.Fprintf(&kids, "%d 0 R ", u.element(kid, own, owners))
	}
	u.object(own, fmt.Sprintf("<</Type /StructElem /S /%s /P %d 0 R /K [%s]>>", n.tag, parent, kids.String()))
	return own
}

// finish writes the cross-reference section and the trailer. The file identifier is a digest of everything before it.
func (u *update) finish(root, info, previous int) []byte {
	sum := sha256.Sum256(u.out.Bytes())
	start := u.out.Len()
	u.out.WriteString("xref\n")
	for n := range u.next {
		offset, written := u.offsets[n]
		if !written {
			continue
		}
		fmt.Fprintf(&u.out, "%d 1\n%010d 00000 n \n", n, offset)
	}
	fmt.Fprintf(&u.out, "trailer\n<</Size %d /Root %d 0 R /Info %d 0 R /Prev %d /ID [<%x> <%x>]>>\nstartxref\n%d\n%%%%EOF\n",
		u.next, root, info, previous, sum[:16], sum[:16], start)
	return u.out.Bytes()
}

// xmp writes the metadata packet. [src: ISO-16684-1]
func (a meta) xmp() string {
	var b strings.Builder
	b.WriteString("<?xpacket begin=\"\ufeff\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">` +
		`<dc:title><rdf:Alt><rdf:li xml:lang="x-default">` + escape(a.title) + `</rdf:li></rdf:Alt></dc:title>`)
	if a.author != "" {
		b.WriteString(`<dc:creator><rdf:Seq><rdf:li>` + escape(a.author) + `</rdf:li></rdf:Seq></dc:creator>`)
	}
	b.WriteString(`<dc:language><rdf:Bag><rdf:li>` + language + `</rdf:li></rdf:Bag></dc:language>` +
		`<pdf:Producer>` + escape(a.producer) + `</pdf:Producer></rdf:Description></rdf:RDF></x:xmpmeta>` + "\n<?xpacket end=\"r\"?>")
	return b.String()
}

func escape(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return "" // a bytes.Buffer takes everything
	}
	return b.String()
}
