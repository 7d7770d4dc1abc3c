package letterpdf

import "strconv"

// node is an element of the structure tree.
type node struct {
	tag   string // standard structure type [src: ISO-32000-1 §14.8.4]
	kids  []*node
	marks []mark
}

// mark is a marked-content sequence that belongs to a node.
type mark struct{ page, id int }

func (n *node) add(tag string) *node {
	kid := &node{tag: tag}
	n.kids = append(n.kids, kid)
	return kid
}

// run is one line of text in its place; x and y are the left end of its base line in millimetres.
type run struct {
	x, y float64
	face *typeface
	size float64
	text string
	node *node // nil: an artifact
}

// flow places lines on pages, in reading order.
type flow struct {
	layout        Layout
	m             *measurer
	regular, bold *typeface
	root          *node
	pages         [][]run
	top           float64 // where the next line begins
}

// gap is the space between paragraphs in lines.
const gap = 0.6

const (
	listIndent = 3.0 // millimetres before the label of a list item
	listBody   = 9.0 // millimetres before its text
)

// put places a line whose upper edge is at top on the current page.
func (f *flow) put(n *node, face *typeface, size, x, top float64, text string) {
	last := len(f.pages) - 1
	f.pages[last] = append(f.pages[last], run{x: x, y: top + size*point, face: face, size: size, text: text, node: n})
}

// fixed places lines below each other from the top of a box and reports whether they fit.
func (f *flow) fixed(n *node, face *typeface, size, height float64, box Box, lines []string) bool {
	top := box.Top
	for _, text := range f.wrapped(face, size, box.Width, lines) {
		if top+height > box.Top+box.Height+1e-6 {
			return false
		}
		f.put(n, face, size, box.Left, top, text)
		top += height
	}
	return true
}

// wrapped wraps each of the lines. All but the last end in a space, which keeps the words apart for whoever reads the
// lines as one text.
func (f *flow) wrapped(face *typeface, size, limit float64, lines []string) []string {
	var out []string
	for _, text := range lines {
		out = append(out, f.m.wrap(face, size, limit, text)...)
	}
	for k := range len(out) - 1 {
		out[k] += " "
	}
	return out
}

// need begins a new page when fewer than so many millimetres are left on this one.
func (f *flow) need(height float64) {
	if f.top+height > f.layout.Body.Top+f.layout.Body.Height+1e-6 {
		f.pages = append(f.pages, nil)
		f.top = f.layout.NextTop
	}
}

// paragraph places a text in the body, indented by so many millimetres.
func (f *flow) paragraph(n *node, face *typeface, size, height, indent float64, lines []string) {
	wrapped := f.wrapped(face, size, f.layout.Body.Width-indent, lines)
	for k, text := range wrapped {
		// No paragraph leaves its first line alone at the foot of a page.
		if k == 0 && len(wrapped) > 1 {
			f.need(2 * height)
		}
		f.need(height)
		f.put(n, face, size, f.layout.Body.Left+indent, f.top, text)
		f.top += height
	}
}

// text places the paragraphs and lists of a text.
func (f *flow) text(text string) {
	l := f.layout
	var list *node
	numbered := false
	for k, b := range blocks(text) {
		if b.label == "" {
			list = nil
			if k > 0 {
				f.top += gap * l.Line
			}
			f.paragraph(f.root.add("P"), f.regular, l.Size, l.Line, 0, b.lines)
			continue
		}
		if list == nil || numbered != (b.label != bullet) {
			list, numbered = f.root.add("L"), b.label != bullet
			if k > 0 {
				f.top += gap * l.Line
			}
		}
		li := list.add("LI")
		f.need(min(2, float64(len(b.lines))) * l.Line)
		f.put(li.add("Lbl"), f.regular, l.Size, l.Body.Left+listIndent, f.top, b.label+" ")
		f.paragraph(li.add("LBody"), f.regular, l.Size, l.Line, listBody, b.lines)
	}
}

// section places a headline and the lines under it; the headline stays with the first of them.
func (f *flow) section(s Section) {
	l := f.layout
	f.top += gap * 2 * l.Line
	f.need(float64(1+min(2, len(s.Lines))) * l.Line)
	f.paragraph(f.root.add("H2"), f.bold, l.Size, l.Line, 0, []string{s.Title})
	for _, text := range s.Lines {
		f.paragraph(f.root.add("P"), f.regular, l.Size, l.Line, 0, []string{text})
	}
}

// numbers writes "Side 1 af 3" on every page, as an artifact.
func (f *flow) numbers() {
	const size = 9
	for k := range f.pages {
		text := "Side " + strconv.Itoa(k+1) + " af " + strconv.Itoa(len(f.pages))
		x := f.layout.Body.Left + f.layout.Body.Width - f.m.width(f.regular, size, text)
		f.pages[k] = append(f.pages[k], run{x: x, y: f.layout.FootTop, face: f.regular, size: size, text: text})
	}
}
