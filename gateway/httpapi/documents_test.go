package httpapi

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

func TestUploadAndUse(t *testing.T) {
	t.Parallel()
	h := setup(t)
	const content = "%PDF-1.7 an annex"
	doc, err := h.client.UploadDocument(t.Context(), "Bilag æøå.pdf", strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	if !strings.HasPrefix(doc.ID, "doc_") || doc.SHA256 != hex.EncodeToString(sum[:]) || doc.Size != int64(len(content)) {
		t.Errorf("%+v", doc)
	}
	in := letter("sag-1")
	in.Content.Documents = append(in.Content.Documents, DocumentRequest{Document: doc.ID})
	if _, err := h.client.PostIntent(t.Context(), in); err != nil {
		t.Error(err)
	}
}

func TestBadUploads(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for name, c := range map[string]struct {
		path, body    string
		code, pointer string
	}{
		"no filename":       {"/v1/documents", "x", "required", "/filename"},
		"long filename":     {"/v1/documents?filename=" + strings.Repeat("a", 257), "x", "text.too_long", "/filename"},
		"filename of lines": {"/v1/documents?filename=a%0Ab", "x", "text.invalid", "/filename"},
		"empty":             {"/v1/documents?filename=a.pdf", "", "document.empty", ""},
	} {
		a := h.ask(t, http.MethodPost, c.path, c.body, "Content-Type", "application/pdf")
		p := a.problem(t)
		if a.status != http.StatusUnprocessableEntity || p.Code != "document.invalid" || len(p.Errors) != 1 ||
			p.Errors[0].Code != c.code || p.Errors[0].Pointer != c.pointer {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// zeros is a file that costs no memory.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func TestDocumentOverTheLimit(t *testing.T) {
	t.Parallel()
	h := setup(t)
	a := h.chunked(t, "/v1/documents?filename=stor.pdf", io.LimitReader(zeros{}, gateway.MaxDocument+1))
	if p := a.problem(t); a.status != http.StatusRequestEntityTooLarge || p.Code != "document.too_large" || !strings.Contains(p.Detail, "99,500,000") {
		t.Errorf("chunked: %d %s", a.status, a.body)
	}
	// Announced, it is refused before a byte is read.
	s, err := New(Config{Gateway: h.gateway, Producers: testProducers()})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/documents?filename=stor.pdf", unreadable{t})
	r.ContentLength = gateway.MaxDocument + 1
	r.Header.Set("Authorization", "Bearer "+tokenHuske)
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("announced: %d %s", w.Code, w.Body)
	}
}

// unreadable is a body that must not be read.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// uploads lets a test stand where the document store is.
type uploads struct {
	Gateway
	upload func(r io.Reader) error
}

func (u uploads) Upload(_ context.Context, _, _ string, r io.Reader) (*gateway.Upload, error) {
	if err := u.upload(r); err != nil {
		return nil, err
	}
	return &gateway.Upload{ID: "doc_1", SHA256: strings.Repeat("0", 64), Size: 1}, nil
}

// TestUploadIsStreamed: the store has the first bytes while the client still holds back the rest.
func TestUploadIsStreamed(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{})
	h := setup(t, func(g Gateway) Gateway {
		return uploads{g, func(r io.Reader) error {
			first := make([]byte, 5)
			if _, err := io.ReadFull(r, first); err != nil || string(first) != "first" {
				return fmt.Errorf("%q: %w", first, err)
			}
			close(arrived)
			rest, err := io.ReadAll(r)
			if string(rest) != "last" {
				return fmt.Errorf("%q: %w", rest, err)
			}
			return err
		}}
	})
	reader, writer := io.Pipe()
	go func() {
		_, err := io.WriteString(writer, "first")
		<-arrived
		if err == nil {
			_, err = io.WriteString(writer, "last")
		}
		_ = writer.CloseWithError(err)
	}()
	if _, err := h.client.UploadDocument(t.Context(), "a.pdf", reader); err != nil {
		t.Fatal(err)
	}
}

// TestUploadThatEndsEarly: the client says 100 bytes and hangs up after ten.
func TestUploadThatEndsEarly(t *testing.T) {
	t.Parallel()
	h := setup(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(h.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, "POST /v1/documents?filename=a.pdf HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+tokenHuske+
		"\r\nContent-Length: 100\r\n\r\n0123456789")
	if err != nil {
		t.Fatal(err)
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		t.Fatalf("%T is no TCP connection", conn)
	}
	if err := tcp.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), `"code":"body.incomplete"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// deadlines is a connection that remembers its read deadlines.
type deadlines struct {
	http.ResponseWriter
	set []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

// TestPace: the deadline grows with what came, and is gone at the end.
func TestPace(t *testing.T) {
	t.Parallel()
	conn := &deadlines{ResponseWriter: httptest.NewRecorder()}
	body := newPacedBody(conn, io.LimitReader(zeros{}, 3*bodyRate))
	buf := make([]byte, bodyRate)
	for range 3 {
		if _, err := io.ReadFull(body, buf); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := body.Read(buf); err != io.EOF { //nolint:errorlint // a reader must return io.EOF itself
		t.Fatal(err)
	}
	want := []time.Duration{bodyGrace, bodyGrace + time.Second, bodyGrace + 2*time.Second, bodyGrace + 3*time.Second}
	if len(conn.set) != len(want)+1 || !conn.set[len(want)].IsZero() {
		t.Fatalf("%v, want %d deadlines and none at the end", conn.set, len(want))
	}
	for n, d := range want {
		if got := conn.set[n].Sub(body.start); got != d {
			t.Errorf("deadline %d is %v after the start, want %v", n, got, d)
		}
	}
}

// tooSlow is a body whose deadline fires.
type tooSlow struct{}

func (tooSlow) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestBodyTooSlow(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Gateway: uploads{upload: func(r io.Reader) error {
		_, err := io.ReadAll(r)
		return fmt.Errorf("store: %v", err) //nolint:errorlint // a store that does not wrap must not hide the cause
	}}, Producers: testProducers()})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/intents", "/v1/documents?filename=a.pdf"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, tooSlow{})
		r.Header.Set("Authorization", "Bearer "+tokenHuske)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != http.StatusRequestTimeout || !strings.Contains(w.Body.String(), "body.too_slow") {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}
