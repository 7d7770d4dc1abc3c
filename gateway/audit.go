package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"time"
)

// AuditEntry is who did or read what, when, from where and why. It names things by their ids; no word of a letter and
// nobody's number is in it. Entries form one chain per journal: each holds the hash of the one before it.
type AuditEntry struct {
	Seq    int64     // 1, 2, 3 ... without a gap
	At     time.Time // microseconds
	Who    string    // name of a producer or operator, login of who runs a command; "brevdue": the gateway itself
	How    string    // how they showed who they are, e.g. "token", "session", "cli"
	Action string    // what, e.g. "evidence.read", "message.close", "retention.run"
	Object string    // ids of what it was about; may be ""
	From   string    // the process it was done in

	// Reason is what a person gave as the reason, "" when none was asked for or it was erased. A person wrote it, so it is
	// kept apart and sealed, and can be erased: the chain holds ReasonDigest alone.
	Reason string
	// Salt keeps a short reason from being guessed from its digest: random bytes, gone with the reason.
	Salt         []byte
	ReasonDigest [sha256.Size]byte // of salt and reason; zero: there was no reason

	Previous [sha256.Size]byte // Hash of the entry before; zero for the first
	Hash     [sha256.Size]byte // of everything but Reason and Salt
}

// auditForm begins what is hashed of every entry. Another form would have another word here.
const auditForm = "brevdue audit 1\n"

// Canonical is what Hash is the SHA-256 of: the form's name, Seq and the time in microseconds since 1970 UTC as 8 bytes each,
// big endian; Who, How, Action, Object and From, each behind its length in 4 bytes, big endian; ReasonDigest; Previous.
// docs/audit.md describes it for those who verify an export with a program of their own.
func (e *AuditEntry) Canonical() []byte {
	b := append(make([]byte, 0, 256), auditForm...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq)) //nolint:gosec // the same bits
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMicro()))
	for _, s := range []string{e.Who, e.How, e.Action, e.Object, e.From} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s))) //nolint:gosec // texts of a few characters
		b = append(b, s...)
	}
	b = append(b, e.ReasonDigest[:]...)
	return append(b, e.Previous[:]...)
}

// Chain makes e the entry after another: it sets Seq, Previous and Hash. The zero head is before the first.
func (e *AuditEntry) Chain(after AuditHead) {
	e.Seq, e.Previous = after.Seq+1, after.Hash
	e.Hash = sha256.Sum256(e.Canonical())
}

// DigestReason is the ReasonDigest of a reason: the SHA-256 of salt and reason, zero when there is no reason.
func DigestReason(salt []byte, reason string) [sha256.Size]byte {
	if reason == "" {
		return [sha256.Size]byte{}
	}
	return sha256.Sum256(append(append(make([]byte, 0, len(salt)+len(reason)), salt...), reason...))
}

// AuditHead is the end of a chain.
type AuditHead struct {
	Seq  int64 // 0: the chain is empty
	Hash [sha256.Size]byte
}

// AuditBreak says at which entry a chain is broken, and how.
type AuditBreak struct {
	Seq int64 // number that the broken entry has, or should have
	Why string
}

// Error implements error.
func (b *AuditBreak) Error() string { return b.Why }

// ErrAuditBroken is in the chain of every AuditBreak.
var ErrAuditBroken = errors.New("the audit trail is broken")

// Unwrap makes errors.Is(err, ErrAuditBroken) true.
func (*AuditBreak) Unwrap() error { return ErrAuditBroken }

// Verify checks that e follows the head, and returns the next. The error is *AuditBreak.
func (e *AuditEntry) Verify(after AuditHead) (AuditHead, error) {
	switch {
	case e.Seq != after.Seq+1:
		return after, &AuditBreak{Seq: after.Seq + 1, Why: "an entry is missing, or one was put in"}
	case e.Previous != after.Hash:
		return after, &AuditBreak{Seq: e.Seq, Why: "it does not follow the entry before it"}
	case sha256.Sum256(e.Canonical()) != e.Hash:
		return after, &AuditBreak{Seq: e.Seq, Why: "it was changed"}
	case e.Reason != "" && DigestReason(e.Salt, e.Reason) != e.ReasonDigest:
		return after, &AuditBreak{Seq: e.Seq, Why: "its reason was changed"}
	}
	return AuditHead{Seq: e.Seq, Hash: e.Hash}, nil
}

// AuditTx is the part of a [Tx] that writes the audit trail.
type AuditTx interface {
	// InsertAudit appends e to the chain and sets Seq, ReasonDigest, Previous and Hash. Until the transaction ends nobody else
	// can append: it is the last thing to do in one.
	InsertAudit(e *AuditEntry) error
}

// AuditReader is the part of a [Reader] that reads the audit trail.
type AuditReader interface {
	// AuditEntries returns up to limit entries after a number, in order.
	AuditEntries(ctx context.Context, after int64, limit int) ([]AuditEntry, error)
	// AuditHead returns the end of the chain.
	AuditHead(ctx context.Context) (AuditHead, error)
}
