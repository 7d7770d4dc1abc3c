package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// In: the intent's columns. Writes nothing when the producer has used the reference before.
const insertIntent = `INSERT INTO intents
	(id, producer, reference, fingerprint, sender, routes, not_before, expires, send_window, dedupe, status,
	 discarded_by, created_at, final_at, priority, batch_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (producer, reference) DO NOTHING`

// In: intent id, recipient, content, keyed hash of the recipient's number or NULL.
const insertContent = `INSERT INTO intent_contents (intent_id, recipient, content, recipient_hash) VALUES (?, ?, ?, ?)`

// In: intent id, place, filename, media type, bytes, SHA-256, content or NULL.
const insertDocument = `INSERT INTO intent_documents (intent_id, n, filename, content_type, size, sha256, inline)
VALUES (?, ?, ?, ?, ?, ?, ?)`

// InsertIntent implements gateway.Tx.
func (t *tx) InsertIntent(i *gateway.Intent) (bool, error) {
	const op = "insert intent"
	routes, err := json.Marshal(i.Routes)
	if err != nil {
		return false, wrap(op, err)
	}
	recipient, content, err := marshalLetter(i)
	if err != nil {
		return false, wrap(op, err)
	}
	n, err := t.exec(op, insertIntent, i.ID, i.Producer, i.Reference, i.Fingerprint[:], i.Sender, string(routes),
		micros(i.NotBefore), micros(i.Expires), i.Window, i.Dedupe, string(i.Status), i.DiscardedBy,
		micros(i.CreatedAt), micros(i.FinalAt), string(priority(i.Priority)), i.Batch)
	if err != nil || n == 0 {
		return false, err
	}
	if _, err := t.exec(op, insertContent, i.ID, secretBytes(placeOf("intent_contents.recipient", i.ID), recipient),
		secretBytes(placeOf("intent_contents.content", i.ID), content), hashOf(i.Recipient.ID)); err != nil {
		return false, err
	}
	for n, d := range i.Content.Documents {
		if _, err := t.exec(op, insertDocument, i.ID, n, secretText(placeOf("intent_documents.filename", i.ID, n), d.Filename),
			d.ContentType, d.Size, d.SHA256, secretBytes(placeOf("intent_documents.inline", i.ID, n), blobOrNull(d.Inline))); err != nil {
			return false, err
		}
	}
	return true, nil
}

// In: producer, reference. Out: id, fingerprint and status of the intent.
const selectIntentByReference = `SELECT id, fingerprint, status FROM intents WHERE producer = ? AND reference = ?`

// IntentByReference implements gateway.Tx.
func (t *tx) IntentByReference(producer, reference string) (*gateway.Intent, error) {
	i := &gateway.Intent{Producer: producer, Reference: reference}
	err := t.one("intent by reference", selectIntentByReference, func(r row) error {
		return r.Scan(&i.ID, (*digest)(&i.Fingerprint), (*string)(&i.Status))
	}, producer, reference)
	if err != nil {
		return nil, err
	}
	return i, nil
}

// In: producer, dedupe key. Out: id of the oldest intent that waits under that key. The condition is that of the index
// intents_waiting.
const selectWaitingDuplicate = `SELECT id FROM intents
WHERE producer = ? AND dedupe = ? AND dedupe <> '' AND status IN ('accepted', 'scheduled')
ORDER BY id LIMIT 1`

// WaitingDuplicate implements gateway.Tx.
func (t *tx) WaitingDuplicate(producer, dedupe string) (string, error) {
	const op = "waiting duplicate"
	if err := t.lock(op, "dedupe", producer, dedupe); err != nil { // no other is to look before ours is there
		return "", err
	}
	var id string
	err := t.many(op, selectWaitingDuplicate, func(r row) error { return r.Scan(&id) }, producer, dedupe)
	return id, err
}

// intentColumns are what scanHead reads.
const intentColumns = `id, producer, reference, fingerprint, sender, routes, not_before, expires, send_window, dedupe, status,
	discarded_by, created_at, final_at, priority, batch_id`

// In: id. Out: intentColumns.
const selectIntentHead = `SELECT ` + intentColumns + ` FROM intents WHERE id = ?`

// IntentHead implements gateway.Tx.
func (t *tx) IntentHead(id string) (*gateway.Intent, error) {
	i := new(gateway.Intent)
	if err := t.one("intent", selectIntentHead, func(r row) error { return scanHead(r, i) }, id); err != nil {
		return nil, err
	}
	return i, nil
}

func scanHead(r row, i *gateway.Intent, more ...any) error {
	var routes string
	dest := []any{
		&i.ID, &i.Producer, &i.Reference, (*digest)(&i.Fingerprint), &i.Sender, &routes,
		(*moment)(&i.NotBefore), (*moment)(&i.Expires), &i.Window, &i.Dedupe, (*string)(&i.Status),
		&i.DiscardedBy, (*moment)(&i.CreatedAt), (*moment)(&i.FinalAt), (*string)(&i.Priority), &i.Batch,
	}
	if err := r.Scan(append(dest, more...)...); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(routes), &i.Routes); err != nil {
		return fmt.Errorf("routes: %w", err)
	}
	return nil
}

