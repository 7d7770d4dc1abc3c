package routing

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// contactInfo wants that one pair of the contact point matches one of the pairs.
type contactInfo struct {
	pairs []infoPair
}

// infoPair is matched when label and value are; nil matches any.
type infoPair struct{ label, value *pattern }

func (p infoPair) matches(i ContactInfo) bool {
	return (p.label == nil || p.label.matches(i.Label)) && (p.value == nil || p.value.matches(i.Value))
}

func (p infoPair) covers(q infoPair) bool {
	return (p.label == nil || q.label != nil && p.label.covers(*q.label)) &&
		(p.value == nil || q.value != nil && p.value.covers(*q.value))
}

func (p infoPair) String() string {
	var parts []string
	if p.label != nil {
		parts = append(parts, "label "+p.label.String())
	}
	if p.value != nil {
		parts = append(parts, "value "+p.value.String())
	}
	return strings.Join(parts, " with ")
}

func (contactInfo) key() string { return "contact_info" }

func (c contactInfo) holds(m *message) bool {
	for _, i := range m.info {
		if slices.ContainsFunc(c.pairs, func(p infoPair) bool { return p.matches(i) }) {
			return true
		}
	}
	return false
}

func (c contactInfo) why(m *message) string {
	has := "none"
	if len(m.info) > 0 {
		has = "other ones"
	}
	text := "the message has " + has + ", the rule wants " + c.pairs[0].String()
	if more := len(c.pairs) - 1; more > 0 {
		text += " or one of " + strconv.Itoa(more) + " more"
	}
	return text
}

func (c contactInfo) covers(other condition) bool {
	o, same := other.(contactInfo)
	if !same {
		return false
	}
	for _, q := range o.pairs {
		if !slices.ContainsFunc(c.pairs, func(p infoPair) bool { return p.covers(q) }) {
			return false
		}
	}
	return true
}

func (c contactInfo) parts() []condition {
	list := make([]condition, len(c.pairs))
	for n, p := range c.pairs {
		list[n] = contactInfo{pairs: []infoPair{p}}
	}
	return list
}

func (c contactInfo) examples() []func(*message) {
	list := make([]func(*message), len(c.pairs))
	for n, p := range c.pairs {
		i := ContactInfo{Label: "emne", Value: "1"}
		if p.label != nil {
			i.Label = p.label.example()
		}
		if p.value != nil {
			i.Value = p.value.example()
		}
		list[n] = func(m *message) { m.info = append(slices.Clone(m.info), i) }
	}
	return list
}

// replyTo wants one of the ways a message can be a reply.
type replyTo struct {
	any []Reply
}

func (replyTo) key() string { return "reply_to" }

func (c replyTo) holds(m *message) bool { return slices.Contains(c.any, m.reply) }

func (c replyTo) why(m *message) string {
	return "the message " + m.reply.words() + ", the rule wants one that " + c.words()
}

func (c replyTo) words() string {
	list := make([]string, len(c.any))
	for n, r := range c.any {
		list[n] = r.words()
	}
	return strings.Join(list, " or ")
}

// words says what a message does.
func (r Reply) words() string {
	switch r {
	case ReplyOurs:
		return "answers one of ours"
	case ReplyOther:
		return "answers one that is not ours"
	case ReplyNone:
	}
	return "answers none"
}

func (c replyTo) covers(other condition) bool {
	o, same := other.(replyTo)
	return same && !slices.ContainsFunc(o.any, func(r Reply) bool { return !slices.Contains(c.any, r) })
}

func (c replyTo) parts() []condition {
	list := make([]condition, len(c.any))
	for n, r := range c.any {
		list[n] = replyTo{any: []Reply{r}}
	}
	return list
}

func (c replyTo) examples() []func(*message) {
	list := make([]func(*message), len(c.any))
	for n, r := range c.any {
		list[n] = func(m *message) { m.reply = r }
	}
	return list
}

// forwarded wants that a message is a forwarded one, or that it is not.
type forwarded struct {
	is bool
}

func (forwarded) key() string { return "forwarded" }

func (c forwarded) holds(m *message) bool { return m.forwarded == c.is }

func (c forwarded) why(*message) string {
	if c.is {
		return "the message is not forwarded, the rule wants one that is"
	}
	return "the message is forwarded, the rule wants one that is not"
}

