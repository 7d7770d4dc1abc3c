package fjernprint

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The shapes of the schema. [src: FJERNPRINT-XSD KontaktOplysning, KvitteringsEmail]
var (
	houseShape    = regexp.MustCompile(`^[1-9][0-9]{0,2}[A-Z]?$`)
	floorShape    = regexp.MustCompile(`^([1-9][0-9]?|KL|ST|kl|st|[kK][2-9])$`)
	postcodeShape = regexp.MustCompile(`^[0-9]{4}$`)
	cvrShape      = regexp.MustCompile(`^[0-9]{8}$`)
	emailShape    = regexp.MustCompile(`^[^>()\[\]\\,;:@\s]{1,191}@[^>()\[\]\\,;:@\s]{1,64}$`)
	landShapes    = map[LandeScheme]*regexp.Regexp{
		ISOAlpha2: regexp.MustCompile(`^[A-Za-z]{2}$`), ISOAlpha3: regexp.MustCompile(`^[A-Za-z]{3}$`),
		UNNumeric3: regexp.MustCompile(`^[0-9]{3}$`), IMK: regexp.MustCompile(`^[0-9]{4}$`),
	}
)

// checker collects findings.
type checker struct{ findings []Finding }

func (c *checker) add(path string, rule Rule, detail string) {
	c.findings = append(c.findings, Finding{path, rule, detail})
}

// invalid is the findings as an error, nil when there are none.
func (c *checker) invalid() error {
	if len(c.findings) == 0 {
		return nil
	}
	return &Invalid{Findings: c.findings}
}

// optional checks a text of at most limit characters and says whether it is well.
func (c *checker) optional(path, value string, limit int) bool {
	switch {
	case !writable(value):
		c.add(path, RuleCharacter, "The text holds a character that XML does not allow.")
	case utf8.RuneCountInString(value) > limit:
		c.add(path, RuleLength, fmt.Sprintf("The text has more than %d characters.", limit))
	default:
		return true
	}
	return false
}

// line checks a text of at most limit characters on one line.
func (c *checker) line(path, value string, limit int) {
	if c.optional(path, value, limit) && strings.ContainsFunc(value, unicode.IsControl) {
		c.add(path, RuleCharacter, "The text holds a line break or another control character.")
	}
}

// required checks a text of 1 to limit characters on one line.
func (c *checker) required(path, value string, limit int) {
	if strings.TrimSpace(value) == "" {
		c.add(path, RuleRequired, "The property is missing.")
		return
	}
	c.line(path, value, limit)
}

// shape checks a value that must look like re.
func (c *checker) shape(path, value string, re *regexp.Regexp, rule Rule, detail string) {
	switch {
	case value == "":
		c.add(path, RuleRequired, "The property is missing.")
	case !re.MatchString(value):
		c.add(path, rule, detail)
	}
}

// code checks an optional value of an enumeration.
func (c *checker) code(path string, absent, valid bool) {
	if !absent && !valid {
		c.add(path, RuleCode, "The value is not one of the enumeration.")
	}
}

func (c *checker) indikator(path string, i Indikator) { c.code(path, i == Uangivet, i.Valid()) }

// number checks an integer that must not be below least.
func (c *checker) number(path string, n, least int64) {
	if n < least {
		c.add(path, RuleNumber, fmt.Sprintf("The number is below %d.", least))
	}
}

// year checks an optional time for a year of four digits.
func (c *checker) year(path string, t time.Time) {
	if !t.IsZero() && (t.Year() < 1 || t.Year() > 9998) { // one less: the zone may change the year
		c.add(path, RuleDate, "The year is not between 1 and 9998.")
	}
}

// writable says whether XML 1.0 allows every character. A carriage return is not among them here: it would come back as a
// reference that some readers mistake. [src: XML-1.0 section 2.2]
func writable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < ' ' && r != '\t' && r != '\n' || r == 0xFFFE || r == 0xFFFF {
			return false
		}
	}
	return true
}
