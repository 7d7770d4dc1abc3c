package journal_test

import (
	"crypto/sha256"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
)

// keeping books attempt n of a message, keeps a request in it and closes it.
func keeping(t *testing.T, j *journal.Journal, m *gateway.Message, n int, request string) {
	t.Helper()
	a := &gateway.Attempt{ID: string(rune('a'+n)) + m.ID, MessageID: m.ID, N: n, Worker: "w", StartedAt: m.CreatedAt}
	err := j.Update(t.Context(), func(tx gateway.Tx) error {
		if err := tx.InsertAttempt(a); err != nil {
			return err
		}
		k := gateway.Kept{AttemptID: a.ID, Digest: sha256.Sum256([]byte(request)), Skeleton: []byte(request)}
		if err := tx.KeepRequest(&k); err != nil {
			return err
		}
		closed := *a
		closed.EndedAt, closed.Class = m.CreatedAt, gateway.Retry
		return tx.CloseAttempt(&closed)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheSameRequestIsStoredOnce(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := at(t, path)
	i, m := journaltest.Sample(1)
	i2, m2 := journaltest.Sample(2)
	if err := j.Update(t.Context(), insert(i, m)); err != nil {
		t.Fatal(err)
	}
	if err := j.Update(t.Context(), insert(i2, m2)); err != nil {
		t.Fatal(err)
	}
	for n, request := range []string{"one", "one", "two", "one", "two"} {
		keeping(t, j, m, n+1, request)
	}
	keeping(t, j, m2, 1, "one")
	db := raw(t, path)
	if got := column(t, db, "SELECT CAST(skeleton AS TEXT) FROM exhibits ORDER BY id"); !reflect.DeepEqual(got, []string{"one", "two", "one"}) {
		t.Errorf("stored %q", got)
	}
	if got := column(t, db, "SELECT exhibit_id FROM attempts ORDER BY message_id, n"); !reflect.DeepEqual(got, []string{"1", "1", "2", "1", "2", "3"}) {
		t.Errorf("attempts name %q", got)
	}
}

// A kept request changes for nobody, and may be erased.
func TestAKeptRequestIsFixed(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	j := at(t, path)
	i, m := journaltest.Sample(1)
	if err := j.Update(t.Context(), insert(i, m)); err != nil {
		t.Fatal(err)
	}
	keeping(t, j, m, 1, "one")
	if err := j.Update(t.Context(), func(tx gateway.Tx) error {
		return tx.InsertAttempt(&gateway.Attempt{ID: "open", MessageID: m.ID, N: 2, Worker: "w", StartedAt: m.CreatedAt})
	}); err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	run := func(query string) error {
		_, err := db.ExecContext(t.Context(), query)
		return err
	}
	for _, query := range []string{
		"UPDATE exhibits SET skeleton = x'00'",
		"UPDATE exhibits SET id = 7",
		"DELETE FROM exhibits",
		"UPDATE attempts SET exhibit_id = NULL WHERE n = 1",
		"UPDATE attempts SET answer = x'00' WHERE n = 1",
		"UPDATE attempts SET subject = 'other' WHERE n = 1",
	} {
		if run(query) == nil {
			t.Errorf("done: %s", query)
		}
	}
	if err := run("UPDATE exhibits SET skeleton = NULL"); err != nil {
		t.Fatalf("erase: %v", err)
	}
	_, kept, err := j.Dossier(t.Context(), "", m.ID)
	if err != nil || kept == nil || kept.Skeleton != nil || kept.Digest != sha256.Sum256([]byte("one")) {
		t.Errorf("an erased request is %+v, %v", kept, err)
	}
	for _, query := range []string{"UPDATE attempts SET exhibit_id = 1 WHERE n = 2", "UPDATE attempts SET exhibit_id = 1 WHERE n = 2"} {
		if err := run(query); err != nil {
			t.Errorf("the open attempt: %v", err)
		}
	}
	if run("UPDATE attempts SET exhibit_id = 2 WHERE n = 2") == nil {
		t.Error("the request of an open attempt was changed")
	}
}
