package actions

import (
	"errors"
	"fmt"
	"net/mail"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The errors of [Calendar].
var (
	ErrNoAppointment = errors.New("only an AFTALE with a start and an end makes a calendar file")
	ErrZone          = errors.New("a calendar file is written for Danish local time only")
)

// CalendarType is the media type of what [Calendar] makes.
const CalendarType = "text/calendar; charset=utf-8; method=PUBLISH"

// sequence counts the seconds since 2026 began: it grows, and fits the 31 bits of SEQUENCE until 2094.
func sequence(now time.Time) string {
	epoch := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	return strconv.FormatInt(max(0, int64(now.Sub(epoch)/time.Second)), 10)
}

// Calendar makes the calendar file (iCalendar, UTF-8, CRLF, folded at 75 octets) of an AFTALE. It is an entry to keep,
// not an invitation: METHOD is PUBLISH and nobody is asked to answer. The same action and now give the same bytes.
//
// now is when the appointment was made known: it becomes DTSTAMP, and SEQUENCE counts the seconds from 2026 to it, so
// that a later file with the same UID replaces an earlier one in the reader's calendar. zone is the zone the times are
// written in, Europe/Copenhagen; the file defines it in a VTIMEZONE. Errors: ErrNoAppointment for any other action,
// ErrZone for a zone that does not keep Danish time at the appointment. [src: RFC-5545 3.1, 3.6.1, 3.6.5; RFC-5546 3.2.1]
//
// It is written here and not by a library because the two that are alive get it wrong: one puts backslashes into
// parameter values, which RFC 5545 does not know, the other never folds. The tests read it back with both.
func Calendar(a Action, now time.Time, zone *time.Location) ([]byte, error) {
	r := a.Reservation
	if a.Code != Aftale || r == nil || r.Start.IsZero() || r.End.IsZero() {
		return nil, ErrNoAppointment
	}
	if !danish(r.Start, zone) || !danish(r.End, zone) {
		return nil, ErrZone
	}
	var f calendarFile
	f.line("BEGIN:VCALENDAR")
	f.line("VERSION:2.0")
	f.line("PRODID:-//brevdue//brevdue//DA")
	f.line("CALSCALE:GREGORIAN")
	f.line("METHOD:PUBLISH")
	f.timezone()
	f.line("BEGIN:VEVENT")
	f.line("UID:" + text(r.UUID))
	f.line("DTSTAMP:" + utc(now))
	f.line("SEQUENCE:" + sequence(now))
	f.line("DTSTART" + local(r.Start, zone))
	f.line("DTEND" + local(r.End, zone))
	f.line("SUMMARY:" + text(r.Abstract))
	f.optional("DESCRIPTION:", r.Description)
	f.optional("LOCATION:", r.Location)
	f.organizer(r.Organizer)
	f.line("STATUS:CONFIRMED")
	f.line("TRANSP:OPAQUE")
	f.line("END:VEVENT")
	f.line("END:VCALENDAR")
	return []byte(f.String()), nil
}

// maxOctets is the longest line of a calendar file, without its end. [src: RFC-5545 3.1]
const maxOctets = 75

type calendarFile struct{ strings.Builder }

// line writes one content line, folded between characters and never inside one.
func (f *calendarFile) line(s string) {
	room := maxOctets
	for len(s) > room {
		cut := room
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		f.WriteString(s[:cut] + "\r\n ")
		s, room = s[cut:], maxOctets-1
	}
	f.WriteString(s + "\r\n")
}

func (f *calendarFile) optional(name, value string) {
	if value != "" {
		f.line(name + text(value))
	}
}

// organizer is written when there is an address: the value of ORGANIZER is one, and a name alone has no place to be.
func (f *calendarFile) organizer(o Organizer) {
	address, err := mail.ParseAddress(o.Mail)
	if err != nil || strings.ContainsFunc(address.Address, unicode.IsControl) {
		return
	}
	name := ""
	if o.Name != "" {
		name = `;CN="` + parameter(o.Name) + `"`
	}
	f.line("ORGANIZER" + name + ":mailto:" + mailto(address.Address))
}

// timezoneName is the TZID that every calendar knows.
const timezoneName = "Europe/Copenhagen"

// timezone writes the rule of the European Union since 1996: summer time from the last Sunday of March to the last
// Sunday of October, changing at 01:00 UTC.
func (f *calendarFile) timezone() {
	for _, l := range [...]string{
		"BEGIN:VTIMEZONE", "TZID:" + timezoneName,
		"BEGIN:DAYLIGHT", "TZNAME:CEST", "TZOFFSETFROM:+0100", "TZOFFSETTO:+0200",
		"DTSTART:19960331T020000", "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "END:DAYLIGHT",
		"BEGIN:STANDARD", "TZNAME:CET", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100",
		"DTSTART:19961027T030000", "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU", "END:STANDARD",
		"END:VTIMEZONE",
	} {
		f.line(l)
	}
}

// danish reports whether zone keeps the time of timezone at t.
func danish(t time.Time, zone *time.Location) bool {
	if zone == nil {
		return false
	}
	want := 1 * 60 * 60
	summer, winter := change(t.UTC().Year(), time.March), change(t.UTC().Year(), time.October)
	if !t.Before(summer) && t.Before(winter) {
		want = 2 * 60 * 60
	}
	_, offset := t.In(zone).Zone()
	return offset == want
}

// change is 01:00 UTC on the last Sunday of a month with 31 days.
func change(year int, month time.Month) time.Time {
	last := time.Date(year, month, 31, 1, 0, 0, 0, time.UTC)
	return last.AddDate(0, 0, -int(last.Weekday()))
}

const wallClock = "20060102T150405"

func utc(t time.Time) string { return t.UTC().Format(wallClock) + "Z" }

// local is the rest of a DTSTART or DTEND: parameter and value. A local time that happens twice is written in UTC: it
// would mean its first time, but not every program knows. [src: RFC-5545 3.3.5]
func local(t time.Time, zone *time.Location) string {
	wall := t.In(zone).Format(wallClock)
	for _, other := range [...]time.Duration{-time.Hour, time.Hour} {
		if t.Add(other).In(zone).Format(wallClock) == wall {
			return ":" + utc(t)
		}
	}
	return ";TZID=" + timezoneName + ":" + wall
}

// text is a value of type TEXT. [src: RFC-5545 3.3.11]
func text(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`).Replace(s)
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' {
			return -1
		}
		return r
	}, s)
}

// parameter is what may stand between the quotes of a parameter value, which knows no escape for a quote.
// [src: RFC-5545 3.2]
func parameter(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case unicode.IsControl(r):
			return ' '
		default:
			return r
		}
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// mailto escapes an address for a URI. [src: RFC-6068 2]
func mailto(address string) string {
	var b strings.Builder
	for n := range len(address) {
		c := address[n]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~@+!$'*", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
