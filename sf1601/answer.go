package sf1601

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of an answer: real ones have a few hundred bytes.
const (
	maxAnswer      = 1 << 20
	maxAnswerDepth = 64
)

// MaxKept is how many bytes of an answer are handed on as they came.
const MaxKept = 64 << 10

// kept is the answer for those who keep it. What came of a cut one counts, too.
func (a *answer) kept() []byte { return bytes.Clone(a.body[:min(len(a.body), MaxKept)]) }

// reaction is what an answer says, wherever in it and however it is spelled:
// Result and TransmissionID of a kombi_response, the Advis and Fejl of a
// SvarReaktion (HovedOplysningerSvarType.xsd).
type reaction struct {
	result         *bool // nil when absent or neither true nor false
	transmissionID string
	advis          []advis
	fejl           []fejl
}

type advis struct{ id, text string }

type fejl struct{ id, text, kilde string }

// accepted says whether the answer is a yes.
func (r reaction) accepted() bool { return r.result != nil && *r.result && len(r.fejl) == 0 }

// speaks says whether the answer says anything about the request.
func (r reaction) speaks() bool { return r.result != nil || len(r.fejl) > 0 }

// readReaction reads an XML or JSON answer. Names are compared by their local
// part without regard to case, because the service's namespace differs between
// its contract and its practice; in JSON a list stands for repeated elements.
func readReaction(answer []byte) (reaction, error) {
	root, err := readTree(answer)
	if err != nil {
		return reaction{}, err
	}
	var r reaction
	root.walk(func(n *node) {
		switch strings.ToLower(n.name) {
		case "result":
			if r.result == nil {
				r.result = boolean(n.text)
			}
		case "transmissionid":
			if r.transmissionID == "" {
				r.transmissionID = n.text
			}
		case "advis":
			r.advis = append(r.advis, advis{n.child("AdvisId"), n.child("AdvisTekst")})
		case "fejl":
			f := fejl{n.child("FejlId"), n.child("FejlTekst"), n.child("KildeId")}
			if f != (fejl{}) { // an empty Fejl stands for none
				r.fejl = append(r.fejl, f)
			}
		}
	})
	return r, nil
}

func boolean(text string) *bool {
	var b bool
	switch strings.ToLower(text) {
	case "true", "1":
		b = true
	case "false", "0":
	default:
		return nil
	}
	return &b
}

// node is an element of XML or a member of JSON.
type node struct {
	name     string
	text     string
	children []*node
}

func (n *node) walk(visit func(*node)) {
	visit(n)
	for _, c := range n.children {
		c.walk(visit)
	}
}

func (n *node) child(name string) string {
	for _, c := range n.children {
		if strings.EqualFold(c.name, name) {
			return c.text
		}
	}
	return ""
}

var errDeep = fmt.Errorf("nested deeper than %d", maxAnswerDepth)

func readTree(answer []byte) (*node, error) {
	answer = bytes.TrimSpace(bytes.TrimPrefix(answer, []byte("\ufeff")))
	switch {
	case len(answer) == 0:
		return nil, errors.New("empty")
	case answer[0] == '{' || answer[0] == '[':
		return readJSON(answer)
	default:
		return readXML(answer)
	}
}

// readXML reads one well-formed document. It errs on a DTD; errors never quote
// the document.
func readXML(answer []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(answer))
	d.CharsetReader = charset
	top := &node{}
	path := []*node{top}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.New("not well-formed XML")
		}
		current := path[len(path)-1]
		switch t := token.(type) {
		case xml.StartElement:
			if len(path) > maxAnswerDepth {
				return nil, errDeep
			}
			child := &node{name: t.Name.Local}
			current.children = append(current.children, child)
			path = append(path, child)
		case xml.EndElement:
			if len(path) == 1 || current.name != t.Name.Local {
				return nil, errors.New("not well-formed XML")
			}
			current.text = strings.TrimSpace(current.text)
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) > 1 {
				current.text += string(t)
			}
		case xml.Directive:
			return nil, errors.New("a document type declaration")
		}
	}
	if len(path) != 1 || len(top.children) != 1 {
		return nil, errors.New("not one XML document")
	}
	return top.children[0], nil
}

// charset reads the encodings an answer may name besides UTF-8. Real programs
// write "utf8".
func charset(label string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(label) {
	case "utf8", "us-ascii", "ascii":
		return in, nil
	case "iso-8859-1", "latin1", "windows-1252":
		b, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		out := make([]byte, 0, len(b)+len(b)/8)
		for _, c := range b {
			out = utf8.AppendRune(out, rune(c))
		}
		return bytes.NewReader(out), nil
	}
	return nil, errors.New("unknown encoding")
}

func readJSON(answer []byte) (*node, error) {
	d := json.NewDecoder(bytes.NewReader(answer))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, errors.New("not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not one JSON value")
	}
	top := &node{}
	if err := top.add("", v, 0); err != nil {
		return nil, err
	}
	return top, nil
}

// add puts a JSON value below n under a name. Prefixes of names are cut off, as
// converters from XML leave them in.
func (n *node) add(name string, v any, depth int) error {
	if depth > maxAnswerDepth {
		return errDeep
	}
	if i := strings.LastIndexByte(name, ':'); i >= 0 {
		name = name[i+1:]
	}
	if list, ok := v.([]any); ok {
		for _, item := range list {
			if err := n.add(name, item, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	child := &node{name: name}
	n.children = append(n.children, child)
	switch v := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(v))
		for key := range v {
			names = append(names, key)
		}
		slices.Sort(names) // the order of a JSON object means nothing: be deterministic
		for _, key := range names {
			if err := child.add(key, v[key], depth+1); err != nil {
				return err
			}
		}
	case string:
		child.text = strings.TrimSpace(v)
	case json.Number:
		child.text = v.String()
	case bool:
		child.text = "false"
		if v {
			child.text = "true"
		}
	}
	return nil
}
