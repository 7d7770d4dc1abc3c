package routing

import (
	"cmp"
	"slices"
	"strings"
)

// Check finds what is allowed and yet not meant, in the order of the file. It is sound: a rule is unreachable, or the
// default unneeded, only when that is proven, and an overlap is reported only with a message that was seen to meet both
// rules. It does not find everything; regular expressions in particular are compared as they are written.
//
// Rules that both want a message and lead it the same way are no overlap. Each rule has at most two notes: one with the
// rules before it that take some of its messages, one with those that are exceptions from it.
func (r *Rules) Check() []Finding {
	c := checker{rules: r, dead: make(map[int]bool)}
	for n := range r.rules {
		c.rule(n)
	}
	c.fallback()
	for n := range r.rules {
		c.overlaps(n)
	}
	c.targets()
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Place.Column, b.Place.Column))
	})
	return c.findings
}

// checker is one Check.
type checker struct {
	rules    *Rules
	findings []Finding
	dead     map[int]bool // rules that no message reaches
}

func (c *checker) add(f Finding) { c.findings = append(c.findings, f) }

// rule looks at one rule and those before it.
func (c *checker) rule(n int) {
	x := c.rules.rules[n]
	c.expressions(x)
	c.producer(x.Rule, x)
	for _, condition := range x.conditions {
		if list, ok := condition.(identifiers); ok && len(list.set) == 0 {
			c.dead[n] = true
			c.add(Finding{
				Code: Never, Severity: Error, Place: x.Place, Rule: x.Name,
				Text: "No message meets the rule: the list " + list.file + " is empty.", Hint: "fill the list, or remove the rule",
			})
			return
		}
	}
	if takers := c.takers(x.conditions, n); takers != nil {
		c.dead[n] = true
		c.add(Finding{
			Code: Unreachable, Severity: Error, Place: x.Place, Rule: x.Name, Others: takers,
			Text: "No message reaches the rule: " + names(takers) + " before it " + verb(takers, "takes", "take") +
				" everything it could take.",
			Hint: "put it further up, or remove it",
		})
		return
	}
	if len(x.conditions) == 0 && n < len(c.rules.rules)-1 {
		c.add(Finding{
			Code: TakesAll, Severity: Error, Place: x.Place, Rule: x.Name,
			Text: "The rule has no conditions and takes every message, so that nothing after it is reached.",
			Hint: "put it last, or make its target the default",
		})
	}
}

// expressions looks for regular expressions that say less than they seem to.
func (c *checker) expressions(x *rule) {
	for _, condition := range x.conditions {
		l, ok := condition.(label)
		if !ok {
			continue
		}
		for _, re := range l.any {
			if !re.MatchString("") {
				continue
			}
			c.add(Finding{
				Code: EmptyMatch, Severity: Warning, Place: x.Place, Rule: x.Name,
				Text: "The regular expression " + quote(re.String()) + " matches " + everySubject(re) + ".",
				Hint: "say what must stand there, with + instead of *",
			})
		}
	}
}

func everySubject(re expression) string {
	if re.everything {
		return "every subject"
	}
	return "an empty subject"
}

// producer looks for ways to the target producer from messages that answer nothing of ours.
func (c *checker) producer(of Rule, x *rule) {
	leads := of.Target == ProducerTarget || slices.Contains(c.rules.next(x), ProducerTarget)
	if !leads || slices.ContainsFunc(x.conditions, replyTo{any: []Reply{ReplyOurs}}.covers) {
		return
	}
	text := "The rule leads"
	if of.Name == "" {
		text = "The default leads"
	}
	c.add(Finding{
		Code: NoProducer, Severity: Error, Place: of.Place, Rule: of.Name, Target: ProducerTarget,
		Text: text + " to the target producer for messages that answer none of ours, which have no producer.",
		Hint: "match: {reply_to: ours}",
	})
}

// fallback looks at the default.
func (c *checker) fallback() {
	c.producer(c.rules.last.Rule, &c.rules.last)
	if takers := c.takers(nil, len(c.rules.rules)); takers != nil {
		c.add(Finding{
			Code: DefaultUnneeded, Severity: Note, Place: c.rules.last.Place, Others: takers,
			Text: "No message reaches the default: " + names(takers) + " " + verb(takers, "takes", "take") + " every message.",
		})
	}
}

// takers proves that the rules before n take everything that meets the conditions, and names those it takes. Nil: not
// proven. The conditions are split into their alternatives (27 or 28; forwarded or not), and every combination must have
// a rule that takes it whole.
func (c *checker) takers(conditions []condition, n int) []string {
	const mostCombinations = 1024
	before := make([]*rule, 0, n)
	for i, e := range c.rules.rules[:n] {
		if !c.dead[i] {
			before = append(before, e)
		}
	}
	combinations := [][]condition{nil}
	for _, x := range c.complete(conditions, before) {
		parts := x.parts()
		if len(combinations)*len(parts) > mostCombinations {
			parts = []condition{x}
		}
		var more [][]condition
		for _, start := range combinations {
			for _, part := range parts {
				more = append(more, append(slices.Clone(start), part))
			}
		}
		combinations = more
	}
	var takers []string
	for _, combination := range combinations {
		i := slices.IndexFunc(before, func(e *rule) bool { return coversAll(e.conditions, combination) })
		if i < 0 {
			return nil
		}
		if !slices.Contains(takers, before[i].Name) {
			takers = append(takers, before[i].Name)
		}
	}
	slices.SortFunc(takers, func(a, b string) int { return cmp.Compare(position(before, a), position(before, b)) })
	return takers
}

