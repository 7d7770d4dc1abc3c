package gateway

import (
	"context"
	"io"
	"time"
)

// Journal is the truth: every intent, message, attempt, receipt and event, in SQL.
type Journal interface {
	// Update runs fn in one transaction that is durable when Update returns nil. fn may run together with others in
	// one commit and may run again, so it must only use tx and overwrite what it captured. An error from fn undoes
	// what fn did and is returned as it is (errors.Is works).
	Update(ctx context.Context, fn func(tx Tx) error) error
	Reader
}

// Reader is what can be asked without writing. Every method sees committed data only.
type Reader interface { //nolint:interfacebloat // one question a method, asked of one store
	// Intent returns an intent with its whole content, without messages. ErrNotFound.
	Intent(ctx context.Context, id string) (*Intent, error)
	// IntentView returns an intent with messages, for its producer ("" for any). ErrNotFound.
	IntentView(ctx context.Context, producer, id string) (*Intent, error)
	// Intents lists intents with messages but without content, oldest first.
	Intents(ctx context.Context, f IntentFilter) ([]Intent, error)
	// MessageEvents returns the events of an intent in order.
	MessageEvents(ctx context.Context, intentID string) ([]Event, error)
	// Events returns up to limit events of a producer ("" for all) after the cursor, oldest first. An event is visible
	// only when every event with a smaller Seq is, so a reader that remembers the last Seq misses none.
	Events(ctx context.Context, producer string, after int64, limit int) ([]Event, error)
	// Due returns up to limit messages whose DueAt is at or before the given time, oldest first, after the cursor.
	Due(ctx context.Context, before time.Time, after DueCursor, limit int) ([]DueMessage, error)
	// Abandoned returns open attempts whose worker has not been seen since the given time.
	Abandoned(ctx context.Context, seenBefore time.Time, limit int) ([]Attempt, error)
	// OpenAttempts returns up to limit open attempts that the worker started before the given time, by id, after the id.
	OpenAttempts(ctx context.Context, worker string, startedBefore time.Time, after string, limit int) ([]Attempt, error)
	// Quarantine lists unmatched receipts without Raw, oldest first.
	Quarantine(ctx context.Context, f ReceiptFilter) ([]Receipt, error)
	// Matchable looks at the next f.Limit unmatched receipts and returns those whose message is here now, without Raw, and
	// the place where it stopped: the zero cursor when that was the end.
	Matchable(ctx context.Context, f ReceiptFilter) ([]Receipt, ReceiptCursor, error)
	// Receipt returns a receipt, matched or not. ErrNotFound.
	Receipt(ctx context.Context, id string) (*Receipt, error)
	// UnreadableBodies lists bodies that nobody could read yet, without Raw, oldest first.
	UnreadableBodies(ctx context.Context, f ReceiptFilter) ([]Unreadable, error)
	// UnreadableBody returns one, read meanwhile or not. ErrNotFound.
	UnreadableBody(ctx context.Context, id string) (*Unreadable, error)
	// Awaiting returns ids of messages of a channel that were submitted at or before the given time, have no final state
	// and were not noted as overdue; oldest first.
	Awaiting(ctx context.Context, channel string, submittedBefore time.Time, limit int) ([]string, error)
	// Overdue returns messages that were noted as overdue and still have no final status; of each channel the oldest first.
	Overdue(ctx context.Context, limit int) ([]Message, error)
	// Health counts what waits for a status or for a person.
	Health(ctx context.Context) (*Health, error)
	// Dossier returns all that is known about a message of the producer ("" for any), with Sender and Request left empty,
	// and the request that was handed over: that of the attempt that was accepted, else of the last that kept one; nil
	// when none did. ErrNotFound.
	Dossier(ctx context.Context, producer, messageID string) (*Dossier, *Kept, error)
	// Upload returns a document handed in by the producer. ErrNotFound.
	Upload(ctx context.Context, producer, id string) (*Upload, error)
	// Batch returns a batch of the producer ("" for any) with its intents counted by status. ErrNotFound.
	Batch(ctx context.Context, producer, id string) (*Batch, error)
	// Ping reports whether the journal answers.
	Ping(ctx context.Context) error
	CallbackReader
	PostReader
	AuditReader
	ErasureReader
}

