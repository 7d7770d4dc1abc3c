package memo

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// Longest texts in characters, and most of each repeated class. AdditionalDocument is unbounded in the XSD and ten in
// Digital Post's own API. [src: MEMO-1.1-XSD; NGDP-OPENAPI Document]
const (
	maxText                  = 256 // memoTextType, memoUriType
	maxComment               = 512 // memoCommentType
	maxNotification          = 150 // memoNotificationType
	maxLicenseNumber         = 7   // memoLicenseNumberType
	maxContactInfo           = 2
	maxAdditionalReplyData   = 4
	maxAdditionalContentData = 10
	maxAdditionalDocuments   = 10
	unbounded                = -1
)

// Validate checks the sender rules and returns *Invalid with every finding, or nil.
//
// It judges what is sent, not what is read: rules that receivers must be lenient about (any UUID version, unknown action
// codes, both forms of address) are strict here. File contents are not opened.
func (m *Message) Validate() error {
	var c checker
	m.check(&c)
	if len(c.findings) == 0 {
		return nil
	}
	return &Invalid{Findings: c.findings}
}

// checker collects findings below a path.
type checker struct {
	version  Version
	path     []string
	findings []Finding
}

// add records a finding about a property of the current class, or about the class itself when name is empty.
func (c *checker) add(name string, rule Rule, detail string) {
	path := strings.Join(c.path, "/")
	if name != "" && path != "" {
		path += "/"
	}
	c.findings = append(c.findings, Finding{Path: path + name, Rule: rule, Detail: detail})
}

// checked is a class that knows its rules.
type checked interface{ check(c *checker) }

// class checks one class under its element name.
func (c *checker) class(name string, x checked) {
	c.path = append(c.path, name)
	x.check(c)
	c.path = c.path[:len(c.path)-1]
}

// checkOptional checks a class that may be nil.
func checkOptional[P interface {
	*C
	checked
}, C any](c *checker, name string, p P) {
	if p != nil {
		c.class(name, p)
	}
}

// checkAll checks a repeated class; positions count from 1, as in XPath.
func checkAll[C checked](c *checker, name string, classes []C, most int) {
	if most != unbounded && len(classes) > most {
		c.add(name, RuleCount, fmt.Sprintf("There may be at most %d.", most))
	}
	for i, x := range classes {
		c.class(fmt.Sprintf("%s[%d]", name, i+1), x)
	}
}

// text checks an optional text.
func (c *checker) text(name, value string, most int) {
	switch {
	case value == "":
	case !xmlstream.ValidText(value):
		c.add(name, RuleCharacter, "The text holds a character that XML does not allow.")
	case utf8.RuneCountInString(value) > most:
		c.add(name, RuleLength, fmt.Sprintf("The text must be at most %d characters.", most))
	}
}

// required checks a text that must be there, of the usual length.
func (c *checker) required(name, value string) { c.requiredUpTo(name, value, maxText) }

func (c *checker) requiredUpTo(name, value string, most int) {
	if strings.TrimSpace(value) == "" {
		c.add(name, RuleRequired, "The text must not be empty.")
		return
	}
	c.text(name, value, most)
}

// uuidPattern is a UUID of version 4. [src: MEMO-1.1-XSD memoUuidType]
var uuidPattern = regexp.MustCompile(`^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-4[a-fA-F0-9]{3}-[aAbB89][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$`)

func (c *checker) uuid(name, value string) {
	if !uuidPattern.MatchString(value) {
		c.add(name, RuleUUID, "A UUID of version 4 is needed.")
	}
}

// digits checks a number of between least and most digits.
func (c *checker) digits(name, value string, least, most int) {
	notDigit := func(r rune) bool { return r < '0' || r > '9' }
	if len(value) >= least && len(value) <= most && !strings.ContainsFunc(value, notDigit) {
		return
	}
	if least == most {
		c.add(name, RuleNumber, fmt.Sprintf("Exactly %d digits without separators are needed.", most))
		return
	}
	c.add(name, RuleNumber, fmt.Sprintf("Between %d and %d digits are needed.", least, most))
}

// party checks the identification of a party: CPR 10 digits (without modulus 11, which newer numbers do not satisfy),
// CVR 8 digits.
func (c *checker) party(idName, id string, idType IDType) {
	switch idType {
	case CPR:
		c.digits(idName, id, 10, 10)
	case CVR:
		c.digits(idName, id, 8, 8)
	default:
		c.required(idName, id)
		c.add("idType", RuleCode, "The type must be CPR or CVR.")
	}
}

// requiredTime checks a time that must be there.
func (c *checker) requiredTime(name string, t time.Time) {
	if t.IsZero() {
		c.add(name, RuleRequired, "The time must be given.")
		return
	}
	c.time(name, t)
}

func (c *checker) time(name string, t time.Time) {
	if year := t.UTC().Year(); year < 1 || year > 9999 {
		c.add(name, RuleDate, "The year must have four digits.")
	}
}

// order checks that an end is not before its start, in the whole seconds that are written.
func (c *checker) order(start, end time.Time) {
	if !start.IsZero() && !end.IsZero() && end.Truncate(time.Second).Before(start.Truncate(time.Second)) {
		c.add("endDateTime", RuleTimeOrder, "The end must not be before the start.")
	}
}

// https checks a link: an EntryPoint must have the prefix https. [src: MEMO-VALIDATION-NEWS]
func (c *checker) https(name, value string) {
	c.required(name, value)
	if strings.TrimSpace(value) == "" {
		return
	}
	u, err := url.Parse(value)
	unescaped := func(r rune) bool {
		return strings.ContainsRune("\"<>\\^`{|}", r) || unicode.IsSpace(r) || !unicode.IsGraphic(r)
	}
	switch {
	case err != nil, !strings.HasPrefix(value, "https://"), u.Hostname() == "":
		c.add(name, RuleHTTPS, "An absolute https URL with a host is needed.")
	case u.User != nil:
		c.add(name, RuleHTTPS, "The URL must not hold a user name or password.")
	case strings.ContainsFunc(value, unescaped):
		c.add(name, RuleHTTPS, "Spaces and special characters of the URL must be escaped.")
	}
}

// oneAddress checks that only one form of address is given.
func (c *checker) oneAddress(a *Address, u *UnstructuredAddress) {
	if a != nil && u != nil {
		c.add("UnstructuredAddress", RuleOneAddress, "Either Address or UnstructuredAddress may be given, not both.")
	}
}
