package memo

import (
	"strconv"
	"strings"
)

// role is what an open element is.
type role uint8

const (
	roleClass   role = iota // a class of the model
	roleLeaf                // a property
	roleSkip                // unknown, or inside something unknown
	roleOutside             // around what is checked: an envelope nobody knows
)

// node is an open element.
type node struct {
	role   role
	class  *modelClass // of roleClass
	member *member     // nil for a root and for what is unknown
	name   string      // as in a path
	index  int
	at     place

	counts  [20]int32 // how many of each member
	highest int       // ordinal of the member that stands furthest back
	values  []held    // of the properties, where the class has rules
	kept    int       // children that Fix does not drop
	attrs   bool      // it has attributes
	aside   bool      // there is a comment or instruction in it
	stray   bool      // there is text between its elements, or an element in its text

	unknown   bool  // it has a child that its class does not know
	unordered bool  // its members are not in their order
	order     []int // the findings about the order of its members
	refused   bool  // it must not be there in this version, and Fix drops it

	tag     string // the name as it is written, or as Fix writes it
	renamed bool   // Fix gives it another prefix
	empty   bool   // written as <a/>
	inside  int64  // the byte after its start tag
	mark    int64  // the byte after the last thing in it that is not white space
	spans   []span // Fix: its children, each with what stands before it
}

// span is a child of a class: where it begins, with the white space and comments before it, and ends.
type span struct {
	from, to int64
	ordinal  int
}

// longestName bounds what a path repeats of an unknown element's name.
const longestName = 64

// push opens the element that the scanner found.
func (i *inspector) push(r role) *node {
	if len(i.nodes) < cap(i.nodes) {
		i.nodes = i.nodes[:len(i.nodes)+1]
	} else {
		i.nodes = append(i.nodes, node{})
	}
	n := &i.nodes[len(i.nodes)-1]
	*n = node{
		role: r, at: i.here(i.s.Offset), highest: -1, empty: i.s.Empty, inside: i.s.Limit, mark: i.s.Limit,
		values: n.values[:0], order: n.order[:0], spans: n.spans[:0],
	}
	for _, d := range i.s.Declared() {
		i.bound = append(i.bound, binding{prefix: string(d.Prefix), uri: d.URI, depth: len(i.nodes)})
	}
	return n
}

// pushUnknown opens an element under its own name.
func (i *inspector) pushUnknown(r role) *node {
	name := i.s.Local[:min(len(i.s.Local), longestName)]
	n := i.push(r)
	n.name = strings.ToValidUTF8(string(name), "")
	return n
}

// top is the innermost open element, nil before the root.
func (i *inspector) top() *node {
	if len(i.nodes) == 0 {
		return nil
	}
	return &i.nodes[len(i.nodes)-1]
}

// parent is the element around the innermost one, nil for the root.
func (i *inspector) parent() *node {
	if len(i.nodes) < 2 {
		return nil
	}
	return &i.nodes[len(i.nodes)-2]
}

// here is the place of an offset in what the scanner found.
func (i *inspector) here(offset int64) place {
	line, column := i.s.Position(offset)
	return place{offset: offset, line: line, column: column}
}

// path is the place below Message, as in Finding, of the innermost open element or of what it has under this name.
func (i *inspector) path(name string) string {
	nodes := i.nodes
	for k := range nodes {
		if nodes[k].role == roleClass && nodes[k].class.name == "Message" {
			nodes = nodes[k+1:]
			break
		}
	}
	var b strings.Builder
	for k := range nodes {
		if k > 0 {
			b.WriteByte('/')
		}
		b.WriteString(nodes[k].name)
		if nodes[k].index > 0 {
			b.WriteString("[" + strconv.Itoa(nodes[k].index) + "]")
		}
	}
	if name != "" && b.Len() > 0 {
		b.WriteByte('/')
	}
	b.WriteString(name)
	return b.String()
}

// hold is the value of a property of the class, with ok false when it has none.
func (n *node) hold(name string) (held, bool) {
	for _, v := range n.values {
		if v.name == name {
			return v, true
		}
	}
	return held{}, false
}

// count is how many members of a local name the class has.
func (n *node) count(name string) int {
	if x := n.class.find([]byte(name)); x != nil {
		return int(n.counts[x.ordinal])
	}
	return 0
}

// droppable tells whether leaving the element out loses nothing that someone wrote.
func (n *node) droppable() bool {
	return n.member != nil && n.member.least == 0 && n.kept == 0 && !n.attrs && !n.aside && !n.stray
}
