package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// errBusy says that others kept the log from being written back.
var errBusy = errors.New("others are reading; what was erased stays in the log until it is written back")

// Scrub takes what was erased out of the files of the journal, as far as this program can. SQLite overwrites it in the database
// file (secure_delete), and here its log, which holds the pages as they were, is written back and cut off. PostgreSQL keeps old
// rows until its vacuum has come by, and bytes in free space after that: docs/retention.md says what to do.
func (j *Journal) Scrub(ctx context.Context) error {
	if j.scrub == nil {
		return nil
	}
	if err := j.scrub(ctx); err != nil {
		return fmt.Errorf("journal: scrub: %w", err)
	}
	return nil
}

// scrub writes the log back into the database file and cuts it off.
func (f *sqliteFile) scrub(ctx context.Context) error {
	db, err := sql.Open("sqlite", role{}.dsn(f.path))
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	defer func() { _ = db.Close() }()
	var busy, pages, moved int
	if err := db.QueryRowContext(ctx, queryCheckpoint).Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if busy != 0 {
		return errBusy
	}
	return nil
}
