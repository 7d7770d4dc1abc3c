package httpapi

import (
	"strings"

	"github.com/brevdue/brevdue/gateway"
)

func intentAnswer(i *gateway.Intent) *IntentAnswer {
	answer := &IntentAnswer{
		ID: i.ID, Status: string(i.Status), DiscardedBy: i.DiscardedBy, Messages: make([]MessageAnswer, len(i.Messages)),
	}
	for n := range i.Messages {
		m := &i.Messages[n]
		answer.Messages[n] = MessageAnswer{ID: m.ID, Channel: m.Channel, Status: string(m.State)}
	}
	return answer
}

// intentView shows an intent without its letter and without its events.
func intentView(i *gateway.Intent) IntentView {
	view := IntentView{
		ID: i.ID, Reference: i.Reference, Sender: i.Sender, Status: string(i.Status), Recipient: recipientView(i.Recipient.ID),
		Routes: make([][]string, len(i.Routes)), NotBefore: i.NotBefore, Expires: i.Expires, Window: i.Window,
		Priority: string(i.Priority), Batch: i.Batch, Dedupe: i.Dedupe, DiscardedBy: i.DiscardedBy,
		CreatedAt: i.CreatedAt, FinalAt: i.FinalAt,
		Messages: make([]MessageView, len(i.Messages)),
	}
	for n, route := range i.Routes {
		view.Routes[n] = route
	}
	for n := range i.Messages {
		m := &i.Messages[n]
		view.Messages[n] = MessageView{
			ID: m.ID, Channel: m.Channel, Status: string(m.State), Route: m.Leg, Step: m.Step,
			MessageUUID: m.MessageUUID, TransmissionID: m.TransmissionID, Attempts: m.Attempts,
			CreatedAt: m.CreatedAt, DueAt: m.DueAt, SubmittedAt: m.SubmittedAt, FinalAt: m.FinalAt,
		}
	}
	return view
}

// recipientView shows the mask of an identifier, which is the number itself for a company.
func recipientView(id gateway.Identifier) RecipientView {
	shown := strings.TrimSpace(strings.TrimPrefix(id.String(), string(id.Scheme())))
	switch id.Scheme() {
	case gateway.CPR:
		return RecipientView{CPR: shown}
	case gateway.CVR:
		return RecipientView{CVR: shown}
	default:
		return RecipientView{}
	}
}

func (s service) eventView(e *gateway.Event) EventView {
	hint, _ := s.gateway.Explain(e.Code)
	return EventView{
		Time: e.At, Message: e.MessageID, Channel: e.Channel, Status: string(e.Status),
		Attempt: e.Attempt, Code: e.Code, Text: e.Text, Hint: hint.HintEN, HintDA: hint.HintDA, Inbound: e.PostID,
	}
}

func feedEvent(g interface {
	Explain(code string) (gateway.ErrorCode, bool)
}, e *gateway.Event,
) FeedEvent {
	hint, _ := g.Explain(e.Code)
	return FeedEvent{
		Seq: e.Seq, Time: e.At, Intent: e.IntentID, Reference: e.Reference, Message: e.MessageID, Channel: e.Channel,
		Status: string(e.Status), IntentStatus: string(e.IntentStatus), Attempt: e.Attempt, Code: e.Code, Text: e.Text,
		Hint: hint.HintEN, HintDA: hint.HintDA, Inbound: e.PostID, CaseID: e.CaseID,
	}
}
