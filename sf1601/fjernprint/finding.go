package fjernprint

import (
	"fmt"
	"strings"
)

// Rule names a sender rule. The values are stable.
type Rule string

// The sender rules of this package.
const (
	RuleRequired  Rule = "required"    // a mandatory property is absent or blank
	RuleForbidden Rule = "forbidden"   // a property that must not be there
	RuleLength    Rule = "length"      // too many characters
	RuleCharacter Rule = "character"   // not UTF-8, or a character that XML does not allow
	RuleCode      Rule = "code"        // a value outside the enumeration
	RuleNumber    Rule = "number"      // out of range, or not the digits it should be
	RuleCount     Rule = "count"       // too many of a class
	RuleHouse     Rule = "house"       // not a StreetBuildingIdentifier
	RuleFloor     Rule = "floor"       // not a FloorIdentifier
	RulePostcode  Rule = "postcode"    // not four digits
	RuleCountry   Rule = "country"     // not a code of its scheme
	RuleEmail     Rule = "email"       // not an address as the schema wants it
	RuleURL       Rule = "url"         // not an absolute URL
	RuleDate      Rule = "date"        // a year XML cannot write
	RuleOneForm   Rule = "address.one" // both forms of address, or neither
	RuleOneWay    Rule = "content.one" // an attachment with no content, or in two ways
	RuleFormat    Rule = "format"      // not a PDF
	RuleSize      Rule = "size"        // too many bytes of files
)

// Finding is one thing in a letter that the schema or the print supplier would reject, or that a sender must not do.
type Finding struct {
	Path   string // place below ForsendelseI, such as BilagSamling/Bilag[2]/BilagNavn; empty for all of it
	Rule   Rule
	Detail string // one English sentence; never repeats the value
}

// Invalid is the error of Validate and CheckContents.
type Invalid struct {
	Findings []Finding // at least one, in document order
}

// Error names the places and rules, no values.
func (e *Invalid) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "fjernprint: %d findings:", len(e.Findings))
	for i, f := range e.Findings {
		if i > 0 {
			b.WriteByte(';')
		}
		fmt.Fprintf(&b, " %s (%s)", f.Path, f.Rule)
	}
	return b.String()
}
