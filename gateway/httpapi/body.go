package httpapi

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// maxPooled is the largest body buffer that is kept for the next request, and the largest body that waits for nobody.
const maxPooled = 256 << 10

// buffers lends out buffers for bodies and answers.
type buffers struct{ pool sync.Pool }

func (b *buffers) get() *[]byte {
	if buf, ok := b.pool.Get().(*[]byte); ok {
		return buf
	}
	buf := make([]byte, 0, 8<<10)
	return &buf
}

func (b *buffers) put(buf *[]byte) {
	if cap(*buf) > maxPooled {
		return
	}
	*buf = (*buf)[:0]
	b.pool.Put(buf)
}

// withBody reads a whole body of at most maxBody bytes and gives it to use, which must not keep it. Only so many large
// bodies are in memory at a time; the others wait for as long as a request may take.
func (s *Server) withBody(w http.ResponseWriter, r *http.Request, use func(body []byte) error) error {
	if r.ContentLength > s.maxBody {
		return &http.MaxBytesError{Limit: s.maxBody}
	}
	buf := s.buffers.get()
	defer s.buffers.put(buf)
	body := newPacedBody(w, http.MaxBytesReader(w, r.Body, s.maxBody))
	if r.ContentLength <= maxPooled {
		full, err := fill(body, buf, maxPooled+1)
		if err != nil {
			return err
		}
		if !full {
			return use(*buf)
		}
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	select {
	case s.large <- struct{}{}:
		defer func() { <-s.large }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if r.ContentLength > int64(cap(*buf)) {
		*buf = append(make([]byte, 0, r.ContentLength+1), *buf...)
	}
	if _, err := fill(body, buf, int(s.maxBody)+1); err != nil {
		return err
	}
	return use(*buf)
}

// fill reads to the end of body, or until buf holds limit bytes: then full is true.
func fill(body io.Reader, buf *[]byte, limit int) (full bool, err error) {
	for len(*buf) < limit {
		if len(*buf) == cap(*buf) {
			*buf = append(*buf, 0)[:len(*buf)]
		}
		n, err := body.Read((*buf)[len(*buf):min(cap(*buf), limit)])
		*buf = (*buf)[:len(*buf)+n]
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}
