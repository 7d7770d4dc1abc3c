package target_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/inbound/target"
	"github.com/brevdue/brevdue/gateway/inbound/targettest"
	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// system is a system of the municipality: HTTPS with mutual TLS. It has a message as often as it got it whole, and knows a
// message again by its webhook-id.
type system struct {
	server *httptest.Server

	mu     sync.Mutex
	status int
	header http.Header
	got    map[string][]received // by webhook-id
	calls  int
}

type received struct {
	header http.Header
	sum    string
	body   []byte // of small ones
}

var authority = sync.OnceValues(func() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048, PKCS1: true})
})

// certificates are files of the test's own authority.
func certificates(t testing.TB) (dir string, a *sf1601test.Authority) {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	if err := a.WriteFiles(dir); err != nil {
		t.Fatal(err)
	}
	return dir, a
}

func newSystem(t testing.TB) (*system, routing.Target) {
	t.Helper()
	dir, a := certificates(t)
	s := &system{got: map[string][]received{}, status: http.StatusAccepted, header: http.Header{}}
	s.server = httptest.NewUnstartedServer(http.HandlerFunc(s.take))
	s.server.TLS = &tls.Config{
		MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{a.ServerCertificate()},
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.RootCAs(),
	}
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s, routing.Target{
		Name: "boern", Kind: routing.URL, URL: s.server.URL + "/post", Format: routing.FormatMemo, SecretFile: secretFile(t, "one"),
		CertificateFile: filepath.Join(dir, sf1601test.FileClient), KeyFile: filepath.Join(dir, sf1601test.FileClientKey),
		CAFile: filepath.Join(dir, sf1601test.FileCA),
	}
}

func secret(name string) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(name, 12)))
}

func secretFile(t testing.TB, names ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secrets")
	var b strings.Builder
	for _, n := range names {
		b.WriteString(secret(n) + "\n")
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *system) take(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	status := s.status
	s.calls++
	maps.Copy(w.Header(), s.header)
	s.mu.Unlock()
	if status >= 300 {
		http.Error(w, targettest.Remote, status)
		return
	}
	var small bytes.Buffer
	var body io.Reader = r.Body
	if r.ContentLength < 8<<20 {
		body = io.TeeReader(r.Body, &small)
	}
	h := &failing{r: body}
	sum := digestOf(ignoring{}, h)
	if h.err != nil {
		return // the caller went away
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.Header.Get("webhook-id")
	s.got[id] = append(s.got[id], received{r.Header.Clone(), sum, small.Bytes()})
	w.WriteHeader(status)
}

// failing remembers how a body ended.
type failing struct {
	r   io.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
		return n, io.EOF
	}
	return n, err
}

// ignoring is a test that nobody looks at.
type ignoring struct{ testing.TB }

func (ignoring) Helper()      {}
func (ignoring) Error(...any) {}

func (s *system) set(status int, header http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.header = status, header
}

func (s *system) received(id string) []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]received(nil), s.got[id]...)
}

func newTarget(t testing.TB, r routing.Target, o target.Options) inbound.Target {
	t.Helper()
	made, err := target.New(r, o)
	if err != nil {
		t.Fatal(err)
	}
	if c, is := made.(io.Closer); is {
		t.Cleanup(func() {
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	return made
}

func endpointWorld(format string) func(t *testing.T) targettest.World {
	return func(t *testing.T) targettest.World {
		t.Helper()
		s, r := newSystem(t)
		r.Format = format
		return targettest.World{
			Target: newTarget(t, r, target.Options{}),
			Set: func(t *testing.T, m targettest.Mood) bool {
				t.Helper()
				switch m {
				case targettest.Takes:
					s.set(http.StatusAccepted, nil)
				case targettest.Refuses:
					s.set(http.StatusUnprocessableEntity, nil)
				case targettest.Busy:
					s.set(http.StatusServiceUnavailable, nil)
				case targettest.Gone:
					return false
				}
				return true
			},
			Got: func(t *testing.T, p *inbound.Parcel) []targettest.Copy {
				t.Helper()
				var copies []targettest.Copy
				for _, r := range s.received(p.Post.ID) {
					if format == routing.FormatMemo {
						copies = append(copies, targettest.Copy{Memo: r.sum})
						continue
					}
					copies = append(copies, linksOf(t, r.body))
				}
				return copies
			},
		}
	}
}

// linksOf reads the links of a note.
func linksOf(t *testing.T, body []byte) targettest.Copy {
	t.Helper()
	var note struct {
		Documents []struct {
			URL string `json:"url"`
		} `json:"documents"`
	}
	if err := json.Unmarshal(body, &note); err != nil {
		t.Errorf("%v: %s", err, body)
	}
	var c targettest.Copy
	for _, d := range note.Documents {
		if strings.HasPrefix(d.URL, targettest.Base) {
			c.Links = append(c.Links, d.URL)
		}
	}
	return c
}

func TestEndpointConformance(t *testing.T) {
	t.Parallel()
	for _, format := range []string{routing.FormatMemo, routing.FormatJSON} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			targettest.Run(t, endpointWorld(format))
		})
	}
}

