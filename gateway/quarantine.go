package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// MaxUnreadable is the most bytes of a body that KeepUnreadable keeps.
const MaxUnreadable = 16 << 20

// The pace of the quarantine.
const (
	// quarantineFor is how long an unmatched receipt is tried again by itself. By hand it can be matched for ever.
	quarantineFor = 7 * 24 * time.Hour
	// rematchPage is how many receipts are looked at in one query, rematchPages how many pages in one watch; the next watch
	// goes on where this one stopped.
	rematchPage, rematchPages = 1000, 50
)

// The errors of the quarantine.
var (
	ErrNotQuarantined  = errors.New("the receipt is not in quarantine")
	ErrNoReader        = errors.New("no reader of receipts is configured")
	ErrStillUnreadable = errors.New("the body still cannot be read")
)

// watch paces what Sweep does more seldom than every time.
type watch struct {
	mu      sync.Mutex // held while a watch runs
	due     time.Time
	rematch ReceiptCursor // where the last watch stopped
}

// counts are ReceiptCounts.
type counts struct {
	settled, duplicate, unmatched, foreign, conflicts, unreadable atomic.Int64
}

// ReceiptCounts counts the receipts since this process began.
func (g *Gateway) ReceiptCounts() ReceiptCounts {
	c := &g.counts
	return ReceiptCounts{
		Settled: c.settled.Load(), Duplicate: c.duplicate.Load(), Unmatched: c.unmatched.Load(), Foreign: c.foreign.Load(),
		Conflicts: c.conflicts.Load(), Unreadable: c.unreadable.Load(),
	}
}

// Quarantine lists receipts that match no message, without Raw, oldest first.
func (g *Gateway) Quarantine(ctx context.Context, f ReceiptFilter) ([]Receipt, error) {
	receipts, err := g.journal.Quarantine(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("read quarantine: %w", err)
	}
	return receipts, nil
}

// Receipt returns a receipt, matched or not, with Raw. ErrNotFound.
func (g *Gateway) Receipt(ctx context.Context, id string) (*Receipt, error) {
	return g.journal.Receipt(ctx, id)
}

// UnreadableBodies lists bodies that nobody could read yet, without Raw, oldest first.
func (g *Gateway) UnreadableBodies(ctx context.Context, f ReceiptFilter) ([]Unreadable, error) {
	bodies, err := g.journal.UnreadableBodies(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("read unreadable bodies: %w", err)
	}
	return bodies, nil
}

// UnreadableBody returns one with Raw, read meanwhile or not. ErrNotFound.
func (g *Gateway) UnreadableBody(ctx context.Context, id string) (*Unreadable, error) {
	return g.journal.UnreadableBody(ctx, id)
}

