package routing

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// maxPattern bounds a regular expression in the file, in bytes.
const maxPattern = 1000

// label wants that the subject matches one of the expressions.
type label struct {
	any   []expression
	tries []string // subjects that one of them probably matches
}

// expression is a regular expression of the file.
type expression struct {
	*regexp.Regexp
	everything bool // see takesEverything
}

func (label) key() string { return "label" }

func (c label) holds(m *message) bool {
	return slices.ContainsFunc(c.any, func(re expression) bool { return re.MatchString(m.label) })
}

func (c label) why(*message) string {
	list := make([]string, len(c.any))
	for n, re := range c.any {
		list[n] = quote(re.String())
	}
	return "the subject does not match " + strings.Join(list, " or ")
}

// covers is proven for the same expressions, and for one that takes every subject.
func (c label) covers(other condition) bool {
	o, same := other.(label)
	if !same {
		return false
	}
	for _, q := range o.any {
		if !slices.ContainsFunc(c.any, func(p expression) bool { return p.everything || p.String() == q.String() }) {
			return false
		}
	}
	return true
}

func (c label) parts() []condition {
	list := make([]condition, len(c.any))
	for n, re := range c.any {
		list[n] = label{any: []expression{re}}
	}
	return list
}

func (c label) examples() []func(*message) {
	list := make([]func(*message), 0, 2*len(c.tries))
	for _, s := range c.tries {
		list = append(list,
			func(m *message) { m.label = s },
			func(m *message) { m.label = strings.TrimSpace(m.label + " " + s) })
	}
	return list
}

// takesEverything tells that an expression is known to match every subject: it matches the empty string and nowhere asks
// what stands before or after.
func takesEverything(re *regexp.Regexp) bool {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	return err == nil && re.MatchString("") && !looksAround(tree)
}

func looksAround(tree *syntax.Regexp) bool {
	switch tree.Op {
	case syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	default:
		return slices.ContainsFunc(tree.Sub, looksAround)
	}
}

// samples makes a few short strings that an expression probably matches.
func samples(tree *syntax.Regexp) []string {
	const most = 8
	switch tree.Op {
	case syntax.OpLiteral:
		return []string{string(tree.Rune)}
	case syntax.OpCharClass:
		return []string{classSample(tree.Rune)}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"a"}
	case syntax.OpCapture, syntax.OpPlus:
		return samples(tree.Sub[0])
	case syntax.OpRepeat: // Simplify has removed it
		return samples(tree.Sub[0])
	case syntax.OpConcat:
		list := []string{""}
		for _, sub := range tree.Sub {
			var longer []string
			for _, start := range list {
				for _, end := range samples(sub) {
					if len(longer) < most {
						longer = append(longer, start+end)
					}
				}
			}
			list = longer
		}
		return list
	case syntax.OpAlternate:
		var list []string
		for _, sub := range tree.Sub {
			list = append(list, samples(sub)...)
		}
		return list[:min(len(list), most)]
	case syntax.OpNoMatch:
		return nil
	default: // what may be absent, and what looks around
		return []string{""}
	}
}

// classSample is a character of a class, a letter or digit where there is one.
func classSample(ranges []rune) string {
	for _, wish := range "a1 A-" {
		for n := 0; n+1 < len(ranges); n += 2 {
			if ranges[n] <= wish && wish <= ranges[n+1] {
				return string(wish)
			}
		}
	}
	if len(ranges) == 0 {
		return ""
	}
	return string(ranges[0])
}

// label reads regular expressions of RE2.
func (p *parser) label(n node) condition {
	var c label
	for _, item := range p.texts(n) {
		s, _ := p.text(item)
		if len(s) > maxPattern {
			p.problem(item, "the regular expression has over 1000 bytes", "split the rule")
			continue
		}
		re, err := regexp.Compile(s)
		if err != nil {
			p.problem(item, "is not a regular expression: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "),
				"the form is RE2; (?i) at its start ignores upper and lower case")
			continue
		}
		c.any = append(c.any, expression{Regexp: re, everything: takesEverything(re)})
		if tree, err := syntax.Parse(s, syntax.Perl); err == nil {
			c.tries = append(c.tries, samples(tree.Simplify())...)
		}
	}
	if c.any == nil {
		return nil
	}
	return c
}
