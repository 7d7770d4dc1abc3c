package window_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rickar/cal/v2/dk"

	"github.com/brevdue/brevdue/gateway/window"
)

// TestHolidaysAgreeWithAnotherLibrary compares a century with rickar/cal, which leaves out the two holidays that are always
// Sundays and counts Grundlovsdag, which is none by statute.
func TestHolidaysAgreeWithAnotherLibrary(t *testing.T) {
	t.Parallel()
	for year := 1990; year <= 2090; year++ {
		var theirs, ours []string
		for _, h := range dk.Holidays {
			if h == dk.Grundlovsdag {
				continue
			}
			if actual, _ := h.Calc(year); !actual.IsZero() {
				theirs = append(theirs, actual.Format(time.DateOnly))
			}
		}
		for _, day := range window.Holidays(year) {
			easterOrPentecost := day.Weekday() == time.Sunday && day.Month() >= time.March && day.Month() <= time.June
			if !easterOrPentecost {
				ours = append(ours, day.Format(time.DateOnly))
			}
		}
		slices.Sort(theirs)
		if slices.Sort(ours); !slices.Equal(ours, theirs) {
			t.Errorf("%d: %v, rickar/cal says %v", year, ours, theirs)
		}
	}
}
