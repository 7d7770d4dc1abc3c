package journal

import (
	"context"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// messageColumns are what scanMessage reads.
const messageColumns = `id, intent_id, leg, step, channel, state, message_uuid, afsendelse_id, transaction_id, transmission_id,
	attempts, uncertain, due_at, created_at, submitted_at, final_at, version, priority, released_at,
	overdue_at`

func scanMessage(r row, m *gateway.Message) error {
	return r.Scan(&m.ID, &m.IntentID, &m.Leg, &m.Step, &m.Channel, (*string)(&m.State), &m.MessageUUID, &m.AfsendelseID,
		&m.TransactionID, &m.TransmissionID, &m.Attempts, &m.Uncertain, (*moment)(&m.DueAt), (*moment)(&m.CreatedAt),
		(*moment)(&m.SubmittedAt), (*moment)(&m.FinalAt), &m.Version, (*string)(&m.Priority), (*moment)(&m.ReleasedAt),
		(*moment)(&m.OverdueAt))
}

func appendMessage(to *[]gateway.Message) func(row) error {
	return func(r row) error {
		var m gateway.Message
		if err := scanMessage(r, &m); err != nil {
			return err
		}
		*to = append(*to, m)
		return nil
	}
}

// In: messageColumns.
const insertMessage = `INSERT INTO messages (` + messageColumns + `)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// InsertMessage implements gateway.Tx.
func (t *tx) InsertMessage(m *gateway.Message) error {
	_, err := t.exec("insert message", insertMessage, m.ID, m.IntentID, m.Leg, m.Step, m.Channel, string(m.State),
		m.MessageUUID, m.AfsendelseID, m.TransactionID, m.TransmissionID, m.Attempts, m.Uncertain, micros(m.DueAt),
		micros(m.CreatedAt), micros(m.SubmittedAt), micros(m.FinalAt), m.Version, string(priority(m.Priority)), micros(m.ReleasedAt),
		micros(m.OverdueAt))
	return err
}

// In: id. Out: messageColumns.
const selectMessage = `SELECT ` + messageColumns + ` FROM messages WHERE id = ?`

// Message implements gateway.Tx.
func (t *tx) Message(id string) (*gateway.Message, error) {
	m := new(gateway.Message)
	if err := t.one("message", selectMessage, func(r row) error { return scanMessage(r, m) }, id); err != nil {
		return nil, err
	}
	return m, nil
}

// In: intent id. Out: messageColumns in the order of leg and step.
const selectMessagesOf = `SELECT ` + messageColumns + ` FROM messages WHERE intent_id = ? ORDER BY leg, step`

// In: JSON list of intent ids. Out: messageColumns in the order of intent, leg and step.
const selectMessagesOfMany = `SELECT ` + messageColumns + ` FROM messages
WHERE intent_id IN (SELECT value FROM json_each(?)) ORDER BY intent_id, leg, step`

// MessagesOf implements gateway.Tx.
func (t *tx) MessagesOf(intentID string) ([]gateway.Message, error) {
	var found []gateway.Message
	err := t.many("messages of an intent", selectMessagesOf, appendMessage(&found), intentID)
	return found, err
}

// In: the far end's or our own name of a letter. Out: id of the message. The far end promises no unique transmission
// ids; the newest message wins.
const (
	findByUUID         = `SELECT id FROM messages WHERE message_uuid = ?`
	findByAfsendelse   = `SELECT id FROM messages WHERE afsendelse_id = ?`
	findByTransmission = `SELECT id FROM messages WHERE transmission_id = ? AND transmission_id <> '' ORDER BY id DESC LIMIT 1`
)

// FindMessage implements gateway.Tx.
func (t *tx) FindMessage(messageUUID, afsendelseID, transmissionID string) (string, error) {
	const op = "find message"
	for _, by := range [...]struct{ query, value string }{
		{findByUUID, messageUUID}, {findByAfsendelse, afsendelseID}, {findByTransmission, transmissionID},
	} {
		if by.value == "" {
			continue
		}
		var id string
		if err := t.many(op, by.query, func(r row) error { return r.Scan(&id) }, by.value); err != nil || id != "" {
			return id, err
		}
	}
	return "", wrap(op, gateway.ErrNotFound)
}

// In: what may change of a message, id, the version it was read at. Writes nothing when the version is another.
const updateMessage = `UPDATE messages SET state = ?, transmission_id = ?, attempts = ?, uncertain = ?, due_at = ?,
	submitted_at = ?, final_at = ?, released_at = ?, overdue_at = ?, version = version + 1
WHERE id = ? AND version = ?`

// SaveMessage implements gateway.Tx. A change of a final state that the far end cannot justify is ErrTransition.
func (t *tx) SaveMessage(m *gateway.Message) error {
	const op = "save message"
	n, err := t.exec(op, updateMessage, string(m.State), m.TransmissionID, m.Attempts, m.Uncertain, micros(m.DueAt),
		micros(m.SubmittedAt), micros(m.FinalAt), micros(m.ReleasedAt), micros(m.OverdueAt), m.ID, m.Version)
	if err != nil {
		return err
	}
	if n == 0 {
		return wrap(op, gateway.ErrStale)
	}
	m.Version++
	t.request.saved = append(t.request.saved, &m.Version)
	return nil
}

// In: latest time, time and id of the last message before the page, page size. Out: id, channel, priority and time of
// messages, oldest first.
const selectDue = `SELECT id, channel, priority, due_at FROM messages
WHERE due_at IS NOT NULL AND due_at <= ? AND (due_at, id) > (?, ?) ORDER BY due_at, id LIMIT ?`

// Due implements gateway.Reader.
func (r reader) Due(ctx context.Context, before time.Time, after gateway.DueCursor, limit int) ([]gateway.DueMessage, error) {
	var found []gateway.DueMessage
	from := after.DueAt
	err := r.many(ctx, "due messages", selectDue, func(r row) error {
		var d gateway.DueMessage
		if err := r.Scan(&d.ID, &d.Channel, (*string)(&d.Priority), (*moment)(&d.DueAt)); err != nil {
			return err
		}
		found = append(found, d)
		return nil
	}, microOf(before), microOf(from), after.ID, limit)
	return found, err
}
