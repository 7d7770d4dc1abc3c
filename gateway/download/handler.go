package download

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// ErrNotFound is what an Opener returns when there is no such document, or no longer.
var ErrNotFound = errors.New("no such document")

// Document is a file that a link leads to.
type Document struct {
	Filename    string // as the producer named it; made safe here
	ContentType string // default application/octet-stream
	Size        int64  // bytes, exact
	From        string // who the letter is from, as the page shows it
}

// Opener reads documents of messages.
type Opener interface {
	// Open returns the document and its content from the first byte; index counts from 0. The error is ErrNotFound, or
	// anything else when it cannot be read now. The content is read when the file is asked for, and closed always.
	Open(ctx context.Context, messageID string, index int) (Document, io.ReadCloser, error)
}

// Config is what a handler is made of. Signer and Documents are required.
type Config struct {
	Signer    *Signer
	Documents Opener
	Logger    *slog.Logger // what could not be read, without tokens or names; default: nothing
}

// fileSegment is the last part of the path of a file, after its token.
const fileSegment = "fil"

// Handler serves pages at /TOKEN and files at /TOKEN/fil; mount it with http.StripPrefix where Signer.BaseURL points. It
// answers GET and HEAD and changes nothing, however often it is asked.
func Handler(cfg Config) http.Handler {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return handler{cfg}
}

type handler struct{ cfg Config }

// ServeHTTP implements http.Handler.
func (h handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harden(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	token, rest, inside := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	ticket, err := h.cfg.Signer.Open(token)
	if err != nil || (inside && rest != fileSegment) {
		h.render(w, r, http.StatusNotFound, gonePage())
		return
	}
	doc, content, err := h.cfg.Documents.Open(r.Context(), ticket.MessageID, ticket.Index)
	switch {
	case errors.Is(err, ErrNotFound):
		h.render(w, r, http.StatusNotFound, gonePage())
		return
	case err != nil:
		h.cfg.Logger.WarnContext(r.Context(), "download: a document cannot be read", "message", ticket.MessageID, "error", err)
		w.Header().Set("Retry-After", "120")
		h.render(w, r, http.StatusServiceUnavailable, laterPage())
		return
	}
	file := &seeker{size: doc.Size, content: content}
	defer file.close()
	if !inside {
		h.page(w, r, token, doc, ticket.Expires)
		return
	}
	serveFile(w, r, token, doc, file)
}

// harden sets what every answer carries: no cache keeps it, no index lists it, no other page frames it, no script runs,
// and the link is not told to whatever the reader visits next.
func harden(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy",
		"default-src 'none'; style-src '"+styleHash()+"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
}

// serveFile sends the file, or one range of it. A list of ranges is answered with the whole: no browser asks for one, and
// a document is read once, forward. [src: RFC-9110 14.2]
func serveFile(w http.ResponseWriter, r *http.Request, token string, doc Document, file io.ReadSeeker) {
	if strings.Contains(r.Header.Get("Range"), ",") {
		r = r.Clone(r.Context())
		r.Header.Del("Range")
	}
	sum := sha256.Sum256([]byte(token)) // the bytes behind a link never change, so an interrupted download may go on
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:12])+`"`)
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	w.Header().Set("Content-Type", contentType(doc.ContentType))
	w.Header().Set("Content-Disposition", disposition(doc.Filename))
	http.ServeContent(w, r, "", time.Time{}, file)
}

// contentType lets through a well-formed media type. That nothing is shown in the browser is the disposition's job.
func contentType(s string) string {
	t, params, err := mime.ParseMediaType(s)
	if err != nil || !strings.Contains(t, "/") {
		return "application/octet-stream"
	}
	if f := mime.FormatMediaType(t, params); f != "" {
		return f
	}
	return "application/octet-stream"
}

// disposition has the browser save the file: under a name of plain ASCII for old ones and the whole name for all others.
// [src: RFC-6266 4.3, 5; RFC-8187 3.2]
func disposition(name string) string {
	name = safeName(name)
	plain := strings.Map(func(r rune) rune {
		if r > unicode.MaxASCII || r == '%' || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, name)
	return `attachment; filename="` + plain + `"; filename*=UTF-8''` + escape(name)
}

// maxName is the longest file name that every file system takes, in bytes.
const maxName = 200

// safeName is a file name without anything that could leave its folder, hide its ending, or break a header.
func safeName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r == '/' || r == '\\' || r == ':' || unicode.IsControl(r):
			return '_'
		case unicode.Is(unicode.Cf, r): // marks that turn the direction of writing, and other things nobody sees
			return -1
		default:
			return r
		}
	}, strings.ToValidUTF8(name, "_"))
	name = strings.Trim(name, " .")
	for len(name) > maxName {
		base, ending := split(name)
		_, n := utf8.DecodeLastRuneInString(base)
		name = base[:len(base)-n] + ending
	}
	if name == "" {
		return "dokument"
	}
	return name
}

// split parts a name from its ending, which is never longer than a quarter of maxName.
func split(name string) (base, ending string) {
	if n := strings.LastIndexByte(name, '.'); n > 0 && len(name)-n <= maxName/4 {
		return name[:n], name[n:]
	}
	return name, ""
}

// escape writes what RFC 8187 calls ext-value: everything but attr-char is a percent sign and two digits.
func escape(s string) string {
	e := strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
	return strings.NewReplacer("*", "%2A", "'", "%27", "(", "%28", ")", "%29").Replace(e)
}
