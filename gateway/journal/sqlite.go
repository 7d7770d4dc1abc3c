package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// parseURL returns the absolute path of the database file that "sqlite:PATH" names.
func parseURL(journalURL string) (string, error) {
	scheme, path, _ := strings.Cut(journalURL, ":")
	switch scheme {
	case "sqlite":
	case "postgres", "postgresql":
		return "", errors.New("journal: PostgreSQL is not in this version; use sqlite:PATH")
	default:
		return "", errors.New("journal: the url must be sqlite:PATH") // not the url itself: others carry passwords
	}
	if path == "" || strings.HasPrefix(path, ":memory:") {
		return "", errors.New("journal: sqlite: needs the path of a file")
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("journal: %w", err)
	}
	return abs, nil
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

// guarded reports whether err is the refusal of one of the schema's triggers.
func guarded(err error) bool { return code(err) == sqlite3.SQLITE_CONSTRAINT_TRIGGER }
