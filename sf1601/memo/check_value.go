package memo

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// value checks a property that has a value, by its kind.
func (i *inspector) value(n *node) {
	switch n.member.kind { //nolint:exhaustive // the others are plain text, or no text
	case kindMessageType:
		if t := MessageType(i.leaf.text); t != DigitalPost && t != NemSMS {
			i.find(SeverityError, RuleCode, "", n.at, "The type must be DIGITALPOST or NEMSMS.", sourceXSDTypes+"memoMessageType")
		}
	case kindUUID:
		i.uuidValue(n)
	case kindBoolean:
		i.booleanValue(n)
	case kindDateTime:
		i.dateTimeValue(n)
	case kindDate:
		if _, ok := parseDate(string(trimSpace(i.leaf.text))); !ok {
			i.find(SeverityError, RuleDate, "", n.at, "The date must be a day of the calendar, as in 2026-12-01.", i.sourceOf(n))
		}
	case kindLanguage:
		i.languageValue(n)
	case kindURL:
		i.urlValue(n)
	case kindFilename:
		i.filenameValue(n)
	case kindProductionUnit:
		i.numberValue(n, 10, sourceXSDTypes+"memoPNumberType")
	case kindGLN:
		i.numberValue(n, 13, sourceXSDTypes+"memoGLNType")
	case kindCPR:
		i.digits(n.at, string(i.leaf.text), "", 10)
	case kindCVR:
		i.digits(n.at, string(i.leaf.text), "", 8)
	}
}

func (i *inspector) uuidValue(n *node) {
	switch text := string(i.leaf.text); {
	case !uuidPattern.MatchString(text):
		i.find(SeverityError, RuleUUID, "", n.at, "A UUID of version 4 is needed.", sourceXSDTypes+"memoUuidType")
	case strings.ToLower(text) != text:
		i.setValue(n, SeverityNote, RuleUUIDCase, "The UUID has capital letters; it is compared without regard to them.",
			sourceXSDTypes+"memoUuidType", "The UUID was written in small letters.", strings.ToLower(text))
	}
}

func (i *inspector) booleanValue(n *node) {
	switch string(trimSpace(i.leaf.text)) {
	case "true", "false":
	case "1":
		i.numericBoolean(n, "true")
	case "0":
		i.numericBoolean(n, "false")
	default:
		i.find(SeverityError, RuleBoolean, "", n.at, "The value must be true or false.", i.sourceOf(n))
	}
}

func (i *inspector) numericBoolean(n *node, value string) {
	i.setValue(n, SeverityNote, RuleBoolean, "The value is written as a number; true and false are usual.", i.sourceOf(n),
		"The value was written as a word.", value)
}

