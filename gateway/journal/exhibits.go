package journal

import (
	"context"
	"encoding/hex"

	"github.com/brevdue/brevdue/gateway"
)

// In: skeleton, attempt id, digest. Writes nothing when an attempt of the same message has kept a request of that digest.
const insertExhibit = `INSERT INTO exhibits (skeleton)
SELECT ? WHERE NOT EXISTS (
	SELECT 1 FROM attempts AS this JOIN attempts AS other ON other.message_id = this.message_id
	WHERE this.id = ? AND other.digest = ? AND other.exhibit_id IS NOT NULL)`

// In: attempt id, digest. Out: the request of that digest which an attempt of the same message has kept.
const selectExhibit = `SELECT other.exhibit_id FROM attempts AS this JOIN attempts AS other ON other.message_id = this.message_id
WHERE this.id = ? AND other.digest = ? AND other.exhibit_id IS NOT NULL LIMIT 1`

// keepExhibit stores a skeleton once per message and digest and returns its id.
func (t *tx) keepExhibit(op string, k *gateway.Kept) (int64, error) {
	id, inserted, err := t.insertUnless(op, insertExhibit,
		secretBytes(placeOf("exhibits.skeleton", hex.EncodeToString(k.Digest[:])), k.Skeleton), k.AttemptID, k.Digest[:])
	if err != nil || inserted {
		return id, err
	}
	err = t.one(op, selectExhibit, func(r row) error { return r.Scan(&id) }, k.AttemptID, k.Digest[:])
	return id, err
}

// In: digest, manifest id or NULL, exhibit id or NULL, attempt id. Writes nothing when the attempt is closed or unknown.
const updateEvidence = `UPDATE attempts SET digest = ?, manifest_id = ?, exhibit_id = ? WHERE id = ? AND ended_at IS NULL`

// keep stores what is about to leave in an open attempt; manifestID is "" for none.
func (t *tx) keep(op string, k *gateway.Kept, manifestID string) error {
	var exhibit any // NULL
	if k.Skeleton != nil {
		id, err := t.keepExhibit(op, k)
		if err != nil {
			return err
		}
		exhibit = id
	}
	n, err := t.exec(op, updateEvidence, k.Digest[:], orNull(manifestID), exhibit, k.AttemptID)
	if err == nil && n == 0 {
		return wrap(op, gateway.ErrStale)
	}
	return err
}

// KeepRequest implements gateway.Tx. Another request in the same attempt is ErrTransition; the same again changes
// nothing.
func (t *tx) KeepRequest(k *gateway.Kept) error { return t.keep("keep request", k, "") }

// In: message id. Out: attemptColumns, answer and subject, in order.
const selectAttemptsOf = `SELECT ` + attemptColumns + `, answer, subject FROM attempts WHERE message_id = ? ORDER BY n`

// In: message id. Out: the manifests that its attempts name, in order.
const selectManifestsOf = `SELECT id, xml, signed_at FROM manifests
WHERE id IN (SELECT manifest_id FROM attempts WHERE message_id = ?) ORDER BY signed_at, id`

// In: message id. Out: receiptColumns, in the order they came.
const selectReceiptsOf = `SELECT ` + receiptColumns + ` FROM receipts WHERE message_id = ? ORDER BY received_at, id`

// In: message id, intent id. Out: eventColumns of the message, and of the intent as a whole, in order.
const selectEventsOfMessage = `SELECT ` + eventColumns + ` FROM events WHERE message_id IN (?, '') AND intent_id = ? ORDER BY seq`

// In: message id. Out: attempt id, digest and skeleton of the request that was accepted, else of the last that was kept.
const selectKept = `SELECT attempts.id, digest, skeleton FROM attempts JOIN exhibits ON exhibits.id = exhibit_id
WHERE message_id = ? ORDER BY class = 'accepted' DESC, n DESC LIMIT 1`

// dossierQueries lists what Dossier asks.
func dossierQueries() []string {
	return []string{
		selectMessage, selectAttemptsOf, selectManifestsOf, selectReceiptsOf, selectEventsOfMessage, selectKept,
	}
}

// Dossier implements gateway.Reader. All of it is of one moment.
func (r reader) Dossier(ctx context.Context, producer, messageID string) (*gateway.Dossier, *gateway.Kept, error) {
	d := &gateway.Dossier{Intent: new(gateway.Intent)}
	var kept *gateway.Kept
	err := r.snapshot(ctx, "dossier", func(s snapshot) error {
		if err := s.one(selectMessage, func(r row) error { return scanMessage(r, &d.Message) }, messageID); err != nil {
			return err
		}
		for _, q := range letter(d.Intent, selectIntentOfProducer, d.Message.IntentID, producer, producer) {
			if err := s.pool.wrap(s.op, q.ask(s.ctx, s.source)); err != nil {
				return err
			}
		}
		if err := s.many(selectEventsOfMessage, appendEvent(&d.Events), messageID, d.Intent.ID); err != nil {
			return err
		}
		if err := s.sent(d); err != nil {
			return err
		}
		if err := s.many(selectReceiptsOf, func(r row) error {
			var p gateway.Receipt
			if err := scanReceipt(r, &p); err != nil {
				return err
			}
			d.Receipts = append(d.Receipts, p)
			return nil
		}, messageID); err != nil {
			return err
		}
		return s.many(selectKept, func(r row) error {
			kept = new(gateway.Kept)
			return r.Scan(&kept.AttemptID, (*digest)(&kept.Digest), &opened{&kept.Skeleton, func() string {
				return placeOf("exhibits.skeleton", hex.EncodeToString(kept.Digest[:]))
			}})
		}, messageID)
	})
	if err != nil {
		return nil, nil, err
	}
	return d, kept, nil
}

// sent reads the attempts of a dossier and the manifests that they name.
func (s snapshot) sent(d *gateway.Dossier) error {
	err := s.many(selectAttemptsOf, func(r row) error {
		var a gateway.Attempt
		if err := scanAttempt(r, &a, &opened{&a.Answer, func() string { return placeOf("attempts.answer", a.ID) }},
			&a.Subject); err != nil {
			return err
		}
		d.Attempts = append(d.Attempts, a)
		return nil
	}, d.Message.ID)
	if err != nil {
		return err
	}
	return s.many(selectManifestsOf, func(r row) error {
		var e gateway.Evidence
		if err := r.Scan(&e.ID, &e.XML, (*moment)(&e.SignedAt)); err != nil {
			return err
		}
		d.Evidence = append(d.Evidence, e)
		return nil
	}, d.Message.ID)
}
