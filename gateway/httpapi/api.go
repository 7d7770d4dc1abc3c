package httpapi

import (
	"context"
	"io"
	"time"
)

// API is what a producer can ask of the gateway. The server implements it for the producer that a token names,
// [Client] for everybody with a URL and a token. Errors are *[Problem] wherever the gateway answered.
type API interface { //nolint:interfacebloat // one method a call of the contract, implemented by server and client alike
	// PostIntent hands in an intent. Posting the same reference with the same body again returns the first intent,
	// with Existing set.
	PostIntent(ctx context.Context, in *IntentRequest) (*IntentAnswer, error)
	// Intent returns one intent with its messages and events.
	Intent(ctx context.Context, id string) (*IntentView, error)
	// Intents lists intents, oldest first, without their events.
	Intents(ctx context.Context, q IntentQuery) (*IntentPage, error)
	// PostBatch hands in many intents, one a line of NDJSON, and gives every answer to each, in the order of the lines and
	// while lines are still being read; the first answer names the batch. An error of each ends the reading. A line that
	// is refused does not keep the others from being accepted; what was accepted stays accepted whatever the error is.
	PostBatch(ctx context.Context, lines io.Reader, each func(BatchLine) error) (*BatchSummary, error)
	// Batch counts the intents of a batch by status.
	Batch(ctx context.Context, id string) (*BatchView, error)
	// Cancel withdraws the messages of an intent that have not left.
	Cancel(ctx context.Context, id string) (*IntentAnswer, error)
	// Release has a held message sent again, with the same identity.
	Release(ctx context.Context, messageID string, in *ReleaseRequest) (*IntentAnswer, error)
	// Close ends a held message without sending it again.
	Close(ctx context.Context, messageID string, in *CloseRequest) (*IntentAnswer, error)
	// Evidence writes the evidence of a message to w: an ASiC-E container. What was written before an error is useless.
	Evidence(ctx context.Context, messageID string, w io.Writer) error
	// Events returns what happened after a cursor; 0 starts at the beginning. limit 0 is the default.
	Events(ctx context.Context, after int64, limit int) (*EventPage, error)
	// Callbacks tells how telling the producer of its events stands.
	Callbacks(ctx context.Context) (*CallbackView, error)
	// Replay has the producer told again what happened after a cursor, up to and including another; 0: up to now.
	Replay(ctx context.Context, from, to int64) (*ReplayAnswer, error)
	// Errors lists the codes that are known, with what a person can do about each.
	Errors(ctx context.Context) (*ErrorList, error)
	// Registration tells whether somebody is registered for a service.
	Registration(ctx context.Context, in *RegistrationRequest) (*RegistrationAnswer, error)
	// Wash asks for many, one RegistrationRequest a line of NDJSON, and gives every answer to each, in the order of the
	// lines and while lines are still being read. An error of each ends the reading.
	Wash(ctx context.Context, lines io.Reader, each func(WashLine) error) error
	// UploadDocument hands in a document for a later intent. The body is streamed.
	UploadDocument(ctx context.Context, filename string, body io.Reader) (*DocumentAnswer, error)
	ReceiptAPI
	InboundAPI
}

// IntentQuery says which intents to list. Empty fields do not filter.
type IntentQuery struct {
	Reference string
	Status    string
	After     string // id of the last intent of the page before
	Limit     int    // 1 to 500; 0: 100
}

// IntentRequest is the body of POST /v1/intents.
type IntentRequest struct {
	Reference string           `json:"reference"`
	Sender    string           `json:"sender"`
	Recipient RecipientRequest `json:"recipient"`
	Routes    [][]string       `json:"routes"`
	Content   ContentRequest   `json:"content"`
	Send      SendRequest      `json:"send,omitzero"`
	Dedupe    string           `json:"dedupe,omitzero"`
}

// RecipientRequest is who must be told: exactly one of CPR and CVR, and what the channels of the routes need.
type RecipientRequest struct {
	CPR     string         `json:"cpr,omitzero"`
	CVR     string         `json:"cvr,omitzero"`
	Name    string         `json:"name,omitzero"`
	Address AddressRequest `json:"address,omitzero"`
	Email   string         `json:"email,omitzero"`
	Mobile  string         `json:"mobile,omitzero"`
}

// AddressRequest is a postal address. Country is an ISO 3166-1 alpha-2 code.
type AddressRequest struct {
	Street   string `json:"street,omitzero"`
	House    string `json:"house,omitzero"`
	Floor    string `json:"floor,omitzero"`
	Door     string `json:"door,omitzero"`
	Postcode string `json:"postcode,omitzero"`
	City     string `json:"city,omitzero"`
	Country  string `json:"country,omitzero"`
}

