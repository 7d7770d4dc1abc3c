package memo

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// kind is what a member holds.
type kind uint8

const (
	kindText kind = iota
	kindClass
	kindForeign // an element of another standard, which is not looked into
	kindMessageType
	kindUUID
	kindNotification
	kindComment
	kindLicenseNumber
	kindBoolean
	kindDateTime
	kindDate
	kindLanguage
	kindBase64
	kindURL
	kindFilename
	kindProductionUnit
	kindGLN
	kindCPR
	kindCVR
	kindValg
)

// most is the longest text of a kind in characters, 0 for no limit. [src: MEMO-1.1-XSD dataTypes]
func (k kind) most() int {
	switch k { //nolint:exhaustive // the others have no length
	case kindText, kindFilename, kindURL, kindCPR, kindCVR:
		return maxText
	case kindNotification:
		return maxNotification
	case kindComment:
		return maxComment
	case kindLicenseNumber:
		return maxLicenseNumber
	}
	return 0
}

// leaf is the text of the property being read.
type leaf struct {
	text  []byte // as much as is kept
	runes int    // all of it
}

func (l *leaf) reset() { l.text, l.runes = l.text[:0], 0 }

func (l *leaf) add(text []byte) {
	l.runes += utf8.RuneCount(text)
	l.text = append(l.text, text[:min(len(text), defaultText-min(len(l.text), defaultText))]...)
}

// endLeaf checks a property; it tells whether Fix drops it.
func (i *inspector) endLeaf(n *node) bool {
	x := n.member
	if x.kind == kindBase64 {
		i.endContent(n)
		return false
	}
	if p := i.parent(); p.class.rules != nil {
		const enough = 64 // no value that a rule looks at is longer
		p.values = append(p.values, held{name: x.local, value: string(i.leaf.text[:min(len(i.leaf.text), enough)]), at: n.at})
	}
	if n.stray {
		return false
	}
	if len(trimSpace(i.leaf.text)) == 0 {
		return i.blank(n)
	}
	if most := x.kind.most(); most > 0 && i.leaf.runes > most && (x.kind != kindURL || utf8.RuneCount(trimSpace(i.leaf.text)) > most) {
		i.find(SeverityError, RuleLength, "", n.at, fmt.Sprintf("The text must be at most %d characters.", most), i.sourceOf(n))
	}
	i.value(n)
	return false
}

// blank judges a property without text: where the schema takes none, where it is a default, and where it is only odd.
func (i *inspector) blank(n *node) bool {
	x := n.member
	required := x.required(i.version)
	nothing := i.leaf.runes == 0
	valid := false  // by the schema
	switch x.kind { //nolint:exhaustive // the others are not texts
	case kindText, kindNotification, kindComment, kindLicenseNumber, kindFilename, kindURL, kindCPR, kindCVR, kindValg:
		valid = true
	case kindBoolean:
		valid = nothing
	}
	switch {
	case !required && n.droppable():
		severity, source := SeverityNote, sourceOS2Forms
		if !valid {
			severity, source = SeverityError, i.sourceOf(n)
		}
		i.fixable(severity, RuleEmpty, "", n.at, "An optional element with no value should be left out.", source,
			"The empty element was removed.", i.drop(n))
		return true
	case x.kind == kindBoolean && nothing:
		i.setValue(n, SeverityNote, RuleEmpty, "The empty element means false.", i.sourceOf(n),
			"The default, false, was written out.", "false")
	case x.kind == kindBoolean:
		i.find(SeverityError, RuleBoolean, "", n.at, "The value must be true or false.", i.sourceOf(n))
	case valid && required:
		i.find(SeverityWarning, RuleRequired, "", n.at, "The text must not be blank.", sourceClients)
	case valid:
		i.find(SeverityNote, RuleEmpty, "", n.at, "An optional element with no value should be left out.", sourceOS2Forms)
	default:
		i.find(SeverityError, RuleRequired, "", n.at, "The value must not be empty.", i.sourceOf(n))
	}
	return false
}

// setValue adds a finding about a property whose value Fix knows better.
func (i *inspector) setValue(n *node, severity Severity, rule Rule, detail, source, done, value string) {
	if n.aside || n.stray { // writing the value would lose what else stands in the element
		i.find(severity, rule, "", n.at, detail, source)
		return
	}
	i.fixable(severity, rule, "", n.at, detail, source, done, i.valueEdit(n, value))
}

// valueEdit writes another text into a property.
func (i *inspector) valueEdit(n *node, value string) edit {
	text := escapeText(value)
	if n.empty {
		return edit{from: n.inside - int64(len("/>")), to: n.inside, text: ">" + text + "</" + n.tag + ">"}
	}
	return edit{from: n.inside, to: i.s.Offset, text: text}
}

func escapeText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;").Replace(s)
}

// beginContent starts a content.
func (i *inspector) beginContent() {
	if i.base64 == nil {
		i.base64 = decoders.Get().(*decoder) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	}
	i.base64.reset(nil)
}

// content takes a piece of base64.
func (i *inspector) content() {
	d := i.base64
	if d.spoilt {
		return
	}
	bad, err := d.write(i.ctx, i.s.Data)
	if err != nil || bad < 0 {
		return // there is no sink that could fail
	}
	d.spoilt = true
	offset := i.s.Offset
	if i.s.Limit-offset == int64(len(i.s.Data)) { // no references: the place is exact
		offset += int64(bad)
	}
	i.find(SeverityError, RuleBase64, "", i.here(offset), "The character cannot stand here in base64.", sourceXSD+"File")
}

// endContent checks a content as a whole.
func (i *inspector) endContent(n *node) {
	switch d := i.base64; {
	case d.spoilt || n.stray:
	case !d.complete():
		i.find(SeverityError, RuleBase64, "", i.here(i.s.Offset), "The base64 ends within a group of four characters.", sourceXSD+"File")
	case d.size == 0:
		i.find(SeverityWarning, RuleEmpty, "", n.at, "The file has no content.", sourceClients)
	}
}

// declaration takes the XML declaration. [src: SP-CLIENTS python-serviceplatformen]
func (i *inspector) declaration() {
	label := i.s.Data
	if len(label) == 0 || bytes.EqualFold(label, []byte("UTF-8")) {
		return
	}
	const detail = "The encoding is called UTF-8; not every parser knows this name for it."
	const done = "The encoding is called UTF-8 now."
	e := edit{}
	if i.fixer != nil {
		e = i.fixer.encoding(i.s.Offset, i.s.Limit)
	}
	i.fixable(SeverityWarning, RuleEncoding, "", i.here(i.s.Offset), detail, sourcePython, done, e)
}
