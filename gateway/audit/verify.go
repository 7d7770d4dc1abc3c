package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/brevdue/brevdue/gateway"
)

// page is how many entries are read at a time.
const page = 500

// Verify walks the chain of a journal and returns its end. With kept heads it also checks that the chain goes through each of
// them: a kept head that is beyond the end tells that entries were cut off. The error is *gateway.AuditBreak when the chain is
// broken.
func Verify(ctx context.Context, j gateway.AuditReader, kept ...gateway.AuditHead) (gateway.AuditHead, error) {
	w := NewWalk(kept...)
	err := each(ctx, j, func(e *gateway.AuditEntry) error { return w.Next(e) })
	if err != nil {
		return w.head, err
	}
	return w.End()
}

// each calls do with every entry, in order.
func each(ctx context.Context, j gateway.AuditReader, do func(*gateway.AuditEntry) error) error {
	var after int64
	for {
		entries, err := j.AuditEntries(ctx, after, page)
		if err != nil {
			return fmt.Errorf("audit: %w", err)
		}
		for n := range entries {
			if err := do(&entries[n]); err != nil {
				return err
			}
			after = entries[n].Seq
		}
		if len(entries) < page {
			return nil
		}
	}
}

// Walk verifies a chain entry by entry.
type Walk struct {
	head gateway.AuditHead
	kept map[int64]gateway.AuditHead
	last int64 // of kept
}

// NewWalk begins at the beginning.
func NewWalk(kept ...gateway.AuditHead) *Walk {
	w := &Walk{kept: make(map[int64]gateway.AuditHead, len(kept))}
	for _, h := range kept {
		w.kept[h.Seq], w.last = h, max(w.last, h.Seq)
	}
	return w
}

// Next verifies that e comes next. The error is *gateway.AuditBreak.
func (w *Walk) Next(e *gateway.AuditEntry) error {
	head, err := e.Verify(w.head)
	if err != nil {
		return err
	}
	w.head = head
	if kept, is := w.kept[head.Seq]; is && kept.Hash != head.Hash {
		return &gateway.AuditBreak{Seq: head.Seq, Why: "it is not the entry whose head was kept: the chain was written anew"}
	}
	return nil
}

// End returns the end of the chain. The error is *gateway.AuditBreak when a kept head is beyond it.
func (w *Walk) End() (gateway.AuditHead, error) {
	if w.last > w.head.Seq {
		return w.head, &gateway.AuditBreak{Seq: w.head.Seq + 1, Why: "the end was cut off: a head was kept of an entry after it"}
	}
	return w.head, nil
}

// FormatHead writes a head as NUMBER:HASH.
func FormatHead(h gateway.AuditHead) string { return fmt.Sprintf("%d:%x", h.Seq, h.Hash) }

// ParseHead reads what FormatHead wrote.
func ParseHead(s string) (gateway.AuditHead, error) {
	number, hash, _ := strings.Cut(strings.TrimSpace(s), ":")
	seq, err := strconv.ParseInt(number, 10, 64)
	raw, errHash := hex.DecodeString(hash)
	if err != nil || seq < 0 || errHash != nil || len(raw) != 32 {
		return gateway.AuditHead{}, errors.New("a head is NUMBER:HASH, with 64 hexadecimal digits")
	}
	return gateway.AuditHead{Seq: seq, Hash: [32]byte(raw)}, nil
}