func TestEndpointLarge(t *testing.T) { //nolint:paralleltest // measures memory
	for _, format := range []string{routing.FormatMemo, routing.FormatJSON} { //nolint:paralleltest // as above
		t.Run(format, func(t *testing.T) { targettest.RunLarge(t, endpointWorld(format)(t)) })
	}
}

// TestEndpointSigns: with every secret, as the library verifies, the id the same on every attempt.
func TestEndpointSigns(t *testing.T) {
	t.Parallel()
	for _, format := range []string{routing.FormatMemo, routing.FormatJSON} {
		s, r := newSystem(t)
		r.Format, r.SecretFile = format, secretFile(t, "one", "two")
		x, p := newTarget(t, r, target.Options{}), targettest.Parcel(t, 100, 200)
		code(t, x.Deliver(t.Context(), p), inbound.Taken, "http.taken")
		code(t, x.Deliver(t.Context(), p), inbound.Taken, "http.taken")
		got := s.received(p.Post.ID)
		if len(got) != 2 {
			t.Fatalf("%d calls with the id", len(got))
		}
		want := map[string]string{routing.FormatMemo: "application/xml", routing.FormatJSON: "application/json"}[format]
		if h := got[0].header; h.Get("Content-Type") != want || h.Get("Content-Length") == "" {
			t.Errorf("%v", h)
		}
		for _, name := range []string{"one", "two", "three"} {
			w, err := standardwebhooks.NewWebhook(secret(name))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Verify(got[1].body, got[1].header); (err == nil) != (name != "three") {
				t.Errorf("%s %s: %v", format, name, err)
			}
		}
	}
}

func TestEndpointStatuses(t *testing.T) {
	t.Parallel()
	s, r := newSystem(t)
	x, p := newTarget(t, r, target.Options{}), targettest.Parcel(t, 2_000_000) // large enough to be asked first
	for status, want := range map[int]inbound.Verdict{
		200: inbound.Taken, 201: inbound.Taken, 202: inbound.Taken, 204: inbound.Taken,
		301: inbound.Later, 307: inbound.Later, 308: inbound.Later,
		400: inbound.Later, 401: inbound.Later, 403: inbound.Later, 404: inbound.Later, 405: inbound.Later, 408: inbound.Later,
		409: inbound.Later, 417: inbound.Later, 425: inbound.Later, 429: inbound.Later, 431: inbound.Later,
		410: inbound.Refused, 413: inbound.Refused, 415: inbound.Refused, 422: inbound.Refused, 451: inbound.Refused,
		500: inbound.Later, 501: inbound.Later, 502: inbound.Later, 503: inbound.Later, 507: inbound.Later, 599: inbound.Later,
	} {
		s.set(status, http.Header{"Retry-After": {"77"}, "Location": {s.server.URL + "/" + targettest.Remote}})
		o := x.Deliver(t.Context(), p)
		if o.Verdict != want {
			t.Errorf("%d: %s %s: %v", status, o.Verdict, o.Code, o.Err)
		}
		if wish := o.RetryAfter; (wish == 77*time.Second) != (want == inbound.Later && status >= 400) {
			t.Errorf("%d: wish %s", status, wish)
		}
	}
	if s.calls != 29 {
		t.Errorf("%d calls: was a redirect followed?", s.calls)
	}
}

func TestEndpointFailures(t *testing.T) {
	t.Parallel()
	_, good := newSystem(t)
	dir := t.TempDir()
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(plain.Close)
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(slow.Close)
	odd := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 100_000))
	}))
	t.Cleanup(odd.Close)
	other := httptest.NewTLSServer(nil)
	t.Cleanup(other.Close)
	otherCA := filepath.Join(dir, "other.pem")
	if err := os.WriteFile(otherCA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: other.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for word, change := range map[string]func(r *routing.Target){
		"http.taken":   func(*routing.Target) {},
		"http.tls":     func(r *routing.Target) { r.CAFile = otherCA },
		"http.tls ":    func(r *routing.Target) { r.CertificateFile, r.KeyFile = "", "" },
		"http.connect": func(r *routing.Target) { r.URL = "https://127.0.0.1:1/" },
		"http.name":    func(r *routing.Target) { r.URL = "https://nowhere.invalid/" },
		"http.timeout": func(r *routing.Target) { r.URL = slow.URL },
		"http.answer":  func(r *routing.Target) { r.URL = odd.URL },
		"http.taken ":  func(r *routing.Target) { r.URL = plain.URL },
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			r := good
			change(&r)
			o := newTarget(t, r, target.Options{HTTPTimeout: 2 * time.Second}).Deliver(t.Context(), targettest.Parcel(t, 10))
			if word == "http.tls " && o.Verdict == inbound.Later {
				return // TLS 1.3 refuses a client after its handshake: what is read first, the alert or the end, is chance
			}
			if o.Code != strings.TrimSpace(word) || (o.Verdict == inbound.Taken) != (o.Code == "http.taken") {
				t.Errorf("%s %s: %v", o.Verdict, o.Code, o.Err)
			}
		})
	}
}

