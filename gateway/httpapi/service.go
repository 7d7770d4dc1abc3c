package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
)

// Gateway is the use cases that the API needs; *gateway.Gateway has them.
type Gateway interface { //nolint:interfacebloat // one use case a call of the contract
	Accept(ctx context.Context, d gateway.Draft) (intent *gateway.Intent, existing bool, err error)
	Cancel(ctx context.Context, producer, id string) (*gateway.Intent, error)
	Release(ctx context.Context, producer, messageID, reason string) (*gateway.Intent, error)
	Close(ctx context.Context, producer, messageID, reason string, as gateway.MessageState) (*gateway.Intent, error)
	Intent(ctx context.Context, producer, id string) (*gateway.Intent, []gateway.Event, error)
	Intents(ctx context.Context, f gateway.IntentFilter) ([]gateway.Intent, error)
	Events(ctx context.Context, producer string, after int64, limit int) ([]gateway.Event, error)
	Upload(ctx context.Context, producer, filename string, r io.Reader) (*gateway.Upload, error)
	BeginBatch(ctx context.Context, producer string) (id string, err error)
	EndBatch(ctx context.Context, id string, tally gateway.Tally) error
	Batch(ctx context.Context, producer, id string) (*gateway.Batch, error)
	Callbacks(ctx context.Context, producer string) (*gateway.CallbackStats, error)
	Replay(ctx context.Context, producer string, from, to int64) (int, error)
	ErrorCodes() []gateway.ErrorCode
	Explain(code string) (gateway.ErrorCode, bool)
	Registered(ctx context.Context, service string, id gateway.Identifier, fresh bool) (bool, error)
	Ready(ctx context.Context) error
	Health(ctx context.Context) (*gateway.Health, error)
	ReceiptCounts() gateway.ReceiptCounts
	Quarantine(ctx context.Context, f gateway.ReceiptFilter) ([]gateway.Receipt, error)
	Receipt(ctx context.Context, id string) (*gateway.Receipt, error)
	UnreadableBodies(ctx context.Context, f gateway.ReceiptFilter) ([]gateway.Unreadable, error)
	UnreadableBody(ctx context.Context, id string) (*gateway.Unreadable, error)
	Rematch(ctx context.Context) (int, error)
	MatchByHand(ctx context.Context, receiptID, messageID, reason string) (gateway.SettleResult, error)
	RetryUnreadable(ctx context.Context, id string) (gateway.SettleResult, error)
}

var _ Gateway = (*gateway.Gateway)(nil)

// Limits of a page.
const (
	maxPage     = 500
	defaultPage = 100
)

// service is the API for one producer.
type service struct {
	gateway  Gateway
	producer string
	lists    lists
	evidence evidence // nil: none is given
	inbound  Inbound  // nil: there is none
	reach    reach    // which posts it may see
	writes   bool     // it may post intents
	noted    noted    // called before a letter is read
	log      *slog.Logger
}

// noted writes down who is about to read what; its error must keep it from being read.
type noted func(ctx context.Context, action access.Action, object string) error

var _ API = service{}

// PostIntent is API.
func (s service) PostIntent(ctx context.Context, in *IntentRequest) (*IntentAnswer, error) {
	draft, err := in.draft(s.producer)
	if err != nil {
		return nil, err
	}
	return s.accept(ctx, &draft)
}

// accept hands a draft to the gateway.
func (s service) accept(ctx context.Context, draft *gateway.Draft) (*IntentAnswer, error) {
	intent, existing, err := s.gateway.Accept(ctx, *draft)
	if err != nil {
		return nil, withoutEchoes(err, draft.Problems)
	}
	answer := intentAnswer(intent)
	answer.Existing = existing
	return answer, nil
}

// withoutEchoes leaves out what the gateway finds only because a value could not be read: a time that is none is not
// missing as well.
func withoutEchoes(err error, found []gateway.Problem) error {
	invalid, ok := errors.AsType[*gateway.Invalid](err)
	if !ok || len(found) == 0 {
		return err
	}
	kept := slices.DeleteFunc(slices.Clone(invalid.Problems), func(p gateway.Problem) bool {
		return slices.ContainsFunc(found, func(f gateway.Problem) bool { return f.Pointer == p.Pointer && f != p })
	})
	return &gateway.Invalid{Problems: kept}
}