// localTime is a time without a zone.
var localTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$`)

// dateTimeValue: a time ends in Z, which the pattern of the type asks for; an offset says as well when it is, and no zone
// at all says nothing. [src: MEMO-1.1-XSD memoDateTimeType]
func (i *inspector) dateTimeValue(n *node) {
	const source = sourceXSDTypes + "memoDateTimeType"
	text := string(trimSpace(i.leaf.text))
	t, ok := parseTime(text)
	switch {
	case !ok && localTime.MatchString(text):
		i.find(SeverityError, RuleTime, "", n.at, "The time has no zone, so nobody can say when it is.", source)
	case !ok:
		i.find(SeverityError, RuleTime, "", n.at, "The time must be as in 2026-12-01T09:00:00Z.", source)
	case !strings.HasSuffix(text, "Z"):
		const detail = "The time must be in UTC and end in Z."
		written := formatTime(t)
		if _, ok := parseTime(written); !ok { // before the year 1 or after 9999
			i.find(SeverityError, RuleTimeUTC, "", n.at, detail, source)
			return
		}
		i.setValue(n, SeverityError, RuleTimeUTC, detail, source, "The time was converted to UTC, in whole seconds.", written)
	case strings.Contains(text, "."):
		i.setValue(n, SeverityNote, RuleTimeFraction, "The time has parts of a second; whole seconds are usual.", source,
			"The parts of a second were cut off.", formatTime(t))
	}
}

// languageTag is xs:language. [src: MEMO-1.1-XSD memoLanguageType]
var languageTag = regexp.MustCompile(`^[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*$`)

func (i *inspector) languageValue(n *node) {
	const detail = "The language must be two letters."
	text := string(trimSpace(i.leaf.text))
	switch {
	case len(text) > 2 || !languageTag.MatchString(text):
		i.find(SeverityError, RuleLanguage, "", n.at, detail, sourceXSDTypes+"memoLanguageType")
	case !twoLetters(text):
		i.find(SeverityWarning, RuleLanguage, "", n.at, detail, sourceXSDTypes+"memoLanguageType")
	}
}

// urlValue: https is the rule of Digital Post; what else Validate asks of a URL is a warning.
func (i *inspector) urlValue(n *node) {
	text := string(trimSpace(i.leaf.text))
	var c checker
	c.https("", text)
	for _, f := range c.findings {
		switch {
		case f.Rule != RuleHTTPS: // its length is found already
		case strings.HasPrefix(text, "https://"):
			i.find(SeverityWarning, RuleHTTPS, "", n.at, f.Detail, sourceValidation)
		default:
			i.find(SeverityError, RuleHTTPS, "", n.at, f.Detail, sourceValidation)
		}
	}
}

func (i *inspector) filenameValue(n *node) {
	if !bytes.ContainsFunc(i.leaf.text, forbiddenInFilename) {
		return
	}
	const detail = "The file name holds a character that Digital Post does not take."
	if i.leaf.runes > maxText {
		i.find(SeverityError, RuleFilename, "", n.at, detail, sourceValidation)
		return
	}
	i.setValue(n, SeverityError, RuleFilename, detail, sourceValidation,
		"Each run of forbidden characters became one hyphen.", cleanFilename(string(i.leaf.text)))
}

// cleanFilename puts one - for each run of characters that a file name must not hold. [src: SP-CLIENTS itk-dev/serviceplatformen]
func cleanFilename(name string) string {
	var b strings.Builder
	inRun := false
	for _, r := range name {
		forbidden := forbiddenInFilename(r)
		switch {
		case !forbidden:
			b.WriteRune(r)
		case !inRun:
			b.WriteByte('-')
		}
		inRun = forbidden
	}
	return b.String()
}

// longNumber is xs:long.
var longNumber = regexp.MustCompile(`^[+-]?[0-9]+$`)

// numberValue checks a number of at most so many digits. The schema takes signs and leading zeros; a sender has none.
func (i *inspector) numberValue(n *node, most int, source string) {
	const detail = "The number must be digits only."
	text := string(trimSpace(i.leaf.text))
	value, err := strconv.ParseInt(text, 10, 64)
	limit, _ := strconv.ParseInt(strings.Repeat("9", most), 10, 64)
	switch {
	case !longNumber.MatchString(text):
		i.find(SeverityError, RuleNumber, "", n.at, detail, source)
	case err != nil || value > limit:
		i.find(SeverityError, RuleNumber, "", n.at, "The number has too many digits.", source)
	case text[0] == '-' || text[0] == '+' || len(text) > most:
		i.find(SeverityWarning, RuleNumber, "", n.at, detail, source)
	}
}

// digits checks an identification of exactly so many digits.
func (i *inspector) digits(at place, text, name string, count int) {
	var c checker
	c.digits("", text, count, count)
	for _, f := range c.findings {
		i.find(SeverityWarning, RuleNumber, name, at, f.Detail, sourceParty)
	}
}

// timeOf is the time of a held property, zero when there is none.
func (n *node) timeOf(name string) time.Time {
	v, _ := n.hold(name)
	t, ok := parseTime(strings.TrimSpace(v.value))
	if !ok {
		return time.Time{}
	}
	return t
}
