package journal

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// postgresSession is a connection of a writer. Between it and the server every statement costs a journey, which takes longer
// than the statement. So a statement whose outcome is foreseen (an insert that nothing is in the way of, a change of a row
// that was just read and locked) is put off and travels with the next question, or with the end. Should it come out
// otherwise, the group runs again, apart, and then nothing is put off.
type postgresSession struct {
	server  *postgres
	words   map[string]string
	conn    *pgx.Conn  // nil: none
	careful bool       // nothing is put off
	tries   int        // of the same update, which others were in the way of
	waiting func() int // how many updates wait

	batch *pgx.Batch // what travels next
	wants []want     // what is expected of it
	lost  error      // see broken
	dirty bool       // see wrote
	asked bool       // for xid
	xid   string     // of the transaction, once it has written; "": not known
	name  string     // of the connection in commits
	count int64      // of the transactions of the connection that wrote

	head    *savedRow // of the intent of the message that was asked for last: the next question
	numbers []int64   // taken for the events of the transaction
	ahead   bool      // numbers travels with the next journey
}

// want is what is expected of a statement that was put off.
type want struct {
	query string
	rows  int64 // how many it writes
	into  any   // where its only column goes; nil: nowhere
}

// anyRows is the want of a statement that may write any number of rows.
const anyRows = -1

// foreseen are the statements that may be put off, with the number of rows that they will write.
func foreseen(query string) (rows int64, may bool) {
	switch query {
	case insertContent, insertDocument, insertMessage, insertAttempt, insertPostContent, insertPostDocument, insertUpload, insertBatch,
		updateMessage, updateIntentStatus, closeAttempt, updateEvidence, updatePost, updateBatch, matchReceipt,
		insertCallback, claimCallback, tallyDelivered, tallyFailed, upsertWorker, insertEvent:
		return 1, true
	case insertManifest, nextOfLane, deleteWorker:
		return anyRows, true
	}
	return 0, false
}

// mostNumbers bounds how many events' numbers are taken ahead.
const mostNumbers = 32

// numbersWithLock is how many come with a lock: most updates write one event, and one that goes on to the next channel two.
const numbersWithLock = 2

// hurried is how many times an update tries beside all others. Then it waits, holding nothing, until it is the only one of
// those that had no luck: so each gets its turn.
const hurried = 3

// turn is the name of that lock, which no hash is likely to be.
const turn = int64(nameSpace)

// The statements of a session's own.
const (
	waitLong    = "SET LOCAL lock_timeout = '8s'"
	waitShort   = "SET LOCAL lock_timeout = '200ms'"
	takeNumbers = "SELECT journal_numbers($1)"
	lockName    = "SELECT pg_advisory_xact_lock($1)"
	// markCommit leaves a mark by which the fate of the transaction can be asked for when its commit was not answered, and
	// returns its number. Each connection writes a row of its own, in place.
	markCommit = `INSERT INTO commits (connection, number, at) VALUES ($1, $2, now())
ON CONFLICT (connection) DO UPDATE SET number = excluded.number, at = excluded.at RETURNING pg_current_xact_id()::text`
	// fateOfXID says whether the transaction with that number has ended, and how. A server that crashed may have given the
	// number to another since: then ours was lost, and "committed" is the other's; see committed.
	fateOfXID = `SELECT CASE WHEN pg_is_in_recovery() THEN '` + inRecovery + `'
	ELSE coalesce(pg_xact_status($1::text::xid8), '') END`
	committed = "SELECT EXISTS (SELECT FROM commits WHERE connection = $1 AND number = $2)"
	// forgetCommits removes the marks of connections that are long gone.
	forgetCommits = `DELETE FROM commits WHERE connection IN
	(SELECT connection FROM commits WHERE at < now() - interval '1 day' FOR UPDATE SKIP LOCKED)`
)

// inRecovery is the fate that a server does not know yet, because it follows another one.
const inRecovery = "in recovery"

// unknownXID is the SQLSTATE of a transaction's number that the server has not given to anybody.
const unknownXID = "22023"

