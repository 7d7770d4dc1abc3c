package retention

import (
	"context"
	"fmt"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

const (
	// exhibitsMark is how far kept requests were looked at.
	exhibitsMark = "retention.exhibits"
	// exhibitsAgain is how far before that they are looked at once more: an attempt keeps its request after it was booked.
	exhibitsAgain = 48 * time.Hour
	exhibitsPage  = 200
)

// removeDocuments removes from the store what nothing names any more. First it notes what the kept requests name that came
// since the last time. One that comes later names what was put just before, which is too young to be removed.
func (w *run) removeDocuments(ctx context.Context) error {
	noted := false
	return w.documents(ctx, w.at, func(names []string) error {
		if !noted {
			if err := w.noteExhibits(ctx); err != nil {
				return err
			}
			noted = true
		}
		for _, name := range names {
			if err := w.lease(ctx); err != nil {
				return err
			}
			if err := w.removeDocument(ctx, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *run) removeDocument(ctx context.Context, name string) error {
	before := w.at.Add(-w.cfg.Grace)
	free := false
	err := w.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		if err := tx.HoldLease(leaseName, w.fence); err != nil {
			return err
		}
		var err error
		free, err = tx.LetGo(name, before)
		return err
	})
	if err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	if !free {
		return nil
	}
	removed, err := w.cfg.Documents.Remove(ctx, name, before)
	if err != nil {
		if !alone(ctx, err) {
			return fmt.Errorf("retention: %w", err)
		}
		w.report.Failed++
		w.log.ErrorContext(ctx, "a document could not be removed, the next run tries again", "sha256", name, "error", err)
		return nil
	}
	if !removed { // it was put again meanwhile
		return nil
	}
	if err := w.cfg.Journal.Update(ctx, func(tx gateway.Tx) error { return tx.Removed(name) }); err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	w.report.Removed++
	return w.pace(ctx, 1)
}

// noteExhibits notes the documents that kept requests name.
func (w *run) noteExhibits(ctx context.Context) error {
	began := w.now()
	mark, err := w.cfg.Journal.Mark(ctx, exhibitsMark)
	if err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	since := mark.At
	if !since.IsZero() {
		since = since.Add(-exhibitsAgain)
	}
	for after := ""; ; {
		if err := w.lease(ctx); err != nil {
			return err
		}
		page, err := w.cfg.Journal.ExhibitsAfter(ctx, since, after, exhibitsPage)
		if err != nil {
			return fmt.Errorf("retention: %w", err)
		}
		if len(page) == 0 {
			break
		}
		if err := w.note(ctx, page); err != nil {
			return err
		}
		after = page[len(page)-1].AttemptID
	}
	err = w.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		return tx.SaveMark(gateway.Mark{Name: exhibitsMark, At: began})
	})
	if err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	return nil
}

// note stores what a page of kept requests names. One that cannot be read might name anything: then no document is removed.
func (w *run) note(ctx context.Context, page []gateway.StoredExhibit) error {
	names := make(map[int64][]string, len(page))
	for _, e := range page {
		documents, err := gateway.SkeletonDocuments(e.Skeleton)
		if err != nil {
			return fmt.Errorf("retention: the request kept with %s: %w", e.AttemptID, err)
		}
		if len(documents) > 0 {
			names[e.ID] = documents
		}
	}
	if len(names) == 0 {
		return nil
	}
	err := w.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		if err := tx.HoldLease(leaseName, w.fence); err != nil {
			return err
		}
		for id, documents := range names {
			if err := tx.NameDocuments(id, documents); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("retention: %w", err)
	}
	return nil
}
