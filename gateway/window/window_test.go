package window_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/window"
)

func parse(t testing.TB, s window.Spec) window.Window {
	t.Helper()
	w, err := window.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// at reads a time with its offset, so that a test says which 02:30 it means.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	tm, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return tm
}

func check(t *testing.T, what string, got, want time.Time) {
	t.Helper()
	if !got.Equal(want) || got.Location() != time.UTC {
		t.Errorf("%s: got %s, want %s", what, got, want.UTC())
	}
}

// Altinn compares with ">" at the start of its SMS window, so a letter at 09:00:00 sharp waits for the next day.
func TestOpenAtNineSharp(t *testing.T) {
	t.Parallel()
	w := parse(t, window.Spec{From: "09:00", To: "17:00"})
	for now, want := range map[string]string{
		"2026-03-10T08:59:59.999999999+01:00": "2026-03-10T09:00:00+01:00",
		"2026-03-10T09:00:00+01:00":           "2026-03-10T09:00:00+01:00",
		"2026-03-10T09:00:00.000000001+01:00": "2026-03-10T09:00:00.000000001+01:00",
		"2026-03-10T16:59:59.999999999+01:00": "2026-03-10T16:59:59.999999999+01:00",
		"2026-03-10T17:00:00+01:00":           "2026-03-11T09:00:00+01:00",
		"2026-07-10T07:00:00Z":                "2026-07-10T09:00:00+02:00",
	} {
		check(t, "Opens("+now+")", w.Opens(at(t, now)), at(t, want))
	}
}

