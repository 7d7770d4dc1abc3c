package beskedfordeler

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Limits of one document. Real messages are below 10 KB, 10 levels and 80
// elements; the caps leave room for long error texts.
const (
	maxBytes = 4 << 20
	maxDepth = 32
	maxNodes = 10_000
)

// node is one element: children or text, matched by local name.
type node struct {
	name     string
	text     []byte
	children []*node
}

// parse reads one document into a tree under the limits above.
func parse(field string, doc []byte) (*node, error) {
	if len(doc) > maxBytes {
		return nil, refuse(field, "is larger than the limit", nil)
	}
	doc = bytes.TrimPrefix(doc, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(doc)) == 0 {
		return nil, refuse(field, "is empty", ErrEmpty)
	}
	dec := xml.NewDecoder(bytes.NewReader(doc)) //nolint:gosec // tokens only, within the limits above, and no DTD
	dec.CharsetReader = utf8Only
	var t tree
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, refuse(field, "is not well-formed XML", err)
		}
		if wrong := t.take(tok); wrong != "" {
			return nil, refuse(field, wrong, nil)
		}
	}
	if t.root == nil {
		return nil, refuse(field, "has no root element", ErrEmpty)
	}
	return t.root, nil
}

// tree is a document while it is read.
type tree struct {
	root  *node
	stack []*node
	nodes int
}

// take adds one token, or says what is wrong with it.
func (t *tree) take(tok xml.Token) string {
	switch tok := tok.(type) {
	case xml.StartElement:
		return t.start(&node{name: tok.Name.Local})
	case xml.EndElement:
		top := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		if len(top.children) > 0 && len(bytes.TrimSpace(top.text)) > 0 {
			return "mixes text and elements"
		}
	case xml.CharData:
		if len(t.stack) > 0 {
			top := t.stack[len(t.stack)-1]
			top.text = append(top.text, tok...)
		} else if len(bytes.TrimSpace(tok)) > 0 {
			return "has text outside its root element"
		}
	case xml.Directive:
		return "has a DTD or another directive"
	}
	return ""
}

func (t *tree) start(n *node) string {
	if t.nodes++; t.nodes > maxNodes || len(t.stack) >= maxDepth {
		return "has too many or too deep elements"
	}
	switch {
	case len(t.stack) > 0:
		parent := t.stack[len(t.stack)-1]
		parent.children = append(parent.children, n)
	case t.root == nil:
		t.root = n
	default:
		return "has more than one root element"
	}
	t.stack = append(t.stack, n)
	return ""
}

// utf8Only accepts the labels real senders write for UTF-8 and nothing else.
func utf8Only(label string, in io.Reader) (io.Reader, error) {
	if strings.EqualFold(label, "utf8") || strings.EqualFold(label, "utf-8") {
		return in, nil
	}
	return nil, errors.New("the encoding is not UTF-8")
}

// reader walks a tree and keeps the first refusal, so that a field list reads
// as a list.
type reader struct{ err error }

func (r *reader) fail(field, reason string) {
	if r.err == nil {
		r.err = refuse(field, reason, nil)
	}
}

// child is the only child of n called name, nil when absent; a second one is
// refused.
func (r *reader) child(n *node, name string) *node {
	if n == nil {
		return nil
	}
	var found *node
	for _, c := range n.children {
		if c.name != name {
			continue
		}
		if found != nil {
			r.fail(n.name+"/"+name, "occurs more than once")
		}
		found = c
	}
	return found
}

// required is child, refused when absent.
func (r *reader) required(n *node, name string) *node {
	c := r.child(n, name)
	if c == nil {
		if n != nil {
			name = n.name + "/" + name
		}
		r.fail(name, "is missing")
	}
	return c
}

// text is the trimmed text of a leaf child; elements inside it are refused.
func (r *reader) text(n *node, name string) string {
	return strings.TrimSpace(r.verbatim(n, name))
}

// verbatim is the text of a leaf child as written.
func (r *reader) verbatim(n *node, name string) string {
	c := r.child(n, name)
	if c == nil {
		return ""
	}
	if len(c.children) > 0 {
		r.fail(n.name+"/"+name, "holds elements where text belongs")
		return ""
	}
	return string(c.text)
}
