package gateway

import "time"

// windowOf names the send window that holds for an intent: its own, else its sender's, else "" for that of each channel.
// A name that is no longer configured does not count: a window that was renamed must not open the night.
func (g *Gateway) windowOf(i *Intent) string {
	for _, name := range [...]string{i.Window, g.senders[i.Sender].Window} {
		if g.windows[name] {
			return name
		}
	}
	return ""
}

// opens returns the first moment at or after from at which the intent's window lets the channel send.
func (g *Gateway) opens(i *Intent, channel string, from time.Time) time.Time {
	opens := g.policies[channel].Opens
	if opens == nil {
		return from
	}
	return opens(g.windowOf(i), from)
}

// leaves returns when a message that may leave from a moment on is to leave: at that moment while its window is open,
// else at the next opening, or a share of Policy.Ramp later unless it is urgent; and never after the intent expires.
//
// The ramp is halved until it takes at most half of the opening and half of the time that the intent has left, so that
// what is due last still leaves, however busy the channel is.
func (g *Gateway) leaves(i *Intent, m *Message, from time.Time) time.Time {
	opens := g.opens(i, m.Channel, from)
	if !opens.After(from) || m.Priority == Urgent {
		return earliest(opens, i.Expires)
	}
	open := func(t time.Time) bool {
		return g.opens(i, m.Channel, t).Equal(t) && (i.Expires.IsZero() || t.Before(i.Expires))
	}
	share := g.jitter()
	for ramp := g.policies[m.Channel].Ramp; ramp >= shortestRamp; ramp /= 2 {
		at := opens.Add(time.Duration(share * float64(ramp)).Truncate(time.Microsecond))
		if open(at) && open(opens.Add(2*ramp)) {
			return at
		}
	}
	return earliest(opens, i.Expires)
}

// shortestRamp is as finely as queues keep time.
const shortestRamp = time.Second