// begin implements session. It travels with the first statement.
func (s *postgresSession) begin() error {
	s.lost, s.dirty, s.asked, s.xid = nil, false, false, ""
	s.numbers, s.ahead, s.head = nil, false, nil
	if s.conn != nil && s.conn.IsClosed() {
		s.conn = nil
	}
	if s.conn == nil {
		conn, err := s.server.connect(context.Background(), map[string]string{"lock_timeout": milliseconds(lockPatience)})
		if err != nil {
			return err
		}
		s.conn, s.name, s.count = conn, rand.Text(), 0
		if err := s.forgetCommits(); err != nil {
			s.drop()
			return err
		}
	}
	s.batch, s.wants = &pgx.Batch{}, s.wants[:0]
	s.put(want{rows: anyRows}, "begin")
	if s.tries > hurried {
		s.put(want{rows: anyRows}, waitLong)
		s.put(want{rows: anyRows}, lockName, turn)
		s.put(want{rows: anyRows}, waitShort)
	}
	return nil
}

// forgetCommits removes what dead connections have left.
func (s *postgresSession) forgetCommits() error {
	ctx, cancel := context.WithTimeout(context.Background(), connecting)
	defer cancel()
	_, err := s.conn.Exec(ctx, forgetCommits)
	return err
}

// put has a statement travel with the next journey.
func (s *postgresSession) put(w want, sql string, args ...any) {
	s.batch.Queue(sql, args...)
	s.wants = append(s.wants, w)
}

// next implements session.
func (s *postgresSession) next() { s.dirty, s.head = false, nil }

// wrote implements session.
func (s *postgresSession) wrote() bool { return s.dirty }

// broken implements session: after any error of a statement PostgreSQL takes no other.
func (s *postgresSession) broken() error { return s.lost }

// failed notes that the transaction is lost; its group may run again.
func (s *postgresSession) failed(err error) error {
	if s.lost == nil {
		s.lost = fmt.Errorf("%w: %w", errDirty, err)
	}
	return err
}

// The two kinds of advisory locks, told apart by their upper 16 bits: those of names, and the marks of journal_mark.
const nameSpace = 16972 << 48

// lock implements session.
func (s *postgresSession) lock(name ...string) error {
	h := fnv.New64a()
	for _, part := range name {
		_, _ = h.Write([]byte(part)) // never fails: hash.Hash
		_, _ = h.Write([]byte{0})
	}
	const low = 1<<48 - 1
	s.put(want{rows: anyRows}, lockName, int64(nameSpace|h.Sum64()&low)) //nolint:gosec // 63 bits
	return nil
}

// writing prepares for a statement that writes.
func (s *postgresSession) writing() {
	if !s.asked {
		s.count++
		s.put(want{rows: anyRows, into: &s.xid}, markCommit, s.name, s.count)
		s.asked = true
	}
}

// number returns the number of the next event. They are taken some at a time, as many as the updates that wait are likely to
// need; what is left over is never used.
//
// The events of a message are told in the order of their numbers. So a number for a message that others know, too, is taken
// after its intent was locked: until then another process may write an event of it, whose number would be greater than one
// that was taken before. The question that locks brings new numbers and throws away those at hand.
func (s *postgresSession) number() (int64, error) {
	if s.ahead {
		if err := s.travel(nil); err != nil {
			return 0, err
		}
	}
	if len(s.numbers) == 0 {
		s.takeNumbers()
		if err := s.travel(nil); err != nil {
			return 0, err
		}
	}
	n := s.numbers[0]
	s.numbers = s.numbers[1:]
	return n, nil
}

// keepNumbers reads the numbers that were taken behind a lock.
func (s *postgresSession) keepNumbers(answers pgx.BatchResults) error {
	rows, err := answers.Query()
	if err != nil {
		return err
	}
	return eachRow(rows, func(r row) error { return r.Scan(&s.numbers) })
}

// takeNumbers has numbers travel with the next journey.
func (s *postgresSession) takeNumbers() {
	wanted := 1
	if s.waiting != nil && !s.careful {
		wanted = min(1+s.waiting(), mostNumbers)
	}
	s.put(want{rows: anyRows, into: &s.numbers}, takeNumbers, wanted)
	s.ahead = true
}

