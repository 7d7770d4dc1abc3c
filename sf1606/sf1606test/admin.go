package sf1606test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
)

// Kinds of post that an Order asks for.
const (
	KindNew     = "new"
	KindForward = "forward"
	KindReply   = "reply"
)

// Order is what POST /inbound asks a simulator to send.
type Order struct {
	Kind        string  `json:"kind"`        // new (default), forward, reply
	Count       int     `json:"count"`       // default 1
	Bytes       int64   `json:"bytes"`       // of each message; default 20,000
	Rate        float64 `json:"rate"`        // messages per second; default as fast as it goes
	Concurrency int     `json:"concurrency"` // default 8
	Duplicates  float64 `json:"duplicates"`  // shares, 0 to 1, as in StormConfig
	Cuts        float64 `json:"cuts"`
	Twins       float64 `json:"twins"`
	Spoilt      float64 `json:"spoilt"`
	ReplyTo     ReplyTo `json:"replyTo"` // of kind reply: the letter that is answered
}

// ReplyTo is what a reply must know of the letter that it answers.
type ReplyTo struct {
	MessageUUID    string `json:"messageUUID"`
	MessageID      string `json:"messageID"`
	Label          string `json:"label"`
	CaseID         string `json:"caseID"`
	ContactPointID string `json:"contactPointID"`
	Recipient      string `json:"recipient"` // of the letter, who answers: CPR; empty takes a test person
}

const (
	maxOrder  = 1_000_000 // messages
	maxListed = 1000      // messages in an Outcome
)

func (o Order) withDefaults() (Order, error) {
	orDefault(&o.Kind, KindNew)
	orDefault(&o.Count, 1)
	orDefault(&o.Bytes, 20_000)
	orDefault(&o.Concurrency, 8)
	if o.Kind != KindNew && o.Kind != KindForward && o.Kind != KindReply {
		return o, errors.New("kind is new, forward or reply")
	}
	if o.Count < 1 || o.Count > maxOrder || o.Bytes < 1 || o.Bytes > memo.MaxSize || o.Rate < 0 ||
		o.Concurrency < 1 || o.Concurrency > 1000 {
		return o, errors.New("count, bytes, rate or concurrency is out of range")
	}
	for _, share := range []float64{o.Duplicates, o.Cuts, o.Twins, o.Spoilt} {
		if !(share >= 0 && share <= 1) { // also catches NaN
			return o, errors.New("duplicates, cuts, twins and spoilt are shares from 0 to 1")
		}
	}
	if o.Kind == KindReply && o.ReplyTo.MessageUUID == "" {
		return o, errors.New("a reply needs replyTo.messageUUID")
	}
	return o, nil
}

// Outcome is what became of an order; GET /inbound has the sums of all, without messages.
type Outcome struct {
	Sent       int             `json:"sent"`
	Accepted   int             `json:"accepted"`
	Refused    int             `json:"refused"`
	Unanswered int             `json:"unanswered"`
	Duplicates int             `json:"duplicates"`
	Cuts       int             `json:"cuts"`
	Spoilt     int             `json:"spoilt"`
	Resent     int             `json:"resent"`
	Bytes      int64           `json:"bytes"`
	Seconds    float64         `json:"seconds"`
	MedianMS   int64           `json:"medianMs"`
	P99MS      int64           `json:"p99Ms"`
	Messages   []OutcomeOfEach `json:"messages,omitempty"` // the first thousand
}

// OutcomeOfEach is one message of an order.
type OutcomeOfEach struct {
	MessageUUID string         `json:"messageUUID"`
	Receipt     sf1606.Receipt `json:"receipt"`
	Error       string         `json:"error,omitempty"`
}

// Admin serves a simulator's part for inbound post:
//
//	POST /inbound   of JSON, or of nothing: Order; answers its Outcome when all is sent. A caller that leaves ends it
//	POST /inbound   of XML: sent once, as it stands; answers what the receiver answered
//	GET  /inbound   the sums of all orders
func Admin(s *Sender, l *Letters) http.Handler {
	a := &admin{sender: s, letters: l}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /inbound", a.post)
	mux.HandleFunc("GET /inbound", a.get)
	return mux
}

type admin struct {
	sender  *Sender
	letters *Letters
	mu      sync.Mutex
	sum     Outcome
}

func (a *admin) get(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	writeJSON(w, http.StatusOK, a.sum)
}

