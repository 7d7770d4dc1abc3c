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
	// Conflict: the far end's two words for what happened disagree. Kind follows the stronger one, Text or Hint says how.
	Conflict  bool
	MessageID string // the message it was matched to; "" while in quarantine

	// Systems are the user systems that the far end names as those the letter came from (RelateretObjekt), and are not kept.
	// See Config.Systems.
	Systems []string
}

// SettleResult says what a receipt did.
type SettleResult struct {
	Duplicate bool   // it had been here before; nothing changed
	Matched   bool   // a message of ours was found
	Changed   bool   // the message moved
	Foreign   bool   // it belongs to another system; nothing of it was kept
	MessageID string // when matched
}

// ReceiptCounts counts what Settle and KeepUnreadable did since this process began.
type ReceiptCounts struct {
	Settled    int64 // matched to a message, at once or out of quarantine
	Duplicate  int64 // seen before
	Unmatched  int64 // put into quarantine
	Foreign    int64 // of another system: acknowledged, not kept
	Conflicts  int64 // whose two words disagree
	Unreadable int64 // kept because nobody could read them
}

// ReceiptFilter says which receipts in quarantine, or which unreadable bodies, to list. The zero value is the first page.
type ReceiptFilter struct {
	After ReceiptCursor
	Limit int
}

// ReceiptCursor is the place after the last one of a page. The zero value starts at the beginning.
type ReceiptCursor struct {
	ReceivedAt time.Time
	ID         string
}

// Unreadable is a body that came on the road of the statuses and could not be read.
type Unreadable struct {
	ID         string // lower-case hex of the SHA-256 of Raw
	Reason     string // why not; it quotes nothing of the body
	ReceivedAt time.Time
	Raw        []byte    // nil in lists
	ReadAt     time.Time // when a later program could read it; zero: nobody has
	ReceiptID  string    // the receipt it turned out to be
}
