package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"slices"
	"time"
)

// Stage is a step of forgetting. Each comes after the one before it.
type Stage int

// The stages. After the last one what is left says that there was a letter, on which channel, what became of it and when.
const (
	// EraseDocuments takes the files: those of a letter with their names, and the request that was sent, which holds them;
	// those of an inbound post with the message itself.
	EraseDocuments Stage = 1
	// EraseContent takes what was said: texts, actions, case; answers and statuses of the far end; what a person wrote.
	EraseContent Stage = 2
	// EraseIdentifiers takes to whom it was said, and the producer's own keys: recipient, reference, case.
	EraseIdentifiers Stage = 3
)

// Stages lists every stage in order.
func Stages() []Stage { return []Stage{EraseDocuments, EraseContent, EraseIdentifiers} }

// String names a stage as the configuration does.
func (s Stage) String() string {
	switch s {
	case EraseDocuments:
		return "documents"
	case EraseContent:
		return "content"
	case EraseIdentifiers:
		return "identifiers"
	default:
		return "none"
	}
}

// Kept things that can be erased.
const (
	ErasureIntent = "intent"
	ErasurePost   = "post"
)

// Erasure says that a stage of something was erased.
type Erasure struct {
	Kind  string // ErasureIntent or ErasurePost
	ID    string
	Stage Stage
	At    time.Time // the last time: a status that comes late is erased anew
}

// The errors of erasing.
var (
	// ErrLegalHold says that somebody wants it kept.
	ErrLegalHold = errors.New("it is under a legal hold")
	// ErrNotDue says that it is not final, not final for long enough, or not at that stage.
	ErrNotDue = errors.New("it is not due to be erased")
)

// HoldKind is what a legal hold is of.
type HoldKind string

// The kinds of holds.
const (
	HoldIntent    HoldKind = "intent"    // one intent, by its id
	HoldReference HoldKind = "reference" // the intents of a producer's reference; those that answer one of them, too
	HoldRecipient HoldKind = "recipient" // all that was told to a person or company
	HoldPost      HoldKind = "post"      // one inbound post, by its id
)

// HoldKinds lists every kind.
func HoldKinds() []HoldKind { return []HoldKind{HoldIntent, HoldReference, HoldRecipient, HoldPost} }

// LegalHold keeps something from being erased until it is released.
type LegalHold struct {
	ID         string // hold_ + ULID
	Kind       HoldKind
	Object     string     // id, or reference; "" for HoldRecipient
	Producer   string     // of a reference; "": of any producer
	Recipient  Identifier // of HoldRecipient; kept sealed
	By         string     // who set it
	Reason     string     // kept sealed
	At         time.Time
	ReleasedAt time.Time // zero: it holds
	ReleasedBy string
}

// Erasable is something final that a stage may be due for.
type Erasable struct {
	ID      string
	Sender  string // of an intent
	FinalAt time.Time
}

// ErasableCursor is the place after the last one of a page. The zero value starts at the beginning.
type ErasableCursor struct {
	FinalAt time.Time
	ID      string
}

// ErasureTx is the part of a [Tx] that forgets. It refuses, whoever asks, what is not final, what was final only after the
// given time, and what is held: ErrNotDue, ErrLegalHold.
type ErasureTx interface { //nolint:interfacebloat // one thing to forget a method, asked of one store
	// EraseIntent and ErasePost erase one stage. Their documents in the store are put on the list of those to be removed, unless
	// something else names them by then.
	EraseIntent(id string, stage Stage, finalBefore, at time.Time) error
	ErasePost(id string, stage Stage, finalBefore, at time.Time) error
	// EraseUpload forgets an upload that was handed in before the given time. ErrNotDue.
	EraseUpload(id string, before, at time.Time) error

	// LetGo reports whether a document that was put on the list before the given time is named by nothing any more. One that
	// is named is taken off the list.
	LetGo(sha256 string, before time.Time) (bool, error)
	// Removed takes a document off the list.
	Removed(sha256 string) error
	// NameDocuments notes the documents that a kept request names.
	NameDocuments(exhibit int64, sha256 []string) error
	// SaveMark stores how far a run has come.
	SaveMark(m Mark) error

	InsertHold(h *LegalHold) error
	// ReleaseHold ends a hold. ErrNotFound when there is none that holds.
	ReleaseHold(id, by string, at time.Time) error

	// TakeLease makes holder the only one to do a named work until the given time, and returns a number that grows with every
	// change of holder. ErrLeased when another has it.
	TakeLease(name, holder string, now, until time.Time) (fence int64, err error)
	// HoldLease refuses the transaction unless the lease is still that of the number. ErrLeased.
	HoldLease(name string, fence int64) error
}

