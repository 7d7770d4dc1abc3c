package memo

import (
	"fmt"
	"slices"
)

// identify checks namespace and prefix of an element that the model has.
func (i *inspector) identify(n *node, x *member) {
	if i.fixer != nil {
		n.tag = string(i.s.Local)
		if len(i.s.Prefix) > 0 {
			n.tag = string(i.s.Prefix) + ":" + n.tag
		}
	}
	switch uri := x.uri(); {
	case x.kind == kindForeign:
	case i.s.Space != uri:
		if i.once("namespace " + i.s.Space + " " + uri) {
			severity, source := i.severity(n.class)
			detail := "The element must be in the namespace " + uri + "."
			if uri == "" {
				detail = "The element must be in no namespace."
			}
			i.find(severity, RuleNamespace, "", n.at, detail+" It is told once for all such elements.", source+"targetNamespace")
		}
	case uri != "" && string(i.s.Prefix) != x.prefix:
		n.renamed = i.rename(n, x)
		if i.once("prefix " + string(i.s.Prefix) + " " + x.prefix) {
			i.prefixFinding(n, x)
		}
	}
}

// rename gives an element the literal prefix, declared in its tag where nothing declares it. Where the prefix means
// something else it stays as it is.
func (i *inspector) rename(n *node, x *member) bool {
	for _, b := range slices.Backward(i.bound) {
		if b.prefix == x.prefix {
			if b.uri != x.uri() {
				return false
			}
			n.tag = x.prefix + ":" + x.local
			return true
		}
	}
	i.bound = append(i.bound, binding{prefix: x.prefix, uri: x.uri(), depth: len(i.nodes)})
	i.insert += ` xmlns:` + x.prefix + `="` + x.uri() + `"`
	n.tag = x.prefix + ":" + x.local
	return true
}

func (i *inspector) prefixFinding(n *node, x *member) {
	const detail = "SF1601 is known to have refused other prefixes than the usual ones; here it is %s. " +
		"It is told once for all such elements."
	if !n.renamed {
		i.find(SeverityWarning, RulePrefix, "", n.at, fmt.Sprintf(detail, x.prefix), sourceITK)
		return
	}
	i.fixable(SeverityWarning, RulePrefix, "", n.at, fmt.Sprintf(detail, x.prefix), sourceITK,
		fmt.Sprintf("The elements of this namespace got the prefix %s.", x.prefix))
}

// once tells whether something was not told before.
func (i *inspector) once(what string) bool {
	const most = 100
	if i.told[what] || len(i.told) >= most {
		return false
	}
	if i.told == nil {
		i.told = map[string]bool{}
	}
	i.told[what] = true
	return true
}
