package httpapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	"github.com/brevdue/brevdue/gateway"
)

// InboundReply is the body of POST /v1/inbound/{id}/reply: an intent whose recipient is the post's sender, and which tells
// MeMo what it answers. Routes is [["digitalpost"]] when it is empty, the title "Svar: " and that of the post, the case the
// one of the post. Recipient may add what other channels need (address, e-mail, mobile); it names nobody.
type InboundReply struct {
	Reference string           `json:"reference"`
	Sender    string           `json:"sender"`
	Recipient RecipientRequest `json:"recipient,omitzero"`
	Routes    [][]string       `json:"routes,omitempty"`
	Content   ContentRequest   `json:"content"`
	Send      SendRequest      `json:"send,omitzero"`
	Dedupe    string           `json:"dedupe,omitzero"`
}

// replyRoute is the channel of an answer that names none: the one it came by.
const replyRoute = "digitalpost"

// ReplyInbound is InboundAPI.
func (s service) ReplyInbound(ctx context.Context, id string, in *InboundReply) (*IntentAnswer, error) {
	if !s.writes {
		return nil, newProblem(codeForbidden, "An answer is an intent: the token needs the scope "+string(WriteIntents)+", too.")
	}
	p, _, err := s.post(ctx, id)
	if err != nil {
		return nil, err
	}
	answering, err := s.inbound.Answering(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("answer a post: %w", err)
	}
	draft, err := in.draft(s.producer, p.ID, answering)
	if err != nil {
		return nil, err
	}
	answer, err := s.accept(ctx, &draft)
	if err != nil || answer.Existing {
		return answer, err
	}
	if err := s.inbound.Answered(ctx, p.ID, answer.ID, s.producer); err != nil { // the intent stands, and names the post
		s.log.WarnContext(ctx, "the story of a post lacks its answer", "post", p.ID, "intent", answer.ID, "error", err)
	}
	return answer, nil
}

// draft turns an answer into the gateway's nouns. The post is part of the fingerprint: the same reference for another post is
// a conflict.
func (in *InboundReply) draft(producer, post string, a *gateway.Answering) (gateway.Draft, error) {
	request := &IntentRequest{
		Reference: in.Reference, Sender: in.Sender, Recipient: in.Recipient, Routes: in.Routes, Content: in.Content, Send: in.Send,
		Dedupe: in.Dedupe,
	}
	sum, err := fingerprint(request)
	if err != nil {
		return gateway.Draft{}, err
	}
	if len(request.Routes) == 0 {
		request.Routes = [][]string{{replyRoute}}
	}
	request.Content.Title = cmp.Or(request.Content.Title, a.Title)
	if request.Content.Case == (CaseRequest{}) {
		request.Content.Case = CaseRequest{ID: a.CaseID, System: a.CaseSystem}
	}
	r := &reading{}
	if in.Recipient.CPR != "" || in.Recipient.CVR != "" {
		r.problem("/recipient", "recipient.fixed", "An answer goes to the sender of the post; name no other.")
	}
	d := request.read(r, producer)
	d.Fingerprint = sha256.Sum256(fmt.Appendf(nil, "answer to %s\n%x", post, sum))
	d.Recipient.ID = a.Recipient.ID
	d.Recipient.Name = cmp.Or(d.Recipient.Name, a.Recipient.Name)
	d.Content.Answers = a.Answers
	d.Problems = r.problems
	return d, nil
}

func replyInbound(s *Server, api API, w http.ResponseWriter, r *http.Request) (int, any, error) {
	in, err := readJSON(s, w, r, decode[InboundReply])
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	answer, err := api.ReplyInbound(ctx, r.PathValue("id"), in)
	switch {
	case err != nil:
		return 0, nil, err
	case answer.Existing:
		return http.StatusOK, answer, nil
	default:
		return http.StatusAccepted, answer, nil
	}
}
