package xmlstream

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/beevik/etree"
)

const (
	xmlnsPrefix  = "xmlns"
	xmlPrefix    = "xml"
	xmlNamespace = "http://www.w3.org/XML/1998/namespace"
)

// binding is a namespace declaration; the prefix of the default namespace is empty.
type binding struct{ prefix, uri string }

// attribute is an attribute that is not a declaration, with its namespace looked up.
type attribute struct{ uri, prefix, name, value string }

// canonicalWriter serialises a tree in exclusive canonical form. scope holds the declarations of the tree, rendered
// those already written; in both the innermost stands last.
type canonicalWriter struct {
	buf      []byte
	cuts     []cut
	scope    []binding
	rendered []binding
	attrs    []attribute // scratch of one start tag
}

func (w *canonicalWriter) element(el *etree.Element) error {
	scope, rendered := len(w.scope), len(w.rendered)
	if err := w.startTag(el); err != nil {
		return fmt.Errorf("element %s: %w", el.GetPath(), err)
	}
	for _, child := range el.Child {
		if err := w.child(el, child); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, "</"...)
	w.buf = appendName(w.buf, el.Space, el.Tag)
	w.buf = append(w.buf, '>')
	w.scope, w.rendered = w.scope[:scope], w.rendered[:rendered]
	return nil
}

func (w *canonicalWriter) child(el *etree.Element, token etree.Token) error {
	var err error
	switch t := token.(type) {
	case *etree.Element:
		return w.element(t)
	case *etree.CharData:
		w.buf, err = appendEscaped(w.buf, t.Data, textEscape)
	case *etree.ProcInst:
		err = w.placeholder(t)
	case *etree.Comment: // canonical form without comments
	default:
		err = errors.New("a directive cannot be written")
	}
	if err != nil {
		return fmt.Errorf("element %s: %w", el.GetPath(), err)
	}
	return nil
}

func (w *canonicalWriter) placeholder(p *etree.ProcInst) error {
	if p.Target != placeholderTarget {
		return errors.New("a processing instruction is not a placeholder")
	}
	n, err := strconv.Atoi(p.Inst)
	if err != nil || n < 0 {
		return errors.New("a placeholder has no number")
	}
	w.cuts = append(w.cuts, cut{at: len(w.buf), content: n})
	return nil
}

// startTag writes the start tag: the declarations this element is the first to need, sorted by prefix, then the
// attributes, sorted by namespace and local name. [src: EXC-C14N section 3]
func (w *canonicalWriter) startTag(el *etree.Element) error {
	if !validName(el.Tag) || (el.Space != "" && !validName(el.Space)) {
		return errors.New("not a name")
	}
	if err := w.enterScope(el.Attr); err != nil {
		return err
	}
	first := len(w.rendered)
	if err := w.use(el.Space); err != nil {
		return err
	}
	if err := w.collect(el.Attr); err != nil {
		return err
	}
	added := w.rendered[first:]
	slices.SortFunc(added, func(a, b binding) int { return strings.Compare(a.prefix, b.prefix) })

	w.buf = append(w.buf, '<')
	w.buf = appendName(w.buf, el.Space, el.Tag)
	for _, b := range added {
		if b.prefix == "" {
			w.buf = append(w.buf, " xmlns"...)
		} else {
			w.buf = append(w.buf, " xmlns:"...)
			w.buf = append(w.buf, b.prefix...)
		}
		if err := w.value(b.uri); err != nil {
			return err
		}
	}
	for _, a := range w.attrs {
		w.buf = append(w.buf, ' ')
		w.buf = appendName(w.buf, a.prefix, a.name)
		if err := w.value(a.value); err != nil {
			return err
		}
	}
	w.buf = append(w.buf, '>')
	return nil
}

func (w *canonicalWriter) value(v string) error {
	w.buf = append(w.buf, '=', '"')
	var err error
	w.buf, err = appendEscaped(w.buf, v, attributeEscape)
	w.buf = append(w.buf, '"')
	return err
}

// enterScope takes the element's own declarations into scope.
func (w *canonicalWriter) enterScope(attrs []etree.Attr) error {
	for _, a := range attrs {
		if !isDeclaration(a) {
			continue
		}
		prefix := a.Key
		if a.Space == "" {
			prefix = ""
		}
		if prefix != "" && a.Value == "" || prefix == xmlnsPrefix || prefix == xmlPrefix && a.Value != xmlNamespace {
			return errors.New("a namespace declaration is not allowed by Namespaces in XML 1.0")
		}
		w.scope = append(w.scope, binding{prefix, a.Value})
	}
	return nil
}

