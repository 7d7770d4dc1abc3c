package gateway

import (
	"context"
	"fmt"
	"time"
)

// Batch is many intents that were handed in together. It is a handle to count them by, no more: each intent lives its
// own life.
type Batch struct {
	ID        string // batch_ + ULID
	Producer  string
	CreatedAt time.Time
	EndedAt   time.Time // when its last line was answered; zero: it is being read, or was cut off
	Tally

	Statuses map[IntentStatus]int // how many of its intents have which status; filled when it is read
}

// Tally counts the lines of a batch by what became of them.
type Tally struct {
	Lines    int // that were answered
	Accepted int // intents that are new
	Existing int // intents that had been posted before; they stay with the batch, if any, that brought them
	Refused  int // everything else
}

// BeginBatch opens a batch of the producer.
func (g *Gateway) BeginBatch(ctx context.Context, producer string) (id string, err error) {
	b := &Batch{ID: g.newID("batch"), Producer: producer, CreatedAt: g.now()}
	if err := g.journal.Update(ctx, func(tx Tx) error { return tx.InsertBatch(b) }); err != nil {
		return "", fmt.Errorf("begin a batch: %w", err)
	}
	return b.ID, nil
}

// EndBatch writes down how a batch went once its last line was answered. ErrNotFound.
func (g *Gateway) EndBatch(ctx context.Context, id string, tally Tally) error {
	if err := g.journal.Update(ctx, func(tx Tx) error { return tx.EndBatch(id, g.now(), tally) }); err != nil {
		return fmt.Errorf("end batch %s: %w", id, err)
	}
	return nil
}

// Batch returns a batch of the producer ("" for any) and counts its intents by status. ErrNotFound.
func (g *Gateway) Batch(ctx context.Context, producer, id string) (*Batch, error) {
	return g.journal.Batch(ctx, producer, id)
}
