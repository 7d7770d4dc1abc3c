package target

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/inbound"
)

// stored is a file of a post that is read and held against what the journal says of it.
type stored struct {
	gateway.StoredFile

	open func(ctx context.Context) (io.ReadCloser, error)
}

func memoOf(p *inbound.Parcel) stored { return stored{p.Post.Memo, p.Memo} }

func documentOf(p *inbound.Parcel, n int) stored {
	return stored{p.Post.Documents[n].StoredFile, func(ctx context.Context) (io.ReadCloser, error) { return p.Document(ctx, n) }}
}

// copyTo writes the file to w. What fails on the side of the store is a *storeError; anything else failed in w, or is ctx's.
func (s stored) copyTo(ctx context.Context, w io.Writer) error {
	r, err := s.open(ctx)
	if err != nil {
		return &storeError{err}
	}
	defer func() { _ = r.Close() }()
	h := sha256.New()
	side := &reading{ctx: ctx, r: io.LimitReader(r, s.Size+1)}
	n, err := io.CopyBuffer(struct{ io.Writer }{io.MultiWriter(w, h)}, side, make([]byte, 128<<10))
	switch {
	case side.failed != nil:
		return &storeError{side.failed}
	case err != nil:
		return err
	case n != s.Size || hex.EncodeToString(h.Sum(nil)) != s.SHA256:
		return &storeError{errChanged}
	}
	return nil
}

// reading remembers that it was the store that failed, and ends with ctx.
type reading struct {
	ctx    context.Context //nolint:containedctx // lives as long as one copy
	r      io.Reader
	failed error
}

// Read implements io.Reader.
func (r *reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.failed = err
	}
	return n, err
}
