package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// stall is a time in which a fault may have held something up that had been decided before.
type stall struct{ from, to time.Time }

// chaos injects the faults of a schedule into a place.
type chaos struct {
	place *place
	log   func(format string, args ...any)

	mu       sync.Mutex
	stalls   []stall
	injected map[Kind]int
	busy     map[string]*sync.Mutex // what only one fault at a time can happen to
}

func newChaos(p *place, log func(string, ...any)) *chaos {
	return &chaos{place: p, log: log, injected: map[Kind]int{}, busy: map[string]*sync.Mutex{}}
}

// run injects each fault when so many letters have been handed in, and returns when all are over. Faults overlap, but for
// those that happen to the same thing.
func (c *chaos) run(ctx context.Context, faults []Fault, posted *atomic.Int64) error {
	var group sync.WaitGroup
	errs := make(chan error, len(faults))
	for _, f := range faults {
		err := harness.Poll(ctx, 20*time.Millisecond, func() (bool, error) { return int(posted.Load()) >= f.At, nil })
		if err != nil {
			errs <- fmt.Errorf("waiting for letter %d: %w", f.At, err)
			break
		}
		group.Go(func() {
			if err := c.inject(ctx, f); err != nil {
				errs <- fmt.Errorf("%s: %w", f.Kind, err)
			}
		})
	}
	group.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}

// inject does one fault from its beginning to its end.
func (c *chaos) inject(ctx context.Context, f Fault) error {
	lock := c.lock(f)
	lock.Lock()
	defer lock.Unlock()
	from := time.Now()
	c.log("%4d letters: %s (process %d, %s)", f.At, f.Kind, f.Node+1, f.For)
	err := c.perform(ctx, f)
	c.mu.Lock()
	c.injected[f.Kind]++
	if f.Kind.stalls() {
		c.stalls = append(c.stalls, stall{from, time.Now()})
	}
	c.mu.Unlock()
	return err
}

// stalls reports whether the fault holds up what has been decided, as opposed to ending it.
func (k Kind) stalls() bool {
	return slices.Contains([]Kind{Pause, LongPause, SQLKill, SQLRestart, SQLPause, DiskFull, FarSlow, FarPause}, k)
}

