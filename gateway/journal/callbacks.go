package journal

import (
	"context"
	"errors"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// In: lane. Out: whether an event of it is pending.
const selectLanePending = `SELECT EXISTS (SELECT 1 FROM callbacks WHERE lane = ? AND state = 'pending')`

// In: seq, producer, lane, time it is due or NULL.
const insertCallback = `INSERT INTO callbacks (seq, producer, lane, state, attempts, due_at, http_status, failure)
VALUES (?, ?, ?, 'pending', 0, ?, 0, '')`

// InsertCallback implements gateway.CallbackTx.
func (t *tx) InsertCallback(c *gateway.Callback) error {
	const op = "insert callback"
	lane := c.Event.Lane()
	if err := t.lock(op, "lane", lane); err != nil {
		return err
	}
	var waits bool
	if err := t.one(op, selectLanePending, func(r row) error { return r.Scan(&waits) }, lane); err != nil {
		return err
	}
	if waits {
		c.DueAt = time.Time{}
	}
	_, err := t.exec(op, insertCallback, c.Event.Seq, c.Event.Producer, lane, micros(c.DueAt))
	return err
}

// In: producer, now. Out: the head that has been due for the longest time, with its event.
const selectCallbackDue = `SELECT c.state, c.attempts, c.first_at, c.due_at, c.last_at, c.http_status, c.failure,
	e.seq, e.at, e.producer, e.intent_id, e.reference, e.message_id, e.channel, e.status, e.intent_status, e.attempt, e.code, e.text,
	e.post_id, e.case_id
FROM callbacks c INDEXED BY callbacks_due JOIN events e ON e.seq = c.seq
WHERE c.producer = ? AND c.due_at <= ? ORDER BY c.due_at, c.seq LIMIT 1`

// In: time the claim lapses, time of the first attempt, seq.
const claimCallback = `UPDATE callbacks SET attempts = attempts + 1, due_at = ?, first_at = ?, last_at = NULL WHERE seq = ?`

// ClaimCallback implements gateway.CallbackTx.
func (t *tx) ClaimCallback(producer string, now, until time.Time) (*gateway.Callback, error) {
	const op = "claim callback"
	c := new(gateway.Callback)
	e := &c.Event
	err := t.one(op, selectCallbackDue, func(r row) error {
		return r.Scan((*string)(&c.State), &c.Attempts, (*moment)(&c.FirstAt), (*moment)(&c.DueAt), (*moment)(&c.LastAt),
			&c.HTTPStatus, &c.Failure,
			&e.Seq, (*moment)(&e.At), &e.Producer, &e.IntentID, &e.Reference, &e.MessageID, &e.Channel,
			(*string)(&e.Status), (*string)(&e.IntentStatus), &e.Attempt, &e.Code, openedEvent(e), &e.PostID, &e.CaseID)
	}, producer, microOf(now))
	if err != nil {
		return nil, err
	}
	if c.FirstAt.IsZero() {
		c.FirstAt = now
	}
	c.Attempts, c.DueAt, c.LastAt = c.Attempts+1, until, time.Time{}
	_, err = t.exec(op, claimCallback, micros(until), micros(c.FirstAt), e.Seq)
	return c, err
}

// In: how the attempt ended; lane, seq and the time it is due again; seq and the number of the claim. Where a replay has
// put an earlier event of the lane before this one, it waits for that.
const saveCallback = `UPDATE callbacks SET state = ?, first_at = ?, last_at = ?, http_status = ?, failure = ?,
	due_at = CASE WHEN EXISTS (SELECT 1 FROM callbacks WHERE lane = ? AND state = 'pending' AND seq < ?) THEN NULL ELSE ? END
WHERE seq = ? AND attempts = ? AND state = 'pending'`

// In: as saveCallback, for one that is done.
const endCallback = `UPDATE callbacks SET state = ?, first_at = ?, last_at = ?, http_status = ?, failure = ?, due_at = NULL
WHERE seq = ? AND attempts = ? AND state = 'pending'`

// In: time, lane.
const nextOfLane = `UPDATE callbacks SET due_at = ?
WHERE seq = (SELECT min(seq) FROM callbacks WHERE lane = ? AND state = 'pending') AND due_at IS NULL`

// In: producer, time.
const tallyDelivered = `INSERT INTO callback_tallies (producer, delivered, delivered_at, http_status, failure)
VALUES (?, 1, ?, 0, '')
ON CONFLICT (producer) DO UPDATE SET delivered = callback_tallies.delivered + 1, delivered_at = excluded.delivered_at`

// In: producer, time, HTTP status, word.
const tallyFailed = `INSERT INTO callback_tallies (producer, delivered, failed_at, http_status, failure)
VALUES (?, 0, ?, ?, ?)
ON CONFLICT (producer) DO UPDATE SET failed_at = excluded.failed_at, http_status = excluded.http_status, failure = excluded.failure`

// SaveCallback implements gateway.CallbackTx.
func (t *tx) SaveCallback(c *gateway.Callback) error {
	const op = "save callback"
	lane, pending := c.Event.Lane(), c.State == gateway.CallbackPending
	if err := t.lock(op, "lane", lane); err != nil {
		return err
	}
	query, args := endCallback, []any{string(c.State), micros(c.FirstAt), micros(c.LastAt), c.HTTPStatus, c.Failure}
	if pending {
		query, args = saveCallback, append(args, lane, c.Event.Seq, micros(c.DueAt))
	}
	n, err := t.exec(op, query, append(args, c.Event.Seq, c.Attempts)...)
	switch {
	case err != nil:
		return err
	case n == 0:
		return wrap(op, gateway.ErrStale)
	}
	if !pending {
		if _, err := t.exec(op, nextOfLane, micros(c.LastAt), lane); err != nil {
			return err
		}
	}
	if c.State == gateway.CallbackDelivered {
		_, err = t.exec(op, tallyDelivered, c.Event.Producer, micros(c.LastAt))
	} else {
		_, err = t.exec(op, tallyFailed, c.Event.Producer, micros(c.LastAt), c.HTTPStatus, c.Failure)
	}
	return err
}

// In: producer, cursor, last seq, page size. Out: the last event of the page, 0 when there is none.
const selectReplayEnd = `SELECT coalesce(max(seq), 0) FROM
	(SELECT seq FROM events WHERE producer = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?) AS page`

// In: producer, cursor, end of the page. Out: the lanes of the page's events in order.
const selectReplayLanes = `SELECT DISTINCT CASE message_id WHEN '' THEN intent_id ELSE message_id END AS lane
FROM events WHERE producer = ? AND seq > ? AND seq <= ? ORDER BY lane`

// In: producer, cursor, end of the page. Makes the page's events pending that were not. The number of attempts grows, so
// that no claim from before fits.
const replayCallbacks = `INSERT INTO callbacks (seq, producer, lane, state, attempts, http_status, failure)
SELECT seq, producer, CASE message_id WHEN '' THEN intent_id ELSE message_id END, 'pending', 0, 0, ''
FROM events WHERE producer = ? AND seq > ? AND seq <= ?
ON CONFLICT (seq) DO UPDATE SET state = 'pending', attempts = callbacks.attempts + 1, first_at = NULL, http_status = 0, failure = ''
WHERE callbacks.state <> 'pending'`

// The lanes of a page's events. In: cursor, end of the page, producer.
const lanesOfPage = `(SELECT DISTINCT lane FROM callbacks WHERE seq > ? AND seq <= ? AND producer = ?)`

// In: lanesOfPage. Those that were the heads of the page's lanes and no longer are.
const replayNoHeads = `UPDATE callbacks SET due_at = NULL
WHERE due_at IS NOT NULL AND state = 'pending' AND lane IN ` + lanesOfPage + `
	AND EXISTS (SELECT 1 FROM callbacks e WHERE e.lane = callbacks.lane AND e.state = 'pending' AND e.seq < callbacks.seq)`

// In: time, lanesOfPage, time. The heads of the page's lanes, but for those that are being told right now.
const replayHeads = `UPDATE callbacks SET due_at = ?
WHERE seq IN (SELECT min(seq) FROM callbacks WHERE state = 'pending' AND lane IN ` + lanesOfPage + ` GROUP BY lane)
	AND (due_at IS NULL OR due_at > ? AND last_at IS NOT NULL)`

// ReplayCallbacks implements gateway.CallbackTx.
func (t *tx) ReplayCallbacks(producer string, after, upTo int64, at time.Time, limit int) (int64, int, error) {
	const op = "replay callbacks"
	var end int64
	err := t.one(op, selectReplayEnd, func(r row) error { return r.Scan(&end) }, producer, after, upTo, limit)
	if err != nil || end == 0 {
		return 0, 0, err
	}
	if err := t.lockLanes(op, producer, after, end); err != nil {
		return 0, 0, err
	}
	count, err := t.exec(op, replayCallbacks, producer, after, end)
	if err != nil {
		return 0, 0, err
	}
	if _, err := t.exec(op, replayNoHeads, after, end, producer); err != nil {
		return 0, 0, err
	}
	_, err = t.exec(op, replayHeads, micros(at), after, end, producer, micros(at))
	return end, int(count), err
}

// lockLanes locks the lanes of a page of events.
func (t *tx) lockLanes(op, producer string, after, end int64) error {
	var lanes []string
	if err := t.many(op, selectReplayLanes, func(r row) error {
		var lane string
		err := r.Scan(&lane)
		lanes = append(lanes, lane)
		return err
	}, producer, after, end); err != nil {
		return err
	}
	for _, lane := range lanes {
		if err := t.lock(op, "lane", lane); err != nil {
			return err
		}
	}
	return nil
}

// In: lane. Out: producer and time of its head.
const selectCallbackHead = `SELECT lane, producer, due_at FROM callbacks WHERE lane = ? AND state = 'pending' ORDER BY seq LIMIT 1`

// CallbackHead implements gateway.CallbackReader.
func (r reader) CallbackHead(ctx context.Context, lane string) (*gateway.DueCallback, error) {
	var found []gateway.DueCallback
	if err := r.many(ctx, "head of a lane", selectCallbackHead, appendDueCallback(&found), lane); err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, wrap("head of a lane", gateway.ErrNotFound)
	}
	return &found[0], nil
}

