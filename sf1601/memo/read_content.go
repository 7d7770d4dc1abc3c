package memo

import (
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"sync"

	"github.com/brevdue/brevdue/sf1601/memo/internal/xmlscan"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// content reads the content of a file: base64 decoded, counted, hashed, and handed to the sink piece by piece.
func (r *reader) content(name string, x *File) bool {
	if !r.is(name) {
		return false
	}
	if !r.first() {
		return true
	}
	r.enter(name, 0)
	if r.base64 == nil {
		r.base64 = decoders.Get().(*decoder) //nolint:errcheck,forcetypeassert // the pool holds nothing else
	}
	d := r.base64
	d.reset(r.openSink(x))
	ended := false
	for !ended && r.next() {
		switch r.kind {
		case xmlscan.Start:
			d.spoilt = true
			r.fault(ReasonBase64, r.s.Offset)
			r.skip()
		case xmlscan.Text:
			r.observeContent()
			r.decode(d)
		case xmlscan.End:
			if !d.spoilt && !d.complete() {
				d.spoilt = true
				r.fault(ReasonBase64, r.s.Offset)
			}
			ended = true
		default: // next gives nothing else here
		}
	}
	r.closeSink(d, x)
	if ended {
		r.leave()
	}
	return true
}

// openSink asks the sink for the writer of a content.
func (r *reader) openSink(x *File) io.WriteCloser {
	if r.opts.Sink == nil || r.err != nil {
		return nil
	}
	info := FileInfo{Path: r.path(), EncodingFormat: x.EncodingFormat, Filename: x.Filename, Language: x.Language}
	if n := len(r.frames); n >= 3 { // document, File, content
		info.Document = DocumentKind(r.frames[n-3].name)
		info.DocumentIndex = max(r.frames[n-3].index, 1)
		info.FileIndex = r.frames[n-2].index
	}
	w, err := r.opts.Sink.File(r.ctx, info)
	if err != nil {
		r.fail(ReasonSink, r.s.Offset, err)
		return nil
	}
	return w
}

// decode takes a piece of base64. After a fault that was read past, the rest of the content is skipped.
func (r *reader) decode(d *decoder) {
	if d.spoilt {
		return
	}
	bad, err := d.write(r.ctx, r.s.Data)
	switch {
	case err != nil:
		r.fail(ReasonSink, r.s.Offset, err)
	case bad >= 0:
		d.spoilt = true
		offset := r.s.Offset
		if r.s.Limit-offset == int64(len(r.s.Data)) { // no references: the place is exact
			offset += int64(bad)
		}
		r.fault(ReasonBase64, offset)
	}
}

// closeSink ends the writer, well or with the error, and completes the file.
func (r *reader) closeSink(d *decoder, x *File) {
	w := d.sink
	d.sink = nil
	if r.err == nil && !d.spoilt {
		x.Size = d.size
		d.hash.Sum(x.SHA256[:0])
	}
	if w == nil {
		return
	}
	if r.err != nil || d.spoilt {
		abandon(w, r.err)
		return
	}
	if err := w.Close(); err != nil {
		r.fail(ReasonSink, r.s.Offset, err)
		return
	}
	if source, ok := w.(interface{ Content() xmlstream.Content }); ok {
		x.Content = source.Content()
	}
}

// errSpoilt is what a writer is told whose content was read past.
var errSpoilt = errors.New("memo: the content is not base64")

func abandon(w io.WriteCloser, cause error) {
	if cause == nil {
		cause = errSpoilt
	}
	if c, ok := w.(interface{ CloseWithError(err error) error }); ok {
		_ = c.CloseWithError(cause) // the reading has failed already, for a better reason
		return
	}
	_ = w.Close() // as above
}

// decodeSize is how many raw bytes are decoded at a time, a multiple of 3.
const decodeSize = 24 << 10

// decoder decodes base64 with white space anywhere, in pieces of any size. [src: MEMO-1.1-XSD File, content]
type decoder struct {
	sink   io.WriteCloser // nil discards
	hash   hash.Hash
	size   int64
	spoilt bool
	out    [decodeSize]byte
	group  [4]byte // characters of a group that is not complete
	held   int     // how many of them
	padded bool    // the last group ended with =
}

var decoders = sync.Pool{New: func() any { return &decoder{hash: sha256.New()} }}

func (d *decoder) release() {
	if d != nil {
		d.sink = nil
		decoders.Put(d)
	}
}

func (d *decoder) reset(sink io.WriteCloser) {
	d.sink, d.size, d.spoilt, d.held, d.padded = sink, 0, false, 0, false
	d.hash.Reset()
}

// complete tells whether what came so far is base64.
func (d *decoder) complete() bool { return d.held == 0 }

// write decodes text. bad is the index of the first character that cannot stand there, -1 when there is none.
func (d *decoder) write(ctx context.Context, text []byte) (bad int, err error) {
	for i := 0; i < len(text); {
		n := 0
		for i < len(text) && n <= decodeSize-3 {
			if d.held == 0 && !d.padded {
				used, wrote := decodeGroups(d.out[n:], text[i:])
				i, n = i+used, n+wrote
				if used > 0 {
					continue
				}
			}
			wrote, ok := d.character(d.out[n:], text[i])
			if !ok {
				return i, d.flush(ctx, n)
			}
			i, n = i+1, n+wrote
		}
		if err := d.flush(ctx, n); err != nil {
			return -1, err
		}
	}
	return -1, nil
}

// flush hands decoded bytes on.
func (d *decoder) flush(ctx context.Context, n int) error {
	if n == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	d.size += int64(n)
	_, _ = d.hash.Write(d.out[:n]) // never fails
	if d.sink == nil {
		return nil
	}
	k, err := d.sink.Write(d.out[:n])
	if err == nil && k != n {
		err = io.ErrShortWrite
	}
	return err
}

// character takes one character of a group that white space or padding interrupts.
func (d *decoder) character(out []byte, c byte) (n int, ok bool) {
	switch c {
	case ' ', '\t', '\n', '\r':
		return 0, true
	case '=':
		ok = d.held == 2 || d.held == 3
	default:
		ok = !d.padded && sextets[0][c] < invalid && (d.held < 3 || d.group[2] != '=')
	}
	if !ok || d.padded {
		return 0, false
	}
	d.group[d.held] = c
	if d.held++; d.held < 4 {
		return 0, true
	}
	d.held = 0
	if c != '=' {
		_, n = decodeGroups(out, d.group[:])
		return n, true
	}
	d.padded = true
	group := d.group
	n = 2
	if group[2] == '=' {
		n, group[2] = 1, 'A'
	}
	group[3] = 'A'
	v := sextets[0][group[0]] | sextets[1][group[1]] | sextets[2][group[2]]
	out[0] = byte(v >> 16) //nolint:gosec // 24 bits
	if n == 2 {
		out[1] = byte(v >> 8) //nolint:gosec // 24 bits
		return n, v&0xFF == 0
	}
	return n, v&0xFFFF == 0 // the bits that stand for nothing must be zero
}

// invalid marks what is not of the alphabet.
const invalid = 1 << 24

// sextets are the values of the four characters of a group, each at its place in the 24 bits.
var sextets = func() (t [4][256]uint32) {
	for place := range t {
		for c := range t[place] {
			t[place][c] = invalid
		}
		for v, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
			t[place][c] = uint32(v) << (6 * (3 - place))
		}
	}
	return t
}()

// decodeGroups decodes whole groups without white space or padding, as many as there are or fit.
func decodeGroups(out, text []byte) (used, wrote int) {
	groups := min(len(out)/3, len(text)/4)
	out, text = out[:groups*3], text[:groups*4]
	for len(text) >= 4 && len(out) >= 3 {
		v := sextets[0][text[0]] | sextets[1][text[1]] | sextets[2][text[2]] | sextets[3][text[3]]
		if v >= invalid {
			break
		}
		out[0], out[1], out[2] = byte(v>>16), byte(v>>8), byte(v) //nolint:gosec // 24 bits
		out, text = out[3:], text[4:]
		used += 4
	}
	return used, used / 4 * 3
}
