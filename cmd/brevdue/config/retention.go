package config

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway/retention"
)

// Retention is how long what is final is kept. Without the section nothing is ever erased.
type Retention struct {
	Default Kept            `koanf:"default"` // of the letters of senders that are not listed
	Senders map[string]Kept `koanf:"senders"` // by sender profile; a sender that is listed takes nothing from default
	Inbound Kept            `koanf:"inbound"` // of inbound post, from when it was delivered or closed
	Uploads string          `koanf:"uploads"` // documents that were handed in ahead, from then; default for good

	At    string        `koanf:"at"`    // when it runs each night, Danish time; default 02:30
	Grace time.Duration `koanf:"grace"` // how long a document stays that nothing names any more; default 24h, at least 1h
	Rate  int           `koanf:"rate"`  // how many things are erased a second; default 200
}

// Kept are periods from the final status, such as 365d or 12h; without one the stage is kept for good.
type Kept struct {
	Documents   string `koanf:"documents"`
	Content     string `koanf:"content"`
	Identifiers string `koanf:"identifiers"`
}

var errPeriod = errors.New("not a period")

// period reads 365d, or a duration of Go.
func period(s string) (time.Duration, error) {
	if s == "" {
		return 0, nil
	}
	if days, is := strings.CutSuffix(s, "d"); is {
		const most = 100 * 366
		n, err := strconv.Atoi(days)
		if err != nil || n <= 0 || n > most {
			return 0, errPeriod
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, errPeriod
	}
	return d, nil
}

func (k Kept) periods(f *findings, at string) retention.Periods {
	read := func(name, value string) time.Duration {
		d, err := period(value)
		if err != nil && f != nil {
			f.add(at+"."+name, err.Error(), "a number of days such as 365d, or a duration such as 36h")
		}
		return d
	}
	p := retention.Periods{
		Documents: read("documents", k.Documents), Content: read("content", k.Content), Identifiers: read("identifiers", k.Identifiers),
	}
	if err := p.Check(); err != nil && f != nil {
		f.add(at, err.Error(), "documents go first, then content, then identifiers")
	}
	return p
}

// Policy is the section as gateway/retention takes it.
func (r *Retention) Policy() retention.Policy { return r.policy(nil) }

func (r *Retention) policy(f *findings) retention.Policy {
	p := retention.Policy{Default: r.Default.periods(f, "retention.default"), Inbound: r.Inbound.periods(f, "retention.inbound")}
	if len(r.Senders) > 0 {
		p.Senders = make(map[string]retention.Periods, len(r.Senders))
	}
	for name, k := range r.Senders {
		p.Senders[name] = k.periods(f, "retention.senders."+name)
	}
	var err error
	if p.Uploads, err = period(r.Uploads); err != nil && f != nil {
		f.add("retention.uploads", err.Error(), "a number of days such as 30d")
	}
	return p
}

// Night is the hour and minute at which it runs.
func (r *Retention) Night() (hour, minute int) {
	at, err := time.Parse("15:04", r.At)
	if err != nil { // checked with the configuration
		return 2, 30
	}
	return at.Hour(), at.Minute()
}

func (r *Retention) check(f *findings) {
	r.policy(f)
	if _, err := time.Parse("15:04", r.At); r.At != "" && err != nil {
		f.add("retention.at", "not a time of the day", "HH:MM, e.g. 02:30")
	}
	if r.Grace != 0 && r.Grace < time.Hour {
		f.add("retention.grace", "too short", "a letter that is being accepted needs its document; at least 1h")
	}
	if r.Rate < 0 {
		f.add("retention.rate", "negative", "how many things are erased a second")
	}
}
