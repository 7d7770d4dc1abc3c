package gateway

import (
	"context"
	"time"
)

// silenceEnds says when the next channel takes over from a message that the far end has accepted and never said a last
// word about: Policy.NextAfter after it was accepted. Zero: never, because that is off or there is no next channel.
func (g *Gateway) silenceEnds(head *Intent, m *Message) time.Time {
	after := g.policies[m.Channel].NextAfter
	if after <= 0 || m.Step+1 >= len(head.Routes[m.Leg]) {
		return time.Time{}
	}
	return m.SubmittedAt.Add(after)
}

// endSilence hands the leg over to its next channel when the time for that has come. It does not when the intent has
// expired by then: the next channel could not send it either, and a status may still come.
func (g *Gateway) endSilence(tx Tx, head *Intent, m *Message) (*Message, *Later, error) {
	now := g.now()
	ends := g.silenceEnds(head, m)
	switch {
	case ends.IsZero(), !head.Expires.IsZero() && !head.Expires.After(now): // the first: it was switched off meanwhile
		m.DueAt = time.Time{}
		return nil, nil, tx.SaveMessage(m)
	case ends.After(now):
		if m.DueAt.Equal(ends) {
			return nil, &Later{At: ends, Reason: "awaiting final status"}, nil
		}
		m.DueAt = ends // the setting was changed meanwhile
		return nil, &Later{At: ends, Reason: "awaiting final status"}, tx.SaveMessage(m)
	}
	follow, err := g.fallBack(tx, head, m, "undelivered.after",
		"No final status within "+g.policies[m.Channel].NextAfter.String()+"; the next channel takes over.")
	return follow, nil, err
}

// tellBothRoads records that a message was delivered after the next channel had taken over from it, on the message that
// goes on for it, too: the recipient may be told twice, and nobody shall have to find that out.
func (g *Gateway) tellBothRoads(ctx context.Context, tx Tx, head *Intent, m *Message) error {
	messages, err := tx.MessagesOf(head.ID)
	if err != nil {
		return err
	}
	for n := len(messages) - 1; n >= 0; n-- {
		if heir := &messages[n]; heir.Leg == m.Leg {
			g.log.WarnContext(ctx, "delivered after the next channel took over", "message", m.ID, "next", heir.ID)
			return g.note(tx, head, heir, 0, "superseded.delivered",
				"The message "+m.ID+" on "+m.Channel+", from which this one took over, was delivered after all.")
		}
	}
	return nil
}
