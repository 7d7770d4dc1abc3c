// Package backup copies a gateway's journal in SQLite and its folder of documents while the gateway serves, and puts them
// back.
//
// The job, in the order it happens:
//
//  1. [Write] takes the journal as it is in one read transaction, and then copies every document. Documents are in their
//     folder before the journal speaks of them, and never change, so everything that the copied journal speaks of is among
//     them. What is written later is surplus and does no harm.
//  2. Each file's SHA-256 is written to [Sums] in the form of sha256sum, last and in one step: a folder without it is no
//     backup. So `sha256sum -c SHA256SUMS` checks a backup without this program.
//  3. [Restore] refuses to write over anything, checks every file against its digest while it copies it, has SQLite look the
//     journal through, and looks for every document that the journal speaks of.
//
// Keys are not in it: a backup beside the keys of what it holds would be sealed for nobody.
package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the journal's engine
)

// The files of a backup.
const (
	Sums      = "SHA256SUMS"
	about     = "backup.json"
	journal   = "journal.db"
	documents = "documents"
)

// Place is where a gateway keeps what is backed up.
type Place struct {
	Journal   string // the file of SQLite
	Documents string // the folder
}

// ErrEngine is returned for a journal or a document store that has tools of its own for this.
var ErrEngine = errors.New("only a journal in SQLite and documents in a folder are copied by this command; PostgreSQL and " +
	"S3 have their own tools, see docs/operations.md")

// PlaceOf reads the URLs of the configuration. Its error is ErrEngine.
func PlaceOf(journalURL, documentsURL string) (Place, error) {
	file, ok := strings.CutPrefix(journalURL, "sqlite:")
	folder, also := strings.CutPrefix(documentsURL, "file:")
	if !ok || !also {
		return Place{}, ErrEngine
	}
	return Place{Journal: file, Documents: folder}, nil
}

// About is what a backup says of itself.
type About struct {
	Version   string    `json:"version"`   // of the program that wrote it
	At        time.Time `json:"at"`        // everything that was answered for before is in it
	Documents int       `json:"documents"` // files
	Bytes     int64     `json:"bytes"`     // of everything
}

// Write writes a backup into dir, which it makes, or which is empty. The gateway may serve meanwhile.
func Write(ctx context.Context, from Place, dir, version string, now time.Time) (About, error) {
	if err := empty(dir); err != nil {
		return About{}, err
	}
	if _, err := os.Stat(from.Journal); err != nil {
		return About{}, fmt.Errorf("backup: journal: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return About{}, fmt.Errorf("backup: %w", err)
	}
	if err := snapshot(ctx, from.Journal, filepath.Join(dir, journal)); err != nil {
		return About{}, err
	}
	to, err := os.OpenRoot(dir)
	if err != nil {
		return About{}, fmt.Errorf("backup: %w", err)
	}
	defer func() { _ = to.Close() }()
	a, sums := About{Version: version, At: now.UTC()}, &bytes.Buffer{}
	if err := a.journal(to, sums); err != nil {
		return About{}, err
	}
	if err := a.documents(ctx, from.Documents, to, sums); err != nil {
		return About{}, err
	}
	return a, a.finish(to, sums)
}

// journal counts and digests the snapshot.
func (a *About) journal(to *os.Root, sums io.Writer) error {
	file, err := to.Open(journal)
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	size, err := io.Copy(hash, file)
	if err == nil {
		err = file.Sync()
	}
	if err != nil {
		return fmt.Errorf("backup: journal: %w", err)
	}
	a.Bytes += size
	return line(sums, hash.Sum(nil), journal)
}

// finish writes what the backup says of itself, and makes it one.
func (a *About) finish(to *os.Root, sums *bytes.Buffer) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	text = append(text, '\n')
	sum := sha256.Sum256(text)
	if err := line(sums, sum[:], about); err != nil {
		return err
	}
	if _, _, err := put(to, about, bytes.NewReader(text)); err != nil {
		return err
	}
	_, _, err = put(to, Sums, sums)
	return err
}

// snapshot lets SQLite write the journal as one read transaction sees it. The log of changes that are not in the file yet is
// in it.
func snapshot(ctx context.Context, from, to string) error {
	// SQLite takes an empty file; one that it made itself others could read.
	file, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the operator names the folder
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	db, err := open(from)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("backup: copy the journal: %w", err)
	}
	return nil
}

func open(file string) (*sql.DB, error) {
	abs, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	dsn := url.URL{Scheme: "file", OmitHost: true, Path: filepath.ToSlash(abs), RawQuery: "_pragma=busy_timeout(10000)"}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// documents copies every file of the store but those that are being written. One that disappears meanwhile was erased, or
// moved to where sealed ones are, which comes last.
func (a *About) documents(ctx context.Context, folder string, to *os.Root, sums io.Writer) error {
	from, err := os.OpenRoot(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was stored yet
	}
	if err != nil {
		return fmt.Errorf("backup: documents: %w", err)
	}
	defer func() { _ = from.Close() }()
	err = fs.WalkDir(from.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		case name == "tmp":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		file, err := from.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		target := path.Join(documents, name)
		sum, size, err := put(to, target, file)
		if err != nil {
			return err
		}
		a.Documents++
		a.Bytes += size
		return line(sums, sum, target)
	})
	if err != nil {
		return fmt.Errorf("backup: documents: %w", err)
	}
	return nil
}

// line is one of sha256sum.
func line(to io.Writer, sum []byte, name string) error {
	if _, err := fmt.Fprintf(to, "%s  %s\n", hex.EncodeToString(sum), name); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// put writes a file of this user's own, flushed, under its name when it is whole.
func put(to *os.Root, name string, from io.Reader) ([]byte, int64, error) {
	if err := to.MkdirAll(path.Dir(name), 0o700); err != nil {
		return nil, 0, fmt.Errorf("backup: %w", err)
	}
	half := name + ".part"
	file, err := to.OpenFile(half, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, 0, fmt.Errorf("backup: %w", err)
	}
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(file, hash), from)
	if err == nil {
		err = file.Sync()
	}
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = to.Rename(half, name)
	}
	if err == nil {
		err = flush(to, path.Dir(name))
	}
	if err != nil {
		return nil, 0, fmt.Errorf("backup: write %s: %w", name, err)
	}
	return hash.Sum(nil), size, nil
}

// flush makes the names in a folder last.
func flush(root *os.Root, folder string) error {
	d, err := root.Open(folder)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// empty refuses a folder that has something in it.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("backup: %s is not empty: name a new folder", dir)
	}
	return nil
}