func TestOpensAndCloses(t *testing.T) {
	t.Parallel()
	day := window.Spec{From: "09:00", To: "22:00"}
	night := window.Spec{From: "22:00", To: "06:00", Days: []string{"fri"}}
	office := window.Spec{
		From: "08:00", To: "16:00", Days: []string{"mon", "tue", "wed", "thu", "fri"}, Holidays: "skip",
	}
	made := func(days ...string) window.Spec {
		return window.Spec{From: "08:00", To: "16:00", Days: days, Holidays: "next_day"}
	}
	weekdays := window.Spec{From: "00:00", To: "24:00", Days: []string{"mon", "tue", "wed", "thu", "fri"}}
	for _, c := range []struct {
		name               string
		spec               window.Spec
		now, opens, closes string // closes is of the opening
	}{
		{"morning", day, "2026-01-15T05:00:00+01:00", "2026-01-15T09:00:00+01:00", "2026-01-15T22:00:00+01:00"},
		{"evening", day, "2026-01-15T22:00:00+01:00", "2026-01-16T09:00:00+01:00", "2026-01-16T22:00:00+01:00"},
		{"end of the year", day, "2026-12-31T23:00:00+01:00", "2027-01-01T09:00:00+01:00", "2027-01-01T22:00:00+01:00"},
		{"leap day", day, "2028-02-28T22:00:00+01:00", "2028-02-29T09:00:00+01:00", "2028-02-29T22:00:00+01:00"},
		{"asked from another zone", day, "2026-01-15T00:30:00-08:00", "2026-01-15T09:30:00+01:00", "2026-01-15T22:00:00+01:00"},

		{"night belongs to Friday: its evening", night, "2026-03-13T23:00:00+01:00", "2026-03-13T23:00:00+01:00", "2026-03-14T06:00:00+01:00"},
		{"night belongs to Friday: Saturday morning", night, "2026-03-14T05:59:59+01:00", "2026-03-14T05:59:59+01:00", "2026-03-14T06:00:00+01:00"},
		{"night belongs to Friday: not its morning", night, "2026-03-13T05:00:00+01:00", "2026-03-13T22:00:00+01:00", "2026-03-14T06:00:00+01:00"},
		{"night belongs to Friday: not Saturday evening", night, "2026-03-14T22:00:00+01:00", "2026-03-20T22:00:00+01:00", "2026-03-21T06:00:00+01:00"},
		{"until midnight", window.Spec{From: "18:00", To: "00:00"}, "2026-03-13T12:00:00+01:00", "2026-03-13T18:00:00+01:00", "2026-03-14T00:00:00+01:00"},
		{"until 24:00", window.Spec{From: "18:00", To: "24:00"}, "2026-03-14T00:00:00+01:00", "2026-03-14T18:00:00+01:00", "2026-03-15T00:00:00+01:00"},

		{"whole days run on", weekdays, "2026-03-08T12:00:00+01:00", "2026-03-09T00:00:00+01:00", "2026-03-14T00:00:00+01:00"},

		{"Easter skipped", office, "2026-04-01T16:00:00+02:00", "2026-04-07T08:00:00+02:00", "2026-04-07T16:00:00+02:00"},
		{"store bededag 2023", office, "2023-05-05T09:00:00+02:00", "2023-05-08T08:00:00+02:00", "2023-05-08T16:00:00+02:00"},
		{"no store bededag 2024", office, "2024-04-26T09:00:00+02:00", "2024-04-26T09:00:00+02:00", "2024-04-26T16:00:00+02:00"},
		{"grundlovsdag", office, "2026-06-05T09:00:00+02:00", "2026-06-05T09:00:00+02:00", "2026-06-05T16:00:00+02:00"},
		{"juleaftensdag, then Christmas and a week-end", office, "2026-12-24T16:00:00+01:00", "2026-12-28T08:00:00+01:00", "2026-12-28T16:00:00+01:00"},
		{"holiday by default", day, "2026-12-25T10:00:00+01:00", "2026-12-25T10:00:00+01:00", "2026-12-25T22:00:00+01:00"},
		{"longest pause", window.Spec{From: "09:00", To: "10:00", Days: []string{"mon"}, Holidays: "skip"}, "2028-12-18T10:00:00+01:00", "2029-01-08T09:00:00+01:00", "2029-01-08T10:00:00+01:00"},
		{"made up for on a Sunday", made("mon", "tue", "wed", "thu", "fri"), "2026-12-24T16:00:00+01:00", "2026-12-27T08:00:00+01:00", "2026-12-27T16:00:00+01:00"},
		{"and the usual day after it", made("mon", "tue", "wed", "thu", "fri"), "2026-12-27T16:00:00+01:00", "2026-12-28T08:00:00+01:00", "2026-12-28T16:00:00+01:00"},
		{"two days of Easter made up for at once", made("mon", "tue", "wed", "thu", "fri"), "2026-04-01T16:00:00+02:00", "2026-04-04T08:00:00+02:00", "2026-04-04T16:00:00+02:00"},
		{"2. påskedag made up for on a usual day, once", made("mon", "tue", "wed", "thu", "fri"), "2026-04-04T16:00:00+02:00", "2026-04-07T08:00:00+02:00", "2026-04-07T16:00:00+02:00"},
		{"a holiday that is no usual day moves nothing", made("tue"), "2026-12-24T16:00:00+01:00", "2026-12-29T08:00:00+01:00", "2026-12-29T16:00:00+01:00"},
		{"every day: the next day is one anyway", made(), "2026-12-24T16:00:00+01:00", "2026-12-27T08:00:00+01:00", "2026-12-27T16:00:00+01:00"},
		{"a single weekday, a holiday two weeks running", made("mon"), "2028-12-18T16:00:00+01:00", "2028-12-27T08:00:00+01:00", "2028-12-27T16:00:00+01:00"},
		{"New Year made up for", made("mon"), "2028-12-27T16:00:00+01:00", "2029-01-02T08:00:00+01:00", "2029-01-02T16:00:00+01:00"},
		{"a night made up for whole", window.Spec{From: "22:00", To: "06:00", Days: []string{"fri"}, Holidays: "next_day"}, "2026-12-25T12:00:00+01:00", "2026-12-27T22:00:00+01:00", "2026-12-28T06:00:00+01:00"},
		{"whole days made up for", window.Spec{From: "00:00", To: "24:00", Days: []string{"fri"}, Holidays: "next_day"}, "2026-12-25T12:00:00+01:00", "2026-12-27T00:00:00+01:00", "2026-12-28T00:00:00+01:00"},
		{"whole week, closed on holidays", window.Spec{From: "00:00", To: "24:00", Holidays: "next_day"}, "2026-12-25T12:00:00+01:00", "2026-12-27T00:00:00+01:00", "2027-01-01T00:00:00+01:00"},
		{"night runs into a holiday", window.Spec{From: "22:00", To: "06:00", Holidays: "skip"}, "2026-12-25T05:00:00+01:00", "2026-12-25T05:00:00+01:00", "2026-12-25T06:00:00+01:00"},
		{"night of a holiday skipped whole", window.Spec{From: "22:00", To: "06:00", Holidays: "skip"}, "2026-12-25T06:00:00+01:00", "2026-12-27T22:00:00+01:00", "2026-12-28T06:00:00+01:00"},
		{"holiday to holiday", window.Spec{From: "00:00", To: "24:00", Holidays: "skip"}, "2026-05-25T12:00:00+02:00", "2026-05-26T00:00:00+02:00", "2026-12-25T00:00:00+01:00"},
		{"holiday by the zone's date", window.Spec{From: "00:00", To: "24:00", Zone: "America/Nuuk", Holidays: "skip"}, "2027-01-01T01:00:00Z", "2027-01-01T01:00:00Z", "2027-01-01T02:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := parse(t, c.spec)
			opens := w.Opens(at(t, c.now))
			check(t, "Opens", opens, at(t, c.opens))
			check(t, "Closes", w.Closes(opens), at(t, c.closes))
		})
	}
}

