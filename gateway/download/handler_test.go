package download_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/download"
)

// shelf holds one document and counts what is done with it.
type shelf struct {
	doc            download.Document
	content        []byte
	err            error
	onDisk         bool // the content can be moved
	opened, closed atomic.Int64
	read           atomic.Int64
}

func (s *shelf) Open(_ context.Context, id string, n int) (download.Document, io.ReadCloser, error) {
	if s.err != nil {
		return download.Document{}, nil, s.err
	}
	if id != messageID || n != 3 {
		return download.Document{}, nil, download.ErrNotFound
	}
	s.opened.Add(1)
	r := &reader{shelf: s, r: bytes.NewReader(s.content)}
	if s.onDisk {
		return s.doc, struct {
			*reader
			io.Seeker
		}{r, r.r}, nil
	}
	return s.doc, r, nil
}

// reader is a stream that cannot be moved, as one out of an encrypted store.
type reader struct {
	shelf *shelf
	r     *bytes.Reader
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.shelf.read.Add(int64(n))
	return n, err
}

func (r *reader) Close() error { r.shelf.closed.Add(1); return nil }

func newShelf() *shelf {
	content := bytes.Repeat([]byte("0123456789"), 1000)
	return &shelf{content: content, doc: download.Document{
		Filename: "Bilag til sagen æøå \"1\".pdf", ContentType: "application/pdf", Size: int64(len(content)), From: "Testby Kommune & co",
	}}
}

// ask sends one request to a handler mounted at /hent whose clock stands at now.
func ask(t testing.TB, s *shelf, now time.Time, method, path string, header ...string) answer {
	t.Helper()
	h := http.StripPrefix("/hent", download.Handler(download.Config{Signer: at(now), Documents: s}))
	r := httptest.NewRequestWithContext(t.Context(), method, "https://post.testby.example"+path, http.NoBody)
	for n := 0; n+1 < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if opened, closed := s.opened.Load(), s.closed.Load(); opened != closed {
		t.Errorf("%d opened, %d closed", opened, closed)
	}
	return answer{status: w.Code, header: w.Header(), body: w.Body.String()}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

func TestThePage(t *testing.T) {
	t.Parallel()
	s := newShelf()
	path := "/hent/" + tokenOf(t, at(from))
	r := ask(t, s, from, http.MethodGet, path)
	page := r.body
	if r.status != http.StatusOK || r.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %s", r.status, r.header.Get("Content-Type"))
	}
	for _, want := range []string{
		`<html lang="da">`, "Bilag til sagen æøå &#34;1&#34;.pdf", "10 kB", "sendt til dig af Testby Kommune &amp; co.",
		"Linket virker til 22. november 2026 kl. 13.00.", "Hent dokumentet", "noindex",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
	if s.read.Load() != 0 {
		t.Error("the page reads the document")
	}
	// The button leads from where the browser is to the file.
	href := regexp.MustCompile(`href="([^"]+)"`).FindStringSubmatch(page)
	if href == nil {
		t.Fatal("no button")
	}
	if f := ask(t, s, from, http.MethodGet, "/hent/"+href[1]); f.status != http.StatusOK || f.body != string(s.content) {
		t.Errorf("the button leads to %d", f.status)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(page)
	sum := sha256.Sum256([]byte(style[1]))
	if want := "style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(r.header.Get("Content-Security-Policy"), want) {
		t.Errorf("the policy forbids the page's own style: %s", r.header.Get("Content-Security-Policy"))
	}
}

// TestEveryAnswerIsHardened also holds that nothing is kept, listed, framed or told on.
func TestEveryAnswerIsHardened(t *testing.T) {
	t.Parallel()
	token := tokenOf(t, at(from))
	for _, path := range []string{"/hent/" + token, "/hent/" + token + "/fil", "/hent/wrong"} {
		h := ask(t, newShelf(), from, http.MethodGet, path).header
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY", "X-Robots-Tag": "noindex, nofollow, noarchive", "Cross-Origin-Resource-Policy": "same-origin",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s: %s is %q", path, name, got)
			}
		}
		if policy := h.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: %s", path, policy)
		}
	}
}

