package main

import (
	"context"
	"fmt"

	"github.com/brevdue/brevdue/gateway/journal/pgtest"
)

// startJournal starts the server that the journals of all parts stand on, when one is asked for.
func (b *bench) startJournal(ctx context.Context) error {
	switch b.journal {
	case "sqlite":
		return nil
	case "postgres":
		var err error
		b.postgres, err = pgtest.Start(ctx)
		return err
	default:
		return fmt.Errorf("-journal %q: use sqlite or postgres", b.journal)
	}
}

func (b *bench) stopJournal() {
	if b.postgres == nil {
		return
	}
	if err := b.postgres.Close(); err != nil {
		fmt.Fprintln(b.progress, "bench:", err)
	}
}

// onPostgres has a gateway keep its journal in a database of its own.
func (b *bench) onPostgres(ctx context.Context, change func(map[string]any)) (func(map[string]any), error) {
	url, err := b.postgres.Database(ctx, "")
	if err != nil {
		return nil, err
	}
	return func(settings map[string]any) {
		settings["journal"] = map[string]any{"url": url}
		if change != nil {
			change(settings)
		}
	}, nil
}

// durability says what an acknowledged update survives on.
func (b *bench) durability() string {
	if b.postgres != nil {
		return "PostgreSQL synchronous_commit on"
	}
	return "SQLite FULL"
}
