// Command bench measures the speed and memory of brevdue on the machine at hand and prints one table. `make bench` runs it.
//
// Everything is measured from outside, on the real binary: a real Redis (append-only file, fsync every second), SQLite with
// synchronous FULL or (-journal postgres) a PostgreSQL with synchronous_commit on, RSA-3072 keys, mutual TLS, the simulator
// as another process, all on the same cores. The parts, in the order they run: (a) accepting through HTTP, (b) end to end,
// beside what asynq does with empty tasks in the same Redis, (c) the delay of a lone letter, (d) the memory of a large one,
// (e) a cold demo, (f) the MeMo library by its Go benchmarks, (g) a batch of 100,000 lines and the memory it takes, (h)
// what windows and routes cost end to end, (i) pulling statuses from a real RabbitMQ, (j) the delay of a status under load,
// (k) the memory that evidence takes, (l) receiving inbound post through SF1606, (m) the memory of the largest inbound
// messages. A figure that misses its target is marked; the exit status says only whether measuring worked.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/journal/pgtest"
)

// settings are the flags.
type settings struct {
	only     string
	accept   time.Duration
	letters  int
	tasks    int
	steady   time.Duration
	document int64
	lines    int
	statuses int
	rounds   int
	posts    int
	keep     bool
	logLevel string
	journal  string // engine
	keys     bool   // what is stored is sealed
}

func main() {
	var s settings
	flag.StringVar(&s.only, "only", "", "parts to run, e.g. a,b (default all)")
	flag.DurationVar(&s.accept, "accept", 20*time.Second, "how long part a posts intents")
	flag.IntVar(&s.letters, "letters", 8000, "letters of part b")
	flag.IntVar(&s.tasks, "tasks", 30_000, "empty asynq tasks of part b")
	flag.DurationVar(&s.steady, "steady", 30*time.Second, "how long part c posts 50 intents a second")
	flag.Int64Var(&s.document, "document", 74_000_000, "bytes of the document of part d")
	flag.IntVar(&s.lines, "lines", 100_000, "lines of each batch of part g")
	flag.IntVar(&s.statuses, "statuses", 10_000, "statuses of part i, two for each letter")
	flag.IntVar(&s.rounds, "rounds", 16, "rounds of part h, of 1,000 letters for each configuration")
	flag.IntVar(&s.posts, "posts", 4000, "messages of part l")
	flag.BoolVar(&s.keep, "keep", false, "keep the folders with logs and journals")
	flag.StringVar(&s.logLevel, "log", "info", "log level of the gateway")
	flag.StringVar(&s.journal, "journal", "sqlite", "what the journal stands on: sqlite, or postgres (a server of the bench's own)")
	flag.BoolVar(&s.keys, "keys", false, "seal what is stored (keys.file)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout, os.Stderr, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// part is one measurement.
type part struct {
	letter, name string
	measure      func(ctx context.Context, b *bench) ([]row, error)
}

// row is a line of the table.
type row struct{ figure, target, measured string }

// bench is what the parts share.
type bench struct {
	settings

	binary   string
	dir      string
	postgres *pgtest.Server // nil: the journal is on SQLite
	progress io.Writer
}

func run(ctx context.Context, out, progress io.Writer, s settings) error {
	parts := []part{
		{"a", "accepting", accepting}, {"b", "end to end", endToEnd}, {"c", "delay", delay},
		{"d", "memory", memory}, {"e", "cold demo", coldDemo}, {"f", "MeMo library", memoLibrary},
		{"g", "batches", batches}, {"h", "windows and routes", routes},
		{"i", "pulling statuses", pulling}, {"j", "statuses under load", visible}, {"k", "evidence", proof},
		{"l", "inbound post", receiving}, {"m", "large inbound post", largePosts},
	}
	if err := wanted(&parts, s.only); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "brevdue-bench-")
	if err != nil {
		return fmt.Errorf("folder: %w", err)
	}
	if s.keep {
		fmt.Fprintln(progress, "bench: files in", dir)
	} else {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	b := &bench{settings: s, dir: dir, progress: progress}
	if err := b.startJournal(ctx); err != nil {
		return err
	}
	defer b.stopJournal()
	fmt.Fprintln(progress, "bench: building")
	if b.binary, err = harness.Build(ctx, dir, false); err != nil {
		return err
	}
	rows := []row{{"figure", "target", "measured"}, {"---", "---", "---"}}
	for _, p := range parts {
		fmt.Fprintln(progress, "bench: "+p.name)
		found, err := p.measure(ctx, b)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		rows = append(rows, found...)
	}
	fmt.Fprintln(out, machine(ctx))
	fmt.Fprintln(out)
	return table(out, rows)
}

// wanted keeps the parts that only names.
func wanted(parts *[]part, only string) error {
	if only == "" {
		return nil
	}
	letters := strings.Split(only, ",")
	for _, l := range letters {
		if !slices.ContainsFunc(*parts, func(p part) bool { return p.letter == l }) {
			return fmt.Errorf("-only: there is no part %q", l)
		}
	}
	*parts = slices.DeleteFunc(*parts, func(p part) bool { return !slices.Contains(letters, p.letter) })
	return nil
}

// table writes the rows as Markdown.
func table(out io.Writer, rows []row) error {
	var width [3]int
	for _, r := range rows {
		for n, cell := range []string{r.figure, r.target, r.measured} {
			width[n] = max(width[n], len([]rune(cell)))
		}
	}
	for _, r := range rows {
		if r.figure == "---" {
			r = row{strings.Repeat("-", width[0]), strings.Repeat("-", width[1]), strings.Repeat("-", width[2])}
		}
		_, err := fmt.Fprintf(out, "| %-*s | %-*s | %-*s |\n", width[0], r.figure, width[1], r.target, width[2], r.measured)
		if err != nil {
			return err
		}
	}
	return nil
}

// verdict marks a figure that misses its target.
func verdict(ok bool, text string) string {
	if ok {
		return text
	}
	return text + " (misses)"
}
