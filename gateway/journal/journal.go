// Package journal keeps the truth of a gateway in SQL: every intent, message, attempt, receipt and event.
//
// The job, in the order it happens:
//
//  1. [Migrate] brings the schema up to date from numbered files inside the program; [Open] refuses a journal for which
//     one is pending.
//  2. Writers call [Journal.Update]. A goroutine owns a connection that writes: the only one on SQLite, one of a few on
//     PostgreSQL. It takes every update that waits, runs one after the other in one transaction, commits once, and answers
//     them all: one flush to the disk for many callers. A lone caller waits for nobody. See writer for what happens when one
//     of them fails.
//  3. Readers use a pool of connections that cannot write. They see committed data only and never wait for a writer.
//  4. [Journal.Close] finishes what was handed in; SQLite writes its log back into the database file.
//
// The nouns (intents.go, messages.go, ...) and their questions are the same on both engines. Questions are written in the
// words of SQLite; postgres_words.go says the few that PostgreSQL wants said differently. Each engine brings a session (one
// that writes), a pool (those that read) and its migrations.
//
// On PostgreSQL several processes may stand on one database, and every one has several transactions open at once. What holds
// there besides: a message that [gateway.Tx] returns is locked together with its intent until the transaction ends; a lane of
// callbacks and a dedupe key are locked by name; an event is shown only when every event with a smaller number is (see
// journal_numbers and journal_horizon in the migrations); who waits for a lock longer than lockPatience lets go of all and
// runs again. A connection that is lost is made again; a commit that was not answered is asked for (see fate).
//
// Durability: SQLite runs in WAL mode with synchronous=FULL, so an update that returned nil survives a crash of the
// process and of the machine, as far as the disk keeps what it said it had flushed. PostgreSQL promises the same with
// synchronous_commit on; a server that has it off is refused.
//
// Personal data is in two tables (intent_contents, intent_documents); no error or log line of this package holds any.
package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"

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
	// Writers is the number of connections that write on PostgreSQL. Default 4. SQLite has one.
	Writers int
	// Sealer seals what is personal. nil: it is stored as it is, and what was sealed cannot be read.
	Sealer gateway.Sealer
	// Logger gets what no caller is told: a panic's stack, a checkpoint that failed. Default: discard.
	Logger *slog.Logger
	// Now bounds how long a group of updates gathers; nothing that is stored comes from it. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Readers <= 0 {
		o.Readers = 4
	}
	if o.Writers <= 0 {
		o.Writers = 4
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Journal is a gateway.Journal on SQLite or PostgreSQL. It is safe for concurrent use.
type Journal struct {
	reader
	line    *line
	writers []*writer
	scrub   func(ctx context.Context) error // nil: see Scrub

	closing  sync.Once
	closeErr error
}

var _ gateway.Journal = (*Journal)(nil)

// Open opens the journal at url: "sqlite:PATH", which makes the file (mode 0600, its folder 0700) when there is none, or a
// "postgres://" url as libpq knows it, of a database that is there. A new journal has a pending migration like an old one:
// ErrPendingMigration, unless opts.Migrate or opts.Create is set. gateway.ErrNoKey when what was stored last is sealed under a
// key that is not here. No error shows the url: it may hold a password.
func Open(ctx context.Context, url string, opts Options) (*Journal, error) {
	opts = opts.withDefaults()
	e, err := engineOf(url)
	if err != nil {
		return nil, err
	}
	if opts.Create && !opts.Migrate {
		if opts.Migrate, err = e.missing(ctx); err != nil {
			return nil, err
		}
	}
	if opts.Migrate {
		if _, err := Migrate(ctx, url); err != nil {
			return nil, err
		}
	} else if err := refusePending(ctx, url); err != nil {
		return nil, err
	}
	j, err := e.open(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := j.refuseOtherKeys(ctx); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// engine is a database that a journal can stand on, at one place.
type engine interface {
	// missing reports whether there is no journal yet.
	missing(ctx context.Context) (bool, error)
	// prepare makes what a migration needs to begin.
	prepare() error
	// migrations runs do with what brings the schema up to date.
	migrations(ctx context.Context, do func(*goose.Provider) error) error
	// files are the folder of its migrations.
	files() string
	open(ctx context.Context, opts Options) (*Journal, error)
}

// engineOf tells by the scheme of the url which engine it is for.
func engineOf(url string) (engine, error) {
	switch scheme, path, _ := strings.Cut(url, ":"); scheme {
	case "sqlite":
		return newSQLite(path)
	case "postgres", "postgresql":
		return newPostgres(url)
	default:
		return nil, errors.New("journal: the url must be sqlite:PATH or postgres://HOST/DATABASE") // not the url: some hold passwords
	}
}

// Check reports what is wrong with a journal's url, without its password and without opening anything.
func Check(url string) error {
	_, err := engineOf(url)
	return err
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
	return j.line.update(ctx, fn)
}

// Ping reports whether the journal answers a question and still takes updates.
func (j *Journal) Ping(ctx context.Context) error {
	if j.line.isClosed() {
		return ErrClosed
	}
	return j.pool.wrap("ping", j.pool.ping(ctx))
}

// Close finishes the updates that were handed in and ends every connection; SQLite writes its log back into the database
// file. An update after that gets ErrClosed. Close may be called again and returns the same.
func (j *Journal) Close() error {
	j.closing.Do(func() {
		errs := []error{j.pool.close()} // first, so that no reader keeps SQLite's checkpoint from finishing
		j.line.close()
		for _, w := range j.writers {
			errs = append(errs, w.session.close())
		}
		j.closeErr = errors.Join(errs...)
	})
	return j.closeErr
}
