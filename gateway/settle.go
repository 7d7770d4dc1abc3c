package gateway

import (
	"context"
	"errors"
	"time"
)

// Settle takes a status that came back. It keeps the receipt whole, finds its message, and moves that forward; a
// receipt seen before changes nothing, and one that matches nothing waits in quarantine for Sweep to match it later.
// When Settle returns nil everything is durable and the sender of the receipt may forget it.
func (g *Gateway) Settle(ctx context.Context, r Receipt) (SettleResult, error) {
	var result SettleResult
	var follow *Message
	r.ReceivedAt = g.now()
	err := g.journal.Update(ctx, func(tx Tx) error {
		result, follow = SettleResult{}, nil
		r.MessageID = ""
		id, err := tx.FindMessage(r.MessageUUID, r.AfsendelseID, r.Transmission)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		r.MessageID = id
		inserted, err := tx.InsertReceipt(&r)
		if err != nil {
			return err
		}
		if result.Duplicate = !inserted; result.Duplicate {
			return nil
		}
		if id == "" {
			return nil
		}
		result.Matched, result.MessageID = true, id
		result.Changed, follow, err = g.settle(ctx, tx, &r)
		return err
	})
	if err != nil {
		return SettleResult{}, err
	}
	if follow != nil {
		g.enqueue(ctx, follow)
	}
	if !result.Matched && !result.Duplicate {
		g.log.WarnContext(ctx, "status matches no message; kept in quarantine", "receipt", r.ID, "kind", string(r.Kind))
	}
	return result, nil
}

// settle applies a matched receipt to its message. A status that says nothing new (a duplicate under a new id, one that
// comes after a later one) becomes an event and changes nothing else.
func (g *Gateway) settle(ctx context.Context, tx Tx, r *Receipt) (changed bool, follow *Message, err error) {
	m, err := tx.Message(r.MessageID)
	if err != nil {
		return false, nil, notFound(err, "message", r.MessageID)
	}
	head, err := tx.IntentHead(m.IntentID)
	if err != nil {
		return false, nil, notFound(err, "intent", m.IntentID)
	}
	if m.TransmissionID == "" {
		m.TransmissionID = r.Transmission
	}
	code, text := r.Code, r.Text
	if code == "" {
		code = r.Status
	}
	to, moves := target(m.State, r)
	if !moves {
		if err := tx.SaveMessage(m); err != nil {
			return false, nil, err
		}
		err := g.note(tx, head, m, 0, code, text)
		if err == nil && m.State == Superseded && r.Kind == ReceiptDelivered {
			err = g.tellBothRoads(ctx, tx, head, m)
		}
		return false, nil, err
	}
	if m.SubmittedAt.IsZero() {
		m.SubmittedAt = earliest(r.OccurredAt, g.now())
	}
	m.Uncertain, m.DueAt = false, time.Time{}
	if to == Received {
		m.DueAt = g.silenceEnds(head, m)
	}
	switch {
	case to != Failed || r.Class == Fail:
		return true, nil, g.move(tx, head, m, to, code, text)
	case r.Class == Next:
		follow, err := g.fallBack(tx, head, m, code, text)
		return true, follow, err
	default:
		// The far end asks for the letter again. The identity is spent there, so a person decides.
		return true, nil, g.move(tx, head, m, Failed, code, text)
	}
}

// target says which state a receipt puts a message into, and whether that is a step forward.
func target(s MessageState, r *Receipt) (to MessageState, moves bool) {
	switch r.Kind {
	case ReceiptReceived:
		to = Received
	case ReceiptDelivered:
		to = Delivered
	case ReceiptRejected:
		to = Failed
	case ReceiptReturned:
		to = Returned
	case ReceiptNote:
		return s, false
	default:
		return s, false
	}
	return to, s.May(to)
}