// Tx is one transaction. Message locks what it returns until the transaction ends.
type Tx interface { //nolint:interfacebloat // one transaction over every noun; splitting it would not make any caller need less
	// InsertIntent stores the intent with content and documents. inserted is false, and nothing stored, when the
	// producer has used the reference before.
	InsertIntent(i *Intent) (inserted bool, err error)
	// IntentByReference returns id, fingerprint and status of an earlier intent. ErrNotFound.
	IntentByReference(producer, reference string) (*Intent, error)
	// WaitingDuplicate returns the id of an intent of the producer with that dedupe key that has not been sent, or "".
	WaitingDuplicate(producer, dedupe string) (string, error)
	// IntentHead returns an intent without content, recipient or messages. ErrNotFound.
	IntentHead(id string) (*Intent, error)
	// SetIntentStatus stores a derived status; finalAt is zero while a message is under way.
	SetIntentStatus(id string, status IntentStatus, finalAt time.Time) error

	InsertMessage(m *Message) error
	// Message returns one message. ErrNotFound.
	Message(id string) (*Message, error)
	// MessagesOf returns the messages of an intent in the order of leg and step.
	MessagesOf(intentID string) ([]Message, error)
	// FindMessage returns the id of the message a receipt belongs to: by messageUUID, then AfsendelseIdentifikator, then
	// transmission id. Empty arguments are skipped. ErrNotFound.
	FindMessage(messageUUID, afsendelseID, transmissionID string) (string, error)
	// SaveMessage stores m and adds one to its Version. ErrStale when the stored Version is another.
	SaveMessage(m *Message) error

	InsertAttempt(a *Attempt) error
	// OpenAttempt returns the open attempt of a message. ErrNotFound.
	OpenAttempt(messageID string) (*Attempt, error)
	// CloseAttempt stores the end of an attempt. ErrStale when it was closed before.
	CloseAttempt(a *Attempt) error
	// KeepEvidence stores a manifest once, and its digests and skeletons with the open attempts it lists.
	KeepEvidence(e *Evidence) error
	// KeepRequest stores digest and skeleton with an open attempt that no manifest will list. ErrStale when it is closed
	// or unknown.
	KeepRequest(k *Kept) error

	// InsertReceipt stores a receipt. inserted is false, and nothing stored, when its id was here before.
	InsertReceipt(r *Receipt) (inserted bool, err error)
	// MatchReceipt takes a receipt out of quarantine. ErrNotFound when it is not there.
	MatchReceipt(id, messageID string) error
	// InsertUnreadable stores a body that nobody could read. inserted is false, and nothing stored, when it is here.
	InsertUnreadable(u *Unreadable) (inserted bool, err error)
	// ReadUnreadable stores when a body was read after all, and the receipt that it was. ErrNotFound.
	ReadUnreadable(id string, at time.Time, receiptID string) error

	InsertEvent(e *Event) error
	InsertUpload(u *Upload) error

	InsertBatch(b *Batch) error
	// EndBatch stores when a batch ended and the tally of its lines. ErrNotFound.
	EndBatch(id string, at time.Time, tally Tally) error

	// Seen tells the others that a worker lives. Gone takes it away after a clean stop.
	Seen(worker string, at time.Time) error
	Gone(worker string) error

	CallbackTx
	PostTx
	AuditTx
	ErasureTx
}

// IntentFilter says which intents to list. Empty fields do not filter.
type IntentFilter struct {
	Producer  string
	Reference string
	Status    IntentStatus
	After     string // id of the last intent of the page before
	Limit     int
}

// DueMessage is a message that a worker should look at.
type DueMessage struct {
	ID       string
	Channel  string
	Priority Priority
	DueAt    time.Time
}

// DueCursor is the place after the last message of a page. The zero value starts at the beginning.
type DueCursor struct {
	DueAt time.Time
	ID    string
}

// Queue is the muscle: it brings message ids to workers. It may lose everything; [Gateway.Sweep] fills it again.
type Queue interface {
	// Enqueue asks for the message to be dispatched at its time. It may return before the queue has it.
	Enqueue(ctx context.Context, m DueMessage) error
	// Ensure makes certain that the queue holds a live task for the message, whatever an earlier one came to.
	Ensure(ctx context.Context, m DueMessage) error
	// Forgot reports, once per loss, that the queue has lost what it held.
	Forgot(ctx context.Context) (bool, error)
}

// Documents keeps files by the SHA-256 of their content.
type Documents interface {
	// Put stores what r yields, at most limit bytes, durably. The same content again is the same document.
	// ErrTooLarge when there is more.
	Put(ctx context.Context, r io.Reader, limit int64) (sha256 string, size int64, err error)
	// Open reads a document from its first byte. ErrNotFound.
	Open(ctx context.Context, sha256 string) (io.ReadCloser, error)
}
