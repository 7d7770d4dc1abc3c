package routing

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	yamlparser "github.com/goccy/go-yaml/parser"
)

// The most that a rules file may have.
const (
	MaxFile  = 1 << 20 // bytes
	MaxRules = 1000
)

// Parse reads a rules file. It needs readFile for the lists that rules name (sender_list, cpr_list); nil refuses them. The
// error is [Problems] with everything that is wrong. Secrets, certificates and folders of targets are named, not opened.
func Parse(src []byte, readFile func(name string) ([]byte, error)) (*Rules, error) {
	p := &parser{readFile: readFile, rules: &Rules{targets: make(map[string]*Target), key: make([]byte, 32)}}
	if _, err := rand.Read(p.rules.key); err != nil {
		return nil, fmt.Errorf("routes: key of the identifiers: %w", err)
	}
	if len(src) > MaxFile {
		return nil, Problems{{Text: fmt.Sprintf("the file has over %d bytes", MaxFile)}}
	}
	file, err := yamlparser.ParseBytes(src, 0, yamlparser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Problems{syntaxProblem(err)}
	}
	switch {
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
		return nil, Problems{{Text: "the file is empty", Hint: "it has targets, rules and a default"}}
	case len(file.Docs) > 1:
		return nil, Problems{{Text: "the file has more than one YAML document", Hint: "leave out the line ---"}}
	}
	p.file(node{file.Docs[0].Body, ""})
	p.references()
	if len(p.problems) > 0 {
		slices.SortStableFunc(p.problems, func(a, b Problem) int {
			return slices.Compare([]int{a.Place.Line, a.Place.Column}, []int{b.Place.Line, b.Place.Column})
		})
		return nil, p.problems
	}
	return p.rules, nil
}

// syntaxProblem is what the YAML parser said, with its place.
func syntaxProblem(err error) Problem {
	p := Problem{Text: "the file is not YAML"}
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
		p.Text += ": " + syntax.Message
		if syntax.Token != nil && syntax.Token.Position != nil {
			p.Place = Place{Line: syntax.Token.Position.Line, Column: syntax.Token.Position.Column}
		}
	}
	return p
}

// parser is one Parse.
type parser struct {
	readFile func(name string) ([]byte, error)
	rules    *Rules
	problems Problems
	names    []reference // every place where a target is named
	lists    map[string]map[identifier]struct{}
}

// reference is a target's name where it stands.
type reference struct {
	name string
	at   node
}

func (p *parser) problem(at node, text, hint string) {
	p.problems = append(p.problems, Problem{Place: at.place(), Key: at.key, Text: text, Hint: hint})
}

func (p *parser) file(root node) {
	top, ok := p.mapping(root, []string{"targets", "rules", "default"})
	if !ok {
		return
	}
	if n, given := top["targets"]; given {
		p.targets(n)
	}
	if n, given := top["rules"]; given {
		p.ruleList(n)
	}
	n, given := top["default"]
	if !given {
		p.problems = append(p.problems, Problem{
			Place: Place{Line: 1, Column: 1}, Key: "default",
			Text: "is missing: a message that no rule takes would have no place to go", Hint: "default: NAME of a target",
		})
		return
	}
	if name, ok := p.target(n); ok {
		p.rules.last.Rule = Rule{Target: name, Place: n.place()}
	}
}

// target reads the name of a target, whose existence is looked at when all are known.
func (p *parser) target(n node) (string, bool) {
	name, ok := p.text(n)
	if ok {
		p.names = append(p.names, reference{name: name, at: n})
	}
	return name, ok
}

// targetList reads the names of else.
func (p *parser) targetList(n node, own string) []string {
	var list []string
	for _, item := range p.list(n) {
		name, ok := p.target(item)
		switch {
		case !ok:
		case name == own || slices.Contains(list, name):
			p.problem(item, "names "+quote(name)+" a second time", "every target is asked once")
		default:
			list = append(list, name)
		}
	}
	return list
}

// references looks whether every named target is there.
func (p *parser) references() {
	var known []string
	for _, t := range p.rules.order {
		known = append(known, t.Name)
	}
	known = append(known, ProducerTarget)
	for _, r := range p.names {
		if !slices.Contains(known, r.name) {
			p.problem(r.at, "there is no target "+quote(r.name), "the targets are "+strings.Join(known, ", ")+nearest(r.name, known))
		}
	}
}

func (p *parser) ruleList(n node) {
	items, ok := p.sequence(n)
	if !ok {
		return
	}
	if len(items) > MaxRules {
		p.problem(n, fmt.Sprintf("has %d rules, at most %d are taken", len(items), MaxRules), "")
		return
	}
	places := make(map[string]Place)
	for _, item := range items {
		keys, ok := p.mapping(item, []string{"name", "match", "target", "else"})
		if !ok {
			continue
		}
		x := &rule{Rule: Rule{Place: item.place()}}
		if name, given := keys["name"]; !given {
			p.problem(item, "has no name", "name: a word by which people know the rule")
		} else if x.Name, ok = p.name(name); ok {
			x.Place = name.place()
			if first, twice := places[x.Name]; twice {
				p.problem(name, "another rule has this name, at "+first.String(), "every rule has a name of its own")
			}
			places[x.Name] = x.Place
		}
		if target, given := keys["target"]; given {
			x.Target, _ = p.target(target)
		} else {
			p.problem(item, "has no target", "target: NAME")
		}
		if n, given := keys["else"]; given {
			x.Else = p.targetList(n, x.Target)
		}
		if n, given := keys["match"]; given {
			x.conditions = p.match(n)
		}
		p.rules.rules = append(p.rules.rules, x)
	}
}

// name reads the name of a rule or a target.
func (p *parser) name(n node) (string, bool) {
	name, ok := p.text(n)
	if ok && (len([]rune(name)) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f })) {
		p.problem(n, "is no name", "a line of at most 64 characters")
		return "", false
	}
	return name, ok
}
