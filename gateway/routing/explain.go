package routing

// Explanation is [Rules.Match] with its reasons. It holds words of the rules file and classification keys, and nothing
// that identifies a person or quotes a letter.
type Explanation struct {
	Decision
	Steps []Step // every rule that was asked, in order; the last one took the message unless the default did
}

// Step is one rule that was asked.
type Step struct {
	Rule  string
	Place Place
	Taken bool
	Why   []Reason // of a rule that did not take it: every condition that failed, in the order of the file
}

// Reason is one condition that failed.
type Reason struct {
	Key  string // of the file, e.g. kle
	Text string // e.g. "the message has 32.18.04, the rule wants 27."
}

// Explain says which rule takes a message and why the ones before it did not.
func (r *Rules) Explain(f Facts) Explanation {
	m := r.prepare(f)
	var e Explanation
	for _, x := range r.rules {
		step := Step{Rule: x.Name, Place: x.Place, Taken: true}
		for _, c := range x.conditions {
			if !c.holds(m) {
				step.Taken = false
				step.Why = append(step.Why, Reason{Key: c.key(), Text: c.why(m)})
			}
		}
		e.Steps = append(e.Steps, step)
		if step.Taken {
			e.Decision = r.decision(x)
			return e
		}
	}
	e.Decision = r.decision(&r.last)
	return e
}
