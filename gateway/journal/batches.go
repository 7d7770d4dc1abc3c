package journal

import (
	"context"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// In: id, producer, time it was made.
const insertBatch = `INSERT INTO batches (id, producer, created_at, lines, accepted, existing, refused)
VALUES (?, ?, ?, 0, 0, 0, 0)`

// InsertBatch implements gateway.Tx.
func (t *tx) InsertBatch(b *gateway.Batch) error {
	_, err := t.exec("insert batch", insertBatch, b.ID, b.Producer, micros(b.CreatedAt))
	return err
}

// In: time it ended, the tally, id.
const updateBatch = `UPDATE batches SET ended_at = ?, lines = ?, accepted = ?, existing = ?, refused = ? WHERE id = ?`

// EndBatch implements gateway.Tx.
func (t *tx) EndBatch(id string, at time.Time, n gateway.Tally) error {
	const op = "end batch"
	changed, err := t.exec(op, updateBatch, micros(at), n.Lines, n.Accepted, n.Existing, n.Refused, id)
	if err == nil && changed == 0 {
		return wrap(op, gateway.ErrNotFound)
	}
	return err
}

// In: id, producer or ”, the same again. Out: the batch.
const selectBatch = `SELECT id, producer, created_at, ended_at, lines, accepted, existing, refused FROM batches
WHERE id = ? AND (producer = ? OR ? = '')`

// In: batch id. Out: status and how many intents have it. The condition is that of the index intents_batch.
const selectBatchStatuses = `SELECT status, count(*) FROM intents WHERE batch_id = ? AND batch_id <> '' GROUP BY status`

// Batch implements gateway.Reader.
func (r reader) Batch(ctx context.Context, producer, id string) (*gateway.Batch, error) {
	b := &gateway.Batch{Statuses: make(map[gateway.IntentStatus]int)}
	err := r.snapshot(ctx, "batch", func(s snapshot) error {
		err := s.one(selectBatch, func(r row) error {
			return r.Scan(&b.ID, &b.Producer, (*moment)(&b.CreatedAt), (*moment)(&b.EndedAt), &b.Lines, &b.Accepted, &b.Existing,
				&b.Refused)
		}, id, producer, producer)
		if err != nil {
			return err
		}
		return s.many(selectBatchStatuses, func(r row) error {
			var status gateway.IntentStatus
			var n int
			if err := r.Scan((*string)(&status), &n); err != nil {
				return err
			}
			b.Statuses[status] = n
			return nil
		}, id)
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}
