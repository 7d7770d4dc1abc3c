package xmlstream

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"sync"
)

// bufferSize is how much of a content is read at a time: a multiple of 3, so that only the last piece is padded.
const bufferSize = 48 << 10

type buffer [bufferSize]byte

// buffers keeps the only memory a stream needs. A pool is not state: it changes no result.
var buffers = sync.Pool{New: func() any { return new(buffer) }}

func takeBuffer() *buffer {
	return buffers.Get().(*buffer) //nolint:errcheck,forcetypeassert // the pool holds nothing else
}

// reader streams one Document. The mutex guards everything below it; cancel may be called at any time.
type reader struct {
	ctx    context.Context //nolint:containedctx // an io.Reader has no other way to be cancelled
	cancel context.CancelFunc

	mu          sync.Mutex
	doc         *Document
	declaration string // what is left of it
	at          int    // next byte of the text
	cut         int    // next cut
	err         error  // sticky

	content io.ReadCloser // open content, nil between contents
	left    int64         // raw bytes it still owes
	buf     *buffer       // nil until the first content and after Close

	spill  [4]byte // encoded bytes that did not fit into the caller's slice
	spilt  int     // how many of them are left, at the end of spill
	closed bool
}

// Read fills p as far as the document goes.
func (r *reader) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, fs.ErrClosed
	}
	n := 0
	for n < len(p) && r.err == nil {
		if r.err = r.ctx.Err(); r.err != nil {
			break
		}
		var k int
		k, r.err = r.step(p[n:])
		n += k
	}
	if n > 0 || len(p) == 0 {
		return n, nil
	}
	return 0, r.err
}

// step writes the next piece of whatever is next into p, which is not empty.
func (r *reader) step(p []byte) (int, error) {
	switch {
	case r.spilt > 0:
		n := copy(p, r.spill[len(r.spill)-r.spilt:])
		r.spilt -= n
		return n, nil
	case r.content != nil && r.left > 0:
		return r.encode(p)
	case r.content != nil:
		return 0, r.finish()
	case r.declaration != "":
		n := copy(p, r.declaration)
		r.declaration = r.declaration[n:]
		return n, nil
	case r.cut < len(r.doc.cuts) && r.at == r.doc.cuts[r.cut].at:
		return 0, r.open()
	case r.at < len(r.doc.text):
		end := len(r.doc.text)
		if r.cut < len(r.doc.cuts) {
			end = r.doc.cuts[r.cut].at
		}
		n := copy(p, r.doc.text[r.at:end])
		r.at += n
		return n, nil
	default:
		return 0, io.EOF
	}
}

// open opens the content that stands at the next cut.
func (r *reader) open() error {
	i := r.doc.cuts[r.cut].content
	content, err := r.doc.contents[i].Open(r.ctx)
	if err != nil {
		return &ContentError{Index: i, Err: err}
	}
	if r.buf == nil {
		r.buf = takeBuffer()
	}
	r.content, r.left = content, r.doc.sizes[i]
	return nil
}

// encode reads a piece of the open content and writes its base64 to p. A p of less than four bytes is served from spill.
func (r *reader) encode(p []byte) (int, error) {
	dst := p
	if len(p) < len(r.spill) {
		dst = r.spill[:]
	}
	want := int(min(r.left, int64(len(dst)/4*3), bufferSize))
	if _, err := io.ReadFull(r.content, r.buf[:want]); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = ErrShort
		}
		return 0, r.contentError(err)
	}
	r.left -= int64(want)
	base64.StdEncoding.Encode(dst, r.buf[:want])
	if len(p) < len(r.spill) {
		r.spilt = len(r.spill)
		return 0, nil
	}
	return base64.StdEncoding.EncodedLen(want), nil
}

// finish makes sure that the open content has nothing more to say, and closes it.
func (r *reader) finish() error {
	n, err := io.ReadFull(r.content, r.buf[:1])
	switch {
	case n > 0:
		return r.contentError(ErrLong)
	case !errors.Is(err, io.EOF):
		return r.contentError(err)
	}
	content := r.content
	r.content = nil
	if err := content.Close(); err != nil {
		return r.contentError(err)
	}
	r.cut++
	return nil
}

func (r *reader) contentError(err error) error {
	return &ContentError{Index: r.doc.cuts[r.cut].content, Err: err}
}

// Close ends a running Read through the context, then closes the open content and gives the buffer back.
func (r *reader) Close() error {
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	if r.buf != nil {
		buffers.Put(r.buf)
		r.buf = nil
	}
	if r.content == nil {
		return nil
	}
	content := r.content
	r.content = nil
	if err := content.Close(); err != nil {
		return r.contentError(err)
	}
	return nil
}