// In Europe/Copenhagen clocks go from 02:00+01:00 to 03:00+02:00 on 29 March 2026, and from 03:00+02:00 back to
// 02:00+01:00 on 25 October 2026.
func TestChangedClocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, from, to, now, opens, closes string }{
		{"from a time that does not exist", "02:30", "05:00", "2026-03-29T00:00:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T05:00:00+02:00"},
		{"to a time that does not exist", "01:00", "02:30", "2026-03-29T00:00:00+01:00", "2026-03-29T01:00:00+01:00", "2026-03-29T02:00:00+01:00"},
		{"wholly in what does not exist", "02:10", "02:50", "2026-03-29T00:00:00+01:00", "2026-03-30T02:10:00+02:00", "2026-03-30T02:50:00+02:00"},
		{"the first half of what does not exist", "02:00", "02:30", "2026-03-29T00:00:00+01:00", "2026-03-30T02:00:00+02:00", "2026-03-30T02:30:00+02:00"},
		{"up to what does not exist", "01:00", "02:00", "2026-03-29T00:00:00+01:00", "2026-03-29T01:00:00+01:00", "2026-03-29T02:00:00+01:00"},
		{"the day after spring", "09:00", "22:00", "2026-03-28T22:00:00+01:00", "2026-03-29T09:00:00+02:00", "2026-03-29T22:00:00+02:00"},
		{"a night in spring", "22:00", "06:00", "2026-03-28T12:00:00+01:00", "2026-03-28T22:00:00+01:00", "2026-03-29T06:00:00+02:00"},

		{"first time", "02:10", "02:50", "2026-10-25T00:00:00+02:00", "2026-10-25T02:10:00+02:00", "2026-10-25T02:50:00+02:00"},
		{"second time", "02:10", "02:50", "2026-10-25T02:50:00+02:00", "2026-10-25T02:10:00+01:00", "2026-10-25T02:50:00+01:00"},
		{"after the second time", "02:10", "02:50", "2026-10-25T02:50:00+01:00", "2026-10-26T02:10:00+01:00", "2026-10-26T02:50:00+01:00"},
		{"from the first time", "02:30", "05:00", "2026-10-25T00:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00"},
		{"from the second time", "02:30", "05:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00", "2026-10-25T05:00:00+01:00"},
		{"to the first time", "01:00", "02:30", "2026-10-25T00:00:00+02:00", "2026-10-25T01:00:00+02:00", "2026-10-25T02:30:00+02:00"},
		{"to the second time", "01:00", "02:30", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00", "2026-10-25T02:30:00+01:00"},
		{"the hour that comes twice", "02:00", "03:00", "2026-10-25T00:00:00+02:00", "2026-10-25T02:00:00+02:00", "2026-10-25T03:00:00+01:00"},
		{"the day after autumn", "09:00", "22:00", "2026-10-24T22:00:00+02:00", "2026-10-25T09:00:00+01:00", "2026-10-25T22:00:00+01:00"},
		{"a night in autumn", "22:00", "06:00", "2026-10-24T12:00:00+02:00", "2026-10-24T22:00:00+02:00", "2026-10-25T06:00:00+01:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := parse(t, window.Spec{From: c.from, To: c.to})
			opens := w.Opens(at(t, c.now))
			check(t, "Opens", opens, at(t, c.opens))
			check(t, "Closes", w.Closes(opens), at(t, c.closes))
		})
	}
}

