package httpapi

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
)

// mediaMemo is the media type of a MeMo.
const mediaMemo = "application/xml"

// inboundFile is a file of a post that was opened for somebody who may read it.
type inboundFile struct {
	io.ReadCloser
	gateway.StoredFile

	media, filename string
}

// memoFile opens the MeMo of a post, and has it written down who reads it.
func (s service) memoFile(ctx context.Context, id string) (*inboundFile, error) {
	p, err := s.available(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.noted(ctx, access.ReadPost, p.ID); err != nil {
		return nil, err
	}
	r, err := s.inbound.OpenMemo(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("open a post: %w", err)
	}
	return &inboundFile{r, p.Memo, mediaMemo, p.ID + ".xml"}, nil
}

// documentFile opens a document of a post, and has it written down who reads it. Its media type is none that a browser shows,
// whatever it is.
func (s service) documentFile(ctx context.Context, id string, n int) (*inboundFile, error) {
	p, err := s.available(ctx, id)
	if err != nil {
		return nil, err
	}
	if n < 0 || n >= len(p.Documents) {
		return nil, gateway.ErrNotFound
	}
	if err := s.noted(ctx, access.ReadDocument, p.ID+"/"+strconv.Itoa(n)); err != nil {
		return nil, err
	}
	r, err := s.inbound.OpenDocument(ctx, p, n)
	if err != nil {
		return nil, fmt.Errorf("open a document of a post: %w", err)
	}
	return &inboundFile{r, p.Documents[n].StoredFile, mediaRaw, p.Documents[n].SafeName}, nil
}

// InboundMemo is InboundAPI.
func (s service) InboundMemo(ctx context.Context, id string, w io.Writer) error {
	f, err := s.memoFile(ctx, id)
	if err != nil {
		return err
	}
	return f.copy(w)
}

// InboundDocument is InboundAPI.
func (s service) InboundDocument(ctx context.Context, id string, n int, w io.Writer) error {
	f, err := s.documentFile(ctx, id, n)
	if err != nil {
		return err
	}
	return f.copy(w)
}

func (f *inboundFile) copy(w io.Writer) error {
	defer func() { _ = f.Close() }()
	if _, err := io.Copy(w, f); err != nil {
		return fmt.Errorf("read a file of a post: %w", err)
	}
	return nil
}

func getInboundMemo(_ *Server, api service, w http.ResponseWriter, r *http.Request) error {
	return serveInbound(w, r, mediaMemo, api.memoFile)
}

func getInboundDocument(_ *Server, api service, w http.ResponseWriter, r *http.Request) error {
	number := r.PathValue("n")
	n, err := strconv.Atoi(number)
	if err != nil || strconv.Itoa(n) != number {
		return gateway.ErrNotFound
	}
	return serveInbound(w, r, mediaRaw, func(ctx context.Context, id string) (*inboundFile, error) {
		return api.documentFile(ctx, id, n)
	})
}

// serveInbound answers with a file, or with one range of it.
func serveInbound(
	w http.ResponseWriter, r *http.Request, media string, open func(ctx context.Context, id string) (*inboundFile, error),
) error {
	if !accepts(r, media) {
		return newProblem(codeAcceptable, "Accept "+media+" here.")
	}
	if _, err := query(r); err != nil {
		return err
	}
	file, err := open(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	return file.serve(w, r)
}

// serve sends the file. A list of ranges is answered with the whole; a range outside the file is a problem like another.
func (f *inboundFile) serve(w http.ResponseWriter, r *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", f.media)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.filename}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Cache-Control", "no-store")
	h.Set("ETag", `"`+f.SHA256+`"`)
	out := &pacedOut{ResponseWriter: w, start: time.Now()} //nolint:forbidigo // a connection's deadline is in real time
	content, seeks := f.ReadCloser.(io.ReadSeeker)
	if !seeks {
		h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
		out.WriteHeader(http.StatusOK)
		if r.Method == http.MethodHead {
			return nil
		}
		if _, err := io.Copy(out, f); err != nil {
			panic(http.ErrAbortHandler) // half a file must not look like a whole one
		}
		return nil
	}
	r = r.Clone(r.Context())
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Match"} {
		r.Header.Del(name) // nobody may keep a copy to compare with
	}
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range")
	}
	http.ServeContent(out, r, "", time.Time{}, content)
	if out.outside {
		for _, name := range []string{"Content-Disposition", "ETag"} {
			h.Del(name)
		}
		return newProblem(codeRange, "The file has "+strconv.FormatInt(f.Size, 10)+" bytes.")
	}
	return nil
}

// pacedOut lets a client take its time as bodyRate allows, and keeps http.ServeContent from answering an error by itself.
type pacedOut struct {
	http.ResponseWriter

	start    time.Time // in real time, as the connection's deadlines
	deadline time.Time
	sent     int64
	outside  bool // the range was outside the file; nothing was answered
}

// WriteHeader is http.ResponseWriter.
func (o *pacedOut) WriteHeader(status int) {
	if status == http.StatusRequestedRangeNotSatisfiable {
		o.outside = true
		return
	}
	o.ResponseWriter.WriteHeader(status)
}

// Write is io.Writer.
func (o *pacedOut) Write(p []byte) (int, error) {
	if o.outside {
		return len(p), nil
	}
	o.sent += int64(len(p))
	if next := o.start.Add(answerTime + time.Duration(o.sent/bodyRate)*time.Second); next.After(o.deadline) {
		o.deadline = next
		_ = http.NewResponseController(o.ResponseWriter).SetWriteDeadline(next) // best effort
	}
	return o.ResponseWriter.Write(p) //nolint:wrapcheck // a writer hands on what it got
}
