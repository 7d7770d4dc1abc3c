package gateway

import (
	"encoding/base64"
	"errors"
	"io"
)

// The lines of base64 in mail. [src: RFC-2045 6.8]
const (
	lineBytes = 57
	lineEnd   = "\r\n"
	// base64Block is how much is encoded at a time: whole lines, and a multiple of 3.
	base64Block = 256 * lineBytes
)

// base64Reader gives the padded base64 of size bytes of a source, in one line or in lines. It fails when the source has
// fewer or more.
type base64Reader struct {
	source io.Reader
	left   int64
	lines  bool
	raw    []byte
	out    []byte // reused
	ready  []byte // of out, not handed out yet
	ended  bool
}

func newBase64Reader(source io.Reader, size int64, lines bool) *base64Reader {
	return &base64Reader{source: source, left: size, lines: lines, raw: make([]byte, min(base64Block, max(size, 1)))}
}

// Read implements io.Reader.
func (r *base64Reader) Read(p []byte) (int, error) {
	for len(r.ready) == 0 {
		if r.left == 0 {
			return 0, r.end()
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

func (r *base64Reader) fill() error {
	raw := r.raw[:min(r.left, int64(len(r.raw)))]
	if _, err := io.ReadFull(r.source, raw); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	r.left -= int64(len(raw))
	r.out = r.out[:0]
	step := len(raw)
	if r.lines {
		step = lineBytes
	}
	for at := 0; at < len(raw); at += step {
		r.out = base64.StdEncoding.AppendEncode(r.out, raw[at:min(at+step, len(raw))])
		if r.lines {
			r.out = append(r.out, lineEnd...)
		}
	}
	r.ready = r.out
	return nil
}

// end makes sure that the source has nothing more to say.
func (r *base64Reader) end() error {
	if r.ended {
		return io.EOF
	}
	switch n, err := io.ReadFull(r.source, r.raw[:1]); {
	case n > 0:
		return ErrExhibit
	case !errors.Is(err, io.EOF):
		return err
	}
	r.ended = true
	return io.EOF
}
