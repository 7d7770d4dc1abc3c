// Command chaos runs brevdue while everything around it breaks, and checks that nothing is lost, sent twice or sent when it
// must not be. `make chaos` runs it; docs/chaos.md tells what it injects and what it checks.
//
// The job, in the order it happens: a world is built for each seed (place), with the journal and queue of the engine, the
// processes of `brevdue serve` under a supervisor that starts again what ends, the simulated far end, a mail server and a
// receiver of callbacks. Producers post letters and cancel some (load) while the faults of the seed's schedule happen
// (chaos), each when so many letters have been accepted. When all faults are over the world settles, and what the producers
// were told, what the API shows, what the far ends have and what the receiver was told are held against each other (judge).
//
// One line is printed for each seed and a table at the end. The exit status is 1 when an invariant broke.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// flags are the command line.
type flags struct {
	settings

	engines string
	seeds   int
	seed    uint64
	race    bool
	pulling string
	out     io.Writer
}

func main() {
	var f flags
	flag.StringVar(&f.engines, "engine", "",
		"what to stand on: "+strings.Join(engines(), ", ")+"; several with commas (default all that are installed)")
	flag.IntVar(&f.seeds, "seeds", 30, "how many seeds")
	flag.Uint64Var(&f.seed, "seed", 0, "the first seed; the others follow it (default random)")
	flag.DurationVar(&f.duration, "duration", 2*time.Minute, "how long letters are posted and faults injected, for each seed")
	flag.IntVar(&f.rate, "rate", 10, "letters a second")
	flag.StringVar(&f.pulling, "statuses", "",
		"push, or pull from a RabbitMQ of its own (default: pull for every third seed where it is installed)")
	flag.BoolVar(&f.disk, "disk", true, "fill the disk, too (needs Linux and root)")
	flag.BoolVar(&f.clock, "clock", true, "move the clocks of gateway processes, too (builds Go's packages anew)")
	flag.BoolVar(&f.race, "race", false, "run binaries with the race detector")
	flag.BoolVar(&f.verbose, "v", false, "print every fault when it happens")
	flag.BoolVar(&f.keep, "keep", false, "keep the folders with logs and journals")
	flag.Parse()
	f.out, f.progress = os.Stdout, os.Stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	broken, err := f.all(ctx)
	stop()
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(2)
	case broken:
		os.Exit(1)
	}
}

// all runs every seed on every engine and reports whether an invariant broke.
func (f *flags) all(ctx context.Context) (bool, error) {
	list := engines()
	if f.engines != "" {
		list = strings.Split(f.engines, ",")
	}
	for _, e := range list {
		if !slices.Contains(engines(), e) {
			return false, fmt.Errorf("unknown engine %q: use one of %s", e, strings.Join(engines(), ", "))
		}
	}
	if f.seed == 0 {
		f.seed = 1 + rand.Uint64N(1_000_000) //nolint:gosec // any seed will do
	}
	var err error
	if f.dir, err = os.MkdirTemp("", "brevdue-chaos-"); err != nil {
		return false, fmt.Errorf("folder: %w", err)
	}
	if f.keep {
		fmt.Fprintln(f.progress, "chaos: files in", f.dir)
	} else {
		defer func() { _ = os.RemoveAll(f.dir) }()
	}
	if f.clock && os.Getenv(harness.BinaryVariable) != "" {
		f.clock = false // whoever built it did not mean it to
	}
	if f.clock {
		if err := movable(ctx, f.dir); err != nil {
			fmt.Fprintln(f.progress, "chaos: NOT DONE: no clock jumps:", err)
			f.clock = false
		}
	}
	if f.binary, err = harness.Build(ctx, f.dir, f.race); err != nil {
		return false, err
	}
	var results []*result
	broken := false
	for _, engine := range list {
		for n := range f.seeds {
			r, err := f.one(ctx, engine, f.seed+uint64(n), f.engines != "")
			if err != nil {
				return broken, fmt.Errorf("%s, seed %d: %w", engine, f.seed+uint64(n), err)
			}
			if r == nil {
				break // not installed
			}
			results = append(results, r)
			broken = broken || len(r.found) > 0
			fmt.Fprintf(f.out, "%s\n%s", r.line(), r.trouble(f))
		}
	}
	if len(results) == 0 {
		return broken, errors.New("nothing was run")
	}
	fmt.Fprintf(f.out, "\n%s", table(results))
	return broken, nil
}

// one runs a seed; nil when what it stands on is not installed and nobody asked for it by name.
func (f *flags) one(ctx context.Context, engine string, seed uint64, wanted bool) (*result, error) {
	s := f.settings
	s.engine = engine
	s.pull = f.pulling == "pull" || f.pulling == "" && seed%3 == 0
	s.clock = f.clock && seed%2 == 0 // where clocks jump, times cannot be judged
	r, err := run(ctx, s, seed)
	if missing(err) && f.pulling == "" && s.pull {
		fmt.Fprintln(f.progress, "chaos: NOT DONE: statuses are pushed instead of pulled:", err)
		s.pull = false
		r, err = run(ctx, s, seed)
	}
	if missing(err) && !wanted && os.Getenv("CI") != "true" {
		fmt.Fprintln(f.progress, "chaos: NOT DONE on", engine+":", err)
		return nil, nil //nolint:nilnil // nothing was run
	}
	return r, err
}
