package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
)

func newLines(body io.Reader, most int) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(body, 16), most: most, large: make(chan struct{}, 1), buffers: &buffers{}}
}

// FuzzLines: the lines are those of the body, numbered, whatever the pieces that it comes in.
func FuzzLines(f *testing.F) {
	for _, s := range []string{"", "\n", "a\nb", "a\r\n\r\nb\r\n", strings.Repeat("x", 40), "ab\n" + strings.Repeat("y", 33) + "\nz\n", " \n{}\t\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		const most = 32
		r := newLines(iotest.OneByteReader(bytes.NewReader(body)), most)
		var got []string
		for {
			l, err := r.next(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if l.err != nil {
				got = append(got, fmt.Sprint(l.n, " too long"))
			} else {
				got = append(got, fmt.Sprint(l.n, " ", string(*l.body)))
			}
			l.free()
		}
		var want []string
		for n, s := range strings.SplitAfter(string(body), "\n") {
			trimmed := strings.TrimRight(s, " \t\r\n")
			switch {
			case len(s) > most+2:
				want = append(want, fmt.Sprint(n+1, " too long"))
			case trimmed != "":
				want = append(want, fmt.Sprint(n+1, " ", trimmed))
			}
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestInOrderIsBoundedAndInOrder lets the first line take the longest.
func TestInOrderIsBoundedAndInOrder(t *testing.T) {
	t.Parallel()
	const lines, width = 1000, 8
	var read, handed atomic.Int64
	body := &counting{Reader: strings.NewReader(strings.Repeat("x\n", lines)), n: &read}
	first := make(chan struct{})
	next := 1
	var ahead atomic.Int64
	err := inOrder(t.Context(), newLines(body, 10), width, func(_ context.Context, l line) int {
		defer l.free()
		if l.n == 1 {
			<-first
		}
		if handed.Add(1) == width-1 { // every other worker has had one; more lines can only wait
			close(first)
			ahead.Store(read.Load())
		}
		return l.n
	}, func(n int) error {
		if n != next {
			t.Errorf("line %d was handed on as the %dth", n, next)
		}
		next++
		return nil
	})
	if err != nil || next != lines+1 {
		t.Fatalf("%d lines, %v", next-1, err)
	}
	if most := int64(2 * (6*width + 20)); ahead.Load() > most {
		t.Errorf("%d bytes were read ahead of the first line", ahead.Load())
	}
}

type counting struct {
	io.Reader
	n *atomic.Int64
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.n.Add(int64(n))
	return n, err
}

func TestInOrderStops(t *testing.T) {
	t.Parallel()
	errStop := errors.New("stop")
	work := func(_ context.Context, l line) int { defer l.free(); return l.n }
	emitted := 0
	err := inOrder(t.Context(), newLines(endless{}, 10), 4, work, func(n int) error {
		emitted++
		if n == 100 {
			return errStop
		}
		return nil
	})
	if !errors.Is(err, errStop) || emitted != 100 {
		t.Errorf("%v after %d", err, emitted)
	}
	err = inOrder(t.Context(), newLines(io.MultiReader(strings.NewReader("a\nb\n"), iotest.ErrReader(errStop)), 10), 4, work,
		func(int) error { emitted++; return nil })
	if !errors.Is(err, errStop) || emitted != 102 {
		t.Errorf("%v after %d", err, emitted)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = inOrder(ctx, newLines(endless{}, 10), 4, work, func(n int) error {
		if n == 10 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// endless is a body of lines without an end.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	return copy(b, strings.Repeat("x\n", len(b)/2+1)), nil
}
