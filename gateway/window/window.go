package window

import "time"

// dayLength is the length of a day on the wall, in seconds.
const dayLength = 24 * 60 * 60

// Window is a send window: the moments at which a channel may send. It is a value that never changes and is safe for
// concurrent use. The zero Window is always open.
type Window struct {
	zone         *time.Location // nil: always open
	from, until  int64          // seconds since the midnight that starts the window's day; until is up to 48 hours
	days         weekdaySet
	skipHolidays bool
	makeUp       bool // what is skipped is made up for on the next date that is no holiday
}

// weekdaySet has bit 1<<w for each time.Weekday w.
type weekdaySet uint8

const everyDay weekdaySet = 1<<7 - 1

func (s weekdaySet) has(weekday int) bool { return s&(1<<weekday) != 0 }

// Opens returns the first moment at or after now at which the window is open, in UTC: now itself when it is open, else
// the next opening to the second.
func (w Window) Opens(now time.Time) time.Time {
	t := now.UTC()
	if w.zone == nil {
		return t
	}
	for {
		s := stretchOf(t, w.zone)
		wall := s.wall(t)
		if _, open := w.opening(wall); open {
			return t
		}
		if start, found := w.nextStart(wall, s); found {
			return s.at(start)
		}
		t = s.end
	}
}

// Closes returns the first moment at or after now at which the window is closed, in UTC: now itself when it is closed,
// else its end to the second. It returns the zero Time when the window never closes. The end of an opening that is
// still to come is Closes(Opens(now)).
func (w Window) Closes(now time.Time) time.Time {
	if w.zone == nil {
		return time.Time{}
	}
	t := now.UTC()
	for {
		s := stretchOf(t, w.zone)
		day, open := w.opening(s.wall(t))
		if !open {
			return t
		}
		// What follows may be open as well: the next day of a window of whole days, an hour that comes twice.
		t = s.end
		if end := day*dayLength + w.until; s.holds(end) {
			t = s.at(end)
		}
	}
}

// opening tells on which day the opening started that holds this time on the wall, and whether there is one.
func (w Window) opening(wall int64) (int64, bool) {
	today := floorDiv(wall, dayLength)
	for day := today; day >= today-1; day-- { // the opening of yesterday may run over midnight
		if since := wall - day*dayLength; since >= w.from && since < w.until && w.opensOn(day) {
			return day, true
		}
	}
	return 0, false
}

// nextStart finds the first start of an opening after wall, if it comes before the stretch ends.
func (w Window) nextStart(wall int64, s stretch) (int64, bool) {
	for day := floorDiv(wall, dayLength); s.holds(day*dayLength + w.from); day++ {
		if start := day*dayLength + w.from; start > wall && w.opensOn(day) {
			return start, true
		}
	}
	return 0, false
}

// opensOn tells whether the window starts on a day, counted from 1 January 1970.
func (w Window) opensOn(day int64) bool {
	if !w.skipHolidays {
		return w.days.has(weekday(day))
	}
	if isHoliday(day) {
		return false
	}
	open := w.days.has(weekday(day))
	for before := day - 1; w.makeUp && !open && isHoliday(before); before-- {
		open = w.days.has(weekday(before))
	}
	return open
}

// weekday is the time.Weekday of a day, counted from 1 January 1970.
func weekday(day int64) int {
	const first = int64(time.Thursday) // 1 January 1970
	return int(day + first - 7*floorDiv(day+first, 7))
}

// stretch is a time during which the clocks of a zone are not changed. What the wall shows in it is counted in seconds
// since 1 January 1970 00:00 on that wall, and days from midnight to midnight on it.
type stretch struct {
	offset int64     // seconds east of UTC
	end    time.Time // first moment after it, in UTC; zero: it never ends
}

func stretchOf(t time.Time, zone *time.Location) stretch {
	local := t.In(zone)
	_, offset := local.Zone()
	_, end := local.ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		// Go counts 365 days for every year whose changes it takes from a zone's rule. On 31 December of a leap year the
		// end it names is thus the midnight before, while the clocks stay as they are until the next one.
		end = t.Truncate(24 * time.Hour).Add(24 * time.Hour)
	}
	return stretch{offset: int64(offset), end: end.UTC()}
}

func (s stretch) wall(t time.Time) int64  { return t.Unix() + s.offset }
func (s stretch) at(wall int64) time.Time { return time.Unix(wall-s.offset, 0).UTC() }
func (s stretch) holds(wall int64) bool   { return s.end.IsZero() || wall-s.offset < s.end.Unix() }

func floorDiv(a, b int64) int64 {
	if a%b < 0 {
		return a/b - 1
	}
	return a / b
}
