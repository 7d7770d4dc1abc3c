package actions_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/actions"
)

// copenhagen is a fixed zone one hour before UTC, so that tests need no zone database.
var copenhagen = time.FixedZone("CET", 3600)

var now = time.Date(2026, time.November, 21, 12, 0, 0, 500_000_000, time.UTC)

const url = "https://testby.example/tilmeld"

func at(day, hour, minute int) time.Time {
	return time.Date(2026, time.December, day, hour, minute, 0, 0, copenhagen)
}

func reservation() actions.Reservation {
	return actions.Reservation{
		Description: "Medbring CV",
		UUID:        "0c2d1a57-3b5e-4d39-8a0a-6f5f1c9d7e21",
		Abstract:    "Jobsamtale",
		Location:    "Værkmestergade 5",
		Start:       at(1, 10, 0),
		End:         at(1, 10, 45),
		Organizer:   actions.Organizer{Name: "Jobcenter", Mail: "jobcenter@testby.example"},
	}
}

func all() []actions.Action {
	return []actions.Action{
		actions.NewAftale("Jobsamtale", reservation()),
		actions.NewBekraeft("Bekræft", url),
		actions.NewBetaling("Betal", url),
		actions.NewForberedelse("Forbered dig", url),
		actions.NewInformation("Læs mere", url),
		actions.NewSelvbetjening("Selvbetjening", url),
		actions.NewTilmelding("Tilmeld dig", url, at(10, 23, 59)),
		actions.NewUnderskriv("Skriv under", url),
	}
}

func TestEachCodeHasAConstructorThatIsValid(t *testing.T) {
	t.Parallel()
	var codes []actions.Code
	for _, a := range all() {
		codes = append(codes, a.Code)
		if got := a.Validate(now); got != nil {
			t.Errorf("%s: %+v", a.Code, got)
		}
		if got := a.Between(at(1, 0, 0), at(2, 0, 0)).Validate(now); got != nil {
			t.Errorf("%s in a period: %+v", a.Code, got)
		}
		if !a.Code.Known() {
			t.Errorf("%s is not known", a.Code)
		}
	}
	if !slices.Equal(codes, actions.Codes()) {
		t.Errorf("constructors make %q, Codes are %q", codes, actions.Codes())
	}
}

func TestCodesAreThoseOfTheStandard(t *testing.T) {
	t.Parallel()
	want := strings.Fields("AFTALE BEKRAEFT BETALING FORBEREDELSE INFORMATION SELVBETJENING TILMELDING UNDERSKRIV")
	var got []string
	for _, c := range actions.Codes() {
		got = append(got, string(c))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, c := range []actions.Code{"", "aftale", "AFTALE ", "KOEB"} {
		if c.Known() {
			t.Errorf("%q is known", c)
		}
	}
}

func TestDeadlineIsTheEndOfATilmelding(t *testing.T) {
	t.Parallel()
	end := at(10, 23, 59)
	for _, a := range all() {
		got, ok := a.Between(time.Time{}, end).Deadline()
		if want := a.Code == actions.Tilmelding; ok != want || ok && !got.Equal(end) || !ok && !got.IsZero() {
			t.Errorf("%s: %v, %t", a.Code, got, ok)
		}
	}
	if _, ok := actions.NewTilmelding("x", url, time.Time{}).Deadline(); ok {
		t.Error("a TILMELDING without end has a deadline")
	}
}

func TestUTC(t *testing.T) {
	t.Parallel()
	local := time.Date(2026, time.December, 1, 0, 30, 15, 987654321, copenhagen)
	want := time.Date(2026, time.November, 30, 23, 30, 15, 0, time.UTC)
	r := reservation()
	r.Start, r.End = local, local
	a := actions.NewAftale("Jobsamtale", r).Between(local, local)
	u := a.UTC()
	for _, got := range []time.Time{u.Start, u.End, u.Reservation.Start, u.Reservation.End} {
		if !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	if !a.Start.Equal(local) || !a.Reservation.Start.Equal(local) {
		t.Error("UTC changed its receiver")
	}
	if u := actions.NewInformation("x", url).UTC(); !u.Start.IsZero() || !u.End.IsZero() {
		t.Error("absent times became present")
	}
}
