package gateway

import (
	"fmt"
	"slices"
	"time"
)

// MessageState is where one message on one channel stands. docs/states.md draws it.
type MessageState string

// The states of a message, as the HTTP API shows them.
const (
	Queued     MessageState = "queued"     // may leave as soon as a worker is free
	Scheduled  MessageState = "scheduled"  // waits for its time, or for its window to open
	Sending    MessageState = "sending"    // an attempt is booked, or its answer was lost and a status is awaited
	Submitted  MessageState = "submitted"  // the far end accepted it
	Received   MessageState = "received"   // the mailbox or printer has it: interim
	Delivered  MessageState = "delivered"  // the recipient has it
	Returned   MessageState = "returned"   // the printed letter came back
	Failed     MessageState = "failed"     // a person must act
	Held       MessageState = "held"       // waits for a person's decision
	Superseded MessageState = "superseded" // the next channel of the route took over
	Cancelled  MessageState = "cancelled"
	Expired    MessageState = "expired"
)

// MessageStates lists every state, in the order of the HTTP contract.
func MessageStates() []MessageState {
	return []MessageState{
		Queued, Scheduled, Sending, Submitted, Received, Delivered,
		Returned, Failed, Held, Superseded, Cancelled, Expired,
	}
}

// transitions is the state machine: from each state, the states it may become. The journal guards the final ones once
// more with a trigger.
var transitions = map[MessageState][]MessageState{
	Queued:    {Sending, Scheduled, Cancelled, Expired, Failed, Received, Delivered, Superseded, Returned},
	Scheduled: {Sending, Cancelled, Expired, Failed, Received, Delivered, Superseded, Returned},
	Sending:   {Queued, Submitted, Received, Delivered, Failed, Held, Superseded, Returned},
	Submitted: {Received, Delivered, Failed, Superseded, Returned},
	Received:  {Delivered, Failed, Superseded, Returned},
	Held:      {Queued, Received, Delivered, Failed, Superseded, Cancelled, Returned},
	Failed:    {Delivered, Returned}, // late: the far end knows better
	Delivered: {Returned},
}

// May reports whether a message may go from s to next.
func (s MessageState) May(next MessageState) bool { return slices.Contains(transitions[s], next) }

// Final reports whether nothing more is expected of a message in this state. A final state may still be corrected by
// a late status ("failed" to "delivered" or "returned", "delivered" to "returned").
func (s MessageState) Final() bool {
	switch s {
	case Delivered, Returned, Failed, Superseded, Cancelled, Expired:
		return true
	case Queued, Scheduled, Sending, Submitted, Received, Held:
		return false
	default:
		return false
	}
}

// intent maps the state of a leg's current message to what it says about the intent.
func (s MessageState) intent() IntentStatus {
	switch s {
	case Scheduled:
		return IntentScheduled
	case Sending:
		return IntentSending
	case Submitted, Received:
		return IntentSubmitted
	case Delivered:
		return IntentDelivered
	case Failed, Returned, Superseded:
		return IntentFailed
	case Held:
		return IntentHeld
	case Cancelled:
		return IntentCancelled
	case Expired:
		return IntentExpired
	case Queued:
		return IntentAccepted
	default:
		return IntentAccepted
	}
}

// Message is one letter on one channel: an intent has one per leg, and one more for each fallback.
type Message struct {
	ID       string // msg_ + ULID
	IntentID string
	Leg      int // index in the intent's Routes
	Step     int // index in that Route
	Channel  string
	Priority Priority // the intent's
	State    MessageState

	// The identity, minted before the first call and the same on every attempt.
	MessageUUID   string // MeMo messageUUID, UUID v4
	AfsendelseID  string // AfsendelseIdentifikator of ForsendelseI, at most 38 characters
	TransactionID string // x-TransaktionsId, UUID v4

	TransmissionID string    // what the far end calls it, once it answered
	Attempts       int       // how many were booked
	Uncertain      bool      // an attempt may have been accepted without our knowing
	DueAt          time.Time // when a worker should next look at it; zero while an attempt is open or nothing is to be done
	CreatedAt      time.Time
	ReleasedAt     time.Time // when a person last had it sent again; zero: never held and released
	SubmittedAt    time.Time // when the far end first had it, as far as we know
	FinalAt        time.Time
	OverdueAt      time.Time // when it was noted that the expected status had not come; zero: never
	Version        int64     // grows with every change; the journal refuses a stale write
}

// due is what the queue must know of the message.
func (m *Message) due() DueMessage {
	return DueMessage{ID: m.ID, Channel: m.Channel, Priority: m.Priority, DueAt: m.DueAt}
}

// become moves the message to next, or says that the state machine forbids it.
func (m *Message) become(next MessageState, now time.Time) error {
	if m.State == next {
		return nil
	}
	if !m.State.May(next) {
		return fmt.Errorf("message %s: %s may not become %s: %w", m.ID, m.State, next, ErrTransition)
	}
	m.State = next
	m.FinalAt = time.Time{}
	if next.Final() {
		m.FinalAt = now
		m.DueAt = time.Time{}
	}
	return nil
}
