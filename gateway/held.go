package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// MaxReason is the most characters of the reason of a decision on a held message.
const MaxReason = 500

// The errors of a decision on a held message.
var (
	ErrNotHeld = errors.New("the message does not wait for a decision")
	ErrExpired = errors.New("the intent's last time to be sent has gone by")
)

// Release has a held message sent again, with the identity that it had: a far end that knows it will say so. Only its own
// producer may do that ("" for any), and only while it is held. The reason, 1 to MaxReason characters on one line, is
// written into the message's events and nowhere else.
//
// Errors: *Invalid for the reason (pointer /reason), ErrNotFound, ErrNotHeld, and ErrExpired when the intent's time has
// gone by, for then it can only be closed.
func (g *Gateway) Release(ctx context.Context, producer, messageID, reason string) (*Intent, error) {
	var due DueMessage
	intent, err := g.resolve(ctx, producer, messageID, reason, func(tx Tx, head *Intent, m *Message) error {
		now := g.now()
		if !head.Expires.IsZero() && !head.Expires.After(now) {
			return ErrExpired
		}
		m.DueAt, m.ReleasedAt = now, now
		if err := g.move(tx, head, m, Queued, "held.released", reason); err != nil {
			return err
		}
		due = m.due()
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("release %s: %w", messageID, err)
	}
	// The task of the attempt that ended in "held" may still be there.
	if err := g.queue.Ensure(ctx, due); err != nil {
		g.log.WarnContext(ctx, "enqueue failed, the sweep will repeat it", "message", messageID, "error", err)
	}
	return intent, nil
}

// Close ends a held message without sending it again: as Failed, because it is given up, or as Delivered, because a
// person knows that it arrived. Who may, the reason and the errors are those of Release; any other state is *Invalid with
// the pointer /outcome. A status that comes later is taken as for any other message.
func (g *Gateway) Close(ctx context.Context, producer, messageID, reason string, as MessageState) (*Intent, error) {
	if as != Failed && as != Delivered {
		return nil, &Invalid{Problems: []Problem{{
			Pointer: "/outcome", Code: "outcome.unknown", Detail: "A held message is closed as failed or as delivered.",
		}}}
	}
	intent, err := g.resolve(ctx, producer, messageID, reason, func(tx Tx, head *Intent, m *Message) error {
		m.DueAt, m.Uncertain = time.Time{}, false
		return g.move(tx, head, m, as, "held.closed", reason)
	})
	if err != nil {
		return nil, fmt.Errorf("close %s: %w", messageID, err)
	}
	return intent, nil
}

// resolve checks that the producer may decide on the message and runs what it decided in one transaction.
func (g *Gateway) resolve(
	ctx context.Context, producer, messageID, reason string, decided func(tx Tx, head *Intent, m *Message) error,
) (*Intent, error) {
	var ps problems
	ps.text("/reason", reason, 1, MaxReason)
	if len(ps.list) > 0 {
		return nil, &Invalid{Problems: ps.list}
	}
	var intentID string
	err := g.journal.Update(ctx, func(tx Tx) error {
		m, err := tx.Message(messageID)
		if err != nil {
			return err
		}
		head, err := tx.IntentHead(m.IntentID)
		if err != nil {
			return notFound(err, "intent", m.IntentID)
		}
		switch {
		case producer != "" && head.Producer != producer:
			return ErrNotFound
		case m.State != Held:
			return ErrNotHeld
		}
		intentID = head.ID
		return decided(tx, head, m)
	})
	if err != nil {
		return nil, err
	}
	return g.journal.IntentView(ctx, producer, intentID)
}