func position(list []*rule, name string) int {
	return slices.IndexFunc(list, func(x *rule) bool { return x.Name == name })
}

// complete adds the conditions that every message meets, where earlier rules ask about them: it is a reply or not,
// forwarded or not.
func (c *checker) complete(conditions []condition, before []*rule) []condition {
	list := slices.Clone(conditions)
	for _, whole := range []condition{replyTo{any: []Reply{ReplyNone, ReplyOther, ReplyOurs}}, anyForwarded{}} {
		asks := func(e *rule) bool { return withKey(e.conditions, whole.key()) != nil }
		if withKey(conditions, whole.key()) == nil && slices.ContainsFunc(before, asks) {
			list = append(list, whole)
		}
	}
	return list
}

// anyForwarded is the condition that every message meets; it exists to be split.
type anyForwarded struct{ forwarded }

func (anyForwarded) holds(*message) bool { return true }

func (anyForwarded) parts() []condition {
	return []condition{forwarded{is: true}, forwarded{is: false}}
}

// coversAll tells whether whatever meets narrow meets wide.
func coversAll(wide, narrow []condition) bool {
	for _, w := range wide {
		if l, ok := w.(label); ok && slices.ContainsFunc(l.any, func(re expression) bool { return re.everything }) {
			continue
		}
		if !slices.ContainsFunc(narrow, w.covers) {
			return false
		}
	}
	return true
}

func withKey(list []condition, key string) condition {
	for _, c := range list {
		if c.key() == key {
			return c
		}
	}
	return nil
}

// overlaps looks for earlier rules that take messages which this one wants, too.
func (c *checker) overlaps(n int) {
	y := c.rules.rules[n]
	if c.dead[n] || len(y.conditions) == 0 {
		return
	}
	some := Finding{Code: Overlap, Severity: Note, Place: y.Place, Rule: y.Name}
	exceptions := some
	for earlier, x := range c.rules.rules[:n] {
		if c.dead[earlier] || len(x.conditions) == 0 || c.sameWay(x, y) {
			continue
		}
		m := both(x, y)
		if m == nil {
			continue
		}
		f := &some
		if coversAll(y.conditions, x.conditions) {
			f = &exceptions
		}
		if f.Others = append(f.Others, x.Name); len(f.Others) == 1 {
			f.Example = describe(m, x, y)
		}
	}
	if len(some.Others) > 0 {
		some.Text = "Some messages meet this rule and " + names(some.Others) + " before it, which " +
			verb(some.Others, "takes", "take") + " them."
		c.add(some)
	}
	if len(exceptions.Others) > 0 {
		exceptions.Text = "Before it " + verb(exceptions.Others, "stands its exception ", "stand its exceptions ") +
			names(exceptions.Others) + ", which " + verb(exceptions.Others, "takes", "take") + " a part of its messages."
		c.add(exceptions)
	}
}

// sameWay tells whether it makes no difference which of two rules takes a message.
func (c *checker) sameWay(x, y *rule) bool {
	return x.Target == y.Target && slices.Equal(c.rules.next(x), c.rules.next(y))
}

// targets looks for targets that nothing leads to, and for circles.
func (c *checker) targets() {
	used := make(map[string]bool)
	use := func(x *rule) {
		used[x.Target] = true
		for _, name := range c.rules.next(x) {
			used[name] = true
		}
	}
	use(&c.rules.last)
	for _, x := range c.rules.rules {
		use(x)
	}
	for _, t := range c.rules.order {
		if !used[t.Name] {
			c.add(Finding{
				Code: UnusedTarget, Severity: Warning, Place: t.Place, Target: t.Name,
				Text: "Nothing leads to the target " + quote(t.Name) + ".", Hint: "remove it, or name it in a rule",
			})
		}
		if way := c.circle(t.Name); way != nil {
			c.add(Finding{
				Code: Loop, Severity: Error, Place: t.Place, Target: t.Name,
				Text: "The target hands over in a circle: " + strings.Join(way, ", ") +
					". No target is asked twice, so the circle ends there.",
				Hint: "leave out the last else",
			})
		}
	}
}

// circle follows else from a target back to itself. Of the targets in a circle only the first in the file reports it.
func (c *checker) circle(start string) []string {
	before := make(map[string]string) // how each was reached
	for queue := []string{start}; len(queue) > 0; queue = queue[1:] {
		for _, next := range c.rules.elseOf(queue[0]) {
			if next == start {
				way := []string{start}
				for at := queue[0]; at != start; at = before[at] {
					way = append(way, at)
				}
				slices.Reverse(way[1:])
				return append(way, start)
			}
			if _, seen := before[next]; !seen && c.position(next) > c.position(start) {
				before[next] = queue[0]
				queue = append(queue, next)
			}
		}
	}
	return nil
}

func (c *checker) position(target string) int {
	return slices.IndexFunc(c.rules.order, func(t *Target) bool { return t.Name == target })
}

func names(list []string) string {
	const most = 4
	quoted := make([]string, 0, len(list))
	for _, name := range list[:min(len(list), most)] {
		quoted = append(quoted, quote(name))
	}
	switch {
	case len(list) > most:
		return strings.Join(quoted, ", ") + " and others"
	case len(list) > 1:
		return strings.Join(quoted[:len(quoted)-1], ", ") + " and " + quoted[len(quoted)-1]
	}
	return quoted[0]
}

func verb(list []string, one, more string) string {
	if len(list) == 1 {
		return one
	}
	return more
}