func (c forwarded) covers(other condition) bool {
	o, same := other.(forwarded)
	return same && o == c
}

func (c forwarded) parts() []condition { return []condition{c} }

func (c forwarded) examples() []func(*message) {
	return []func(*message){func(m *message) { m.forwarded = c.is }}
}

// size wants that the files together have more than over and at most upTo bytes.
type size struct {
	over int64 // -1: no lower bound
	upTo int64 // math.MaxInt64: no upper bound
	text string
}

func (size) key() string { return "size" }

func (c size) holds(m *message) bool { return m.size > c.over && m.size <= c.upTo }

func (c size) why(m *message) string {
	return fmt.Sprintf("the files have %d bytes, the rule wants %s", m.size, c.text)
}

func (c size) covers(other condition) bool {
	o, same := other.(size)
	return same && c.over <= o.over && c.upTo >= o.upTo
}

func (c size) parts() []condition { return []condition{c} }

func (c size) examples() []func(*message) {
	return []func(*message){
		func(m *message) { m.size = c.over + 1 },
		func(m *message) { m.size = c.upTo },
	}
}

// identifiers wants that a number of the message stands in a file.
type identifiers struct {
	name string // of the key: sender_list or cpr_list
	file string // as written in the rules
	set  map[identifier]struct{}
	of   func(*message) *identifier
}

func (c identifiers) key() string { return c.name }

func (c identifiers) holds(m *message) bool {
	id := *c.of(m)
	_, found := c.set[id]
	return found && id != identifier{}
}

func (c identifiers) why(m *message) string {
	if (*c.of(m) == identifier{}) {
		return "the message has none, the rule wants one that stands in " + c.file
	}
	return "the message has one that does not stand in " + c.file
}

func (c identifiers) covers(other condition) bool {
	o, same := other.(identifiers)
	if !same || o.name != c.name {
		return false
	}
	for id := range o.set {
		if _, found := c.set[id]; !found {
			return false
		}
	}
	return true
}

func (c identifiers) parts() []condition { return []condition{c} }

// examples is one number of the list.
func (c identifiers) examples() []func(*message) { return c.common(c) }

// common is a number that stands in both lists, if there is one.
func (c identifiers) common(other condition) []func(*message) {
	o, same := other.(identifiers)
	if !same {
		return nil
	}
	for id := range c.set {
		if _, found := o.set[id]; found {
			return []func(*message){func(m *message) { *c.of(m) = id }}
		}
	}
	return nil
}

// documents wants certain types of files.
type documents struct {
	any []pattern // one file is of one of these; nil: no such wish
	all []pattern // there are files and each is of one of these; nil: no such wish
}

func (documents) key() string { return "documents" }

func (c documents) holds(m *message) bool {
	matches := func(list []pattern) func(string) bool {
		return func(t string) bool { return anyMatches(list, t) }
	}
	if c.any != nil && !slices.ContainsFunc(m.types, matches(c.any)) {
		return false
	}
	return c.all == nil || len(m.types) > 0 && !slices.ContainsFunc(m.types, func(t string) bool { return !matches(c.all)(t) })
}

func (c documents) why(m *message) string {
	text := "the message has no files"
	if len(m.types) > 0 {
		text = "the message has files of other types"
	}
	if c.any != nil {
		text += ", the rule wants one of " + wanted(c.any)
	}
	if c.all != nil {
		text += ", the rule wants all of " + wanted(c.all)
	}
	return text
}

func (c documents) covers(other condition) bool {
	o, same := other.(documents)
	if !same {
		return false
	}
	coversAny := c.any == nil || o.any != nil && allCovered(c.any, o.any) || o.all != nil && allCovered(c.any, o.all)
	return coversAny && (c.all == nil || o.all != nil && allCovered(c.all, o.all))
}

func (c documents) parts() []condition { return []condition{c} }

func (c documents) examples() []func(*message) {
	var list []func(*message)
	for _, p := range slices.Concat(c.any, c.all) {
		t := p.text
		if p.form == begins {
			t += "x-any"
		}
		list = append(list, func(m *message) { m.types = append(slices.Clone(m.types), t) })
	}
	return list
}