// TestWhatDoesNotWorkLooksTheSame compares every byte and header of the answers to links that lead nowhere.
func TestWhatDoesNotWorkLooksTheSame(t *testing.T) {
	t.Parallel()
	s := at(from)
	token := tokenOf(t, s)
	other, _ := s.Link("msg_unknown", 3, from)
	forged := at(from)
	forged.Key = key(9)
	type look struct {
		status       int
		header, page string
	}
	answers := make(map[look][]string)
	for name, c := range map[string]struct {
		now  time.Time
		path string
	}{
		"expired":          {from.Add(24 * time.Hour), "/hent/" + token},
		"expired file":     {from.Add(24 * time.Hour), "/hent/" + token + "/fil"},
		"forged":           {from, "/hent/" + tokenOf(t, forged)},
		"forged file":      {from, "/hent/" + tokenOf(t, forged) + "/fil"},
		"cut short":        {from, "/hent/" + token[:20]},
		"nothing":          {from, "/hent/"},
		"no such document": {from, strings.TrimPrefix(other, "https://post.testby.example")},
		"other place":      {from, "/hent/" + token + "/other"},
		"slash":            {from, "/hent/" + token + "/"},
		"deeper":           {from, "/hent/" + token + "/fil/fil"},
	} {
		r := ask(t, newShelf(), c.now, http.MethodGet, c.path)
		var h bytes.Buffer
		if err := r.header.Write(&h); err != nil {
			t.Fatal(err)
		}
		a := look{r.status, h.String(), r.body}
		answers[a] = append(answers[a], name)
	}
	if len(answers) != 1 {
		t.Errorf("the answers differ: %v", answers)
	}
	for a := range answers {
		if a.status != http.StatusNotFound || !strings.Contains(a.page, "Linket virker ikke") || strings.Contains(a.page, "Hent dokumentet") {
			t.Errorf("%d:\n%s", a.status, a.page)
		}
	}
}

func TestTheFile(t *testing.T) {
	t.Parallel()
	s := newShelf()
	r := ask(t, s, from, http.MethodGet, "/hent/"+tokenOf(t, at(from))+"/fil")
	if got := r.body; r.status != http.StatusOK || got != string(s.content) || r.header.Get("Content-Length") != "10000" {
		t.Fatalf("%d, %d of %s bytes", r.status, len(got), r.header.Get("Content-Length"))
	}
	if got := r.header.Get("Content-Type"); got != "application/pdf" {
		t.Errorf("type %q", got)
	}
	raw := r.header.Get("Content-Disposition")
	kind, params, err := mime.ParseMediaType(strings.Replace(raw, `filename="Bilag til sagen ___ _1_.pdf"; `, "", 1))
	if err != nil || kind != "attachment" || params["filename"] != s.doc.Filename {
		t.Errorf("%s: %q, %v", raw, params["filename"], err)
	}
	if !strings.HasPrefix(raw, `attachment; filename="Bilag til sagen ___ _1_.pdf"; filename*=UTF-8''Bilag%20til`) {
		t.Error(raw)
	}
}

// TestRangesOfAFileOnDisk covers content that can be moved.
func TestRangesOfAFileOnDisk(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.onDisk = true
	r := ask(t, s, from, http.MethodGet, "/hent/"+tokenOf(t, at(from))+"/fil", "Range", "bytes=9995-")
	if r.status != http.StatusPartialContent || r.body != "56789" || s.read.Load() != 5 {
		t.Errorf("%d %q with %d bytes read", r.status, r.body, s.read.Load())
	}
}

