package gateway

import "time"

// ReceiptKind is what a status from the far end says.
type ReceiptKind string

// The kinds of status.
const (
	ReceiptReceived  ReceiptKind = "received"  // the mailbox or printer has it: interim
	ReceiptDelivered ReceiptKind = "delivered" // final
	ReceiptRejected  ReceiptKind = "rejected"  // "Fejlet": Class says what that means
	ReceiptReturned  ReceiptKind = "returned"  // the printed letter came back
	ReceiptNote      ReceiptKind = "note"      // recorded, changes nothing
)

// Receipt is a status that came back, whatever road it took. It is kept whole, matched or not.
type Receipt struct {
	ID           string // the far end's own id (BeskedId); the same id again is a duplicate
	Kind         ReceiptKind
	Class        Class // for ReceiptRejected: Fail, Next or Retry
	Code         string
	Text         string // raw text of the far end: for the producer and the journal, never for a log
	Hint         string
	Status       string // the far end's name of it, e.g. "Afleveret Digital Post"
	OccurredAt   time.Time
	ReceivedAt   time.Time
	MessageUUID  string // matched first
	AfsendelseID string // then
	Transmission string // then
	Raw          []byte // as it came
	MessageID    string // the message it was matched to; "" while in quarantine
}

// SettleResult says what a receipt did.
type SettleResult struct {
	Duplicate bool   // it had been here before; nothing changed
	Matched   bool   // a message of ours was found
	Changed   bool   // the message moved
	MessageID string // when matched
}
