package memo

import (
	"bytes"
	"strings"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo/internal/xmlscan"
)

// text reads a property as it stands, white space included.
func (r *reader) text(name string, x *string) bool {
	return r.property(name, func(text []byte) { *x = string(text) })
}

// token reads a property of a type whose white space means nothing.
func (r *reader) token(name string, x *string) bool {
	return r.property(name, func(text []byte) { *x = strings.Join(strings.Fields(string(text)), " ") })
}

// boolean reads xs:boolean; an empty property is the default, false.
func (r *reader) boolean(name string, x *bool) bool {
	return r.typed(name, func(text []byte) bool {
		switch string(trimSpace(text)) {
		case "true", "1":
			*x = true
		case "false", "0", "":
			*x = false
		default:
			return false
		}
		return true
	})
}

// dateTime reads xs:dateTime with a zone; an empty property is absent.
func (r *reader) dateTime(name string, x *time.Time) bool {
	return r.typed(name, func(text []byte) bool {
		t, ok := parseTime(string(trimSpace(text)))
		*x = t
		return ok
	})
}

// date reads xs:date; an empty property is absent.
func (r *reader) date(name string, x *Date) bool {
	return r.typed(name, func(text []byte) bool {
		d, ok := parseDate(string(trimSpace(text)))
		*x = d
		return ok
	})
}

// typed reads a property that is no text; a value that parse refuses is a fault where it begins.
func (r *reader) typed(name string, parse func(text []byte) bool) bool {
	if string(r.name) != name { // before the place is counted
		r.asked++
		return false
	}
	line, column := r.s.Position(r.s.Limit)
	offset := r.s.Limit
	return r.property(name, func(text []byte) {
		if !parse(text) {
			r.pass(&ReadError{Reason: ReasonValue, Path: r.path(), Line: line, Column: column, Offset: offset})
		}
	})
}

// property reads a property of this name.
func (r *reader) property(name string, take func(text []byte)) bool {
	if !r.is(name) {
		return false
	}
	if !r.first() {
		return true
	}
	r.enter(name, 0)
	r.leaf = r.leaf[:0]
	for r.next() {
		switch r.kind {
		case xmlscan.Start:
			r.notice(NoticeElement, r.s.Local, r.s.Offset)
			r.skip()
		case xmlscan.Text:
			r.observe(EventText)
			if r.count(len(r.leaf), len(r.s.Data)) {
				r.leaf = append(r.leaf, r.s.Data...)
			}
		case xmlscan.End:
			take(r.leaf)
			r.leave()
			return true
		default: // next gives nothing else here
		}
	}
	return true
}

// count notes that text of a property, of which there is some, goes on; false means that this is too much.
func (r *reader) count(had, more int) bool {
	r.texts += more
	if had+more > r.opts.Limits.Text || r.texts > r.opts.Limits.Texts {
		r.fail(ReasonText, r.s.Offset, nil)
	}
	return r.err == nil
}

func trimSpace(b []byte) []byte { return bytes.Trim(b, " \t\r\n") }

// parseTime reads xs:dateTime. The empty text is the zero time. A time without a zone is refused, because nobody could
// say when it is, and so is what a zero time.Time means. Fractions finer than a nanosecond are cut.
func parseTime(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	day, clock, found := strings.Cut(s, "T")
	d, ok := parseDay(day)
	if !found || !ok || len(clock) < len("00:00:00Z") || clock[2] != ':' || clock[5] != ':' {
		return time.Time{}, false
	}
	hour, ok1 := digits(clock[:2])
	minute, ok2 := digits(clock[3:5])
	second, ok3 := digits(clock[6:8])
	nanosecond, rest, ok4 := parseFraction(clock[8:])
	offset, ok5 := parseZone(rest)
	midnight := hour == 24 && minute == 0 && second == 0 && nanosecond == 0
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || hour > 23 && !midnight || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	t := time.Date(d.Year, d.Month, d.Day, hour, minute, second, nanosecond, time.UTC).Add(-offset)
	return t, t.After(time.Time{}.Add(time.Second-1)) && t.Year() <= 9999
}

// parseFraction reads what may stand behind the seconds.
func parseFraction(s string) (nanosecond int, rest string, ok bool) {
	if !strings.HasPrefix(s, ".") {
		return 0, s, true
	}
	n := 1
	for scale := 100_000_000; n < len(s) && s[n] >= '0' && s[n] <= '9'; n++ {
		nanosecond += int(s[n]-'0') * scale
		scale /= 10
	}
	return nanosecond, s[n:], n > 1
}

// parseZone reads Z or an offset of at most 14 hours.
func parseZone(s string) (time.Duration, bool) {
	if s == "Z" {
		return 0, true
	}
	if len(s) != len("+00:00") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hours, ok1 := digits(s[1:3])
	minutes, ok2 := digits(s[4:6])
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, ok1 && ok2 && minutes <= 59 && offset.Abs() <= 14*time.Hour
}

// parseDate reads xs:date and drops its zone. The empty text is the zero Date.
func parseDate(s string) (Date, bool) {
	if s == "" {
		return Date{}, true
	}
	const day = len("2006-01-02")
	if len(s) < day {
		return Date{}, false
	}
	if _, ok := parseZone(s[day:]); !ok && len(s) > day {
		return Date{}, false
	}
	return parseDay(s[:day])
}

func parseDay(s string) (Date, bool) {
	if len(s) != len("2006-01-02") || s[4] != '-' || s[7] != '-' {
		return Date{}, false
	}
	year, ok1 := digits(s[:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:])
	d := Date{Year: year, Month: time.Month(month), Day: day}
	return d, ok1 && ok2 && ok3 && d.valid()
}

// digits reads a number without a sign.
func digits(s string) (int, bool) {
	n := 0
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, s != ""
}
