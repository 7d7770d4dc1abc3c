package journal

import (
	"context"

	"github.com/brevdue/brevdue/gateway"
)

// eventColumns are what appendEvent reads.
const eventColumns = `seq, at, producer, intent_id, reference, message_id, channel, status, intent_status, attempt, code, text,
	post_id, case_id`

func appendEvent(to *[]gateway.Event) func(row) error {
	return func(r row) error {
		var e gateway.Event
		err := r.Scan(&e.Seq, (*moment)(&e.At), &e.Producer, &e.IntentID, &e.Reference, &e.MessageID, &e.Channel,
			(*string)(&e.Status), (*string)(&e.IntentStatus), &e.Attempt, &e.Code, openedEvent(&e), &e.PostID, &e.CaseID)
		if err != nil {
			return err
		}
		*to = append(*to, e)
		return nil
	}
}

// placeOfEvent is what the text of an event is bound to. Its number is given after it was sealed.
func placeOfEvent(e *gateway.Event) string {
	return placeOf("events.text", e.IntentID, e.MessageID, e.At.UnixMicro())
}

// openedEvent reads the text of an event behind what it is bound to.
func openedEvent(e *gateway.Event) *opened {
	return &opened{&e.Text, func() string { return placeOfEvent(e) }}
}

// In: the event's columns but seq, which the database gives.
const insertEvent = `INSERT INTO events
	(at, producer, intent_id, reference, message_id, channel, status, intent_status, attempt, code, text,
	post_id, case_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// InsertEvent implements gateway.Tx and sets e.Seq.
func (t *tx) InsertEvent(e *gateway.Event) error {
	seq, err := t.insert("insert event", insertEvent, micros(e.At), e.Producer, e.IntentID, e.Reference, e.MessageID, e.Channel,
		string(e.Status), string(e.IntentStatus), e.Attempt, e.Code,
		secretText(placeOfEvent(e), e.Text), e.PostID, e.CaseID)
	if err != nil {
		return err
	}
	e.Seq = seq
	return nil
}

// In: intent id. Out: eventColumns in order.
const selectEventsOf = `SELECT ` + eventColumns + ` FROM events WHERE intent_id = ? ORDER BY seq`

// MessageEvents implements gateway.Reader.
func (r reader) MessageEvents(ctx context.Context, intentID string) ([]gateway.Event, error) {
	var found []gateway.Event
	err := r.many(ctx, "events of an intent", selectEventsOf, appendEvent(&found), intentID)
	return found, err
}

// In: cursor, last number, page size. Out: eventColumns after the cursor in order.
const selectEvents = `SELECT ` + eventColumns + ` FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?`

// In: producer, cursor, last number, page size. Out: as selectEvents.
const selectEventsOfProducer = `SELECT ` + eventColumns + ` FROM events WHERE producer = ? AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?`

// Events implements gateway.Reader.
func (r reader) Events(ctx context.Context, producer string, after int64, limit int) ([]gateway.Event, error) {
	var found []gateway.Event
	last, err := r.pool.horizon(ctx)
	if err != nil {
		return nil, r.pool.wrap("events", err)
	}
	if producer == "" {
		err = r.many(ctx, "events", selectEvents, appendEvent(&found), after, last, limit)
	} else {
		err = r.many(ctx, "events", selectEventsOfProducer, appendEvent(&found), producer, after, last, limit)
	}
	return found, err
}
