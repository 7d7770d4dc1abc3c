package journal

import (
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
	"github.com/brevdue/brevdue/gateway/journal/pgtest"
)

// TestPostgresMigrationsGoBack is TestMigrationsGoBack on PostgreSQL.
func TestPostgresMigrationsGoBack(t *testing.T) {
	t.Parallel()
	url, err := pgtest.New(t).Database(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	store := func() {
		t.Helper()
		j, err := Open(t.Context(), url, Options{Migrate: true})
		if err != nil {
			t.Fatal(err)
		}
		i, m := journaltest.Sample(1)
		if err := j.Update(t.Context(), func(tx gateway.Tx) error {
			if _, err := tx.InsertIntent(i); err != nil {
				return err
			}
			return tx.InsertMessage(m)
		}); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	store()
	p, err := newPostgres(url)
	if err != nil {
		t.Fatal(err)
	}
	var left int
	err = p.migrations(t.Context(), func(p *goose.Provider) error {
		results, err := p.DownTo(t.Context(), 0)
		left = len(results)
		return err
	})
	all, errAll := allMigrations(p)
	if err != nil || errAll != nil || left != len(all) {
		t.Fatalf("%d of %d taken back: %v, %v", left, len(all), err, errAll)
	}
	store() // the same ids: nothing was left
}

// TestNumberArgs: every question mark becomes an argument of its own.
func TestNumberArgs(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"":                                   "",
		"SELECT 1":                           "SELECT 1",
		"a = ? AND (b = ? OR ? = '')":        "a = $1 AND (b = $2 OR $3 = '')",
		"SELECT x FROM c INDEXED BY i WHERE": "SELECT x FROM c WHERE",
	} {
		if got := postgresWords(query); got != want {
			t.Errorf("%q became %q", query, got)
		}
	}
}
