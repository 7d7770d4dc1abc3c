package journal

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// What is left of JSON that was erased.
const erasedJSON = "{}"

// retentionQueries lists what erasing asks and writes.
func retentionQueries() []string {
	return []string{
		selectErased, selectRecipient, selectHolds, selectStoredDocuments, selectStoredExhibits, eraseDocuments, eraseExhibit,
		eraseRecipient, eraseContent, eraseAttempts, eraseReceipts, eraseBodies, eraseEventTexts, eraseEventKeys, eraseIntentKeys,
		saveErased, insertErasure, insertRemoval, deleteRemoval, selectRemoval, selectNames, deleteExhibitDocuments,
		insertExhibitDocument, upsertMark,
		selectErasedPost, selectStoredPostDocuments, erasePostDocument, erasePostFacts, erasePostTexts, erasePostKeys, saveErasedPost,
		selectUploadOf, deleteUpload,
		insertHold, releaseHold, selectLease, insertLease, updateLease,
	}
}

// In: intent id. Out: how much is erased.
const selectErased = `SELECT erased FROM intents WHERE id = ?`

// In: intent id. Out: its recipient.
const selectRecipient = `SELECT recipient FROM intent_contents WHERE intent_id = ?`

// In: intent id. Out: SHA-256 of its documents in the store.
const selectStoredDocuments = `SELECT sha256 FROM intent_documents WHERE intent_id = ? AND inline IS NULL AND filename <> ''`

// In: intent id. Out: number, digest and skeleton of the requests that are kept of it.
const selectStoredExhibits = `SELECT exhibits.id, digest, skeleton
FROM messages JOIN attempts ON attempts.message_id = messages.id JOIN exhibits ON exhibits.id = exhibit_id
WHERE intent_id = ? AND skeleton IS NOT NULL`

// The statements that erase. In: intent id, where nothing else is said.
const (
	eraseDocuments = `UPDATE intent_documents SET inline = NULL, filename = '' WHERE intent_id = ?`
	eraseExhibit   = `UPDATE exhibits SET skeleton = NULL WHERE id = ?`                                    // In: its number.
	eraseContent   = `UPDATE intent_contents SET content = ? WHERE intent_id = ?`                          // In: what is left, intent id.
	eraseRecipient = `UPDATE intent_contents SET recipient = ?, recipient_hash = NULL WHERE intent_id = ?` // In: as above.
	eraseAttempts  = `UPDATE attempts SET text = '', answer = NULL WHERE message_id IN (SELECT id FROM messages WHERE intent_id = ?)`
	// In: nothing, intent id.
	eraseReceipts   = `UPDATE receipts SET text = '', raw = ? WHERE message_id IN (SELECT id FROM messages WHERE intent_id = ?)`
	eraseEventTexts = `UPDATE events SET text = '' WHERE intent_id = ? AND text <> ''`
	eraseEventKeys  = `UPDATE events SET reference = '', case_id = '' WHERE intent_id = ?`
	// The reference is the producer's own and must differ from its others.
	eraseIntentKeys = `UPDATE intents SET reference = 'erased:' || id, fingerprint = ?, dedupe = '' WHERE id = ?` // In: nothing, intent id.
	// In: nothing, intent id.
	eraseBodies = `UPDATE unreadable SET raw = ? WHERE receipt_id <> '' AND receipt_id IN
	(SELECT receipts.id FROM messages JOIN receipts ON receipts.message_id = messages.id WHERE intent_id = ?)`
)

// In: stage, id.
const (
	saveErased     = `UPDATE intents SET erased = ? WHERE id = ?`
	saveErasedPost = `UPDATE posts SET erased = ? WHERE id = ?`
)

// In: kind, id, stage, time.
const insertErasure = `INSERT INTO erasures (kind, id, stage, at) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, id, stage) DO UPDATE SET at = excluded.at`

// due checks whether a stage may be erased now.
func due(stage gateway.Stage, erased int, finalAt, before time.Time) error {
	if stage < gateway.EraseDocuments || stage > gateway.EraseIdentifiers || erased != int(stage)-1 ||
		finalAt.IsZero() || finalAt.After(before) {
		return gateway.ErrNotDue
	}
	return nil
}