// exec implements session.
func (s *postgresSession) exec(query string, args ...any) (int64, error) {
	words, err := s.known(query)
	if err != nil {
		return 0, err
	}
	s.writing()
	if query == updateIntentStatus {
		s.head = nil
	}
	if rows, may := foreseen(query); may && !s.careful {
		s.put(want{query: query, rows: rows}, words, postgresArgs(args)...)
		s.dirty = true
		return 1, nil
	}
	var n int64
	s.batch.Queue(words, postgresArgs(args)...)
	err = s.travel(func(r pgx.BatchResults) error {
		tag, err := r.Exec()
		n = tag.RowsAffected()
		return err
	})
	if err == nil && n > 0 {
		s.dirty = true
	}
	return n, err
}

func (s *postgresSession) known(query string) (string, error) {
	words, there := s.words[query]
	switch {
	case !there:
		return "", fmt.Errorf("journal: not prepared: %q", firstLine(query))
	case s.lost != nil:
		return "", s.lost
	}
	return words, nil
}

// insert implements session.
func (s *postgresSession) insert(query string, args ...any) (int64, error) {
	if query == insertEvent {
		n, err := s.number()
		if err != nil {
			return 0, err
		}
		_, err = s.exec(query, append([]any{n}, args...)...)
		return n, err
	}
	id, inserted, err := s.insertUnless(query, args...)
	if err == nil && !inserted {
		err = s.failed(errors.New("nothing was inserted"))
	}
	return id, err
}

// insertUnless implements session.
func (s *postgresSession) insertUnless(query string, args ...any) (id int64, inserted bool, err error) {
	words, err := s.known(query)
	if err != nil {
		return 0, false, err
	}
	s.writing()
	s.batch.Queue(words, postgresArgs(args)...)
	err = s.travel(func(r pgx.BatchResults) error {
		rows, err := r.Query()
		if err != nil {
			return err
		}
		return eachRow(rows, func(r row) error {
			inserted = true
			return r.Scan(&id)
		})
	})
	s.dirty = s.dirty || inserted
	return id, inserted, err
}

// queryRow implements session.
func (s *postgresSession) queryRow(query string, args []any, scan func(row) error) error {
	return onlyFirst(scan, func(scan func(row) error) error { return s.query(query, args, scan) })
}

// query implements session.
func (s *postgresSession) query(query string, args []any, scan func(row) error) error {
	words, err := s.known(query)
	if err != nil {
		return err
	}
	if query == selectIntentHead && s.head != nil && s.head.id == args[0] {
		return scan(s.head)
	}
	var own error // of scan, which harms nothing
	s.batch.Queue(words, postgresArgs(args)...)
	if query == selectMessage {
		s.batch.Queue(s.words[headOfMessage], args...)
	}
	locks := query == selectMessage || query == selectIntentHead
	if locks {
		s.numbers = nil // see number
		s.batch.Queue(takeNumbers, numbersWithLock)
	}
	err = s.travel(func(r pgx.BatchResults) error {
		rows, err := r.Query()
		if err != nil {
			return err
		}
		defer rows.Close()
		for own == nil && rows.Next() {
			own = scan(rows)
		}
		rows.Close()
		err = rows.Err()
		if query == selectMessage && err == nil {
			err = s.keepHead(r)
		}
		if locks && err == nil {
			err = s.keepNumbers(r)
		}
		return err
	})
	if err != nil {
		return err
	}
	return own
}

// In: message id. Out: id and intentColumns of its intent, which the message's question has locked.
const headOfMessage = `SELECT id, ` + intentColumns + ` FROM intents WHERE id = (SELECT intent_id FROM messages WHERE id = ?)`

// keepHead reads the head of the message's intent, which is asked for next more often than not.
func (s *postgresSession) keepHead(answers pgx.BatchResults) error {
	rows, err := answers.Query()
	if err != nil {
		return err
	}
	s.head = nil
	return eachRow(rows, func(row) error {
		s.head = &savedRow{types: s.conn.TypeMap(), fields: slices.Clone(rows.FieldDescriptions()[1:])}
		values := rows.RawValues()
		for _, v := range values[1:] {
			s.head.values = append(s.head.values, bytes.Clone(v)) // nil stays nil
		}
		s.head.id = string(values[0])
		return nil
	})
}

// savedRow is a row that was read before it was asked for.
type savedRow struct {
	id     any // a string
	types  *pgtype.Map
	fields []pgconn.FieldDescription
	values [][]byte
}

