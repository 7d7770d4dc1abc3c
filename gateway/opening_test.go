package gateway_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// TestExpiryInsideClosedHours: what could never be sent is told at the door.
func TestExpiryInsideClosedHours(t *testing.T) {
	t.Parallel()
	opens := began.Add(3 * time.Hour) // and stays open
	b := setup(t, func(c *gateway.Config) {
		c.Policies = map[string]gateway.Policy{"first": {Opens: func(window string, now time.Time) time.Time {
			if window == "day" && now.Before(opens) {
				return opens
			}
			return now
		}}}
	})
	for name, c := range map[string]struct {
		window    string
		routes    []gateway.Route
		notBefore time.Duration
		expires   time.Duration
		want      string
	}{
		"before it opens":            {"day", nil, 0, 2 * time.Hour, "time.closed"},
		"the moment it opens":        {"day", nil, 0, 3 * time.Hour, "time.closed"},
		"after it opens":             {"day", nil, 0, 3*time.Hour + time.Second, ""},
		"begins when it is open":     {"day", nil, 4 * time.Hour, 5 * time.Hour, ""},
		"never":                      {"day", nil, 0, 0, ""},
		"no window":                  {"", nil, 0, time.Hour, ""},
		"a channel without a window": {"day", []gateway.Route{{"second"}}, 0, time.Hour, ""},
		"the second leg":             {"day", []gateway.Route{{"second"}, {"first"}}, 0, time.Hour, "time.closed"},
		"both legs, told once":       {"day", []gateway.Route{{"first"}, {"first", "second"}}, 0, time.Hour, "time.closed"},
		"the second step may wait":   {"day", []gateway.Route{{"second", "first"}}, 0, time.Hour, ""},
		"in the past":                {"day", nil, 0, -time.Hour, "time.past"},
		"order":                      {"day", nil, 2 * time.Hour, time.Hour, "time.order"},
		"unknown window":             {"night", nil, 0, time.Hour, "window.unknown"},
	} {
		d := draft(t, name)
		d.Window = c.window
		if c.routes != nil {
			d.Routes = c.routes
		}
		if c.notBefore != 0 {
			d.NotBefore = began.Add(c.notBefore)
		}
		if c.expires != 0 {
			d.Expires = began.Add(c.expires)
		}
		_, _, err := b.Accept(t.Context(), d)
		var invalid *gateway.Invalid
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.want == "":
		case !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Code != c.want:
			t.Errorf("%s: %v, want %s", name, err, c.want)
		case c.want == "time.closed" && (invalid.Problems[0].Pointer != "/send/expires" ||
			!strings.Contains(invalid.Problems[0].Detail, "2026-12-01T12:00:00Z")):
			t.Errorf("%s: %+v", name, invalid.Problems[0])
		}
	}
}
