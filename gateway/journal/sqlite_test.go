package journal_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
)

// at opens the journal in the file and closes it with the test.
func at(t *testing.T, path string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), "sqlite:"+path, journal.Options{Migrate: true})
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

func insert(i *gateway.Intent, m *gateway.Message) func(gateway.Tx) error {
	return func(tx gateway.Tx) error {
		if _, err := tx.InsertIntent(i); err != nil {
			return err
		}
		return tx.InsertMessage(m)
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for url, want := range map[string]string{
		"":                                  "sqlite:PATH",
		"journal.db":                        "sqlite:PATH",
		"mysql://user:secret@host/db":       "sqlite:PATH",
		"postgres://user:secret@%/db":       "cannot be read",
		"sqlite:":                           "path of a file",
		"sqlite::memory:":                   "path of a file",
		"sqlite:" + dir:                     "", // a folder
		"sqlite:" + dir + "/new/journal.db": "needs a migration",
	} {
		j, err := journal.Open(t.Context(), url, journal.Options{})
		if err == nil {
			_ = j.Close()
			t.Errorf("%q was opened", url)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q gave %v", url, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "new")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused journal was made: %v", err)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b", "50%?#.db") // characters that mean something in a data source name
	url := "sqlite:" + path
	all := []string{"00001_journal.sql", "00002_batches.sql", "00003_status.sql", "00004_callbacks.sql", "00005_exhibits.sql", "00006_posts.sql",
		"00007_seals.sql", "00008_audit.sql", "00009_erasure.sql", "00010_commits.sql"}
	pending := func(want []string) {
		t.Helper()
		got, err := journal.Pending(t.Context(), url)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("pending %v, %v; want %v", got, err, want)
		}
	}
	pending(all)
	if _, err := journal.Open(t.Context(), url, journal.Options{}); !errors.Is(err, journal.ErrPendingMigration) {
		t.Errorf("opened without a migration: %v", err)
	}
	applied, err := journal.Migrate(t.Context(), url)
	if err != nil || !reflect.DeepEqual(applied, all) {
		t.Errorf("applied %v, %v", applied, err)
	}
	pending(nil)
	if applied, err = journal.Migrate(t.Context(), url); err != nil || len(applied) != 0 {
		t.Errorf("applied %v again, %v", applied, err)
	}
	j, err := journal.Open(t.Context(), url, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	i, m := journaltest.Sample(1)
	if err := j.Update(t.Context(), insert(i, m)); err != nil {
		t.Error(err)
	}
	for name, mode := range map[string]os.FileMode{
		path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600, filepath.Dir(path): 0o700 | os.ModeDir,
	} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is left after Close: %v", err)
	}
}

func TestClose(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := journal.Open(t.Context(), "sqlite:"+path, journal.Options{Migrate: true, Readers: 1})
	if err != nil {
		t.Fatal(err)
	}
	// Many hand in updates while it closes: each is stored or refused, and none is left without an answer.
	const callers = 64
	var group sync.WaitGroup
	var stored [callers]bool
	begun := make(chan struct{}, callers)
	for n := range callers {
		group.Go(func() {
			begun <- struct{}{}
			i, m := journaltest.Sample(n)
			err := j.Update(context.Background(), insert(i, m))
			if err != nil && !errors.Is(err, journal.ErrClosed) {
				t.Error(err)
			}
			stored[n] = err == nil
		})
	}
	for range callers / 2 {
		<-begun
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	group.Wait()
	if err := j.Close(); err != nil {
		t.Errorf("closed again: %v", err)
	}
	if err := j.Update(t.Context(), func(gateway.Tx) error { return nil }); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("an update after Close gave %v", err)
	}
	if err := j.Ping(t.Context()); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("Ping after Close gave %v", err)
	}
	if _, err := j.Intent(t.Context(), "int_1"); err == nil || errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("a question after Close gave %v", err)
	}
	again := at(t, path)
	for n := range callers {
		i, _ := journaltest.Sample(n)
		_, err := again.Intent(t.Context(), i.ID)
		if stored[n] && err != nil || !stored[n] && !errors.Is(err, gateway.ErrNotFound) {
			t.Errorf("intent %d, stored %v: %v", n, stored[n], err)
		}
	}
}

