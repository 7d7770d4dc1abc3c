package routing

import (
	"crypto/sha256"
	"slices"
	"strings"
)

// condition is one entry of a rule's match. What it says of itself (why) quotes the rules file and classification keys only.
type condition interface {
	key() string
	// holds tells whether a message meets it.
	holds(m *message) bool
	// why says, of a message that does not meet it, what is missing.
	why(m *message) string
	// covers tells that whatever meets other, a condition of the same key, meets this one. False means: not proven.
	covers(other condition) bool
	// parts are conditions that together are met by exactly what meets this one.
	parts() []condition
	// examples are ways to change a message so that it meets this one, or nearly: whoever uses one looks whether it does.
	examples() []func(m *message)
}

// message is [Facts] made ready to be compared.
type message struct {
	words     [fieldCount][]string // folded, none empty
	info      []ContactInfo        // folded
	reply     Reply
	label     string
	types     []string
	forwarded bool
	size      int64
	sender    identifier
	cpr       identifier
}

// identifier is the keyed hash of a person's or company's number; the zero identifier is none.
type identifier [sha256.Size]byte

// prepare folds what is compared, once for all rules.
func (r *Rules) prepare(f Facts) *message {
	m := &message{
		reply: f.Reply, label: cut(f.Label), types: f.DocumentTypes, forwarded: f.Forwarded, size: f.Size,
	}
	if m.reply == "" {
		m.reply = ReplyNone
	}
	for n, value := range [fieldCount]string{
		contactPoint: f.ContactPoint, contactGroup: f.ContactGroup, kle: f.KLE, form: f.FORM, caseSystem: f.CaseSystem,
		senderType: f.SenderType, postType: f.PostType, messageCode: f.MessageCode,
	} {
		if value = fold(value); value != "" {
			m.words[n] = []string{value}
		}
	}
	for _, id := range f.CaseIDs {
		if id = fold(id); id != "" {
			m.words[caseID] = append(m.words[caseID], id)
		}
	}
	for _, i := range f.ContactInfo {
		m.info = append(m.info, ContactInfo{Label: fold(i.Label), Value: fold(i.Value)})
	}
	if r.hashing {
		m.sender, m.cpr = r.identify(f.SenderID), r.identify(f.CPR)
	}
	return m
}

// identify hashes a number under the key of these rules. Anything but 8 or 10 digits is no identifier.
func (r *Rules) identify(number string) identifier {
	digits := strings.TrimSpace(number)
	if len(digits) == 11 && digits[6] == '-' {
		digits = digits[:6] + digits[7:]
	}
	if len(digits) != 8 && len(digits) != 10 || strings.Trim(digits, "0123456789") != "" {
		return identifier{}
	}
	return sha256.Sum256(append(slices.Clone(r.key), digits...))
}

// fold is how words are compared: without surrounding space, in lower case.
func fold(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// maxLabel bounds what a regular expression has to look at; a subject has 256 characters at most. [src: MEMO-1.1-XSD label]
const maxLabel = 1024

// cut shortens a subject to maxLabel bytes, at a character.
func cut(s string) string {
	if len(s) <= maxLabel {
		return s
	}
	return strings.ToValidUTF8(s[:maxLabel], "")
}

// pattern is one word that a value is compared with.
type pattern struct {
	text string // folded
	form patternForm
}

type patternForm int

const (
	exactly patternForm = iota
	branch              // the key itself, or one below it: 27 and 27.03 for 27
	begins              // any value that begins so
)

func (p pattern) String() string {
	if p.form == begins && !strings.HasSuffix(p.text, ".") {
		return p.text + "*"
	}
	return p.text
}

func (p pattern) matches(value string) bool {
	switch p.form {
	case begins:
		return strings.HasPrefix(value, p.text)
	case branch:
		return strings.HasPrefix(value, p.text) && (len(value) == len(p.text) || value[len(p.text)] == '.')
	default:
		return value == p.text
	}
}

// covers tells whether p matches everything that q matches.
func (p pattern) covers(q pattern) bool {
	switch {
	case p.form == begins:
		return strings.HasPrefix(q.text, p.text)
	case p.form == branch && q.form == begins:
		return strings.HasPrefix(q.text, p.text+".")
	case p.form == branch:
		return p.matches(q.text)
	default:
		return q.form == exactly && p.text == q.text
	}
}

// example is a value that p matches.
func (p pattern) example() string {
	if p.form == begins {
		return p.text + "1"
	}
	return p.text
}

func anyMatches(list []pattern, value string) bool {
	return slices.ContainsFunc(list, func(p pattern) bool { return p.matches(value) })
}

// allCovered tells whether every pattern of narrow is covered by one of wide.
func allCovered(wide, narrow []pattern) bool {
	for _, q := range narrow {
		if !slices.ContainsFunc(wide, func(p pattern) bool { return p.covers(q) }) {
			return false
		}
	}
	return true
}

// wanted writes patterns for people: the first few of them.
func wanted(list []pattern) string {
	const most = 3
	words := make([]string, 0, most+1)
	for n, p := range list {
		if n == most && len(list) > most+1 {
			words = append(words, "one of more")
			break
		}
		words = append(words, p.String())
	}
	return strings.Join(words, " or ")
}
