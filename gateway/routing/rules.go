package routing

// Rules is a rules file, checked and ready to match. It is safe for concurrent use and does not change.
type Rules struct {
	targets map[string]*Target
	order   []*Target // as defined
	rules   []*rule
	last    rule   // the default
	key     []byte // of this process: identifiers of list files are kept as their keyed hashes
	hashing bool   // some rule has a list of identifiers
}

// Rule is what is to be known about a rule from outside.
type Rule struct {
	Name   string
	Target string
	Else   []string
	Place  Place
}

// rule is a [Rule] with its conditions, all of which must hold.
type rule struct {
	Rule
	conditions []condition
}

// Decision says where a message goes.
type Decision struct {
	Rule   string   // the rule that takes it; "" for the default
	Target string   // the one target: a name of the file, or [ProducerTarget]
	Next   []string // targets to try, in order, when it refuses; after the last one a person decides
}

// Match finds the first rule whose conditions all hold, or the default.
func (r *Rules) Match(f Facts) Decision {
	m := r.prepare(f)
	for _, x := range r.rules {
		if x.takes(m) {
			return r.decision(x)
		}
	}
	return r.decision(&r.last)
}

// takes tells whether all conditions hold.
func (x *rule) takes(m *message) bool {
	for _, c := range x.conditions {
		if !c.holds(m) {
			return false
		}
	}
	return true
}

func (r *Rules) decision(x *rule) Decision {
	return Decision{Rule: x.Name, Target: x.Target, Next: r.next(x)}
}

// next lists what takes over: what the rule says, or else what its target says, that one's, and so on. No target comes
// twice, so that a loop in the file ends.
func (r *Rules) next(x *rule) []string {
	if len(x.Else) > 0 {
		return x.Else
	}
	var list []string
	seen := map[string]bool{x.Target: true}
	for pending := r.elseOf(x.Target); len(pending) > 0; {
		name := pending[0]
		pending = pending[1:]
		if seen[name] {
			continue
		}
		seen[name] = true
		list = append(list, name)
		if len(pending) == 0 {
			pending = r.elseOf(name)
		}
	}
	return list
}

func (r *Rules) elseOf(target string) []string {
	if t := r.targets[target]; t != nil {
		return t.Else
	}
	return nil
}

// Targets lists the targets in the order of the file.
func (r *Rules) Targets() []Target {
	list := make([]Target, len(r.order))
	for n, t := range r.order {
		list[n] = *t
	}
	return list
}

// Target finds a target by its name. [ProducerTarget] is always there.
func (r *Rules) Target(name string) (Target, bool) {
	if name == ProducerTarget {
		return Target{Name: ProducerTarget, Kind: Producer}, true
	}
	t, found := r.targets[name]
	if !found {
		return Target{}, false
	}
	return *t, true
}

// Rules lists the rules in their order, without the default.
func (r *Rules) Rules() []Rule {
	list := make([]Rule, len(r.rules))
	for n, x := range r.rules {
		list[n] = x.Rule
	}
	return list
}

// Default is the rule that takes what no other does. Its name is "".
func (r *Rules) Default() Rule { return r.last.Rule }