func TestRanges(t *testing.T) {
	t.Parallel()
	path := "/hent/" + tokenOf(t, at(from)) + "/fil"
	tag := ask(t, newShelf(), from, http.MethodGet, path).header.Get("Etag")
	for _, c := range []struct {
		header []string
		status int
		want   string
	}{
		{[]string{"Range", "bytes=5-8"}, http.StatusPartialContent, "5678"},
		{[]string{"Range", "bytes=9995-"}, http.StatusPartialContent, "56789"},
		{[]string{"Range", "bytes=-3"}, http.StatusPartialContent, "789"},
		{[]string{"Range", "bytes=9998-", "If-Range", tag}, http.StatusPartialContent, "89"},
		{[]string{"Range", "bytes=9998-", "If-Range", `"other"`}, http.StatusOK, strings.Repeat("0123456789", 1000)},
		{[]string{"Range", "bytes=0-0,5-5,1-1"}, http.StatusOK, strings.Repeat("0123456789", 1000)},
		{[]string{"Range", "bytes=10000-"}, http.StatusRequestedRangeNotSatisfiable, ""},
	} {
		r := ask(t, newShelf(), from, http.MethodGet, path, c.header...)
		if got := r.body; r.status != c.status || (c.want != "" && got != c.want) {
			t.Errorf("%v: %d, %.20q", c.header, r.status, got)
		}
	}
}

// TestAskingChangesNothing is what programs do that look at links in mail before people: the link works afterwards.
func TestAskingChangesNothing(t *testing.T) {
	t.Parallel()
	s := newShelf()
	path := "/hent/" + tokenOf(t, at(from))
	for range 50 {
		for _, p := range []string{path, path + "/fil"} {
			r := ask(t, s, from, http.MethodHead, p)
			if r.status != http.StatusOK || r.body != "" || r.header.Get("Content-Length") == "" {
				t.Fatalf("HEAD %d", r.status)
			}
		}
	}
	if s.read.Load() != 0 {
		t.Error("HEAD reads the document")
	}
	for range 3 {
		if r := ask(t, s, from, http.MethodGet, path+"/fil"); r.body != string(s.content) {
			t.Error("the link does not work again")
		}
	}
	for _, method := range []string{http.MethodPost, http.MethodDelete, http.MethodOptions} {
		if r := ask(t, s, from, method, path); r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: %d", method, r.status)
		}
	}
}

func TestAStoreThatIsDown(t *testing.T) {
	t.Parallel()
	s := newShelf()
	s.err = errors.New("the store is down at 10.0.0.7")
	r := ask(t, s, from, http.MethodGet, "/hent/"+tokenOf(t, at(from))+"/fil")
	if page := r.body; r.status != http.StatusServiceUnavailable || r.header.Get("Retry-After") == "" ||
		!strings.Contains(page, "Prøv igen") || strings.Contains(page, "10.0.0.7") {
		t.Errorf("%d:\n%s", r.status, page)
	}
}

func TestNamesAndTypesThatCannotBeTrusted(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"../../etc/passwd":                "_.._etc_passwd",
		"a\r\nX-Evil: 1.pdf":              "a__X-Evil_ 1.pdf",
		"letter\u202efdp.exe":             "letterfdp.exe",
		"":                                "dokument",
		" . ":                             "dokument",
		strings.Repeat("å", 300) + ".pdf": strings.Repeat("å", 98) + ".pdf",
		"100%; x=\"y\".pdf":               "100%; x=\"y\".pdf",
		"\xff.pdf":                        "_.pdf",
	} {
		s := newShelf()
		s.doc.Filename, s.doc.ContentType = name, "text/html\r\nX-Evil: 1"
		r := ask(t, s, from, http.MethodGet, "/hent/"+tokenOf(t, at(from))+"/fil")
		raw := r.header.Get("Content-Disposition")
		_, extended, _ := strings.Cut(raw, "; filename*")
		_, params, err := mime.ParseMediaType("attachment; filename*" + extended)
		if err != nil || params["filename"] != want || strings.ContainsAny(raw, "\r\n") {
			t.Errorf("%q: %q, %v", name, params["filename"], err)
		}
		if got := r.header.Get("Content-Type"); got != "application/octet-stream" {
			t.Errorf("type %q", got)
		}
		for _, c := range raw {
			if c > '~' || c < ' ' {
				t.Errorf("%q is not ASCII", raw)
			}
		}
	}
}
