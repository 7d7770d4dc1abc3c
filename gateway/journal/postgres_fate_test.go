package journal_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
	"github.com/brevdue/brevdue/gateway/journal/pgtest"
)

// TestPostgresLostTransactionIsNotAnothers kills the server under a transaction that has not reached its disk. After recovery
// the server gives the transaction's number to another one. When the writer then finds its connection dead and asks what
// became of its commit, the fate of the other is no answer: the update must be stored all the same when it is told of as stored.
func TestPostgresLostTransactionIsNotAnothers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts servers")
	}
	for name, burned := range map[string]int{"given to another": 64, "given to nobody yet": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := pgtest.New(t)
			url, err := server.Database(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			j := openPostgres(t, url, journal.Options{Migrate: true, Writers: 1})
			const rounds = 5 // what was written may reach the disk before the server dies; then nothing is shown
			for n := range rounds {
				if loseTransaction(t, j, server, url, n, burned) {
					return
				}
			}
			t.Errorf("no transaction was lost in %d rounds", rounds)
		})
	}
}

// loseTransaction stores intent n and kills the server before the commit is sent. It reports whether the server forgot the
// number of the transaction.
func loseTransaction(t *testing.T, j *journal.Journal, server *pgtest.Server, url string, n, burned int) bool {
	t.Helper()
	i, m := journaltest.Sample(n)
	ran, forgot := 0, false
	err := j.Update(t.Context(), func(tx gateway.Tx) error {
		if err := insert(i, m)(tx); err != nil {
			return err
		}
		if _, err := tx.IntentHead(i.ID); err != nil { // nothing is put off any more: only the commit is left
			return err
		}
		if ran++; ran > 1 {
			return nil
		}
		before := nextXID(t, url) // that of this transaction: it has not ended
		if err := server.Kill(); err != nil {
			return err
		}
		if err := server.Start(t.Context()); err != nil {
			return err
		}
		forgot = nextXID(t, url) <= before
		return execOn(t.Context(), url, fmt.Sprintf(
			"DO $$ BEGIN FOR i IN 1..%d LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$", burned))
	})
	if err != nil {
		t.Fatalf("the server is back, and the update is not stored: %v", err)
	}
	if got := columnOn(t, url, "SELECT id FROM intents WHERE id = '"+i.ID+"'"); len(got) != 1 {
		t.Fatal("an update that was told of as stored is not there")
	}
	if forgot && ran != 2 {
		t.Errorf("the update ran %d times", ran)
	}
	return forgot
}

// nextXID is the number after that of the last transaction that ended.
func nextXID(t *testing.T, url string) int64 {
	t.Helper()
	got := columnOn(t, url, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
	if len(got) != 1 {
		t.Fatal(got)
	}
	n, err := strconv.ParseInt(got[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
