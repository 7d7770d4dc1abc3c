package httpapi

import (
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// InboundView is a post as those may see it who may see it. Lists have nothing of what is in it: neither Facts, Documents nor
// Events.
type InboundView struct {
	ID             string         `json:"id"`
	MessageUUID    string         `json:"messageUUID"`
	MessageID      string         `json:"messageId,omitzero"`
	TransmissionID string         `json:"transmissionId"`
	Source         string         `json:"source"`
	ReceivedAt     time.Time      `json:"receivedAt"`
	State          string         `json:"state"`
	Size           int64          `json:"size"`             // bytes of the MeMo
	Rule           string         `json:"rule,omitzero"`    // absent: the default
	Target         string         `json:"target"`           // where it goes, or went
	Tried          []string       `json:"tried,omitempty"`  // targets that refused it
	Flags          []string       `json:"flags,omitempty"`  // what the checks of its documents found
	Attempts       int            `json:"attempts"`         // at delivering it
	DueAt          time.Time      `json:"dueAt,omitzero"`   // next attempt
	FinalAt        time.Time      `json:"finalAt,omitzero"` // delivered or closed
	Answers        InboundAnswers `json:"answers,omitzero"` // absent: it answers no letter of ours

	Facts     *InboundFacts     `json:"facts,omitzero"`
	Documents []InboundDocument `json:"documents,omitempty"`
	Events    []InboundEvent    `json:"events,omitempty"`
}

// InboundAnswers is the letter that a post answers. Who did not send that letter is told the case alone.
type InboundAnswers struct {
	Producer  string `json:"producer,omitzero"`
	Intent    string `json:"intent,omitzero"`
	Reference string `json:"reference,omitzero"`
	Message   string `json:"message,omitzero"`
	CaseID    string `json:"caseId,omitzero"`
}

// InboundFacts is what the message says of itself.
type InboundFacts struct {
	SenderType   string        `json:"senderType,omitzero"` // CPR or CVR
	Sender       RecipientView `json:"sender,omitzero"`     // masked as in intents; the number is in the MeMo
	Label        string        `json:"label,omitzero"`      // the subject
	ContactPoint string        `json:"contactPoint,omitzero"`
	ContactGroup string        `json:"contactGroup,omitzero"`
	KLE          string        `json:"kle,omitzero"`
	FORM         string        `json:"form,omitzero"`
	CaseIDs      []string      `json:"caseIds,omitempty"`
	CaseSystem   string        `json:"caseSystem,omitzero"`
	PostType     string        `json:"postType,omitzero"`
	MessageCode  string        `json:"messageCode,omitzero"`
	Forwarded    bool          `json:"forwarded,omitzero"`
}

// InboundDocument is a file of a post, without its bytes.
type InboundDocument struct {
	N            int      `json:"n"` // for GET /v1/inbound/{id}/documents/{n}
	Kind         string   `json:"kind"`
	Filename     string   `json:"filename"` // as the sender wrote it: never a path
	SafeName     string   `json:"safeName"` // what it may be called on a disk
	DeclaredType string   `json:"declaredType,omitzero"`
	RealType     string   `json:"realType,omitzero"`
	Language     string   `json:"language,omitzero"`
	Flags        []string `json:"flags,omitempty"`
	Size         int64    `json:"size"`
	SHA256       string   `json:"sha256"`
}

// InboundEvent is one line in the story of a post.
type InboundEvent struct {
	Time   time.Time `json:"time"`
	State  string    `json:"state"`
	Target string    `json:"target,omitzero"`
	Code   string    `json:"code"`
	Text   string    `json:"text,omitzero"`
	By     string    `json:"by,omitzero"` // who decided; absent: the gateway
}

// inboundView shows a post without what is in it.
func (s service) inboundView(p *gateway.Post) InboundView {
	view := InboundView{
		ID: p.ID, MessageUUID: p.MessageUUID, MessageID: p.MessageID, TransmissionID: p.TransmissionID, Source: string(p.Source),
		ReceivedAt: p.ReceivedAt, State: string(p.State), Size: p.Memo.Size, Rule: p.Rule, Target: p.Target, Tried: p.Tried,
		Flags: p.Flags, Attempts: p.Attempts, DueAt: p.DueAt, FinalAt: p.FinalAt,
	}
	if c := p.Answers; c != nil {
		view.Answers.CaseID = c.CaseID
		if s.reach.all || s.reach.owns(p) {
			view.Answers = InboundAnswers{
				Producer: c.Producer, Intent: c.IntentID, Reference: c.Reference, Message: c.MessageID, CaseID: c.CaseID,
			}
		}
	}
	return view
}

// show adds what is in a post, and its story.
func (v *InboundView) show(p *gateway.Post, f *gateway.PostFacts, events []gateway.PostEvent) {
	v.Facts = &InboundFacts{
		SenderType: f.SenderType, Sender: recipientView(f.Sender), Label: f.Label.Reveal(), ContactPoint: f.ContactPoint,
		ContactGroup: f.ContactGroup, KLE: f.KLE, FORM: f.FORM, CaseIDs: f.CaseIDs, CaseSystem: f.CaseSystem, PostType: f.PostType,
		MessageCode: f.MessageCode, Forwarded: f.Forwarded,
	}
	for n := range p.Documents {
		d := &p.Documents[n]
		v.Documents = append(v.Documents, InboundDocument{
			N: n, Kind: d.Kind, Filename: d.Filename, SafeName: d.SafeName, DeclaredType: d.DeclaredType, RealType: d.RealType,
			Language: d.Language, Flags: d.Flags, Size: d.Size, SHA256: d.SHA256,
		})
	}
	for n := range events {
		e := &events[n]
		v.Events = append(v.Events, InboundEvent{
			Time: e.At, State: string(e.State), Target: e.Target, Code: e.Code, Text: e.Text, By: e.By,
		})
	}
}
