package gateway

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Settle takes a status that came back. It keeps the receipt whole, finds its message, and moves that forward; a
// receipt seen before changes nothing, and one that matches nothing waits in quarantine for Sweep to match it later, unless
// it belongs to another system (Config.Systems): then nothing of it is kept. When Settle returns nil everything is durable
// and the sender of the receipt may forget it.
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
		if id == "" && g.foreign(&r) {
			result.Foreign = true
			return nil
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
	g.counts.add(&r, result)
	if !result.Matched && !result.Duplicate && !result.Foreign {
		g.log.WarnContext(ctx, "status matches no message; kept in quarantine", "receipt", r.ID, "kind", string(r.Kind))
	}
	return result, nil
}

// foreign reports whether a receipt that matches no message names other systems than ours, and none of ours.
func (g *Gateway) foreign(r *Receipt) bool {
	if len(g.systems) == 0 || len(r.Systems) == 0 {
		return false
	}
	for _, named := range r.Systems {
		for _, own := range g.systems {
			if strings.EqualFold(named, own) {
				return false
			}
		}
	}
	return true
}

func (c *counts) add(r *Receipt, result SettleResult) {
	switch {
	case result.Foreign:
		c.foreign.Add(1)
		return
	case result.Duplicate:
		c.duplicate.Add(1)
		return
	case result.Matched:
		c.settled.Add(1)
	default:
		c.unmatched.Add(1)
	}
	if r.Conflict {
		c.conflicts.Add(1)
	}
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
	named := m.TransmissionID == "" && r.Transmission != ""
	if named {
		m.TransmissionID = r.Transmission
	}
	to, moves := target(m.State, r)
	if !moves {
		return false, nil, g.recordOnly(ctx, tx, head, m, r, named)
	}
	code, text := g.story(m, r, to)
	if m.SubmittedAt.IsZero() {
		m.SubmittedAt = earliest(r.OccurredAt, g.now())
	}
	m.Uncertain, m.DueAt = false, time.Time{}
	if to == Received {
		m.DueAt = g.silenceEnds(head, m)
	}
	if to == Failed && r.Class == Next {
		follow, err := g.fallBack(tx, head, m, code, text)
		return true, follow, err
	}
	// Failed also when the far end asks for the letter again: the identity is spent there, so a person decides.
	return true, nil, g.move(tx, head, m, to, code, text)
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

// story is the event of a receipt: the far end's own code and text, with what a reader must know besides.
func (g *Gateway) story(m *Message, r *Receipt, to MessageState) (code, text string) {
	code, text = r.Code, r.Text
	if code == "" {
		code = r.Status
	}
	switch {
	case r.Conflict:
		text = sentences(text, "The status contradicts itself: "+r.Hint)
	case r.Kind == ReceiptNote:
		text = sentences(text, r.Hint)
	}
	if m.State == Failed && (to == Delivered || to == Returned) {
		code, text = "late."+string(to), sentences(code, text,
			"The message had stood as failed since "+m.FinalAt.Format(time.RFC3339)+"; the far end says that it was sent after all.")
	}
	return code, text
}

// sentences joins what there is.
func sentences(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		if p == "" {
			continue
		}
		if b.Len() > 0 {
			if !strings.HasSuffix(b.String(), ".") {
				b.WriteByte('.')
			}
			b.WriteByte(' ')
		}
		b.WriteString(p)
	}
	return b.String()
}

// recordOnly writes the event of a receipt that moves nothing. A delivery of a letter that another one has replaced, or
// that was called off, is told of: somebody believes otherwise.
func (g *Gateway) recordOnly(ctx context.Context, tx Tx, head *Intent, m *Message, r *Receipt, named bool) error {
	if named {
		if err := tx.SaveMessage(m); err != nil {
			return err
		}
	}
	code, text := g.story(m, r, m.State)
	if r.Kind != ReceiptDelivered || (m.State != Cancelled && m.State != Expired) {
		err := g.note(tx, head, m, 0, code, text)
		if err == nil && m.State == Superseded && r.Kind == ReceiptDelivered {
			err = g.tellBothRoads(ctx, tx, head, m)
		}
		return err
	}
	g.log.WarnContext(ctx, "delivered although it was called off or had expired", "message", m.ID, "state", string(m.State))
	return g.note(tx, head, m, 0, string(m.State)+".delivered", sentences(code, text,
		"The message stands as "+string(m.State)+"; the far end says that it was delivered."))
}
