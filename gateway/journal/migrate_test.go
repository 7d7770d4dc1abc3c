package journal

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
)

// migrationsOf runs do on the file at path.
func migrationsOf(t *testing.T, path string, do func(*goose.Provider) error) error {
	t.Helper()
	return (&sqliteFile{path: path}).migrations(t.Context(), do)
}

// TestMigrationsGoBack takes every migration back, from a journal that holds something, and applies them again.
func TestMigrationsGoBack(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	store := func(n int) {
		t.Helper()
		j, err := Open(t.Context(), "sqlite:"+path, Options{Migrate: true})
		if err != nil {
			t.Fatal(err)
		}
		i, m := journaltest.Sample(n)
		if err := j.Update(t.Context(), func(tx gateway.Tx) error {
			if _, err := tx.InsertIntent(i); err != nil {
				return err
			}
			if err := tx.InsertMessage(m); err != nil {
				return err
			}
			return tx.InsertAttempt(&gateway.Attempt{ID: "att_1", MessageID: m.ID, N: 1, Worker: "w", StartedAt: i.CreatedAt})
		}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	store(1)
	var left int
	err := migrationsOf(t, path, func(p *goose.Provider) error {
		results, err := p.DownTo(t.Context(), 0)
		left = len(results)
		return err
	})
	all, errAll := allMigrations(&sqliteFile{})
	if err != nil || errAll != nil || left != len(all) {
		t.Fatalf("%d of %d taken back: %v, %v", left, len(all), err, errAll)
	}
	store(1) // the same ids: nothing was left
}

// TestAnOldJournalIsTakenAlong: what was stored before the second migration reads as intents and messages of no batch and
// of normal priority.
func TestAnOldJournalIsTakenAlong(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := create(path); err != nil {
		t.Fatal(err)
	}
	old := func(p *goose.Provider) error {
		_, err := p.UpTo(t.Context(), 1)
		return err
	}
	if err := migrationsOf(t, path, old); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", migrationRole().dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	i, m := journaltest.Sample(1)
	for _, statement := range []string{
		`INSERT INTO intents VALUES ('` + i.ID + `', 'huskeservice', 'sag-1', zeroblob(32), 'jobcenter', '[["digitalpost"]]', NULL, NULL,
			'', '', 'accepted', '', 1000000, NULL)`,
		`INSERT INTO intent_contents VALUES ('` + i.ID + `', '{}', '{"title":"Indkaldelse"}')`,
		`INSERT INTO messages VALUES ('` + m.ID + `', '` + i.ID + `', 0, 0, 'digitalpost', 'queued', 'u', 'a', 't', '', 0, 0, 1000000,
			1000000, NULL, NULL, 3)`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	j, err := Open(t.Context(), "sqlite:"+path, Options{Migrate: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	got, err := j.IntentView(t.Context(), "huskeservice", i.ID)
	if err != nil || got.Priority != gateway.Normal || got.Batch != "" || len(got.Messages) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if m := got.Messages[0]; m.Priority != gateway.Normal || !m.ReleasedAt.IsZero() || m.Version != 3 {
		t.Errorf("%+v", m)
	}
	due, err := j.Due(t.Context(), got.CreatedAt, gateway.DueCursor{}, 10)
	if err != nil || len(due) != 1 || due[0].Priority != gateway.Normal {
		t.Errorf("%+v, %v", due, err)
	}
}
