package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrNoCallback says that a producer is told nothing: the configuration has no callback for it.
var ErrNoCallback = errors.New("the producer has no callback")

// CallbackState is where the telling of one event to its producer stands.
type CallbackState string

// The states of a callback.
const (
	CallbackPending   CallbackState = "pending"   // to be told, or being told
	CallbackDelivered CallbackState = "delivered" // the receiver said that it has it
	CallbackGivenUp   CallbackState = "given_up"  // kept, and told again only when it is replayed
)

// Callback is one event that its producer is to be told, and how that went so far.
//
// Events of one lane are told one after the other in the order of their Seq, those of different lanes side by side. The
// head of a lane is the oldest pending one; it alone has a DueAt.
type Callback struct {
	Event      Event
	State      CallbackState
	Attempts   int       // how many were claimed, and one more for every replay; tells one claim from another
	FirstAt    time.Time // first attempt since it was last pending; zero: none yet
	DueAt      time.Time // when to tell it, or when a claim on it lapses; zero: not the head of its lane
	LastAt     time.Time // when the last attempt ended; zero: none, or one is under way
	HTTPStatus int       // of the last answer; 0: there was none
	Failure    string    // fixed word for what was wrong at last; "": nothing
}

// Lane is what the order of events is kept within: the message, or the intent for an event of the intent as a whole.
func (e *Event) Lane() string {
	if e.MessageID != "" {
		return e.MessageID
	}
	return e.IntentID
}

// DueCallback is the head of a lane that somebody should look at.
type DueCallback struct {
	Lane     string
	Producer string
	DueAt    time.Time
}

// CallbackStats is how the telling of one producer's events stands.
type CallbackStats struct {
	Pending       int       // events that wait to be told
	GivenUp       int       // events that were given up and wait for a replay
	Delivered     int64     // tellings that the receiver confirmed, replays included
	OldestPending time.Time // when the oldest pending event happened; zero: nothing waits
	DeliveredAt   time.Time // last confirmed telling; zero: none
	FailedAt      time.Time // last failed attempt; zero: none
	HTTPStatus    int       // of that failure; 0: there was no answer
	Failure       string    // fixed word for it; "": none
}

// CallbackTx is the part of a [Tx] that keeps the events to be told. At no time may two transactions change the same lane.
type CallbackTx interface {
	// InsertCallback stores c.Event, which has its Seq, as pending. c.DueAt becomes zero when an earlier event of its lane
	// is pending.
	InsertCallback(c *Callback) error
	// ClaimCallback takes the producer's pending head that has been due for the longest time at now, for one attempt until
	// the given time: nobody else gets it before. ErrNotFound when nothing is due.
	ClaimCallback(producer string, now, until time.Time) (*Callback, error)
	// SaveCallback stores how a claimed attempt ended: State, FirstAt, DueAt, LastAt, HTTPStatus and Failure. When it is no
	// longer pending, the next event of its lane is due at LastAt. ErrStale when the claim has lapsed and somebody else
	// has claimed or ended it.
	SaveCallback(c *Callback) error
	// ReplayCallbacks makes the producer's next events after the cursor, at most limit and not beyond upTo, pending again,
	// whatever became of them, and the heads of their lanes due at the given time. through is the last event it looked at,
	// 0 when there was none; count says how many were not pending before.
	ReplayCallbacks(producer string, after, upTo int64, at time.Time, limit int) (through int64, count int, err error)
}

// CallbackReader is the part of a [Reader] that tells of the events to be told.
type CallbackReader interface {
	// CallbackHead returns the head of a lane. ErrNotFound when nothing of it is pending.
	CallbackHead(ctx context.Context, lane string) (*DueCallback, error)
	// DueCallbacks returns up to limit heads of the producer that are due at the given time, the oldest first.
	DueCallbacks(ctx context.Context, producer string, at time.Time, limit int) ([]DueCallback, error)
	// CallbackStats tells how the telling of a producer's events stands. All zero for one that nothing is known of.
	CallbackStats(ctx context.Context, producer string) (*CallbackStats, error)
}

// CallbackQueue brings lanes to those who tell. It may lose everything; a sweep over [CallbackReader] fills it again.
type CallbackQueue interface {
	// EnqueueCallback asks for the lane to be looked at, at its time. It may return before the queue has it.
	EnqueueCallback(ctx context.Context, c DueCallback) error
	// EnsureCallback makes certain that the queue holds a live task for a lane that is due, whatever an earlier one came to.
	EnsureCallback(ctx context.Context, c DueCallback) error
}

