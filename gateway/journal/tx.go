package journal

import (
	"errors"

	"github.com/brevdue/brevdue/gateway"
)

// tx is one update's view of the running transaction. Its methods stand next to their nouns.
type tx struct {
	session session // nil when the update has ended
	seals   seals
	request *request
}

var _ gateway.Tx = (*tx)(nil)

// errOver is the error of a tx that was kept beyond its update.
var errOver = errors.New("journal: the transaction is over")

// txQueries lists what the writer prepares.
func txQueries() []string {
	return append(append(resealQueries(), retentionQueries()...),
		selectAuditHead, insertAudit, insertAuditReason,
		insertIntent, insertContent, insertDocument, selectIntentByReference, selectWaitingDuplicate, selectIntentHead,
		updateIntentStatus,
		insertMessage, selectMessage, selectMessagesOf, updateMessage,
		findByUUID, findByAfsendelse, findByTransmission,
		insertAttempt, selectOpenAttempt, closeAttempt, insertManifest, updateEvidence,
		insertExhibit, selectExhibit,
		insertReceipt, matchReceipt, insertUnreadable, readUnreadable,
		insertEvent,
		insertUpload,
		insertPost, insertPostContent, insertPostDocument, selectPost, selectPostContent, selectPostDocuments, updatePost,
		insertPostEvent,
		insertBatch, updateBatch,
		upsertWorker, deleteWorker,
		selectLanePending, insertCallback, selectCallbackDue, claimCallback, saveCallback, endCallback, nextOfLane, tallyDelivered,
		tallyFailed, selectReplayEnd, selectReplayLanes, replayCallbacks, replayNoHeads, replayHeads,
	)
}

// lock keeps every other transaction that locks the same name waiting until this one ends, where transactions run side by
// side.
func (t *tx) lock(op string, name ...string) error {
	if t.session == nil {
		return errOver
	}
	return wrap(op, t.session.lock(name...))
}

// exec, insert, one and many are the session's, refused after the end and with the operation's name in the error.

func (t *tx) exec(op, query string, args ...any) (int64, error) {
	if t.session == nil {
		return 0, errOver
	}
	n, err := t.session.exec(query, args...)
	return n, wrap(op, err)
}

func (t *tx) insert(op, query string, args ...any) (int64, error) {
	if t.session == nil {
		return 0, errOver
	}
	id, err := t.session.insert(query, args...)
	return id, wrap(op, err)
}

// insertUnless is insert for a statement that may find that it has nothing to insert.
func (t *tx) insertUnless(op, query string, args ...any) (id int64, inserted bool, err error) {
	if t.session == nil {
		return 0, false, errOver
	}
	id, inserted, err = t.session.insertUnless(query, args...)
	return id, inserted, wrap(op, err)
}

func (t *tx) one(op, query string, scan func(row) error, args ...any) error {
	if t.session == nil {
		return errOver
	}
	return wrap(op, t.session.queryRow(query, args, scan))
}

func (t *tx) many(op, query string, scan func(row) error, args ...any) error {
	if t.session == nil {
		return errOver
	}
	return wrap(op, t.session.query(query, args, scan))
}
