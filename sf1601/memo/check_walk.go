package memo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

const namespaceXSI = "http://www.w3.org/2001/XMLSchema-instance"

// start takes a start tag.
func (i *inspector) start() {
	i.insert = ""
	n := i.top()
	switch {
	case n == nil:
		i.root()
	case n.role == roleOutside:
		i.outside()
	case n.role == roleSkip:
		i.pushUnknown(roleSkip)
	case n.role == roleLeaf:
		n.stray = true
		i.pushUnknown(roleSkip)
		i.find(SeverityError, RuleUnknown, "", i.top().at, "A property has text only, no elements.", i.sourceOf(n))
	default:
		i.child(n)
	}
	if i.fixer != nil {
		i.fixer.started(i)
	}
}

// root takes the first start tag.
func (i *inspector) root() {
	if i.s.BOM {
		at := place{line: 1, column: 1}
		i.fixable(SeverityNote, RuleBOM, "", at, "The file starts with a byte order mark.", sourceFull,
			"The byte order mark was removed.", edit{from: 0, to: int64(len("\xEF\xBB\xBF"))})
	}
	i.outside()
	if n := i.top(); n.role == roleOutside {
		i.find(SeverityError, RuleRoot, "", n.at, "The root element must be memo:Message, or kombi_request.", sourceXSD+"Message")
	}
}

// outside takes an element that may be the Message, the kombi_request, or something around them.
func (i *inspector) outside() {
	name := string(i.s.Local)
	switch {
	case name == "Message" && !i.report.Message:
		i.enterMessage()
	case name == "kombi_request" && !i.report.Message && !i.report.Kombi:
		i.report.Kombi = true
		x := m(":kombi_request")
		n := i.push(roleClass)
		n.class, n.name = i.model[":kombi_request"], name
		i.identify(n, &x)
		n.member = nil
	default:
		i.pushUnknown(roleOutside)
	}
}

// enterMessage opens the Message, whose attributes tell the version.
func (i *inspector) enterMessage() {
	x := m("Message")
	n := i.push(roleClass)
	n.class, n.name = i.model["Message"], "Message"
	i.report.Message = true
	i.message = n.at
	i.identify(n, &x)
	n.member = nil
	i.messageAttributes(n)
}

// child takes an element of a class.
func (i *inspector) child(parent *node) {
	class := parent.class
	x := class.find(i.s.Local)
	if x == nil {
		i.unknown(parent)
		return
	}
	c := &parent.counts[x.ordinal]
	*c++
	count := int(*c)
	later := parent.highest
	parent.highest = max(later, x.ordinal)
	if x.local == "Message" {
		i.enterMessage()
		i.structure(class, x, count, later)
		return
	}
	r := roleLeaf
	switch x.kind { //nolint:exhaustive // the others are properties
	case kindClass:
		r = roleClass
	case kindForeign:
		r = roleSkip
		i.signed = i.signed || x.local == "Signature"
	case kindBase64:
		i.beginContent()
	}
	n := i.push(r)
	n.class, n.member, n.name = i.model[x.name], x, x.local
	if x.most != 1 || count > 1 {
		n.index = count
	}
	if x.local == "MessageBody" {
		i.body = n.at
	}
	i.leaf.reset()
	i.identify(n, x)
	if x.kind != kindForeign {
		i.attributes(n)
	}
	i.structure(class, x, count, later)
}

// unknown takes an element that its class does not have.
func (i *inspector) unknown(parent *node) {
	parent.unknown = true
	name := parent.class.name
	severity, source := i.severity(parent.class)
	n := i.pushUnknown(roleSkip)
	detail := "There is no such element here."
	for k := range parent.class.members {
		if strings.EqualFold(parent.class.members[k].local, n.name) {
			detail = "The element is written with other capital letters: " + parent.class.members[k].local + "."
		}
	}
	i.find(severity, RuleUnknown, "", n.at, detail, source+name)
}

// severity is that of a fault of structure: around the Message there is no schema to go by.
func (i *inspector) severity(c *modelClass) (severity Severity, source string) {
	if c != nil && c.envelope {
		return SeverityWarning, sourceClients + " "
	}
	return SeverityError, sourceXSD
}

// structure checks whether the element just opened may stand where it does.
func (i *inspector) structure(class *modelClass, x *member, count, later int) {
	n := i.top()
	severity, source := i.severity(class)
	source += class.name
	switch {
	case x.most != unbounded && count == x.most+1 && x.most == 1:
		i.find(severity, RuleCount, "", n.at, "The element may stand only once.", source)
	case x.most != unbounded && count == x.most+1:
		i.find(severity, RuleCount, "", n.at, fmt.Sprintf("There may be at most %d.", x.most), source)
	case x.sender > 0 && count == x.sender+1:
		i.find(SeverityError, RuleCount, "", n.at, fmt.Sprintf("There may be at most %d.", x.sender), sourceAPI)
	}
	if x.ordinal < later {
		parent := i.parent()
		parent.unordered = true
		if len(i.report.Findings) < i.opts.MaxFindings {
			parent.order = append(parent.order, len(i.report.Findings))
		}
		i.find(severity, RuleOrder, "", n.at, fmt.Sprintf("%s must stand before %s.", x.local, class.members[later].local), source)
	}
	switch {
	case x.since == V1_2 && i.version == V1_1:
		i.find(SeverityError, RuleVersion, "", n.at, "The element needs MeMo 1.2.", source12)
	case x.till == V1_1 && i.version == V1_2:
		n.refused = true
	}
}

