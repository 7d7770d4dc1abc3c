package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteFile is a journal in a file.
type sqliteFile struct{ path string } // absolute

func newSQLite(path string) (*sqliteFile, error) {
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return nil, errors.New("journal: sqlite: needs the path of a file")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return &sqliteFile{path: abs}, nil
}

// missing implements engine: there is no file.
func (f *sqliteFile) missing(context.Context) (bool, error) {
	_, err := os.Stat(f.path)
	return errors.Is(err, fs.ErrNotExist), nil
}

// prepare implements engine: it makes the file.
func (f *sqliteFile) prepare() error { return create(f.path) }

// files implements engine.
func (*sqliteFile) files() string { return "migrations/sqlite" }

// migrations implements engine.
func (f *sqliteFile) migrations(_ context.Context, do func(*goose.Provider) error) error {
	db, err := sql.Open("sqlite", migrationRole().dsn(f.path))
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	return withProvider(goose.DialectSQLite3, db, f.files(), do)
}

// open implements engine.
func (f *sqliteFile) open(ctx context.Context, opts Options) (*Journal, error) {
	s := seals{opts.Sealer}
	l := newLine(s)
	w, err := openSQLiteWriter(f.path, l, opts.Logger, opts.Now) //nolint:contextcheck // it outlives ctx
	if err != nil {
		return nil, err
	}
	p, err := openSQLitePool(ctx, f.path, opts.Readers)
	if err != nil {
		l.close()
		return nil, errors.Join(err, w.session.close())
	}
	return &Journal{reader: reader{pool: sealedPool{p, s}}, line: l, writers: []*writer{w}, scrub: f.scrub}, nil
}

// create makes an empty database file that only this user can read, and its folder, unless they are there. SQLite
// gives its log files the mode of the database file.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) //nolint:gosec // the path is the operator's own setting
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// role is what a connection is for; each sets its own pragmas.
type role []string

// The pragmas of each role. Every role waits 10 s for another process (a migration, a backup) before it gives up.
func writerRole() role {
	return role{
		"journal_mode(WAL)",
		"synchronous(FULL)",            // an acknowledged update survives a power cut
		"foreign_keys(1)",              // a row never points at nothing
		"wal_autocheckpoint(4000)",     // pages: fewer, larger write-backs; a page written often is written back once
		"journal_size_limit(67108864)", // bytes the log may keep after a burst
		"secure_delete(ON)",            // what is erased is overwritten, not only let go of
		"cache_size(-32000)",           // KiB
		"temp_store(MEMORY)",
	}
}

func readerRole() role { return role{"query_only(1)", "cache_size(-8000)", "temp_store(MEMORY)"} }

func migrationRole() role {
	return role{"journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"}
}

// dsn writes the data source name for a connection to the file at the absolute path.
func (r role) dsn(path string) string {
	q := url.Values{"_pragma": append([]string{"busy_timeout(10000)"}, r...)}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

// code returns SQLite's extended result code of err, 0 when it has none. Errors are told apart by it, never by text.
func code(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

// constraint reports whether err is a constraint's or trigger's refusal of one statement. Everything that the
// statement did is undone, and the transaction goes on.
func constraint(err error) bool { return code(err)&0xff == sqlite3.SQLITE_CONSTRAINT }
