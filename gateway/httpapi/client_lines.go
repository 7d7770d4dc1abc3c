package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"
)

// maxAnswerLine is the most bytes of one line of an answer that a Client reads.
const maxAnswerLine = 4 << 20

// ErrCutOff says that an answer of lines ended before its last one. What was accepted is: post the same lines again.
var ErrCutOff = errors.New("the answer ended before its last line")

// PostBatch is API. The lines are streamed, and the answers given to each as they come.
func (c *Client) PostBatch(ctx context.Context, lines io.Reader, each func(BatchLine) error) (*BatchSummary, error) {
	type answer struct {
		BatchLine
		Lines    *int `json:"lines"` // only the summary has it
		Accepted int  `json:"accepted"`
		Existing int  `json:"existing"`
		Refused  int  `json:"refused"`
	}
	var summary *BatchSummary
	err := streamLines(ctx, c, "/v1/batches", nil, lines, func(a *answer) error {
		if a.Lines != nil {
			summary = &BatchSummary{Batch: a.Batch, Lines: *a.Lines, Accepted: a.Accepted, Existing: a.Existing, Refused: a.Refused}
			return nil
		}
		return each(a.BatchLine)
	})
	if err == nil && summary == nil {
		err = ErrCutOff
	}
	if err != nil {
		return nil, fmt.Errorf("post a batch: %w", err)
	}
	return summary, nil
}

// Wash is API. The lines are streamed, and the answers given to each as they come.
func (c *Client) Wash(ctx context.Context, lines io.Reader, each func(WashLine) error) error {
	err := streamLines(ctx, c, "/v1/registrations/wash", nil, lines, func(a *WashLine) error { return each(*a) })
	if err != nil {
		return fmt.Errorf("look up registrations: %w", err)
	}
	return nil
}

// streamLines posts lines and gives every line of the answer to each.
func streamLines[T any](ctx context.Context, c *Client, path string, q url.Values, lines io.Reader, each func(*T) error) error {
	ctx, cancel := context.WithCancel(ctx) // ends the sending when the answer has ended
	defer cancel()
	resp, err := c.send(ctx, http.MethodPost, path, q, lines, mediaLines, mediaLines)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		content, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		return problemFrom(resp, content)
	}
	scanner := bufio.NewScanner(resp.Body)
	scanner.Buffer(make([]byte, 0, 64<<10), maxAnswerLine)
	for scanner.Scan() {
		answer := new(T)
		if err := json.Unmarshal(scanner.Bytes(), answer); err != nil {
			return fmt.Errorf("the answer is not of this API: %w", err)
		}
		if err := each(answer); err != nil {
			return err
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrCutOff, err)
	}
	return nil
}
