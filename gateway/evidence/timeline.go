package evidence

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// timelineFormat is the format of tidslinje.json that is written. Fields are only ever added to it.
const timelineFormat = "brevdue-evidence/1"

// zoneName is the time that law and people in Denmark count by.
const zoneName = "Europe/Copenhagen"

// timeline is tidslinje.json. The order of the fields is that of the file: the legal fact stands first.
type timeline struct {
	Format    string           `json:"format"`
	Delivered *deliveryRecord  `json:"delivered"` // null: no receipt tells of delivery
	Message   messageRecord    `json:"message"`
	Sender    partyRecord      `json:"sender"`
	Recipient partyRecord      `json:"recipient"`
	Request   *requestRecord   `json:"request"` // null: nothing was about to leave, or it is no longer kept
	Attempts  []attemptRecord  `json:"attempts"`
	Manifests []manifestRecord `json:"manifests"`
	Receipts  []receiptRecord  `json:"receipts"`
	Events    []eventRecord    `json:"events"`
	Files     []fileRecord     `json:"files"`
	CreatedAt *moment          `json:"createdAt"` // when this evidence was made
}

// moment is a time in UTC, and as clocks in Denmark showed it.
type moment struct {
	UTC        time.Time `json:"utc"`
	Copenhagen string    `json:"copenhagen"`
}

// deliveryRecord is the availability time, and the receipt that tells it.
type deliveryRecord struct {
	At      *moment `json:"at"`
	Kind    string  `json:"kind"`    // "afleveret", or for paper "post-danmark"
	Receipt string  `json:"receipt"` // file
}

type messageRecord struct {
	ID             string  `json:"id"`
	Intent         string  `json:"intent"`
	Reference      string  `json:"reference"`
	Producer       string  `json:"producer"`
	Channel        string  `json:"channel"`
	State          string  `json:"state"`
	MessageUUID    string  `json:"messageUUID"`
	AfsendelseID   string  `json:"afsendelseIdentifikator"`
	TransactionID  string  `json:"transactionId"`
	TransmissionID string  `json:"transmissionId,omitempty"`
	CreatedAt      *moment `json:"createdAt"`
	SubmittedAt    *moment `json:"submittedAt,omitempty"`
	FinalAt        *moment `json:"finalAt,omitempty"`
}

type partyRecord struct {
	Scheme string `json:"scheme,omitempty"` // CPR, CVR
	Number string `json:"number,omitempty"`
	Name   string `json:"name,omitempty"`
}

type requestRecord struct {
	File     string   `json:"file"`
	Size     int64    `json:"size"`
	SHA256   string   `json:"sha256"`
	Attempts []string `json:"attempts"` // those in which just these bytes were about to leave
}

type attemptRecord struct {
	ID         string  `json:"id"`
	N          int     `json:"n"`
	File       string  `json:"file"` // this record by itself
	StartedAt  *moment `json:"startedAt"`
	EndedAt    *moment `json:"endedAt,omitempty"`
	Class      string  `json:"class,omitempty"`
	Code       string  `json:"code,omitempty"`
	Text       string  `json:"text,omitempty"`
	HTTPStatus int     `json:"httpStatus,omitempty"`
	SHA256     string  `json:"sha256,omitempty"` // of what was about to leave
	ManifestID string  `json:"manifestId,omitempty"`
	Manifest   string  `json:"manifest,omitempty"` // file
	Subject    string  `json:"subject,omitempty"`  // of the SAML token
	Answer     string  `json:"answer,omitempty"`   // file
}

type manifestRecord struct {
	ID          string  `json:"id"`
	File        string  `json:"file"`
	SignedAt    *moment `json:"signedAt"`
	Certificate string  `json:"certificate"` // file
}

type receiptRecord struct {
	ID         string  `json:"id"`
	File       string  `json:"file,omitempty"`
	Form       string  `json:"form"` // "beskedfordeler", "other"
	Kind       string  `json:"kind"`
	Status     string  `json:"status,omitempty"`
	Code       string  `json:"code,omitempty"`
	Text       string  `json:"text,omitempty"`
	Hint       string  `json:"hint,omitempty"`
	Conflict   bool    `json:"conflict,omitempty"`
	OccurredAt *moment `json:"occurredAt,omitempty"`
	ReceivedAt *moment `json:"receivedAt"`
}

