package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"modernc.org/sqlite"
)

// sqliteSession is the one connection that writes, with every statement prepared once. It uses the driver without
// database/sql in between (no pool, no locks, no reflection: about a third of the time of a small statement), and reuses
// its buffers.
type sqliteSession struct {
	conn  driver.Conn
	stmts map[string]*prepared
	args  []driver.NamedValue
	lost  error // see broken
	dirty bool  // see wrote
}

// prepared is a statement and the buffer that takes a row of its result.
type prepared struct {
	driver.Stmt
	values []driver.Value
}

func openSession(path string, queries []string) (*sqliteSession, error) {
	conn, err := (&sqlite.Driver{}).Open(writerRole().dsn(path))
	if err != nil {
		return nil, fmt.Errorf("journal: open for writing: %w", err)
	}
	s := &sqliteSession{conn: conn, stmts: make(map[string]*prepared, len(queries))}
	for _, q := range queries {
		stmt, err := conn.Prepare(q)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("journal: prepare %q: %w", firstLine(q), err), s.finalize())
		}
		s.stmts[q] = &prepared{Stmt: stmt}
	}
	return s, nil
}

// firstLine names a query in an error.
func firstLine(q string) string {
	for i := range len(q) {
		if q[i] == '\n' {
			return q[:i]
		}
	}
	return q
}

// close implements session: it writes the log back into the database file and closes the connection.
func (s *sqliteSession) close() error { return closeSQLite(s) }

// finalize ends the statements and closes the connection.
func (s *sqliteSession) finalize() error {
	var errs []error
	for _, p := range s.stmts {
		errs = append(errs, p.Close())
	}
	errs = append(errs, s.conn.Close())
	return errors.Join(errs...)
}

// bind turns args into what the driver takes, in a buffer that the next statement reuses.
func (s *sqliteSession) bind(args []any) []driver.NamedValue {
	s.args = s.args[:0]
	for i, a := range args {
		switch v := a.(type) {
		case int:
			a = int64(v)
		case micro:
			a = int64(v)
		case bool:
			a = int64(0)
			if v {
				a = int64(1)
			}
		}
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return s.args
}

func (s *sqliteSession) run(query string, args []any) (driver.Result, error) {
	p, ok := s.stmts[query]
	if !ok {
		return nil, fmt.Errorf("journal: not prepared: %q", firstLine(query))
	}
	stmt, ok := p.Stmt.(driver.StmtExecContext)
	if !ok {
		return nil, errors.New("journal: the driver's statements cannot execute")
	}
	return stmt.ExecContext(context.Background(), s.bind(args))
}

// control runs one of BEGIN, COMMIT, ROLLBACK and the savepoint statements.
func (s *sqliteSession) control(query string) error {
	_, err := s.run(query, nil)
	return err
}

// begin implements session.
func (s *sqliteSession) begin() error {
	s.lost = nil
	return s.control(queryBegin)
}

// commit implements session.
func (s *sqliteSession) commit() error { return s.control(queryCommit) }

// rollback implements session.
func (s *sqliteSession) rollback() error { return s.control(queryRollback) }

// next implements session.
func (s *sqliteSession) next() { s.dirty = false }

// wrote implements session.
func (s *sqliteSession) wrote() bool { return s.dirty }

// broken implements session. Such an error is one that may have undone more than its own statement: the disk is full, an
// I/O error.
func (s *sqliteSession) broken() error { return s.lost }

// lock implements session: SQLite has one writer, who needs none.
func (*sqliteSession) lock(...string) error { return nil }

// exec implements session.
func (s *sqliteSession) exec(query string, args ...any) (int64, error) {
	res, err := s.write(query, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// insert implements session.
func (s *sqliteSession) insert(query string, args ...any) (int64, error) {
	res, err := s.write(query, args)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// insertUnless implements session.
func (s *sqliteSession) insertUnless(query string, args ...any) (id int64, inserted bool, err error) {
	res, err := s.write(query, args)
	if err != nil {
		return 0, false, err
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return 0, false, err
	}
	id, err = res.LastInsertId()
	return id, true, err
}

func (s *sqliteSession) write(query string, args []any) (driver.Result, error) {
	res, err := s.run(query, args)
	if err == nil {
		if n, errN := res.RowsAffected(); errN != nil || n > 0 {
			s.dirty = true
		}
		return res, nil
	}
	if !constraint(err) && s.lost == nil {
		s.lost = err
	}
	return nil, err
}

// queryRow implements session.
func (s *sqliteSession) queryRow(query string, args []any, scan func(row) error) error {
	return onlyFirst(scan, func(scan func(row) error) error { return s.query(query, args, scan) })
}

// query implements session.
func (s *sqliteSession) query(query string, args []any, scan func(row) error) error {
	p, ok := s.stmts[query]
	if !ok {
		return fmt.Errorf("journal: not prepared: %q", firstLine(query))
	}
	stmt, ok := p.Stmt.(driver.StmtQueryContext)
	if !ok {
		return errors.New("journal: the driver's statements cannot query")
	}
	rows, err := stmt.QueryContext(context.Background(), s.bind(args))
	if err != nil {
		return s.failed(err)
	}
	err = s.each(p, rows, scan)
	if errClose := rows.Close(); err == nil {
		err = errClose
	}
	return err
}

func (s *sqliteSession) each(p *prepared, rows driver.Rows, scan func(row) error) error {
	if p.values == nil {
		p.values = make([]driver.Value, len(rows.Columns()))
	}
	for {
		err := rows.Next(p.values)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return s.failed(err)
		}
		if err := scan(values(p.values)); err != nil {
			return err
		}
	}
}

func (s *sqliteSession) failed(err error) error {
	if s.lost == nil {
		s.lost = err
	}
	return err
}

// values is a row of the driver.
type values []driver.Value

// Scan implements row for the types that the journal's nouns have.
func (v values) Scan(dest ...any) error {
	if len(dest) != len(v) {
		return fmt.Errorf("journal: %d columns for %d fields", len(v), len(dest))
	}
	for i, d := range dest {
		if err := assign(d, v[i]); err != nil {
			return fmt.Errorf("journal: column %d: %w", i, err)
		}
	}
	return nil
}

func assign(dest any, v driver.Value) error {
	var ok bool
	switch d := dest.(type) {
	case sql.Scanner:
		return d.Scan(v)
	case *string:
		*d, ok = v.(string)
	case *int64:
		*d, ok = v.(int64)
	case *int:
		var n int64
		n, ok = v.(int64)
		*d = int(n)
	case *bool:
		var n int64
		n, ok = v.(int64)
		*d = n != 0
	case *[]byte:
		if v == nil {
			*d = nil
			return nil
		}
		*d, ok = v.([]byte)
	}
	if !ok {
		return fmt.Errorf("%T does not go into %T", v, dest)
	}
	return nil
}
