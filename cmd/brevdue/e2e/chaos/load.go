package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

const (
	clients    = 16
	batchEvery = 10 // of so many portions of letters one is a batch
	portion    = 10 // letters of a portion
)

// load is what the producers do.
type load struct {
	place   *place
	seed    uint64
	count   int
	pace    time.Duration // between two letters
	run     string        // begins every reference
	posted  atomic.Int64  // accepted
	handled atomic.Int64  // accepted or refused
	retries atomic.Int64
	cancels sync.WaitGroup

	mu      sync.Mutex
	letters map[string]*letter // by reference
	errs    []error
}

// post hands in every letter, a batch for some portions, each as often as it takes.
func (l *load) post(ctx context.Context) error {
	portions := make(chan int)
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for n := range portions {
				if err := l.portion(ctx, n); err != nil {
					l.fail(err)
				}
			}
		})
	}
	tick := time.NewTicker(l.pace * portion)
	defer tick.Stop()
	for n := range l.count / portion {
		select {
		case portions <- n:
		case <-ctx.Done():
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	close(portions)
	group.Wait()
	l.cancels.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(append(l.errs, ctx.Err())...)
}

func (l *load) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.errs = append(l.errs, err)
}

func (l *load) portion(ctx context.Context, n int) error {
	list := make([]*letter, portion)
	for i := range list {
		list[i] = newLetter(l.seed, n*portion+i, l.run, time.Now(), l.place.opening)
	}
	l.mu.Lock()
	for _, one := range list {
		l.letters[one.reference] = one
	}
	l.mu.Unlock()
	if n%batchEvery == batchEvery-1 {
		for _, one := range list {
			one.request.Send.Priority = "" // a batch is bulk
		}
		return l.batch(ctx, list)
	}
	for _, one := range list {
		if err := l.single(ctx, one); err != nil {
			l.fail(err)
		}
	}
	return nil
}

// single posts a letter until there is an answer. No answer means nothing: the intent may have been stored or not.
func (l *load) single(ctx context.Context, one *letter) error {
	turn := 0
	return harness.Poll(ctx, 50*time.Millisecond, func() (bool, error) {
		turn++
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		answer, err := l.place.client(turn+int(l.posted.Load())).PostIntent(attempt, one.request)
		if err != nil {
			l.retries.Add(1)
			return l.turnedDown(one, refused(one.reference, err))
		}
		return true, l.accepted(ctx, one, answer.ID, answer.Existing)
	})
}

// refused keeps the errors that a client should not try again.
func refused(reference string, err error) error {
	var p *httpapi.Problem
	if !errors.As(err, &p) || p.Status >= 500 || p.Status == http.StatusTooManyRequests {
		return nil
	}
	return violation{reference + " was refused", err}
}

// turnedDown ends the posting of a letter that was refused. That is well if its time went by before it could be accepted.
func (l *load) turnedDown(one *letter, err error) (bool, error) {
	if err == nil {
		return false, nil
	}
	l.handled.Add(1)
	l.mu.Lock()
	defer l.mu.Unlock()
	one.refused = true
	if tooLate(err) {
		return true, nil
	}
	return false, err
}

// tooLate reports whether nothing but its times was wrong with an intent.
func tooLate(err error) bool {
	var p *httpapi.Problem
	return errors.As(err, &p) && len(p.Errors) > 0 && !slices.ContainsFunc(p.Errors, func(f httpapi.Finding) bool {
		return !strings.HasPrefix(f.Code, "time.")
	})
}

// accepted notes the id of an intent; it must be the same on every answer.
func (l *load) accepted(ctx context.Context, one *letter, id string, existing bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one.id != "" {
		if one.id != id {
			return violated("%s was answered as %s and as %s", one.reference, one.id, id)
		}
		return nil
	}
	one.id = id
	if existing {
		one.again++
	}
	l.posted.Add(1)
	l.handled.Add(1)
	if one.cancel > 0 {
		l.cancels.Go(func() {
			if err := l.withdraw(ctx, one); err != nil {
				l.fail(err)
			}
		})
	}
	return nil
}

// batch posts letters as lines until every line has been answered.
func (l *load) batch(ctx context.Context, list []*letter) error {
	var lines bytes.Buffer
	for _, one := range list {
		text, err := json.Marshal(one.request)
		if err != nil {
			return fmt.Errorf("line: %w", err)
		}
		lines.Write(append(text, '\n'))
	}
	turn := 0
	return harness.Poll(ctx, 100*time.Millisecond, func() (bool, error) {
		attempt, cancel := context.WithTimeout(ctx, 20*time.Second)
		defer cancel()
		turn++
		good, wrong := 0, error(nil)
		_, err := l.place.client(turn).PostBatch(attempt, bytes.NewReader(lines.Bytes()), func(b httpapi.BatchLine) error {
			if b.Line < 1 || b.Line > len(list) {
				return nil
			}
			one := list[b.Line-1]
			switch {
			case b.Status == http.StatusOK || b.Status == http.StatusAccepted:
				good++
				wrong = errors.Join(wrong, l.accepted(ctx, one, b.ID, b.Status == http.StatusOK))
			case b.Status < 500 && b.Problem != nil && !one.refused:
				over, err := l.turnedDown(one, refused(one.reference, b.Problem))
				wrong = errors.Join(wrong, err)
				if over {
					good++
				}
			}
			return nil
		})
		if wrong != nil {
			return false, wrong
		}
		if err != nil {
			l.retries.Add(1)
			return false, refused("a batch", err)
		}
		return good == len(list), nil
	})
}

// withdraw cancels a letter after its time, until the gateway has said yes or no.
func (l *load) withdraw(ctx context.Context, one *letter) error {
	harness.Pause(ctx, one.cancel)
	turn := 0
	return harness.Poll(ctx, 50*time.Millisecond, func() (bool, error) {
		turn++
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		answer, err := l.place.client(turn).Cancel(attempt, one.id)
		var p *httpapi.Problem
		switch {
		case errors.As(err, &p) && p.Status == http.StatusConflict:
			return true, nil // too late
		case err != nil:
			return false, refused(one.reference, err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		one.cancelled = time.Now()
		for _, m := range answer.Messages {
			if m.Status == "cancelled" {
				one.withdrawn = append(one.withdrawn, m.ID)
			}
		}
		return true, nil
	})
}