// KeepUnreadable keeps a body that came on the road of the statuses and could not be read, whole and once: its id is the
// SHA-256 of it. reason says why and must quote nothing of it. ErrTooLarge, and nothing kept, over MaxUnreadable: a body is
// never cut. When it returns nil the body is durable and its sender may forget it.
func (g *Gateway) KeepUnreadable(ctx context.Context, raw []byte, reason string) error {
	if len(raw) > MaxUnreadable {
		return fmt.Errorf("keep an unreadable status of %d bytes: %w", len(raw), ErrTooLarge)
	}
	sum := sha256.Sum256(raw)
	u := &Unreadable{ID: hex.EncodeToString(sum[:]), Reason: reason, ReceivedAt: g.now(), Raw: raw}
	inserted := false
	err := g.journal.Update(ctx, func(tx Tx) error {
		var err error
		inserted, err = tx.InsertUnreadable(u)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep an unreadable status: %w", err)
	}
	if inserted {
		g.counts.unreadable.Add(1)
		g.log.WarnContext(ctx, "a status could not be read; kept as it came", "unreadable", u.ID, "bytes", len(raw), "reason", reason)
	}
	return nil
}

// RetryUnreadable reads a kept body again, as a newer program may be able to, and settles it. A body that was read before
// is settled again, which changes nothing. Errors: ErrNotFound, ErrNoReader, ErrStillUnreadable (with the reason).
func (g *Gateway) RetryUnreadable(ctx context.Context, id string) (SettleResult, error) {
	if g.readReceipt == nil {
		return SettleResult{}, ErrNoReader
	}
	u, err := g.journal.UnreadableBody(ctx, id)
	if err != nil {
		return SettleResult{}, fmt.Errorf("unreadable status %s: %w", id, err)
	}
	r, err := g.readReceipt(u.Raw)
	if err != nil {
		return SettleResult{}, fmt.Errorf("%w: %w", ErrStillUnreadable, err)
	}
	result, err := g.Settle(ctx, r)
	if err != nil {
		return SettleResult{}, err
	}
	err = g.journal.Update(ctx, func(tx Tx) error { return tx.ReadUnreadable(id, g.now(), r.ID) })
	if err != nil {
		return SettleResult{}, fmt.Errorf("unreadable status %s: %w", id, err)
	}
	return result, nil
}

// MatchByHand takes a receipt out of quarantine for a message that a person names, and settles it. The reason, 1 to
// MaxReason characters on one line, becomes an event of the message, after which that of the receipt follows.
//
// Errors: *Invalid for the reason (pointer /reason) and for a message that there is not (pointer /message),
// ErrNotQuarantined.
func (g *Gateway) MatchByHand(ctx context.Context, receiptID, messageID, reason string) (SettleResult, error) {
	var ps problems
	ps.text("/reason", reason, 1, MaxReason)
	if len(ps.list) > 0 {
		return SettleResult{}, &Invalid{Problems: ps.list}
	}
	r, err := g.journal.Receipt(ctx, receiptID)
	if err != nil {
		return SettleResult{}, fmt.Errorf("receipt %s: %w", receiptID, err)
	}
	var result SettleResult
	var follow *Message
	err = g.journal.Update(ctx, func(tx Tx) error {
		result, follow = SettleResult{Matched: true, MessageID: messageID}, nil
		m, err := tx.Message(messageID)
		if errors.Is(err, ErrNotFound) {
			return &Invalid{Problems: []Problem{{Pointer: "/message", Code: "message.unknown", Detail: "There is no such message."}}}
		}
		if err != nil {
			return err
		}
		head, err := tx.IntentHead(m.IntentID)
		if err != nil {
			return notFound(err, "intent", m.IntentID)
		}
		if err := tx.MatchReceipt(r.ID, messageID); errors.Is(err, ErrNotFound) {
			return ErrNotQuarantined
		} else if err != nil {
			return err
		}
		if err := g.note(tx, head, m, 0, "matched.by_hand", "Status "+r.ID+" was matched by hand: "+reason); err != nil {
			return err
		}
		r.MessageID = messageID
		result.Changed, follow, err = g.settle(ctx, tx, r)
		return err
	})
	if err != nil {
		return SettleResult{}, fmt.Errorf("match receipt %s: %w", receiptID, err)
	}
	g.counts.settled.Add(1)
	if follow != nil {
		g.enqueue(ctx, follow)
	}
	return result, nil
}

// Rematch tries every receipt in quarantine once more, however old it is, and returns how many it took out. Sweep does it
// by itself every minute for those of the last seven days.
func (g *Gateway) Rematch(ctx context.Context) (int, error) {
	count := 0
	for at := (ReceiptCursor{}); ; {
		n, next, err := g.matchPage(ctx, at)
		count += n
		if err != nil || next == (ReceiptCursor{}) {
			return count, err
		}
		at = next
	}
}

// rematch is the watch's part of it: a bounded number of pages, going on where the last one stopped, so that no receipt
// waits behind others for ever.
func (g *Gateway) rematch(ctx context.Context) (int, error) {
	count := 0
	oldest := g.now().Add(-quarantineFor)
	for range rematchPages {
		if g.watch.rematch.ReceivedAt.Before(oldest) {
			g.watch.rematch = ReceiptCursor{ReceivedAt: oldest}
		}
		n, next, err := g.matchPage(ctx, g.watch.rematch)
		count += n
		if err != nil {
			return count, err
		}
		g.watch.rematch = next
		if next == (ReceiptCursor{}) {
			break
		}
	}
	return count, nil
}

func (g *Gateway) matchPage(ctx context.Context, after ReceiptCursor) (int, ReceiptCursor, error) {
	receipts, next, err := g.journal.Matchable(ctx, ReceiptFilter{After: after, Limit: rematchPage})
	if err != nil {
		return 0, after, fmt.Errorf("read quarantine: %w", err)
	}
	count := 0
	for n := range receipts {
		matched, err := g.match(ctx, receipts[n])
		if err != nil {
			return count, after, fmt.Errorf("match receipt %s: %w", receipts[n].ID, err)
		}
		if matched {
			count++
		}
	}
	return count, next, nil
}

// match takes one receipt out of quarantine when its message is there.
func (g *Gateway) match(ctx context.Context, r Receipt) (bool, error) {
	var matched bool
	var follow *Message
	err := g.journal.Update(ctx, func(tx Tx) error {
		matched, follow = false, nil
		id, err := tx.FindMessage(r.MessageUUID, r.AfsendelseID, r.Transmission)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		r.MessageID = id
		if err := tx.MatchReceipt(r.ID, id); errors.Is(err, ErrNotFound) {
			return nil // another process was faster
		} else if err != nil {
			return err
		}
		matched = true
		_, follow, err = g.settle(ctx, tx, &r)
		return err
	})
	if err != nil {
		return false, err
	}
	if follow != nil {
		g.enqueue(ctx, follow)
	}
	if matched {
		g.counts.settled.Add(1)
	}
	return matched, nil
}
