package actions_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/brevdue/brevdue/actions"
)

func TestLine(t *testing.T) {
	t.Parallel()
	aftale := actions.NewAftale("Jobsamtale", reservation()).UTC()
	summer := aftale.UTC()
	summer.Reservation.Start = time.Date(2027, time.July, 1, 8, 5, 0, 0, time.UTC)
	summer.Reservation.End = summer.Reservation.Start.Add(26 * time.Hour)
	crooked := actions.NewInformation(" Læs\r\nmere ", url)
	for name, c := range map[string]struct {
		action actions.Action
		limit  int
		want   string
	}{
		"no limit":           {aftale, 0, "Jobsamtale: tirsdag den 1. december 2026 kl. 10.00-10.45, Værkmestergade 5"},
		"just fits":          {aftale, 74, "Jobsamtale: tirsdag den 1. december 2026 kl. 10.00-10.45, Værkmestergade 5"},
		"without year":       {aftale, 73, "Jobsamtale: tirsdag 1. december kl. 10.00-10.45, Værkmestergade 5"},
		"without end":        {aftale, 64, "Jobsamtale: tirsdag 1. december kl. 10.00, Værkmestergade 5"},
		"without weekday":    {aftale, 58, "Jobsamtale: 1. december kl. 10.00, Værkmestergade 5"},
		"time and place":     {aftale, 39, "1. december kl. 10.00, Værkmestergade 5"},
		"not even that":      {aftale, 38, ""},
		"summer, two days":   {summer, 0, "Jobsamtale: torsdag den 1. juli 2027 kl. 10.05 til 2. juli kl. 12.05, Værkmestergade 5"},
		"link":               {actions.NewBetaling("Betal her", url), 0, "Betal her: " + url},
		"link alone":         {actions.NewBetaling("Betal her", url), 40, url},
		"link does not fit":  {actions.NewBetaling("Betal her", url), 20, ""},
		"one line":           {crooked, 0, "Læs mere: " + url},
		"deadline":           {actions.NewTilmelding("Tilmeld dig", url, at(10, 23, 59)), 0, "Tilmeld dig senest 10. december kl. 23.59: " + url},
		"deadline stays":     {actions.NewTilmelding("Tilmeld dig", url, at(10, 23, 59)), 65, "Senest 10. december kl. 23.59: " + url},
		"without deadline":   {actions.NewTilmelding("Tilmeld dig", url, time.Time{}), 0, "Tilmeld dig: " + url},
		"deadline too long":  {actions.NewTilmelding("Tilmeld dig", url, at(10, 23, 59)), 45, ""},
		"nothing to say":     {actions.Action{Code: actions.Aftale, Label: "x"}, 0, ""},
		"unknown, no link":   {actions.Action{Code: "KOEB", Label: "x"}, 0, ""},
		"unknown, with link": {actions.Action{Code: "KOEB", Label: "x", URL: url}, 0, "x: " + url},
	} {
		got, ok := actions.Line(c.action, c.limit)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q (%d characters), %t", name, got, utf8.RuneCountInString(got), ok)
		}
	}
}

func TestDatoNamesEveryMonth(t *testing.T) {
	t.Parallel()
	want := "januar februar marts april maj juni juli august september oktober november december"
	for m, name := range strings.Fields(want) {
		if got := actions.Dato(time.Date(2026, time.Month(m+1), 7, 0, 0, 0, 0, time.UTC)); got != "7. "+name {
			t.Error(got)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("Tilmeld dig", "https://testby.example", "Sal 5", int64(1_796_000_000), 70)
	f.Fuzz(func(t *testing.T, label, link, place string, unix int64, limit int) {
		for _, a := range []actions.Action{
			actions.NewTilmelding(label, link, time.Unix(unix%253_402_300_000, 0)),
			actions.NewAftale(label, actions.Reservation{Location: place, Start: time.Unix(unix%253_402_300_000, 0)}),
		} {
			line, ok := actions.Line(a, limit)
			switch {
			case ok && limit > 0 && utf8.RuneCountInString(line) > limit:
				t.Errorf("%q is longer than %d", line, limit)
			case a.Code == actions.Aftale && strings.ContainsAny(line, "\r\n"):
				t.Errorf("%q is not one line", line)
			case ok && a.URL != "" && !strings.Contains(line, a.URL):
				t.Errorf("%q lacks the link", line)
			}
		}
	})
}
