package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// How long PostgreSQL is waited for.
const (
	// connecting bounds one connection being made.
	connecting = 5 * time.Second
	// patience bounds one round of statements, on both sides.
	patience = 30 * time.Second
	// lockPatience is how long a statement that writes waits for a row that another transaction holds. Then it lets go of
	// what it holds itself and tries again, so that nobody waits long for anybody and two that wait for each other part.
	lockPatience = 40 * time.Millisecond
	// idlePatience is how long a transaction may stay open while its process does nothing: after it, what it holds is given
	// to others.
	idlePatience = 15 * time.Second
)

// oldestServer is the first version that this program is tested to understand: 14.
const oldestServer = 140000

// postgres is a journal in a database of a server.
type postgres struct {
	config *pgxpool.Config
	// lossy: the url itself asks for commits that may be lost.
	lossy bool
}

func newPostgres(url string) (*postgres, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("journal: the url of PostgreSQL cannot be read: use postgres://user@host:port/database") // the cause quotes
	}
	c := config.ConnConfig
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connecting
	}
	dialer := &net.Dialer{
		Timeout:         connecting,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 2 * time.Second, Count: 3},
	}
	c.DialFunc = dialer.DialContext
	p := &postgres{config: config, lossy: c.RuntimeParams["synchronous_commit"] == "off"}
	for name, value := range map[string]string{
		"application_name":                    "brevdue",
		"default_transaction_isolation":       "read committed",
		"statement_timeout":                   milliseconds(patience),
		"idle_in_transaction_session_timeout": milliseconds(idlePatience),
	} {
		if c.RuntimeParams[name] == "" {
			c.RuntimeParams[name] = value
		}
	}
	return p, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// files implements engine.
func (*postgres) files() string { return "migrations/postgres" }

// prepare implements engine: the database is there.
func (*postgres) prepare() error { return nil }

// missing implements engine: no migration was ever applied.
func (p *postgres) missing(ctx context.Context) (bool, error) {
	conn, err := p.connect(ctx, nil)
	if err != nil {
		return false, wrap("connect", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var there bool
	err = conn.QueryRow(ctx, "SELECT to_regclass('goose_db_version') IS NOT NULL").Scan(&there)
	return !there, wrap("look for the journal", err)
}

// migrations implements engine. A lock lets one process at a time migrate.
func (p *postgres) migrations(_ context.Context, do func(*goose.Provider) error) error {
	config := p.config.ConnConfig.Copy()
	config.RuntimeParams["statement_timeout"] = "0" // a migration takes as long as it takes
	db := stdlib.OpenDB(*config)
	defer func() { _ = db.Close() }()
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300)) // every second, for five minutes
	if err != nil {
		return fmt.Errorf("goose: %w", err)
	}
	return withProvider(goose.DialectPostgres, db, p.files(), do, goose.WithSessionLocker(locker))
}

// connect makes a connection with its own settings.
func (p *postgres) connect(ctx context.Context, settings map[string]string) (*pgx.Conn, error) {
	config := p.config.ConnConfig.Copy()
	maps.Copy(config.RuntimeParams, settings)
	ctx, cancel := context.WithTimeout(ctx, connecting)
	defer cancel()
	return pgx.ConnectConfig(ctx, config)
}

// open implements engine.
func (p *postgres) open(ctx context.Context, opts Options) (*Journal, error) {
	if err := p.check(ctx); err != nil {
		return nil, err
	}
	pool, err := openPostgresPool(ctx, p.config.Copy(), opts.Readers)
	if err != nil {
		return nil, wrap("connect", err)
	}
	s := seals{opts.Sealer}
	j := &Journal{reader: reader{pool: sealedPool{pool, s}}, line: newLine(s)}
	for range opts.Writers {
		s := &postgresSession{server: p, words: writerWords(), waiting: func() int { return len(j.line.requests) }}
		w := &writer{line: j.line, session: s, log: opts.Logger, now: opts.Now, limit: postgresGroup}
		w.apart = func() error { return w.alone(s) } //nolint:contextcheck // it outlives ctx
		j.writers = append(j.writers, w)
		w.start()
	}
	return j, nil
}

// check refuses a server that would not keep what it has acknowledged, or that this program does not understand.
func (p *postgres) check(ctx context.Context) error {
	conn, err := p.connect(ctx, nil)
	if err != nil {
		return wrap("connect", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var version int
	var commit, flush, encoding string
	err = conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('synchronous_commit'),
		current_setting('fsync'), current_setting('server_encoding')`).Scan(&version, &commit, &flush, &encoding)
	switch {
	case err != nil:
		return wrap("look at the server", err)
	case version < oldestServer:
		return fmt.Errorf("journal: PostgreSQL 14 or newer is needed, this is %d", version/10000)
	case encoding != "UTF8":
		return fmt.Errorf("journal: the database is in %s; it must be in UTF8", encoding)
	case p.lossy:
		return nil
	case commit == "off" || flush != "on":
		return fmt.Errorf("journal: the server may lose what it has acknowledged (synchronous_commit %s, fsync %s); turn both on, "+
			"or say synchronous_commit=off in the url to accept that", commit, flush)
	}
	return nil
}

// state returns the SQLSTATE of err, "" when it has none. Errors are told apart by it, never by text.
func state(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

// refusedState is what the schema's triggers raise.
const refusedState = "BD001"

// unreachable reports whether err says that PostgreSQL does not answer, or not now.
func unreachable(err error) bool {
	if code := state(err); code != "" {
		switch code[:2] {
		case "08", "53", "58": // connection, resources (disk full, too many connections), system
			return true
		case "57": // the operator: shut down, starting up
			return code != "57014" // but a cancelled statement
		}
		return false
	}
	if errors.Is(err, context.Canceled) {
		return false
	}
	if _, is := errors.AsType[*pgconn.ConnectError](err); is {
		return true
	}
	if _, is := errors.AsType[net.Error](err); is {
		return !errors.Is(err, context.DeadlineExceeded)
	}
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errLost)
}

// passing reports whether the same transaction may succeed when it runs again: others were in its way.
func passing(err error) bool {
	switch state(err) {
	case "40001", "40P01", "55P03", "25P03": // serialization, deadlock, lock not available, idle for too long
		return true
	}
	return false
}

// errLost is a connection that is gone.
var errLost = errors.New("the connection to PostgreSQL is lost")
