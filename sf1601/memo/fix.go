package memo

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Change is one thing that Fix changed. It holds no value of the message.
type Change struct {
	Path         string // as Finding.Path
	Rule         Rule   // that was broken
	Line, Column int    // in the file that was read
	Detail       string // one English sentence about what was done
}

// Fix reads a file as Check does and writes a copy in which everything is corrected that has one certain correction:
//
//   - a file name: each run of forbidden characters becomes one hyphen
//   - the literal prefixes memo:, grd: and so on, declared where they are missing
//   - the encoding label utf8, and a byte order mark
//   - booleans written 1 or 0; an empty mandatory one is written out as false
//   - a time with an offset is converted to UTC; parts of a second are cut
//   - capital letters of a UUID
//   - optional elements with nothing in them, which are left out
//   - the order of the elements of a class, when it knows all of them
//   - memoSchVersion, added to 1.1 and taken from 1.2, and idTypeLabel, taken from 1.2
//
// Nothing else changes: every other byte is copied, comments included, file contents without being held in memory. A time
// without any zone stays, because nobody can say when it is; so does whatever else Check finds, which is why the copy is
// best checked again. A signature around the message cannot hold after a change; there is a Change that says so.
//
// When r is also an io.ReaderAt and io.Seeker, as a file is, its parts are read twice; otherwise the message is kept in a
// temporary file while Fix runs, readable by this user only. Nothing is written to w unless the whole of r is XML. Errors
// are a *ReadError, or what ctx, w or the temporary file said.
func Fix(ctx context.Context, r io.Reader, w io.Writer) ([]Change, error) {
	source, in, done, err := reread(r)
	if err != nil {
		return nil, err
	}
	defer done()
	i := newInspector(ctx, in, CheckOptions{MaxFindings: 1})
	defer i.release()
	i.fixer = &fixer{source: source}
	if err := i.run(); err != nil {
		return nil, err
	}
	if err := i.fixer.write(ctx, w, i.report.Size); err != nil {
		return nil, err
	}
	return i.changes(), nil
}

// changes are the changes in the order of the file.
func (i *inspector) changes() []Change {
	list := i.fixer.changes
	if i.signed && len(list) > 0 {
		list = append(list, Change{
			Rule: RuleSignature, Line: i.message.line, Column: i.message.column,
			Detail: "The request is signed; its signature no longer fits.",
		})
	}
	slices.SortStableFunc(list, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return list
}

// reread makes r readable a second time, by offset. done must be called.
func reread(r io.Reader) (source io.ReaderAt, first io.Reader, done func(), err error) {
	if x, ok := r.(interface {
		io.ReaderAt
		io.Seeker
	}); ok {
		if base, err := x.Seek(0, io.SeekCurrent); err == nil {
			return io.NewSectionReader(x, base, 1<<62), r, func() {}, nil
		}
	}
	f, err := os.CreateTemp("", "brevdue-memo-*.xml")
	if err != nil {
		return nil, nil, nil, fmt.Errorf("memo: temporary file: %w", err)
	}
	done = func() {
		_ = f.Close()           // it is thrown away
		_ = os.Remove(f.Name()) // nothing better can be done about it
	}
	return f, io.TeeReader(r, f), done, nil
}

// edit puts text, or parts of the file in another order, in the place of some of its bytes.
type edit struct {
	from, to int64
	text     string
	order    []span // contiguous parts of from to to, in the order in which they are written
}

// fixer notes edits during the walk and writes the copy after it.
type fixer struct {
	source  io.ReaderAt
	edits   []edit
	changes []Change
	err     error
}

// change notes what was done and how.
func (f *fixer) change(c Change, edits ...edit) {
	f.changes = append(f.changes, c)
	f.edits = append(f.edits, edits...)
}

// started writes the start tag under its new name, with what is added to it.
func (f *fixer) started(i *inspector) {
	n := i.top()
	if n.renamed || i.insert != "" {
		from := n.at.offset + int64(len("<"))
		f.edits = append(f.edits, edit{from: from, to: from + i.written(), text: n.tag + i.insert})
	}
}

// ended writes the end tag under its new name.
func (f *fixer) ended(i *inspector, n *node) {
	if n.renamed && !n.empty {
		from := i.s.Offset + int64(len("</"))
		f.edits = append(f.edits, edit{from: from, to: from + i.written(), text: n.tag})
	}
}

// written is the length of the name of the tag that the scanner found.
func (i *inspector) written() int64 {
	if len(i.s.Prefix) == 0 {
		return int64(len(i.s.Local))
	}
	return int64(len(i.s.Prefix) + len(":") + len(i.s.Local))
}

// raw reads bytes of the file again.
func (f *fixer) raw(from, to int64) []byte {
	b := make([]byte, to-from)
	if _, err := f.source.ReadAt(b, from); err != nil && !errors.Is(err, io.EOF) {
		f.err = fmt.Errorf("memo: read again: %w", err)
		return nil
	}
	return b
}

// encoding is the edit that writes UTF-8 into the XML declaration.
func (f *fixer) encoding(from, to int64) edit {
	b := f.raw(from, to)
	_, after, found := bytes.Cut(b, []byte("encoding"))
	if !found {
		return edit{from: from, to: from}
	}
	at := from + int64(len(b)-len(after))
	start, end := quotes(after)
	return edit{from: at + int64(start), to: at + int64(end), text: "UTF-8"}
}

// attribute is the edit that leaves out the attribute whose name stands at offset, in a tag that ends at limit, with one
// character of white space before it.
func (f *fixer) attribute(offset, limit int64) edit {
	_, end := quotes(f.raw(offset, limit))
	return edit{from: offset - 1, to: offset + int64(end) + 1}
}

// quotes finds the text between the first quotes of b.
func quotes(b []byte) (start, end int) {
	start = bytes.IndexAny(b, `"'`) + 1
	if start == 0 {
		return 0, 0
	}
	return start, start + max(bytes.IndexByte(b[start:], b[start-1]), 0)
}
