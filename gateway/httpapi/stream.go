package httpapi

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"
)

// streamer answers while it works: a list of lines while it is read, or a file while it is made. It has not answered when
// it returns an error before its first line or byte.
type streamer func(s *Server, api service, w http.ResponseWriter, r *http.Request) error

func postBatch(s *Server, api service, w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	return s.stream(w, r, func(body *idleBody, out *lineOut) error {
		summary, err := api.PostBatch(r.Context(), body, func(answer BatchLine) error {
			if answer.Batch != "" {
				w.Header().Set("X-Batch-Id", answer.Batch)
			}
			out.watch(r.Context(), answer.Problem)
			return out.send(answer)
		})
		if err != nil {
			return err
		}
		return out.send(summary)
	})
}

func washRegistrations(s *Server, api service, w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	return s.stream(w, r, func(body *idleBody, out *lineOut) error {
		err := api.Wash(r.Context(), body, func(answer WashLine) error {
			out.watch(r.Context(), answer.Problem)
			return out.send(answer)
		})
		if err == nil {
			out.begin() // an empty list is answered with no line
		}
		return err
	})
}

func getBatch(s *Server, api API, _ http.ResponseWriter, r *http.Request) (int, any, error) {
	if _, err := query(r); err != nil {
		return 0, nil, err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	view, err := api.Batch(ctx, r.PathValue("id"))
	return http.StatusOK, view, err
}

// lineOut opens the outbox with the first answer, so that an error before it is answered like any other.
type lineOut struct {
	*outbox
	server *Server
	w      http.ResponseWriter
	told   bool
}

func (o *lineOut) send(v any) error {
	o.begin()
	return o.outbox.send(v)
}

func (o *lineOut) begin() {
	if o.outbox == nil {
		o.outbox = newOutbox(o.w, outboxLimit)
	}
}

// watch logs the first failure of a request's lines that is ours, and counts on it that the others are alike.
func (o *lineOut) watch(ctx context.Context, p *Problem) {
	if p == nil || p.Status < http.StatusInternalServerError || o.told || ctx.Err() != nil {
		return
	}
	o.told = true
	o.server.log.ErrorContext(ctx, "a line failed; further ones of this request are not logged", "status", p.Status, "code", p.Code,
		"error", p.Err)
}

// stream reads and answers lines at the same time. Only so many such requests are served at once; the others wait for as
// long as a request may take.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, work func(body *idleBody, out *lineOut) error) error {
	if !accepts(r, mediaLines) {
		return newProblem(codeAcceptable, "Accept "+mediaLines+" here.")
	}
	if err := isLines(r); err != nil {
		return err
	}
	ctx, cancel := s.timeout(r)
	defer cancel()
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	case <-ctx.Done():
		return ctx.Err()
	}
	control := http.NewResponseController(w)
	if err := control.EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return newProblem(codeInternal, "").because(err)
	}
	out := &lineOut{server: s, w: w}
	err := work(&idleBody{body: r.Body, control: control}, out)
	if out.outbox == nil {
		return err
	}
	if errOut := out.close(); err == nil {
		err = errOut
	}
	if err != nil {
		s.log.WarnContext(r.Context(), "a list was cut off", "route", r.Pattern, "error", err)
		panic(http.ErrAbortHandler) // half an answer must not look like a whole one
	}
	return nil
}

// isLines demands a list of lines.
func isLines(r *http.Request) error {
	const detail = "Send " + mediaLines + " in UTF-8 without Content-Encoding."
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return newProblem(codeMediaType, detail)
	}
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil && r.Header.Get("Content-Type") == "":
		return nil
	case err == nil && (media == mediaLines || media == "application/jsonl" || media == "application/ndjson"):
		return nil
	default:
		return newProblem(codeMediaType, detail)
	}
}
