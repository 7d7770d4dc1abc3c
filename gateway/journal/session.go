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

// row is one row of a result: *sql.Row, *sql.Rows and the writer's own.
type row interface{ Scan(dest ...any) error }

// session is the one connection that writes, with every statement prepared once. It belongs to one goroutine, uses
// the driver without database/sql in between (no pool, no locks, no reflection: about a third of the time of a small
// statement), and reuses its buffers.
type session struct {
	conn  driver.Conn
	stmts map[string]*prepared
	args  []driver.NamedValue
	// broken is the first error since begin that may have undone more than its own statement: the disk is full, an
	// I/O error. Nothing of the transaction can be trusted after it.
	broken error
	// writes counts the statements since begin that changed something or tried to.
	writes int
}

// prepared is a statement and the buffer that takes a row of its result.
type prepared struct {
	driver.Stmt
	values []driver.Value
}

func openSession(path string, queries []string) (*session, error) {
	conn, err := (&sqlite.Driver{}).Open(writerRole().dsn(path))
	if err != nil {
		return nil, fmt.Errorf("journal: open for writing: %w", err)
	}
	s := &session{conn: conn, stmts: make(map[string]*prepared, len(queries))}
	for _, q := range queries {
		stmt, err := conn.Prepare(q)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("journal: prepare %q: %w", firstLine(q), err), s.close())
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

// close finalizes the statements and closes the connection.
func (s *session) close() error {
	var errs []error
	for _, p := range s.stmts {
		errs = append(errs, p.Close())
	}
	errs = append(errs, s.conn.Close())
	return errors.Join(errs...)
}

// bind turns args into what the driver takes, in a buffer that the next statement reuses.
func (s *session) bind(args []any) []driver.NamedValue {
	s.args = s.args[:0]
	for i, a := range args {
		switch v := a.(type) {
		case int:
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

func (s *session) run(query string, args []any) (driver.Result, error) {
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
func (s *session) control(query string) error {
	_, err := s.run(query, nil)
	return err
}

// exec runs a statement that writes and returns how many rows it wrote.
func (s *session) exec(query string, args ...any) (int64, error) {
	res, err := s.write(query, args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// insert runs a statement that inserts one row and returns its number.
func (s *session) insert(query string, args ...any) (int64, error) {
	res, err := s.write(query, args)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// insertUnless runs a statement that inserts one row or none, and returns its number.
func (s *session) insertUnless(query string, args ...any) (id int64, inserted bool, err error) {
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

func (s *session) write(query string, args []any) (driver.Result, error) {
	res, err := s.run(query, args)
	if err == nil {
		if n, errN := res.RowsAffected(); errN != nil || n > 0 {
			s.writes++
		}
		return res, nil
	}
	if !constraint(err) && s.broken == nil {
		s.broken = err
	}
	return nil, err
}

// queryRow scans the first row of a result. sql.ErrNoRows when there is none.
func (s *session) queryRow(query string, args []any, scan func(row) error) error {
	found := false
	err := s.query(query, args, func(r row) error {
		found = true
		if err := scan(r); err != nil {
			return err
		}
		return errEnough
	})
	switch {
	case err != nil && !errors.Is(err, errEnough):
		return err
	case !found:
		return sql.ErrNoRows
	}
	return nil
}

// errEnough ends a query early.
var errEnough = errors.New("enough rows")

// query calls scan for every row of a result.
func (s *session) query(query string, args []any, scan func(row) error) error {
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

func (s *session) each(p *prepared, rows driver.Rows, scan func(row) error) error {
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

func (s *session) failed(err error) error {
	if s.broken == nil {
		s.broken = err
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
