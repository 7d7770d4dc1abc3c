package xmlstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Content is a file whose bytes are read when they are needed.
//
// A Content must not change between calls: a Document asks for its size once, when it is made, and opens it once per
// pass (a digest, an attempt, a repeated attempt).
type Content interface {
	// Size is the number of raw bytes, before base64. It is never negative.
	Size() int64
	// Open returns the content from its first byte. It may be called any number of times. The reader must fail when
	// ctx ends, so that a cancelled request does not hang on a slow store.
	Open(ctx context.Context) (io.ReadCloser, error)
}

// Bytes returns b as a Content in memory. b is not copied and must not be changed afterwards.
func Bytes(b []byte) Content { return memory(b) }

type memory []byte

func (m memory) Size() int64 { return int64(len(m)) }

func (m memory) Open(ctx context.Context) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(m)), nil
}

// ErrShort and ErrLong tell that a Content did not keep its word about Size. What was streamed so far must not be used.
var (
	ErrShort = errors.New("content ended before its stated size")
	ErrLong  = errors.New("content goes on after its stated size")
)

// ContentError tells which content of a Document could not be streamed. Err is ErrShort, ErrLong or what the content's
// own Open, Read or Close said.
type ContentError struct {
	Index int // position in the slice given to New
	Err   error
}

// Error names the content by its index only.
func (e *ContentError) Error() string {
	return fmt.Sprintf("xmlstream: content %d: %v", e.Index, e.Err)
}

// Unwrap returns the cause.
func (e *ContentError) Unwrap() error { return e.Err }
