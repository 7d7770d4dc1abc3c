package gateway

import (
	"encoding/hex"
	"time"

	"github.com/brevdue/brevdue/actions"
)

// IntentStatus is how far an intent has come, derived from its messages by [DeriveStatus].
type IntentStatus string

// The statuses of an intent, as the HTTP API shows them.
const (
	IntentAccepted  IntentStatus = "accepted"  // stored, not yet sent
	IntentScheduled IntentStatus = "scheduled" // waits for its time
	IntentSending   IntentStatus = "sending"   // being handed over, or handed over with an unknown answer
	IntentSubmitted IntentStatus = "submitted" // the far end has it; its status is awaited
	IntentDelivered IntentStatus = "delivered" // every outer route delivered
	IntentFailed    IntentStatus = "failed"    // a route ended without delivery; a person must act
	IntentHeld      IntentStatus = "held"      // a message waits for a person's decision
	IntentCancelled IntentStatus = "cancelled" // the producer withdrew it before it left
	IntentExpired   IntentStatus = "expired"   // its time to be sent ran out
	IntentDiscarded IntentStatus = "discarded" // an intent with the same dedupe key was still waiting
)

// IntentStatuses lists every status, in the order of the HTTP contract.
func IntentStatuses() []IntentStatus {
	return []IntentStatus{
		IntentAccepted, IntentScheduled, IntentSending, IntentSubmitted, IntentDelivered,
		IntentFailed, IntentHeld, IntentCancelled, IntentExpired, IntentDiscarded,
	}
}

// Intent is what a producer wants a citizen or company to be told, with everything needed to say it. Content and
// recipient never change after Accept.
type Intent struct {
	ID          string // int_ + ULID
	Producer    string // who posted it
	Reference   string // the producer's own key, unique per producer
	Fingerprint [32]byte
	Sender      string // name of the sender profile
	Recipient   Recipient
	Routes      []Route
	Content     Content
	NotBefore   time.Time // zero: at once
	Expires     time.Time // zero: never
	Window      string    // name of a send window, "" for the channel's own
	Dedupe      string
	Priority    Priority
	Batch       string // batch_..., "": posted alone
	Status      IntentStatus
	DiscardedBy string // the waiting intent that made this one needless
	CreatedAt   time.Time
	FinalAt     time.Time // zero while a message is under way

	Messages []Message // in the order of leg and step; filled when an intent is read as a whole
}

// Route is one outer entry of an intent's routes: channels tried in order until one delivers.
type Route []string

// Recipient is who must be told. Exactly one of CPR and CVR number identifies them; the rest is for the channels that
// need it.
type Recipient struct {
	ID      Identifier
	Name    Private
	Address Address
	Email   Private
	Mobile  Private
}

// Address is a postal address. Country is an ISO 3166-1 alpha-2 code, "DK" when empty.
type Address struct {
	Street, House, Floor, Door, Postcode, City, Country Private
}

// Content is what is said.
type Content struct {
	Title             string // subject of the letter
	Text              string // the letter as plain text, for channels without documents
	SMS               string
	Notification      string // the line a mailbox shows in its own notice, at most 150 characters
	Documents         []Document
	Actions           []actions.Action
	ReplyAllowed      bool
	ReplyBy           time.Time // zero: no limit
	Mandatory         bool
	LegalNotification bool   // forkyndelse
	KLE               string // subject key, e.g. "27.24.00"
	CaseID            string
	CaseSystem        string
	Answers           []Answered // the thread that this letter answers, what it answers first; nil: it answers nothing
}

// Document is a file of a letter. The first one of an intent is its main document.
type Document struct {
	Filename    string
	ContentType string
	Size        int64  // bytes
	SHA256      string // hex; also its name in the document store
	Inline      []byte // the bytes themselves when they are small enough to live in the journal
}

// SetDigest sets SHA256 from a raw digest.
func (d *Document) SetDigest(sum [32]byte) { d.SHA256 = hex.EncodeToString(sum[:]) }

// Upload is a document that a producer handed in ahead of the intent that uses it.
type Upload struct {
	ID        string // doc_ + ULID
	Producer  string
	Filename  string
	Size      int64
	SHA256    string
	CreatedAt time.Time
}

// DeriveStatus computes an intent's status from the current message of each leg. What needs attention comes first;
// among legs under way the least advanced one speaks for the intent.
func DeriveStatus(messages []Message) IntentStatus {
	current := make(map[int]MessageState)
	step := make(map[int]int)
	for _, m := range messages {
		if s, seen := step[m.Leg]; !seen || m.Step >= s {
			step[m.Leg], current[m.Leg] = m.Step, m.State
		}
	}
	has := make(map[IntentStatus]bool, len(current))
	for _, s := range current {
		has[s.intent()] = true
	}
	order := []IntentStatus{
		IntentFailed, IntentHeld, IntentExpired,
		IntentAccepted, IntentScheduled, IntentSending, IntentSubmitted,
	}
	for _, s := range order {
		if has[s] {
			return s
		}
	}
	if has[IntentDelivered] || !has[IntentCancelled] {
		return IntentDelivered
	}
	return IntentCancelled
}