// On 31 December of a leap year time.ZoneBounds names an end of the present offset that is over already, from 2012 on with
// the zone files embedded in Go, from 2040 on with those of most systems. Who trusts it asks for ever.
func TestLastDayOfALeapYear(t *testing.T) {
	t.Parallel()
	w := parse(t, window.Spec{From: "09:00", To: "22:00"})
	for year := 2012; year <= 2096; year += 4 {
		date := func(day, hour int) time.Time { return time.Date(year, time.December, day, hour, 0, 0, 0, time.UTC) }
		for now, want := range map[time.Time]time.Time{
			date(30, 23): date(31, 8), date(31, 0): date(31, 8), date(31, 7): date(31, 8), date(31, 20): date(31, 20),
			date(31, 21): date(32, 8), date(31, 23): date(32, 8), date(32, 0): date(32, 8),
		} {
			check(t, "Opens("+now.String()+")", w.Opens(now), want)
		}
		check(t, "Closes", w.Closes(date(31, 8)), date(31, 21))
		check(t, "Closes, before", w.Closes(date(30, 20)), date(30, 21))
	}
	night := parse(t, window.Spec{From: "22:00", To: "06:00"})
	from := time.Date(2040, time.December, 31, 22, 0, 0, 0, time.UTC)
	check(t, "Closes over New Year", night.Closes(from), from.Add(7*time.Hour))
}

func TestClosedClosesNow(t *testing.T) {
	t.Parallel()
	w := parse(t, window.Spec{From: "09:00", To: "22:00"})
	now := at(t, "2026-01-15T22:00:00+01:00")
	check(t, "Closes", w.Closes(now), now)
}

func TestAlwaysOpen(t *testing.T) {
	t.Parallel()
	now := at(t, "2026-01-15T03:04:05.678+01:00")
	for name, w := range map[string]window.Window{
		"zero Window": {}, "whole week": parse(t, window.Spec{From: "00:00", To: "24:00", Zone: "America/Nuuk"}),
	} {
		check(t, name+" Opens", w.Opens(now), now)
		if closes := w.Closes(now); !closes.IsZero() {
			t.Errorf("%s closes at %s", name, closes)
		}
	}
}

// oracle tells the slow, plain way whether a window is open: by what the wall shows.
type oracle struct {
	spec     window.Spec
	zone     *time.Location
	holidays map[string]bool
	madeUp   map[string]bool // dates to which an opening was moved
}

func newOracle(t testing.TB, spec window.Spec) oracle {
	t.Helper()
	zone, err := time.LoadLocation(spec.Zone)
	if err != nil {
		t.Fatal(err)
	}
	o := oracle{spec, zone, make(map[string]bool), make(map[string]bool)}
	for year := 2009; year <= 2052 && (spec.Holidays == "skip" || spec.Holidays == "next_day"); year++ {
		for _, h := range window.Holidays(year) {
			o.holidays[h.Format(time.DateOnly)] = true
		}
	}
	for day := range o.holidays {
		date, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if spec.Holidays != "next_day" || !o.usual(date) {
			continue
		}
		for o.holidays[date.Format(time.DateOnly)] {
			date = date.AddDate(0, 0, 1)
		}
		o.madeUp[date.Format(time.DateOnly)] = true
	}
	return o
}

func (o oracle) open(t time.Time) bool {
	local := t.In(o.zone)
	clock := local.Format("15:04")
	today := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	if o.spec.From < o.spec.To {
		return clock >= o.spec.From && clock < o.spec.To && o.starts(today)
	}
	return clock >= o.spec.From && o.starts(today) || clock < o.spec.To && o.starts(today.AddDate(0, 0, -1))
}

func (o oracle) starts(date time.Time) bool {
	day := date.Format(time.DateOnly)
	return o.madeUp[day] || o.usual(date) && !o.holidays[day]
}

// usual tells whether the weekday of a date is among the window's days.
func (o oracle) usual(date time.Time) bool {
	words := []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	return len(o.spec.Days) == 0 || slices.Contains(o.spec.Days, words[date.Weekday()])
}

