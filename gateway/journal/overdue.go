package journal

import (
	"context"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// In: channel, time, page size. Out: ids of messages of the channel that await their final status since then or earlier.
const selectAwaiting = `SELECT id FROM messages
WHERE state IN ('submitted', 'received') AND overdue_at IS NULL AND channel = ? AND submitted_at <= ?
ORDER BY submitted_at LIMIT ?`

// Awaiting implements gateway.Reader.
func (r reader) Awaiting(ctx context.Context, channel string, submittedBefore time.Time, limit int) ([]string, error) {
	var found []string
	err := r.many(ctx, "awaiting messages", selectAwaiting, func(r row) error {
		var id string
		if err := r.Scan(&id); err != nil {
			return err
		}
		found = append(found, id)
		return nil
	}, channel, microOf(submittedBefore), limit)
	return found, err
}

// In: page size. Out: messageColumns of overdue messages.
const selectOverdue = `SELECT ` + messageColumns + ` FROM messages
WHERE state IN ('submitted', 'received') AND overdue_at IS NOT NULL ORDER BY channel, submitted_at LIMIT ?`

// Overdue implements gateway.Reader.
func (r reader) Overdue(ctx context.Context, limit int) ([]gateway.Message, error) {
	var found []gateway.Message
	err := r.many(ctx, "overdue messages", selectOverdue, appendMessage(&found), limit)
	return found, err
}

// The questions of Health, each answered from a partial index. In: how far to count; of the first nothing.
const (
	// Out: channel, count, time of the oldest.
	selectOverdueCounts = `SELECT channel, COUNT(*), MIN(submitted_at) FROM messages
WHERE state IN ('submitted', 'received') AND overdue_at IS NOT NULL GROUP BY channel ORDER BY channel`
	// Out: count, time of the oldest.
	selectQuarantineCount = `SELECT COUNT(*), MIN(received_at) FROM (SELECT received_at FROM receipts
WHERE message_id IS NULL ORDER BY received_at, id LIMIT ?) AS waiting`
	// Out: count, time of the oldest.
	selectUnreadableCount = `SELECT COUNT(*), MIN(received_at) FROM (SELECT received_at FROM unreadable
WHERE read_at IS NULL ORDER BY received_at, id LIMIT ?) AS waiting`
	// Out: count, time the oldest was made.
	selectHeldCount = `SELECT COUNT(*), MIN(created_at) FROM (SELECT created_at FROM messages
WHERE state = 'held' ORDER BY created_at LIMIT ?) AS waiting`
)

// Health implements gateway.Reader.
func (r reader) Health(ctx context.Context) (*gateway.Health, error) {
	h := new(gateway.Health)
	err := r.snapshot(ctx, "health", func(s snapshot) error {
		if err := s.many(selectOverdueCounts, func(r row) error {
			var o gateway.OverdueChannel
			if err := r.Scan(&o.Channel, &o.Count, (*moment)(&o.Oldest)); err != nil {
				return err
			}
			h.Overdue = append(h.Overdue, o)
			return nil
		}); err != nil {
			return err
		}
		for _, ask := range [...]struct {
			query  string
			count  *int
			oldest *time.Time
		}{
			{selectQuarantineCount, &h.Quarantined, &h.OldestQuarantined},
			{selectUnreadableCount, &h.Unreadable, &h.OldestUnreadable},
			{selectHeldCount, &h.Held, &h.OldestHeld},
		} {
			if err := s.one(ask.query, func(r row) error {
				return r.Scan(ask.count, (*moment)(ask.oldest))
			}, gateway.MaxCount); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}
