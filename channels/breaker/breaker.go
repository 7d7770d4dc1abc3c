// Package breaker keeps the gateway from hammering a far end that is down.
//
// The job, in the order it happens: [Wrap] stands between the gateway and a channel. It watches the outcomes; after a row
// of letters that could not be handed over, it lets none through for a while, then a few on trial, and opens again when
// those succeed. [Breaker.Opens] tells the gateway when it makes sense to try again, so that messages wait in the journal
// without an attempt being booked, and [Breaker.State] tells the health page.
//
// The counting is github.com/sony/gobreaker. Ours is what counts as a failure of the far end: an outcome of retry or
// unknown. A refused letter, or a recipient who cannot be reached, shows that the far end is alive.
package breaker

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/brevdue/brevdue/gateway"
)

// Code is the outcome's code when the breaker let nothing through.
const Code = "far_end.down"

// Config is how a [Breaker] behaves. The zero value is usable.
type Config struct {
	Failures uint32           // in a row, before nothing is let through; default 20
	Pause    time.Duration    // how long nothing is let through; default 30 seconds
	Trials   uint32           // letters on trial after that; default 3
	Now      func() time.Time // nil: time.Now
	Changed  func(state string)
}

// Breaker is a gateway.Channel around another one.
type Breaker struct {
	gateway.Channel

	cfg     Config
	counter *gobreaker.TwoStepCircuitBreaker[struct{}]
	until   atomic.Int64 // when the pause ends, Unix nanoseconds; 0: no pause
}

var (
	_ gateway.Channel  = (*Breaker)(nil)
	_ gateway.Witness  = (*Breaker)(nil)
	_ gateway.LastWord = (*Breaker)(nil)

	_ gateway.StatusWithin = (*Breaker)(nil)
)

// Wrap puts a breaker around a channel.
func Wrap(c gateway.Channel, cfg Config) *Breaker {
	if cfg.Failures == 0 {
		cfg.Failures = 20
	}
	if cfg.Pause <= 0 {
		cfg.Pause = 30 * time.Second
	}
	if cfg.Trials == 0 {
		cfg.Trials = 3
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	b := &Breaker{Channel: c, cfg: cfg}
	b.counter = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: c.Name(), MaxRequests: cfg.Trials, Timeout: cfg.Pause,
		ReadyToTrip:   func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= cfg.Failures },
		OnStateChange: b.changed,
	})
	return b
}

func (b *Breaker) changed(_ string, _, to gobreaker.State) {
	if to == gobreaker.StateOpen {
		b.until.Store(b.cfg.Now().Add(b.cfg.Pause).UnixNano())
	} else {
		b.until.Store(0)
	}
	if b.cfg.Changed != nil {
		b.cfg.Changed(to.String())
	}
}

// Witnesses implements gateway.Witness for the channel inside.
func (b *Breaker) Witnesses() bool {
	w, ok := b.Channel.(gateway.Witness)
	return ok && w.Witnesses()
}

// LastWord implements gateway.LastWord for the channel inside.
func (b *Breaker) LastWord() bool {
	l, ok := b.Channel.(gateway.LastWord)
	return ok && l.LastWord()
}

// StatusWithin implements gateway.StatusWithin for the channel inside; 0: it does not say.
func (b *Breaker) StatusWithin() time.Duration {
	s, ok := b.Channel.(gateway.StatusWithin)
	if !ok {
		return 0
	}
	return s.StatusWithin()
}

// State is "closed" (all is well), "open" (nothing is let through) or "half-open" (letters on trial).
func (b *Breaker) State() string { return b.counter.State().String() }

// Opens returns the first moment when a letter may be let through: now, or the end of the pause.
func (b *Breaker) Opens(now time.Time) time.Time {
	if b.counter.State() != gobreaker.StateOpen {
		return now
	}
	if until := time.Unix(0, b.until.Load()); until.After(now) {
		return until
	}
	return now
}

// errFarEnd tells the counter of a failure; what it was is in the outcome.
var errFarEnd = errors.New("not handed over")

// Send hands the letter to the channel inside, unless the far end is known to be down. Then nothing has left.
func (b *Breaker) Send(ctx context.Context, letter gateway.Letter) gateway.Outcome {
	done, err := b.counter.Allow()
	if err != nil {
		now := b.cfg.Now()
		return gateway.Outcome{
			Class: gateway.Retry, Code: Code, RetryAfter: max(b.Opens(now).Sub(now), time.Second), Err: err,
			Hint: "The far end has failed for a row of letters; it is tried again by itself.",
		}
	}
	failed := true
	defer func() { // a channel that panics has not handed the letter over
		if failed {
			done(errFarEnd)
		} else {
			done(nil)
		}
	}()
	o := b.Channel.Send(ctx, letter)
	failed = o.Class == gateway.Retry || o.Class == gateway.Unknown
	return o
}
