package routing

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/brevdue/brevdue/sf1601/memo"
)

// Reply says whether a message answers another one.
type Reply string

// What a message can be.
const (
	ReplyNone  Reply = "none"  // it answers nothing
	ReplyOther Reply = "other" // it answers a message that this gateway did not send
	ReplyOurs  Reply = "ours"  // it answers a message that this gateway sent
)

// Correlation is what the journal knows about the messages that a message answers. The zero value: nothing.
type Correlation struct {
	Ours     bool   // one of them was sent by this gateway
	Producer string // by this producer
}

// Facts is what rules look at: plain text taken from a message, as it stands there. It holds personal data; printed or
// logged as a whole it shows none.
type Facts struct {
	ContactPoint  string        // contactPointID
	ContactGroup  string        // such as 22.33.44.55
	ContactInfo   []ContactInfo // of the contact point
	KLE           string        // KLEdata/subjectKey
	FORM          string        // FORMdata/taskKey
	CaseIDs       []string      // of ContentData, and of every ReplyData
	CaseSystem    string
	Reply         Reply  // "": ReplyNone
	Producer      string // with ReplyOurs: who sent what is answered
	SenderType    string // CPR or CVR
	SenderID      string
	PostType      string
	MessageCode   string
	Label         string   // the subject
	CPR           string   // ContentData/CPRdata
	DocumentTypes []string // encodingFormat of every file
	Forwarded     bool     // it has ForwardData
	Size          int64    // raw bytes of all files
}

// ContactInfo is one free pair of a contact point.
type ContactInfo struct{ Label, Value string }

// String shows nothing of a message.
func (f Facts) String() string { return "routing.Facts{...}" }

// GoString shows nothing of a message.
func (f Facts) GoString() string { return f.String() }

// LogValue shows nothing of a message.
func (f Facts) LogValue() slog.Value { return slog.StringValue(f.String()) }

// FactsOf takes the facts from a message and from what is known about the messages it answers.
//
// The contact point is the recipient's: the one the citizen chose. Where it is absent, that of ForwardData counts, then
// the first one of a ReplyData. A message without ReplyData is ReplyNone, whatever the correlation says.
func FactsOf(m *memo.Message, c Correlation) Facts {
	h := &m.Header
	f := Facts{
		Reply:      ReplyNone,
		SenderType: string(h.Sender.IDType), SenderID: h.Sender.SenderID,
		PostType: h.PostType, MessageCode: h.MessageCode, Label: h.Label,
		Forwarded: h.ForwardData != nil,
	}
	takeContactPoint(&f, h)
	if d := h.ContentData; d != nil {
		takeContentData(&f, d)
	}
	for _, r := range h.ReplyData {
		if r.CaseID != "" && !slices.Contains(f.CaseIDs, r.CaseID) {
			f.CaseIDs = append(f.CaseIDs, r.CaseID)
		}
	}
	switch {
	case len(h.ReplyData) > 0 && c.Ours:
		f.Reply, f.Producer = ReplyOurs, c.Producer
	case len(h.ReplyData) > 0:
		f.Reply = ReplyOther
	}
	if m.Body != nil {
		takeFiles(&f, m.Body)
	}
	return f
}

func takeContactPoint(f *Facts, h *memo.MessageHeader) {
	if p := h.Recipient.ContactPoint; p != nil {
		f.ContactPoint, f.ContactGroup = p.ContactPointID, p.ContactGroup
		for _, i := range p.ContactInfo {
			f.ContactInfo = append(f.ContactInfo, ContactInfo{Label: i.Label, Value: i.Value})
		}
	}
	if f.ContactPoint == "" && h.ForwardData != nil {
		f.ContactPoint = h.ForwardData.ContactPointID
	}
	for _, r := range h.ReplyData {
		if f.ContactPoint == "" {
			f.ContactPoint = r.ContactPointID
		}
	}
}

func takeContentData(f *Facts, d *memo.ContentData) {
	if d.CPRdata != nil {
		f.CPR = d.CPRdata.CprNumber
	}
	if d.KLEdata != nil {
		f.KLE = d.KLEdata.SubjectKey
	}
	if d.FORMdata != nil {
		f.FORM = d.FORMdata.TaskKey
	}
	if d.CaseID != nil {
		f.CaseSystem = d.CaseID.CaseSystem
		if d.CaseID.CaseID != "" {
			f.CaseIDs = append(f.CaseIDs, d.CaseID.CaseID)
		}
	}
}

func takeFiles(f *Facts, b *memo.MessageBody) {
	take := func(files []memo.File) {
		for _, x := range files {
			f.DocumentTypes = append(f.DocumentTypes, mediaType(x.EncodingFormat))
			f.Size += x.Size
		}
	}
	take(b.MainDocument.Files)
	for _, d := range b.AdditionalDocuments {
		take(d.Files)
	}
	for _, d := range b.TechnicalDocuments {
		take(d.Files)
	}
}

// mediaType is a type without its parameters, in lower case.
func mediaType(s string) string {
	s, _, _ = strings.Cut(s, ";")
	return strings.ToLower(strings.TrimSpace(s))
}