// use makes sure that a visibly used prefix is declared here or above.
func (w *canonicalWriter) use(prefix string) error {
	if prefix == xmlPrefix {
		return nil
	}
	uri, declared := lookup(w.scope, prefix)
	if prefix != "" && !declared {
		return fmt.Errorf("prefix %q is not declared", prefix)
	}
	if got, done := lookup(w.rendered, prefix); got == uri && (done || prefix == "") {
		return nil
	}
	w.rendered = append(w.rendered, binding{prefix, uri})
	return nil
}

// collect puts the real attributes into w.attrs in canonical order and declares their prefixes.
func (w *canonicalWriter) collect(attrs []etree.Attr) error {
	w.attrs = w.attrs[:0]
	for _, a := range attrs {
		if isDeclaration(a) {
			continue
		}
		if !validName(a.Key) || (a.Space != "" && !validName(a.Space)) {
			return errors.New("an attribute has no proper name")
		}
		uri := ""
		switch a.Space {
		case "":
		case xmlPrefix:
			uri = xmlNamespace
		default:
			if err := w.use(a.Space); err != nil {
				return err
			}
			uri, _ = lookup(w.scope, a.Space)
		}
		w.attrs = append(w.attrs, attribute{uri, a.Space, a.Key, a.Value})
	}
	slices.SortFunc(w.attrs, compareAttributes)
	for i := 1; i < len(w.attrs); i++ {
		if compareAttributes(w.attrs[i-1], w.attrs[i]) == 0 {
			return errors.New("an attribute stands twice")
		}
	}
	return nil
}

func compareAttributes(a, b attribute) int {
	return cmp.Or(strings.Compare(a.uri, b.uri), strings.Compare(a.name, b.name))
}

func isDeclaration(a etree.Attr) bool {
	return a.Space == xmlnsPrefix || a.Space == "" && a.Key == xmlnsPrefix
}

func lookup(bindings []binding, prefix string) (string, bool) {
	for _, b := range slices.Backward(bindings) {
		if b.prefix == prefix {
			return b.uri, true
		}
	}
	return "", false
}

func appendName(buf []byte, prefix, name string) []byte {
	if prefix != "" {
		buf = append(buf, prefix...)
		buf = append(buf, ':')
	}
	return append(buf, name...)
}

// validName tells whether s can stand as a name without a colon: letters, digits, `_`, `-` and `.`, not starting with a
// digit, `-` or `.`. That is the part of NCName (Namespaces in XML 1.0) which the public sector's schemas use.
func validName(s string) bool {
	for i, r := range s {
		letter := r == '_' || unicode.IsLetter(r)
		if !letter && (i == 0 || r != '-' && r != '.' && !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

// textEscape and attributeEscape are the replacements of canonical form. [src: C14N section 2.3]
func textEscape(c byte) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '>':
		return "&gt;"
	case '\r':
		return "&#xD;"
	}
	return ""
}

func attributeEscape(c byte) string {
	switch c {
	case '&':
		return "&amp;"
	case '<':
		return "&lt;"
	case '"':
		return "&quot;"
	case '\t':
		return "&#x9;"
	case '\n':
		return "&#xA;"
	case '\r':
		return "&#xD;"
	}
	return ""
}

// ErrCharacter tells that a text holds bytes which are not UTF-8 or a character which XML 1.0 does not allow.
var ErrCharacter = errors.New("a character is not allowed in XML")

// ValidText tells whether s is UTF-8 made of characters that XML 1.0 allows (section 2.2, production Char). New refuses
// any other text with ErrCharacter.
func ValidText(s string) bool {
	for i, r := range s {
		switch {
		case r == utf8.RuneError:
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return false
			}
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0xFFFE, r == 0xFFFF:
			return false
		}
	}
	return true
}

// appendEscaped appends s with the replacements of escape, which are all of single bytes below 0x80.
func appendEscaped(buf []byte, s string, escape func(byte) string) ([]byte, error) {
	if !ValidText(s) {
		return buf, ErrCharacter
	}
	start := 0
	for i := range len(s) {
		if replacement := escape(s[i]); replacement != "" {
			buf = append(append(buf, s[start:i]...), replacement...)
			start = i + 1
		}
	}
	return append(buf, s[start:]...), nil
}