// EraseIntent implements gateway.Tx.
func (t *tx) EraseIntent(id string, stage gateway.Stage, finalBefore, at time.Time) error {
	const op = "erase intent"
	if err := t.lock(op, "holds"); err != nil { // none is set meanwhile
		return err
	}
	head, err := t.IntentHead(id)
	if err != nil {
		return err
	}
	var erased int
	if err := t.one(op, selectErased, func(r row) error { return r.Scan(&erased) }, id); err != nil {
		return err
	}
	if err := due(stage, erased, head.FinalAt, finalBefore); err != nil {
		return wrap(op, err)
	}
	held, err := t.heldIntent(op, head)
	if err != nil {
		return err
	}
	if held {
		return wrap(op, gateway.ErrLegalHold)
	}
	switch stage {
	case gateway.EraseDocuments:
		err = t.eraseDocuments(op, id, at)
	case gateway.EraseContent:
		err = t.eraseContent(op, id)
	case gateway.EraseIdentifiers:
		err = t.eraseIdentifiers(op, id)
	}
	if err != nil {
		return err
	}
	if _, err := t.exec(op, saveErased, int(stage), id); err != nil {
		return err
	}
	_, err = t.exec(op, insertErasure, gateway.ErasureIntent, id, int(stage), microOf(at))
	return err
}

func (t *tx) eraseDocuments(op, id string, at time.Time) error {
	var names []string
	if err := t.many(op, selectStoredDocuments, appendText(&names), id); err != nil {
		return err
	}
	kept := make(map[int64][]byte)
	if err := t.many(op, selectStoredExhibits, func(r row) error {
		var number int64
		var sum digest
		var skeleton []byte
		err := r.Scan(&number, &sum, &opened{&skeleton, func() string {
			return placeOf("exhibits.skeleton", hex.EncodeToString(sum[:]))
		}})
		kept[number] = skeleton
		return err
	}, id); err != nil {
		return err
	}
	for number, skeleton := range kept {
		more, err := gateway.SkeletonDocuments(skeleton)
		if err != nil {
			return wrap(op, err)
		}
		names = append(names, more...)
		if _, err := t.exec(op, eraseExhibit, number); err != nil {
			return err
		}
	}
	if _, err := t.exec(op, eraseDocuments, id); err != nil {
		return err
	}
	return t.list(op, names, at)
}

func appendText(to *[]string) func(row) error {
	return func(r row) error {
		var s string
		err := r.Scan(&s)
		*to = append(*to, s)
		return err
	}
}

