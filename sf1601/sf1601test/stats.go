package sf1601test

import "time"

// Stats are counts since start.
type Stats struct {
	Started time.Time `json:"started"`
	Seed    uint64    `json:"seed"`
	// Requests per endpoint: issue, token, kombi, memos, digitalpost, nemsms.
	Requests map[string]int64 `json:"requests"`
	// Outcomes of kombi and memos calls, see the Outcome constants. They add
	// up to Requests once no call is under way.
	Outcomes map[string]int64 `json:"outcomes"`
	// Letters is how many letters were accepted. A letter is known by its
	// messageUUID, one for Fysisk Post by its AfsendelseIdentifikator.
	Letters int64 `json:"letters"`
	// Channels is Letters by the Channel that carried them.
	Channels map[string]int64 `json:"channels"`
	// Shipments is how many accepted letters have an AfsendelseIdentifikator:
	// those that were printed, and those that would have been.
	Shipments int64 `json:"shipments"`
	// Duplicates is how many calls brought a letter accepted before.
	Duplicates int64 `json:"duplicates"`
	// TwoIdentities is how often a sender lost the identity of a letter: another
	// messageUUID under a messageID seen before; or, for Fysisk Post and
	// Automatisk Valg, another AfsendelseIdentifikator under an
	// x-TransaktionsId, UUIDIdentifikator or messageUUID seen before, or an
	// AfsendelseIdentifikator seen before on another letter.
	TwoIdentities int64 `json:"twoIdentities"`
	// Invalid is how many accepted letters break a rule of MeMo, NgDP or
	// ForsendelseI and get status Fejlet for it.
	Invalid int64 `json:"invalid"`
	// Settled is how many letters have had their last status acknowledged.
	Settled int64     `json:"settled"`
	Pushes  PushStats `json:"pushes"`
}

// PushStats count status pushes.
type PushStats struct {
	Sent         int64  `json:"sent"`                // POSTs made
	Acknowledged int64  `json:"acknowledged"`        // answered with StatusKode 20
	Retried      int64  `json:"retried"`             // POSTs that were not, and will be made again
	Unrouted     int64  `json:"unrouted"`            // statuses dropped for want of a push URL
	Pending      int64  `json:"pending"`             // letters waiting for a status or a push
	LastError    string `json:"lastError,omitempty"` // of the last push that was not acknowledged
}

// Outcomes of a kombi call.
const (
	OutcomeAccepted     = "accepted"     // Result=true, a new letter
	OutcomeDuplicate    = "duplicate"    // a letter accepted before
	OutcomeRefused      = "refused"      // Result=false or an HTTP error about the request
	OutcomeUnauthorized = "unauthorized" // 401
	OutcomeUnavailable  = "unavailable"  // 503
	OutcomeCutBefore    = "cutBefore"    // connection cut, nothing accepted
	OutcomeCutAfter     = "cutAfter"     // connection cut, letter accepted
)

// Channels a letter is carried by.
const (
	ChannelDigitalPost = "Digital Post"
	ChannelNemSMS      = "NemSMS"
	ChannelFysiskPost  = "Fysisk Post"
)

// Message is one letter as it arrived.
type Message struct {
	Seq         int64  `json:"seq"`         // order of first arrival, from 1; the cursor of paging
	MessageUUID string `json:"messageUUID"` // empty when there is no MeMo
	// AfsendelseIdentifikator is the identity of the printed letter; empty when
	// there is no ForsendelseI.
	AfsendelseIdentifikator string `json:"afsendelseIdentifikator,omitempty"`
	// Channel is what carries it, which Automatisk Valg leaves open.
	Channel        string     `json:"channel"`
	MessageID      string     `json:"messageID,omitempty"`
	MessageType    string     `json:"messageType"`
	KombiValgKode  string     `json:"kombiValgKode"`
	Recipient      string     `json:"recipient"` // all but the last four digits masked
	Accepted       bool       `json:"accepted"`
	TransmissionID string     `json:"transmissionID,omitempty"`
	TransactionIDs []string   `json:"transactionIDs"` // distinct, at most 8
	Attempts       int        `json:"attempts"`       // calls that brought it
	FirstSeen      time.Time  `json:"firstSeen"`
	AcceptedAt     time.Time  `json:"acceptedAt,omitzero"`
	SettledAt      time.Time  `json:"settledAt,omitzero"` // last status acknowledged
	Size           int64      `json:"size"`               // bytes of the whole request
	Documents      []Document `json:"documents"`
	Actions        []string   `json:"actions"`           // actionCode in order
	Finding        *Finding   `json:"finding,omitempty"` // why its status is Fejlet, when a rule is broken
}

// Document is one File of a letter, or one file of a printed letter.
type Document struct {
	Kind     string `json:"kind"`     // MainDocument, AdditionalDocument, TechnicalDocument; ForsendelseI, Bilag
	Filename string `json:"filename"` // BilagNavn of a Bilag
	Format   string `json:"format"`   // encodingFormat; FilformatNavn
	Size     int64  `json:"size"`     // decoded bytes
}

// Finding is the first rule a letter breaks.
type Finding struct {
	Code string `json:"code"` // FejlKode of the status
	Text string `json:"text"` // FejlTekst; never quotes the letter
}
