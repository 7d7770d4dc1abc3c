package backup

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// entry is a line of Sums.
type entry struct{ sum, name string }

// Restored is what was put back.
type Restored struct {
	About

	// Missing documents are spoken of by the journal and not in the backup: they were erased between the two copies, or the
	// gateway had lost them before. Not counted where documents are sealed: without the keys their names tell nothing.
	Missing int
}

// Restore puts the backup in dir where there is neither a journal nor a document. After an error nothing that it wrote may
// be used: remove it before the next try. No gateway may serve there.
func Restore(ctx context.Context, dir string, to Place) (Restored, error) {
	if err := vacant(to); err != nil {
		return Restored{}, err
	}
	from, err := os.OpenRoot(dir)
	if err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	defer func() { _ = from.Close() }()
	entries, err := read(from)
	if err != nil {
		return Restored{}, err
	}
	if err := os.MkdirAll(to.Documents, 0o700); err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(to.Journal), 0o700); err != nil {
		return Restored{}, fmt.Errorf("restore: %w", err)
	}
	var r Restored
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return Restored{}, err
		}
		if e.name == about {
			if err := told(from, e, &r.About); err != nil {
				return Restored{}, err
			}
			continue
		}
		if err := bring(from, e, to); err != nil {
			return Restored{}, err
		}
	}
	if r.At.IsZero() {
		return Restored{}, fmt.Errorf("restore: %s does not name %s", Sums, about)
	}
	r.Missing, err = lookThrough(ctx, to)
	return r, err
}

// vacant refuses to write over anything.
func vacant(to Place) error {
	for _, file := range []string{to.Journal, to.Journal + "-wal", to.Journal + "-shm"} {
		if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("restore: %s is there: move it away first", file)
		}
	}
	if err := empty(to.Documents); err != nil {
		return fmt.Errorf("restore: the folder of documents: %w", err)
	}
	return nil
}

// read reads Sums, and refuses names that are none of a backup's.
func read(from *os.Root) ([]entry, error) {
	file, err := from.Open(Sums)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("restore: there is no %s: the backup is none, or was not finished", Sums)
	}
	if err != nil {
		return nil, fmt.Errorf("restore: %w", err)
	}
	defer func() { _ = file.Close() }()
	return parse(file)
}

func parse(r io.Reader) ([]entry, error) {
	var entries []entry
	seen := map[string]bool{}
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		known := name == journal || name == about || strings.HasPrefix(name, documents+"/")
		if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != 32 || !known || !fs.ValidPath(name) || seen[name] {
			return nil, fmt.Errorf("restore: line %d of %s is none of a backup's", n, Sums)
		}
		seen[name] = true
		entries = append(entries, entry{sum: strings.ToLower(sum), name: name})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("restore: %s: %w", Sums, err)
	}
	if !seen[journal] {
		return nil, fmt.Errorf("restore: %s does not name %s", Sums, journal)
	}
	return entries, nil
}

// told reads what the backup says of itself.
func told(from *os.Root, e entry, a *About) error {
	raw, err := from.ReadFile(e.name)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := json.Unmarshal(raw, a); err != nil {
		return fmt.Errorf("restore: %s: %w", e.name, err)
	}
	return nil
}

// bring copies one file to its place and compares its digest.
func bring(from *os.Root, e entry, to Place) error {
	folder, name := to.Documents, strings.TrimPrefix(e.name, documents+"/")
	if e.name == journal {
		folder, name = filepath.Dir(to.Journal), filepath.Base(to.Journal)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer func() { _ = root.Close() }()
	file, err := from.Open(e.name)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	defer func() { _ = file.Close() }()
	sum, _, err := put(root, name, file)
	if err != nil {
		return err
	}
	if hex.EncodeToString(sum) != e.sum {
		_ = root.Remove(name) // it must not be taken for what it is not
		return fmt.Errorf("restore: %s is not what was backed up: its SHA-256 differs", e.name)
	}
	return nil
}

// lookThrough has SQLite check the journal, and counts the documents that the journal speaks of and that are not there.
func lookThrough(ctx context.Context, to Place) (int, error) {
	db, err := open(to.Journal)
	if err != nil {
		return 0, err
	}
	defer func() { _ = db.Close() }()
	var answer string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&answer); err != nil || answer != "ok" {
		return 0, errors.Join(errors.New("restore: SQLite finds the journal damaged: "+answer), err)
	}
	if _, err := os.Lstat(filepath.Join(to.Documents, "sealed")); err == nil {
		return 0, nil
	}
	rows, err := db.QueryContext(ctx, `SELECT sha256 FROM intent_documents WHERE inline IS NULL
		UNION SELECT sha256 FROM uploads UNION SELECT sha256 FROM post_documents UNION SELECT memo_sha256 FROM posts`)
	if err != nil {
		return 0, fmt.Errorf("restore: ask the journal: %w", err)
	}
	defer func() { _ = rows.Close() }()
	missing := 0
	for rows.Next() {
		var sum string
		if err := rows.Scan(&sum); err != nil {
			return 0, fmt.Errorf("restore: ask the journal: %w", err)
		}
		if len(sum) != 64 || strings.Trim(sum, "0123456789abcdef") != "" {
			continue // none that is in the store
		}
		if _, err := os.Lstat(filepath.Join(to.Documents, filepath.FromSlash(path.Join(sum[:2], sum[2:4], sum)))); err != nil {
			missing++
		}
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("restore: ask the journal: %w", err)
	}
	return missing, nil
}