func (t *tx) eraseContent(op, id string) error {
	if _, err := t.exec(op, eraseContent, secretBytes(placeOf("intent_contents.content", id), []byte(erasedJSON)), id); err != nil {
		return err
	}
	for _, query := range []string{eraseAttempts, eraseEventTexts} {
		if _, err := t.exec(op, query, id); err != nil {
			return err
		}
	}
	for _, query := range []string{eraseBodies, eraseReceipts} {
		if _, err := t.exec(op, query, []byte{}, id); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) eraseIdentifiers(op, id string) error {
	if _, err := t.exec(op, eraseRecipient, secretBytes(placeOf("intent_contents.recipient", id), []byte(erasedJSON)), id); err != nil {
		return err
	}
	if _, err := t.exec(op, eraseIntentKeys, make([]byte, 32), id); err != nil {
		return err
	}
	_, err := t.exec(op, eraseEventKeys, id)
	return err
}

// In: post id. Out: how much is erased.
const selectErasedPost = `SELECT erased FROM posts WHERE id = ?`

// In: post id. Out: place and SHA-256 of its documents.
const selectStoredPostDocuments = `SELECT n, sha256 FROM post_documents WHERE post_id = ?`

// In: the name that is left, post id, place.
const erasePostDocument = `UPDATE post_documents SET filename = '', safe_name = ? WHERE post_id = ? AND n = ?`

// In: post id.
const (
	erasePostFacts = `UPDATE post_contents SET facts = NULL WHERE post_id = ?`
	erasePostTexts = `UPDATE post_events SET text = '' WHERE post_id = ? AND text <> ''`
	erasePostKeys  = `UPDATE posts SET message_id = '', reference = '', case_id = '' WHERE id = ?`
)

// ErasePost implements gateway.Tx.
func (t *tx) ErasePost(id string, stage gateway.Stage, finalBefore, at time.Time) error {
	const op = "erase post"
	if err := t.lock(op, "holds"); err != nil {
		return err
	}
	p, err := t.Post(id)
	if err != nil {
		return err
	}
	var erased int
	if err := t.one(op, selectErasedPost, func(r row) error { return r.Scan(&erased) }, id); err != nil {
		return err
	}
	if err := due(stage, erased, p.FinalAt, finalBefore); err != nil {
		return wrap(op, err)
	}
	held, err := t.heldPost(op, p)
	if err != nil {
		return err
	}
	if held {
		return wrap(op, gateway.ErrLegalHold)
	}
	switch stage {
	case gateway.EraseDocuments:
		err = t.erasePostDocuments(op, p, at)
	case gateway.EraseContent:
		if _, err = t.exec(op, erasePostFacts, id); err == nil {
			_, err = t.exec(op, erasePostTexts, id)
		}
	case gateway.EraseIdentifiers:
		_, err = t.exec(op, erasePostKeys, id)
	}
	if err != nil {
		return err
	}
	if _, err := t.exec(op, saveErasedPost, int(stage), id); err != nil {
		return err
	}
	_, err = t.exec(op, insertErasure, gateway.ErasurePost, id, int(stage), microOf(at))
	return err
}

func (t *tx) erasePostDocuments(op string, p *gateway.Post, at time.Time) error {
	names := []string{p.Memo.SHA256}
	var places []int
	if err := t.many(op, selectStoredPostDocuments, func(r row) error {
		var n int
		var name string
		err := r.Scan(&n, &name)
		places, names = append(places, n), append(names, name)
		return err
	}, p.ID); err != nil {
		return err
	}
	for _, n := range places {
		name := "erased-" + strconv.Itoa(n) // unique in its post
		if _, err := t.exec(op, erasePostDocument, secretText(placeOf("post_documents.safe_name", p.ID, n), name), p.ID, n); err != nil {
			return err
		}
	}
	return t.list(op, names, at)
}

// In: SHA-256, time.
const insertRemoval = `INSERT INTO removals (sha256, at) VALUES (?, ?) ON CONFLICT (sha256) DO UPDATE SET at = excluded.at`

// list puts documents on the list of those to be removed.
func (t *tx) list(op string, names []string, at time.Time) error {
	for _, name := range names {
		if _, err := t.exec(op, insertRemoval, name, microOf(at)); err != nil {
			return err
		}
	}
	return nil
}

// In: SHA-256, time. Out: it is on the list since before.
const selectRemoval = `SELECT sha256 FROM removals WHERE sha256 = ? AND at <= ?`

// In: SHA-256, five times. Out: a row when something names the document.
const selectNames = `SELECT sha256 FROM intent_documents WHERE sha256 = ? AND inline IS NULL AND filename <> ''
UNION ALL SELECT sha256 FROM uploads WHERE sha256 = ?
UNION ALL SELECT sha256 FROM post_documents JOIN posts ON posts.id = post_id WHERE sha256 = ? AND erased = 0
UNION ALL SELECT memo_sha256 FROM posts WHERE memo_sha256 = ? AND erased = 0
UNION ALL SELECT sha256 FROM exhibit_documents JOIN exhibits ON exhibits.id = exhibit_id
	WHERE sha256 = ? AND skeleton IS NOT NULL
LIMIT 1`

// In: SHA-256.
const (
	deleteRemoval          = `DELETE FROM removals WHERE sha256 = ?`
	deleteExhibitDocuments = `DELETE FROM exhibit_documents WHERE sha256 = ?`
)

// LetGo implements gateway.Tx.
func (t *tx) LetGo(sha256 string, before time.Time) (bool, error) {
	const op = "let go of a document"
	var listed, names []string
	if err := t.many(op, selectRemoval, appendText(&listed), sha256, microOf(before)); err != nil || len(listed) == 0 {
		return false, err
	}
	if err := t.many(op, selectNames, appendText(&names), sha256, sha256, sha256, sha256, sha256); err != nil {
		return false, err
	}
	if len(names) == 0 {
		return true, nil
	}
	_, err := t.exec(op, deleteRemoval, sha256)
	return false, err
}

// Removed implements gateway.Tx.
func (t *tx) Removed(sha256 string) error {
	const op = "document removed"
	if _, err := t.exec(op, deleteRemoval, sha256); err != nil {
		return err
	}
	_, err := t.exec(op, deleteExhibitDocuments, sha256)
	return err
}

// In: SHA-256, number of the request.
const insertExhibitDocument = `INSERT INTO exhibit_documents (sha256, exhibit_id) VALUES (?, ?) ON CONFLICT DO NOTHING`

// NameDocuments implements gateway.Tx.
func (t *tx) NameDocuments(exhibit int64, sha256 []string) error {
	for _, name := range sha256 {
		if _, err := t.exec("documents of a request", insertExhibitDocument, name, exhibit); err != nil {
			return err
		}
	}
	return nil
}

// In: name, time.
const upsertMark = `INSERT INTO marks (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at`

// SaveMark implements gateway.Tx.
func (t *tx) SaveMark(m gateway.Mark) error {
	_, err := t.exec("mark", upsertMark, m.Name, microOf(m.At))
	return err
}

// In: upload id. Out: SHA-256, time.
const selectUploadOf = `SELECT sha256, created_at FROM uploads WHERE id = ?`

// In: upload id.
const deleteUpload = `DELETE FROM uploads WHERE id = ?`

// EraseUpload implements gateway.Tx.
func (t *tx) EraseUpload(id string, before, at time.Time) error {
	const op = "erase upload"
	var name string
	var created time.Time
	if err := t.one(op, selectUploadOf, func(r row) error { return r.Scan(&name, (*moment)(&created)) }, id); err != nil {
		return err
	}
	if created.After(before) {
		return wrap(op, gateway.ErrNotDue)
	}
	if _, err := t.exec(op, deleteUpload, id); err != nil {
		return err
	}
	return t.list(op, []string{name}, at)
}

// errRecipient is a hold on nobody.
var errRecipient = errors.New("journal: a hold on a recipient needs a CPR or CVR number")

// In: the hold.
const insertHold = `INSERT INTO holds (id, kind, object, producer, recipient, set_by, reason, at, released_at, released_by)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// InsertHold implements gateway.Tx.
func (t *tx) InsertHold(h *gateway.LegalHold) error {
	const op = "insert hold"
	if err := t.lock(op, "holds"); err != nil {
		return err
	}
	var recipient []byte
	if h.Kind == gateway.HoldRecipient {
		if h.Recipient.IsZero() {
			return errRecipient
		}
		var err error
		if recipient, err = json.Marshal(recordRecipient(gateway.Recipient{ID: h.Recipient})); err != nil {
			return wrap(op, err)
		}
	}
	_, err := t.exec(op, insertHold, h.ID, string(h.Kind), h.Object, h.Producer,
		secretBytes(placeOf("holds.recipient", h.ID), recipient), h.By, secretText(placeOf("holds.reason", h.ID), h.Reason),
		microOf(h.At), micros(h.ReleasedAt), h.ReleasedBy)
	return err
}

// In: time, who, id. Writes nothing when it does not hold.
const releaseHold = `UPDATE holds SET released_at = ?, released_by = ? WHERE id = ? AND released_at IS NULL`

// ReleaseHold implements gateway.Tx.
func (t *tx) ReleaseHold(id, by string, at time.Time) error {
	const op = "release hold"
	if err := t.lock(op, "holds"); err != nil {
		return err
	}
	n, err := t.exec(op, releaseHold, microOf(at), by, id)
	if err == nil && n == 0 {
		return wrap(op, gateway.ErrNotFound)
	}
	return err
}
