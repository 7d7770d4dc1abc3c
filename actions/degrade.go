package actions

import (
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // a container image without zone files must not move an appointment by an hour
	"unicode/utf8"
)

// Copenhagen is Danish local time, the zone in which people are told times.
var Copenhagen = sync.OnceValue(func() *time.Location {
	zone, err := time.LoadLocation(timezoneName)
	if err != nil { // cannot be: the zone is linked in
		return time.FixedZone("CET", 60*60)
	}
	return zone
})

// Line is how an action degrades on a channel that has neither buttons nor calendar files: one line of Danish text of at
// most limit characters (0: no limit). The longest wording that fits is taken; what is never left out is time and place of
// an AFTALE, the link of every other code, and the deadline of a TILMELDING. It is false when nothing of it fits.
//
//	AFTALE      Jobsamtale: tirsdag den 1. december 2026 kl. 10.00-10.45, Værkmestergade 5
//	TILMELDING  Tilmeld dig senest 10. december kl. 23.59: https://testby.example/tilmeld
//	others      Læs mere: https://testby.example
func Line(a Action, limit int) (string, bool) {
	label := oneLine(a.Label)
	var wordings []string
	switch {
	case a.Code == Aftale && a.Reservation != nil:
		wordings = appointment(label, *a.Reservation)
	case a.Code != Aftale && a.URL != "":
		wordings = linkLine(label, a)
	}
	for _, w := range wordings {
		if limit <= 0 || utf8.RuneCountInString(w) <= limit {
			return w, true
		}
	}
	return "", false
}

func appointment(label string, r Reservation) []string {
	if r.Start.IsZero() {
		return nil
	}
	start, place := r.Start.In(Copenhagen()), oneLine(r.Location)
	day := weekday(start) + " " + Dato(start)
	year := strconv.Itoa(start.Year())
	until := ""
	if end := r.End.In(Copenhagen()); !r.End.IsZero() {
		until = "-" + clock(end)
		if end.YearDay() != start.YearDay() || end.Year() != start.Year() {
			until = " til " + Dato(end) + " kl. " + clock(end)
		}
	}
	return []string{
		label + ": " + weekday(start) + " den " + Dato(start) + " " + year + " kl. " + clock(start) + until + ", " + place,
		label + ": " + day + " kl. " + clock(start) + until + ", " + place,
		label + ": " + day + " kl. " + clock(start) + ", " + place,
		label + ": " + Dato(start) + " kl. " + clock(start) + ", " + place,
		Dato(start) + " kl. " + clock(start) + ", " + place,
	}
}

func linkLine(label string, a Action) []string {
	deadline, ok := a.Deadline()
	if !ok {
		return []string{label + ": " + a.URL, a.URL}
	}
	local := deadline.In(Copenhagen())
	by := "senest " + Dato(local) + " kl. " + clock(local)
	return []string{label + " " + by + ": " + a.URL, "Senest" + strings.TrimPrefix(by, "senest") + ": " + a.URL}
}

// Dato is a day as Danes write it, without the year: "1. december". It is the day that t has in its own zone.
func Dato(t time.Time) string {
	return strconv.Itoa(t.Day()) + ". " + [...]string{
		"januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november", "december",
	}[t.Month()-1]
}

func weekday(t time.Time) string {
	return [...]string{"søndag", "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag"}[t.Weekday()]
}

// clock is a time of day as Danes write it: "10.00".
func clock(t time.Time) string { return t.Format("15.04") }

// oneLine makes line ends and runs of blanks one blank.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
