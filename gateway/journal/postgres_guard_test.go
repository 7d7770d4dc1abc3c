package journal_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/journal/journaltest"
)

// execOn runs a statement beside the journal.
func execOn(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url+"&application_name=beside")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

// columnOn returns the first column of a query.
func columnOn(t *testing.T, url, query string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	rows, err := conn.Query(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestPostgresGuards writes past the program, as TestGuards does.
func TestPostgresGuards(t *testing.T) {
	t.Parallel()
	url := database(t)
	j := openPostgres(t, url, journal.Options{})
	guarded(t, j)
	for _, query := range guardedWrites() {
		query = strings.NewReplacer("x'00'", "'\\x00'", "final_at = 1", "final_at = now()", "zeroblob(32)", "decode(repeat('00', 32), 'hex')").Replace(query)
		if err := execOn(t.Context(), url, query); err == nil {
			t.Errorf("done: %s", query)
		} else if strings.Contains(err.Error(), "42") && strings.Contains(err.Error(), "SQLSTATE 42") {
			t.Errorf("not understood: %v", err)
		}
	}
	if err := execOn(t.Context(), url, "UPDATE attempts SET code = 'seen' WHERE id = 'att_2'"); err != nil {
		t.Errorf("an open attempt may change: %v", err)
	}
}

func TestPostgresOpenRefuses(t *testing.T) {
	t.Parallel()
	url := database(t)
	empty, err := shared().server.Database(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	latin := "latin1"
	if err := shared().server.Exec(t.Context(), "postgres",
		"CREATE DATABASE "+latin+" TEMPLATE template0 ENCODING 'LATIN1'"); err != nil {
		t.Fatal(err)
	}
	lossy, err := shared().server.Database(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	if err := execOn(t.Context(), lossy, "DO $$ BEGIN EXECUTE 'ALTER DATABASE '||current_database()||' SET synchronous_commit = off'; END $$"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		url, want string
		is        error
	}{
		"no server":     {"postgres://u:hemmelig@localhost/db?host=/nowhere", "", gateway.ErrUnavailable},
		"no database":   {strings.Replace(url, "/test", "/none", 1), "3D000", nil},
		"not migrated":  {empty, "", journal.ErrPendingMigration},
		"lossy commits": {lossy, "synchronous_commit off", nil},
		"not a url":     {"postgres://u:hemmelig@%/db", "cannot be read", nil},
	} {
		j, err := journal.Open(t.Context(), c.url, journal.Options{})
		if err == nil {
			_ = j.Close()
			t.Errorf("%s: opened", name)
			continue
		}
		if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hemmelig") || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if j, err := journal.Open(t.Context(), shared().server.URL(latin), journal.Options{Migrate: true}); err == nil || !strings.Contains(err.Error(), "LATIN1") {
		t.Errorf("a database that cannot keep every letter was opened: %v, %v", j, err)
	}
	openPostgres(t, lossy+"&synchronous_commit=off", journal.Options{}) // the operator said so
	openPostgres(t, empty, journal.Options{Create: true})
}

// TestPostgresKeepsWhatNobodyCanRead: a far end may write what is no text. It is kept as well as can be, and is in nobody's way.
func TestPostgresKeepsWhatNobodyCanRead(t *testing.T) {
	t.Parallel()
	j := openPostgres(t, database(t), journal.Options{})
	p := &gateway.Receipt{
		ID: "besked-1", Kind: gateway.ReceiptNote, Code: "K\x00-1", Text: "r\xe5 tekst", ReceivedAt: journalStart(), Raw: []byte("r\xe5\x00"),
	}
	if err := j.Update(t.Context(), func(tx gateway.Tx) error {
		_, err := tx.InsertReceipt(p)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	got, err := j.Receipt(t.Context(), p.ID)
	if err != nil || got.Code != "K\uFFFD-1" || got.Text != "r\uFFFD tekst" || string(got.Raw) != "r\xe5\x00" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestSchemasAgree: both engines have the same tables and columns, so that one program serves both.
func TestSchemasAgree(t *testing.T) {
	t.Parallel()
	url := database(t)
	path := t.TempDir() + "/journal.db"
	at(t, path)
	db := raw(t, path)
	var want []string
	for _, table := range column(t, db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE 'goose_%' ORDER BY name") {
		for _, name := range column(t, db, "SELECT name FROM pragma_table_info('"+table+"') ORDER BY name") {
			want = append(want, table+"."+name)
		}
	}
	got := columnOn(t, url, `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'goose_%'
			AND (table_name, column_name) <> ('callback_tallies', 'slot') -- which one writer does not need
			AND table_name <> 'commits' -- nor this
		ORDER BY table_name COLLATE "C", column_name COLLATE "C"`)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("PostgreSQL has %v\nSQLite has %v", got, want)
	}
}

// TestPostgresTwoMigrate: two processes that are started at once bring the schema up to date once.
func TestPostgresTwoMigrate(t *testing.T) {
	t.Parallel()
	if shared().err != nil {
		t.Skip(shared().err)
	}
	url, err := shared().server.Database(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var applied [2][]string
	ended := make(chan error, len(applied))
	for n := range applied {
		go func() {
			var err error
			applied[n], err = journal.Migrate(t.Context(), url)
			ended <- err
		}()
	}
	for range applied {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	all := columnOn(t, url, "SELECT version_id::text FROM goose_db_version WHERE version_id > 0 ORDER BY version_id")
	if len(applied[0])+len(applied[1]) != len(all) || len(all) == 0 {
		t.Errorf("applied %v, of %v", applied, all)
	}
	j := openPostgres(t, url, journal.Options{})
	i, m := journaltest.Sample(1)
	if err := j.Update(t.Context(), insert(i, m)); err != nil {
		t.Error(err)
	}
}