// CallbackConfig says whose events are put out for telling.
type CallbackConfig struct {
	Producers map[string]bool // by name
	Queue     CallbackQueue   // required when there are producers
}

// outbox is a Journal that stores with each event of a producer with a callback that it is to be told, in the same
// transaction, so that no event is forgotten, whoever writes it. Everything else passes through.
type outbox struct {
	Journal

	producers map[string]bool
	enqueue   func(ctx context.Context, c DueCallback)
}

// Update implements Journal.
func (o *outbox) Update(ctx context.Context, fn func(tx Tx) error) error {
	t := &outboxTx{producers: o.producers}
	err := o.Journal.Update(ctx, func(tx Tx) error {
		t.Tx, t.due = tx, t.due[:0]
		return fn(t)
	})
	if err != nil {
		return err
	}
	for _, c := range t.due {
		o.enqueue(ctx, c)
	}
	return nil
}

type outboxTx struct {
	Tx

	producers map[string]bool
	due       []DueCallback // heads that this transaction made
}

// InsertEvent implements Tx.
func (t *outboxTx) InsertEvent(e *Event) error {
	if err := t.Tx.InsertEvent(e); err != nil || !t.producers[e.Producer] {
		return err
	}
	c := Callback{Event: *e, State: CallbackPending, DueAt: e.At}
	if err := t.InsertCallback(&c); err != nil {
		return err
	}
	if !c.DueAt.IsZero() {
		t.due = append(t.due, DueCallback{Lane: e.Lane(), Producer: e.Producer, DueAt: c.DueAt})
	}
	return nil
}

// withOutbox puts the outbox before the journal when somebody is to be told.
func (g *Gateway) withOutbox(cfg CallbackConfig) error {
	if len(cfg.Producers) == 0 {
		return nil
	}
	if cfg.Queue == nil {
		return errors.New("gateway: config Callbacks.Queue is missing")
	}
	g.callbacks = cfg
	g.journal = &outbox{Journal: g.journal, producers: cfg.Producers, enqueue: func(ctx context.Context, c DueCallback) {
		if err := cfg.Queue.EnqueueCallback(ctx, c); err != nil {
			g.log.WarnContext(ctx, "enqueue failed, the sweep will repeat it", "lane", c.Lane, "error", err)
		}
	}}
	return nil
}

// Outbox is the journal of the gateway as others must write events to it, so that those who have a callback are told.
func (g *Gateway) Outbox() Journal { return g.journal }

// The pace of a replay.
const (
	replayPage = 500
	// replayWakes is how many lanes are put into the queue at once; who tells finds the others.
	replayWakes = 32
)

// Replay has the producer told again what happened after the event with the number from, up to and including to (0:
// whatever there is now): events that were delivered or given up, and those from before it had a callback. What is
// pending stays so and is tried at once. It returns how many events are pending now that were not before; after an error,
// calling it again is safe. ErrNoCallback.
func (g *Gateway) Replay(ctx context.Context, producer string, from, to int64) (int, error) {
	if !g.callbacks.Producers[producer] {
		return 0, ErrNoCallback
	}
	if to == 0 {
		to = 1<<63 - 1
	}
	began, total := g.now(), 0
	for {
		var through int64
		var count int
		err := g.journal.Update(ctx, func(tx Tx) error {
			var err error
			through, count, err = tx.ReplayCallbacks(producer, from, to, began, replayPage)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("replay: %w", err)
		}
		if through == 0 {
			return total, g.wakeCallbacks(ctx, producer, began)
		}
		from, total = through, total+count
	}
}

// wakeCallbacks puts the lanes of a producer that are due into the queue, as many as get the work going.
func (g *Gateway) wakeCallbacks(ctx context.Context, producer string, at time.Time) error {
	due, err := g.journal.DueCallbacks(ctx, producer, at, replayWakes)
	if err != nil {
		return fmt.Errorf("find due callbacks: %w", err)
	}
	for _, c := range due {
		if err := g.callbacks.Queue.EnsureCallback(ctx, c); err != nil {
			g.log.WarnContext(ctx, "enqueue failed, the sweep will repeat it", "lane", c.Lane, "error", err)
		}
	}
	return nil
}

// Callbacks tells how the telling of a producer's events stands. ErrNoCallback.
func (g *Gateway) Callbacks(ctx context.Context, producer string) (*CallbackStats, error) {
	if !g.callbacks.Producers[producer] {
		return nil, ErrNoCallback
	}
	return g.journal.CallbackStats(ctx, producer)
}
