package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// The defaults of Config.
const (
	DefaultGrace = 24 * time.Hour
	DefaultRate  = 200
	// pageSize is how many intents are erased in one transaction.
	pageSize = 20
	// leaseName and leaseFor are of the one process that erases.
	leaseName = "retention"
	leaseFor  = 2 * time.Minute
)

// Trail is what a run writes down; gateway/audit has one.
type Trail interface {
	// In appends an entry in a transaction, as the last thing that is done in it.
	In(tx gateway.Tx, e *gateway.AuditEntry) error
}

// Config is what a Runner needs.
type Config struct {
	Journal   gateway.Journal
	Documents gateway.Remover // nil: documents of the store stay on the list, and stay
	Trail     Trail
	Policy    Policy
	// Grace is how long a document stays in the store after nothing names it any more: longer than any letter takes from its
	// document to its transaction. Default DefaultGrace; negative: none, for tests.
	Grace time.Duration
	// Rate is how many things are erased a second, so that letters come first. Default DefaultRate; negative: as fast as it goes.
	Rate   int
	Now    func() time.Time
	NewID  func(prefix string) string
	Worker string       // this process among the others
	Logger *slog.Logger // nil: none
}

// Actor is who asks for a run.
type Actor struct {
	Who    string
	How    string
	Reason string
}

// Runner forgets. It is safe for concurrent use.
type Runner struct {
	cfg Config
	log *slog.Logger
}

// New checks the configuration and makes a Runner.
func New(cfg Config) (*Runner, error) {
	if cfg.Journal == nil || cfg.Trail == nil || cfg.Now == nil || cfg.NewID == nil || cfg.Worker == "" {
		return nil, errors.New("retention: config Journal, Trail, Now, NewID or Worker is missing")
	}
	if err := cfg.Policy.Check(); err != nil {
		return nil, fmt.Errorf("retention: %w", err)
	}
	if cfg.Grace == 0 {
		cfg.Grace = DefaultGrace
	}
	cfg.Grace = max(cfg.Grace, 0)
	if cfg.Rate == 0 {
		cfg.Rate = DefaultRate
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Runner{cfg: cfg, log: cfg.Logger}, nil
}

// now is the present as the journal stores it.
func (r *Runner) now() time.Time { return r.cfg.Now().UTC().Truncate(time.Microsecond) }

// subject is a sender's letters, or inbound post.
type subject struct {
	sender  string // "" for inbound post
	name    string // in reports
	periods Periods
}

// subjects lists everything that has periods and of which something may be left.
func (r *Runner) subjects(ctx context.Context) ([]subject, error) {
	senders, err := r.cfg.Journal.ErasableSenders(ctx)
	if err != nil {
		return nil, fmt.Errorf("retention: %w", err)
	}
	var list []subject
	for _, s := range senders {
		list = append(list, subject{sender: s, name: s, periods: r.cfg.Policy.Of(s)})
	}
	return append(list, subject{name: Inbound, periods: r.cfg.Policy.Inbound}), nil
}

// kind is that of an erasure.
func (s *subject) kind() string {
	if s.sender == "" {
		return gateway.ErasurePost
	}
	return gateway.ErasureIntent
}

// next returns a page of what is due for a stage.
func (r *Runner) next(
	ctx context.Context, s *subject, stage gateway.Stage, before time.Time, after gateway.ErasableCursor, limit int,
) ([]gateway.Erasable, error) {
	var list []gateway.Erasable
	var err error
	if s.sender == "" {
		list, err = r.cfg.Journal.ErasablePosts(ctx, stage, before, after, limit)
	} else {
		list, err = r.cfg.Journal.ErasableIntents(ctx, s.sender, stage, before, after, limit)
	}
	if err != nil {
		return nil, fmt.Errorf("retention: %w", err)
	}
	return list, nil
}

// pages calls do with page after page of what is due for a stage.
func (r *Runner) pages(
	ctx context.Context, s *subject, stage gateway.Stage, at time.Time, limit int, do func(page []gateway.Erasable) error,
) error {
	period := s.periods.Of(stage)
	if period == 0 {
		return nil
	}
	var after gateway.ErasableCursor
	for {
		page, err := r.next(ctx, s, stage, at.Add(-period), after, limit)
		if err != nil || len(page) == 0 {
			return err
		}
		if err := do(page); err != nil {
			return err
		}
		last := page[len(page)-1]
		after = gateway.ErasableCursor{FinalAt: last.FinalAt, ID: last.ID}
	}
}
