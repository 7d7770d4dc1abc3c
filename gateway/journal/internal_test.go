package journal

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	sqlite3 "modernc.org/sqlite/lib"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
)

func openInternal(t *testing.T) *Journal {
	t.Helper()
	j, err := Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return j
}

// TestPlans asks SQLite how it answers the questions that run all the time: none may read or sort a whole table.
func TestPlans(t *testing.T) {
	t.Parallel()
	j := openInternal(t)
	for query, index := range map[string]string{
		selectDue:               "messages_due",
		findByTransmission:      "messages_transmission",
		findByUUID:              "sqlite_autoindex_messages",
		findByAfsendelse:        "sqlite_autoindex_messages",
		selectMessagesOf:        "sqlite_autoindex_messages",
		selectMessagesOfMany:    "sqlite_autoindex_messages",
		selectWaitingDuplicate:  "intents_waiting",
		selectIntentByReference: "sqlite_autoindex_intents",
		selectOpenAttempt:       "attempts_open",
		selectAbandoned:         "attempts_open",
		selectOpenAttempts:      "attempts_open",
		selectQuarantine:        "receipts_unmatched",
		selectQuarantineEnd:     "COVERING INDEX receipts_unmatched",
		selectQuarantineCount:   "COVERING INDEX receipts_unmatched",
		selectUnreadableBodies:  "unreadable_waiting",
		selectUnreadableCount:   "COVERING INDEX unreadable_waiting",
		selectHeldCount:         "COVERING INDEX messages_held",
		selectAwaiting:          "messages_awaiting",
		selectOverdue:           "messages_overdue",
		selectOverdueCounts:     "COVERING INDEX messages_overdue",
		selectEventsOfProducer:  "events_producer",
		selectEventsOf:          "events_intent",
		selectEvents:            "INTEGER PRIMARY KEY",
		selectBatchStatuses:     "COVERING INDEX intents_batch",
	} {
		plan := explain(t, sqliteOf(t, j), query)
		if !strings.Contains(plan, index) {
			t.Errorf("%s\nis answered by %s", query, plan)
		}
		if query != selectAbandoned && query != selectOpenAttempts && strings.Contains(plan, "TEMP B-TREE") { // which sorts the few open ones
			t.Errorf("%s\nsorts: %s", query, plan)
		}
	}
	matchable := explain(t, sqliteOf(t, j), selectMatchable) // which sorts the page that it looked at
	for _, part := range []string{"COVERING INDEX receipts_unmatched", "message_uuid=?", "afsendelse_id=?", "messages_transmission"} {
		if !strings.Contains(matchable, part) {
			t.Errorf("%s\nis answered by %s, without %s", selectMatchable, matchable, part)
		}
	}
	if strings.Contains(matchable, "SCAN r;") || strings.Contains(matchable, "SCAN m;") {
		t.Errorf("%s\nreads a whole table: %s", selectMatchable, matchable)
	}
}

// sqliteOf is the pool that reads.
func sqliteOf(t *testing.T, j *Journal) *sql.DB {
	t.Helper()
	sealed, is := j.pool.(sealedPool)
	if !is {
		t.Fatalf("a pool of %T", j.pool)
	}
	p, is := sealed.pool.(*sqlitePool)
	if !is {
		t.Fatalf("a pool of %T", sealed.pool)
	}
	return p.db
}

func explain(t *testing.T, db *sql.DB, query string) string {
	t.Helper()
	args := make([]any, strings.Count(query, "?"))
	for i := range args {
		args[i] = int64(1)
	}
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	var plan []string
	err = collect(rows, nil, func(r row) error {
		var id, parent, unused int
		var detail string
		err := r.Scan(&id, &parent, &unused, &detail)
		plan = append(plan, detail)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "; ")
}

// TestDiskFull lets the database run out of room in the middle of groups. Whoever was told that his update is stored
// finds it; nobody else does; and when there is room again, the journal goes on.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	j := openInternal(t)
	limit := func(pragma string) {
		t.Helper()
		if err := j.Update(t.Context(), func(tx gateway.Tx) error { return pragmaOn(tx, pragma) }); err != nil {
			t.Fatal(err)
		}
	}
	limit("PRAGMA max_page_count = 400") // of 4 KB

	const callers, each = 16, 20
	var stored [callers * each]bool
	var mu sync.Mutex
	full := 0
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for k := range each {
				n := c*each + k
				err := j.Update(context.Background(), func(tx gateway.Tx) error {
					i, m := journaltest.Sample(n)
					i.Content.Documents = []gateway.Document{journaltest.SampleDocument(20_000)}
					if _, err := tx.InsertIntent(i); err != nil {
						return fmt.Errorf("of the caller: %w", err)
					}
					_ = tx.InsertMessage(m) // a caller who does not look does not get half of it stored either
					return nil
				})
				stored[n] = err == nil
				if err != nil && code(err) != sqlite3.SQLITE_FULL {
					t.Errorf("update %d: %v", n, err)
				}
				if err != nil {
					mu.Lock()
					full++
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	if full == 0 || full == callers*each {
		t.Fatalf("%d of %d found the disk full: the test shows nothing", full, callers*each)
	}
	limit("PRAGMA max_page_count = 1000000")
	for n := range stored {
		i, _ := journaltest.Sample(n)
		view, err := j.IntentView(t.Context(), "", i.ID)
		switch {
		case stored[n] && (err != nil || len(view.Messages) != 1):
			t.Errorf("update %d was acknowledged: %v", n, err)
		case !stored[n] && !errors.Is(err, gateway.ErrNotFound):
			t.Errorf("update %d was refused: %v", n, err)
		}
	}
	if err := j.Update(t.Context(), func(tx gateway.Tx) error { return tx.Seen("worker", time.Unix(1, 0)) }); err != nil {
		t.Errorf("after there was room again: %v", err)
	}
}

// pragmaOn sets a pragma of the writing connection.
func pragmaOn(of gateway.Tx, pragma string) error {
	own, ok := of.(*tx)
	if !ok {
		return errors.New("not our transaction")
	}
	conn, ok := own.session.(sealedSession).session.(*sqliteSession).conn.(driver.ExecerContext)
	if !ok {
		return errors.New("the connection does not execute")
	}
	_, err := conn.ExecContext(context.Background(), pragma, nil)
	return err
}

// TestGroup holds the writer, hands in many updates and looks that they were committed together.
func TestGroup(t *testing.T) {
	t.Parallel()
	j := openInternal(t)
	running, release := make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		if err := j.Update(context.Background(), func(gateway.Tx) error {
			close(running)
			<-release
			return nil
		}); err != nil {
			t.Error(err)
		}
	})
	<-running
	const waiting = 50
	var commits, last int
	for n := range waiting {
		group.Go(func() {
			if err := j.Update(context.Background(), func(own gateway.Tx) error {
				if size := len(j.writers[0].group); size <= last { // runs on the writer's goroutine alone
					commits++
				}
				last = len(j.writers[0].group)
				return own.Seen(strconv.Itoa(n), time.Unix(1, 0))
			}); err != nil {
				t.Error(err)
			}
		})
	}
	for len(j.line.requests) < waiting { // no signal tells that a request lies in the line
		if t.Context().Err() != nil {
			t.Fatal("the requests never came")
		}
		runtime.Gosched()
	}
	close(release)
	group.Wait()
	if commits > 1 { // the bound of time may have cut the group of the one that was held
		t.Errorf("%d waiting updates took %d commits", waiting, commits+1)
	}
}
