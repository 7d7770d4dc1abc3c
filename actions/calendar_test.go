package actions_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	arran "github.com/arran4/golang-ical"
	"github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"

	"github.com/brevdue/brevdue/actions"
)

// appointment is an AFTALE of 45 minutes in Danish local time.
func appointment(t *testing.T, wall string) actions.Action {
	t.Helper()
	start, err := time.ParseInLocation("2006-01-02 15:04", wall, actions.Copenhagen())
	if err != nil {
		t.Fatal(err)
	}
	r := reservation()
	r.Start, r.End = start, start.Add(45*time.Minute)
	return actions.NewAftale("Jobsamtale", r).UTC()
}

func calendar(t *testing.T, a actions.Action) []byte {
	t.Helper()
	file, err := actions.Calendar(a, now, actions.Copenhagen())
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// event reads a file back with one library and returns its only event.
func event(t *testing.T, file []byte) *ical.Event {
	t.Helper()
	c, err := ical.NewDecoder(bytes.NewReader(file)).Decode()
	if err != nil {
		t.Fatalf("%v\n%s", err, file)
	}
	if method, err := c.Props.Text(ical.PropMethod); err != nil || method != "PUBLISH" {
		t.Errorf("METHOD %q, %v", method, err)
	}
	events := c.Events()
	if len(events) != 1 {
		t.Fatalf("%d events", len(events))
	}
	return &events[0]
}

func TestCalendarIsReadBackWithTheRightTimes(t *testing.T) {
	t.Parallel()
	for wall, offset := range map[string]string{
		"2026-12-01 10:00": "+01:00", // winter
		"2027-07-01 10:00": "+02:00", // summer
		"2027-03-28 01:59": "+01:00", // the last minute before the clocks go forward
		"2027-03-28 03:00": "+02:00", // the first one after
		"2026-10-25 01:30": "+02:00",
		"2026-10-25 03:00": "+01:00",
	} {
		t.Run(wall, func(t *testing.T) {
			t.Parallel()
			want, err := time.Parse("2006-01-02 15:04-07:00", wall+offset)
			if err != nil {
				t.Fatal(err)
			}
			file := calendar(t, appointment(t, wall))
			e := event(t, file)
			start, err := e.DateTimeStart(nil)
			if err != nil || !start.Equal(want) {
				t.Errorf("one library reads %v, %v; want %v", start, err, want)
			}
			end, err := e.DateTimeEnd(nil)
			if err != nil || !end.Equal(want.Add(45*time.Minute)) {
				t.Errorf("one library reads the end %v, %v", end, err)
			}
			other, err := arran.ParseCalendar(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			if start, err = other.Events()[0].GetStartAt(); err != nil || !start.Equal(want) {
				t.Errorf("the other library reads %v, %v; want %v", start, err, want)
			}
			if !bytes.Contains(file, []byte("TART;TZID=Europe/Copenhagen:"+strings.NewReplacer("-", "", " ", "T", ":", "").Replace(wall)+"00\r\n")) {
				t.Errorf("the file does not hold the time on a Danish wall:\n%s", file)
			}
		})
	}
}

func TestCalendarTellsTheTwoHoursApart(t *testing.T) {
	t.Parallel()
	a := appointment(t, "2026-10-25 01:30")
	for _, later := range []time.Duration{time.Hour, 2 * time.Hour} {
		b := a.UTC()
		b.Reservation.Start, b.Reservation.End = a.Reservation.Start.Add(later), a.Reservation.End.Add(later)
		file := calendar(t, b)
		if start, err := event(t, file).DateTimeStart(nil); err != nil || !start.Equal(b.Reservation.Start) {
			t.Errorf("02:30 reads %v, want %v, %v", start, b.Reservation.Start, err)
		}
	}
}

// TestCalendarZone holds the VTIMEZONE to the zone database: the change of every year is where the rule says.
func TestCalendarZone(t *testing.T) {
	t.Parallel()
	for n := range 20 {
		month := time.Date(2026+n/2, []time.Month{time.March, time.October}[n%2], 20, 0, 30, 0, 0, time.UTC)
		for at := month; at.Month() == month.Month(); at = at.Add(time.Hour) {
			r := reservation()
			r.Start, r.End = at, at
			if _, err := actions.Calendar(actions.NewAftale("x", r), now, actions.Copenhagen()); err != nil {
				t.Fatalf("the rule and the zone database part at %v: %v", at, err)
			}
		}
	}
	c, err := ical.NewDecoder(bytes.NewReader(calendar(t, appointment(t, "2026-12-01 10:00")))).Decode()
	if err != nil {
		t.Fatal(err)
	}
	zone := c.Children[0]
	if id, err := zone.Props.Text(ical.PropTimezoneID); zone.Name != ical.CompTimezone || err != nil || id != "Europe/Copenhagen" {
		t.Errorf("%s %q, %v", zone.Name, id, err)
	}
	for _, o := range zone.Children {
		observance(t, o)
	}
	if len(zone.Children) != 2 {
		t.Errorf("%d observances", len(zone.Children))
	}
}

// observance expands a rule of the VTIMEZONE and asks the zone database what the clocks do at each of its moments.
func observance(t *testing.T, o *ical.Component) {
	t.Helper()
	rule, err := o.Props.RecurrenceRule()
	if err != nil || rule == nil {
		t.Fatalf("%s: %v", o.Name, err)
	}
	if rule.Dtstart, err = time.Parse("20060102T150405", o.Props.Get(ical.PropDateTimeStart).Value); err != nil {
		t.Fatal(err)
	}
	recurrence, err := rrule.NewRRule(*rule)
	if err != nil {
		t.Fatal(err)
	}
	before, after := offset(t, o, ical.PropTimezoneOffsetFrom), offset(t, o, ical.PropTimezoneOffsetTo)
	moments := recurrence.Between(rule.Dtstart, time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC), true)
	if len(moments) != 40 {
		t.Errorf("%s: %d changes from 1996 to 2035", o.Name, len(moments))
	}
	for _, wall := range moments {
		at := wall.Add(-before)
		_, was := at.Add(-time.Second).In(actions.Copenhagen()).Zone()
		name, is := at.In(actions.Copenhagen()).Zone()
		if want, err := o.Props.Text(ical.PropTimezoneName); err != nil || name != want ||
			time.Duration(was)*time.Second != before || time.Duration(is)*time.Second != after {
			t.Errorf("%s at %v: the clocks go from %ds to %ds %s", o.Name, at, was, is, name)
		}
	}
}

// offset reads a UTC offset of whole hours.
func offset(t *testing.T, o *ical.Component, property string) time.Duration {
	t.Helper()
	at, err := time.Parse("-0700", o.Props.Get(property).Value)
	if err != nil {
		t.Fatal(err)
	}
	_, seconds := at.Zone()
	return time.Duration(seconds) * time.Second
}

func TestCalendarTextsSurvive(t *testing.T) {
	t.Parallel()
	const nasty = "Medbring: CV; straffeattest, kørekort \\ pas \"æøå\"\nBEGIN:VEVENT\r\nog 🕊️ " +
		"en meget lang linje med ååååååååååååååååååååååååååååååååååååååååååååååååååååååååååå uden ende"
	a := appointment(t, "2026-12-01 10:00")
	a.Reservation.Description, a.Reservation.Location, a.Reservation.Abstract = nasty, "Værkmestergade 5, 2. sal; lokale \\5", "Møde,\nkort"
	a.Reservation.Organizer = actions.Organizer{Name: `Testby Kommune, "Job"; center` + "\r\nX-EVIL:1", Mail: "job&center@testby.example"}
	file := calendar(t, a)
	e := event(t, file)
	for name, want := range map[string]string{
		ical.PropDescription: strings.ReplaceAll(nasty, "\r\n", "\n"), ical.PropLocation: a.Reservation.Location,
		ical.PropSummary: a.Reservation.Abstract, ical.PropUID: a.Reservation.UUID,
	} {
		if got, err := e.Props.Text(name); err != nil || got != want {
			t.Errorf("%s: %q, want %q, %v", name, got, want, err)
		}
	}
	o := e.Props.Get(ical.PropOrganizer)
	if o == nil || o.Value != "mailto:job%26center@testby.example" ||
		o.Params.Get("CN") != "Testby Kommune, 'Job'; center  X-EVIL:1" {
		t.Errorf("ORGANIZER: %+v", o)
	}
	if e.Props.Get("X-EVIL") != nil {
		t.Error("a text has become a property")
	}
	wellFormed(t, file)
}

// wellFormed holds a file to what RFC 5545 says of lines.
func wellFormed(t *testing.T, file []byte) {
	t.Helper()
	if !bytes.HasSuffix(file, []byte("END:VCALENDAR\r\n")) {
		t.Error("the file does not end as it must")
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(file), "\r\n"), "\r\n") {
		if len(line) > 75 || line == "" || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n\x00") {
			t.Errorf("a line of %d octets: %q", len(line), line)
		}
	}
}

