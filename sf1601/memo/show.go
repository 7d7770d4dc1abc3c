package memo

import (
	"encoding/hex"
	"strings"
	"time"
)

// SummaryOptions say what a summary shows. The zero value masks persons and shows UTC.
type SummaryOptions struct {
	// Clear shows CPR numbers and the names of persons.
	Clear bool
	// Zone is in which times are shown. Nil is UTC.
	Zone *time.Location
}

// Summary tells what a message is about, as a person wants to know it who has the file in hand. Its JSON is for programs.
//
// CPR numbers and names of persons are masked unless SummaryOptions.Clear; whose idType is not CVR counts as a person.
// Subject, notification and the texts of actions are shown: they may tell about the person too.
type Summary struct {
	Version           string            `json:"version"`
	KombiValgKode     string            `json:"kombi_valg_kode,omitzero"`
	Physical          bool              `json:"physical,omitzero"` // the request has a ForsendelseISamling
	MessageType       string            `json:"message_type,omitzero"`
	MessageUUID       string            `json:"message_uuid,omitzero"`
	MessageID         string            `json:"message_id,omitzero"`
	Sender            SummaryParty      `json:"sender,omitzero"`
	Recipient         SummaryParty      `json:"recipient,omitzero"`
	Subject           string            `json:"subject,omitzero"`
	Notification      string            `json:"notification,omitzero"`
	Case              string            `json:"case,omitzero"`
	CaseSystem        string            `json:"case_system,omitzero"`
	KLE               string            `json:"kle,omitzero"`
	About             string            `json:"about,omitzero"` // CPR or CVR number of ContentData
	Created           string            `json:"created,omitzero"`
	DoNotDeliverUntil string            `json:"do_not_deliver_until,omitzero"`
	ReplyBy           string            `json:"reply_by,omitzero"`
	Reply             bool              `json:"reply,omitzero"`
	Mandatory         bool              `json:"mandatory,omitzero"`
	LegalNotification bool              `json:"legal_notification,omitzero"`
	Forwarded         bool              `json:"forwarded,omitzero"`
	Answers           int               `json:"answers,omitzero"` // how many ReplyData
	Documents         []SummaryDocument `json:"documents"`
}

// SummaryParty is a sender or recipient.
type SummaryParty struct {
	IDType string `json:"id_type"`
	ID     string `json:"id"`
	Label  string `json:"label,omitzero"`
}

// SummaryDocument is a document with its files and actions.
type SummaryDocument struct {
	Kind    DocumentKind    `json:"kind"`
	Label   string          `json:"label,omitzero"`
	Files   []SummaryFile   `json:"files"`
	Actions []SummaryAction `json:"actions,omitzero"`
}

// SummaryFile is a file. SHA256 is of its bytes, in hexadecimal; it is empty when they could not be read.
type SummaryFile struct {
	Filename       string `json:"filename"`
	EncodingFormat string `json:"encoding_format"`
	Language       string `json:"language"`
	Size           int64  `json:"size"`
	SHA256         string `json:"sha256,omitzero"`
}

// SummaryAction is an action. Start and End are those of its reservation when it has one.
type SummaryAction struct {
	Code     string `json:"code"`
	Label    string `json:"label"`
	Start    string `json:"start,omitzero"`
	End      string `json:"end,omitzero"`
	Abstract string `json:"abstract,omitzero"`
	Location string `json:"location,omitzero"`
	URL      string `json:"url,omitzero"`
}

// What stands in the place of a CPR number and of a name.
const (
	maskedCPR  = "••••••-••••"
	maskedName = "••••"
)

