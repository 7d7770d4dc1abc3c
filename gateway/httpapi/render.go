package httpapi

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
)

// json answers with a body of JSON. Nothing is written when the body cannot be made.
func (s *Server) json(w http.ResponseWriter, status int, body any) error {
	buf := s.buffers.get()
	defer s.buffers.put(buf)
	out := bytes.NewBuffer(*buf)
	if err := json.MarshalWrite(out, body); err != nil {
		return fmt.Errorf("make the answer: %w", err)
	}
	*buf = out.Bytes()
	return s.bytes(w, status, "application/json", *buf)
}

// bytes answers with a body.
func (s *Server) bytes(w http.ResponseWriter, status int, contentType string, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return newProblem(codeUnavailable, "").because(fmt.Errorf("write the answer: %w", err))
	}
	return nil
}

// renderProblem answers with problem+json.
func (s *Server) renderProblem(w http.ResponseWriter, p *Problem) {
	body, err := json.Marshal(p)
	if err != nil { // a Problem is strings and numbers: this is a defect, answered without a body
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	if p.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.RetryAfter+time.Second-1)/time.Second)))
	}
	_ = s.bytes(w, p.Status, "application/problem+json", body) // a client that is gone cannot be told
}
