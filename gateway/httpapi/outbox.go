package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// outboxLimit is how many bytes of answers wait for a client that does not read: more than the answers to 100,000 lines,
// because many clients send all of a request before they read.
const outboxLimit = 24 << 20

// mediaLines is the media type of lists of JSON, one value a line.
const mediaLines = "application/x-ndjson"

// outbox answers with lines of JSON. It keeps what the client is slow to read, up to its limit; from there on the sender
// waits, and the client has answerTime to read on.
type outbox struct {
	w       http.ResponseWriter
	control *http.ResponseController
	limit   int

	mu      sync.Mutex
	changed *sync.Cond
	chunks  [][]byte // of whole lines, in order
	held    int      // bytes in chunks, and in the one that is being written
	spare   []byte   // an empty chunk
	closed  bool
	err     error // of writing; nothing is written after it
	done    chan struct{}
}

// chunkSize is about how many bytes are written at a time; each chunk has a deadline of its own.
const chunkSize = 64 << 10

// newOutbox sends the header. Nothing else may write to w until close has returned.
func newOutbox(w http.ResponseWriter, limit int) *outbox {
	o := &outbox{w: w, control: http.NewResponseController(w), limit: limit, done: make(chan struct{})}
	o.changed = sync.NewCond(&o.mu)
	w.Header().Set("Content-Type", mediaLines)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	go o.drain()
	return o
}

// send adds a line. An error means that the client is not there any more or does not read.
func (o *outbox) send(v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("make the answer: %w", err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.held > o.limit && o.err == nil {
		o.deadline(true)
		o.changed.Wait()
	}
	if o.err != nil {
		return o.err
	}
	last := len(o.chunks) - 1
	if last < 0 || len(o.chunks[last])+len(body) >= chunkSize {
		if o.spare == nil {
			o.spare = make([]byte, 0, chunkSize)
		}
		o.chunks, o.spare = append(o.chunks, o.spare), nil
		last++
	}
	o.chunks[last] = append(append(o.chunks[last], body...), '\n')
	o.held += len(body) + 1
	o.changed.Broadcast()
	return nil
}

// close waits until everything was written.
func (o *outbox) close() error {
	o.mu.Lock()
	o.closed = true
	o.deadline(true)
	o.changed.Broadcast()
	o.mu.Unlock()
	<-o.done
	return o.err
}

// deadline is what the client has to read the next chunk: as long as it likes while there is room and lines come.
func (o *outbox) deadline(waitedFor bool) {
	var at time.Time
	if waitedFor {
		at = time.Now().Add(answerTime) //nolint:forbidigo // a connection's deadline is in real time
	}
	_ = o.control.SetWriteDeadline(at) // best effort: a connection that is gone says so on the next write
}

// drain writes what waits until the outbox is closed and empty.
func (o *outbox) drain() {
	defer close(o.done)
	o.mu.Lock()
	defer o.mu.Unlock()
	for {
		for len(o.chunks) == 0 && !o.closed {
			o.changed.Wait()
		}
		if len(o.chunks) == 0 {
			return
		}
		chunk := o.chunks[0]
		o.chunks[0] = nil // its bytes may go as soon as they are written
		if o.chunks = o.chunks[1:]; len(o.chunks) == 0 {
			o.chunks = nil
		}
		o.deadline(o.closed || o.held > o.limit)
		o.mu.Unlock()
		err := o.write(chunk)
		o.mu.Lock()
		if err != nil {
			o.err = newProblem(codeUnavailable, "").because(fmt.Errorf("write the answer: %w", err))
			o.changed.Broadcast()
			return
		}
		o.held -= len(chunk)
		if cap(chunk) == chunkSize {
			o.spare = chunk[:0]
		}
		o.changed.Broadcast()
	}
}

func (o *outbox) write(chunk []byte) error {
	if _, err := o.w.Write(chunk); err != nil {
		return err //nolint:wrapcheck // drain wraps it
	}
	if err := o.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err //nolint:wrapcheck // as above
	}
	return nil
}
