package documents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Reseal seals every document that is not sealed under the present key, and returns how many it sealed. Documents are read
// and put meanwhile as ever: each lies in its new place before it leaves the old. It ends with ctx, and can begin again.
func (f *Folder) Reseal(ctx context.Context) (int, error) {
	if f.sealer == nil {
		return 0, errors.New("documents: there are no keys to seal with")
	}
	done := 0
	err := f.walk(ctx, func(path, key string) error {
		if key == unfinished {
			return nil
		}
		current, err := f.sealer.Current()
		if err != nil {
			return fmt.Errorf("documents: %w", err)
		}
		if key == current {
			return nil
		}
		if err := f.reseal(ctx, path, key != ""); err != nil {
			return err
		}
		done++
		return nil
	})
	return done, err
}

// reseal puts what lies at path again, and removes it there.
func (f *Folder) reseal(ctx context.Context, path string, sealed bool) error {
	file, err := os.Open(path) //nolint:gosec // a file of the store
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was removed meanwhile
	}
	if err != nil {
		return fmt.Errorf("documents: %w", err)
	}
	defer func() { _ = file.Close() }()
	var content io.Reader = file
	if sealed {
		if content, err = f.sealer.OpenFrom(file, sealedPlace); err != nil {
			return fmt.Errorf("documents: %s: %w", filepath.Base(path), err)
		}
	}
	staged, err := f.Stage(ctx, content, gateway.MaxDocument*2) // larger than anything that was ever put
	if err != nil {
		return fmt.Errorf("documents: %s: %w", filepath.Base(path), err)
	}
	belongs, err := f.belongs(staged.SHA256(), path)
	if err != nil || !belongs {
		return errors.Join(err, staged.Drop(), fmt.Errorf("documents: %s: %w: another document lies in its place", filepath.Base(path),
			gateway.ErrSealed))
	}
	return errors.Join(f.replace(file, path, staged), staged.Drop())
}

// replace gives what was sealed anew its name and takes the old file away. It has the old one's time, for [Folder.Remove];
// where the document was put meanwhile, that one stays. Where Remove took the old file away meanwhile, no new one is left.
func (f *Folder) replace(old *os.File, path string, staged *Staged) error {
	now, err := f.newPath(staged.SHA256())
	if err != nil {
		return err
	}
	info, err := old.Stat()
	if err == nil {
		err = os.Chtimes(staged.file, info.ModTime(), info.ModTime())
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(now), 0o700)
	}
	if err != nil {
		return fmt.Errorf("documents: %w", err)
	}
	if now == path { // the keys changed between its first byte and its name
		if there, err := os.Lstat(path); err != nil || !os.SameFile(there, info) {
			return nil //nolint:nilerr // it was removed, or put, meanwhile
		}
		if err := os.Rename(staged.file, now); err != nil {
			return fmt.Errorf("documents: %w", err)
		}
		return f.syncAbove(now)
	}
	return f.move(staged.file, now, path, info.ModTime())
}

// move gives a file its name, unless it is taken, and removes the one at path.
func (f *Folder) move(file, now, path string, at time.Time) error {
	linked := os.Link(file, now)
	if linked != nil && !errors.Is(linked, fs.ErrExist) {
		return fmt.Errorf("documents: %w", linked)
	}
	if err := f.syncAbove(now); err != nil {
		return err
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		if linked == nil {
			_, err = f.remove(now, at.Add(1))
			return err
		}
		return nil
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("documents: %w", err)
	}
	return nil
}

// belongs reports whether path is a place of the document.
func (f *Folder) belongs(sum, path string) (bool, error) {
	if path == f.path(sum) {
		return true, nil
	}
	paths, err := f.sealedPaths(sum)
	if err != nil {
		return false, err
	}
	return slices.Contains(paths, path), nil
}

// SealedUnder counts the documents by the id of their key; "" are those that are not sealed. Documents that are being
// written are among them: their key must stay.
func (f *Folder) SealedUnder(ctx context.Context) (map[string]int, error) {
	count := make(map[string]int)
	err := f.walk(ctx, func(path, key string) error {
		if key == unfinished {
			var err error
			if key, err = keyOf(path); err != nil || key == "" {
				return err
			}
		}
		count[key]++
		return nil
	})
	return count, err
}

// unfinished is what walk tells of a file that has no name yet.
const unfinished = "unfinished"

// walk calls do with every file and the id of its key.
func (f *Folder) walk(ctx context.Context, do func(path, key string) error) error {
	sealed := filepath.Join(f.dir, sealedFolder) + string(filepath.Separator)
	temporary := f.temporary() + string(filepath.Separator)
	err := filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist): // gone meanwhile
			return nil
		case err != nil:
			return fmt.Errorf("documents: %w", err)
		case !d.Type().IsRegular():
			return nil
		case strings.HasPrefix(path, temporary):
			return do(path, unfinished)
		case !strings.HasPrefix(path, sealed):
			if !isDigest(d.Name()) {
				return nil // not ours
			}
			return do(path, "")
		}
		key, err := keyOf(path)
		if err != nil {
			return err
		}
		if key == "" {
			if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return fmt.Errorf("documents: %s: %w: it is not sealed", d.Name(), gateway.ErrSealed)
		}
		return do(path, key)
	})
	return err //nolint:wrapcheck // all of them are wrapped above
}

// keyOf is the id of the key that a file is sealed under; "" for none, and for a file that is gone.
func keyOf(path string) (string, error) {
	file, err := os.Open(path) //nolint:gosec // a file of the store
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("documents: %w", err)
	}
	defer func() { _ = file.Close() }()
	var header [gateway.SealedHeader]byte
	n, err := io.ReadFull(file, header[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", fmt.Errorf("documents: %w", err)
	}
	key, _ := gateway.SealedUnder(header[:n])
	return key, nil
}
