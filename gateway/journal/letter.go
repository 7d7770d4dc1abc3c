package journal

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/gateway"
)

// The records below are how recipient and content lie in their blobs. They name every field on purpose: the gateway's
// types mask themselves in JSON, and a renamed field there must not change what is stored here. Fields are only ever
// added.

type recipientRecord struct {
	Scheme  string        `json:"scheme,omitempty"`
	Number  string        `json:"number,omitempty"`
	Name    string        `json:"name,omitempty"`
	Address addressRecord `json:"address,omitzero"`
	Email   string        `json:"email,omitempty"`
	Mobile  string        `json:"mobile,omitempty"`
}

type addressRecord struct {
	Street   string `json:"street,omitempty"`
	House    string `json:"house,omitempty"`
	Floor    string `json:"floor,omitempty"`
	Door     string `json:"door,omitempty"`
	Postcode string `json:"postcode,omitempty"`
	City     string `json:"city,omitempty"`
	Country  string `json:"country,omitempty"`
}

type contentRecord struct {
	Title             string         `json:"title,omitempty"`
	Text              string         `json:"text,omitempty"`
	SMS               string         `json:"sms,omitempty"`
	Notification      string         `json:"notification,omitempty"`
	Actions           []actionRecord `json:"actions,omitempty"`
	ReplyAllowed      bool           `json:"replyAllowed,omitempty"`
	ReplyBy           time.Time      `json:"replyBy,omitzero"`
	Mandatory         bool           `json:"mandatory,omitempty"`
	LegalNotification bool           `json:"legalNotification,omitempty"`
	KLE               string         `json:"kle,omitempty"`
	CaseID            string         `json:"caseId,omitempty"`
	CaseSystem        string         `json:"caseSystem,omitempty"`
	Answers           []answerRecord `json:"answers,omitempty"`
}

type answerRecord struct {
	MessageID          string       `json:"messageId,omitempty"`
	MessageUUID        string       `json:"messageUuid,omitempty"`
	ReplyUUID          string       `json:"replyUuid,omitempty"`
	SenderID           string       `json:"senderId,omitempty"`
	RecipientID        string       `json:"recipientId,omitempty"`
	CaseID             string       `json:"caseId,omitempty"`
	ContactPointID     string       `json:"contactPointId,omitempty"`
	GeneratingSystemID string       `json:"generatingSystemId,omitempty"`
	Comment            string       `json:"comment,omitempty"`
	Additional         []pairRecord `json:"additional,omitempty"`
}

type pairRecord struct {
	Label string `json:"label,omitempty"`
	Value string `json:"value,omitempty"`
}

type actionRecord struct {
	Code        string             `json:"code"`
	Label       string             `json:"label,omitempty"`
	Start       time.Time          `json:"start,omitzero"`
	End         time.Time          `json:"end,omitzero"`
	URL         string             `json:"url,omitempty"`
	Reservation *reservationRecord `json:"reservation,omitempty"`
}

type reservationRecord struct {
	Description   string    `json:"description,omitempty"`
	UUID          string    `json:"uuid,omitempty"`
	Abstract      string    `json:"abstract,omitempty"`
	Location      string    `json:"location,omitempty"`
	Start         time.Time `json:"start,omitzero"`
	End           time.Time `json:"end,omitzero"`
	OrganizerName string    `json:"organizerName,omitempty"`
	OrganizerMail string    `json:"organizerMail,omitempty"`
}

// marshalLetter returns the two blobs of an intent. Documents are not in them.
func marshalLetter(i *gateway.Intent) (recipient, content []byte, err error) {
	recipient, err = json.Marshal(recordRecipient(i.Recipient))
	if err != nil {
		return nil, nil, fmt.Errorf("recipient: %w", err)
	}
	content, err = json.Marshal(recordContent(i.Content))
	if err != nil {
		return nil, nil, fmt.Errorf("content: %w", err)
	}
	return recipient, content, nil
}

// unmarshalLetter fills in recipient and content. Its errors hold nothing of the blobs.
func unmarshalLetter(i *gateway.Intent, recipient, content []byte) error {
	var r recipientRecord
	if json.Unmarshal(recipient, &r) != nil {
		return fmt.Errorf("intent %s: the stored recipient cannot be read", i.ID)
	}
	var c contentRecord
	if json.Unmarshal(content, &c) != nil {
		return fmt.Errorf("intent %s: the stored content cannot be read", i.ID)
	}
	who, err := r.recipient()
	if err != nil {
		return fmt.Errorf("intent %s: %w", i.ID, err)
	}
	i.Recipient, i.Content = who, c.content()
	return nil
}

func recordRecipient(r gateway.Recipient) recipientRecord {
	return recipientRecord{
		Scheme: string(r.ID.Scheme()), Number: r.ID.Reveal(), Name: r.Name.Reveal(),
		Address: addressRecord{
			Street: r.Address.Street.Reveal(), House: r.Address.House.Reveal(), Floor: r.Address.Floor.Reveal(),
			Door: r.Address.Door.Reveal(), Postcode: r.Address.Postcode.Reveal(), City: r.Address.City.Reveal(),
			Country: r.Address.Country.Reveal(),
		},
		Email: r.Email.Reveal(), Mobile: r.Mobile.Reveal(),
	}
}

