package gateway

import (
	"context"
	"fmt"
)

// Cancel withdraws what has not left. Messages that are queued or scheduled are cancelled for good: nothing of them is
// sent afterwards. ErrTooLate, and nothing changed, when no message could be cancelled; ErrNotFound for an intent that
// is not the producer's. Cancelling twice is not an error.
func (g *Gateway) Cancel(ctx context.Context, producer, id string) (*Intent, error) {
	if _, err := g.journal.IntentView(ctx, producer, id); err != nil {
		return nil, err
	}
	err := g.journal.Update(ctx, func(tx Tx) error {
		head, err := tx.IntentHead(id)
		if err != nil {
			return err
		}
		messages, err := tx.MessagesOf(id)
		if err != nil {
			return err
		}
		stopped, already := 0, 0
		for n := range messages {
			m := &messages[n]
			switch {
			case m.State == Cancelled:
				already++
			case m.State.May(Cancelled) && !m.Uncertain:
				if err := g.move(tx, head, m, Cancelled, "cancelled", ""); err != nil {
					return err
				}
				stopped++
			}
		}
		if stopped == 0 && already == 0 && head.Status != IntentDiscarded {
			return ErrTooLate
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cancel %s: %w", id, err)
	}
	return g.journal.IntentView(ctx, producer, id)
}
