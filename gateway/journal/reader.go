package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/brevdue/brevdue/gateway"
)

// reader answers questions. Its methods stand next to their nouns.
type reader struct{ pool pool }

// pool is the connections that read. They see committed data only. Queries are the constants of this package, in the words
// of SQLite, or built from such parts.
type pool interface {
	source
	// snapshot runs ask in one read transaction, so that several statements see the same moment.
	snapshot(ctx context.Context, ask func(source) error) error
	// all asks questions of one moment whose arguments are known beforehand: one journey, where a question costs one.
	all(ctx context.Context, questions []question) error
	// horizon is the number of the last event before which every event is visible or will never be. Ask for it before the
	// events.
	horizon(ctx context.Context) (int64, error)
	// wrap turns the database's words into the gateway's.
	wrap(op string, err error) error
	ping(ctx context.Context) error
	close() error
}

// source is what takes a question.
type source interface {
	// query calls scan for every row of a result, until scan returns an error.
	query(ctx context.Context, query string, args []any, scan func(row) error) error
}

// question is a query that is asked together with others.
type question struct {
	query string
	args  []any
	scan  func(row) error
	one   bool // it must have a row, and only the first is scanned
}

// ask asks of.
func (q question) ask(ctx context.Context, of source) error {
	if q.one {
		return first(ctx, of, q.query, q.scan, q.args)
	}
	return of.query(ctx, q.query, q.args, q.scan)
}

// readerQueries lists what the readers ask all the time.
func readerQueries() []string {
	return append(dossierQueries(),
		selectIntent, selectDocuments, selectIntentHead, selectIntentOfProducer, selectMessagesOf, selectMessagesOfMany,
		selectEventsOf, selectEvents, selectEventsOfProducer,
		selectDue, selectAbandoned, selectOpenAttempts, selectReceipt, selectQuarantine, selectQuarantineEnd, selectMatchable,
		selectUnreadable, selectUnreadableBodies, selectAwaiting, selectOverdue, selectOverdueCounts, selectQuarantineCount,
		selectUnreadableCount, selectHeldCount, selectUpload, selectBatch, selectBatchStatuses,
		selectPostReceipt, selectPost, selectPostContent, selectPostDocuments, selectPostEvents, selectPosts, selectDuePosts,
		selectPostCounts, selectOldestPost,
		selectCallbackHead, selectCallbacksDue, selectCallbackCounts, selectCallbackTally,
		selectIntentsOf, selectNewestRecipient,
	)
}

// snapshot runs ask in one read transaction, so that several statements see the same moment.
func (r reader) snapshot(ctx context.Context, op string, ask func(s snapshot) error) error {
	var own error // of ask, which has its operation in it
	err := r.pool.snapshot(ctx, func(of source) error {
		own = ask(snapshot{pool: r.pool, source: of, ctx: ctx, op: op})
		return own
	})
	if own != nil {
		return own
	}
	return r.pool.wrap(op, err)
}

// snapshot is a read transaction. It lives as long as the call that made it.
type snapshot struct {
	pool   pool
	source source
	ctx    context.Context //nolint:containedctx // a snapshot never outlives the call whose context it is
	op     string
}

func (s snapshot) one(query string, scan func(row) error, args ...any) error {
	return s.pool.wrap(s.op, first(s.ctx, s.source, query, scan, args))
}

func (s snapshot) many(query string, scan func(row) error, args ...any) error {
	return s.pool.wrap(s.op, s.source.query(s.ctx, query, args, scan))
}

// many calls scan for every row of a query.
func (r reader) many(ctx context.Context, op, query string, scan func(row) error, args ...any) error {
	return r.pool.wrap(op, r.pool.query(ctx, query, args, scan))
}

// one scans the only row of a query. ErrNotFound.
func (r reader) one(ctx context.Context, op, query string, scan func(row) error, args ...any) error {
	return r.pool.wrap(op, first(ctx, r.pool, query, scan, args))
}

// first scans the first row of a result. sql.ErrNoRows when there is none.
func first(ctx context.Context, of source, query string, scan func(row) error, args []any) error {
	return onlyFirst(scan, func(scan func(row) error) error { return of.query(ctx, query, args, scan) })
}

// errEnough ends a query early.
var errEnough = errors.New("enough rows")

// onlyFirst runs a query for its first row.
func onlyFirst(scan func(row) error, query func(scan func(row) error) error) error {
	found := false
	err := query(func(r row) error {
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

// guarded reports whether err is the refusal of one of the schema's triggers.
func guarded(err error) bool {
	return code(err) == sqlite3.SQLITE_CONSTRAINT_TRIGGER || state(err) == refusedState
}

// wrap names the operation and turns SQL's words into the gateway's: no row is ErrNotFound, a trigger's refusal is
// ErrTransition, and a database that does not answer is ErrUnavailable.
func wrap(op string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("journal: %s: %w", op, gateway.ErrNotFound)
	case guarded(err):
		return fmt.Errorf("journal: %s: %w: %w", op, gateway.ErrTransition, err)
	case unreachable(err):
		return fmt.Errorf("journal: %s: %w: %w", op, gateway.ErrUnavailable, err)
	default:
		return fmt.Errorf("journal: %s: %w", op, err)
	}
}
