package routing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// node is a part of the file and the key that leads there.
type node struct {
	ast.Node
	key string
}

func (n node) place() Place {
	if n.Node == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return Place{}
	}
	at := n.GetToken().Position
	if first := firstKey(n.Node); first != nil && first.Line <= at.Line {
		return *first
	}
	return Place{Line: at.Line, Column: at.Column}
}

// firstKey is where a block mapping begins; the parser's own token of one is the colon after its first key.
func firstKey(n ast.Node) *Place {
	m, ok := n.(ast.MapNode)
	if flow, isMap := n.(*ast.MappingNode); !ok || isMap && flow.IsFlowStyle {
		return nil
	}
	iter := m.MapRange()
	if !iter.Next() || iter.Key() == nil || iter.Key().GetToken() == nil {
		return nil
	}
	at := iter.Key().GetToken().Position
	return &Place{Line: at.Line, Column: at.Column}
}

func (n node) child(name string) node { return node{key: strings.TrimPrefix(n.key+"."+name, ".")} }

// plain looks whether a node is written out: what YAML can say by reference or tag would hide from a reader what a rule does.
func (p *parser) plain(n node) bool {
	switch n.Node.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode, *ast.MergeKeyNode:
		p.problem(n, "anchors, aliases and tags are not taken", "write it out")
		return false
	}
	return true
}

// mapping reads a mapping with these keys; it names the others. Without known keys any will do.
func (p *parser) mapping(n node, known []string) (map[string]node, bool) {
	if !p.plain(n) {
		return nil, false
	}
	m, ok := n.Node.(ast.MapNode)
	if !ok {
		hint := "key: value"
		if known != nil {
			hint = "with the keys " + strings.Join(known, ", ")
		}
		p.problem(n, "is not a mapping", hint)
		return nil, false
	}
	keys := make(map[string]node)
	for iter := m.MapRange(); iter.Next(); {
		name := ""
		if t := iter.Key().GetToken(); t != nil {
			name = t.Value
		}
		at := n.child(name)
		at.Node = iter.Key()
		_, twice := keys[name]
		switch {
		case known != nil && !slices.Contains(known, name):
			p.problem(at, "unknown key", "the keys here are "+strings.Join(known, ", ")+nearest(name, known))
		case twice:
			p.problem(at, "is given twice", "")
		default:
			at.Node = iter.Value()
			keys[name] = at
		}
	}
	return keys, true
}

// ordered is mapping for names that are free, in the order of the file.
func (p *parser) ordered(n node) []node {
	keys, ok := p.mapping(n, nil)
	if !ok {
		return nil
	}
	m, _ := n.Node.(ast.MapNode)
	list := make([]node, 0, len(keys))
	for iter := m.MapRange(); iter.Next(); {
		name := iter.Key().GetToken().Value
		if at, first := keys[name]; first {
			list = append(list, at)
			delete(keys, name)
		}
	}
	return list
}

func (p *parser) sequence(n node) ([]node, bool) {
	if !p.plain(n) {
		return nil, false
	}
	s, ok := n.Node.(*ast.SequenceNode)
	if !ok {
		p.problem(n, "is not a list", "e.g. [one, another]")
		return nil, false
	}
	list := make([]node, len(s.Values))
	for i, v := range s.Values {
		list[i] = node{v, fmt.Sprintf("%s[%d]", n.key, i)}
	}
	return list, true
}

// list reads a list, or one value that stands for a list of it. An empty list is a problem.
func (p *parser) list(n node) []node {
	if _, ok := n.Node.(*ast.SequenceNode); !ok {
		return []node{n}
	}
	items, ok := p.sequence(n)
	if ok && len(items) == 0 {
		p.problem(n, "is an empty list", "leave the key out, or name something")
	}
	return items
}

// text reads a scalar as it is written: 27.10 stays 27.10 and 0117 stays 0117, whatever YAML would make of them.
func (p *parser) text(n node) (string, bool) {
	if !p.plain(n) {
		return "", false
	}
	var s string
	switch v := n.Node.(type) {
	case *ast.StringNode:
		s = v.Value
	case *ast.LiteralNode:
		s = v.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		s = n.GetToken().Value
	case nil, *ast.NullNode:
	default:
		p.problem(n, "is not a word", "")
		return "", false
	}
	if s = strings.TrimSpace(s); s == "" {
		p.problem(n, "is empty", "")
		return "", false
	}
	return s, true
}

// texts reads a list of words, or one.
func (p *parser) texts(n node) []node {
	var list []node
	for _, item := range p.list(n) {
		if _, ok := p.text(item); ok {
			list = append(list, item)
		}
	}
	return list
}

// oneOf reads a word of a closed set, in any case.
func (p *parser) oneOf(n node, allowed ...string) (string, bool) {
	s, ok := p.text(n)
	if !ok {
		return "", false
	}
	for _, a := range allowed {
		if strings.EqualFold(s, a) {
			return a, true
		}
	}
	p.problem(n, "unknown value "+quote(s), "use one of: "+strings.Join(allowed, ", "))
	return "", false
}

// quote writes a word of the file in quotes, cut where it is long.
func quote(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "..."
	}
	return strconv.Quote(s)
}

// nearest proposes the known word that a misspelt one is near to.
func nearest(word string, known []string) string {
	best, distance := "", 3
	if len(word) > 64 {
		return ""
	}
	for _, k := range known {
		if d := edits(word, k); d < distance && d < len(k) {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; is " + best + " meant?"
}

// edits counts the characters to insert, delete or replace to make b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
