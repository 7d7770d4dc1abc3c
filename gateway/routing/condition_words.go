package routing

import (
	"regexp"
	"slices"
	"strings"
)

// field is a property of a message that is compared word by word.
type field int

const (
	contactPoint field = iota
	contactGroup
	kle
	form
	caseID
	caseSystem
	senderType
	postType
	messageCode
	fieldCount
)

// fields are the keys of the file. A dotted one is a classification; wild ones may end with *. shown is what a value looks
// like that may be printed: anything else could be a person's number put there by a sender.
var fields = [fieldCount]struct {
	key    string
	dotted bool
	wild   bool
	shown  *regexp.Regexp
}{
	contactPoint: {key: "contact_point", shown: regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)},
	contactGroup: {key: "contact_group", dotted: true, shown: dottedKey},
	kle:          {key: "kle", dotted: true, shown: dottedKey},
	form:         {key: "form", dotted: true, shown: dottedKey},
	caseID:       {key: "case_id", wild: true},
	caseSystem:   {key: "case_system", wild: true},
	senderType:   {key: "sender_type", shown: regexp.MustCompile(`^(cpr|cvr)$`)},
	postType:     {key: "post_type", shown: regexp.MustCompile(`^(myndighedspost|virksomhedspost)$`)},
	messageCode:  {key: "message_code", wild: true},
}

// dottedKey is a classification key; a CPR number is none.
var dottedKey = regexp.MustCompile(`^[0-9]{2}(\.[0-9]{2}){1,3}$`)

// words wants that a value of the field matches one of the patterns.
type words struct {
	field    field
	patterns []pattern
}

func (c words) key() string { return fields[c.field].key }

func (c words) holds(m *message) bool {
	for _, value := range m.words[c.field] {
		if anyMatches(c.patterns, value) {
			return true
		}
	}
	return false
}

func (c words) why(m *message) string {
	has := "has none"
	if values := m.words[c.field]; len(values) > 0 {
		has = "has another one"
		if shown := fields[c.field].shown; shown != nil && shown.MatchString(values[0]) {
			has = "has " + c.spell(values[0])
		}
	}
	return "the message " + has + ", the rule wants " + c.spell(wanted(c.patterns))
}

// spell writes codes as the standard does.
func (c words) spell(s string) string {
	if c.field == senderType || c.field == postType {
		return strings.ReplaceAll(strings.ToUpper(s), " OR ", " or ")
	}
	return s
}

func (c words) covers(other condition) bool {
	o, same := other.(words)
	return same && o.field == c.field && allCovered(c.patterns, o.patterns)
}

func (c words) parts() []condition {
	list := make([]condition, len(c.patterns))
	for n, p := range c.patterns {
		list[n] = words{field: c.field, patterns: []pattern{p}}
	}
	return list
}

func (c words) examples() []func(*message) {
	list := make([]func(*message), len(c.patterns))
	for n, p := range c.patterns {
		list[n] = func(m *message) {
			if c.field == caseID { // a message may have several
				m.words[c.field] = append(slices.Clone(m.words[c.field]), p.example())
				return
			}
			m.words[c.field] = []string{p.example()}
		}
	}
	return list
}
