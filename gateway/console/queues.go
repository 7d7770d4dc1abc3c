package console

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/hibiken/asynq"
	"github.com/hibiken/asynqmon"
)

const queuesRoot = "/console/queues"

// queues is asynqmon, made fit to be shown.
type queues struct {
	asynqmon *asynqmon.HTTPHandler
	// page is asynqmon's page cut at the places where a response puts its nonce.
	page [][]byte
}

func newQueues(opt asynq.RedisConnOpt) (*queues, error) {
	q := &queues{asynqmon: asynqmon.New(asynqmon.Options{
		RootPath:     queuesRoot,
		RedisConnOpt: opt,
		ReadOnly:     true,
		PayloadFormatter: asynqmon.PayloadFormatterFunc(func(_ string, payload []byte) string {
			return onlyMessageID(payload)
		}),
		ResultFormatter: asynqmon.ResultFormatterFunc(func(_ string, result []byte) string {
			return onlyMessageID(result)
		}),
	})}
	page, err := q.ownPage()
	if err != nil {
		return nil, errors.Join(err, q.Close())
	}
	q.page = bytes.Split(page, []byte(nonceMark))
	return q, nil
}

// Close closes the connections to Redis.
func (q *queues) Close() error {
	if err := q.asynqmon.Close(); err != nil {
		return fmt.Errorf("console: close the dashboard: %w", err)
	}
	return nil
}

// messageID is what a task of the gateway carries: msg_ and a ULID.
var messageID = regexp.MustCompile(`^msg_[0-9A-HJKMNP-TV-Z]{26}$`)

// onlyMessageID shows a payload when it is a message id. Anything else is not ours to show.
func onlyMessageID(b []byte) string {
	switch {
	case messageID.Match(b):
		return string(b)
	case len(b) == 0:
		return ""
	default:
		return "(hidden)"
	}
}

// nonceMark stands in the page where the nonce of a response goes.
const nonceMark = "NONCE-OF-THIS-RESPONSE"

// outside finds what the browser would load from another host. Links that a person must click are not loaded.
var outside = regexp.MustCompile(`(?i)<(?:link|script|img|iframe|base|object|embed|source|video|audio)\b[^>]*` +
	`\b(?:href|src|data)\s*=\s*["']?\s*(?:[a-z]+:)?//`)

// googleFonts are the two style sheets that asynqmon's page wants from outside.
var googleFonts = regexp.MustCompile(`<link rel="stylesheet" href="https://fonts\.googleapis\.com/[^"]*"/>`)

// manifestLink names icons at paths that this server does not have.
var manifestLink = regexp.MustCompile(`<link rel="manifest"[^>]*/>`)

// ownPage makes a page without outside hosts of asynqmon's. It fails when asynqmon has changed so much that it cannot.
func (q *queues) ownPage() ([]byte, error) {
	r, err := http.NewRequest(http.MethodGet, queuesRoot+"/", nil) //nolint:noctx // it never leaves this function
	if err != nil {
		return nil, fmt.Errorf("console: ask for the dashboard's page: %w", err)
	}
	got := &captured{header: make(http.Header)}
	q.asynqmon.ServeHTTP(got, r)
	page := got.body.String()
	if !strings.Contains(page, "<head>") || (got.status != 0 && got.status != http.StatusOK) {
		return nil, errors.New("console: the dashboard has no page")
	}
	page = googleFonts.ReplaceAllString(page, "")
	page = manifestLink.ReplaceAllString(page, "")
	page = strings.Replace(page, "<head>", `<head><meta property="csp-nonce" content="`+nonceMark+`"/>`+
		`<link rel="stylesheet" href="`+Root+`assets/fonts.css"/>`, 1)
	page = strings.ReplaceAll(page, "<script>", `<script nonce="`+nonceMark+`">`)
	if outside.MatchString(page) {
		return nil, errors.New("console: the dashboard's page loads something from another host")
	}
	return []byte(page), nil
}

// ServeHTTP serves asynqmon's API, its files, and for every other path its page, which finds its way by itself.
func (q *queues) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch at := strings.TrimPrefix(path.Clean(r.URL.Path), queuesRoot); {
	case strings.HasPrefix(at, "/api/"):
		w.Header().Set("Content-Type", "application/json")
		q.asynqmon.ServeHTTP(w, r)
	case strings.HasSuffix(at, ".map"), at == "/manifest.json", at == "/asset-manifest.json":
		http.NotFound(w, r)
	case strings.HasPrefix(at, "/static/"), path.Ext(at) == ".png", path.Ext(at) == ".ico":
		q.serveFile(w, r)
	default:
		q.servePage(w)
	}
}

// serveFile serves a file of asynqmon's. Where it has none it answers with its page: that is told by the content type.
func (q *queues) serveFile(w http.ResponseWriter, r *http.Request) {
	got := &captured{header: make(http.Header)}
	q.asynqmon.ServeHTTP(got, r)
	contentType := got.header.Get("Content-Type")
	if contentType == "" || strings.HasPrefix(contentType, "text/html") {
		http.NotFound(w, r)
		return
	}
	if path.Ext(r.URL.Path) == ".svg" {
		contentType = "image/svg+xml"
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "private, max-age=86400")
	_, _ = w.Write(got.body.Bytes()) // a client that is gone cannot be told
}

func (q *queues) servePage(w http.ResponseWriter) {
	nonce := rand.Text()
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self' 'nonce-"+nonce+"'; style-src 'self' 'nonce-"+nonce+
		"'; font-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	_, _ = w.Write(bytes.Join(q.page, []byte(nonce))) // a client that is gone cannot be told
}

// captured is a response that stays here.
type captured struct {
	header http.Header
	body   bytes.Buffer
	status int
}

// Header is http.ResponseWriter.
func (c *captured) Header() http.Header { return c.header }

// Write is http.ResponseWriter.
func (c *captured) Write(b []byte) (int, error) { return c.body.Write(b) }

// WriteHeader is http.ResponseWriter.
func (c *captured) WriteHeader(status int) { c.status = status }
