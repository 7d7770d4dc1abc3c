package memo

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"sort"
)

// write copies the file with its edits.
func (f *fixer) write(ctx context.Context, w io.Writer, size int64) error {
	slices.SortStableFunc(f.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to)) // what encloses comes first
	})
	c := copier{ctx: ctx, source: f.source, w: w, edits: f.edits, buf: make([]byte, 64<<10)}
	return c.part(0, size, 0)
}

// copier writes parts of a file.
type copier struct {
	ctx    context.Context //nolint:containedctx // lives as long as one call of Fix
	source io.ReaderAt
	w      io.Writer
	edits  []edit // sorted; two of them are apart or one is inside the other
	buf    []byte
}

// part writes the bytes from one offset to another, with the edits in it from index first on.
func (c *copier) part(from, to int64, first int) error {
	k := first + sort.Search(len(c.edits)-first, func(n int) bool { return c.edits[first+n].from >= from })
	for ; k < len(c.edits) && c.edits[k].from < to; k++ {
		e := c.edits[k]
		if e.from < from { // inside an edit that was made
			continue
		}
		if err := c.copy(from, e.from); err != nil {
			return err
		}
		if _, err := io.WriteString(c.w, e.text); err != nil {
			return fmt.Errorf("memo: write: %w", err)
		}
		for _, s := range e.order {
			if err := c.part(s.from, s.to, k+1); err != nil {
				return err
			}
		}
		from = e.to
	}
	return c.copy(from, to)
}

// copy copies bytes as they are.
func (c *copier) copy(from, to int64) error {
	if from >= to {
		return nil
	}
	// The wrapper hides io.WriterTo and io.ReaderFrom, which would take a buffer of their own.
	section := contextReader{c.ctx, io.NewSectionReader(c.source, from, to-from)}
	n, err := io.CopyBuffer(struct{ io.Writer }{c.w}, section, c.buf)
	if err == nil && n < to-from {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("memo: copy: %w", err)
	}
	return nil
}
