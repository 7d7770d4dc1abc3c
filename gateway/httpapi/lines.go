package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// The bounds of what one list may have in memory.
const (
	// workers is how many lines are worked on at a time: enough for the journal to store many in one flush. As many wait.
	workers = 256
	// smallLine is the most bytes of a line that waits for nobody.
	smallLine = 64 << 10
)

// line is one line of a request that is a list.
type line struct {
	n    int     // from 1; empty lines are counted and skipped
	body *[]byte // nil with err
	err  error   // why the line was not read; it is its answer
	free func()  // gives body back
}

// lineReader cuts a body into lines without holding more than one.
type lineReader struct {
	in      *bufio.Reader
	most    int           // bytes of a line
	large   chan struct{} // one for every large line in memory, shared with the other requests
	buffers *buffers
	n       int
}

// next returns the next line that is not empty. Its own error, io.EOF among them, ends the reading; line.err does not.
func (r *lineReader) next(ctx context.Context) (line, error) {
	for {
		r.n++
		l, err := r.read(ctx)
		if err != nil {
			return line{}, err
		}
		if l.err != nil || len(*l.body) > 0 { // what is wrong with one line is told in its answer
			return l, nil //nolint:nilerr // as the comment says
		}
		l.free()
	}
}

// read reads to the end of the line. A last line may lack its newline.
func (r *lineReader) read(ctx context.Context) (line, error) {
	buf := r.buffers.get()
	*buf = (*buf)[:0]
	l := line{n: r.n, body: buf, free: func() { r.buffers.put(buf) }}
	for {
		part, err := r.in.ReadSlice('\n')
		whole := err == nil
		if errors.Is(err, io.EOF) && len(*buf)+len(part) > 0 {
			whole, err = true, nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			l.free()
			return line{}, err
		}
		if len(*buf)+len(part) > r.most+len("\r\n") {
			l.free()
			return r.skip(whole)
		}
		if len(*buf) <= smallLine && len(*buf)+len(part) > smallLine {
			select {
			case r.large <- struct{}{}:
				l.free = func() { <-r.large }
			case <-ctx.Done():
				l.free()
				return line{}, ctx.Err()
			}
		}
		*buf = append(*buf, part...)
		if whole {
			*buf = trimEnd(*buf)
			return l, nil
		}
	}
}

// skip reads over the rest of a line that is too long.
func (r *lineReader) skip(whole bool) (line, error) {
	for !whole {
		_, err := r.in.ReadSlice('\n')
		switch {
		case err == nil, errors.Is(err, io.EOF):
			whole = true
		case !errors.Is(err, bufio.ErrBufferFull):
			return line{}, err
		}
	}
	return line{n: r.n, err: &http.MaxBytesError{Limit: int64(r.most)}, free: func() {}}, nil
}

// trimEnd takes the white space of JSON from the end of a line.
func trimEnd(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == '\n' || b[len(b)-1] == '\r' || b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// inOrder reads lines to their end, works on several at a time and hands on what came of them in the order of the lines.
// It holds a bounded number of lines, however many there are and however slow work or emit is. An error of emit or of the
// reader ends the reading; what is being worked on is finished in any case. work must not panic.
func inOrder[T any](ctx context.Context, in *lineReader, width int, work func(context.Context, line) T, emit func(T) error) error {
	type slot struct {
		line line
		done chan T
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	todo, order := make(chan *slot, width), make(chan *slot, 4*width)
	var group sync.WaitGroup
	for range width {
		group.Go(func() {
			for s := range todo {
				s.done <- work(ctx, s.line)
			}
		})
	}
	emitted := make(chan error, 1)
	go func() {
		var failed error
		for s := range order {
			answer := <-s.done
			if failed != nil {
				continue
			}
			if failed = emit(answer); failed != nil {
				cancel()
			}
		}
		emitted <- failed
	}()
	read := func() error {
		for {
			l, err := in.next(ctx)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			s := &slot{line: l, done: make(chan T, 1)}
			select {
			case order <- s:
				todo <- s
			case <-ctx.Done():
				l.free()
				return ctx.Err()
			}
		}
	}
	failed := read()
	close(todo)
	close(order)
	group.Wait()
	if err := <-emitted; err != nil {
		return err
	}
	return failed
}

// idleBody is a body that may take as long as it likes, but never pauses for longer than bodyGrace while it is read. The
// reader's own pauses do not count.
type idleBody struct {
	body    io.Reader
	control *http.ResponseController
}

// Read is io.Reader. Its errors, except io.EOF, are fit to be answered.
func (b *idleBody) Read(p []byte) (int, error) {
	deadline := time.Now().Add(bodyGrace) //nolint:forbidigo // a connection's deadline is in real time

	_ = b.control.SetReadDeadline(deadline) // best effort, as in pacedBody
	n, err := b.body.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		_ = b.control.SetReadDeadline(time.Time{})
	default:
		err = bodyProblem(err)
	}
	return n, err
}