// attributes: no class but Message has any.
func (i *inspector) attributes(n *node) {
	for _, a := range i.s.Attrs {
		n.attrs = true
		if !allowedAttribute(a.Space, a.Local) {
			i.find(SeverityError, RuleAttribute, "", i.here(a.Offset), "The element has no such attribute.", i.sourceOf(n))
		}
	}
}

// allowedAttribute: the schema-instance attributes may stand anywhere, except that nothing of MeMo is nillable.
func allowedAttribute(space string, local []byte) bool {
	return space == namespaceXSI && string(local) != "nil"
}

// sourceOf is where the schema describes an element: its class, or the class it is a property of.
func (i *inspector) sourceOf(n *node) string {
	for _, around := range slices.Backward(i.nodes) {
		if c := around.class; c != nil {
			_, source := i.severity(c)
			return source + c.name
		}
	}
	return sourceXSD + n.name
}

// text takes a piece of text.
func (i *inspector) text() {
	n := i.top()
	switch n.role {
	case roleLeaf:
		if n.member.kind == kindBase64 {
			i.content()
			return
		}
		i.leaf.add(i.s.Data)
	case roleClass:
		text := trimSpace(i.s.Data)
		if len(text) == 0 {
			return
		}
		if !n.stray {
			offset := i.s.Offset
			if i.s.Limit-offset == int64(len(i.s.Data)) { // no references: the place is exact
				offset += int64(bytes.Index(i.s.Data, text))
			}
			severity, source := i.severity(n.class)
			i.find(severity, RuleStrayText, "", i.here(offset), "There is no text between the elements of a class.", source+n.class.name)
		}
		n.stray = true
		n.mark = i.s.Limit
	case roleSkip, roleOutside:
	}
}

// aside takes a comment or an instruction.
func (i *inspector) aside() {
	if n := i.top(); n != nil {
		n.aside = true
		n.mark = i.s.Limit
	}
}

// end takes an end tag.
func (i *inspector) end() {
	n := i.top()
	dropped := false
	switch n.role {
	case roleLeaf:
		dropped = i.endLeaf(n)
	case roleClass:
		dropped = i.endClass(n)
	case roleSkip, roleOutside:
	}
	if n.refused && !dropped {
		dropped = true
		i.fixable(SeverityWarning, RuleVersion, "", n.at, "MeMo 1.2 has no such element any more.", sourcePython,
			"The element was removed.", i.drop(n))
	}
	if i.fixer != nil {
		i.fixer.ended(i, n)
	}
	ordinal := len(n.counts)
	if n.member != nil {
		ordinal = n.member.ordinal
	}
	for k := len(i.bound); k > 0 && i.bound[k-1].depth == len(i.nodes); k-- {
		i.bound = i.bound[:k-1]
	}
	i.nodes = i.nodes[:len(i.nodes)-1]
	p := i.top()
	if p == nil {
		return
	}
	if i.fixer != nil {
		from := p.inside
		if k := len(p.spans); k > 0 {
			from = p.spans[k-1].to
		}
		p.spans = append(p.spans, span{from: from, to: i.s.Limit, ordinal: ordinal})
	}
	p.mark = i.s.Limit
	if !dropped {
		p.kept++
	}
}

// endClass checks a class as a whole; it tells whether Fix drops it.
func (i *inspector) endClass(n *node) bool {
	severity, source := i.severity(n.class)
	for k := range n.class.members {
		x := &n.class.members[k]
		if n.counts[k] == 0 && x.required(i.version) {
			i.find(severity, RuleRequired, x.local, n.at, x.local+" must be there.", source+n.class.name)
		}
	}
	if n.class.rules != nil {
		n.class.rules(i, n)
	}
	i.endOrder(n)
	needs := slices.ContainsFunc(n.class.members, func(x member) bool { return x.required(i.version) })
	if !n.droppable() || needs {
		return false
	}
	i.fixable(SeverityNote, RuleEmpty, "", n.at, "The element has nothing in it.", sourceOS2Forms,
		"The empty element was removed.", i.drop(n))
	return true
}

// endOrder puts the members of a class into their order, when nothing else stands between them.
func (i *inspector) endOrder(n *node) {
	if !n.unordered || n.unknown || n.stray || n.class.envelope {
		return
	}
	for _, k := range n.order {
		i.report.Findings[k].Fixable = true
	}
	if i.fixer == nil || len(n.spans) == 0 {
		return
	}
	order := slices.Clone(n.spans)
	slices.SortStableFunc(order, func(a, b span) int { return a.ordinal - b.ordinal })
	i.fixer.change(
		Change{
			Path: i.path(""), Rule: RuleOrder, Line: n.at.line, Column: n.at.column,
			Detail: "The elements were put into the order of the schema.",
		},
		edit{from: n.spans[0].from, to: n.spans[len(n.spans)-1].to, order: order},
	)
}

// drop is the edit that leaves an element out, with the white space before it.
func (i *inspector) drop(n *node) edit {
	from := n.at.offset
	if p := i.parent(); p != nil && !p.stray {
		from = p.mark
	}
	return edit{from: from, to: i.s.Limit}
}
