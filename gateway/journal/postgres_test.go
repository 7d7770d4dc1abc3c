package journal_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
	"github.com/brevdue/brevdue/gateway/journal/pgtest"
)

// cluster is a server that the tests of this package share, and a database on it that every test's own begins as.
type cluster struct {
	server *pgtest.Server
	err    error
}

// template is the migrated database that others begin as.
const template = "migrated"

// shared starts the server when the first test asks for it; TestMain closes it.
var shared = sync.OnceValue(func() cluster { // a server takes seconds to start
	ctx := context.Background()
	s, err := pgtest.Start(ctx)
	if err == nil {
		err = s.Exec(ctx, "postgres", "CREATE DATABASE "+template+" TEMPLATE template0")
	}
	if err == nil {
		_, err = journal.Migrate(ctx, s.URL(template))
	}
	started.Store(s != nil)
	return cluster{server: s, err: err}
})

// started: shared has a server.
var started atomic.Bool

// database returns the url of a migrated, empty database on the shared server.
func database(t testing.TB) string {
	t.Helper()
	c := shared()
	if errors.Is(c.err, pgtest.ErrMissing) {
		pgtest.Missing(t)
	}
	if c.err != nil {
		t.Fatal(c.err)
	}
	url, err := c.server.Database(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// openPostgres opens a journal and closes it with the test.
func openPostgres(t testing.TB, url string, opts journal.Options) *journal.Journal {
	t.Helper()
	j, err := journal.Open(t.Context(), url, opts)
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

// TestSealedPostgres is TestSealedJournal on PostgreSQL.
func TestSealedPostgres(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) gateway.Journal {
		t.Helper()
		return openSealed(t, database(t), newKeys(t, t.TempDir(), nil))
	})
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) gateway.Journal {
		t.Helper()
		return openPostgres(t, database(t), journal.Options{})
	})
}

// processes is how many journals are opened on one database.
const processes = 3

func TestPostgresTogether(t *testing.T) {
	t.Parallel()
	journaltest.Together(t, func(t *testing.T) []gateway.Journal {
		t.Helper()
		url := database(t)
		var opened []gateway.Journal
		for range processes {
			opened = append(opened, openPostgres(t, url, journal.Options{}))
		}
		return opened
	})
}
