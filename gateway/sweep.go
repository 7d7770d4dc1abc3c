package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// The pace of repair.
const (
	// DeadAfter is how long a worker may be silent before its open attempts are taken from it. Beat must run several
	// times in it.
	DeadAfter = 20 * time.Second
	// dueGrace is how long a due message may wait for a worker before the sweep looks whether the queue has it.
	dueGrace = 5 * time.Second
	// lostAfter is how long an attempt of this very process that it is not sending may be open before it is taken for lost.
	// By then nobody asks any more what became of its booking.
	lostAfter = time.Minute
	sweepPage = 500
	// ages is longer than any letter waits for its time.
	ages = 100 * 365 * 24 * time.Hour
)

// SweepResult counts what a sweep repaired.
type SweepResult struct {
	Abandoned int // attempts of dead workers that were closed, and of this one that it lost
	Requeued  int // due messages offered to the queue again
	Rematched int // receipts taken out of quarantine
	Overdue   int // messages noted as overdue
	Forgot    bool
}

// Beat tells the other processes that this worker lives. Call it every few seconds, well within DeadAfter.
func (g *Gateway) Beat(ctx context.Context) error {
	return g.journal.Update(ctx, func(tx Tx) error { return tx.Seen(g.worker, g.now()) })
}

// Leave tells the other processes that this worker stopped of its own will and has no open attempt.
func (g *Gateway) Leave(ctx context.Context) error {
	return g.journal.Update(ctx, func(tx Tx) error { return tx.Gone(g.worker) })
}

// Sweep repairs what crashes and lost queues leave behind. Any process may call it at any time; every step is safe to
// repeat. It goes on after an error of one step and returns all errors together. The quarantine and the overdue messages
// are looked at once a minute, however often it is called.
func (g *Gateway) Sweep(ctx context.Context) (SweepResult, error) {
	var r SweepResult
	var errs [4]error
	r.Abandoned, errs[0] = g.closeAbandoned(ctx)
	r.Requeued, r.Forgot, errs[1] = g.requeue(ctx)
	if g.watch.mu.TryLock() {
		defer g.watch.mu.Unlock()
		if now := g.now(); !now.Before(g.watch.due) {
			g.watch.due = now.Add(watchEvery)
			r.Rematched, errs[2] = g.rematch(ctx)
			r.Overdue, errs[3] = g.watchOverdue(ctx)
		}
	}
	return r, errors.Join(errs[:]...)
}

// closeAbandoned ends the attempts of workers that died while sending, and those of this one that it is not sending.
func (g *Gateway) closeAbandoned(ctx context.Context) (int, error) {
	dead, err := g.closeDead(ctx)
	if err != nil {
		return dead, err
	}
	lost, err := g.closeLost(ctx)
	return dead + lost, err
}

// closeLost ends the attempts of this process that are open in the journal and that nobody here is sending. No time tells that
// of one that is sent: the machine may have slept.
func (g *Gateway) closeLost(ctx context.Context) (int, error) {
	closed, before := 0, g.now().Add(-lostAfter)
	for after := ""; ; {
		attempts, err := g.journal.OpenAttempts(ctx, g.worker, before, after, sweepPage)
		if err != nil {
			return closed, fmt.Errorf("find lost attempts: %w", err)
		}
		for n := range attempts {
			after = attempts[n].ID
			if g.flights.has(after) {
				continue
			}
			switch err := g.abandon(ctx, &attempts[n]); {
			case errors.Is(err, ErrStale): // it was recorded just now
			case err != nil:
				return closed, fmt.Errorf("close attempt %s: %w", after, err)
			default:
				closed++
			}
		}
		if len(attempts) < sweepPage {
			return closed, nil
		}
	}
}

// closeDead ends the attempts of workers that died while sending.
func (g *Gateway) closeDead(ctx context.Context) (int, error) {
	attempts, err := g.journal.Abandoned(ctx, g.now().Add(-DeadAfter), sweepPage)
	if err != nil {
		return 0, fmt.Errorf("find abandoned attempts: %w", err)
	}
	closed := 0
	for n := range attempts {
		if attempts[n].Worker == g.worker {
			continue // this process lives, however long its heart stood still; see closeLost
		}
		switch err := g.abandon(ctx, &attempts[n]); {
		case errors.Is(err, ErrStale): // another process was faster
		case err != nil:
			return closed, fmt.Errorf("close attempt %s: %w", attempts[n].ID, err)
		default:
			closed++
		}
	}
	return closed, nil
}

// abandon closes one attempt whose worker died, or lost it. A channel that keeps evidence first and kept none cannot have sent
// anything; everything else may have been accepted.
func (g *Gateway) abandon(ctx context.Context, a *Attempt) error {
	var follow DueMessage
	err := g.journal.Update(ctx, func(tx Tx) error {
		m, err := tx.Message(a.MessageID)
		if err != nil {
			return notFound(err, "message", a.MessageID)
		}
		head, err := tx.IntentHead(m.IntentID)
		if err != nil {
			return notFound(err, "intent", m.IntentID)
		}
		who := "The worker died"
		if a.Worker == g.worker {
			who = "The journal failed the worker"
		}
		o := Outcome{Class: Unknown, Code: "worker.died", Text: who + " while it was sending."}
		if w, ok := g.channels[m.Channel].(Witness); ok && w.Witnesses() && a.Digest == nil {
			o = Outcome{Class: Retry, Code: "worker.died", Text: who + " before anything was sent."}
		}
		end := *a
		end.EndedAt, end.Class, end.Code, end.Text = g.now(), o.Class, o.Code, o.Text
		if err := tx.CloseAttempt(&end); err != nil {
			return err
		}
		if m.State != Sending {
			return nil
		}
		_, _, err = g.apply(tx, head, m, &end, o)
		follow = m.due()
		return err
	})
	if err != nil || follow.ID == "" {
		return err
	}
	g.log.WarnContext(ctx, "took over an abandoned attempt", "attempt", a.ID, "message", a.MessageID, "worker", a.Worker)
	return g.queue.Ensure(ctx, follow)
}

// requeue offers due messages to the queue again: all of them when the queue has lost its memory, otherwise the oldest
// page of those that have waited longer than a worker should take.
func (g *Gateway) requeue(ctx context.Context) (int, bool, error) {
	forgot, err := g.queue.Forgot(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("ask the queue: %w", err)
	}
	before := g.now().Add(-dueGrace)
	if forgot {
		before = g.now().Add(ages) // what is not due yet comes back, too, to wait there
		g.log.InfoContext(ctx, "the queue is new or has lost its memory; filling it from the journal")
	}
	count := 0
	for cursor := (DueCursor{}); ; {
		page, err := g.journal.Due(ctx, before, cursor, sweepPage)
		if err != nil {
			return count, forgot, fmt.Errorf("find due messages: %w", err)
		}
		for _, m := range page {
			if err := g.queue.Ensure(ctx, m); err != nil {
				return count, forgot, fmt.Errorf("requeue: %w", err)
			}
			count++
			cursor = DueCursor{DueAt: m.DueAt, ID: m.ID}
		}
		if len(page) < sweepPage || !forgot {
			return count, forgot, nil
		}
	}
}
