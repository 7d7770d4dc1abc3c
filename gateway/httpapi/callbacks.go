package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/brevdue/brevdue/gateway"
)

// CallbackView is how telling the producer of its events stands.
type CallbackView struct {
	Pending       int       `json:"pending"`                // events that wait to be told
	GivenUp       int       `json:"givenUp"`                // events that were given up and wait for a replay
	Delivered     int64     `json:"delivered"`              // tellings that the receiver confirmed, replays included
	OldestPending time.Time `json:"oldestPending,omitzero"` // when the oldest pending event happened
	DeliveredAt   time.Time `json:"deliveredAt,omitzero"`   // last confirmed telling
	LastFailure   Failure   `json:"lastFailure,omitzero"`   // absent: there was none
}

// Failure is what was wrong with an attempt.
type Failure struct {
	Time       time.Time `json:"time"`
	Failure    string    `json:"failure"`             // a fixed word
	HTTPStatus int       `json:"httpStatus,omitzero"` // absent: there was no answer
}

// ReplayAnswer is what POST /v1/callbacks/replay answers.
type ReplayAnswer struct {
	Replayed int `json:"replayed"` // events that are pending now and were not before
}

// EventJSON returns the function that writes an event as the events feed shows it, for callbacks to tell the same.
func EventJSON(g interface {
	Explain(code string) (gateway.ErrorCode, bool)
},
) func(e *gateway.Event) ([]byte, error) {
	return func(e *gateway.Event) ([]byte, error) {
		event := feedEvent(g, e)
		body, err := json.Marshal(&event)
		if err != nil {
			return nil, fmt.Errorf("write event %d: %w", e.Seq, err)
		}
		return body, nil
	}
}

// Callbacks is API.
func (s service) Callbacks(ctx context.Context) (*CallbackView, error) {
	stats, err := s.gateway.Callbacks(ctx, s.producer)
	if err != nil {
		return nil, fmt.Errorf("read callbacks: %w", err)
	}
	return &CallbackView{
		Pending: stats.Pending, GivenUp: stats.GivenUp, Delivered: stats.Delivered, OldestPending: stats.OldestPending,
		DeliveredAt: stats.DeliveredAt,
		LastFailure: Failure{Time: stats.FailedAt, Failure: stats.Failure, HTTPStatus: stats.HTTPStatus},
	}, nil
}

// Replay is API.
func (s service) Replay(ctx context.Context, from, to int64) (*ReplayAnswer, error) {
	count, err := s.gateway.Replay(ctx, s.producer, from, to)
	if err != nil {
		return nil, fmt.Errorf("replay callbacks: %w", err)
	}
	return &ReplayAnswer{Replayed: count}, nil
}

func getCallbacks(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	if _, err := query(r); err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	view, err := api.Callbacks(ctx)
	return http.StatusOK, view, err
}

func replayCallbacks(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	values, err := query(r, "from", "to")
	if err != nil {
		return 0, nil, err
	}
	if values.Get("from") == "" {
		return 0, nil, queryProblem("from", "Name the cursor to begin after; 0 is the beginning.")
	}
	from, err := number(values, "from", 0, 1<<62, 0)
	if err != nil {
		return 0, nil, err
	}
	to, err := number(values, "to", max(from, 1), 1<<62, 0)
	if err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	answer, err := api.Replay(ctx, from, to)
	return http.StatusAccepted, answer, err
}

// Callbacks is API.
func (c *Client) Callbacks(ctx context.Context) (*CallbackView, error) {
	answer, _, err := call[CallbackView](ctx, c, http.MethodGet, "/v1/callbacks", nil, nil, "")
	return answer, err
}

// Replay is API.
func (c *Client) Replay(ctx context.Context, from, to int64) (*ReplayAnswer, error) {
	values := url.Values{"from": {"0"}}
	setNumber(values, "from", from)
	setNumber(values, "to", to)
	answer, _, err := call[ReplayAnswer](ctx, c, http.MethodPost, "/v1/callbacks/replay", values, nil, "")
	return answer, err
}