// Intent is API.
func (s service) Intent(ctx context.Context, id string) (*IntentView, error) {
	intent, events, err := s.gateway.Intent(ctx, s.producer, id)
	if err != nil {
		return nil, fmt.Errorf("read intent: %w", err)
	}
	view := intentView(intent)
	view.Events = make([]EventView, len(events))
	for n := range events {
		view.Events[n] = s.eventView(&events[n])
		for k := range view.Messages {
			if m := &view.Messages[k]; m.ID == events[n].MessageID {
				m.Events = append(m.Events, view.Events[n])
				m.Hint, m.HintDA = view.Events[n].Hint, view.Events[n].HintDA // the last word
			}
		}
	}
	return &view, nil
}

// Intents is API.
func (s service) Intents(ctx context.Context, q IntentQuery) (*IntentPage, error) {
	if q.Limit == 0 {
		q.Limit = defaultPage
	}
	intents, err := s.gateway.Intents(ctx, gateway.IntentFilter{
		Producer: s.producer, Reference: q.Reference, Status: gateway.IntentStatus(q.Status), After: q.After, Limit: q.Limit,
	})
	if err != nil {
		return nil, fmt.Errorf("list intents: %w", err)
	}
	page := &IntentPage{Intents: make([]IntentView, len(intents))}
	for n := range intents {
		page.Intents[n] = intentView(&intents[n])
	}
	if len(intents) == q.Limit {
		page.Next = intents[len(intents)-1].ID
	}
	return page, nil
}

// Cancel is API.
func (s service) Cancel(ctx context.Context, id string) (*IntentAnswer, error) {
	intent, err := s.gateway.Cancel(ctx, s.producer, id)
	if err != nil {
		return nil, fmt.Errorf("cancel intent: %w", err)
	}
	return intentAnswer(intent), nil
}

// Release is API.
func (s service) Release(ctx context.Context, messageID string, in *ReleaseRequest) (*IntentAnswer, error) {
	intent, err := s.gateway.Release(ctx, s.producer, messageID, in.Reason)
	return decided(intent, err)
}

// Close is API.
func (s service) Close(ctx context.Context, messageID string, in *CloseRequest) (*IntentAnswer, error) {
	as := cmp.Or(gateway.MessageState(in.Outcome), gateway.Failed)
	intent, err := s.gateway.Close(ctx, s.producer, messageID, in.Reason, as)
	return decided(intent, err)
}

// decided answers a decision on a held message.
func decided(intent *gateway.Intent, err error) (*IntentAnswer, error) {
	if invalid, ok := errors.AsType[*gateway.Invalid](err); ok {
		return nil, newProblem(codeDecision, "", findings(invalid.Problems)...).because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("decide on a message: %w", err)
	}
	return intentAnswer(intent), nil
}

// Events is API.
func (s service) Events(ctx context.Context, after int64, limit int) (*EventPage, error) {
	if limit == 0 {
		limit = defaultPage
	}
	events, err := s.gateway.Events(ctx, s.producer, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	page := &EventPage{Events: make([]FeedEvent, len(events)), Next: after}
	for n := range events {
		page.Events[n] = feedEvent(s.gateway, &events[n])
		page.Next = events[n].Seq
	}
	return page, nil
}

// UploadDocument is API.
func (s service) UploadDocument(ctx context.Context, filename string, body io.Reader) (*DocumentAnswer, error) {
	upload, err := s.gateway.Upload(ctx, s.producer, filename, body)
	if invalid, ok := errors.AsType[*gateway.Invalid](err); ok {
		return nil, newProblem(codeDocInvalid, "", findings(invalid.Problems)...).because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("store document: %w", err)
	}
	return &DocumentAnswer{ID: upload.ID, SHA256: upload.SHA256, Size: upload.Size}, nil
}