// ContentRequest is what is said.
type ContentRequest struct {
	Title             string            `json:"title"`
	Text              string            `json:"text,omitzero"`
	SMS               string            `json:"sms,omitzero"`
	Notification      string            `json:"notification,omitzero"`
	Documents         []DocumentRequest `json:"documents,omitempty"`
	Actions           []ActionRequest   `json:"actions,omitempty"`
	Reply             ReplyRequest      `json:"reply,omitzero"`
	Mandatory         bool              `json:"mandatory,omitzero"`
	LegalNotification bool              `json:"legalNotification,omitzero"`
	KLE               string            `json:"kle,omitzero"`
	Case              CaseRequest       `json:"case,omitzero"`
}

// DocumentRequest is a file of the letter: either its bytes, or the id that POST /v1/documents gave.
type DocumentRequest struct {
	Filename    string `json:"filename,omitzero"`
	ContentType string `json:"contentType,omitzero"`
	Content     Base64 `json:"content,omitzero"`
	Document    string `json:"document,omitzero"`
}

// ActionRequest is an action in flat form. Start and end of an AFTALE are those of the appointment. Times are RFC 3339
// with a zone.
type ActionRequest struct {
	Type        string           `json:"type"`
	Label       string           `json:"label"`
	URL         string           `json:"url,omitzero"`
	Start       string           `json:"start,omitzero"`
	End         string           `json:"end,omitzero"`
	Location    string           `json:"location,omitzero"`
	Abstract    string           `json:"abstract,omitzero"`
	Description string           `json:"description,omitzero"`
	UUID        string           `json:"uuid,omitzero"` // AFTALE: keep it to move an appointment; made when empty
	Organizer   OrganizerRequest `json:"organizer,omitzero"`
}

// OrganizerRequest is who invites to an AFTALE.
type OrganizerRequest struct {
	Name string `json:"name,omitzero"`
	Mail string `json:"mail,omitzero"`
}

// ReplyRequest says whether the recipient may answer, and until when (RFC 3339 with a zone).
type ReplyRequest struct {
	Allowed bool   `json:"allowed,omitzero"`
	By      string `json:"by,omitzero"`
}

// CaseRequest names the case the letter belongs to.
type CaseRequest struct {
	ID     string `json:"id,omitzero"`
	System string `json:"system,omitzero"`
}

// SendRequest says when. Times are RFC 3339 with a zone; Window names a send window of the configuration.
type SendRequest struct {
	NotBefore string `json:"notBefore,omitzero"`
	Expires   string `json:"expires,omitzero"`
	Window    string `json:"window,omitzero"`
	Priority  string `json:"priority,omitzero"` // urgent, normal (also when empty) or bulk; in a batch bulk
}

// ReleaseRequest is the body of POST /v1/messages/{id}/release. Reason is at most 500 characters on one line; it becomes an
// event of the message.
type ReleaseRequest struct {
	Reason string `json:"reason"`
}

// CloseRequest is the body of POST /v1/messages/{id}/close. Outcome is "failed", also when it is empty, or "delivered"; the
// reason is that of a ReleaseRequest.
type CloseRequest struct {
	Reason  string `json:"reason"`
	Outcome string `json:"outcome,omitzero"`
}

// IntentAnswer is what posting, cancelling and decisions on held messages answer.
type IntentAnswer struct {
	ID          string          `json:"id"`
	Status      string          `json:"status"`
	Messages    []MessageAnswer `json:"messages"`
	DiscardedBy string          `json:"discardedBy,omitzero"` // the waiting intent with the same dedupe key

	// Existing is set when the same reference was posted before with the same body (200 instead of 202).
	Existing bool `json:"-"`
}

// MessageAnswer is one message of an IntentAnswer.
type MessageAnswer struct {
	ID      string `json:"id"`
	Channel string `json:"channel"`
	Status  string `json:"status"`
}

// IntentView is an intent as its producer may see it: without the letter, with the recipient masked.
type IntentView struct {
	ID          string        `json:"id"`
	Reference   string        `json:"reference"`
	Sender      string        `json:"sender"`
	Status      string        `json:"status"`
	Recipient   RecipientView `json:"recipient,omitzero"`
	Routes      [][]string    `json:"routes,omitempty"`
	NotBefore   time.Time     `json:"notBefore,omitzero"`
	Expires     time.Time     `json:"expires,omitzero"`
	Window      string        `json:"window,omitzero"`
	Priority    string        `json:"priority,omitzero"`
	Batch       string        `json:"batch,omitzero"`
	Dedupe      string        `json:"dedupe,omitzero"`
	DiscardedBy string        `json:"discardedBy,omitzero"`
	CreatedAt   time.Time     `json:"createdAt"`
	FinalAt     time.Time     `json:"finalAt,omitzero"` // absent while a message is under way
	Messages    []MessageView `json:"messages"`
	Events      []EventView   `json:"events,omitempty"` // of all messages and of the intent itself, in order; not in lists
}

