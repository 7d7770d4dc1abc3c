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
		deadline := time.Now().Add(answerTime) //nolint:forbidigo // a connection's deadline is in real time

		_ = http.NewResponseController(t.ResponseWriter).SetWriteDeadline(deadline) // best effort
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

// exchange is a request under way.
type exchange struct {
	*tracked
	pattern string // of the route: what a log may know of the path
	id      string
	start   time.Time
}

// handle registers a handler that returns errors, with all that every route has around it.
func (s *Server) handle(pattern string, h func(w http.ResponseWriter, r *http.Request) error) {
	count := s.metrics.route(pattern)
	s.patterns = append(s.patterns, pattern)
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		x := &exchange{&tracked{ResponseWriter: w}, pattern, s.newRequestID(), s.now()}
		defer func() { s.finish(ctx, x, recover(), count) }()
		w.Header().Set("X-Request-Id", x.id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if err := h(x, r); err != nil {
			s.renderError(ctx, x, err)
		}
	})
}

// finish follows every handler: it turns a panic, if panicked is one, into an answer, and counts.
func (s *Server) finish(ctx context.Context, x *exchange, panicked any, count func(status int, took time.Duration)) {
	defer func() { // also when the panic goes on, to cut the answer off
		if x.status == 0 { // a handler that wrote nothing, or a client that is gone
			x.status = http.StatusOK
		}
		if ctx.Err() != nil && x.status == http.StatusOK {
			x.status = statusClientGone
		}
		took := s.now().Sub(x.start)
		count(x.status, took)
		if s.log.Enabled(ctx, slog.LevelDebug) {
			s.log.DebugContext(ctx, "request", "id", x.id, "route", x.pattern, "status", x.status, "took", took)
		}
	}()
	if panicked != nil {
		s.recovered(ctx, x, panicked)
	}
}

// recovered answers for a handler that panicked. The value of the panic may hold anything and is not logged, except
// the texts of the Go runtime.
func (s *Server) recovered(ctx context.Context, x *exchange, v any) {
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		what = err.Error()
	}
	s.log.ErrorContext(ctx, "panic", "id", x.id, "route", x.pattern, "panic", what, "stack", string(debug.Stack()))
	if x.status != 0 {
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	s.renderProblem(x, newProblem(codeInternal, ""))
}

// renderError is the one place where errors are answered.
func (s *Server) renderError(ctx context.Context, x *exchange, err error) {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError {
		if errors.Is(ctx.Err(), context.Canceled) {
			return // nobody is there to be answered, and nothing is wrong here
		}
		s.log.ErrorContext(ctx, "request failed", "id", x.id, "route", x.pattern, "status", p.Status, "code", p.Code, "error", p.Err)
	}
	if x.status != 0 {
		return // the answer had begun and could not be finished
	}
	s.renderProblem(x, p)
}
