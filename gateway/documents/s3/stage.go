package s3

import (
	"context"
	"io"
	"sync/atomic"
)

// Staged is a document whose bytes are with the service and that nobody can open by its name yet. It is for one goroutine, but
// for Open.
type Staged struct {
	store *Store
	ctx   context.Context //nolint:containedctx // for Drop, without its end
	key   string
	sum   string
	size  int64
	kept  atomic.Bool
}

// Stage is Put without its last step: what the document came with may turn out not to be wanted after all. Keep or Drop it; a
// crash in between leaves an object that [Open] removes when it is an hour old.
func (s *Store) Stage(ctx context.Context, r io.Reader, limit int64) (*Staged, error) {
	u, sum, size, err := s.receive(ctx, r, limit)
	defer u.release() //nolint:contextcheck // it must work when ctx has ended
	if err != nil {
		return nil, err
	}
	staged := &Staged{store: s, ctx: context.WithoutCancel(ctx), key: u.key, sum: sum, size: size}
	if err := u.stage(ctx); err != nil {
		return nil, err
	}
	return staged, nil
}

// SHA256 is the name it will have, in lower-case hexadecimal.
func (s *Staged) SHA256() string { return s.sum }

// Size is how many bytes it has.
func (s *Staged) Size() int64 { return s.size }

// Open reads it from its first byte, as Store.Open.
func (s *Staged) Open(ctx context.Context) (io.ReadCloser, error) {
	if s.kept.Load() {
		return s.store.Open(ctx, s.sum)
	}
	if s.store.sealer != nil {
		return s.store.getSealed(ctx, s.key, s.sum)
	}
	o, err := s.store.get(ctx, s.key, s.sum)
	if err != nil { // o is no reader then, but would not be nil as one
		return nil, err
	}
	return o, nil
}

// Keep gives it its name, durably. A second Keep does nothing. It may be called again after an error.
func (s *Staged) Keep(ctx context.Context) error {
	if s.kept.Load() {
		return nil
	}
	key, err := s.store.newKey(s.sum)
	if err != nil {
		return err
	}
	err = s.store.settle(ctx, key, func(ctx context.Context) error { return s.store.copy(ctx, s.key, key) })
	if err != nil {
		return err
	}
	s.kept.Store(true)
	s.store.discard(ctx, s.key)
	return nil
}

// Drop removes it. After Keep it does nothing: somebody else may rely on the same content by now.
func (s *Staged) Drop() error {
	if s.kept.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(s.ctx, abortTimeout)
	defer cancel()
	return s.store.remove(ctx, s.key)
}