// ErrLeased says that another process does it.
var ErrLeased = errors.New("another process has the lease")

// Mark is how far something has come that is done bit by bit.
type Mark struct {
	Name string
	At   time.Time // zero: it has not begun
}

// StoredExhibit is a kept request.
type StoredExhibit struct {
	ID        int64
	AttemptID string
	Skeleton  []byte
}

// ErasureReader is the part of a [Reader] that tells what can be forgotten.
type ErasureReader interface {
	// ErasableSenders lists the senders that have final intents of which something is left.
	ErasableSenders(ctx context.Context) ([]string, error)
	// ErasableIntents returns up to limit final intents of a sender that are at the stage before the given one and were final at
	// or before the given time, oldest first. Held ones are among them.
	ErasableIntents(ctx context.Context, sender string, stage Stage, finalBefore time.Time, after ErasableCursor, limit int,
	) ([]Erasable, error)
	// ErasablePosts is the same of inbound posts.
	ErasablePosts(ctx context.Context, stage Stage, finalBefore time.Time, after ErasableCursor, limit int) ([]Erasable, error)
	// ErasableUploads returns uploads that were handed in before the given time, oldest first; FinalAt is when.
	ErasableUploads(ctx context.Context, before time.Time, after ErasableCursor, limit int) ([]Erasable, error)
	// LettingGo returns up to limit documents after a name that were put on the list before the given time.
	LettingGo(ctx context.Context, before time.Time, after string, limit int) ([]string, error)
	// Held reports whether a hold keeps an intent or post (by Erasure kind and id). ErrNotFound.
	Held(ctx context.Context, kind, id string) (bool, error)
	// Holds lists holds, oldest first; released ones too when all is set.
	Holds(ctx context.Context, all bool) ([]LegalHold, error)
	// Erasures returns what was erased of an intent or post, in order.
	Erasures(ctx context.Context, kind, id string) ([]Erasure, error)
	// ExhibitsAfter returns up to limit kept requests that are not erased, of attempts after an id that were booked at or after
	// the given time, in the order of those ids.
	ExhibitsAfter(ctx context.Context, since time.Time, after string, limit int) ([]StoredExhibit, error)
	// Mark returns how far something has come; the zero Mark of that name when it has not begun.
	Mark(ctx context.Context, name string) (Mark, error)
}

// Remover is a document store that can let go of a document.
type Remover interface {
	Documents
	// Remove removes a document unless it was put, again or for the first time, at or after the given time; then removed is
	// false. One that is not there is removed.
	Remove(ctx context.Context, sha256 string, putBefore time.Time) (removed bool, err error)
}

// SkeletonDocuments returns the documents of the store that a stored skeleton names, each once. An empty one names none.
func SkeletonDocuments(stored []byte) ([]string, error) {
	if len(stored) == 0 {
		return nil, nil
	}
	s, err := decodeSkeleton(stored)
	if err != nil {
		return nil, err
	}
	var names []string
	for n := range s.parts {
		if s.parts[n].kind == boneDocument {
			names = append(names, hex.EncodeToString(s.parts[n].sum[:]))
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
