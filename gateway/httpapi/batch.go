package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// BatchLine is the answer to one line of a batch. The first answer of all has the id of the batch and nothing else; each
// of the others has a line and either the intent or a problem.
type BatchLine struct {
	Batch string `json:"batch,omitzero"`

	Line         int             `json:"line,omitzero"`   // from 1
	Status       int             `json:"status,omitzero"` // as POST /v1/intents would have answered: 202, 200, 409, 422, ...
	ID           string          `json:"id,omitzero"`
	IntentStatus string          `json:"intentStatus,omitzero"`
	Messages     []MessageAnswer `json:"messages,omitempty"`
	DiscardedBy  string          `json:"discardedBy,omitzero"`
	Problem      *Problem        `json:"problem,omitzero"`
}

// BatchSummary is the last answer line of a batch. Where it is missing, the answer is not whole.
type BatchSummary struct {
	Batch    string `json:"batch"`
	Lines    int    `json:"lines"`    // that were answered; empty ones are not
	Accepted int    `json:"accepted"` // 202
	Existing int    `json:"existing"` // 200
	Refused  int    `json:"refused"`  // the rest
}

// BatchView counts the intents of a batch. Lines, Accepted, Existing and Refused are those of its summary, and 0 before it
// has ended. Existing intents are counted by the batch that brought them.
type BatchView struct {
	ID        string         `json:"id"`
	CreatedAt time.Time      `json:"createdAt"`
	EndedAt   time.Time      `json:"endedAt,omitzero"` // absent while it is being read, and when it was cut off
	Lines     int            `json:"lines"`
	Accepted  int            `json:"accepted"`
	Existing  int            `json:"existing"`
	Refused   int            `json:"refused"`
	Statuses  map[string]int `json:"statuses"` // every status of an intent
}

// lists is what the server lends to requests that are lists.
type lists struct {
	most     int           // bytes of a line
	large    chan struct{} // one for every large body or line in memory
	patience time.Duration // most time for one line
	buffers  *buffers
}

func (l lists) reader(body io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(body, 64<<10), most: l.most, large: l.large, buffers: l.buffers}
}

// PostBatch is API.
func (s service) PostBatch(ctx context.Context, lines io.Reader, each func(BatchLine) error) (*BatchSummary, error) {
	in := s.lists.reader(lines)
	if _, err := in.in.Peek(1); err != nil && !errors.Is(err, io.EOF) { // a client may wait for "100 Continue"
		return nil, fmt.Errorf("read the batch: %w", err)
	}
	id, err := s.gateway.BeginBatch(ctx, s.producer)
	if err != nil {
		return nil, fmt.Errorf("begin a batch: %w", err)
	}
	if err := each(BatchLine{Batch: id}); err != nil {
		return nil, err
	}
	var n gateway.Tally
	err = inOrder(ctx, in, workers, func(ctx context.Context, l line) BatchLine {
		return s.batchLine(ctx, id, l)
	}, func(answer BatchLine) error {
		n.Lines++
		switch answer.Status {
		case http.StatusAccepted:
			n.Accepted++
		case http.StatusOK:
			n.Existing++
		default:
			n.Refused++
		}
		return each(answer)
	})
	if err != nil {
		return nil, fmt.Errorf("batch %s: %w", id, err)
	}
	// All lines were answered: that is written down even for a client that is gone by now.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.lists.patience)
	defer cancel()
	if err := s.gateway.EndBatch(ctx, id, n); err != nil {
		return nil, fmt.Errorf("end the batch: %w", err)
	}
	return &BatchSummary{Batch: id, Lines: n.Lines, Accepted: n.Accepted, Existing: n.Existing, Refused: n.Refused}, nil
}

// batchLine hands in the intent of one line.
func (s service) batchLine(ctx context.Context, batch string, l line) (answer BatchLine) {
	defer func() {
		if p := recover(); p != nil { // here it would end the process, not the request
			answer = BatchLine{Line: l.n, Status: http.StatusInternalServerError, Problem: panicked(p)}
		}
	}()
	intent, err := s.postLine(ctx, batch, l)
	if err != nil {
		p := problemOf(err)
		return BatchLine{Line: l.n, Status: p.Status, Problem: p}
	}
	answer = BatchLine{
		Line: l.n, Status: http.StatusAccepted, ID: intent.ID, IntentStatus: intent.Status, Messages: intent.Messages,
		DiscardedBy: intent.DiscardedBy,
	}
	if intent.Existing {
		answer.Status = http.StatusOK
	}
	return answer
}

func (s service) postLine(ctx context.Context, batch string, l line) (*IntentAnswer, error) {
	defer l.free()
	if l.err != nil {
		return nil, l.err
	}
	in, err := decode[IntentRequest](*l.body)
	if err != nil {
		return nil, err
	}
	draft, err := in.draft(s.producer)
	if err != nil {
		return nil, err
	}
	draft.Batch = batch
	if draft.Priority != "" && draft.Priority != gateway.Bulk {
		draft.Problems = append(draft.Problems, gateway.Problem{
			Pointer: "/send/priority", Code: "priority.batch", Detail: "The intents of a batch are bulk. Post an urgent one alone.",
		})
	}
	draft.Priority = gateway.Bulk
	ctx, cancel := context.WithTimeout(ctx, s.lists.patience)
	defer cancel()
	return s.accept(ctx, &draft)
}

// panicked makes an answer of a panic. Its value may hold anything; only the texts of the Go runtime are kept.
func panicked(v any) *Problem {
	cause := fmt.Errorf("panic: a value of type %T", v)
	if err, ok := v.(interface {
		error
		RuntimeError()
	}); ok {
		cause = fmt.Errorf("panic: %w", err)
	}
	return newProblem(codeInternal, "").because(cause)
}

// Batch is API.
func (s service) Batch(ctx context.Context, id string) (*BatchView, error) {
	b, err := s.gateway.Batch(ctx, s.producer, id)
	if err != nil {
		return nil, fmt.Errorf("read batch: %w", err)
	}
	view := &BatchView{
		ID: b.ID, CreatedAt: b.CreatedAt, EndedAt: b.EndedAt, Lines: b.Lines, Accepted: b.Accepted, Existing: b.Existing,
		Refused: b.Refused, Statuses: make(map[string]int),
	}
	for _, status := range gateway.IntentStatuses() {
		view.Statuses[string(status)] = b.Statuses[status]
	}
	return view, nil
}