// NewSummary sums up what ReadKombi read.
func NewSummary(k *Kombi, o SummaryOptions) Summary {
	s := summarizer{o}
	x := Summary{KombiValgKode: k.KombiValgKode, Physical: k.Forsendelse, Documents: []SummaryDocument{}}
	m := k.Message
	if m == nil {
		return x
	}
	h := &m.Header
	x.Version, x.MessageType, x.MessageUUID = string(m.Version), string(h.MessageType), strings.ToLower(h.MessageUUID)
	x.MessageID, x.Subject, x.Notification = h.MessageID, h.Label, h.Notification
	x.Sender = s.party(h.Sender.IDType, h.Sender.SenderID, h.Sender.Label)
	x.Recipient = s.party(h.Recipient.IDType, h.Recipient.RecipientID, h.Recipient.Label)
	s.contentData(&x, h.ContentData)
	if !h.DoNotDeliverUntilDate.IsZero() {
		x.DoNotDeliverUntil = h.DoNotDeliverUntilDate.String()
	}
	x.ReplyBy, x.Reply = s.time(h.ReplyByDateTime), h.Reply
	x.Mandatory, x.LegalNotification = h.Mandatory, h.LegalNotification
	x.Forwarded, x.Answers = h.ForwardData != nil, len(h.ReplyData)
	if m.Body != nil {
		x.Created = s.time(m.Body.CreatedDateTime)
		x.Documents = s.documents(m.Body)
	}
	return x
}

type summarizer struct{ SummaryOptions }

// party masks everyone who is not a company.
func (s summarizer) party(idType IDType, id, label string) SummaryParty {
	p := SummaryParty{IDType: string(idType), ID: id, Label: label}
	if !s.Clear && !strings.EqualFold(string(idType), string(CVR)) {
		p.ID = maskedCPR
		p.Label = maskName(label)
	}
	return p
}

func maskName(name string) string {
	if name == "" {
		return ""
	}
	return maskedName
}

func (s summarizer) contentData(x *Summary, d *ContentData) {
	if d == nil {
		return
	}
	if d.CaseID != nil {
		x.Case, x.CaseSystem = d.CaseID.CaseID, d.CaseID.CaseSystem
	}
	if d.KLEdata != nil {
		x.KLE = d.KLEdata.SubjectKey
		if d.KLEdata.Label != "" {
			x.KLE += " " + d.KLEdata.Label
		}
	}
	switch {
	case d.CPRdata != nil && s.Clear:
		x.About = "CPR " + d.CPRdata.CprNumber
	case d.CPRdata != nil:
		x.About = "CPR " + maskedCPR
	case d.CVRdata != nil:
		x.About = "CVR " + d.CVRdata.CvrNumber
	}
}

func (s summarizer) documents(b *MessageBody) []SummaryDocument {
	list := []SummaryDocument{s.document(KindMain, b.MainDocument.Label, b.MainDocument.Files, b.MainDocument.Actions)}
	for _, d := range b.AdditionalDocuments {
		list = append(list, s.document(KindAdditional, d.Label, d.Files, d.Actions))
	}
	for _, d := range b.TechnicalDocuments {
		list = append(list, s.document(KindTechnical, d.Label, d.Files, nil))
	}
	return list
}

func (s summarizer) document(kind DocumentKind, label string, files []File, actions []Action) SummaryDocument {
	d := SummaryDocument{Kind: kind, Label: label, Files: []SummaryFile{}}
	for _, f := range files {
		x := SummaryFile{Filename: f.Filename, EncodingFormat: f.EncodingFormat, Language: f.Language, Size: f.Size}
		if f.SHA256 != [len(f.SHA256)]byte{} {
			x.SHA256 = hex.EncodeToString(f.SHA256[:])
		}
		d.Files = append(d.Files, x)
	}
	for _, a := range actions {
		d.Actions = append(d.Actions, s.action(a))
	}
	return d
}

func (s summarizer) action(a Action) SummaryAction {
	x := SummaryAction{Code: string(a.ActionCode), Label: a.Label, Start: s.time(a.StartDateTime), End: s.time(a.EndDateTime)}
	if r := a.Reservation; r != nil {
		x.Start, x.End, x.Abstract, x.Location = s.time(r.StartDateTime), s.time(r.EndDateTime), r.Abstract, r.Location
	}
	if a.EntryPoint != nil {
		x.URL = a.EntryPoint.URL
	}
	return x
}

// time shows a time with its offset, so that it can be read by people and by programs.
func (s summarizer) time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format(time.RFC3339)
}
