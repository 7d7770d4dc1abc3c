// Package journal keeps the truth of a gateway in SQL: every intent, message, attempt, receipt and event.
//
// The job, in the order it happens:
//
//  1. [Migrate] brings the schema up to date from numbered files inside the program; [Open] refuses a journal for which
//     one is pending.
//  2. Writers call [Journal.Update]. One goroutine owns the only connection that writes. It takes every update that
//     waits, runs one after the other in one transaction, commits once, and answers them all: one flush to the disk
//     for many callers. A lone caller waits for nobody. See writer for what happens when one of them fails.
//  3. Readers use a pool of connections that cannot write. They see committed data only and never wait for the writer.
//  4. [Journal.Close] finishes what was handed in and writes the log back into the database file.
//
// Durability: SQLite runs in WAL mode with synchronous=FULL, so an update that returned nil survives a crash of the
// process and of the machine, as far as the disk keeps what it said it had flushed.
//
// Personal data is in two tables (intent_contents, intent_documents); no error or log line of this package holds any.
package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// The errors of this package that a caller can tell apart.
var (
	// ErrPendingMigration is returned by Open when the schema is older than the program: run Migrate first.
	ErrPendingMigration = errors.New("the journal needs a migration")
	// ErrClosed is returned by every call after Close. It is a gateway.ErrUnavailable.
	ErrClosed = fmt.Errorf("the journal is closed: %w", gateway.ErrUnavailable)
)

// Options says how a journal is opened. The zero value is fit for production.
type Options struct {
	// Migrate applies pending migrations instead of refusing to open: for demos and tests.
	Migrate bool
	// Create makes and migrates a journal that does not exist yet. One that exists is never migrated by it.
	Create bool
	// Readers is the number of connections that read, at most that many at a time. Default 4.
	Readers int
	// Logger gets what no caller is told: a panic's stack, a checkpoint that failed. Default: discard.
	Logger *slog.Logger
	// Now bounds how long a group of updates gathers; nothing that is stored comes from it. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Journal is a gateway.Journal on SQLite. It is safe for concurrent use.
type Journal struct {
	reader
	writer *writer
	db     *sql.DB // of the readers

	closing  sync.Once
	closeErr error
}

var _ gateway.Journal = (*Journal)(nil)

// Open opens the journal at url, "sqlite:PATH", and makes the file (mode 0600, its folder 0700) when there is none. A
// new file has a pending migration like an old one: ErrPendingMigration, unless opts.Migrate or opts.Create is set.
func Open(ctx context.Context, url string, opts Options) (*Journal, error) {
	opts = opts.withDefaults()
	path, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if opts.Create && missing(path) {
		opts.Migrate = true
	}
	if opts.Migrate {
		if _, err := Migrate(ctx, url); err != nil {
			return nil, err
		}
	} else if err := refusePending(ctx, url); err != nil {
		return nil, err
	}

	w, err := openWriter(path, opts.Logger, opts.Now) //nolint:contextcheck // it outlives ctx
	if err != nil {
		return nil, err
	}
	r, db, err := openReader(ctx, path, opts.Readers)
	if err != nil {
		return nil, errors.Join(err, w.close()) //nolint:contextcheck // closes whatever ctx says
	}
	return &Journal{reader: r, writer: w, db: db}, nil
}

// missing reports whether there is no database file yet.
func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}

func refusePending(ctx context.Context, url string) error {
	pending, err := Pending(ctx, url)
	if err != nil {
		return err
	}
	if len(pending) > 0 {
		return fmt.Errorf("%w: %d pending, first %s", ErrPendingMigration, len(pending), pending[0])
	}
	return nil
}

// Update runs fn in one transaction; see gateway.Journal. A ctx that ends before fn began gives ctx.Err() and fn never
// runs; once fn has begun, Update waits for its end whatever ctx says. A panic in fn undoes what fn did and is returned
// as an error. fn must not call Update itself: it would wait for its own end.
func (j *Journal) Update(ctx context.Context, fn func(tx gateway.Tx) error) error {
	return j.writer.update(ctx, fn)
}

// Ping reports whether the journal answers a question and still takes updates.
func (j *Journal) Ping(ctx context.Context) error {
	if j.writer.isClosed() {
		return ErrClosed
	}
	if err := j.db.PingContext(ctx); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Close finishes the updates that were handed in, writes the log back into the database file and closes it. An update
// after that gets ErrClosed. Close may be called again and returns the same.
func (j *Journal) Close() error {
	j.closing.Do(func() {
		errReaders := j.db.Close() // first, so that no reader keeps the checkpoint from finishing
		j.closeErr = errors.Join(errReaders, j.writer.close())
	})
	return j.closeErr
}
