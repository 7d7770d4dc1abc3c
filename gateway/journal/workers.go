package journal

import "time"

// In: worker, time. A worker's time never goes back.
const upsertWorker = `INSERT INTO workers (worker, seen_at) VALUES (?, ?)
ON CONFLICT (worker) DO UPDATE SET seen_at = max(seen_at, excluded.seen_at)`

// Seen implements gateway.Tx.
func (t *tx) Seen(worker string, at time.Time) error {
	_, err := t.exec("worker seen", upsertWorker, worker, microOf(at))
	return err
}

// In: worker.
const deleteWorker = `DELETE FROM workers WHERE worker = ?`

// Gone implements gateway.Tx.
func (t *tx) Gone(worker string) error {
	_, err := t.exec("worker gone", deleteWorker, worker)
	return err
}
