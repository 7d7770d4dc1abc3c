package target

import (
	"context"
	"encoding/json"
	"time"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// note is a post in the format json: what the header of its MeMo says, and where its documents are. docs/inbound.md shows
// one. Keys are those of MeMo where it has them.
type note struct {
	ID          string       `json:"id"`
	MessageUUID string       `json:"messageUUID"`
	MessageID   string       `json:"messageID,omitempty"`
	MessageCode string       `json:"messageCode,omitempty"`
	PostType    string       `json:"postType,omitempty"`
	Received    time.Time    `json:"received"`
	Created     *time.Time   `json:"createdDateTime,omitempty"`
	Label       string       `json:"label"`
	Sender      party        `json:"sender"`
	Recipient   party        `json:"recipient"`
	CaseID      *caseID      `json:"caseID,omitempty"`
	KLE         *subject     `json:"kle,omitempty"`
	FORM        *subject     `json:"form,omitempty"`
	CPR         string       `json:"cprNumber,omitempty"` // whom it is about, when the sender says so
	CVR         string       `json:"cvrNumber,omitempty"`
	ReplyData   []thread     `json:"replyData"`
	Answers     *answers     `json:"answers,omitempty"`
	AnswersCase string       `json:"answersCaseID,omitempty"`
	Forwarded   bool         `json:"forwarded"`
	Flags       []string     `json:"flags"`
	Documents   []linkedFile `json:"documents"`
}

type party struct {
	ID           string   `json:"id"`
	IDType       string   `json:"idType"`
	Label        string   `json:"label,omitempty"`
	ContactPoint *contact `json:"contactPoint,omitempty"`
}

type contact struct {
	ID    string `json:"contactPointID"`
	Group string `json:"contactGroup,omitempty"`
	Label string `json:"label,omitempty"`
	Info  []pair `json:"contactInfo,omitempty"`
}

type pair struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

type caseID struct {
	CaseID     string `json:"caseID"`
	CaseSystem string `json:"caseSystem,omitempty"`
}

type subject struct {
	Key   string `json:"key"`
	Facet string `json:"activityFacet,omitempty"`
	Label string `json:"label,omitempty"`
}

type thread struct {
	MessageUUID        string `json:"messageUUID"`
	MessageID          string `json:"messageID,omitempty"`
	ReplyUUID          string `json:"replyUUID,omitempty"`
	CaseID             string `json:"caseID,omitempty"`
	ContactPointID     string `json:"contactPointID,omitempty"`
	GeneratingSystemID string `json:"generatingSystemID,omitempty"`
	Additional         []pair `json:"additionalReplyData,omitempty"`
}

type linkedFile struct {
	N           int      `json:"n"` // from 0
	Kind        string   `json:"kind"`
	Filename    string   `json:"filename"` // as the sender wrote it: no path
	ContentType string   `json:"contentType"`
	RealType    string   `json:"realType"`
	Size        int64    `json:"size"`
	SHA256      string   `json:"sha256"`
	Flags       []string `json:"flags"`
	URL         string   `json:"url"`
}

// noteOf reads the header of the MeMo and writes the note. Contents of files are read past.
func noteOf(ctx context.Context, p *inbound.Parcel) ([]byte, inbound.Outcome, bool) {
	n := note{
		ID: p.Post.ID, MessageUUID: p.Post.MessageUUID, Received: p.Post.ReceivedAt.UTC(), Answers: answersOf(p),
		Flags: list(p.Post.Flags), Documents: []linkedFile{}, ReplyData: []thread{},
	}
	if p.Post.Answers != nil {
		n.AnswersCase = p.Post.Answers.CaseID
	}
	for i, d := range p.Post.Documents {
		link := p.DocumentURL(i)
		if link == "" {
			return nil, outcome(codeLinks, nil), false
		}
		n.Documents = append(n.Documents, linkedFile{
			N: i, Kind: d.Kind, Filename: d.Filename, ContentType: d.DeclaredType, RealType: d.RealType, Size: d.Size,
			SHA256: d.SHA256, Flags: list(d.Flags), URL: link,
		})
	}
	file, err := p.Memo(ctx)
	if err != nil {
		if o, is := early(ctx, &storeError{err}); is {
			return nil, o, false
		}
		return nil, outcome(codeStore, bare("read", err)), false
	}
	defer func() { _ = file.Close() }()
	m, err := memo.Read(ctx, file, memo.ReadOptions{})
	if err != nil {
		if o, is := early(ctx, err); is {
			return nil, o, false
		}
		return nil, outcome(codeMemo, bare("read the MeMo", err)), false
	}
	n.fill(m)
	content, err := json.Marshal(n)
	if err != nil {
		return nil, outcome(codeMemo, bare("write the JSON", err)), false
	}
	return content, inbound.Outcome{}, true
}

func (n *note) fill(m *memo.Message) {
	h := &m.Header
	n.MessageID, n.MessageCode, n.PostType, n.Label = h.MessageID, h.MessageCode, h.PostType, h.Label
	n.Sender = party{h.Sender.SenderID, string(h.Sender.IDType), h.Sender.Label, contactOf(h.Sender.ContactPoint)}
	n.Recipient = party{h.Recipient.RecipientID, string(h.Recipient.IDType), h.Recipient.Label, contactOf(h.Recipient.ContactPoint)}
	n.Forwarded = h.ForwardData != nil
	if m.Body != nil && !m.Body.CreatedDateTime.IsZero() {
		created := m.Body.CreatedDateTime.UTC()
		n.Created = &created
	}
	if d := h.ContentData; d != nil {
		n.about(d)
	}
	for _, r := range h.ReplyData {
		t := thread{
			MessageUUID: r.MessageUUID, MessageID: r.MessageID, ReplyUUID: r.ReplyUUID, CaseID: r.CaseID,
			ContactPointID: r.ContactPointID, GeneratingSystemID: r.GeneratingSystemID,
		}
		for _, a := range r.AdditionalReplyData {
			t.Additional = append(t.Additional, pair{a.Label, a.Value})
		}
		n.ReplyData = append(n.ReplyData, t)
	}
}

func (n *note) about(d *memo.ContentData) {
	if d.CaseID != nil {
		n.CaseID = &caseID{d.CaseID.CaseID, d.CaseID.CaseSystem}
	}
	if d.KLEdata != nil {
		n.KLE = &subject{d.KLEdata.SubjectKey, d.KLEdata.ActivityFacet, d.KLEdata.Label}
	}
	if d.FORMdata != nil {
		n.FORM = &subject{d.FORMdata.TaskKey, d.FORMdata.ActivityFacet, d.FORMdata.Label}
	}
	if d.CPRdata != nil {
		n.CPR = d.CPRdata.CprNumber
	}
	if d.CVRdata != nil {
		n.CVR = d.CVRdata.CvrNumber
	}
}

func contactOf(c *memo.ContactPoint) *contact {
	if c == nil {
		return nil
	}
	out := &contact{ID: c.ContactPointID, Group: c.ContactGroup, Label: c.Label}
	for _, i := range c.ContactInfo {
		out.Info = append(out.Info, pair{i.Label, i.Value})
	}
	return out
}
