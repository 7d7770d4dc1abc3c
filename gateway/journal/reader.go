package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// reader answers questions over a pool of connections that cannot write. Its methods stand next to their nouns.
type reader struct {
	db    *sql.DB
	stmts map[string]*sql.Stmt
}

// readerQueries lists what is prepared once per connection.
func readerQueries() []string {
	return append(dossierQueries(),
		selectIntent, selectDocuments, selectIntentHead, selectIntentOfProducer, selectMessagesOf, selectMessagesOfMany,
		selectEventsOf, selectEvents, selectEventsOfProducer,
		selectDue, selectAbandoned, selectReceipt, selectQuarantine, selectQuarantineEnd, selectMatchable,
		selectUnreadable, selectUnreadableBodies, selectAwaiting, selectOverdue, selectOverdueCounts, selectQuarantineCount,
		selectUnreadableCount, selectHeldCount, selectUpload, selectBatch, selectBatchStatuses,
		selectPostReceipt, selectPost, selectPostContent, selectPostDocuments, selectPostEvents, selectPosts, selectDuePosts,
		selectPostCounts, selectOldestPost,
		selectCallbackHead, selectCallbacksDue, selectCallbackCounts, selectCallbackTally,
	)
}

func openReader(ctx context.Context, path string, connections int) (reader, *sql.DB, error) {
	db, err := sql.Open("sqlite", readerRole().dsn(path))
	if err != nil {
		return reader{}, nil, fmt.Errorf("journal: open for reading: %w", err)
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	r := reader{db: db, stmts: make(map[string]*sql.Stmt)}
	for _, q := range readerQueries() {
		stmt, err := db.PrepareContext(ctx, q) //nolint:sqlclosecheck // lives as long as db, which closes it
		if err != nil {
			return reader{}, nil, errors.Join(fmt.Errorf("journal: prepare %q: %w", firstLine(q), err), db.Close())
		}
		r.stmts[q] = stmt
	}
	return r, db, nil
}

// snapshot runs ask in one read transaction, so that several statements see the same moment.
func (r reader) snapshot(ctx context.Context, op string, ask func(s snapshot) error) error {
	t, err := r.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return wrapRead(op, err)
	}
	defer func() { _ = t.Rollback() }() // nothing was written
	return ask(snapshot{reader: r, ctx: ctx, tx: t, op: op})
}

// snapshot is a read transaction. It lives as long as the call that made it.
type snapshot struct {
	reader reader
	ctx    context.Context //nolint:containedctx // a snapshot never outlives the call whose context it is
	tx     *sql.Tx
	op     string
}

func (s snapshot) stmt(query string) *sql.Stmt { return s.tx.StmtContext(s.ctx, s.reader.stmts[query]) }

func (s snapshot) one(query string, scan func(row) error, args ...any) error {
	return wrapRead(s.op, scan(s.stmt(query).QueryRowContext(s.ctx, args...))) //nolint:sqlclosecheck // the transaction closes it
}

func (s snapshot) many(query string, scan func(row) error, args ...any) error {
	rows, err := s.stmt(query).QueryContext(s.ctx, args...) //nolint:sqlclosecheck // the transaction closes it
	return wrapRead(s.op, collect(rows, err, scan))
}

// many calls scan for every row of a prepared query.
func (r reader) many(ctx context.Context, op, query string, scan func(row) error, args ...any) error {
	rows, err := r.stmts[query].QueryContext(ctx, args...)
	return wrapRead(op, collect(rows, err, scan))
}

// one scans the only row of a prepared query. ErrNotFound.
func (r reader) one(ctx context.Context, op, query string, scan func(row) error, args ...any) error {
	return wrapRead(op, scan(r.stmts[query].QueryRowContext(ctx, args...)))
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

// wrapRead is wrap for a reader, which may have been closed.
func wrapRead(op string, err error) error {
	if errors.Is(err, sql.ErrConnDone) {
		return fmt.Errorf("journal: %s: %w", op, ErrClosed)
	}
	return wrap(op, err)
}
