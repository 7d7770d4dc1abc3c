package journal

import (
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
)

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
	err := withProvider(path, func(p *goose.Provider) error {
		results, err := p.DownTo(t.Context(), 0)
		left = len(results)
		return err
	})
	all, errAll := allMigrations()
	if err != nil || errAll != nil || left != len(all) {
		t.Fatalf("%d of %d taken back: %v, %v", left, len(all), err, errAll)
	}
	store(1) // the same ids: nothing was left
}
