package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// OverdueAfter is how long a status may take where neither the configuration nor the channel says otherwise. Business
// receipts of Digital Post come within minutes as a rule and have taken many hours; a day is late on any day.
const OverdueAfter = 24 * time.Hour

// StatusWithin is a channel whose final status takes its own time (a printed letter waits for the print run and the post,
// say): the default of Policy.OverdueAfter. Zero: it has none to offer.
type StatusWithin interface{ StatusWithin() time.Duration }

// Health is what an operator should know of: warnings, none of which keeps the gateway from its work.
type Health struct {
	Overdue           []OverdueChannel // channels with overdue messages, by name
	Quarantined       int              // receipts that match no message, MaxCount at most
	OldestQuarantined time.Time        // zero: none
	Unreadable        int              // bodies nobody could read, MaxCount at most
	OldestUnreadable  time.Time        // zero: none
	Held              int              // messages that wait for a person's decision, MaxCount at most
	OldestHeld        time.Time        // when the oldest of them was made; zero: none
}

// OverdueChannel counts the messages of a channel whose expected status did not come in time.
type OverdueChannel struct {
	Channel string
	Count   int
	Oldest  time.Time // when the oldest of them was submitted
}

// MaxCount is how far Health counts what may pile up: there a number says "at least", and stays cheap to ask for.
const MaxCount = 10_000

// The pace of the watches, which every process of the gateway keeps by itself.
const (
	watchEvery = time.Minute
	// overduePage is how many messages become overdue in one transaction, overduePages how many such pages in one watch.
	overduePage, overduePages = 100, 100
)

// setOverdue finds how long the channel's status may take.
func (g *Gateway) setOverdue(c Channel) {
	p := g.policies[c.Name()]
	if p.OverdueAfter == 0 {
		p.OverdueAfter = OverdueAfter
		if s, ok := c.(StatusWithin); ok && s.StatusWithin() > 0 {
			p.OverdueAfter = s.StatusWithin()
		}
	}
	if last, ok := c.(LastWord); ok && last.LastWord() {
		p.OverdueAfter = -1 // no status is expected
	}
	g.policies[c.Name()] = p
}

// Health counts what waits for a status or a person. It is cheap: partial indexes, and no count beyond MaxCount.
func (g *Gateway) Health(ctx context.Context) (*Health, error) {
	h, err := g.journal.Health(ctx)
	if err != nil {
		return nil, fmt.Errorf("count what waits: %w", err)
	}
	return h, nil
}

// Overdue returns up to limit messages whose expected status did not come in time; of each channel the oldest first.
func (g *Gateway) Overdue(ctx context.Context, limit int) ([]Message, error) {
	messages, err := g.journal.Overdue(ctx, limit)
	if err != nil {
		return nil, fmt.Errorf("list overdue messages: %w", err)
	}
	return messages, nil
}

// watchOverdue notes every message whose expected status has not come in time, once.
func (g *Gateway) watchOverdue(ctx context.Context) (int, error) {
	count := 0
	for name := range g.channels {
		after := g.policies[name].OverdueAfter
		if after < 0 {
			continue
		}
		n, err := g.watchChannel(ctx, name, after)
		count += n
		if err != nil {
			return count, fmt.Errorf("overdue messages of %s: %w", name, err)
		}
	}
	return count, nil
}

func (g *Gateway) watchChannel(ctx context.Context, channel string, after time.Duration) (int, error) {
	count := 0
	for range overduePages {
		ids, err := g.journal.Awaiting(ctx, channel, g.now().Add(-after), overduePage)
		if err != nil {
			return count, fmt.Errorf("find them: %w", err)
		}
		noted := 0
		err = g.journal.Update(ctx, func(tx Tx) error {
			noted = 0
			for _, id := range ids {
				did, err := g.noteOverdue(tx, id, after)
				if err != nil {
					return err
				}
				if did {
					noted++
				}
			}
			return nil
		})
		switch {
		case errors.Is(err, ErrStale): // another process was faster; what is left is found the next time
			return count, nil
		case err != nil:
			return count, err
		}
		count += noted
		if len(ids) < overduePage || noted == 0 {
			break
		}
	}
	if count > 0 {
		g.log.WarnContext(ctx, "no final status in time", "channel", channel, "messages", count, "after", after)
	}
	return count, nil
}

// noteOverdue writes the event of one message, unless a status came meanwhile or another process was faster.
func (g *Gateway) noteOverdue(tx Tx, id string, after time.Duration) (bool, error) {
	m, err := tx.Message(id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	awaits := m.State == Submitted || m.State == Received
	if !awaits || !m.OverdueAt.IsZero() || m.SubmittedAt.Add(after).After(g.now()) {
		return false, nil
	}
	head, err := tx.IntentHead(m.IntentID)
	if err != nil {
		return false, notFound(err, "intent", m.IntentID)
	}
	m.OverdueAt = g.now()
	if err := tx.SaveMessage(m); err != nil {
		return false, err
	}
	return true, g.note(tx, head, m, 0, "overdue",
		"No final status "+after.String()+" after it was accepted at "+m.SubmittedAt.Format(time.RFC3339)+
			". It may still come; nothing was changed.")
}
