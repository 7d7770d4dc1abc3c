package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"time"
)

// answerTime is how long a client may take to read what it is answered, from the moment the answer starts.
const answerTime = 60 * time.Second

// statusClientGone is counted when a client went away before it was answered. It never travels.
const statusClientGone = 499

// tracked remembers what was answered.
type tracked struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status and starts the time that the client has to read.
func (t *tracked) WriteHeader(status int) {
	if t.status == 0 && status >= http.StatusOK {
		t.status = status
		_ = http.NewResponseController(t.ResponseWriter).SetWriteDeadline(time.Now().Add(answerTime)) // best effort
	}
	t.ResponseWriter.WriteHeader(status)
}

// Write is io.Writer.
func (t *tracked) Write(b []byte) (int, error) {
	if t.status == 0 {
		t.WriteHeader(http.StatusOK)
	}
	return t.ResponseWriter.Write(b) //nolint:wrapcheck // a writer hands on what it got
}

// Unwrap lets http.ResponseController reach the connection.
func (t *tracked) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// handle registers a handler that returns errors, with all that every route has around it.
func (s *Server) handle(pattern string, h func(w http.ResponseWriter, r *http.Request) error) {
	count := s.metrics.route(pattern)
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		start, id := s.now(), s.newRequestID()
		w.Header().Set("X-Request-Id", id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		t := &tracked{ResponseWriter: w}
		defer func() {
			if v := recover(); v != nil {
				s.recovered(t, r, v, pattern, id)
			}
			if t.status == 0 { // a handler that wrote nothing, or a client that is gone
				t.status = http.StatusOK
				if r.Context().Err() != nil {
					t.status = statusClientGone
				}
			}
			took := s.now().Sub(start)
			count(t.status, took)
			if s.log.Enabled(r.Context(), slog.LevelDebug) {
				s.log.DebugContext(r.Context(), "request", "id", id, "route", pattern, "status", t.status, "took", took)
			}
		}()
		if err := h(t, r); err != nil {
			s.renderError(t, r, err, pattern, id)
		}
	})
}

// recovered answers for a handler that panicked. The value of the panic may hold anything and is not logged, except
// the texts of the Go runtime.
func (s *Server) recovered(t *tracked, r *http.Request, v any, pattern, id string) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		what = err.Error()
	}
	s.log.ErrorContext(r.Context(), "panic", "id", id, "route", pattern, "panic", what, "stack", string(debug.Stack()))
	if t.status != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	s.renderProblem(t, newProblem(codeInternal, ""))
}

// renderError is the one place where errors are answered.
func (s *Server) renderError(t *tracked, r *http.Request, err error, pattern, id string) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		if errors.Is(r.Context().Err(), context.Canceled) {
			return // nobody is there to be answered, and nothing is wrong here
		}
		s.log.ErrorContext(r.Context(), "request failed", "id", id, "route", pattern, "status", p.Status, "code", p.Code, "error", p.Err)
	}
	if t.status != 0 {
		return // the answer had begun and could not be finished
	}
	s.renderProblem(t, p)
}
