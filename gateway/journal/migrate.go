package journal

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/sqlite/*.sql
var migrations embed.FS

// Migrate applies every pending migration to the journal at url, each in its own transaction, and returns the names of
// those it applied. It makes the database when there is none.
func Migrate(ctx context.Context, url string) ([]string, error) {
	file, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if err := create(file); err != nil {
		return nil, err
	}
	var applied []string
	err = withProvider(file, func(p *goose.Provider) error {
		results, err := p.Up(ctx)
		for _, r := range results {
			applied = append(applied, path.Base(r.Source.Path))
		}
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return applied, fmt.Errorf("journal: migrate: %w", err)
	}
	return applied, nil
}

// Pending returns the names of the migrations that the journal at url still needs, in order: all of them when there is
// no database yet. It changes nothing but goose's own version table.
func Pending(ctx context.Context, url string) ([]string, error) {
	file, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return allMigrations()
	}
	var pending []string
	err = withProvider(file, func(p *goose.Provider) error {
		statuses, err := p.Status(ctx)
		for _, s := range statuses {
			if s.State == goose.StatePending {
				pending = append(pending, path.Base(s.Source.Path))
			}
		}
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, fmt.Errorf("journal: pending migrations: %w", err)
	}
	return pending, nil
}

func allMigrations() ([]string, error) {
	entries, err := migrations.ReadDir("migrations/sqlite")
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// withProvider runs do with a goose provider on a connection of its own.
func withProvider(file string, do func(*goose.Provider) error) error {
	files, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		return fmt.Errorf("embedded files: %w", err)
	}
	db, err := sql.Open("sqlite", migrationRole().dsn(file))
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("goose: %w", err)
	}
	return do(p)
}
