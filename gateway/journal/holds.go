package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/brevdue/brevdue/gateway"
)

// holdColumns are what scanHold reads.
const holdColumns = `id, kind, object, producer, recipient, set_by, reason, at, released_at, released_by`

// Out: holdColumns of what holds.
const selectHolds = `SELECT ` + holdColumns + ` FROM holds WHERE released_at IS NULL ORDER BY at, id`

// Out: as selectHolds, released ones too.
const selectAllHolds = `SELECT ` + holdColumns + ` FROM holds ORDER BY at, id`

func appendHold(to *[]gateway.LegalHold) func(row) error {
	return func(r row) error {
		var h gateway.LegalHold
		var recipient []byte
		err := r.Scan(&h.ID, (*string)(&h.Kind), &h.Object, &h.Producer,
			&opened{&recipient, func() string { return placeOf("holds.recipient", h.ID) }}, &h.By,
			&opened{&h.Reason, func() string { return placeOf("holds.reason", h.ID) }},
			(*moment)(&h.At), (*moment)(&h.ReleasedAt), &h.ReleasedBy)
		if err != nil {
			return err
		}
		if len(recipient) > 0 {
			if h.Recipient, err = number(recipient); err != nil {
				return err
			}
		}
		*to = append(*to, h)
		return nil
	}
}

// errStoredRecipient holds nothing of what was stored.
var errStoredRecipient = errors.New("a stored recipient cannot be read")

// number is the CPR or CVR number of a stored recipient, zero when it was erased.
func number(stored []byte) (gateway.Identifier, error) {
	var record recipientRecord
	if json.Unmarshal(stored, &record) != nil {
		return gateway.Identifier{}, errStoredRecipient
	}
	who, err := record.recipient()
	return who.ID, err
}

// holding is what a hold is compared with.
type holding struct {
	intent, post, producer, reference string
	recipient                         gateway.Identifier
	facts                             []byte // of a post: who sent it is in them
}

func (h holding) held(holds []gateway.LegalHold) bool {
	for n := range holds {
		if h.by(&holds[n]) {
			return true
		}
	}
	return false
}

func (h holding) by(hold *gateway.LegalHold) bool {
	switch hold.Kind {
	case gateway.HoldIntent:
		return h.intent == hold.Object
	case gateway.HoldPost:
		return h.post != "" && h.post == hold.Object
	case gateway.HoldReference:
		return h.reference == hold.Object && (hold.Producer == "" || hold.Producer == h.producer)
	case gateway.HoldRecipient:
		return h.recipient == hold.Recipient || bytes.Contains(h.facts, []byte(hold.Recipient.Reveal()))
	default:
		return true // unknown to this program: a newer one set it
	}
}

// heldIntent reports whether a hold keeps an intent.
func (t *tx) heldIntent(op string, head *gateway.Intent) (bool, error) {
	holds, err := t.holds(op)
	if err != nil || len(holds) == 0 {
		return false, err
	}
	h := holding{intent: head.ID, producer: head.Producer, reference: head.Reference}
	if h.recipient, err = t.recipientOf(op, head.ID); err != nil {
		return false, err
	}
	return h.held(holds), nil
}

// heldPost is the same of a post; a hold on the letter that it answers keeps it, too.
func (t *tx) heldPost(op string, p *gateway.Post) (bool, error) {
	holds, err := t.holds(op)
	if err != nil || len(holds) == 0 {
		return false, err
	}
	h := holding{post: p.ID, facts: p.Facts}
	if p.Answers != nil {
		h.intent, h.producer, h.reference = p.Answers.IntentID, p.Answers.Producer, p.Answers.Reference
		if h.recipient, err = t.recipientOf(op, h.intent); err != nil {
			return false, err
		}
	}
	return h.held(holds), nil
}

func (t *tx) holds(op string) ([]gateway.LegalHold, error) {
	var holds []gateway.LegalHold
	err := t.many(op, selectHolds, appendHold(&holds))
	return holds, err
}

func (t *tx) recipientOf(op, intentID string) (gateway.Identifier, error) {
	var stored []byte
	err := t.one(op, selectRecipient, func(r row) error {
		return r.Scan(&opened{&stored, func() string { return placeOf("intent_contents.recipient", intentID) }})
	}, intentID)
	switch {
	case errors.Is(err, gateway.ErrNotFound):
		return gateway.Identifier{}, nil
	case err != nil:
		return gateway.Identifier{}, err
	}
	id, err := number(stored)
	return id, wrap(op, err)
}

// Holds implements gateway.Reader.
func (r reader) Holds(ctx context.Context, all bool) ([]gateway.LegalHold, error) {
	var holds []gateway.LegalHold
	query := selectHolds
	if all {
		query = selectAllHolds
	}
	err := r.many(ctx, "holds", query, appendHold(&holds))
	return holds, err
}

// Held implements gateway.Reader.
func (r reader) Held(ctx context.Context, kind, id string) (bool, error) {
	const op = "held"
	holds, err := r.Holds(ctx, false)
	if err != nil || len(holds) == 0 {
		return false, err
	}
	var h holding
	if kind == gateway.ErasurePost {
		p, _, err := r.PostView(ctx, id)
		if err != nil {
			return false, err
		}
		h.post, h.facts = p.ID, p.Facts
		if p.Answers != nil {
			h.intent, h.producer, h.reference = p.Answers.IntentID, p.Answers.Producer, p.Answers.Reference
		}
	} else {
		var head gateway.Intent
		if err := r.one(ctx, op, selectIntentHead, func(r row) error { return scanHead(r, &head) }, id); err != nil {
			return false, err
		}
		h.intent, h.producer, h.reference = head.ID, head.Producer, head.Reference
	}
	if h.intent != "" {
		var stored []byte
		if err := r.many(ctx, op, selectRecipient, func(r row) error {
			return r.Scan(&opened{&stored, func() string { return placeOf("intent_contents.recipient", h.intent) }})
		}, h.intent); err != nil {
			return false, err
		}
		if len(stored) > 0 {
			if h.recipient, err = number(stored); err != nil {
				return false, wrap(op, err)
			}
		}
	}
	return h.held(holds), nil
}
