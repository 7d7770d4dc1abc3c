package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// postgresPool is a pool of connections that read. They never wait for a writer.
type postgresPool struct {
	pool   *pgxpool.Pool
	words  map[string]string // of the queries of this package, in PostgreSQL's own
	closed atomic.Bool
}

func openPostgresPool(ctx context.Context, config *pgxpool.Config, connections int) (*postgresPool, error) {
	config.MaxConns = int32(min(connections, 1000)) //nolint:gosec // bounded
	config.ConnConfig.RuntimeParams["default_transaction_read_only"] = "on"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	p := &postgresPool{pool: pool, words: make(map[string]string)}
	for _, q := range readerQueries() {
		p.words[q] = postgresWords(q)
	}
	return p, nil
}

// own is a query in PostgreSQL's words.
func (p *postgresPool) own(query string) string {
	if words, known := p.words[query]; known {
		return words
	}
	return postgresWords(query)
}

// asker is a pool, or a transaction of one of its connections.
type asker interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func (p *postgresPool) ask(ctx context.Context, of asker, query string, args []any, scan func(row) error) error {
	rows, err := of.Query(ctx, p.own(query), postgresArgs(args)...)
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

// eachRow calls scan for every row and closes rows.
func eachRow(rows pgx.Rows, scan func(row) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// query implements source.
func (p *postgresPool) query(ctx context.Context, query string, args []any, scan func(row) error) error {
	return p.ask(ctx, p.pool, query, args, scan)
}

// snapshot implements pool.
func (p *postgresPool) snapshot(ctx context.Context, ask func(source) error) error {
	t, err := p.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err != nil {
		return err
	}
	defer func() { _ = t.Rollback(context.WithoutCancel(ctx)) }() // nothing was written
	return ask(postgresSnapshot{pool: p, tx: t})
}

// all implements pool.
func (p *postgresPool) all(ctx context.Context, questions []question) error {
	var batch pgx.Batch
	batch.Queue("begin read only, isolation level repeatable read")
	for _, q := range questions {
		batch.Queue(p.own(q.query), postgresArgs(q.args)...)
	}
	batch.Queue("commit")
	answers := p.pool.SendBatch(ctx, &batch)
	err := readAll(ctx, answers, questions)
	if errClose := answers.Close(); err == nil {
		err = errClose
	}
	return err
}

// readAll reads the answers to begin and the questions.
func readAll(ctx context.Context, answers pgx.BatchResults, questions []question) error {
	if _, err := answers.Exec(); err != nil {
		return err
	}
	for _, q := range questions {
		if err := q.ask(ctx, answer{answers}); err != nil {
			return err
		}
	}
	return nil
}

// answer is the next answer to a batch of questions.
type answer struct{ answers pgx.BatchResults }

// query implements source.
func (a answer) query(_ context.Context, _ string, _ []any, scan func(row) error) error {
	rows, err := a.answers.Query()
	if err != nil {
		return err
	}
	return eachRow(rows, scan)
}

// horizon implements pool.
func (p *postgresPool) horizon(ctx context.Context) (int64, error) {
	var last int64
	err := p.pool.QueryRow(ctx, "SELECT journal_horizon()").Scan(&last)
	return last, err
}

// wrap implements pool: a closed pool is ErrClosed.
func (p *postgresPool) wrap(op string, err error) error {
	if err != nil && p.closed.Load() {
		return fmt.Errorf("journal: %s: %w", op, ErrClosed)
	}
	if errors.Is(err, pgx.ErrTxClosed) {
		err = errors.Join(errLost, err)
	}
	return wrap(op, err)
}

// ping implements pool.
func (p *postgresPool) ping(ctx context.Context) error { return p.pool.Ping(ctx) }

// close implements pool.
func (p *postgresPool) close() error {
	p.closed.Store(true)
	p.pool.Close()
	return nil
}

// postgresSnapshot is a read transaction.
type postgresSnapshot struct {
	pool *postgresPool
	tx   pgx.Tx
}

// query implements source.
func (s postgresSnapshot) query(ctx context.Context, query string, args []any, scan func(row) error) error {
	return s.pool.ask(ctx, s.tx, query, args, scan)
}

// clean is a text as PostgreSQL can keep it: what is no UTF-8, and NUL, becomes the replacement character. Texts of ours have
// neither; a far end may write anything.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
