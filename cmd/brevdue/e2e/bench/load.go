package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// bodySize is about what the JSON of an intent is in the targets: 4 KB, a small PDF in base64 among it.
const bodySize = 4 << 10

// load posts intents as fast as the gateway takes them. It costs little itself: requests are made once and only their
// reference is written over, and answers are read no further than their status and length.
type load struct {
	address string
	conns   int
	prefix  string // of the references, at most 8 characters

	next atomic.Int64
}

// result is what a load has seen.
type result struct {
	Accepted int
	Took     time.Duration
	Delays   []time.Duration // of each request, ascending
}

// run posts until most intents have been posted or ctx ends, whichever is first.
func (l *load) run(ctx context.Context, most int) (result, error) {
	head, body, at, err := l.request()
	if err != nil {
		return result{}, err
	}
	began := time.Now()
	delays, errs := make([][]time.Duration, l.conns), make([]error, l.conns)
	var running sync.WaitGroup
	for n := range l.conns {
		running.Go(func() {
			delays[n], errs[n] = l.post(ctx, slices.Concat(head, body), len(head)+at, most)
		})
	}
	running.Wait()
	r := result{Took: time.Since(began), Delays: slices.Concat(delays...)}
	slices.Sort(r.Delays)
	r.Accepted = len(r.Delays)
	return r, errors.Join(errs...)
}

const referenceDigits = 12

// request is the bytes of one request, and where in the body the digits of its reference are.
func (l *load) request() (head, body []byte, at int, err error) {
	in := harness.Letter(l.prefix+"000000000000", "2512489996")
	for size := bodySize; body == nil || len(body) > bodySize; size -= 9 {
		in.Content.Documents[0].Content = httpapi.Base64{Bytes: harness.PDF(size)}
		if body, err = json.Marshal(in); err != nil {
			return nil, nil, 0, fmt.Errorf("write the intent: %w", err)
		}
	}
	at = bytes.Index(body, []byte(in.Reference)) + len(l.prefix)
	head = fmt.Appendf(nil, "POST /v1/intents HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", l.address, harness.Token, len(body))
	return head, body, at, nil
}

// post sends one request after the other over one connection.
func (l *load) post(ctx context.Context, request []byte, at, most int) ([]time.Duration, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", l.address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Minute)); err != nil {
		return nil, fmt.Errorf("deadline: %w", err)
	}
	in := bufio.NewReader(conn)
	var delays []time.Duration
	for ctx.Err() == nil {
		n := l.next.Add(1)
		if n > int64(most) {
			break
		}
		copy(request[at:at+referenceDigits], fmt.Sprintf("%0*d", referenceDigits, n))
		began := time.Now()
		if _, err := conn.Write(request); err != nil {
			return delays, fmt.Errorf("post: %w", err)
		}
		if err := readAnswer(in); err != nil {
			return delays, err
		}
		delays = append(delays, time.Since(began))
	}
	return delays, nil
}

// readAnswer reads one answer, which must be 202 with a length.
func readAnswer(in *bufio.Reader) error {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 202 ")) {
		rest, _ := in.Peek(in.Buffered())
		return fmt.Errorf("the answer is %s%s", line, rest)
	}
	length := -1
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if value, found := bytes.CutPrefix(line, []byte("Content-Length: ")); found {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return fmt.Errorf("read the answer: %w", err)
			}
		}
	}
	if length < 0 {
		return errors.New("read the answer: it has no length")
	}
	_, err = io.CopyN(io.Discard, in, int64(length))
	return err
}

// quantile is the delay that a share q of all did not exceed.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
}
