package window

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // a container image without zone files must not send in the night
)

// DefaultZone is the zone of a [Spec] that names none.
const DefaultZone = "Europe/Copenhagen"

// The settings of [Spec].Holidays.
const (
	Send = "send" // a public holiday is a day like any other; the default
	Skip = "skip" // the window does not open on Danish public holidays, see [Holidays]

	// NextDay moves an opening that falls on a public holiday to the next date that is none, at the same hours and even if
	// its weekday is not among the days; where the window opens on that date anyway, it opens once.
	NextDay = "next_day"
)

// Spec is a send window as the configuration writes it.
type Spec struct {
	From     string   // first minute, "00:00" to "23:59"; mandatory
	To       string   // first minute after it, "00:00" to "24:00"; mandatory; before From: on the next day
	Days     []string // of mon, tue, wed, thu, fri, sat, sun, each at most once; none: every day
	Zone     string   // IANA name of the zone of From, To, Days and Holidays; "": DefaultZone
	Holidays string   // Send, Skip or NextDay; "": Send
}

// FieldError is the answer of [Parse] to a wrong [Spec]. It holds words of the configuration, no personal data.
type FieldError struct {
	Field string // from, to, days[2] (counted from 0), zone, holidays
	Err   error  // what is wrong with it
}

// Error names the field and what is wrong with it.
func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Error() }

// Unwrap gives what is wrong with the field.
func (e *FieldError) Unwrap() error { return e.Err }

// weekdays are the words of Spec.Days, at the index that [time.Weekday] gives them.
var weekdays = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

var (
	errEmpty   = errors.New(`is the same as from, so the window would never open; all day is from "00:00" to "24:00"`)
	errMachine = errors.New(`"Local" is the zone of whatever machine runs; name the zone that is meant`)
)

// Parse reads a send window. A wrong one is a [*FieldError] about the first wrong field.
//
// The window that Parse returns opens again and again: one that never would has From equal to To, and is refused. No
// choice of days and holidays closes it for good, because no weekday is a holiday every week; the longest pause is that
// of a single weekday that is a holiday two weeks running, such as Monday 25 December and Monday 1 January.
func Parse(s Spec) (Window, error) {
	from, err := parseClock(s.From)
	if err != nil || from == dayLength {
		return Window{}, &FieldError{"from", fmt.Errorf(`%q is not a time of day from "00:00" to "23:59"`, s.From)}
	}
	until, err := parseClock(s.To)
	switch {
	case err != nil:
		return Window{}, &FieldError{"to", fmt.Errorf(`%q is not a time of day from "00:00" to "24:00"`, s.To)}
	case until == from:
		return Window{}, &FieldError{"to", errEmpty}
	case until < from:
		until += dayLength
	}
	days, err := parseDays(s.Days)
	if err != nil {
		return Window{}, err
	}
	zone, err := parseZone(s.Zone)
	if err != nil {
		return Window{}, &FieldError{"zone", err}
	}
	if !slices.Contains([]string{"", Send, Skip, NextDay}, s.Holidays) {
		return Window{}, &FieldError{"holidays", fmt.Errorf("%q is none of %s, %s, %s", s.Holidays, Send, Skip, NextDay)}
	}
	w := Window{
		zone: zone, from: from, until: until, days: days,
		skipHolidays: s.Holidays == Skip || s.Holidays == NextDay, makeUp: s.Holidays == NextDay,
	}
	if from == 0 && until == dayLength && days == everyDay && !w.skipHolidays {
		return Window{}, nil // always open
	}
	return w, nil
}

var errClock = errors.New("not a time of day")

// parseClock reads "hh:mm", "24:00" included, as seconds since midnight.
func parseClock(s string) (int64, error) {
	if s == "24:00" {
		return dayLength, nil
	}
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") { // time.Parse also takes "9:00"
		return 0, errClock
	}
	return int64(t.Hour())*3600 + int64(t.Minute())*60, nil
}

func parseDays(words []string) (weekdaySet, error) {
	if len(words) == 0 {
		return everyDay, nil
	}
	var days weekdaySet
	for n, word := range words {
		field := fmt.Sprintf("days[%d]", n)
		weekday := slices.Index(weekdays[:], word)
		if weekday < 0 {
			return 0, &FieldError{field, fmt.Errorf("%q is none of mon, tue, wed, thu, fri, sat, sun", word)}
		}
		if days.has(weekday) {
			return 0, &FieldError{field, fmt.Errorf("%q stands there twice", word)}
		}
		days |= 1 << weekday
	}
	return days, nil
}

func parseZone(name string) (*time.Location, error) {
	switch {
	case name == "":
		name = DefaultZone
	case strings.EqualFold(name, "local"):
		return nil, errMachine
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not an IANA time zone such as %q: %w", name, DefaultZone, err)
	}
	return zone, nil
}
