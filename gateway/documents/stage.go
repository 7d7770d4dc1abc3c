package documents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
)

// Staged is a document whose bytes are on the disk and that nobody can open by its name yet. It is for one goroutine, but
// for Open.
type Staged struct {
	folder *Folder
	file   string
	sum    string
	size   int64
	kept   atomic.Bool
}

// Stage is Put without its last step: what the document came with may turn out not to be wanted after all. Keep or Drop it;
// a crash in between leaves a file that [Open] removes when it is an hour old.
func (f *Folder) Stage(ctx context.Context, r io.Reader, limit int64) (*Staged, error) {
	temp, err := os.CreateTemp(f.temporary(), "stage-*") // mode 0600
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	sum, size, err := f.fill(ctx, temp, r, limit)
	if errClose := temp.Close(); err == nil && errClose != nil {
		err = fmt.Errorf("documents: %w", errClose)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
		return nil, err
	}
	return &Staged{folder: f, file: temp.Name(), sum: sum, size: size}, nil
}

// SHA256 is the name it will have, in lower-case hexadecimal.
func (s *Staged) SHA256() string { return s.sum }

// Size is how many bytes it has.
func (s *Staged) Size() int64 { return s.size }

// Open reads it from its first byte, as Folder.Open.
func (s *Staged) Open(ctx context.Context) (io.ReadCloser, error) {
	if s.kept.Load() {
		return s.folder.Open(ctx, s.sum)
	}
	file, err := os.Open(s.file)
	if err != nil {
		return nil, fmt.Errorf("documents: %w", err)
	}
	if s.folder.sealer == nil {
		return file, nil
	}
	return s.folder.unseal(file, s.sum)
}

// Keep gives it its name, durably. A second Keep does nothing.
func (s *Staged) Keep(context.Context) error {
	if s.kept.Load() {
		return nil
	}
	if err := s.folder.name(s.file, s.sum); err != nil {
		return err
	}
	s.kept.Store(true)
	return nil
}

// Drop removes it. After Keep it does nothing: somebody else may rely on the same content by now.
func (s *Staged) Drop() error {
	if s.kept.Load() {
		return nil
	}
	if err := os.Remove(s.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("documents: %w", err)
	}
	return nil
}
