package digitalpost

import (
	"context"
	"io"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// textFilename names the main document that is made from an intent's text.
const textFilename = "Meddelelse.txt"

// Message builds the MeMo of a letter, which KombiPostAfsend takes under Digital Post and Automatisk Valg alike. The same
// letter gives the same bytes, whatever the attempt. Before an intent is accepted there is no identity: the UUID is empty.
func (c *Channel) Message(l gateway.Letter) *memo.Message {
	i := l.Intent
	m := &memo.Message{
		Version: c.cfg.MemoVersion,
		Header: memo.MessageHeader{
			MessageType: memo.DigitalPost, MessageUUID: l.Message.MessageUUID, MessageID: l.Message.ID,
			Label: i.Content.Title, Notification: i.Content.Notification,
			Reply: i.Content.ReplyAllowed, ReplyByDateTime: i.Content.ReplyBy,
			Mandatory: i.Content.Mandatory, LegalNotification: i.Content.LegalNotification,
			Sender: sender(l.Sender), Recipient: recipient(i.Recipient), ContentData: c.contentData(i.Content),
			ReplyData: replyData(i.Content.Answers),
		},
		Body: &memo.MessageBody{CreatedDateTime: i.CreatedAt},
	}
	for n, d := range i.Content.Documents {
		f := []memo.File{{
			EncodingFormat: contentType(d), Filename: d.Filename, Language: c.cfg.Language,
			Content: Document(l, n),
		}}
		if n == 0 {
			m.Body.MainDocument.Files = f
		} else {
			m.Body.AdditionalDocuments = append(m.Body.AdditionalDocuments, memo.AdditionalDocument{Files: f})
		}
	}
	if len(i.Content.Documents) == 0 && i.Content.Text != "" {
		m.Body.MainDocument.Files = []memo.File{{
			EncodingFormat: "text/plain", Filename: textFilename, Language: c.cfg.Language,
			Content: xmlstream.Bytes([]byte(i.Content.Text)),
		}}
	}
	for _, a := range i.Content.Actions {
		m.Body.MainDocument.Actions = append(m.Body.MainDocument.Actions, action(a))
	}
	return m
}

func sender(s gateway.Sender) memo.Sender {
	out := memo.Sender{SenderID: s.CVR.Reveal(), IDType: memo.CVR, Label: s.Label}
	if p := s.ContactPoint; p.ID != "" {
		out.ContactPoint = &memo.ContactPoint{ContactPointID: p.ID, ContactGroup: p.Group, Label: p.Label}
	}
	return out
}

func recipient(r gateway.Recipient) memo.Recipient {
	return memo.Recipient{RecipientID: r.ID.Reveal(), IDType: memo.IDType(r.ID.Scheme()), Label: r.Name.Reveal()}
}

// contentData carries the classification and the case. KLEdata wants a version and a label that an intent does not
// have; docs/divergences.md says what stands there.
func (c *Channel) contentData(content gateway.Content) *memo.ContentData {
	if content.KLE == "" && content.CaseID == "" {
		return nil
	}
	data := &memo.ContentData{}
	if content.CaseID != "" {
		data.CaseID = &memo.CaseID{CaseID: content.CaseID, CaseSystem: content.CaseSystem}
	}
	if content.KLE != "" {
		data.KLEdata = &memo.KLEdata{SubjectKey: content.KLE, Version: c.cfg.KLEVersion, Label: content.KLE}
	}
	return data
}

// replyData is the thread that the letter answers, what it answers first.
func replyData(answers []gateway.Answered) []memo.ReplyData {
	var out []memo.ReplyData
	for _, a := range answers {
		r := memo.ReplyData{
			MessageID: a.MessageID, MessageUUID: a.MessageUUID, ReplyUUID: a.ReplyUUID, SenderID: a.SenderID.Reveal(),
			RecipientID: a.RecipientID.Reveal(), CaseID: a.CaseID, ContactPointID: a.ContactPointID,
			GeneratingSystemID: a.GeneratingSystemID, Comment: a.Comment.Reveal(),
		}
		for _, p := range a.Additional {
			r.AdditionalReplyData = append(r.AdditionalReplyData, memo.AdditionalReplyData{
				Label: p.Label.Reveal(), Value: p.Value.Reveal(),
			})
		}
		out = append(out, r)
	}
	return out
}

func action(a actions.Action) memo.Action {
	out := memo.Action{Label: a.Label, ActionCode: memo.ActionCode(a.Code), StartDateTime: a.Start, EndDateTime: a.End}
	if r := a.Reservation; r != nil {
		out.Reservation = &memo.Reservation{
			Description: r.Description, ReservationUUID: r.UUID, Abstract: r.Abstract, Location: r.Location,
			StartDateTime: r.Start, EndDateTime: r.End, OrganizerMail: r.Organizer.Mail, OrganizerName: r.Organizer.Name,
		}
	}
	if a.URL != "" {
		out.EntryPoint = &memo.EntryPoint{URL: a.URL}
	}
	return out
}

// Document is document n of the intent as content of a letter, read when it is needed. Its name is its SHA-256.
func Document(l gateway.Letter, n int) xmlstream.Named {
	d := l.Intent.Content.Documents[n]
	return document{size: d.Size, sha256: d.SHA256, n: n, open: l.Open}
}

type document struct {
	size   int64
	sha256 string
	n      int
	open   func(ctx context.Context, n int) (io.ReadCloser, error)
}

func (d document) Name() string { return d.sha256 }

func (d document) Size() int64 { return d.size }

func (d document) Open(ctx context.Context) (io.ReadCloser, error) { return d.open(ctx, d.n) }
