package callback

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// The pace of telling.
const (
	firstDelay = 5 * time.Second
	lastDelay  = 15 * time.Minute
	// GiveUpAfter is how long an event is tried, from its first attempt.
	GiveUpAfter = 24 * time.Hour
	// maxRetryAfter bounds a receiver's own wish.
	maxRetryAfter = time.Hour
	// lease is how long a claim holds; a call takes less.
	lease = 30 * time.Second
	// turn is how many events are told before a worker goes back to the queue.
	turn = 500
	// sweepGrace is how long a lane may be due before the sweep looks whether the queue has it.
	sweepGrace = 5 * time.Second
	// recordTimeout bounds the transaction that records an answer.
	recordTimeout = 30 * time.Second
)

// Config is what a [Courier] is made of. Journal, Queue, Event and Now are required.
type Config struct {
	Journal   gateway.Journal
	Queue     gateway.CallbackQueue
	Receivers []Receiver
	// Event writes an event as the events feed of the API shows it: one JSON object.
	Event func(e *gateway.Event) ([]byte, error)

	Now    func() time.Time
	Jitter func() float64 // in [0,1): spreads retries; nil: none
	Logger *slog.Logger   // nil: slog.DiscardHandler
}

// Courier tells producers of their events. It is safe for concurrent use.
type Courier struct {
	journal   gateway.Journal
	queue     gateway.CallbackQueue
	receivers map[string]*receiver
	event     func(*gateway.Event) ([]byte, error)
	now       func() time.Time
	jitter    func() float64
	log       *slog.Logger
}