func TestEndpointNeedsLinksForJSON(t *testing.T) {
	t.Parallel()
	_, r := newSystem(t)
	r.Format = routing.FormatJSON
	p := targettest.Parcel(t, 10)
	p.DocumentURL = func(int) string { return "" }
	code(t, newTarget(t, r, target.Options{}).Deliver(t.Context(), p), inbound.Later, "links.missing")
}

// TestEndpointJSON is the document of docs/inbound.md.
func TestEndpointJSON(t *testing.T) {
	t.Parallel()
	s, r := newSystem(t)
	r.Format = routing.FormatJSON
	p := targettest.Parcel(t, 10)
	code(t, newTarget(t, r, target.Options{}).Deliver(t.Context(), p), inbound.Taken, "http.taken")
	var got map[string]any
	if err := json.Unmarshal(s.received(p.Post.ID)[0].body, &got); err != nil {
		t.Fatal(err)
	}
	at := func(path ...any) any {
		var v any = got
		for _, step := range path {
			switch key := step.(type) {
			case string:
				m, _ := v.(map[string]any)
				v = m[key]
			case int:
				l, _ := v.([]any)
				v = l[key]
			}
		}
		return v
	}
	for _, c := range []struct {
		want any
		path []any
	}{
		{p.Post.ID, []any{"id"}},
		{p.Post.MessageUUID, []any{"messageUUID"}},
		{"MSG-1", []any{"messageID"}},
		{"2026-11-02T08:00:00Z", []any{"received"}},
		{"2026-11-02T07:00:00Z", []any{"createdDateTime"}},
		{targettest.Subject, []any{"label"}},
		{"CPR", []any{"sender", "idType"}},
		{targettest.CPR, []any{"sender", "id"}},
		{targettest.Name, []any{"sender", "label"}},
		{"241d39f6-998e-4929-b198-ccacbbf4b330", []any{"recipient", "contactPoint", "contactPointID"}},
		{"27.00.00", []any{"kle", "key"}},
		{targettest.CaseID, []any{"caseID", "caseID"}},
		{targettest.CaseID, []any{"replyData", 0, "caseID"}},
		{"417", []any{"replyData", 0, "additionalReplyData", 0, "value"}},
		{"huskeservice", []any{"answers", "producer"}},
		{"pdf.javascript", []any{"flags", 0}},
		{0.0, []any{"documents", 0, "n"}},
		{10.0, []any{"documents", 0, "size"}},
		{"æøå 0.bin", []any{"documents", 0, "filename"}},
		{p.Post.Documents[0].SHA256, []any{"documents", 0, "sha256"}},
		{p.DocumentURL(0), []any{"documents", 0, "url"}},
	} {
		if v := at(c.path...); v != c.want {
			t.Errorf("%v: %v, wanted %v", c.path, v, c.want)
		}
	}
}

func TestSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	none := filepath.Join(dir, "none")
	url := routing.Target{Name: "x", Kind: routing.URL, URL: "https://system.example", Format: routing.FormatMemo}
	broker := routing.Target{Name: "x", Kind: routing.AMQP, URL: "amqps://mq.example", Format: routing.FormatJSON, Queue: "post", User: "u", PasswordFile: url.URL}
	for want, c := range map[string]struct {
		base   routing.Target
		change func(r *routing.Target)
	}{
		"secret_file: ":                      {url, func(r *routing.Target) { r.SecretFile = empty }},
		"ca_file: ":                          {url, func(r *routing.Target) { r.CAFile = none }},
		"ca_file: it holds no certificate":   {url, func(r *routing.Target) { r.CAFile = empty }},
		"certificate_file and key_file: ":    {url, func(r *routing.Target) { r.CertificateFile, r.KeyFile = empty, empty }},
		"format: ":                           {url, func(r *routing.Target) { r.Format = "pdf" }},
		"url: ":                              {url, func(r *routing.Target) { r.URL = "" }},
		"mail: no mail server is configured": {routing.Target{Name: "x", Kind: routing.Mail, Address: "post@testby.example"}, func(*routing.Target) {}},
		"nothing to be made":                 {url, func(r *routing.Target) { r.Kind = routing.Producer }},
		"password_file: ":                    {broker, func(r *routing.Target) { r.PasswordFile = none }},
		"password_file: it is empty":         {broker, func(r *routing.Target) { r.PasswordFile = empty }},
		"user, certificate_file: ":           {broker, func(r *routing.Target) { r.User = "" }},
		"amqp: ":                             {broker, func(r *routing.Target) { r.URL = "https://mq.example" }},
	} {
		r := c.base
		c.change(&r)
		if _, err := target.New(r, target.Options{}); err == nil || !strings.HasPrefix(err.Error(), "target x: "+want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
