package journal

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/brevdue/brevdue/gateway"
)

// Out: senders with final intents of which something is left.
const selectErasableSenders = `SELECT DISTINCT sender FROM intents WHERE final_at IS NOT NULL AND erased < 3 ORDER BY sender`

// ErasableSenders implements gateway.Reader.
func (r reader) ErasableSenders(ctx context.Context) ([]string, error) {
	var found []string
	err := r.many(ctx, "senders", selectErasableSenders, appendText(&found))
	return found, err
}

// In: sender, how much is erased, time, cursor, page size. Out: id, final time.
const selectErasableIntents = `SELECT id, final_at FROM intents
WHERE sender = ? AND erased = ? AND erased < 3 AND final_at IS NOT NULL AND final_at <= ? AND (final_at, id) > (?, ?)
ORDER BY final_at, id LIMIT ?`

// In: how much is erased, time, cursor, page size. Out: id, final time.
const selectErasablePosts = `SELECT id, final_at FROM posts
WHERE erased = ? AND erased < 3 AND final_at IS NOT NULL AND final_at <= ? AND (final_at, id) > (?, ?)
ORDER BY final_at, id LIMIT ?`

// In: time, cursor, page size. Out: id, time.
const selectErasableUploads = `SELECT id, created_at FROM uploads WHERE created_at <= ? AND (created_at, id) > (?, ?)
ORDER BY created_at, id LIMIT ?`

func (r reader) erasable(ctx context.Context, sender, query string, args ...any) ([]gateway.Erasable, error) {
	var found []gateway.Erasable
	err := r.many(ctx, "what can be erased", query, func(r row) error {
		e := gateway.Erasable{Sender: sender}
		err := r.Scan(&e.ID, (*moment)(&e.FinalAt))
		found = append(found, e)
		return err
	}, args...)
	return found, err
}

// ErasableIntents implements gateway.Reader.
func (r reader) ErasableIntents(
	ctx context.Context, sender string, stage gateway.Stage, finalBefore time.Time, after gateway.ErasableCursor, limit int,
) ([]gateway.Erasable, error) {
	return r.erasable(ctx, sender, selectErasableIntents, sender, int(stage)-1, microOf(finalBefore),
		microOf(after.FinalAt), after.ID, limit)
}

// ErasablePosts implements gateway.Reader.
func (r reader) ErasablePosts(
	ctx context.Context, stage gateway.Stage, finalBefore time.Time, after gateway.ErasableCursor, limit int,
) ([]gateway.Erasable, error) {
	return r.erasable(ctx, "", selectErasablePosts, int(stage)-1, microOf(finalBefore), microOf(after.FinalAt), after.ID, limit)
}

// ErasableUploads implements gateway.Reader.
func (r reader) ErasableUploads(
	ctx context.Context, before time.Time, after gateway.ErasableCursor, limit int,
) ([]gateway.Erasable, error) {
	return r.erasable(ctx, "", selectErasableUploads, microOf(before), microOf(after.FinalAt), after.ID, limit)
}

// In: time, last name of the page before, page size.
const selectLettingGo = `SELECT sha256 FROM removals WHERE at <= ? AND sha256 > ? ORDER BY sha256 LIMIT ?`

// LettingGo implements gateway.Reader.
func (r reader) LettingGo(ctx context.Context, before time.Time, after string, limit int) ([]string, error) {
	var found []string
	err := r.many(ctx, "documents to be removed", selectLettingGo, appendText(&found), microOf(before), after, limit)
	return found, err
}

// In: kind, id. Out: stage, time.
const selectErasures = `SELECT stage, at FROM erasures WHERE kind = ? AND id = ? ORDER BY stage`

// Erasures implements gateway.Reader.
func (r reader) Erasures(ctx context.Context, kind, id string) ([]gateway.Erasure, error) {
	var found []gateway.Erasure
	err := r.many(ctx, "erasures", selectErasures, func(r row) error {
		e := gateway.Erasure{Kind: kind, ID: id}
		err := r.Scan((*int)(&e.Stage), (*moment)(&e.At))
		found = append(found, e)
		return err
	}, kind, id)
	return found, err
}

// In: attempt id, page size. Out: number, attempt, digest and skeleton of the requests that attempts after it have kept.
const selectExhibitsAfter = `SELECT exhibits.id, attempts.id, digest, skeleton FROM attempts JOIN exhibits ON exhibits.id = exhibit_id
WHERE attempts.id > ? AND skeleton IS NOT NULL ORDER BY attempts.id LIMIT ?`

// ExhibitsAfter implements gateway.Reader. Ids of attempts are ULIDs: they begin with the time at which they were booked.
func (r reader) ExhibitsAfter(ctx context.Context, since time.Time, after string, limit int) ([]gateway.StoredExhibit, error) {
	if !since.IsZero() {
		var first ulid.ULID
		if err := first.SetTime(ulid.Timestamp(since)); err != nil {
			return nil, wrap("kept requests", err)
		}
		after = max(after, "att_"+first.String())
	}
	var found []gateway.StoredExhibit
	err := r.many(ctx, "kept requests", selectExhibitsAfter, func(r row) error {
		var e gateway.StoredExhibit
		var sum digest
		err := r.Scan(&e.ID, &e.AttemptID, &sum, &opened{&e.Skeleton, func() string {
			return placeOf("exhibits.skeleton", hex.EncodeToString(sum[:]))
		}})
		found = append(found, e)
		return err
	}, after, limit)
	return found, err
}

// In: name. Out: the mark.
const selectMark = `SELECT at FROM marks WHERE name = ?`

// Mark implements gateway.Reader.
func (r reader) Mark(ctx context.Context, name string) (gateway.Mark, error) {
	m := gateway.Mark{Name: name}
	err := r.many(ctx, "mark", selectMark, func(r row) error { return r.Scan((*moment)(&m.At)) }, name)
	return m, err
}