// RecipientView is a masked recipient: no digit of a CPR number, a CVR number as it is.
type RecipientView struct {
	CPR string `json:"cpr,omitzero"`
	CVR string `json:"cvr,omitzero"`
}

// MessageView is one letter on one channel.
type MessageView struct {
	ID             string    `json:"id"`
	Channel        string    `json:"channel"`
	Status         string    `json:"status"`
	Route          int       `json:"route"` // index in the outer list of routes
	Step           int       `json:"step"`  // index in that inner list: above 0 it is a fallback
	MessageUUID    string    `json:"messageUUID,omitzero"`
	TransmissionID string    `json:"transmissionId,omitzero"` // what the far end calls it
	Attempts       int       `json:"attempts"`
	CreatedAt      time.Time `json:"createdAt"`
	DueAt          time.Time `json:"dueAt,omitzero"`
	SubmittedAt    time.Time `json:"submittedAt,omitzero"`
	FinalAt        time.Time `json:"finalAt,omitzero"`
	Hint           string    `json:"hint,omitzero"` // of its last event: what a person can do; not in lists
	HintDA         string    `json:"hintDa,omitzero"`

	Events []EventView `json:"events,omitempty"` // its own, in order; not in lists
}

// EventView is one line in the story of an intent. Code and text are the far end's own, unchanged.
type EventView struct {
	Time    time.Time `json:"time"`
	Message string    `json:"message,omitzero"`
	Channel string    `json:"channel,omitzero"`
	Status  string    `json:"status"`
	Attempt int       `json:"attempt,omitzero"`
	Code    string    `json:"code,omitzero"`
	Text    string    `json:"text,omitzero"`
	Hint    string    `json:"hint,omitzero"` // what a person can do, where the code is known
	HintDA  string    `json:"hintDa,omitzero"`
	Inbound string    `json:"inbound,omitzero"` // the post that answers the message
}

// IntentPage is a page of intents. Next is the value of "after" for the page that follows, "" on the last one.
type IntentPage struct {
	Intents []IntentView `json:"intents"`
	Next    string       `json:"next"`
}

// EventPage is a page of the events feed. Next is the value of "after" for the next call, whether or not there was
// anything to tell.
type EventPage struct {
	Events []FeedEvent `json:"events"`
	Next   int64       `json:"next"`
}

// FeedEvent is one event of the feed.
type FeedEvent struct {
	Seq          int64     `json:"seq"`
	Time         time.Time `json:"time"`
	Intent       string    `json:"intent"`
	Reference    string    `json:"reference"`
	Message      string    `json:"message,omitzero"` // absent for an event of the intent as a whole
	Channel      string    `json:"channel,omitzero"`
	Status       string    `json:"status"`
	IntentStatus string    `json:"intentStatus"`
	Attempt      int       `json:"attempt,omitzero"`
	Code         string    `json:"code,omitzero"`
	Text         string    `json:"text,omitzero"`
	Hint         string    `json:"hint,omitzero"`
	HintDA       string    `json:"hintDa,omitzero"`
	Inbound      string    `json:"inbound,omitzero"` // the post that answers the message; see GET /v1/inbound/{id}
	CaseID       string    `json:"caseId,omitzero"`  // of the letter that it answers
}

// ErrorList is the table of codes.
type ErrorList struct {
	Errors []ErrorView `json:"errors"`
}

// ErrorView is one row of the table of codes.
type ErrorView struct {
	Code    string `json:"code"`
	FarEnd  string `json:"farEnd"`           // "brevdue" for the gateway's own
	Outcome string `json:"outcome,omitzero"` // retry, next, failed or unknown; absent: it only tells
	Hint    string `json:"hint,omitzero"`    // English
	HintDA  string `json:"hintDa,omitzero"`  // Danish
	Source  string `json:"source,omitzero"`  // where the row was learnt
	Date    string `json:"date,omitzero"`    // of the source, YYYY-MM-DD
}

// DocumentAnswer is what POST /v1/documents answers.
type DocumentAnswer struct {
	ID     string `json:"id"`
	SHA256 string `json:"sha256"` // hex
	Size   int64  `json:"size"`   // bytes
}