func TestCalendarUpdatesWhatWasSentBefore(t *testing.T) {
	t.Parallel()
	a := appointment(t, "2026-12-01 10:00")
	first, again := calendar(t, a), calendar(t, a)
	if !bytes.Equal(first, again) {
		t.Error("the same appointment gives other bytes")
	}
	later, err := actions.Calendar(a, now.Add(time.Hour), actions.Copenhagen())
	if err != nil {
		t.Fatal(err)
	}
	var n [2]int
	for i, file := range [][]byte{first, later} {
		if n[i], err = event(t, file).Props.Get(ical.PropSequence).Int(); err != nil {
			t.Fatal(err)
		}
	}
	if n[1] <= n[0] || n[0] <= 0 {
		t.Errorf("SEQUENCE %d, later %d", n[0], n[1])
	}
}

func TestCalendarRefuses(t *testing.T) {
	t.Parallel()
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	good := appointment(t, "2026-12-01 10:00")
	timeless := good.UTC()
	timeless.Reservation.End = time.Time{}
	for name, c := range map[string]struct {
		action actions.Action
		zone   *time.Location
		want   error
	}{
		"a link":            {actions.NewInformation("x", url), actions.Copenhagen(), actions.ErrNoAppointment},
		"no reservation":    {actions.Action{Code: actions.Aftale}, actions.Copenhagen(), actions.ErrNoAppointment},
		"no end":            {timeless, actions.Copenhagen(), actions.ErrNoAppointment},
		"no zone":           {good, nil, actions.ErrZone},
		"another zone":      {good, newYork, actions.ErrZone},
		"UTC is not Danish": {good, time.UTC, actions.ErrZone},
	} {
		if file, err := actions.Calendar(c.action, now, c.zone); !errors.Is(err, c.want) || file != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzCalendar(f *testing.F) {
	f.Add("Jobsamtale", "Medbring CV", "Værkmestergade 5", "Jobcenter", "a@testby.example")
	f.Add("a\r\nEND:VEVENT", "\\", `";:,`, "\x00\xff", `"x y"@testby.example`)
	f.Fuzz(func(t *testing.T, abstract, description, location, name, address string) {
		a := actions.NewAftale("x", reservation())
		a.Reservation.Abstract, a.Reservation.Description, a.Reservation.Location = abstract, description, location
		a.Reservation.Organizer = actions.Organizer{Name: name, Mail: address}
		file := calendar(t, a)
		wellFormed(t, file)
		event(t, file)
	})
}
