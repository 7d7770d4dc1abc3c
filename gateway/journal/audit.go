package journal

import (
	"context"

	"github.com/brevdue/brevdue/gateway"
)

// Out: number and hash of the last entry.
const selectAuditHead = `SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1`

// In: the entry.
const insertAudit = `INSERT INTO audit (seq, at, who, how, action, object, origin, reason_digest, previous, hash)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// In: number, salt, reason.
const insertAuditReason = `INSERT INTO audit_reasons (seq, salt, reason) VALUES (?, ?, ?)`

// placeOfReason is what a reason is bound to.
func placeOfReason(seq int64) string { return placeOf("audit_reasons.reason", seq) }

// InsertAudit implements gateway.Tx. Whoever writes an entry holds the lock of the chain until the end of the transaction, so
// that the next one sees it.
func (t *tx) InsertAudit(e *gateway.AuditEntry) error {
	const op = "audit"
	if err := t.lock(op, "audit"); err != nil {
		return err
	}
	var head gateway.AuditHead
	if err := t.many(op, selectAuditHead, func(r row) error { return r.Scan(&head.Seq, (*digest)(&head.Hash)) }); err != nil {
		return err
	}
	e.ReasonDigest = gateway.DigestReason(e.Salt, e.Reason)
	e.Chain(head)
	if _, err := t.exec(op, insertAudit, e.Seq, microOf(e.At), e.Who, e.How, e.Action, e.Object, e.From,
		e.ReasonDigest[:], e.Previous[:], e.Hash[:]); err != nil {
		return err
	}
	if e.Reason == "" {
		return nil
	}
	_, err := t.exec(op, insertAuditReason, e.Seq, blob(e.Salt), secretText(placeOfReason(e.Seq), e.Reason))
	return err
}

// In: number, page size. Out: the entries after it in order, with their reasons.
const selectAudit = `SELECT audit.seq, at, who, how, action, object, origin, reason_digest, previous, hash,
	coalesce(reason, ''), salt
FROM audit LEFT JOIN audit_reasons ON audit_reasons.seq = audit.seq WHERE audit.seq > ? ORDER BY audit.seq LIMIT ?`

// AuditEntries implements gateway.Reader.
func (r reader) AuditEntries(ctx context.Context, after int64, limit int) ([]gateway.AuditEntry, error) {
	var found []gateway.AuditEntry
	err := r.many(ctx, "audit trail", selectAudit, func(r row) error {
		var e gateway.AuditEntry
		if err := r.Scan(&e.Seq, (*moment)(&e.At), &e.Who, &e.How, &e.Action, &e.Object, &e.From, (*digest)(&e.ReasonDigest),
			(*digest)(&e.Previous), (*digest)(&e.Hash),
			&opened{&e.Reason, func() string { return placeOfReason(e.Seq) }}, &e.Salt); err != nil {
			return err
		}
		found = append(found, e)
		return nil
	}, after, limit)
	return found, err
}

// AuditHead implements gateway.Reader.
func (r reader) AuditHead(ctx context.Context) (gateway.AuditHead, error) {
	var head gateway.AuditHead
	err := r.many(ctx, "head of the audit trail", selectAuditHead, func(r row) error {
		return r.Scan(&head.Seq, (*digest)(&head.Hash))
	})
	return head, err
}