type eventRecord struct {
	Seq     int64   `json:"seq"`
	At      *moment `json:"at"`
	Status  string  `json:"status"`
	Attempt int     `json:"attempt,omitempty"`
	Code    string  `json:"code,omitempty"`
	Text    string  `json:"text,omitempty"`
}

// fileRecord says, in Danish, what a file of the container is.
type fileRecord struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

// The forms of a receipt.
const (
	formBeskedfordeler = "beskedfordeler" // a Haendelsesbesked, with or without the ModtagBeskedInput around it
	formOther          = "other"
)

// teller tells times.
type teller struct{ zone *time.Location }

func (t teller) moment(at time.Time) *moment {
	if at.IsZero() {
		return nil
	}
	return &moment{UTC: at.UTC(), Copenhagen: at.In(t.zone).Format(time.RFC3339Nano)}
}

// time is the moment, zero for none.
func (m *moment) time() time.Time {
	if m == nil {
		return time.Time{}
	}
	return m.UTC
}

// party tells who somebody is. It is the one place where a number or a name leaves its type for evidence: proof that does
// not say whom a letter was for proves nothing.
func party(id gateway.Identifier, name string) partyRecord {
	return partyRecord{Scheme: string(id.Scheme()), Number: id.Reveal(), Name: name}
}

func (t teller) message(d *gateway.Dossier) messageRecord {
	m := d.Message
	return messageRecord{
		ID: m.ID, Intent: m.IntentID, Reference: d.Intent.Reference, Producer: d.Intent.Producer, Channel: m.Channel,
		State: string(m.State), MessageUUID: m.MessageUUID, AfsendelseID: m.AfsendelseID, TransactionID: m.TransactionID,
		TransmissionID: m.TransmissionID, CreatedAt: t.moment(m.CreatedAt), SubmittedAt: t.moment(m.SubmittedAt),
		FinalAt: t.moment(m.FinalAt),
	}
}

func (t teller) attempt(a *gateway.Attempt) attemptRecord {
	return attemptRecord{
		ID: a.ID, N: a.N, File: fmt.Sprintf("svar/forsoeg-%d.json", a.N), StartedAt: t.moment(a.StartedAt),
		EndedAt: t.moment(a.EndedAt), Class: string(a.Class), Code: a.Code, Text: a.Text, HTTPStatus: a.HTTPStatus,
		SHA256: hex.EncodeToString(a.Digest), ManifestID: a.ManifestID, Subject: a.Subject,
	}
}

func (t teller) receipt(r *gateway.Receipt) receiptRecord {
	return receiptRecord{
		ID: r.ID, Form: formOther, Kind: string(r.Kind), Status: r.Status, Code: r.Code, Text: r.Text, Hint: r.Hint,
		Conflict: r.Conflict, OccurredAt: t.moment(r.OccurredAt), ReceivedAt: t.moment(r.ReceivedAt),
	}
}

func (t teller) event(e *gateway.Event) eventRecord {
	status := string(e.Status)
	if status == "" {
		status = string(e.IntentStatus)
	}
	return eventRecord{Seq: e.Seq, At: t.moment(e.At), Status: status, Attempt: e.Attempt, Code: e.Code, Text: e.Text}
}

// encode writes a record for programs that people look over the shoulder of.
func encode(record any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(record); err != nil {
		return nil, fmt.Errorf("evidence: %w", err)
	}
	return b.Bytes(), nil
}

// Bounds of tidslinje.json: three days of attempts, one a minute, stay below them.
const (
	maxTimeline = 8 << 20
	maxElements = 200_000 // members and elements of all its objects and lists together
)

// bounded refuses a timeline that would cost whoever reads it much more memory than its length.
func bounded(record []byte) error {
	if len(record) > maxTimeline {
		return fmt.Errorf("evidence: %s has more than %d bytes", nameTimeline, maxTimeline)
	}
	elements, quoted := 0, false
	for i := 0; i < len(record); i++ {
		switch c := record[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			elements++
		}
	}
	if elements > maxElements {
		return fmt.Errorf("evidence: %s has more than %d elements", nameTimeline, maxElements)
	}
	return nil
}

// readTimeline reads tidslinje.json.
func readTimeline(record []byte) (*timeline, error) {
	if err := bounded(record); err != nil {
		return nil, err
	}
	t := new(timeline)
	if err := json.Unmarshal(record, t); err != nil {
		return nil, errors.New("it is not a timeline in JSON")
	}
	if t.Format != timelineFormat {
		return nil, errors.New("its format is not " + timelineFormat)
	}
	return t, nil
}
