package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// world is a harness.World with what the parts ask of it.
type world struct{ *harness.World }

// world starts a gateway with everything around it for a part.
func (b *bench) world(ctx context.Context, part string, o harness.Options) (world, error) {
	dir := filepath.Join(b.dir, part)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return world{}, fmt.Errorf("folder: %w", err)
	}
	o.LogLevel = b.logLevel
	if b.postgres != nil {
		var err error
		if o.Change, err = b.onPostgres(ctx, o.Change); err != nil {
			return world{}, err
		}
	}
	if b.keys {
		var err error
		if o.Change, err = withKeys(dir, o.Change); err != nil {
			return world{}, err
		}
	}
	w, err := harness.NewWorld(ctx, b.binary, dir, o)
	return world{w}, err
}

// warmUp sends letters until tokens are fetched and connections are open.
func (w world) warmUp(ctx context.Context, letters int) error {
	if _, err := (&load{address: w.Gateway.API, conns: 8, prefix: "warm-"}).run(ctx, letters); err != nil {
		return fmt.Errorf("warm up: %w\n%s", err, w.Logs(10))
	}
	return w.settled(ctx, int64(letters))
}

// settled waits until the last status of so many letters has been taken by the gateway. It asks the simulator four times a
// second, which costs the gateway nothing.
func (w world) settled(ctx context.Context, letters int64) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var last int64
	err := harness.Poll(ctx, 250*time.Millisecond, func() (bool, error) {
		stats, err := w.Sim.Stats(ctx)
		last = stats.Settled
		return stats.Settled >= letters, err
	})
	if err != nil {
		return fmt.Errorf("%d of %d letters were delivered: %w\n%s", last, letters, err, w.Logs(10))
	}
	return nil
}

// span is when the first of the letters was accepted and when the last one was delivered, by their events. Their references
// begin with prefix.
func span(events []httpapi.FeedEvent, prefix string, letters int) (first, last time.Time, err error) {
	delivered := 0
	for _, e := range events {
		if !strings.HasPrefix(e.Reference, prefix) {
			continue
		}
		if first.IsZero() || e.Time.Before(first) {
			first = e.Time
		}
		if e.Status == "delivered" {
			delivered++
			last = latest(last, e.Time)
		}
	}
	if delivered != letters {
		return first, last, fmt.Errorf("%d letters were delivered, %d were posted", delivered, letters)
	}
	return first, last, nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// handedOver is how long each of the load's letters took from accepted to submitted (or to the first status, where that
// overtook the answer), ascending.
func (w world) handedOver(ctx context.Context) ([]time.Duration, error) {
	events, err := w.Gateway.Events(ctx)
	if err != nil {
		return nil, err
	}
	accepted := make(map[string]time.Time)
	var out []time.Duration
	for _, e := range events {
		if !strings.HasPrefix(e.Reference, "load-") {
			continue
		}
		since, waiting := accepted[e.Message]
		switch {
		case e.Status == "queued" && !waiting:
			accepted[e.Message] = e.Time
		case (e.Status == "submitted" || e.Status == "received") && !since.IsZero():
			out = append(out, e.Time.Sub(since))
			accepted[e.Message] = time.Time{}
		}
	}
	slices.Sort(out)
	return out, nil
}

// cost is the processor time that has been used: by the processes around a gateway, and of the whole machine.
type cost struct{ serve, sim, redis, bench, busy, idle time.Duration }

// spent reads what has been used so far; what cannot be read is zero.
func (w world) spent() cost {
	of := func(p *harness.Process) time.Duration { d, _ := p.CPU(); return d } // not on every system
	c := cost{serve: of(w.Gateway.Process), sim: of(w.Sim.Process), redis: of(w.Redis.Process), bench: ownCPU()}
	c.busy, c.idle = machineCPU()
	return c
}

// since is what has been used since before.
func (c cost) since(before cost) cost {
	return cost{
		c.serve - before.serve, c.sim - before.sim, c.redis - before.redis, c.bench - before.bench,
		c.busy - before.busy, c.idle - before.idle,
	}
}

// plus is the sum of two.
func (c cost) plus(d cost) cost {
	return cost{c.serve + d.serve, c.sim + d.sim, c.redis + d.redis, c.bench + d.bench, c.busy + d.busy, c.idle + d.idle}
}

// each says what one of n things has cost.
func (c cost) each(n int) string {
	per := func(d time.Duration) int64 { return d.Microseconds() / int64(n) }
	return fmt.Sprintf("serve %d + sim %d + redis %d + bench %d = %d µs",
		per(c.serve), per(c.sim), per(c.redis), per(c.bench), per(c.ours()))
}

func (c cost) ours() time.Duration { return c.serve + c.sim + c.redis + c.bench }

// shares says who had the processors: a figure taken while others were at work is too small.
func (c cost) shares() string {
	all := c.busy + c.idle
	if all == 0 {
		return "unknown"
	}
	percent := func(d time.Duration) int64 { return int64(100 * max(0, d) / all) }
	return fmt.Sprintf("these %d %%, other programs %d %%, idle %d %%", percent(c.ours()), percent(c.busy-c.ours()), percent(c.idle))
}

// ownCPU is the processor time of this process.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