// In: status, final time or NULL, id.
const updateIntentStatus = `UPDATE intents SET status = ?, final_at = ? WHERE id = ?`

// SetIntentStatus implements gateway.Tx.
func (t *tx) SetIntentStatus(id string, status gateway.IntentStatus, finalAt time.Time) error {
	const op = "intent status"
	n, err := t.exec(op, updateIntentStatus, string(status), micros(finalAt), id)
	if err == nil && n == 0 {
		return wrap(op, gateway.ErrNotFound)
	}
	return err
}

// In: id. Out: intentColumns, recipient, content.
const selectIntent = `SELECT ` + intentColumns + `, recipient, content
FROM intents JOIN intent_contents ON intent_id = id WHERE id = ?`

// In: id, producer or ”, the same again. Out: as selectIntent.
const selectIntentOfProducer = selectIntent + ` AND (producer = ? OR ? = '')`

// In: intent id. Out: its documents in order.
const selectDocuments = `SELECT filename, content_type, size, sha256, inline FROM intent_documents
WHERE intent_id = ? ORDER BY n`

// Intent implements gateway.Reader.
func (r reader) Intent(ctx context.Context, id string) (*gateway.Intent, error) {
	i := new(gateway.Intent)
	if err := r.pool.wrap("intent", r.pool.all(ctx, letter(i, selectIntent, id))); err != nil {
		return nil, err
	}
	return i, nil
}

// IntentView implements gateway.Reader.
func (r reader) IntentView(ctx context.Context, producer, id string) (*gateway.Intent, error) {
	i := new(gateway.Intent)
	err := r.pool.all(ctx, append(letter(i, selectIntentOfProducer, id, producer, producer),
		question{query: selectMessagesOf, args: []any{id}, scan: appendMessage(&i.Messages)}))
	if err := r.pool.wrap("intent view", err); err != nil {
		return nil, err
	}
	return i, nil
}

// letter asks for an intent with recipient, content and documents.
func letter(i *gateway.Intent, query, id string, more ...any) []question {
	return []question{
		{query: query, args: append([]any{id}, more...), one: true, scan: func(r row) error {
			var recipient, content []byte
			if err := scanHead(r, i,
				&opened{&recipient, func() string { return placeOf("intent_contents.recipient", i.ID) }},
				&opened{&content, func() string { return placeOf("intent_contents.content", i.ID) }}); err != nil {
				return err
			}
			return unmarshalLetter(i, recipient, content)
		}},
		{query: selectDocuments, args: []any{id}, scan: func(r row) error {
			var d gateway.Document
			if err := r.Scan(
				&opened{&d.Filename, func() string { return placeOf("intent_documents.filename", id, len(i.Content.Documents)) }},
				&d.ContentType, &d.Size, &d.SHA256,
				&opened{&d.Inline, func() string { return placeOf("intent_documents.inline", id, len(i.Content.Documents)) }}); err != nil {
				return err
			}
			i.Content.Documents = append(i.Content.Documents, d)
			return nil
		}},
	}
}

// Intents implements gateway.Reader. A Limit of 0 or less is 100.
func (r reader) Intents(ctx context.Context, f gateway.IntentFilter) ([]gateway.Intent, error) {
	query, args := listIntents(f)
	var found []gateway.Intent
	err := r.snapshot(ctx, "intents", func(s snapshot) error {
		err := s.many(query, func(r row) error {
			var i gateway.Intent
			if err := scanHead(r, &i); err != nil {
				return err
			}
			found = append(found, i)
			return nil
		}, args...)
		if err != nil {
			return err
		}
		return s.addMessages(found)
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// listIntents builds the query for a filter from fixed parts. Out: intentColumns.
func listIntents(f gateway.IntentFilter) (string, []any) {
	where, args := []string{"id > ?"}, []any{f.After}
	add := func(condition, value string) {
		if value != "" {
			where, args = append(where, condition), append(args, value)
		}
	}
	add("producer = ?", f.Producer)
	add("reference = ?", f.Reference)
	add("status = ?", string(f.Status))
	limit := f.Limit
	if limit <= 0 {
		limit = 100
	}
	return "SELECT " + intentColumns + " FROM intents WHERE " + strings.Join(where, " AND ") + " ORDER BY id LIMIT ?",
		append(args, limit)
}

// addMessages fills in the messages of a page of intents.
func (s snapshot) addMessages(page []gateway.Intent) error {
	if len(page) == 0 {
		return nil
	}
	ids, place := make([]string, len(page)), make(map[string]int, len(page))
	for n := range page {
		ids[n], place[page[n].ID] = page[n].ID, n
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return wrap(s.op, err)
	}
	return s.many(selectMessagesOfMany, func(r row) error {
		var m gateway.Message
		if err := scanMessage(r, &m); err != nil {
			return err
		}
		i := &page[place[m.IntentID]]
		i.Messages = append(i.Messages, m)
		return nil
	}, string(list))
}
