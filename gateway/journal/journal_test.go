package journal_test

import (
	"path/filepath"
	"testing"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
)

func open(t *testing.T) gateway.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), journal.Options{Migrate: true})
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

func TestJournal(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, open)
}

// TestSealedJournal: with keys a journal keeps every promise that it keeps without.
func TestSealedJournal(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) gateway.Journal {
		t.Helper()
		return openSealed(t, "sqlite:"+filepath.Join(t.TempDir(), "journal.db"), newKeys(t, t.TempDir(), nil))
	})
}

func TestTogether(t *testing.T) {
	t.Parallel()
	journaltest.Together(t, func(t *testing.T) []gateway.Journal {
		t.Helper()
		path := filepath.Join(t.TempDir(), "journal.db")
		return []gateway.Journal{at(t, path), at(t, path)}
	})
}
