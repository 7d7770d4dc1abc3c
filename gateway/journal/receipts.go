package journal

import (
	"context"

	"github.com/brevdue/brevdue/gateway"
)

// receiptColumns are what scanReceipt reads.
const receiptColumns = `id, kind, class, code, text, hint, status, occurred_at, received_at, message_uuid, afsendelse_id,
	transmission, raw, message_id, conflict`

// listedReceiptColumns are receiptColumns without what is long.
const listedReceiptColumns = `id, kind, class, code, text, hint, status, occurred_at, received_at, message_uuid, afsendelse_id,
	transmission, NULL, message_id, conflict`

func scanReceipt(r row, p *gateway.Receipt) error {
	return r.Scan(&p.ID, (*string)(&p.Kind), (*string)(&p.Class), &p.Code,
		&opened{&p.Text, func() string { return placeOf("receipts.text", p.ID) }}, &p.Hint, &p.Status,
		(*moment)(&p.OccurredAt), (*moment)(&p.ReceivedAt), &p.MessageUUID, &p.AfsendelseID, &p.Transmission,
		&opened{&p.Raw, func() string { return placeOf("receipts.raw", p.ID) }},
		(*nullText)(&p.MessageID), &p.Conflict)
}

func appendReceipt(to *[]gateway.Receipt) func(row) error {
	return func(r row) error {
		var p gateway.Receipt
		if err := scanReceipt(r, &p); err != nil {
			return err
		}
		*to = append(*to, p)
		return nil
	}
}

// In: receiptColumns. Writes nothing when the id was here before.
const insertReceipt = `INSERT INTO receipts (` + receiptColumns + `)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`

// InsertReceipt implements gateway.Tx.
func (t *tx) InsertReceipt(p *gateway.Receipt) (bool, error) {
	n, err := t.exec("insert receipt", insertReceipt, p.ID, string(p.Kind), string(p.Class), p.Code,
		secretText(placeOf("receipts.text", p.ID), p.Text), p.Hint, p.Status,
		micros(p.OccurredAt), micros(p.ReceivedAt), p.MessageUUID, p.AfsendelseID, p.Transmission,
		secretBytes(placeOf("receipts.raw", p.ID), blob(p.Raw)), orNull(p.MessageID), p.Conflict)
	return n > 0, err
}

// In: message id, receipt id. Writes nothing when it is not in quarantine.
const matchReceipt = `UPDATE receipts SET message_id = ? WHERE id = ? AND message_id IS NULL`

// MatchReceipt implements gateway.Tx.
func (t *tx) MatchReceipt(id, messageID string) error {
	const op = "match receipt"
	n, err := t.exec(op, matchReceipt, messageID, id)
	if err == nil && n == 0 {
		return wrap(op, gateway.ErrNotFound)
	}
	return err
}

// In: id. Out: receiptColumns.
const selectReceipt = `SELECT ` + receiptColumns + ` FROM receipts WHERE id = ?`

// Receipt implements gateway.Reader.
func (r reader) Receipt(ctx context.Context, id string) (*gateway.Receipt, error) {
	p := new(gateway.Receipt)
	if err := r.one(ctx, "receipt", selectReceipt, func(r row) error { return scanReceipt(r, p) }, id); err != nil {
		return nil, err
	}
	return p, nil
}

// In: time and id of the last one before the page, page size. Out: listedReceiptColumns of unmatched receipts, oldest first.
const selectQuarantine = `SELECT ` + listedReceiptColumns + ` FROM receipts
WHERE message_id IS NULL AND (received_at, id) > (?, ?) ORDER BY received_at, id LIMIT ?`

// Quarantine implements gateway.Reader.
func (r reader) Quarantine(ctx context.Context, f gateway.ReceiptFilter) ([]gateway.Receipt, error) {
	var found []gateway.Receipt
	err := r.many(ctx, "quarantine", selectQuarantine, appendReceipt(&found), microOf(f.After.ReceivedAt), f.After.ID, f.Limit)
	return found, err
}

// In: time and id of the last one before the page, page size less one. Out: time and id of the last one of a full page.
const selectQuarantineEnd = `SELECT received_at, id FROM receipts
WHERE message_id IS NULL AND (received_at, id) > (?, ?) ORDER BY received_at, id LIMIT 1 OFFSET ?`

// In: as selectQuarantine. Out: listedReceiptColumns of those in the page whose message is here, oldest first.
const selectMatchable = `SELECT ` + listedReceiptColumns + ` FROM receipts AS r
WHERE id IN (SELECT id FROM receipts WHERE message_id IS NULL AND (received_at, id) > (?, ?) ORDER BY received_at, id LIMIT ?)
	AND ((message_uuid <> '' AND EXISTS (SELECT 1 FROM messages AS m WHERE m.message_uuid = r.message_uuid))
	OR (afsendelse_id <> '' AND EXISTS (SELECT 1 FROM messages AS m WHERE m.afsendelse_id = r.afsendelse_id))
	OR (transmission <> '' AND EXISTS (SELECT 1 FROM messages AS m WHERE m.transmission_id = r.transmission
		AND m.transmission_id <> '')))
ORDER BY received_at, id`

// Matchable implements gateway.Reader.
func (r reader) Matchable(ctx context.Context, f gateway.ReceiptFilter) ([]gateway.Receipt, gateway.ReceiptCursor, error) {
	var found []gateway.Receipt
	var end gateway.ReceiptCursor
	from := microOf(f.After.ReceivedAt)
	err := r.snapshot(ctx, "match quarantine", func(s snapshot) error {
		if err := s.many(selectQuarantineEnd, func(r row) error {
			return r.Scan((*moment)(&end.ReceivedAt), &end.ID)
		}, from, f.After.ID, f.Limit-1); err != nil {
			return err
		}
		return s.many(selectMatchable, appendReceipt(&found), from, f.After.ID, f.Limit)
	})
	return found, end, err
}