// Scan implements row.
func (r *savedRow) Scan(dest ...any) error {
	if len(dest) != len(r.values) {
		return fmt.Errorf("journal: %d columns for %d fields", len(r.values), len(dest))
	}
	for i, f := range r.fields {
		if err := r.types.Scan(f.DataTypeOID, f.Format, r.values[i], dest[i]); err != nil {
			return fmt.Errorf("journal: column %s: %w", f.Name, err)
		}
	}
	return nil
}

// travel sends what was put off, and one statement more when read is not nil, and reads the answers.
func (s *postgresSession) travel(read func(pgx.BatchResults) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s.ahead = false
	answers := s.conn.SendBatch(ctx, s.batch)
	err := s.look(answers)
	if err == nil && read != nil {
		err = read(answers)
	}
	if errClose := answers.Close(); err == nil {
		err = errClose
	}
	s.batch, s.wants = &pgx.Batch{}, s.wants[:0]
	if err != nil {
		return s.failed(err)
	}
	return nil
}

// look compares the answers to what was put off with what was expected.
func (s *postgresSession) look(answers pgx.BatchResults) error {
	for _, w := range s.wants {
		if w.into != nil {
			if err := answers.QueryRow().Scan(w.into); err != nil {
				return err
			}
			continue
		}
		tag, err := answers.Exec()
		if err != nil {
			return err
		}
		if n := tag.RowsAffected(); w.rows != anyRows && n != w.rows {
			return fmt.Errorf("%q wrote %d rows, %d were foreseen", firstLine(w.query), n, w.rows)
		}
	}
	return nil
}

// commit implements session.
func (s *postgresSession) commit() error {
	if len(s.wants) == 1 && s.conn.PgConn().TxStatus() == 'I' { // begin alone: nothing was asked
		return nil
	}
	if len(s.wants) > 0 {
		if err := s.travel(nil); err != nil {
			return s.lost
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tag, err := s.conn.Exec(ctx, "commit")
	switch {
	case err == nil && tag.String() == "COMMIT":
		return nil
	case err == nil:
		return s.failed(errors.New("the server rolled back"))
	case state(err) != "" && !unreachable(err):
		_ = s.failed(err) // kept in lost
		return s.lost
	case s.xid == "":
		return errors.Join(errDirty, err) // there was nothing to keep
	}
	return s.fate(err)
}

// fate finds out what became of a commit that was not answered: nil when it is durable.
func (s *postgresSession) fate(cause error) error {
	s.drop()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		switch fate, err := s.ask(ctx); {
		case err == nil && fate == "committed":
			return nil
		case err == nil && fate == "aborted":
			return fmt.Errorf("%w: the commit was undone: %w", errDirty, cause)
		case err == nil && fate == "":
			return fmt.Errorf("nobody knows what became of the commit: %w", cause)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("nobody told what became of the commit: %w", cause)
		}
		time.Sleep(pause) //nolint:forbidigo // in progress, or no server
	}
}

// ask returns the fate of the transaction: "committed", "aborted", "in progress", inRecovery, or "" when nobody knows any
// more.
func (s *postgresSession) ask(ctx context.Context) (string, error) {
	conn, err := s.server.connect(ctx, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	var fate string
	err = conn.QueryRow(ctx, fateOfXID, s.xid).Scan(&fate)
	if state(err) == unknownXID {
		return "aborted", nil // the server crashed and lost it
	}
	if err != nil || fate != "committed" {
		return fate, err
	}
	var ours bool // asked after the transaction had ended, so that its mark is seen
	if err := conn.QueryRow(ctx, committed, s.name, s.count).Scan(&ours); err != nil || ours {
		return fate, err
	}
	return "aborted", nil
}

// rollback implements session.
func (s *postgresSession) rollback() error {
	s.batch, s.wants = &pgx.Batch{}, s.wants[:0]
	if s.conn == nil || s.conn.IsClosed() {
		return nil
	}
	if s.conn.PgConn().TxStatus() == 'I' {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), connecting)
	defer cancel()
	if _, err := s.conn.Exec(ctx, "rollback"); err != nil {
		s.drop()
		return err
	}
	return nil
}

// drop ends a connection that is of no more use.
func (s *postgresSession) drop() {
	if s.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.conn.Close(ctx) // the server finds out by itself
	s.conn = nil
}

// close implements session.
func (s *postgresSession) close() error {
	s.drop()
	return nil
}
