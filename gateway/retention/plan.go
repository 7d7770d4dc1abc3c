package retention

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// planPage is how many rows a plan reads at a time.
const planPage = 500

// Plan counts what a run would erase now. It changes nothing.
func (r *Runner) Plan(ctx context.Context) (*Report, error) {
	at, report := r.now(), new(Report)
	subjects, err := r.subjects(ctx)
	if err != nil {
		return nil, err
	}
	holds, err := r.cfg.Journal.Holds(ctx, false)
	if err != nil {
		return nil, fmt.Errorf("retention: %w", err)
	}
	for n := range subjects {
		if err := r.plan(ctx, &subjects[n], at, len(holds) > 0, report); err != nil {
			return nil, err
		}
	}
	if err := r.planUploads(ctx, at, report); err != nil {
		return nil, err
	}
	return report, r.planDocuments(ctx, at, report)
}

// plan counts, for what stands at each stage, all the stages that are due for it.
func (r *Runner) plan(ctx context.Context, s *subject, at time.Time, mayBeHeld bool, report *Report) error {
	for _, first := range gateway.Stages() {
		err := r.pages(ctx, s, first, at, planPage, func(page []gateway.Erasable) error {
			for _, e := range page {
				held := false
				if mayBeHeld {
					var err error
					if held, err = r.cfg.Journal.Held(ctx, s.kind(), e.ID); err != nil {
						return fmt.Errorf("retention: %w", err)
					}
				}
				s.count(e, first, at, held, report)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// count counts the stages that are due for one thing, from the first on. What is held stops at that one.
func (s *subject) count(e gateway.Erasable, first gateway.Stage, at time.Time, held bool, report *Report) {
	for stage := first; stage <= gateway.EraseIdentifiers; stage++ {
		period := s.periods.Of(stage)
		if period == 0 || e.FinalAt.After(at.Add(-period)) {
			return
		}
		report.add(s.name, stage, e.FinalAt, held)
		if held {
			return
		}
	}
}

func (r *Runner) planUploads(ctx context.Context, at time.Time, report *Report) error {
	return r.uploads(ctx, at, planPage, func(page []gateway.Erasable) error {
		report.Uploads += len(page)
		return nil
	})
}

// uploads calls do with page after page of the uploads that are due.
func (r *Runner) uploads(ctx context.Context, at time.Time, limit int, do func(page []gateway.Erasable) error) error {
	if r.cfg.Policy.Uploads == 0 {
		return nil
	}
	var after gateway.ErasableCursor
	for {
		page, err := r.cfg.Journal.ErasableUploads(ctx, at.Add(-r.cfg.Policy.Uploads), after, limit)
		if err != nil {
			return fmt.Errorf("retention: %w", err)
		}
		if len(page) == 0 {
			return nil
		}
		if err := do(page); err != nil {
			return err
		}
		last := page[len(page)-1]
		after = gateway.ErasableCursor{FinalAt: last.FinalAt, ID: last.ID}
	}
}

func (r *Runner) planDocuments(ctx context.Context, at time.Time, report *Report) error {
	return r.documents(ctx, at, func(names []string) error {
		report.Removed += len(names)
		return nil
	})
}

// documents calls do with page after page of the documents that may leave the store.
func (r *Runner) documents(ctx context.Context, at time.Time, do func(names []string) error) error {
	if r.cfg.Documents == nil {
		return nil
	}
	after := ""
	for {
		names, err := r.cfg.Journal.LettingGo(ctx, at.Add(-r.cfg.Grace), after, planPage)
		if err != nil {
			return fmt.Errorf("retention: %w", err)
		}
		if len(names) == 0 {
			return nil
		}
		if err := do(names); err != nil {
			return err
		}
		after = names[len(names)-1]
	}
}

// expected reports whether an error of erasing one thing leaves the others alone.
func expected(err error) bool {
	return errors.Is(err, gateway.ErrLegalHold) || errors.Is(err, gateway.ErrNotDue) || errors.Is(err, gateway.ErrNotFound)
}
