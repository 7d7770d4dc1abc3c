package config

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
)

// RampOrDefault is the ramp of the channel.
func (c Channel) RampOrDefault() time.Duration {
	if c.Ramp == nil {
		return DefaultRamp
	}
	return *c.Ramp
}

func (c *Config) checkChannels(f *findings) {
	for name, ch := range c.Channels {
		at := "channels." + name
		f.oneOf(at, name, "digitalpost", "nemsms", "smtp", "print", "automatic", "sms")
		f.oneOf(at+".on_unknown", ch.OnUnknown, "", string(gateway.Resend), string(gateway.Hold))
		c.checkWindowName(f, at+".window", ch.Window)
		if r := ch.RampOrDefault(); r < 0 || r > gateway.LongestRamp {
			f.add(at+".ramp", "not between 0s and "+gateway.LongestRamp.String(), "a duration such as 10m; 0s for none")
		}
		if _, err := ch.PerSecond(); err != nil {
			f.add(at+".rate", err.Error(), "e.g. 50/s or 3000/m")
		}
		f.oneOf(at+".ask_first", ch.AskFirst, "", "never", "fallback", "always")
		if name == "smtp" {
			if _, err := smtp.ParseURL(ch.URL); err != nil {
				f.add(at+".url", err.Error(), "e.g. smtp://mail.testby.example:587?starttls=required")
			}
		}
		if ch.Concurrency < 0 {
			f.add(at+".concurrency", "negative", "how many letters may be on their way at once; default 20")
		}
		for key, d := range map[string]time.Duration{
			"next_after": ch.NextAfter, "unknown_wait": ch.UnknownWait, "give_up_after": ch.GiveUpAfter,
			"retry_first": ch.RetryFirst, "retry_max": ch.RetryMax, "overdue_after": ch.OverdueAfter,
		} {
			if d < 0 {
				f.add(at+"."+key, "negative", "a duration such as 30s or 2m")
			}
		}
	}
}

var errRate = errors.New("not a rate")

// PerSecond reads the rate; 0 means none.
func (c Channel) PerSecond() (float64, error) { return perSecond(c.Rate) }

// PerSecond reads the rate; 0 means none.
func (p Producer) PerSecond() (float64, error) { return perSecond(p.Rate) }

func perSecond(rate string) (float64, error) {
	if rate == "" {
		return 0, nil
	}
	count, unit, found := strings.Cut(rate, "/")
	n, err := strconv.ParseFloat(count, 64)
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	if !found || err != nil || n <= 0 || n > 1e6 || per == 0 {
		return 0, errRate
	}
	return n / per, nil
}