func (r recipientRecord) recipient() (gateway.Recipient, error) {
	out := gateway.Recipient{
		Name: gateway.Private(r.Name),
		Address: gateway.Address{
			Street: gateway.Private(r.Address.Street), House: gateway.Private(r.Address.House),
			Floor: gateway.Private(r.Address.Floor), Door: gateway.Private(r.Address.Door),
			Postcode: gateway.Private(r.Address.Postcode), City: gateway.Private(r.Address.City),
			Country: gateway.Private(r.Address.Country),
		},
		Email: gateway.Private(r.Email), Mobile: gateway.Private(r.Mobile),
	}
	if r.Number == "" {
		return out, nil
	}
	id, err := gateway.ParseIdentifier(gateway.Scheme(r.Scheme), r.Number)
	if err != nil {
		return gateway.Recipient{}, fmt.Errorf("the stored recipient: %w", err)
	}
	out.ID = id
	return out, nil
}

func recordContent(c gateway.Content) contentRecord {
	out := contentRecord{
		Title: c.Title, Text: c.Text, SMS: c.SMS, Notification: c.Notification,
		ReplyAllowed: c.ReplyAllowed, ReplyBy: c.ReplyBy, Mandatory: c.Mandatory,
		LegalNotification: c.LegalNotification, KLE: c.KLE, CaseID: c.CaseID, CaseSystem: c.CaseSystem,
	}
	for _, a := range c.Actions {
		out.Actions = append(out.Actions, recordAction(a))
	}
	for _, a := range c.Answers {
		out.Answers = append(out.Answers, recordAnswer(a))
	}
	return out
}

func (c contentRecord) content() gateway.Content {
	out := gateway.Content{
		Title: c.Title, Text: c.Text, SMS: c.SMS, Notification: c.Notification,
		ReplyAllowed: c.ReplyAllowed, ReplyBy: c.ReplyBy, Mandatory: c.Mandatory,
		LegalNotification: c.LegalNotification, KLE: c.KLE, CaseID: c.CaseID, CaseSystem: c.CaseSystem,
	}
	for _, a := range c.Actions {
		out.Actions = append(out.Actions, a.action())
	}
	for _, a := range c.Answers {
		out.Answers = append(out.Answers, a.answer())
	}
	return out
}

func recordAnswer(a gateway.Answered) answerRecord {
	out := answerRecord{
		MessageID: a.MessageID, MessageUUID: a.MessageUUID, ReplyUUID: a.ReplyUUID, SenderID: a.SenderID.Reveal(),
		RecipientID: a.RecipientID.Reveal(), CaseID: a.CaseID, ContactPointID: a.ContactPointID,
		GeneratingSystemID: a.GeneratingSystemID, Comment: a.Comment.Reveal(),
	}
	for _, p := range a.Additional {
		out.Additional = append(out.Additional, pairRecord{p.Label.Reveal(), p.Value.Reveal()})
	}
	return out
}

func (a answerRecord) answer() gateway.Answered {
	out := gateway.Answered{
		MessageID: a.MessageID, MessageUUID: a.MessageUUID, ReplyUUID: a.ReplyUUID, SenderID: gateway.Private(a.SenderID),
		RecipientID: gateway.Private(a.RecipientID), CaseID: a.CaseID, ContactPointID: a.ContactPointID,
		GeneratingSystemID: a.GeneratingSystemID, Comment: gateway.Private(a.Comment),
	}
	for _, p := range a.Additional {
		out.Additional = append(out.Additional, gateway.Pair{Label: gateway.Private(p.Label), Value: gateway.Private(p.Value)})
	}
	return out
}

func recordAction(a actions.Action) actionRecord {
	out := actionRecord{Code: string(a.Code), Label: a.Label, Start: a.Start, End: a.End, URL: a.URL}
	if r := a.Reservation; r != nil {
		out.Reservation = &reservationRecord{
			Description: r.Description, UUID: r.UUID, Abstract: r.Abstract, Location: r.Location,
			Start: r.Start, End: r.End, OrganizerName: r.Organizer.Name, OrganizerMail: r.Organizer.Mail,
		}
	}
	return out
}

func (a actionRecord) action() actions.Action {
	out := actions.Action{Code: actions.Code(a.Code), Label: a.Label, Start: a.Start, End: a.End, URL: a.URL}
	if r := a.Reservation; r != nil {
		out.Reservation = &actions.Reservation{
			Description: r.Description, UUID: r.UUID, Abstract: r.Abstract, Location: r.Location,
			Start: r.Start, End: r.End, Organizer: actions.Organizer{Name: r.OrganizerName, Mail: r.OrganizerMail},
		}
	}
	return out
}
