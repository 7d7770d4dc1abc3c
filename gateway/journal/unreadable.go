package journal

import (
	"context"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// unreadableColumns are what scanUnreadable reads; the body is left out of lists.
const (
	unreadableColumns       = `id, reason, received_at, raw, read_at, receipt_id`
	listedUnreadableColumns = `id, reason, received_at, NULL, read_at, receipt_id`
)

func scanUnreadable(r row, u *gateway.Unreadable) error {
	return r.Scan(&u.ID, &u.Reason, (*moment)(&u.ReceivedAt),
		&opened{&u.Raw, func() string { return placeOf("unreadable.raw", u.ID) }}, (*moment)(&u.ReadAt), &u.ReceiptID)
}

// In: unreadableColumns. Writes nothing when the body is here.
const insertUnreadable = `INSERT INTO unreadable (` + unreadableColumns + `) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`

// InsertUnreadable implements gateway.Tx.
func (t *tx) InsertUnreadable(u *gateway.Unreadable) (bool, error) {
	n, err := t.exec("insert unreadable", insertUnreadable, u.ID, u.Reason, micros(u.ReceivedAt),
		secretBytes(placeOf("unreadable.raw", u.ID), blob(u.Raw)), micros(u.ReadAt), u.ReceiptID)
	return n > 0, err
}

// In: time, receipt id, id.
const readUnreadable = `UPDATE unreadable SET read_at = ?, receipt_id = ? WHERE id = ?`

// ReadUnreadable implements gateway.Tx.
func (t *tx) ReadUnreadable(id string, at time.Time, receiptID string) error {
	const op = "read unreadable"
	n, err := t.exec(op, readUnreadable, micros(at), receiptID, id)
	if err == nil && n == 0 {
		return wrap(op, gateway.ErrNotFound)
	}
	return err
}

// In: id. Out: unreadableColumns.
const selectUnreadable = `SELECT ` + unreadableColumns + ` FROM unreadable WHERE id = ?`

// UnreadableBody implements gateway.Reader.
func (r reader) UnreadableBody(ctx context.Context, id string) (*gateway.Unreadable, error) {
	u := new(gateway.Unreadable)
	if err := r.one(ctx, "unreadable", selectUnreadable, func(r row) error { return scanUnreadable(r, u) }, id); err != nil {
		return nil, err
	}
	return u, nil
}

// In: time and id of the last one before the page, page size. Out: listedUnreadableColumns, oldest first.
const selectUnreadableBodies = `SELECT ` + listedUnreadableColumns + ` FROM unreadable
WHERE read_at IS NULL AND (received_at, id) > (?, ?) ORDER BY received_at, id LIMIT ?`

// UnreadableBodies implements gateway.Reader.
func (r reader) UnreadableBodies(ctx context.Context, f gateway.ReceiptFilter) ([]gateway.Unreadable, error) {
	var found []gateway.Unreadable
	err := r.many(ctx, "unreadable bodies", selectUnreadableBodies, func(r row) error {
		var u gateway.Unreadable
		if err := scanUnreadable(r, &u); err != nil {
			return err
		}
		found = append(found, u)
		return nil
	}, microOf(f.After.ReceivedAt), f.After.ID, f.Limit)
	return found, err
}