// TestPersonalDataInTwoPlaces looks for what a person is known by in every column of every table.
func TestPersonalDataInTwoPlaces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := at(t, path)
	id, err := gateway.ParseCPR("2512489996")
	if err != nil {
		t.Fatal(err)
	}
	i, m := journaltest.Sample(1)
	i.Recipient = gateway.Recipient{
		ID: id, Name: "Nancy Berggren", Email: "nancy@example.dk", Mobile: "12345678",
		Address: gateway.Address{Street: "Raadhuspladsen", City: "Aarhus"},
	}
	i.Content.Text = "hemmelig tekst"
	if err := j.Update(t.Context(), insert(i, m)); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	found := map[string]bool{}
	for _, table := range column(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
		for _, name := range column(t, db, "SELECT name FROM pragma_table_info('"+table+"')") {
			for _, value := range column(t, db, "SELECT CAST("+name+" AS TEXT) FROM "+table+" WHERE "+name+" IS NOT NULL") {
				if strings.Contains(value, "•") {
					t.Errorf("%s.%s holds a mask", table, name)
				}
				for _, private := range []string{"2512489996", "Nancy", "nancy@", "12345678", "Raadhus", "Aarhus", "hemmelig"} {
					if strings.Contains(value, private) && !strings.Contains(m.ID+m.MessageUUID, private) {
						found[table+"."+name+" "+private] = true
					}
				}
			}
		}
	}
	want := map[string]bool{
		"intent_contents.recipient 2512489996": true, "intent_contents.recipient Nancy": true,
		"intent_contents.recipient nancy@": true, "intent_contents.recipient 12345678": true,
		"intent_contents.recipient Raadhus": true, "intent_contents.recipient Aarhus": true,
		"intent_contents.content hemmelig": true,
	}
	if !reflect.DeepEqual(found, want) {
		t.Errorf("personal data is in %v", found)
	}
}

// TestGuards writes past the program, as a person with a database tool might.
func TestGuards(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	guarded(t, at(t, path))
	db := raw(t, path)
	for _, query := range guardedWrites() {
		if _, err := db.ExecContext(t.Context(), query); err == nil {
			t.Errorf("done: %s", query)
		}
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE attempts SET code = 'seen' WHERE id = 'att_2'"); err != nil {
		t.Errorf("an open attempt may change: %v", err)
	}
}

// guarded stores what guardedWrites must not change.
func guarded(t *testing.T, j gateway.Journal) {
	t.Helper()
	i, m := journaltest.Sample(1)
	if err := j.Update(t.Context(), func(tx gateway.Tx) error {
		if err := insert(i, m)(tx); err != nil {
			return err
		}
		if err := tx.InsertEvent(&gateway.Event{At: i.CreatedAt, IntentID: i.ID}); err != nil {
			return err
		}
		a := &gateway.Attempt{ID: "att_1", MessageID: m.ID, N: 1, Worker: "w", StartedAt: i.CreatedAt}
		if err := tx.InsertAttempt(a); err != nil {
			return err
		}
		if err := tx.KeepEvidence(&gateway.Evidence{
			ID: "man_1", SignedAt: i.CreatedAt, Letters: []gateway.EvidenceLetter{{AttemptID: "att_1"}},
		}); err != nil {
			return err
		}
		a.EndedAt, a.Class = i.CreatedAt, gateway.Accept
		if err := tx.CloseAttempt(a); err != nil {
			return err
		}
		a.ID, a.N, a.EndedAt, a.Class = "att_2", 2, m.FinalAt, ""
		if err := tx.InsertAttempt(a); err != nil {
			return err
		}
		return tx.KeepEvidence(&gateway.Evidence{
			ID: "man_2", SignedAt: i.CreatedAt, Letters: []gateway.EvidenceLetter{{AttemptID: "att_2"}},
		})
	}); err != nil {
		t.Fatal(err)
	}
}

// guardedWrites are changes that the schema refuses.
func guardedWrites() []string {
	return []string{
		"UPDATE messages SET message_uuid = 'other'",
		"UPDATE messages SET afsendelse_id = 'other'",
		"UPDATE messages SET transaction_id = 'other'",
		"UPDATE messages SET id = 'other'",
		"UPDATE messages SET intent_id = 'other'",
		"UPDATE messages SET leg = 7",
		"UPDATE messages SET state = 'delivered'", // without its time
		"UPDATE messages SET final_at = 1",        // without its state
		"UPDATE intent_contents SET content = x'00'",
		"UPDATE intent_contents SET recipient = x'00'",
		"UPDATE intent_documents SET sha256 = ''",
		"UPDATE attempts SET code = 'other' WHERE id = 'att_1'",
		"UPDATE attempts SET ended_at = NULL, class = '' WHERE id = 'att_1'",
		"UPDATE attempts SET worker = 'other' WHERE id = 'att_2'",
		"UPDATE attempts SET digest = zeroblob(32), manifest_id = 'man_1' WHERE id = 'att_2'",
		"UPDATE attempts SET digest = NULL, manifest_id = NULL WHERE id = 'att_2'",
		"DELETE FROM attempts",
		"UPDATE events SET text = 'other'",
		"DELETE FROM intents",
		"DELETE FROM messages",
		"DELETE FROM manifests",
	}
}

// journalStart is a moment.
func journalStart() time.Time { return time.Date(2026, 11, 2, 8, 30, 0, 0, time.UTC) }

// raw opens the database beside the journal.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// column returns the first column of a query.
func column(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var found []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		found = append(found, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return found
}
