package window_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/window"
)

func dates(year int) []string {
	var list []string
	for _, h := range window.Holidays(year) {
		list = append(list, h.Format("01-02"))
	}
	return list
}

// The dates as printed in Danish calendars.
func TestHolidaysOfKnownYears(t *testing.T) {
	t.Parallel()
	for year, want := range map[int]string{
		// nytår, skærtorsdag, langfredag, påske, 2. påske, (store bededag,) Kr. himmelfart, pinse, 2. pinse, jul, 2. jul
		2022: "01-01 04-14 04-15 04-17 04-18 05-13 05-26 06-05 06-06 12-25 12-26",
		2023: "01-01 04-06 04-07 04-09 04-10 05-05 05-18 05-28 05-29 12-25 12-26",
		2024: "01-01 03-28 03-29 03-31 04-01 05-09 05-19 05-20 12-25 12-26",
		2025: "01-01 04-17 04-18 04-20 04-21 05-29 06-08 06-09 12-25 12-26",
		2026: "01-01 04-02 04-03 04-05 04-06 05-14 05-24 05-25 12-25 12-26",
		2027: "01-01 03-25 03-26 03-28 03-29 05-06 05-16 05-17 12-25 12-26",
		2028: "01-01 04-13 04-14 04-16 04-17 05-25 06-04 06-05 12-25 12-26",
		2029: "01-01 03-29 03-30 04-01 04-02 05-10 05-20 05-21 12-25 12-26",
		2030: "01-01 04-18 04-19 04-21 04-22 05-30 06-09 06-10 12-25 12-26",
	} {
		if got := strings.Join(dates(year), " "); got != want {
			t.Errorf("%d\n got %s\nwant %s", year, got, want)
		}
	}
}

// The earliest and latest Easters, and the two exceptions of Gauss's rule (1954, 1981).
func TestEasterAtItsEdges(t *testing.T) {
	t.Parallel()
	for year, want := range map[int]string{
		1818: "03-22", 1943: "04-25", 1954: "04-18", 1981: "04-19", 2000: "04-23", 2008: "03-23", 2011: "04-24",
		2038: "04-25", 2049: "04-18", 2076: "04-19", 2285: "03-22",
	} {
		if got := dates(year)[3]; got != want {
			t.Errorf("påskedag %d is %s, want %s", year, got, want)
		}
	}
}

// Grundlovsdag may be pinsedag or 2. pinsedag (5 June 2028), and 1 May Kristi himmelfartsdag (2008); by themselves they
// are no holidays, nor are the eves of Christmas and New Year.
func TestDaysThatAreNotStatutoryHolidays(t *testing.T) {
	t.Parallel()
	for year := 2000; year <= 2100; year++ {
		list := window.Holidays(year)
		if !slices.IsSortedFunc(list, time.Time.Compare) {
			t.Errorf("%d: not in order: %v", year, list)
		}
		for _, h := range list {
			if h.Year() != year || h.Location() != time.UTC || !h.Equal(h.Truncate(24*time.Hour)) {
				t.Errorf("%d: %v is not midnight UTC of a date of the year", year, h)
			}
			switch date := h.Format("01-02"); {
			case date == "12-24", date == "12-31",
				date == "06-05" && h.Weekday() != time.Sunday && h.Weekday() != time.Monday,
				date == "05-01" && h.Weekday() != time.Thursday && year > 2023:
				t.Errorf("%v is a holiday", h)
			}
		}
	}
}
