package sf1606

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// Round is what one round did.
type Round struct {
	Listed   int // ids that were waiting
	Skipped  int // of them: left for later, after a failure or a refusal
	Accepted int // stored, receipt taken
	Refused  int // receipt of refusal taken
	Gone     int // answered 404: somebody else took it
	Failed   int // to be tried again
}

// Run makes rounds until ctx ends, whose cause it returns. After a round that brought something the next one comes at once,
// else after Interval; after an API that fails, later each time.
//
// The order for each message is: stored in the sink, receipt posted and taken, deleted. A crash in between repeats the
// rest: the message is fetched again, the sink knows it, and its receipt is posted again.
func (c *NgDP) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	failures := 0
	for {
		select {
		case <-timer.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		round, err := c.Poll(ctx)
		wait := c.cfg.Interval
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			failures++
			wait = c.later.backoff(failures)
			if status, ok := errors.AsType[*StatusError](err); ok {
				wait = max(wait, status.RetryAfter)
			}
			c.cfg.Logger.WarnContext(ctx, "round failed", "source", SourceNgDP, "failures", failures, "err", err)
		default:
			failures = 0
			switch {
			case round.Accepted > 0: // there may be more by now
				wait = 0
			case round.Failed > 0:
				wait = min(wait, c.later.next())
			}
		}
		timer.Reset(wait)
	}
}

// maxFailures is how many messages in a row may fail before the API is held for broken as a whole.
const maxFailures = 5

// Poll makes one round: it lists all waiting messages and takes each of them. A message that fails is counted and left
// alone for a while, so that the next round does not begin with it. The round ends with an error when the API as a whole
// refuses us (401, 403, 429, 503), or when several messages in a row fail otherwise.
func (c *NgDP) Poll(ctx context.Context) (Round, error) {
	ids, err := c.list(ctx)
	if err != nil {
		return Round{}, err
	}
	round := Round{Listed: len(ids)}
	ids = c.later.due(ids)
	round.Skipped = round.Listed - len(ids)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := &work{client: c, ids: ids, round: &round, cancel: cancel}
	var workers sync.WaitGroup
	for range min(c.cfg.Parallel, len(ids)) {
		workers.Go(func() { work.run(ctx) })
	}
	workers.Wait()
	return round, work.failure
}

// work is what the workers of a round share.
type work struct {
	client *NgDP
	cancel context.CancelCauseFunc

	mu       sync.Mutex
	ids      []string // not yet begun
	round    *Round
	failures int   // in a row
	failure  error // that ended the round
}

func (w *work) run(ctx context.Context) {
	for ctx.Err() == nil {
		id, ok := w.next()
		if !ok {
			return
		}
		done, err := w.client.take(ctx, id)
		w.done(done, err)
	}
}

func (w *work) next() (string, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.ids) == 0 {
		return "", false
	}
	id := w.ids[0]
	w.ids = w.ids[1:]
	return id, true
}

func (w *work) done(s step, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.round.add(s)
	if err == nil {
		w.failures = 0
		return
	}
	if w.failures++; w.failure == nil && (w.failures >= maxFailures || ofAll(err)) {
		w.failure = err
		w.cancel(err)
	}
}

// ofAll tells whether a failure is about us or the API, and not about one message.
func ofAll(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	if !ok {
		return false
	}
	switch status.Status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	default:
		return false
	}
}

// list collects the ids of all pages before anything is deleted, which would move them.
func (c *NgDP) list(ctx context.Context) ([]string, error) {
	var ids []string
	seen := map[string]bool{}
	for page := 0; len(ids) < c.cfg.MaxListed; page++ {
		some, err := c.Page(ctx, page)
		if err != nil {
			return nil, err
		}
		before := len(ids)
		for _, id := range some {
			if !seen[id] && len(ids) < c.cfg.MaxListed {
				seen[id] = true
				ids = append(ids, id)
			}
		}
		if len(ids) == before { // empty, or a page again: the API may give fewer than were asked for
			break
		}
	}
	return ids, nil
}

// step is what became of one message.
type step int

const (
	stepFailed step = iota
	stepAccepted
	stepRefused
	stepGone
)

func (r *Round) add(s step) {
	switch s {
	case stepFailed:
		r.Failed++
	case stepAccepted:
		r.Accepted++
	case stepRefused:
		r.Refused++
	case stepGone:
		r.Gone++
	}
}

// take brings one message home. An error may be about the API as a whole.
func (c *NgDP) take(ctx context.Context, id string) (step, error) {
	rcpt, refused, err := c.Fetch(ctx, id)
	if err != nil {
		return c.failed(ctx, id, err)
	}
	if refused != nil {
		c.cfg.Logger.WarnContext(ctx, "message refused", "source", SourceNgDP, "memoId", id, "code", refused.Code,
			"messageUUID", rcpt.MessageUUID, "err", refused.Cause)
		if refused.Temporary {
			c.later.failed(id)
			return stepFailed, nil
		}
	}
	if err := c.Answer(ctx, id, rcpt); err != nil {
		return c.failed(ctx, id, err)
	}
	if !rcpt.Positive() {
		c.later.rest(id)
		return stepRefused, nil
	}
	if c.cfg.KeepMemos {
		c.later.rest(id)
		return stepAccepted, nil
	}
	if err := c.Delete(ctx, id); err != nil {
		return c.failed(ctx, id, err)
	}
	c.later.done(id)
	return stepAccepted, nil
}

// failed leaves the message for later, and says whether the failure may be the API's. A message that is gone needs
// nothing more; one whose state or receipt the API does not take (400, 409, 422) fails alone.
func (c *NgDP) failed(ctx context.Context, id string, err error) (step, error) {
	status, ok := errors.AsType[*StatusError](err)
	if !ok {
		c.later.failed(id)
		return stepFailed, err
	}
	c.cfg.Logger.WarnContext(ctx, "message not taken", "source", SourceNgDP, "memoId", id, "op", status.Op, "status", status.Status)
	switch status.Status {
	case http.StatusNotFound, http.StatusGone:
		c.later.done(id)
		return stepGone, nil
	case http.StatusBadRequest, http.StatusConflict, http.StatusUnprocessableEntity:
		c.later.failed(id)
		return stepFailed, nil
	default:
		c.later.failed(id)
		return stepFailed, err
	}
}