func (a *admin) post(w http.ResponseWriter, r *http.Request) {
	if isMemo(r) {
		a.relay(w, r)
		return
	}
	o, err := readOrder(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		problem(w, http.StatusBadRequest, "order.invalid", err.Error())
		return
	}
	res, err := a.sender.Storm(r.Context(), StormConfig{
		Total: o.Count, Rate: o.Rate, Concurrency: o.Concurrency,
		Letters: a.letters, Letter: func(int) *memo.Message { return a.letter(o) },
		Duplicates: o.Duplicates, Cuts: o.Cuts, Twins: o.Twins, Spoilt: o.Spoilt,
	})
	out := outcome(res)
	a.add(out)
	if err != nil {
		problem(w, http.StatusServiceUnavailable, "order.ended", "The order was ended before all was sent.")
		return
	}
	writeJSON(w, http.StatusOK, out)
}

func readOrder(body io.Reader) (Order, error) {
	var o Order
	d := json.NewDecoder(body)
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil && !errors.Is(err, io.EOF) { // nothing at all is one new message
		return o, fmt.Errorf("the order is not JSON of its kind: %w", err)
	}
	return o.withDefaults()
}

// letter makes one message of an order.
func (a *admin) letter(o Order) *memo.Message {
	switch o.Kind {
	case KindForward:
		return a.letters.Forward(a.letters.sent(ReplyTo{}), o.Bytes)
	case KindReply:
		return a.letters.Reply(a.letters.sent(o.ReplyTo), o.Bytes)
	default:
		return a.letters.New(o.Bytes)
	}
}

// sent is a letter that the authority sent, as far as r tells.
func (l *Letters) sent(r ReplyTo) *memo.Message {
	m := l.blank()
	h := &m.Header
	h.Label = orElse(r.Label, pick(l, subjects).label)
	h.MessageUUID, h.MessageID = orElse(r.MessageUUID, h.MessageUUID), r.MessageID
	citizen, authority := h.Sender, h.Recipient
	h.Sender = memo.Sender{
		SenderID: authority.RecipientID, IDType: authority.IDType, Label: authority.Label, ContactPoint: authority.ContactPoint,
	}
	h.Recipient = memo.Recipient{RecipientID: orElse(r.Recipient, citizen.SenderID), IDType: citizen.IDType, Label: citizen.Label}
	if r.ContactPointID != "" {
		h.Sender.ContactPoint = &memo.ContactPoint{ContactPointID: r.ContactPointID}
	}
	if r.CaseID != "" {
		h.ContentData = &memo.ContentData{CaseID: &memo.CaseID{CaseID: r.CaseID, CaseSystem: "brevdue simulator"}}
	}
	return m
}

func outcome(r StormResult) Outcome {
	o := Outcome{
		Sent: len(r.Messages), Accepted: r.Accepted, Refused: r.Refused, Unanswered: r.Unanswered, Duplicates: r.Duplicates,
		Cuts: r.Cuts, Spoilt: r.Spoilt, Resent: r.Resent, Bytes: r.Bytes, Seconds: r.Elapsed.Seconds(),
		MedianMS: r.Percentile(0.5).Milliseconds(), P99MS: r.Percentile(0.99).Milliseconds(),
	}
	for _, m := range r.Messages[:min(len(r.Messages), maxListed)] {
		each := OutcomeOfEach{MessageUUID: m.MessageUUID, Receipt: m.Receipt}
		if m.Err != nil {
			each.Error = m.Err.Error()
		}
		o.Messages = append(o.Messages, each)
	}
	return o
}

func (a *admin) add(o Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sum.Sent += o.Sent
	a.sum.Accepted += o.Accepted
	a.sum.Refused += o.Refused
	a.sum.Unanswered += o.Unanswered
	a.sum.Duplicates += o.Duplicates
	a.sum.Cuts += o.Cuts
	a.sum.Spoilt += o.Spoilt
	a.sum.Resent += o.Resent
	a.sum.Bytes += o.Bytes
	a.sum.Seconds += o.Seconds
	a.sum.MedianMS, a.sum.P99MS = o.MedianMS, o.P99MS // of the last one
}

// problem answers problem+json. [src: RFC-9457]
func problem(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ //nolint:errchkjson // plain values; a client that left cannot be told
		"status": status, "title": http.StatusText(status), "code": code, "detail": detail,
	})
}
