package journal

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// The statements that hold a transaction of SQLite together.
const (
	queryBegin     = "BEGIN IMMEDIATE"
	queryCommit    = "COMMIT"
	queryRollback  = "ROLLBACK"
	querySavepoint = "SAVEPOINT one"
	queryRelease   = "RELEASE one"
	queryUndo      = "ROLLBACK TO one"
	// queryCheckpoint writes the log back into the database file and empties it.
	queryCheckpoint = "PRAGMA wal_checkpoint(TRUNCATE)"
)

func controlQueries() []string {
	return []string{queryBegin, queryCommit, queryRollback, querySavepoint, queryRelease, queryUndo, queryCheckpoint}
}

// openSQLiteWriter opens the only connection that writes and begins to serve the line.
func openSQLiteWriter(path string, l *line, log *slog.Logger, now func() time.Time) (*writer, error) {
	s, err := openSession(path, append(controlQueries(), txQueries()...))
	if err != nil {
		return nil, err
	}
	w := &writer{line: l, session: s, log: log, now: now, limit: maxGroup}
	w.apart = func() error { return w.savepoints(s) }
	w.start()
	return w, nil
}

// savepoints runs the group again with a savepoint around each update: only the failing ones are undone. A savepoint for
// every update of every group would make SQLite copy each page that it touches.
func (w *writer) savepoints(s *sqliteSession) error {
	if err := s.begin(); err != nil {
		return err
	}
	for _, r := range w.group {
		if err := w.guard(s, r); err != nil {
			return w.rollback(err)
		}
	}
	return w.finish()
}

// guard runs one update in a savepoint and undoes it when it fails. An error means that the transaction is lost.
func (w *writer) guard(s *sqliteSession, r *request) error {
	if err := s.control(querySavepoint); err != nil {
		return err
	}
	r.run(w)
	if err := s.broken(); err != nil {
		return err
	}
	if r.err != nil {
		r.forget()
		if err := s.control(queryUndo); err != nil {
			return err
		}
	}
	return s.control(queryRelease)
}

// closeSQLite writes the log back and closes the connection, after the writer has ended.
func closeSQLite(s *sqliteSession) error {
	var errs []error
	if err := s.control(queryCheckpoint); err != nil {
		errs = append(errs, fmt.Errorf("journal: checkpoint: %w", err))
	}
	return errors.Join(append(errs, s.finalize())...)
}
