package sts

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxDepth is how deep the elements of an answer may stand in one another.
const maxDepth = 64

// Why an answer of the SOAP issue is not read. None quotes the answer.
var (
	errNotXML      = errors.New("the answer is not well-formed XML")
	errNoAssertion = errors.New("the answer holds no assertion in RequestedSecurityToken")
	errAssertions  = errors.New("the answer holds more than one assertion")
	errDTD         = errors.New("the answer holds a DTD")
	errDeep        = fmt.Errorf("the answer's elements are more than %d deep", maxDepth)
)

// frame is an element that is open.
type frame struct {
	raw        xml.Name          // as written: Space is the prefix
	name       xml.Name          // Space is the namespace
	namespaces map[string]string // declared here, by prefix; "" is the default
}

// answerReader walks an answer and remembers where its assertion stands.
type answerReader struct {
	open []frame

	found   bool
	start   int // of the assertion's start tag
	end     int // after its end tag
	depth   int // of the assertion's frame while it is open
	inside  bool
	missing map[string]string // declarations it needs from outside
}

// readIssuedSOAP cuts the assertion out of an answer: the one SAML 2.0 Assertion
// that stands at Envelope/Body/(RequestSecurityTokenResponseCollection/)
// RequestSecurityTokenResponse/RequestedSecurityToken. Its bytes stay as they
// are, because they are signed. Where it uses namespaces that are declared
// around it, those declarations (and nothing else) are added to its start tag:
// that is what canonical XML makes of an element with inherited namespaces, so
// the signature survives.
func readIssuedSOAP(answer []byte) ([]byte, error) {
	answer = bytes.TrimPrefix(answer, []byte("\ufeff"))
	d := xml.NewDecoder(bytes.NewReader(answer))
	r := answerReader{missing: map[string]string{}}
	for {
		at := int(d.InputOffset())
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errNotXML // the parser's own text may quote the answer
		}
		if err := r.take(token, at, int(d.InputOffset())); err != nil {
			return nil, err
		}
	}
	switch {
	case len(r.open) != 0:
		return nil, errNotXML
	case !r.found:
		return nil, errNoAssertion
	case r.end-r.start > maxAssertion:
		return nil, fmt.Errorf("the assertion is larger than %d bytes", maxAssertion)
	}
	return r.cut(answer), nil
}

// take follows one token, which stands from at to end.
func (r *answerReader) take(token xml.Token, at, end int) error {
	switch t := token.(type) {
	case xml.Directive:
		return errDTD
	case xml.StartElement:
		return r.enter(t, at)
	case xml.EndElement:
		return r.leave(t, end)
	case xml.CharData:
		if r.inside {
			r.mention(string(t))
		}
	}
	return nil
}

func (r *answerReader) enter(t xml.StartElement, at int) error {
	if len(r.open) == maxDepth {
		return errDeep
	}
	f := frame{raw: t.Name, namespaces: map[string]string{}}
	for _, a := range t.Attr {
		switch {
		case a.Name.Space == "xmlns":
			f.namespaces[a.Name.Local] = a.Value
		case a.Name.Space == "" && a.Name.Local == "xmlns":
			f.namespaces[""] = a.Value
		}
	}
	r.open = append(r.open, f)
	top := &r.open[len(r.open)-1]
	namespace, ok := r.lookup(t.Name.Space, 0)
	if !ok && t.Name.Space != "" {
		return errNotXML
	}
	top.name = xml.Name{Space: namespace, Local: t.Name.Local}
	if !r.inside && r.issued() {
		if r.found {
			return errAssertions
		}
		r.found, r.inside, r.start, r.depth = true, true, at, len(r.open)
	}
	if r.inside {
		r.need(t.Name.Space)
		for _, a := range t.Attr {
			if a.Name.Space != "" && a.Name.Space != "xmlns" {
				r.need(a.Name.Space)
			}
			r.mention(a.Value)
		}
	}
	return nil
}

func (r *answerReader) leave(t xml.EndElement, end int) error {
	if len(r.open) == 0 || r.open[len(r.open)-1].raw != t.Name {
		return errNotXML
	}
	if r.inside && len(r.open) == r.depth {
		r.inside, r.end = false, end
	}
	r.open = r.open[:len(r.open)-1]
	return nil
}

// issued says whether the innermost open element is the issued assertion.
func (r *answerReader) issued() bool {
	path := []xml.Name{
		{Space: nsSOAP, Local: "Envelope"}, {Space: nsSOAP, Local: "Body"},
		{Space: nsWST, Local: "RequestSecurityTokenResponseCollection"}, {Space: nsWST, Local: "RequestSecurityTokenResponse"},
		{Space: nsWST, Local: "RequestedSecurityToken"}, {Space: samlNamespace, Local: "Assertion"},
	}
	if len(r.open) == len(path)-1 {
		path = slices.Delete(path, 2, 3) // the collection is optional
	}
	return slices.EqualFunc(r.open, path, func(f frame, n xml.Name) bool { return f.name == n })
}

// lookup finds what a prefix means, asking the open elements from the innermost
// out to the one at from.
func (r *answerReader) lookup(prefix string, from int) (string, bool) {
	if prefix == "xml" {
		return "http://www.w3.org/XML/1998/namespace", true
	}
	for i := len(r.open) - 1; i >= from; i-- {
		if uri, ok := r.open[i].namespaces[prefix]; ok {
			return uri, true
		}
	}
	return "", false
}

// need notes a prefix that is used inside the assertion, when only what stands
// around the assertion declares it.
func (r *answerReader) need(prefix string) {
	if _, ok := r.lookup(prefix, r.depth-1); ok {
		return
	}
	if uri, ok := r.lookup(prefix, 0); ok && uri != "" {
		r.missing[prefix] = uri
	}
}

// mention notes the prefixes a value may name: of a QName (xsi:type="xs:string")
// or a list of prefixes (InclusiveNamespaces/@PrefixList).
func (r *answerReader) mention(value string) {
	const longest = 128 // of a QName or a PrefixList; longer texts are none
	if len(value) > longest {
		return
	}
	for word := range strings.FieldsSeq(value) {
		prefix, _, _ := strings.Cut(word, ":")
		if prefix != "" {
			r.need(prefix)
		}
	}
}

// cut gives the assertion's bytes with the declarations it misses.
func (r *answerReader) cut(answer []byte) []byte {
	raw := answer[r.start:r.end]
	if len(r.missing) == 0 {
		return slices.Clone(raw)
	}
	name := bytes.IndexAny(raw, " \t\r\n/>")
	var b bytes.Buffer
	b.Write(raw[:name])
	prefixes := make([]string, 0, len(r.missing))
	for p := range r.missing {
		prefixes = append(prefixes, p)
	}
	slices.Sort(prefixes)
	for _, p := range prefixes {
		if p == "" {
			b.WriteString(` xmlns="`)
		} else {
			b.WriteString(` xmlns:` + p + `="`)
		}
		b.WriteString(attribute(r.missing[p]) + `"`)
	}
	b.Write(raw[name:])
	return b.Bytes()
}
