package sf1606test

import (
	"context"
	"io"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// Filler is a content of size bytes that begins like a PDF and is made while it is read.
func Filler(size int64) xmlstream.Content { return filler(max(size, 0)) }

type filler int64

// Size is the number of bytes.
func (f filler) Size() int64 { return int64(f) }

// Open gives the bytes from the first one.
func (f filler) Open(ctx context.Context) (io.ReadCloser, error) {
	return &fillerReader{ctx: ctx, left: int64(f)}, ctx.Err()
}

const fillerHead = "%PDF-1.7\n%\xc3\xa6\xc3\xb8\xc3\xa5\n"

// fillerLine repeats behind the head.
const fillerLine = "% Denne fil er fyld fra simulatoren og siger ingenting om nogen. 0123456789 abcdef\n"

type fillerReader struct {
	ctx  context.Context //nolint:containedctx // lives as long as one reading
	at   int64
	left int64
}

func (r *fillerReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && r.left > 0 {
		from := fillerHead
		at := r.at
		if at >= int64(len(fillerHead)) {
			from, at = fillerLine, (at-int64(len(fillerHead)))%int64(len(fillerLine))
		}
		k := copy(p[n:], from[at:min(int64(len(from)), at+r.left)])
		n += k
		r.at += int64(k)
		r.left -= int64(k)
	}
	return n, nil
}

func (r *fillerReader) Close() error { return nil }
