package documents

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

var _ gateway.Remover = (*Folder)(nil)

// Remove implements gateway.Remover: a document that is put again is a new file with a new time. The space that the file
// had is the file system's again; what lay in it can be found there until it is used anew.
func (f *Folder) Remove(ctx context.Context, sum string, putBefore time.Time) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if !isDigest(sum) {
		return false, fmt.Errorf("documents: not a SHA-256 in lower-case hexadecimal: %w", gateway.ErrNotFound)
	}
	paths := []string{f.path(sum)}
	if f.sealer != nil {
		sealed, err := f.sealedPaths(sum)
		if err != nil {
			return false, err
		}
		paths = append(paths, sealed...)
	}
	for range 2 { // again: Reseal may have given it another place, with its old time, while the first was looked at
		for _, path := range paths {
			if old, err := older(path, putBefore); err != nil || !old {
				return false, err
			}
		}
		for _, path := range paths {
			if removed, err := f.remove(path, putBefore); err != nil || !removed {
				return false, err
			}
		}
	}
	return true, nil
}

// older reports whether a file was written before the given time, or is not there.
func older(path string, than time.Time) (bool, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("documents: %w", err)
	}
	return info.ModTime().Before(than), nil
}

// remove takes a file away from its name, looks whether it still is the old one, and removes it. One that was put meanwhile
// gets its name back.
func (f *Folder) remove(path string, putBefore time.Time) (bool, error) {
	away := filepath.Join(f.temporary(), "remove-"+filepath.Base(path))
	err := os.Rename(path, away)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("documents: %w", err)
	}
	old, err := older(away, putBefore)
	if err != nil {
		return false, err
	}
	if !old {
		if err := os.Rename(away, path); err != nil { // over the same content, if it was put once more
			return false, fmt.Errorf("documents: %w", err)
		}
		return false, syncFolder(filepath.Dir(path))
	}
	if err := os.Remove(away); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("documents: %w", err)
	}
	return true, syncFolder(filepath.Dir(path))
}
