package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
)

// sqlitePool is a pool of connections that cannot write, with every query prepared once per connection. They never wait for
// the writer.
type sqlitePool struct {
	db    *sql.DB
	stmts map[string]*sql.Stmt
}

func openSQLitePool(ctx context.Context, path string, connections int) (*sqlitePool, error) {
	db, err := sql.Open("sqlite", readerRole().dsn(path))
	if err != nil {
		return nil, fmt.Errorf("journal: open for reading: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	p := &sqlitePool{db: db, stmts: make(map[string]*sql.Stmt)}
	for _, q := range readerQueries() {
		stmt, err := db.PrepareContext(ctx, q) //nolint:sqlclosecheck // lives as long as db, which closes it
		if err != nil {
			return nil, errors.Join(fmt.Errorf("journal: prepare %q: %w", firstLine(q), err), db.Close())
		}
		p.stmts[q] = stmt
	}
	return p, nil
}

// query implements source.
func (p *sqlitePool) query(ctx context.Context, query string, args []any, scan func(row) error) error {
	if stmt, prepared := p.stmts[query]; prepared {
		rows, err := stmt.QueryContext(ctx, args...)
		return collect(rows, err, scan)
	}
	rows, err := p.db.QueryContext(ctx, query, args...)
	return collect(rows, err, scan)
}

// snapshot implements pool.
func (p *sqlitePool) snapshot(ctx context.Context, ask func(source) error) error {
	t, err := p.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback() }() // nothing was written
	return ask(sqliteSnapshot{pool: p, tx: t})
}

// all implements pool.
func (p *sqlitePool) all(ctx context.Context, questions []question) error {
	return p.snapshot(ctx, func(of source) error {
		for _, q := range questions {
			if err := q.ask(ctx, of); err != nil {
				return err
			}
		}
		return nil
	})
}

// horizon implements pool: only one transaction writes at a time, so events become visible in the order of their numbers.
func (*sqlitePool) horizon(context.Context) (int64, error) { return math.MaxInt64, nil }

// wrap implements pool: a closed pool is ErrClosed.
func (*sqlitePool) wrap(op string, err error) error {
	if errors.Is(err, sql.ErrConnDone) {
		return fmt.Errorf("journal: %s: %w", op, ErrClosed)
	}
	return wrap(op, err)
}

// ping implements pool.
func (p *sqlitePool) ping(ctx context.Context) error { return p.db.PingContext(ctx) }

// close implements pool.
func (p *sqlitePool) close() error { return p.db.Close() }

// sqliteSnapshot is a read transaction.
type sqliteSnapshot struct {
	pool *sqlitePool
	tx   *sql.Tx
}

// query implements source.
func (s sqliteSnapshot) query(ctx context.Context, query string, args []any, scan func(row) error) error {
	if stmt, prepared := s.pool.stmts[query]; prepared {
		rows, err := s.tx.StmtContext(ctx, stmt).QueryContext(ctx, args...) //nolint:sqlclosecheck // the transaction closes it
		return collect(rows, err, scan)
	}
	rows, err := s.tx.QueryContext(ctx, query, args...)
	return collect(rows, err, scan)
}

func collect(rows *sql.Rows, err error, scan func(row) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
