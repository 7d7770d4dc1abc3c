package actions

import (
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// MaxText is the longest text and URL of an action, in characters. [src: MEMO-1.1-XSD memoTextType, memoUriType]
const MaxText = 256

// The stable codes of problems. They never change their meaning.
const (
	ProblemActionUnknown      = "action.unknown"          // the type is none of the eight codes
	ProblemRequired           = "required"                // a mandatory field is absent or blank
	ProblemTextTooLong        = "text.too_long"           // more than MaxText characters
	ProblemTextInvalid        = "text.invalid"            // not UTF-8, or a character that XML does not allow
	ProblemURLNotAllowed      = "url.not_allowed"         // an AFTALE has a link
	ProblemURLInvalid         = "url.invalid"             // not a URL, or spaces and other characters that need escaping
	ProblemURLRelative        = "url.relative"            // no scheme
	ProblemURLHost            = "url.host"                // no host
	ProblemURLUserinfo        = "url.userinfo"            // a user name or password
	ProblemHTTPSRequired      = "https.required"          // another scheme than https
	ProblemReservation        = "reservation.not_allowed" // appointment data on another code than AFTALE
	ProblemUUIDv4             = "uuid.v4"                 // not a UUID of version 4
	ProblemTimePast           = "time.past"               // the end is not in the future
	ProblemTimeOrder          = "time.order"              // the end is not after the start
	ProblemMailAddressInvalid = "mail.invalid"            // not an e-mail address
)

// Problem is one thing wrong with an action.
type Problem struct {
	// Pointer is a JSON pointer relative to the action in the flat JSON of the HTTP API: /type /label /url /start /end
	// /location /abstract /description /uuid /organizer/mail /organizer/name. The start and end of an AFTALE are its
	// reservation's. [src: RFC-6901]
	Pointer string
	Code    string // one of the Problem constants
	Detail  string // one English sentence; never repeats the value
}

// Validate lists everything wrong with the action as seen at now, in the order of the fields; nil when it may be sent.
//
// An end must lie after now and after the start, both compared in whole seconds: an appointment or a period that ends
// when it starts is no period, so equal times are a problem too. A start in the past is allowed.
func (a Action) Validate(now time.Time) []Problem {
	var p problems
	if !a.Code.Known() {
		p.add("/type", ProblemActionUnknown, "The type must be one of the eight action codes.")
	}
	p.required("/label", "label", a.Label)
	switch {
	case a.Code == Aftale:
		a.validateAftale(&p, now)
	case a.Code.Known():
		a.validateLink(&p, now)
	}
	return p
}

func (a Action) validateAftale(p *problems, now time.Time) {
	if a.URL != "" {
		p.add("/url", ProblemURLNotAllowed, "An AFTALE carries an appointment and no url.")
	}
	var r Reservation
	if a.Reservation != nil {
		r = *a.Reservation
	}
	p.required("/description", "description", r.Description)
	p.required("/abstract", "abstract", r.Abstract)
	p.required("/location", "location", r.Location)
	if !uuid4.MatchString(r.UUID) {
		p.add("/uuid", ProblemUUIDv4, "The uuid of the appointment must be a UUID of version 4.")
	}
	if r.Start.IsZero() {
		p.add("/start", ProblemRequired, "An AFTALE must have a start.")
	}
	if r.End.IsZero() {
		p.add("/end", ProblemRequired, "An AFTALE must have an end.")
	}
	p.period(r.Start, r.End, now)
	if !a.Start.Equal(r.Start) || !a.End.Equal(r.End) {
		p.period(a.Start, a.End, now)
	}
	p.text("/organizer/name", "name of the organizer", r.Organizer.Name)
	if p.text("/organizer/mail", "mail of the organizer", r.Organizer.Mail) && r.Organizer.Mail != "" {
		if parsed, err := mail.ParseAddress(r.Organizer.Mail); err != nil || parsed.Address != r.Organizer.Mail {
			p.add("/organizer/mail", ProblemMailAddressInvalid, "The mail of the organizer must be a plain e-mail address.")
		}
	}
}

func (a Action) validateLink(p *problems, now time.Time) {
	p.url(a.URL)
	p.period(a.Start, a.End, now)
	if a.Reservation == nil {
		return
	}
	const detail = "Only an AFTALE carries an appointment."
	before := len(*p)
	for _, field := range [...]struct{ pointer, value string }{
		{"/location", a.Reservation.Location},
		{"/abstract", a.Reservation.Abstract},
		{"/description", a.Reservation.Description},
		{"/organizer/mail", a.Reservation.Organizer.Mail},
		{"/organizer/name", a.Reservation.Organizer.Name},
	} {
		if field.value != "" {
			p.add(field.pointer, ProblemReservation, detail)
		}
	}
	if len(*p) == before {
		p.add("/type", ProblemReservation, detail)
	}
}

// uuid4 is a UUID of version 4. [src: MEMO-1.1-XSD memoUuidType]
var uuid4 = regexp.MustCompile(`^[a-fA-F0-9]{8}-[a-fA-F0-9]{4}-4[a-fA-F0-9]{3}-[aAbB89][a-fA-F0-9]{3}-[a-fA-F0-9]{12}$`)

type problems []Problem

func (p *problems) add(pointer, code, detail string) {
	*p = append(*p, Problem{Pointer: pointer, Code: code, Detail: detail})
}

// text checks characters and length and tells whether both are right; name is what the sentence calls the field.
func (p *problems) text(pointer, name, value string) bool {
	switch {
	case !validXML(value):
		p.add(pointer, ProblemTextInvalid, fmt.Sprintf("The %s holds a character that XML does not allow.", name))
		return false
	case utf8.RuneCountInString(value) > MaxText:
		p.add(pointer, ProblemTextTooLong, fmt.Sprintf("The %s must be at most %d characters.", name, MaxText))
		return false
	}
	return true
}

func (p *problems) required(pointer, name, value string) {
	if strings.TrimSpace(value) == "" {
		p.add(pointer, ProblemRequired, fmt.Sprintf("The %s must not be empty.", name))
		return
	}
	p.text(pointer, name, value)
}

// period checks a start and an end, each of which may be absent.
func (p *problems) period(start, end, now time.Time) {
	start, end, now = wholeSeconds(start), wholeSeconds(end), wholeSeconds(now)
	if end.IsZero() {
		return
	}
	if !end.After(now) {
		p.add("/end", ProblemTimePast, "The end must be in the future.")
	}
	if !start.IsZero() && !end.After(start) {
		p.add("/end", ProblemTimeOrder, "The end must be after the start.")
	}
}

// url checks a link. Digital Post rejects every message whose EntryPoint lacks the https prefix, in production since
// 10 September 2025; the prefix is compared in lower case, as it is written there. [src: MEMO-VALIDATION-NEWS]
func (p *problems) url(value string) {
	const pointer = "/url"
	if strings.TrimSpace(value) == "" {
		p.add(pointer, ProblemRequired, "Every action but AFTALE must have a url.")
		return
	}
	if !p.text(pointer, "url", value) {
		return
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || strings.ContainsFunc(value, needsEscape):
		p.add(pointer, ProblemURLInvalid, "The url is not a valid URL; spaces and special characters must be escaped.")
	case u.Scheme == "":
		p.add(pointer, ProblemURLRelative, "The url must be absolute.")
	case !strings.HasPrefix(value, "https://"):
		p.add(pointer, ProblemHTTPSRequired, "The url must start with https://.")
	case u.User != nil:
		p.add(pointer, ProblemURLUserinfo, "The url must not hold a user name or password.")
	case u.Hostname() == "":
		p.add(pointer, ProblemURLHost, "The url must name a host.")
	}
}

// needsEscape tells which characters RFC 3986 never allows unescaped. Letters outside ASCII are left alone: xs:anyURI
// and browsers take them.
func needsEscape(r rune) bool {
	return strings.ContainsRune("\"<>\\^`{|}", r) || unicode.IsSpace(r) || !unicode.IsGraphic(r)
}

// validXML tells whether s is UTF-8 of characters that XML 1.0 allows (section 2.2, production Char).
func validXML(s string) bool {
	for i, r := range s {
		switch {
		case r == utf8.RuneError:
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return false
			}
		case r < ' ' && r != '\t' && r != '\n' && r != '\r', r == 0xFFFE, r == 0xFFFF:
			return false
		}
	}
	return true
}