// lock is of the thing that the fault happens to.
func (c *chaos) lock(f Fault) *sync.Mutex {
	name := string(f.Kind)
	switch f.Kind {
	case Kill, Pause, LongPause, Stop, ClockAhead, ClockBack:
		name = fmt.Sprint("node ", f.Node)
	case RedisKill, RedisEmpty, RedisFlush, RedisPause:
		name = "redis"
	case SQLKill, SQLRestart, SQLPause:
		name = "sql"
	case BrokerKill, BrokerStop:
		name = "broker"
	case DiskFull, Far503, FarCut, FarBroken, FarToken, FarSlow, FarLate, FarPause, FarTwice, MailRefuse, MailCut, CallRefuse, CallLost:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy[name] == nil {
		c.busy[name] = &sync.Mutex{}
	}
	return c.busy[name]
}

func (c *chaos) perform(ctx context.Context, f Fault) error {
	p, n := c.place, c.place.nodes[f.Node]
	switch f.Kind {
	case Kill:
		return n.kill(f.For)
	case Stop:
		return n.stop(ctx, f.For)
	case Pause, LongPause:
		return n.pause(ctx, f.For)
	case RedisKill, RedisEmpty, RedisFlush, RedisPause:
		return p.redisFault(ctx, f)
	case SQLKill, SQLRestart, SQLPause:
		return p.sqlFault(ctx, f)
	case BrokerKill, BrokerStop:
		return p.brokerFault(ctx, f)
	case DiskFull:
		return p.diskFault(ctx, f)
	case ClockAhead, ClockBack:
		return p.clockFault(ctx, f)
	case FarPause:
		return freeze(ctx, p.sim.Process, f.For)
	case Far503, FarCut, FarBroken, FarToken, FarTwice, FarSlow, FarLate:
		return p.farFault(ctx, f)
	case MailRefuse:
		return toggle(ctx, &p.box.refuse, f.For)
	case MailCut:
		return toggle(ctx, &p.box.cut, f.For)
	case CallRefuse:
		return toggle(ctx, &p.refuseCalls, f.For)
	case CallLost:
		return toggle(ctx, &p.loseCalls, f.For)
	}
	return fmt.Errorf("unknown kind %q", f.Kind)
}

// toggle sets a switch for a while.
func toggle(ctx context.Context, b *atomic.Bool, d time.Duration) error {
	b.Store(true)
	defer b.Store(false)
	harness.Pause(ctx, d)
	return nil
}

// farFault changes one of the far end's faults for a while. The rates of all kinds together stay below one.
func (p *place) farFault(ctx context.Context, f Fault) error {
	type fields = map[string]any
	during, after := fields{}, fields{}
	switch f.Kind {
	case Far503:
		during, after = fields{"rate503": 0.5}, fields{"rate503": 0}
	case FarCut:
		during, after = fields{"rateCutAfter": 0.25}, fields{"rateCutAfter": 0}
	case FarBroken:
		during, after = fields{"rateCutBefore": 0.15}, fields{"rateCutBefore": 0}
	case FarToken:
		during, after = fields{"rate401": 0.1}, fields{"rate401": 0}
	case FarTwice:
		during, after = fields{"ratePushTwice": 0.5}, fields{"ratePushTwice": 0}
	case FarSlow:
		during, after = fields{"latency": "2s"}, fields{"latency": "0s"}
	case FarLate:
		during = fields{"modtagetDelay": "9s", "afleveretDelay": "10s"}
		after = fields{"modtagetDelay": "20ms", "afleveretDelay": "200ms"}
	default:
	}
	if err := p.setFar(ctx, during); err != nil {
		return err
	}
	harness.Pause(ctx, f.For)
	return p.setFar(ctx, after)
}

// setFar tries until the far end, which may be paused, has heard it.
func (p *place) setFar(ctx context.Context, fields map[string]any) error {
	return harness.Poll(ctx, 100*time.Millisecond, func() (bool, error) { return p.sim.SetFaults(ctx, fields) == nil, nil })
}

// redisFault ends, empties or pauses Redis, and starts it again.
func (p *place) redisFault(ctx context.Context, f Fault) error {
	p.redisMu.Lock()
	defer p.redisMu.Unlock()
	switch f.Kind {
	case RedisPause:
		return freeze(ctx, p.redis.Process, f.For)
	case RedisFlush:
		return harness.Poll(ctx, 200*time.Millisecond, func() (bool, error) { // a full disk keeps it from that
			return p.redis.FlushAll(ctx) == nil, nil
		})
	default:
	}
	p.redis.Close()
	if f.Kind == RedisEmpty {
		if err := os.RemoveAll(filepath.Join(p.redis.Dir, "appendonlydir")); err != nil {
			return fmt.Errorf("empty Redis: %w", err)
		}
	}
	harness.Pause(ctx, f.For)
	return harness.Poll(ctx, 200*time.Millisecond, func() (bool, error) { // a full disk keeps it from starting
		r, err := harness.StartRedis(ctx, p.redis.Dir, p.address)
		if err != nil {
			return false, nil //nolint:nilerr // until ctx ends
		}
		p.redis = r
		return true, nil
	})
}

func (p *place) sqlFault(ctx context.Context, f Fault) error {
	if f.Kind == SQLPause {
		if err := p.pg.Pause(); err != nil {
			return err
		}
		harness.Pause(ctx, f.For)
		return p.pg.Resume()
	}
	end := p.pg.Kill
	if f.Kind == SQLRestart {
		end = p.pg.Stop
	}
	if err := end(); err != nil {
		return err
	}
	harness.Pause(ctx, f.For)
	return p.pg.Start(ctx)
}

func (p *place) brokerFault(ctx context.Context, f Fault) error {
	if f.Kind == BrokerStop {
		if err := p.broker.Stop(ctx); err != nil {
			return err
		}
	} else {
		p.broker.Kill()
	}
	harness.Pause(ctx, f.For)
	return p.broker.Start(ctx)
}

func (p *place) diskFault(ctx context.Context, f Fault) error {
	free, err := p.fill()
	if err != nil {
		return err
	}
	harness.Pause(ctx, f.For)
	return free()
}

func (p *place) clockFault(ctx context.Context, f Fault) error {
	by := jumps
	if f.Kind == ClockBack {
		by = -by
	}
	return p.nodes[f.Node].jump(ctx, by, f.For)
}
