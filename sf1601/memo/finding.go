package memo

import (
	"fmt"
	"strings"
)

// Rule names a sender rule. The values are stable.
type Rule string

// The sender rules that Validate checks.
const (
	RuleVersion      Rule = "version"       // known version, and nothing the version does not have
	RuleRequired     Rule = "required"      // a mandatory property or class is absent or blank
	RuleForbidden    Rule = "forbidden"     // a class or property that must not be there
	RuleLength       Rule = "length"        // too many characters
	RuleCharacter    Rule = "character"     // not UTF-8, or a character that XML does not allow
	RuleCount        Rule = "count"         // too many of a class
	RuleUUID         Rule = "uuid4"         // not a UUID of version 4
	RuleCode         Rule = "code"          // a value outside the known codes
	RuleNumber       Rule = "number"        // not the digits it should be
	RuleDate         Rule = "date"          // not a day of the calendar
	RuleTimeOrder    Rule = "time.order"    // an end before its start
	RuleLanguage     Rule = "language"      // not two letters
	RuleFilename     Rule = "filename"      // a forbidden character in a file name
	RuleHTTPS        Rule = "https"         // not an absolute https URL with a host
	RuleOneAddress   Rule = "address.one"   // both forms of address
	RuleActionTarget Rule = "action.target" // reservation and entry point do not fit the action code
	RuleSize         Rule = "size"          // longer than MaxSize; only Encode checks it
)

// Finding is one thing in a message that Digital Post would reject or that a sender must not do.
type Finding struct {
	Path   string // place below memo:Message, such as MessageBody/AdditionalDocument[2]/File[1]/filename; empty for all of it
	Rule   Rule
	Detail string // one English sentence; never repeats the value
}

// Invalid is the error of Validate and Encode.
type Invalid struct {
	Findings []Finding // at least one, in document order
}

// Error names the places and rules, no values.
func (e *Invalid) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "memo: %d findings:", len(e.Findings))
	for i, f := range e.Findings {
		if i > 0 {
			b.WriteByte(';')
		}
		fmt.Fprintf(&b, " %s (%s)", f.Path, f.Rule)
	}
	return b.String()
}
