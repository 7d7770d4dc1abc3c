package demo

import (
	"context"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/brevdue/brevdue/gateway/httpapi"
)

// poll is how often the event feed is read. The feed is a cursor, so nothing is missed in between.
const poll = 100 * time.Millisecond

// play posts the samples, prints what happens to them, and judges how they ended.
func (s *stage) play(ctx context.Context) error {
	began := time.Now()
	s.samples = makeSamples(began)
	cursor, err := s.newest(ctx)
	if err != nil {
		return err
	}
	for n := range s.samples {
		if err := s.post(ctx, &s.samples[n]); err != nil {
			return fmt.Errorf("sample %q: %w", s.samples[n].what, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if err := s.follow(ctx, began, cursor); err != nil && ctx.Err() == nil {
		return err
	}
	return s.judge()
}

// newest skips what earlier demos in the same folder have left in the feed.
func (s *stage) newest(ctx context.Context) (int64, error) {
	var cursor int64
	for {
		page, err := s.client.Events(ctx, cursor, 500)
		if err != nil {
			return 0, fmt.Errorf("read the event feed: %w", err)
		}
		if len(page.Events) == 0 {
			return cursor, nil
		}
		cursor = page.Next
	}
}

func (s *stage) post(ctx context.Context, sample *sample) error {
	answer, err := s.client.PostIntent(ctx, &sample.request)
	if err != nil {
		return err
	}
	sample.id, sample.status = answer.ID, answer.Status
	if !sample.cancel {
		return nil
	}
	_, err = s.client.Cancel(ctx, sample.id)
	return err
}

// follow prints events until every sample is final.
func (s *stage) follow(ctx context.Context, began time.Time, cursor int64) error {
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for !s.finished() {
		page, err := s.client.Events(ctx, cursor, 500)
		if err != nil {
			return fmt.Errorf("read the event feed: %w", err)
		}
		for _, e := range page.Events {
			s.show(began, &e)
		}
		cursor = page.Next
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

func (s *stage) show(began time.Time, e *httpapi.FeedEvent) {
	n := slices.IndexFunc(s.samples, func(x sample) bool { return x.id == e.Intent })
	if n < 0 {
		return
	}
	sample := &s.samples[n]
	sample.status, sample.took = e.IntentStatus, e.Time.Sub(began)
	status, rest := e.Status, e.Code
	if e.Inbound != "" {
		status, rest = "answered", "case "+e.CaseID
		if e.CaseID == sample.request.Content.Case.ID {
			sample.answer = e.Inbound
		}
	}
	fmt.Fprintf(s.out, "%6.2fs  %-40s %-10s %s\n", sample.took.Seconds(), sample.what, status, rest)
}

// finished reports whether every sample is where it should be. One that ended elsewhere is waited for as long as patience
// lasts, since a later status may still move it: a printed letter is delivered before it comes back.
func (s *stage) finished() bool {
	return !slices.ContainsFunc(s.samples, func(x sample) bool { return !x.asExpected() })
}

// asExpected reports whether a sample is where its recipient should bring it.
func (x *sample) asExpected() bool { return x.status == x.expected && x.answered == (x.answer != "") }

// judge prints the table and says whether every sample ended as expected.
func (s *stage) judge() error {
	fmt.Fprintln(s.out)
	table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "SAMPLE\tEXPECTED\tSTATUS\tAFTER\t")
	wrong := 0
	for _, x := range s.samples {
		verdict := "ok"
		if !x.asExpected() {
			verdict, wrong = "NOT AS EXPECTED", wrong+1
		}
		expected, status := x.expected, x.status
		if x.answered {
			expected += ", answered"
		}
		if x.answer != "" {
			status += ", answered"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%.2fs\t%s\n", x.what, expected, status, x.took.Seconds(), verdict)
	}
	if err := table.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	if wrong > 0 {
		return fmt.Errorf("%w: %d of %d", ErrUnexpected, wrong, len(s.samples))
	}
	return nil
}
