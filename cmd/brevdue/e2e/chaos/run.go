package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// patience is how long everything may take to end after the last fault: processes are taken for dead after 20 seconds, a far
// end that seemed down is left alone for 30, a callback that failed a few times in a row waits for a minute.
const patience = 4 * time.Minute

// settings say how a run is done.
type settings struct {
	engine   string
	binary   string
	dir      string // of all runs
	duration time.Duration
	rate     int // letters a second
	pull     bool
	disk     bool
	clock    bool
	verbose  bool
	keep     bool
	progress io.Writer
}

// result is what came of a seed.
type result struct {
	seed     uint64
	engine   string
	injected map[Kind]int
	posted   int
	statuses map[string]int // intents by status
	retries  int64          // posts that had to be made again
	lives    int            // of gateway processes
	crashes  int            // of them that ended by themselves
	letters  int64          // accepted at the far end
	again    int64          // calls that brought one of them once more
	mails    int
	calls    int // events that the receiver was told, and those that it was told again
	recalls  int
	settling time.Duration
	took     time.Duration
	found    []string
	logs     string // of a run with findings
}

// run does one seed. The error is of a harness that does not work; what broke an invariant is in the result.
func run(ctx context.Context, s settings, seed uint64) (*result, error) {
	began := time.Now()
	dir := filepath.Join(s.dir, fmt.Sprintf("%s-%d", s.engine, seed))
	p, err := open(ctx, options{
		engine: s.engine, binary: s.binary, dir: dir, pull: s.pull, disk: s.disk, clock: s.clock, duration: s.duration, seed: seed,
	})
	if err != nil {
		return nil, err
	}
	defer func() {
		p.close()
		if !s.keep {
			_ = os.RemoveAll(dir)
		}
	}()
	log := func(format string, args ...any) {
		if s.verbose {
			fmt.Fprintf(s.progress, "  %s  %s\n", clock(time.Now()), fmt.Sprintf(format, args...))
		}
	}
	count := max(portion, int(s.duration.Seconds())*s.rate/portion*portion)
	l := &load{
		place: p, seed: seed, count: count, pace: s.duration / time.Duration(count), run: fmt.Sprintf("chaos-%d", seed),
		letters: map[string]*letter{},
	}
	c := newChaos(p, log)
	j := &judge{place: p, chaos: c, load: l, watcher: &watcher{place: p, sights: map[int64][]sight{}}}
	if err := j.live(ctx, schedule(seed, p.world, count, s.duration), s.duration); err != nil {
		return nil, err
	}
	log("faults are over, %d letters are posted", l.posted.Load())
	r := j.end(ctx, log)
	r.seed, r.engine, r.took = seed, s.engine, time.Since(began)
	if len(r.found) > 0 {
		r.logs = p.logs(15)
	}
	return r, nil
}

// live posts and injects. Findings of the way are kept.
func (j *judge) live(ctx context.Context, faults []Fault, d time.Duration) error {
	watching, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { j.watcher.run(watching) })
	defer group.Wait()
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 3*d+patience)
	defer cancel()
	posting := make(chan error, 1)
	go func() { posting <- j.load.post(ctx) }()
	faulty := j.chaos.run(ctx, faults, &j.load.handled)
	posted := <-posting
	var other []error
	for _, err := range flatten(faulty, posted) {
		if v := (violation{}); errors.As(err, &v) {
			j.findf("%v", err)
			continue
		}
		other = append(other, err)
	}
	if len(other) > 0 {
		return fmt.Errorf("%w\n%s\n%s", errors.Join(other...), strings.Join(j.found, "\n"), j.place.logs(10))
	}
	return nil
}

// flatten is the errors that were joined.
func flatten(errs ...error) []error {
	var all []error
	for _, err := range errs {
		if list, ok := err.(interface{ Unwrap() []error }); ok {
			all = append(all, flatten(list.Unwrap()...)...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// end waits until all is over and judges.
func (j *judge) end(ctx context.Context, log func(string, ...any)) *result {
	began := time.Now()
	watching, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { j.watcher.run(watching) })
	waiting, cancel := context.WithTimeout(ctx, patience)
	j.settle(waiting)
	cancel()
	log("settled after %s", time.Since(began).Round(time.Second))
	harness.Pause(ctx, 2*time.Second) // nothing comes after the end
	stop()
	group.Wait()
	r := &result{settling: time.Since(began)}
	if err := j.collect(ctx); err != nil {
		j.findf("it cannot be asked any more: %v", err)
	} else {
		j.watcher.read(ctx, 0) // what happened since it looked last
		j.judge()
	}
	j.fill(r)
	return r
}

func (j *judge) fill(r *result) {
	r.injected, r.posted, r.retries, r.found = j.chaos.injected, int(j.load.posted.Load()), j.load.retries.Load(), j.found
	r.statuses = map[string]int{}
	for n := range j.intents {
		r.statuses[j.intents[n].Status]++
	}
	for _, n := range j.place.nodes {
		n.mu.Lock()
		r.lives, r.crashes = r.lives+n.lives, r.crashes+n.crashes
		n.mu.Unlock()
	}
	r.letters, r.again, r.mails = j.stats.Letters, j.stats.Duplicates, len(j.place.box.mails())
	h := j.place.heard
	h.mu.Lock()
	defer h.mu.Unlock()
	r.calls, r.recalls = len(h.ids), h.again
}

// logs is the end of what each process printed that is worth a look.
func (p *place) logs(lines int) string {
	var b strings.Builder
	for _, n := range p.nodes {
		fmt.Fprintf(&b, "--- %s\n%s\n", n.name, worth(n.gateway.LogFile, lines))
	}
	if p.sim != nil {
		fmt.Fprintf(&b, "--- brevdue sim\n%s\n", harness.Tail(filepath.Join(p.sim.Dir, "sim.log"), 3))
	}
	return b.String()
}

// worth is the last lines of a log that tell of something wrong.
func worth(file string, lines int) string {
	all := strings.Split(harness.Tail(file, 1<<20), "\n")
	all = slices.DeleteFunc(all, func(line string) bool { return strings.Contains(line, `"level":"INFO"`) })
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
