package routing

import (
	"fmt"
	"slices"
	"strings"
)

// both looks for a message that two rules want, and returns it only after both have been seen to take it.
func both(x, y *rule) *message {
	m := &message{reply: ReplyNone}
	for _, a := range x.conditions {
		b := withKey(y.conditions, a.key())
		if b == nil {
			b = a
		}
		if m = meet(m, a, b); m == nil {
			return nil
		}
	}
	for _, b := range y.conditions {
		if withKey(x.conditions, b.key()) != nil {
			continue
		}
		if m = meet(m, b, b); m == nil {
			return nil
		}
	}
	if !x.takes(m) || !y.takes(m) {
		return nil
	}
	return m
}

// meet changes a message so that it meets two conditions of one key; nil when no example does.
func meet(m *message, a, b condition) *message {
	first, second := a.examples(), b.examples()
	if list, ok := a.(identifiers); ok {
		first, second = list.common(b), nil
	}
	try := func(changes ...func(*message)) *message {
		changed := *m
		for _, change := range changes {
			change(&changed)
		}
		if a.holds(&changed) && b.holds(&changed) {
			return &changed
		}
		return nil
	}
	for _, change := range slices.Concat(first, second) {
		if found := try(change); found != nil {
			return found
		}
	}
	for _, one := range first {
		for _, other := range second {
			if found := try(one, other); found != nil {
				return found
			}
		}
	}
	return nil
}

// describe tells what a message made by both is like. It is made of words of the rules file.
func describe(m *message, x, y *rule) string {
	var parts []string
	for n, values := range m.words {
		if len(values) > 0 {
			parts = append(parts, fields[n].key+" "+words{field: field(n)}.spell(strings.Join(values, " and ")))
		}
	}
	for _, i := range m.info {
		parts = append(parts, "contact_info "+quote(i.Label)+" "+quote(i.Value))
	}
	var lists []string
	for _, c := range slices.Concat(x.conditions, y.conditions) {
		switch c := c.(type) {
		case identifiers:
			if line := "a number of " + c.key() + " " + c.file; !slices.Contains(lists, line) {
				lists = append(lists, line)
			}
		case label:
			if line := "the subject " + quote(m.label); !slices.Contains(lists, line) {
				lists = append(lists, line)
			}
		case size:
			if line := fmt.Sprintf("files of %d bytes", m.size); !slices.Contains(lists, line) {
				lists = append(lists, line)
			}
		case replyTo:
			if line := "it " + m.reply.words(); !slices.Contains(lists, line) {
				lists = append(lists, line)
			}
		case forwarded:
			if line := map[bool]string{true: "it is forwarded", false: "it is not forwarded"}[m.forwarded]; !slices.Contains(lists, line) {
				lists = append(lists, line)
			}
		}
	}
	parts = append(parts, lists...)
	if len(m.types) > 0 {
		parts = append(parts, "files of "+strings.Join(m.types, " and "))
	}
	return strings.Join(parts, ", ")
}
