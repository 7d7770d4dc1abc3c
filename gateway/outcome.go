package gateway

import "time"

// Class is what an attempt means for what happens next. See the package comment for the policy.
type Class string

// The five classes. ARCHITECTURE principle: one classifier, and an unlisted code is Fail.
const (
	Accept  Class = "accepted"
	Retry   Class = "retry"
	Next    Class = "next"
	Fail    Class = "failed"
	Unknown Class = "unknown"
)

// known reports whether c is one of the five.
func (c Class) known() bool {
	switch c {
	case Accept, Retry, Next, Fail, Unknown:
		return true
	default:
		return false
	}
}

// Outcome is what a [Channel] says about one attempt.
type Outcome struct {
	Class          Class
	Code           string        // raw code of the far end, or our own for what happened before it
	Text           string        // raw text of the far end: for the producer and the journal, never for a log
	Hint           string        // what an operator can do about it, if anything
	HTTPStatus     int           // 0: none
	RetryAfter     time.Duration // the far end's own wish; 0: none
	TransmissionID string
	// Answer is what the far end answered, byte for byte, at most MaxAnswer bytes of it; nil: nothing came. It may hold
	// personal data.
	Answer []byte
	// Subject is who the far end knew us as: the subject of the SAML token that was used. "": none was.
	Subject string
	Err     error // the private cause
}

// Attempt is one try to hand a message over: booked before anything leaves, closed once, never changed after that.
type Attempt struct {
	ID         string // att_ + ULID; also the letter's opaque name in signed manifests
	MessageID  string
	N          int    // 1, 2, 3, ...
	Worker     string // the process that booked it
	StartedAt  time.Time
	EndedAt    time.Time // zero: open
	Class      Class
	Code       string
	Text       string
	HTTPStatus int
	Digest     []byte // SHA-256 of what was signed to be sent; nil: nothing was about to leave
	ManifestID string // the signed manifest that lists Digest under ID
	Answer     []byte // as [Outcome] has it; of a closed attempt, and read by Reader.Dossier only
	Subject    string // as [Outcome] has it; of a closed attempt, and read by Reader.Dossier only
}

// MaxAnswer is the most bytes of an answer that are kept with its attempt.
const MaxAnswer = 64 << 10

// Evidence is a signed manifest over one or more letters, kept before any of them leaves.
type Evidence struct {
	ID       string // UUID
	XML      []byte // ds:Signature over a ds:Manifest
	SignedAt time.Time
	Letters  []EvidenceLetter
}

// EvidenceLetter is one entry of a manifest.
type EvidenceLetter struct {
	AttemptID string
	Digest    [32]byte // SHA-256 of the exact bytes to be sent
	// Skeleton is what those bytes are put together from again ([Gateway.Skeleton]); nil: they are not kept.
	Skeleton []byte
}