// randomSpec makes windows that are likely to meet a change of clocks or a holiday. The zones change their clocks at
// night, at midnight, across midnight, by half an hour, and by a whole day.
func randomSpec(r *rand.Rand) window.Spec {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	clock := func() string { return fmt.Sprintf("%02d:%02d", pick0to23(r), r.IntN(60)) }
	s := window.Spec{
		From: clock(), To: clock(), Holidays: pick("send", "skip", "next_day"),
		Zone: pick("Europe/Copenhagen", "Europe/Copenhagen", "Europe/Copenhagen", "Atlantic/Faroe", "America/Nuuk",
			"America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Apia", "UTC"),
	}
	if s.From == s.To || r.IntN(10) == 0 {
		s.To = "24:00"
	}
	if r.IntN(10) == 0 {
		s.From = "00:00"
	}
	if s.From == s.To {
		s.To = "24:00"
	}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		if r.IntN(2) == 0 {
			s.Days = append(s.Days, day)
		}
	}
	return s
}

// pick0to23 picks an hour, every second time one in which clocks are changed.
func pick0to23(r *rand.Rand) int {
	if r.IntN(2) == 0 {
		return r.IntN(4)
	}
	return r.IntN(24)
}

// randomTime picks a moment of 2010 to 2050: by thirds any, one within half a day of a change of clocks, and one in the
// last days of a leap year.
func randomTime(r *rand.Rand, zone *time.Location) time.Time {
	from := time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	t := time.Unix(from+r.Int64N(40*365*24*3600), r.Int64N(1e9))
	switch _, change := t.In(zone).ZoneBounds(); r.IntN(3) {
	case 0:
		if !change.IsZero() {
			return change.Add(time.Duration(r.Int64N(int64(24*time.Hour))) - 12*time.Hour)
		}
	case 1:
		return time.Date(2012+4*r.IntN(10), time.December, 29, 0, r.IntN(4*24*60), r.IntN(60), 0, zone)
	}
	return t
}

// For any window and any moment: Opens and Closes look ahead, what they find is so, and nothing before it is.
func TestNothingBetweenNowAndTheAnswer(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			for range 60 {
				spec := randomSpec(r)
				w, o := parse(t, spec), newOracle(t, spec)
				for range 3 {
					now := randomTime(r, o.zone)
					opens := w.Opens(now)
					closes := w.Closes(opens)
					stays(t, o, now, opens, false)
					if closes.IsZero() {
						closes = opens.AddDate(0, 1, 0)
						if !o.open(closes) {
							t.Errorf("%+v never closes, but at %s", spec, closes)
						}
						continue
					}
					stays(t, o, opens, closes, true)
				}
			}
		})
	}
}

// stays demands that a window is open, or closed, on every minute from one moment to another and not at the other.
func stays(t *testing.T, o oracle, from, to time.Time, open bool) {
	t.Helper()
	if to.Before(from) || to.Location() != time.UTC {
		t.Fatalf("%+v: answer for %s is %s", o.spec, from, to)
	}
	if o.open(to) == open {
		t.Fatalf("%+v: open is still %t at %s, the answer for %s", o.spec, open, to, from)
	}
	for at := from; at.Before(to); at = at.Truncate(time.Minute).Add(time.Minute) {
		if o.open(at) != open {
			t.Fatalf("%+v: answer for %s is %s, but open is %t at %s", o.spec, from, to, !open, at)
		}
	}
}

func BenchmarkOpens(b *testing.B) {
	for name, spec := range map[string]window.Spec{
		"day":          {From: "09:00", To: "22:00"},
		"office":       {From: "08:00", To: "16:00", Days: []string{"mon", "tue", "wed", "thu", "fri"}, Holidays: "skip"},
		"longestPause": {From: "09:00", To: "10:00", Days: []string{"mon"}, Holidays: "skip"},
	} {
		for when, now := range map[string]string{
			"open": "2026-03-09T09:30:00+01:00", "closed": "2026-03-27T22:00:00+01:00", "xmas": "2028-12-18T16:00:00+01:00",
		} {
			b.Run(name+"/"+when, func(b *testing.B) {
				w, now := parse(b, spec), at(b, now)
				b.ReportAllocs()
				for b.Loop() {
					w.Opens(now)
				}
			})
		}
	}
}
