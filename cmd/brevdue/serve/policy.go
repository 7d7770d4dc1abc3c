package serve

import (
	"fmt"
	"time"

	"github.com/brevdue/brevdue/channels/breaker"
	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/window"
)

// defaultConcurrency is how many letters of a channel may be on their way at once.
const defaultConcurrency = 20

// parseWindows makes the send windows of the configuration, and lists their names.
func parseWindows(specs map[string]config.Window) (map[string]window.Window, []string, error) {
	windows, names := make(map[string]window.Window, len(specs)), make([]string, 0, len(specs))
	for name, spec := range specs {
		w, err := spec.Parse()
		if err != nil {
			return nil, nil, fmt.Errorf("windows.%s: %w", name, err)
		}
		windows[name], names = w, append(names, name)
	}
	return windows, names, nil
}

// policy turns a channel's settings into the gateway's terms. A letter may leave when its window is open and the far end
// is not known to be down.
func (a *App) policy(b *breaker.Breaker, windows map[string]window.Window) (gateway.Policy, error) {
	name := b.Name()
	c := a.cfg.Channels[name]
	p := gateway.Policy{
		OnUnknown: gateway.OnUnknown(c.OnUnknown), UnknownWait: c.UnknownWait, GiveUpAfter: c.GiveUpAfter,
		RetryFirst: c.RetryFirst, RetryMax: c.RetryMax, NextAfter: c.NextAfter, OverdueAfter: c.OverdueAfter,
		Ramp: c.RampOrDefault(), Resumes: b.Opens,
	}
	if p.OnUnknown == "" {
		p.OnUnknown = onUnknown[name]
	}
	perSecond, err := c.PerSecond()
	if err != nil {
		return p, fmt.Errorf("channels.%s.rate: %w", name, err)
	}
	if perSecond > 0 {
		p.Pace = a.queue.Pacer(name, perSecond)
	}
	p.Opens = func(asked string, now time.Time) time.Time {
		if asked == "" {
			asked = c.Window
		}
		return windows[asked].Opens(now) // no window is always open
	}
	return p, nil
}

func (a *App) concurrency(channel string) int {
	if n := a.cfg.Channels[channel].Concurrency; n > 0 {
		return n
	}
	return defaultConcurrency
}