// New checks the configuration, reads the files that it names and makes a Courier. Its errors name the producer and the
// field, and hold no secret.
func New(cfg Config) (*Courier, error) {
	for name, missing := range map[string]bool{
		"Journal": cfg.Journal == nil, "Queue": cfg.Queue == nil, "Event": cfg.Event == nil, "Now": cfg.Now == nil,
	} {
		if missing {
			return nil, fmt.Errorf("callback: config %s is missing", name)
		}
	}
	c := &Courier{
		journal: cfg.Journal, queue: cfg.Queue, receivers: make(map[string]*receiver), event: cfg.Event,
		now:    func() time.Time { return cfg.Now().UTC().Truncate(time.Microsecond) },
		jitter: cfg.Jitter, log: cfg.Logger,
	}
	if c.jitter == nil {
		c.jitter = func() float64 { return 0 }
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	for _, r := range cfg.Receivers {
		if c.receivers[r.Producer] != nil {
			return nil, fmt.Errorf("callback: producer %s is there twice", r.Producer)
		}
		made, err := newReceiver(r, c.log)
		if err != nil {
			return nil, fmt.Errorf("callback: producer %s: %w", r.Producer, err)
		}
		c.receivers[r.Producer] = made
	}
	return c, nil
}

// Producers names those that have a receiver: what gateway.CallbackConfig needs.
func Producers(receivers []Receiver) map[string]bool {
	names := make(map[string]bool, len(receivers))
	for _, r := range receivers {
		names[r.Producer] = true
	}
	return names
}

// Workers is how many tasks of the queue should be worked off at a time: a seat for every call that may be under way.
func (c *Courier) Workers() int {
	n := 0
	for _, r := range c.receivers {
		n += r.seats.all
	}
	return n
}

// Close closes the connections that no call uses.
func (c *Courier) Close() {
	for _, r := range c.receivers {
		r.client.CloseIdleConnections()
	}
}

// Deliver looks at a lane, and at what else its producer is to be told while there is a seat for it. It returns nil when
// the queue may forget the lane, *gateway.Later when it must bring it back, and any other error when the journal could not
// be read or written. It stops early when ctx ends, but never tears up a call.
func (c *Courier) Deliver(ctx context.Context, lane string) error {
	head, err := c.journal.CallbackHead(ctx, lane)
	if errors.Is(err, gateway.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at lane %s: %w", lane, err)
	}
	r := c.receivers[head.Producer]
	if r == nil {
		return nil // it has no callback any more; the events stay pending for when it has one again
	}
	if head.DueAt.After(c.now()) {
		return &gateway.Later{At: head.DueAt, Reason: "not yet due"}
	}
	for r.seats.take() {
		err := c.tellAll(ctx, r, lane)
		if again := r.seats.leave(); err != nil || !again {
			return err
		}
	}
	return nil
}

// tellAll tells a receiver what is due, one event after the other, until nothing is.
func (c *Courier) tellAll(ctx context.Context, r *receiver, lane string) error {
	var own error // what the queue must know of the lane that it asked for
	next, err := c.step(ctx, r, nil, true)
	for n := 1; err == nil && next != nil; n++ {
		told := next
		c.tell(ctx, r, told)
		next, err = c.step(ctx, r, told, n < turn && ctx.Err() == nil)
		switch again := told.State == gateway.CallbackPending; {
		case told.Event.Lane() == lane && again:
			own = &gateway.Later{At: told.DueAt, Counted: true, Reason: "not delivered"}
		case told.Event.Lane() == lane:
			own = nil
		case again:
			c.enqueue(ctx, gateway.DueCallback{Lane: told.Event.Lane(), Producer: told.Event.Producer, DueAt: told.DueAt})
		}
		if n >= turn || ctx.Err() != nil {
			return &gateway.Later{At: c.now(), Reason: "others wait, or the process stops"}
		}
	}
	if err != nil {
		return err
	}
	return own
}

// step records how telling one event went, if there is one, and claims the next, if more.
func (c *Courier) step(ctx context.Context, r *receiver, told *gateway.Callback, more bool) (*gateway.Callback, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	var next *gateway.Callback
	var stale bool
	err := c.journal.Update(ctx, func(tx gateway.Tx) error {
		next, stale = nil, false
		if told != nil {
			err := tx.SaveCallback(told)
			if stale = errors.Is(err, gateway.ErrStale); err != nil && !stale {
				return err
			}
		}
		if !more {
			return nil
		}
		now := c.now()
		claimed, err := tx.ClaimCallback(r.Producer, now, now.Add(lease))
		if errors.Is(err, gateway.ErrNotFound) {
			return nil
		}
		next = claimed
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("callbacks of %s: %w", r.Producer, err)
	}
	if told != nil {
		r.counts.ended(told, stale)
		c.logEnd(ctx, r, told, stale)
	}
	return next, nil
}

func (c *Courier) enqueue(ctx context.Context, due gateway.DueCallback) {
	if err := c.queue.EnqueueCallback(context.WithoutCancel(ctx), due); err != nil {
		c.log.WarnContext(ctx, "enqueue failed, the sweep will repeat it", "lane", due.Lane, "error", err)
	}
}

// tell makes one attempt at a claimed event and puts into it how that ended.
func (c *Courier) tell(ctx context.Context, r *receiver, cb *gateway.Callback) {
	a := c.attempt(ctx, r, &cb.Event)
	now := c.now()
	cb.LastAt, cb.HTTPStatus, cb.Failure, cb.DueAt = now, a.status, a.failure, time.Time{}
	tried := now.Sub(cb.FirstAt)
	switch {
	case a.failure == "":
		cb.State = gateway.CallbackDelivered
	case a.failure == failGone, tried >= GiveUpAfter:
		cb.State = gateway.CallbackGivenUp
	default:
		cb.DueAt = now.Add(c.delay(tried, a.wish))
		if last := cb.FirstAt.Add(GiveUpAfter); cb.DueAt.After(last) {
			cb.DueAt = last // one last time
		}
	}
}

// delay doubles: waiting once more for as long as it took so far does that, whatever attempts were lost in a crash. It
// never undercuts the receiver's wish, and is spread by up to a fifth.
func (c *Courier) delay(tried, wish time.Duration) time.Duration {
	d := max(min(max(tried, firstDelay), lastDelay), min(wish, maxRetryAfter))
	return d + time.Duration(c.jitter()*float64(d)/5)
}

// logEnd says once that a receiver fails and once that it answers again, and names every event that is given up. Nothing
// that came from the receiver but its status is in the log.
func (c *Courier) logEnd(ctx context.Context, r *receiver, cb *gateway.Callback, stale bool) {
	attrs := []slog.Attr{
		slog.String("producer", r.Producer), slog.Int64("event", cb.Event.Seq), slog.String("lane", cb.Event.Lane()),
		slog.Int("attempt", cb.Attempts), slog.Int("http", cb.HTTPStatus), slog.String("failure", cb.Failure),
	}
	level, says := slog.LevelDebug, "told"
	switch {
	case stale:
		level, says = slog.LevelWarn, "it took longer than its claim; somebody else has told it as well"
	case cb.State == gateway.CallbackGivenUp:
		r.failing.Store(true)
		level, says = slog.LevelError, "given up; it is kept for a replay"
	case cb.State == gateway.CallbackDelivered && r.failing.CompareAndSwap(true, false):
		level, says = slog.LevelInfo, "the receiver takes callbacks again"
	case cb.State == gateway.CallbackPending && r.failing.CompareAndSwap(false, true):
		level, says = slog.LevelWarn, "the receiver fails; it is tried again, and further failures are not logged"
	}
	c.log.LogAttrs(ctx, level, "callback", append(attrs, slog.String("says", says))...)
}

// Sweep puts lanes that should have been told by now back into the queue: the oldest of each producer, whose workers find
// the rest. Any process may call it at any time. It returns how many lanes it offered.
func (c *Courier) Sweep(ctx context.Context) (int, error) {
	var errs []error
	count := 0
	for _, name := range c.names() {
		r := c.receivers[name]
		due, err := c.journal.DueCallbacks(ctx, name, c.now().Add(-sweepGrace), 2*r.seats.all)
		if err != nil {
			errs = append(errs, fmt.Errorf("find callbacks of %s: %w", name, err))
			continue
		}
		for _, d := range due {
			if err := c.queue.EnsureCallback(ctx, d); err != nil {
				errs = append(errs, fmt.Errorf("requeue callbacks of %s: %w", name, err))
				break
			}
			count++
		}
	}
	return count, errors.Join(errs...)
}

func (c *Courier) names() []string {
	names := make([]string, 0, len(c.receivers))
	for name := range c.receivers {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
