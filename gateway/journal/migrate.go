package journal

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"
	"path"

	"github.com/pressly/goose/v3"
)

// The migrations of each engine. Those of the same number bring both to the same tables and columns; PostgreSQL begins where
// SQLite was when it came.
//
//go:embed migrations/sqlite/*.sql migrations/postgres/*.sql
var migrations embed.FS

// Migrate applies every pending migration to the journal at url, each in its own transaction, and returns the names of
// those it applied. It makes the file of SQLite when there is none. Two processes may do so at once: one waits.
func Migrate(ctx context.Context, url string) ([]string, error) {
	e, err := engineOf(url)
	if err != nil {
		return nil, err
	}
	if err := e.prepare(); err != nil {
		return nil, err
	}
	var applied []string
	err = e.migrations(ctx, func(p *goose.Provider) error {
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
// no journal yet. It changes nothing but goose's own version table.
func Pending(ctx context.Context, url string) ([]string, error) {
	e, err := engineOf(url)
	if err != nil {
		return nil, err
	}
	missing, err := e.missing(ctx)
	if err != nil {
		return nil, err
	}
	if missing {
		return allMigrations(e)
	}
	var pending []string
	err = e.migrations(ctx, func(p *goose.Provider) error {
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

func allMigrations(e engine) ([]string, error) {
	entries, err := migrations.ReadDir(e.files())
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// withProvider runs do with a goose provider on db.
func withProvider(dialect goose.Dialect, db *sql.DB, folder string, do func(*goose.Provider) error, more ...goose.ProviderOption) error {
	files, err := fs.Sub(migrations, folder)
	if err != nil {
		return fmt.Errorf("embedded files: %w", err)
	}
	p, err := goose.NewProvider(dialect, db, files,
		append(more, goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))...)
	if err != nil {
		return fmt.Errorf("goose: %w", err)
	}
	return do(p)
}
