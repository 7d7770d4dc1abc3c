package retention

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Run erases everything that is due and returns what it did, also when it was cut off by an error or the end of ctx: then the
// next run goes on. gateway.ErrLeased when another process erases just now.
func (r *Runner) Run(ctx context.Context, by Actor) (*Report, error) {
	w := &run{Runner: r, by: by, at: r.now(), report: new(Report)}
	if err := w.lease(ctx); err != nil {
		return w.report, err
	}
	err := w.erase(ctx)
	return w.report, errors.Join(err, w.end(context.WithoutCancel(ctx)))
}

// run is one run.
type run struct {
	*Runner

	by     Actor
	at     time.Time // what is due is due at this time
	fence  int64
	until  time.Time // end of the lease
	report *Report
}

// lease takes the lease, or keeps it when half of its time is over.
func (w *run) lease(ctx context.Context) error {
	now := w.now()
	if w.until.Sub(now) > leaseFor/2 {
		return nil
	}
	until := now.Add(leaseFor)
	var fence int64
	err := w.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		var err error
		fence, err = tx.TakeLease(leaseName, w.cfg.Worker, now, until)
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("retention: %w", err)
	case w.fence != 0 && fence != w.fence:
		return fmt.Errorf("retention: %w", gateway.ErrLeased)
	}
	w.fence, w.until = fence, until
	return nil
}

// end gives the lease back and writes down what the run came to.
func (w *run) end(ctx context.Context) error {
	erased, held := 0, 0
	for _, l := range w.report.Lines {
		erased, held = erased+l.Erased, held+l.Held
	}
	err := w.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		if err := tx.HoldLease(leaseName, w.fence); err != nil {
			return err
		}
		now := w.now()
		if _, err := tx.TakeLease(leaseName, w.cfg.Worker, now, now); err != nil {
			return err
		}
		return w.cfg.Trail.In(tx, &gateway.AuditEntry{
			Who: w.by.Who, How: w.by.How, Action: "retention.run", Reason: w.by.Reason,
			Object: fmt.Sprintf("erased=%d held=%d uploads=%d documents=%d failed=%d", erased, held, w.report.Uploads, w.report.Removed,
				w.report.Failed),
		})
	})
	if err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	return nil
}

func (w *run) erase(ctx context.Context) error {
	subjects, err := w.subjects(ctx)
	if err != nil {
		return err
	}
	for _, stage := range gateway.Stages() {
		for n := range subjects {
			s := &subjects[n]
			if err := w.pages(ctx, s, stage, w.at, pageSize, func(page []gateway.Erasable) error {
				return w.erasePage(ctx, s, stage, page)
			}); err != nil {
				return err
			}
		}
	}
	if err := w.eraseUploads(ctx); err != nil {
		return err
	}
	return w.removeDocuments(ctx)
}

// outcome is what became of one thing of a page.
type outcome int

const (
	done outcome = iota
	held
	passedBy // it changed since it was read
)

// erasePage erases a page in one transaction. When that fails, each thing is tried alone, so that one that cannot be erased
// keeps no other.
func (w *run) erasePage(ctx context.Context, s *subject, stage gateway.Stage, page []gateway.Erasable) error {
	if err := w.lease(ctx); err != nil {
		return err
	}
	outcomes, err := w.eraseAll(ctx, s, stage, page)
	if err != nil && len(page) > 1 && alone(ctx, err) {
		for n := range page {
			if err := w.erasePage(ctx, s, stage, page[n:n+1]); err != nil {
				return err
			}
		}
		return nil
	}
	if err != nil && alone(ctx, err) {
		w.report.Failed++
		w.log.ErrorContext(ctx, "could not be erased, the next run tries again", "id", page[0].ID, "stage", stage.String(), "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	for n, o := range outcomes {
		if o != passedBy {
			w.report.add(s.name, stage, page[n].FinalAt, o == held)
		}
	}
	return w.pace(ctx, len(page))
}

// alone reports whether an error may be that of one thing.
func alone(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !errors.Is(err, gateway.ErrLeased) && !errors.Is(err, gateway.ErrUnavailable)
}

func (w *run) eraseAll(ctx context.Context, s *subject, stage gateway.Stage, page []gateway.Erasable) ([]outcome, error) {
	outcomes := make([]outcome, len(page))
	before := w.at.Add(-s.periods.Of(stage))
	err := w.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		if err := tx.HoldLease(leaseName, w.fence); err != nil {
			return err
		}
		count := 0
		for n, e := range page {
			erase := tx.EraseIntent
			if s.sender == "" {
				erase = tx.ErasePost
			}
			err := erase(e.ID, stage, before, w.now())
			switch {
			case err == nil:
				outcomes[n] = done
				count++
			case errors.Is(err, gateway.ErrLegalHold):
				outcomes[n] = held
			case expected(err):
				outcomes[n] = passedBy
			default:
				return err
			}
		}
		if count == 0 {
			return nil
		}
		return w.cfg.Trail.In(tx, &gateway.AuditEntry{
			Who: w.by.Who, How: w.by.How, Action: "retention.erase",
			Object: fmt.Sprintf("%s %s %d %s..%s", stage, s.name, count, page[0].ID, page[len(page)-1].ID),
		})
	})
	if err != nil {
		return nil, fmt.Errorf("retention: %w", err)
	}
	return outcomes, nil
}

func (w *run) eraseUploads(ctx context.Context) error {
	return w.uploads(ctx, w.at, pageSize, func(page []gateway.Erasable) error {
		if err := w.lease(ctx); err != nil {
			return err
		}
		count := 0
		err := w.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
			count = 0
			if err := tx.HoldLease(leaseName, w.fence); err != nil {
				return err
			}
			for _, e := range page {
				err := tx.EraseUpload(e.ID, w.at.Add(-w.cfg.Policy.Uploads), w.now())
				if expected(err) {
					continue
				}
				if err != nil {
					return err
				}
				count++
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("retention: %w", err)
		}
		w.report.Uploads += count
		return w.pace(ctx, len(page))
	})
}

// pace waits as long as erasing n things may take.
func (w *run) pace(ctx context.Context, n int) error {
	if w.cfg.Rate < 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(time.Duration(n) * time.Second / time.Duration(w.cfg.Rate))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