func appendDueCallback(to *[]gateway.DueCallback) func(row) error {
	return func(r row) error {
		var d gateway.DueCallback
		if err := r.Scan(&d.Lane, &d.Producer, (*moment)(&d.DueAt)); err != nil {
			return err
		}
		*to = append(*to, d)
		return nil
	}
}

// In: producer, time, page size. Out: lane, producer and time of heads, oldest first.
const selectCallbacksDue = `SELECT lane, producer, due_at FROM callbacks INDEXED BY callbacks_due
WHERE producer = ? AND due_at <= ? ORDER BY due_at, seq LIMIT ?`

// DueCallbacks implements gateway.CallbackReader.
func (r reader) DueCallbacks(ctx context.Context, producer string, at time.Time, limit int) ([]gateway.DueCallback, error) {
	var found []gateway.DueCallback
	err := r.many(ctx, "due callbacks", selectCallbacksDue, appendDueCallback(&found), producer, microOf(at), limit)
	return found, err
}

// In: producer. Out: number, and time of the oldest event, of each state that is not delivered.
const selectCallbackCounts = `SELECT o.state, o.n, e.at FROM
	(SELECT state, count(*) AS n, min(seq) AS first FROM callbacks INDEXED BY callbacks_open
	WHERE producer = ? AND state <> 'delivered' GROUP BY state) o JOIN events e ON e.seq = o.first`

// In: producer. Out: the tally.
const selectCallbackTally = `SELECT delivered, delivered_at, failed_at, http_status, failure
FROM callback_tallies WHERE producer = ?`

// CallbackStats implements gateway.CallbackReader.
func (r reader) CallbackStats(ctx context.Context, producer string) (*gateway.CallbackStats, error) {
	found := new(gateway.CallbackStats)
	err := r.snapshot(ctx, "callback stats", func(s snapshot) error {
		err := s.one(selectCallbackTally, func(r row) error {
			return r.Scan(&found.Delivered, (*moment)(&found.DeliveredAt), (*moment)(&found.FailedAt), &found.HTTPStatus, &found.Failure)
		}, producer)
		if err != nil && !errors.Is(err, gateway.ErrNotFound) {
			return err
		}
		return s.many(selectCallbackCounts, func(r row) error {
			var state string
			var count int
			var oldest time.Time
			if err := r.Scan(&state, &count, (*moment)(&oldest)); err != nil {
				return err
			}
			if gateway.CallbackState(state) == gateway.CallbackPending {
				found.Pending, found.OldestPending = count, oldest
			} else {
				found.GivenUp = count
			}
			return nil
		}, producer)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}
