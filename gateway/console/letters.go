package console

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
)

// mediaRaw is the media type of what came, whatever it is: a browser is not to show it.
const mediaRaw = "application/octet-stream"

// fileOut has a browser save a file. Who reads it is written down before its first byte.
type fileOut struct {
	w        http.ResponseWriter
	media    string
	filename string
	note     func() error
	begun    bool
}

// Write implements io.Writer.
func (o *fileOut) Write(p []byte) (int, error) {
	if !o.begun {
		if err := o.note(); err != nil {
			return 0, err
		}
		o.begun = true
		h := o.w.Header()
		h.Set("Content-Type", o.media)
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": o.filename}))
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
		o.w.WriteHeader(http.StatusOK)
	}
	return o.w.Write(p) //nolint:wrapcheck // a writer hands on what it got
}

// give serves a file that write writes.
func (c *Console) give(
	w http.ResponseWriter, v visit, action access.Action, object, media, filename string, write func(w io.Writer) error,
) error {
	out := &fileOut{w: w, media: media, filename: filename, note: func() error {
		return c.note(v.Context(), v.session.Operator, action, object, "")
	}}
	err := write(out)
	switch {
	case err == nil && !out.begun:
		_, err = out.Write(nil) // an empty file
		return err
	case err == nil, !out.begun:
		return err
	}
	c.cfg.Logger.WarnContext(v.Context(), "console: a file was cut off", "object", object, "error", err)
	panic(http.ErrAbortHandler) // half a file must not look like a whole one
}

// readReceipt gives a status as it came, or a body that nobody could read.
func (c *Console) readReceipt(w http.ResponseWriter, v visit) error {
	id := v.URL.Query().Get("id")
	return c.give(w, v, access.ReadReceipt, id, mediaRaw, "status.xml", func(w io.Writer) error {
		raw, err := c.rawReceipt(v.Context(), id)
		if err != nil {
			return err
		}
		_, err = w.Write(raw)
		return err
	})
}

func (c *Console) rawReceipt(ctx context.Context, id string) ([]byte, error) {
	r, err := c.cfg.Statuses.Receipt(ctx, id)
	if err == nil {
		return r.Raw, nil
	}
	if !errors.Is(err, gateway.ErrNotFound) {
		return nil, err
	}
	u, err := c.cfg.Statuses.UnreadableBody(ctx, id)
	if err != nil {
		return nil, err
	}
	return u.Raw, nil
}

// readEvidence gives the evidence of a message.
func (c *Console) readEvidence(w http.ResponseWriter, v visit) error {
	id := v.URL.Query().Get("id")
	if !messageID.MatchString(id) {
		return gateway.ErrNotFound
	}
	return c.give(w, v, access.ReadEvidence, id, "application/vnd.etsi.asic-e+zip", id+".asice", func(w io.Writer) error {
		return c.cfg.Evidence(v.Context(), id, w)
	})
}

// readMemo gives an inbound post as it came.
func (c *Console) readMemo(w http.ResponseWriter, v visit) error {
	p, _, err := c.cfg.Inbound.Post(v.Context(), v.PathValue("id"))
	if err != nil {
		return err
	}
	return c.give(w, v, access.ReadPost, p.ID, mediaRaw, p.ID+".xml", func(w io.Writer) error {
		return pour(w, func() (io.ReadCloser, error) { return c.cfg.Inbound.OpenMemo(v.Context(), p) })
	})
}

// readDocument gives a document of an inbound post.
func (c *Console) readDocument(w http.ResponseWriter, v visit) error {
	p, _, err := c.cfg.Inbound.Post(v.Context(), v.PathValue("id"))
	if err != nil {
		return err
	}
	number := v.PathValue("n")
	n, err := strconv.Atoi(number)
	if err != nil || strconv.Itoa(n) != number || n < 0 || n >= len(p.Documents) {
		return gateway.ErrNotFound
	}
	return c.give(w, v, access.ReadDocument, p.ID+"/"+number, mediaRaw, p.Documents[n].SafeName, func(w io.Writer) error {
		return pour(w, func() (io.ReadCloser, error) { return c.cfg.Inbound.OpenDocument(v.Context(), p, n) })
	})
}

func pour(w io.Writer, open func() (io.ReadCloser, error)) error {
	r, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	_, err = io.Copy(w, r)
	return err
}
