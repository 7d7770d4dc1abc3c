package journal

import (
	"context"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// attemptColumns are what scanAttempt reads.
const attemptColumns = `attempts.id, message_id, n, attempts.worker, started_at, ended_at, class, code, text, http_status, digest,
	manifest_id`

func scanAttempt(r row, a *gateway.Attempt, more ...any) error {
	dest := []any{
		&a.ID, &a.MessageID, &a.N, &a.Worker, (*moment)(&a.StartedAt), (*moment)(&a.EndedAt), (*string)(&a.Class),
		&a.Code, &opened{&a.Text, func() string { return placeOf("attempts.text", a.ID) }}, &a.HTTPStatus, &a.Digest,
		(*nullText)(&a.ManifestID),
	}
	return r.Scan(append(dest, more...)...)
}

// In: the attempt's columns.
const insertAttempt = `INSERT INTO attempts
	(id, message_id, n, worker, started_at, ended_at, class, code, text, http_status, digest, manifest_id)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// InsertAttempt implements gateway.Tx. A second open attempt of a message, or a second one with the same number, is
// an error.
func (t *tx) InsertAttempt(a *gateway.Attempt) error {
	_, err := t.exec("insert attempt", insertAttempt, a.ID, a.MessageID, a.N, a.Worker, micros(a.StartedAt), micros(a.EndedAt),
		string(a.Class), a.Code, secretText(placeOf("attempts.text", a.ID), a.Text), a.HTTPStatus, blobOrNull(a.Digest),
		orNull(a.ManifestID))
	return err
}

// In: message id. Out: attemptColumns.
const selectOpenAttempt = `SELECT ` + attemptColumns + ` FROM attempts WHERE message_id = ? AND ended_at IS NULL`

// OpenAttempt implements gateway.Tx.
func (t *tx) OpenAttempt(messageID string) (*gateway.Attempt, error) {
	a := new(gateway.Attempt)
	err := t.one("open attempt", selectOpenAttempt, func(r row) error { return scanAttempt(r, a) }, messageID)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// In: end, class, code, text, HTTP status, answer or NULL, subject, id. Writes nothing when the attempt is closed.
const closeAttempt = `UPDATE attempts SET ended_at = ?, class = ?, code = ?, text = ?, http_status = ?, answer = ?, subject = ?
WHERE id = ? AND ended_at IS NULL`

// CloseAttempt implements gateway.Tx. Digest, manifest and request stay as KeepEvidence stored them.
func (t *tx) CloseAttempt(a *gateway.Attempt) error {
	const op = "close attempt"
	n, err := t.exec(op, closeAttempt, micros(a.EndedAt), string(a.Class), a.Code,
		secretText(placeOf("attempts.text", a.ID), a.Text), a.HTTPStatus,
		secretBytes(placeOf("attempts.answer", a.ID), blobOrNull(a.Answer)), a.Subject, a.ID)
	if err == nil && n == 0 {
		return wrap(op, gateway.ErrStale)
	}
	return err
}

// In: id, document, time. Writes nothing when it is there.
const insertManifest = `INSERT INTO manifests (id, xml, signed_at) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`

// KeepEvidence implements gateway.Tx. A listed attempt that is closed or unknown is ErrStale: its letter must not leave
// under this manifest. An attempt that has other evidence is ErrTransition. The same evidence again changes nothing.
func (t *tx) KeepEvidence(e *gateway.Evidence) error {
	const op = "keep evidence"
	if _, err := t.exec(op, insertManifest, e.ID, blob(e.XML), micros(e.SignedAt)); err != nil {
		return err
	}
	for _, l := range e.Letters {
		if err := t.keep(op, &gateway.Kept{AttemptID: l.AttemptID, Digest: l.Digest, Skeleton: l.Skeleton}, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// In: time, the same again, page size. Out: attemptColumns of open attempts whose worker has not been seen since,
// oldest first. Booking an attempt is a sign of life, too.
const selectAbandoned = `SELECT ` + attemptColumns + ` FROM attempts
LEFT JOIN workers ON workers.worker = attempts.worker
WHERE ended_at IS NULL AND started_at < ? AND (seen_at IS NULL OR seen_at < ?)
ORDER BY started_at, attempts.id LIMIT ?`

// Abandoned implements gateway.Reader.
func (r reader) Abandoned(ctx context.Context, seenBefore time.Time, limit int) ([]gateway.Attempt, error) {
	return r.attempts(ctx, "abandoned attempts", selectAbandoned, microOf(seenBefore), microOf(seenBefore), limit)
}

// In: worker, time, id, page size. Out: attemptColumns of the worker's open attempts started before then, after the id.
const selectOpenAttempts = `SELECT ` + attemptColumns + ` FROM attempts INDEXED BY attempts_open
WHERE ended_at IS NULL AND attempts.worker = ? AND started_at < ? AND attempts.id > ?
ORDER BY attempts.id LIMIT ?`

// OpenAttempts implements gateway.Reader.
func (r reader) OpenAttempts(
	ctx context.Context, worker string, startedBefore time.Time, after string, limit int,
) ([]gateway.Attempt, error) {
	return r.attempts(ctx, "open attempts", selectOpenAttempts, worker, microOf(startedBefore), after, limit)
}

// attempts returns what a question finds whose answer is attemptColumns.
func (r reader) attempts(ctx context.Context, op, query string, args ...any) ([]gateway.Attempt, error) {
	var found []gateway.Attempt
	err := r.many(ctx, op, query, func(r row) error {
		var a gateway.Attempt
		if err := scanAttempt(r, &a); err != nil {
			return err
		}
		found = append(found, a)
		return nil
	}, args...)
	return found, err
}
