package window_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/window"
)

func TestParseNamesTheWrongField(t *testing.T) {
	t.Parallel()
	good := func(change func(*window.Spec)) window.Spec {
		s := window.Spec{From: "09:00", To: "22:00"}
		change(&s)
		return s
	}
	for name, c := range map[string]struct {
		spec  window.Spec
		field string
	}{
		"nothing":            {window.Spec{}, "from"},
		"no from":            {good(func(s *window.Spec) { s.From = "" }), "from"},
		"one digit":          {good(func(s *window.Spec) { s.From = "9:00" }), "from"},
		"seconds":            {good(func(s *window.Spec) { s.From = "09:00:00" }), "from"},
		"spaces":             {good(func(s *window.Spec) { s.From = "09:00 " }), "from"},
		"minute 60":          {good(func(s *window.Spec) { s.From = "09:60" }), "from"},
		"from the end":       {good(func(s *window.Spec) { s.From = "24:00" }), "from"},
		"YAML's base 60":     {good(func(s *window.Spec) { s.From = "540" }), "from"},
		"a dot":              {good(func(s *window.Spec) { s.From = "09.00" }), "from"},
		"no to":              {good(func(s *window.Spec) { s.To = "" }), "to"},
		"hour 25":            {good(func(s *window.Spec) { s.To = "25:00" }), "to"},
		"after midnight":     {good(func(s *window.Spec) { s.To = "24:01" }), "to"},
		"never open":         {good(func(s *window.Spec) { s.To = "09:00" }), "to"},
		"never, at midnight": {window.Spec{From: "00:00", To: "00:00"}, "to"},
		"not a day":          {good(func(s *window.Spec) { s.Days = []string{"mon", "tue", "ons"} }), "days[2]"},
		"a capital":          {good(func(s *window.Spec) { s.Days = []string{"Mon"} }), "days[0]"},
		"no word":            {good(func(s *window.Spec) { s.Days = []string{"mon", ""} }), "days[1]"},
		"twice":              {good(func(s *window.Spec) { s.Days = []string{"mon", "tue", "mon"} }), "days[2]"},
		"no such zone":       {good(func(s *window.Spec) { s.Zone = "Europe/Aarhus" }), "zone"},
		"machine's zone":     {good(func(s *window.Spec) { s.Zone = "Local" }), "zone"},
		"outside":            {good(func(s *window.Spec) { s.Zone = "../../etc/localtime" }), "zone"},
		"not a setting":      {good(func(s *window.Spec) { s.Holidays = "closed" }), "holidays"},
		"zone, whole week":   {window.Spec{From: "00:00", To: "24:00", Zone: "Europe/Aarhus"}, "zone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := window.Parse(c.spec)
			var wrong *window.FieldError
			if !errors.As(err, &wrong) {
				t.Fatalf("got %v, want a FieldError about %s", err, c.field)
			}
			if wrong.Field != c.field || !strings.HasPrefix(err.Error(), c.field+": ") || errors.Unwrap(err) == nil {
				t.Errorf("got %q about %s, want it about %s", err, wrong.Field, c.field)
			}
		})
	}
}

func TestParseDefaults(t *testing.T) {
	t.Parallel()
	spelled := parse(t, window.Spec{
		From: "09:00", To: "22:00", Days: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"},
		Zone: "Europe/Copenhagen", Holidays: "send",
	})
	for name, w := range map[string]window.Window{
		"no days":     parse(t, window.Spec{From: "09:00", To: "22:00"}),
		"a list of 0": parse(t, window.Spec{From: "09:00", To: "22:00", Days: []string{}}),
	} {
		for now := at(t, "2026-01-01T00:00:00Z"); now.Year() == 2026; now = now.Add(time.Hour) {
			if got, want := w.Opens(now), spelled.Opens(now); !got.Equal(want) {
				t.Fatalf("%s: Opens(%s) is %s, with the defaults spelled out %s", name, now, got, want)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("09:00", "22:00", "mon,tue,wed,thu,fri,sat,sun", "Europe/Copenhagen", "send", int64(1774746000))
	f.Add("22:00", "06:00", "fri", "", "skip", int64(1792890000))
	f.Add("00:00", "24:00", "", "UTC", "", int64(0))
	f.Add("02:30", "02:31", "sun", "America/Nuuk", "skip", int64(-62135596800))
	f.Add("20:00", "22:00", "", "", "", int64(2240568000)) // 31 December 2040
	f.Add("9:00", "24:01", "ons", "Local", "never", int64(253402300799))
	clock := regexp.MustCompile(`^([01][0-9]|2[0-3]):[0-5][0-9]$`)
	f.Fuzz(func(t *testing.T, from, to, days, zone, holidays string, unix int64) {
		spec := window.Spec{From: from, To: to, Zone: zone, Holidays: holidays}
		if days != "" {
			spec.Days = strings.Split(days, ",")
		}
		w, err := window.Parse(spec)
		if err != nil {
			if _, named := errors.AsType[*window.FieldError](err); !named {
				t.Fatalf("%#v: %v is not a FieldError", spec, err)
			}
			return
		}
		if !clock.MatchString(from) || !clock.MatchString(to) && to != "24:00" || from == to {
			t.Fatalf("%#v was taken", spec)
		}
		now := time.Unix(unix%253402300800, 0) // years up to 9999
		opens := w.Opens(now)
		if opens.Before(now) || opens.Sub(now) > 400*24*time.Hour || !w.Opens(opens).Equal(opens) {
			t.Fatalf("%#v at %v opens at %v", spec, now, opens)
		}
		if closes := w.Closes(opens); !closes.IsZero() && !closes.After(opens) {
			t.Fatalf("%#v opens at %v and closes at %v", spec, opens, closes)
		}
	})
}
