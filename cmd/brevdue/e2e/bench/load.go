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

	// letter is what is posted; nil is a letter of bodySize with a document.
	letter *httpapi.IntentRequest
	// citizens has every letter go to somebody else, as far as there are dates of birth.
	citizens bool

	// perSecond is how many are posted a second; 0: as many as the gateway takes.
	perSecond int

	next  atomic.Int64
	began time.Time
}

// result is what a load has seen.
type result struct {
	Accepted int
	Took     time.Duration
	Delays   []time.Duration // of each request, ascending
}

// run posts until most intents have been posted or ctx ends, whichever is first.
func (l *load) run(ctx context.Context, most int) (result, error) {
	request, err := l.request()
	if err != nil {
		return result{}, err
	}
	began := time.Now()
	l.began = began
	delays, errs := make([][]time.Duration, l.conns), make([]error, l.conns)
	var running sync.WaitGroup
	for n := range l.conns {
		running.Go(func() {
			delays[n], errs[n] = l.post(ctx, request.after(nil), most)
		})
	}
	running.Wait()
	r := result{Took: time.Since(began), Delays: slices.Concat(delays...)}
	slices.Sort(r.Delays)
	r.Accepted = len(r.Delays)
	return r, errors.Join(errs...)
}

// request is the bytes of a request.
func (l *load) request() (template, error) {
	in := letterOf(bodySize, harness.PDF)
	if l.letter != nil {
		in = *l.letter
	}
	body, err := newTemplate(in, l.prefix, l.citizens)
	if err != nil {
		return template{}, err
	}
	return body.after(fmt.Appendf(nil, "POST /v1/intents HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n", l.address, harness.Token, len(body.bytes))), nil
}

// post sends one request after the other over one connection.
func (l *load) post(ctx context.Context, request template, most int) ([]time.Duration, error) {
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
		if l.perSecond > 0 {
			harness.Pause(ctx, time.Until(l.began.Add(time.Duration(n)*time.Second/time.Duration(l.perSecond))))
		}
		body := request.number(n)
		began := time.Now()
		if _, err := conn.Write(body); err != nil {
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
