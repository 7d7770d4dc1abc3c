package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
)

// mediaEvidence is the media type of an ASiC-E container. [src: ASIC A.1]
const mediaEvidence = "application/vnd.etsi.asic-e+zip"

// evidence is Config.Evidence.
type evidence func(ctx context.Context, producer, messageID string, w io.Writer) error

// Evidence is API. Who reads it is written down before its first byte, when it is known to be the caller's.
func (s service) Evidence(ctx context.Context, messageID string, w io.Writer) error {
	if s.evidence == nil {
		return gateway.ErrNotFound
	}
	return s.evidence(ctx, s.producer, messageID, &notedOut{w, func() error {
		return s.noted(ctx, access.ReadEvidence, messageID)
	}})
}

// notedOut calls note before the first byte.
type notedOut struct {
	io.Writer

	note func() error // nil: it was called
}

// Write implements io.Writer.
func (o *notedOut) Write(p []byte) (int, error) {
	if o.note != nil {
		if err := o.note(); err != nil {
			return 0, err
		}
		o.note = nil
	}
	return o.Writer.Write(p)
}

// getEvidence sends a container while it is written. Only so many are served at once, lists included; the others wait for as
// long as a request may take.
func getEvidence(s *Server, api service, w http.ResponseWriter, r *http.Request) error {
	if !accepts(r, mediaEvidence) {
		return newProblem(codeAcceptable, "Accept "+mediaEvidence+" here.")
	}
	if _, err := query(r); err != nil {
		return err
	}
	wait, cancel := s.timeout(r)
	defer cancel()
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	case <-wait.Done():
		return wait.Err()
	}
	id := r.PathValue("id")
	out := &fileOut{w: w, media: mediaEvidence, filename: id + ".asice"}
	err := api.Evidence(r.Context(), id, out)
	if !out.begun {
		if err == nil {
			err = errors.New("the evidence is empty")
		}
		return err
	}
	if err != nil {
		s.log.WarnContext(r.Context(), "evidence was cut off", "message", id, "error", err)
		panic(http.ErrAbortHandler) // half a container must not look like a whole one
	}
	return nil
}

// fileOut answers with a file from its first byte on, so that an error before it is answered like any other. A client may
// take its time as bodyRate allows.
type fileOut struct {
	w               http.ResponseWriter
	media, filename string
	begun           bool
	start           time.Time // in real time, as the connection's deadlines
	deadline        time.Time
	sent            int64
}

// Write implements io.Writer.
func (o *fileOut) Write(p []byte) (int, error) {
	if !o.begun {
		o.begun, o.start = true, time.Now() //nolint:forbidigo // a connection's deadline is in real time
		h := o.w.Header()
		h.Set("Content-Type", o.media)
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": o.filename}))
		h.Set("Cache-Control", "no-store")
		o.w.WriteHeader(http.StatusOK)
	}
	o.sent += int64(len(p))
	if next := o.start.Add(answerTime + time.Duration(o.sent/bodyRate)*time.Second); next.After(o.deadline) {
		o.deadline = next
		_ = http.NewResponseController(o.w).SetWriteDeadline(next) // best effort
	}
	return o.w.Write(p) //nolint:wrapcheck // a writer hands on what it got
}

// Evidence is API. The container is streamed.
func (c *Client) Evidence(ctx context.Context, messageID string, w io.Writer) error {
	path := "/v1/messages/" + url.PathEscape(messageID) + "/evidence"
	resp, err := c.send(ctx, http.MethodGet, path, nil, nil, "", mediaEvidence)
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		content, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("GET %s: read the answer: %w", path, err)
		}
		return problemFrom(resp, content)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("GET %s: the evidence is incomplete: %w", path, err)
	}
	return nil
}
