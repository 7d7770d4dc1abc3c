package journal

import (
	"context"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// receiptColumns are what scanReceipt reads.
const receiptColumns = `id, kind, class, code, text, hint, status, occurred_at, received_at, message_uuid, afsendelse_id,
	transmission, raw, message_id`

func scanReceipt(r row, p *gateway.Receipt) error {
	return r.Scan(&p.ID, (*string)(&p.Kind), (*string)(&p.Class), &p.Code, &p.Text, &p.Hint, &p.Status,
		(*moment)(&p.OccurredAt), (*moment)(&p.ReceivedAt), &p.MessageUUID, &p.AfsendelseID, &p.Transmission, &p.Raw,
		(*nullText)(&p.MessageID))
}

// In: receiptColumns. Writes nothing when the id was here before.
const insertReceipt = `INSERT INTO receipts (` + receiptColumns + `)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`

// InsertReceipt implements gateway.Tx.
func (t *tx) InsertReceipt(p *gateway.Receipt) (bool, error) {
	n, err := t.exec("insert receipt", insertReceipt, p.ID, string(p.Kind), string(p.Class), p.Code, p.Text, p.Hint, p.Status,
		micros(p.OccurredAt), micros(p.ReceivedAt), p.MessageUUID, p.AfsendelseID, p.Transmission, blob(p.Raw),
		orNull(p.MessageID))
	return n > 0, err
}

// In: message id, receipt id.
const matchReceipt = `UPDATE receipts SET message_id = ? WHERE id = ?`

// MatchReceipt implements gateway.Tx. A receipt that is not here is ErrNotFound.
func (t *tx) MatchReceipt(id, messageID string) error {
	const op = "match receipt"
	n, err := t.exec(op, matchReceipt, messageID, id)
	if err == nil && n == 0 {
		return wrap(op, gateway.ErrNotFound)
	}
	return err
}

// In: time, page size. Out: receiptColumns of unmatched receipts that came after it, oldest first.
const selectQuarantine = `SELECT ` + receiptColumns + ` FROM receipts
WHERE message_id IS NULL AND received_at > ? ORDER BY received_at, id LIMIT ?`

// Quarantine implements gateway.Reader.
func (r reader) Quarantine(ctx context.Context, since time.Time, limit int) ([]gateway.Receipt, error) {
	var found []gateway.Receipt
	err := r.many(ctx, "quarantine", selectQuarantine, func(r row) error {
		var p gateway.Receipt
		if err := scanReceipt(r, &p); err != nil {
			return err
		}
		found = append(found, p)
		return nil
	}, since.UnixMicro(), limit)
	return found, err
}
