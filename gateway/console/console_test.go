package console_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/console"
)

const (
	operator = "vagt"
	password = "hemmeligt æøå"
	task     = "msg_01JDZX4T8Q0000000000000001"
)

// site is a console that is served, and the cookies of people who are logged in to it.
type site struct {
	*httptest.Server

	cookies map[access.Role]*http.Cookie
	audit   *trail
}

// trail is an audit trail that can be read, and can fail.
type trail struct {
	mu      sync.Mutex
	entries []access.Entry
	err     error
}

func (a *trail) record(_ context.Context, e access.Entry) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return a.err
	}
	a.entries = append(a.entries, e)
	return nil
}

func (a *trail) all() []access.Entry {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.entries)
}

// sessions makes sessions, and logs one person of each role in.
func sessions(t *testing.T) (*access.Sessions, map[access.Role]*http.Cookie) {
	t.Helper()
	s, err := access.NewSessions(access.SessionConfig{Insecure: true})
	if err != nil {
		t.Fatal(err)
	}
	cookies := make(map[access.Role]*http.Cookie)
	for _, role := range []access.Role{access.Reader, access.OperatorRole, access.Administrator} {
		cookies[role] = cookieOf(t, s, access.Operator{Name: string(role), Roles: []access.Role{role}, How: access.ByPassword})
	}
	return s, cookies
}

func cookieOf(t *testing.T, s *access.Sessions, o access.Operator) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	if _, err := s.Begin(t.Context(), w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil), o); err != nil {
		t.Fatal(err)
	}
	list := w.Result().Cookies()
	if len(list) != 1 {
		t.Fatalf("%d cookies", len(list))
	}
	return list[0]
}

// setup serves a console over an embedded Redis with one waiting task in the queue "digitalpost" and one with a payload
// that is no message id in the queue "other".
func setup(t *testing.T, changes ...func(*console.Config)) *site {
	t.Helper()
	redis := miniredis.RunT(t)
	opt := asynq.RedisClientOpt{Addr: redis.Addr()}
	client := asynq.NewClient(opt)
	t.Cleanup(func() { _ = client.Close() })
	for queue, payload := range map[string]string{"digitalpost": task, "other": `{"cpr":"2512489996"}`} {
		if _, err := client.EnqueueContext(t.Context(), asynq.NewTask("message:dispatch", []byte(payload)), asynq.Queue(queue)); err != nil {
			t.Fatal(err)
		}
	}
	passwords, err := access.NewPasswords([]access.StaticOperator{
		{Name: "anden", Hash: hashOf("andet"), Roles: []access.Role{access.Reader}},
		{Name: operator, Hash: hashOf(password), Roles: []access.Role{access.OperatorRole}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{audit: &trail{}}
	cfg := console.Config{
		RedisConnOpt: opt, Statuses: known{}, Inbound: mail{}, Now: func() time.Time { return nine().Add(time.Hour) },
		Passwords: passwords, Audit: s.audit.record,
		Evidence: func(_ context.Context, id string, w io.Writer) error {
			if id != task {
				return gateway.ErrNotFound
			}
			_, err := io.WriteString(w, "PK")
			return err
		},
	}
	cfg.Sessions, s.cookies = sessions(t)
	for _, change := range changes {
		change(&cfg)
	}
	c, err := console.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	mux := http.NewServeMux()
	mux.Handle(console.Root, c)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	s.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return s
}

func hashOf(password string) string {
	sum := sha256.Sum256([]byte(password))
	return hex.EncodeToString(sum[:])
}

type answer struct {
	status int
	header http.Header
	body   string
}

// ask sends a request as somebody; cookie nil: nobody. form nil: without a body. headers are pairs.
func ask(t *testing.T, s *site, method, path string, cookie *http.Cookie, form url.Values, headers ...string) answer {
	t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != nil {
		req.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	for n := 0; n < len(headers); n += 2 {
		req.Header.Set(headers[n], headers[n+1])
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(content)}
}

// get is a page as an operator sees it.
func get(t *testing.T, s *site, path string) answer {
	t.Helper()
	return ask(t, s, http.MethodGet, path, s.cookies[access.OperatorRole], nil)
}

func TestNothingCanBeChanged(t *testing.T) {
	t.Parallel()
	server := setup(t)
	for path, method := range map[string]string{
		"/console/queues/api/queues/digitalpost:pause":                    http.MethodPost,
		"/console/queues/api/queues/digitalpost":                          http.MethodDelete,
		"/console/queues/api/queues/digitalpost/pending_tasks:delete_all": http.MethodDelete,
		"/console/": http.MethodPut,
	} {
		if a := ask(t, server, method, path, server.cookies[access.OperatorRole], nil); a.status != http.StatusMethodNotAllowed {
			t.Errorf("%s %s: %d, want 405", method, path, a.status)
		}
	}
	if a := get(t, server, "/console/queues/api/queues/digitalpost/pending_tasks"); !strings.Contains(a.body, task) {
		t.Errorf("the task is gone: %s", a.body)
	}
}

func TestPayloadsAreShownOnlyWhenTheyAreMessageIDs(t *testing.T) {
	t.Parallel()
	server := setup(t)
	for queue, want := range map[string]string{"digitalpost": task, "other": "(hidden)"} {
		a := get(t, server, "/console/queues/api/queues/"+queue+"/pending_tasks")
		var list struct {
			Tasks []struct {
				Payload string `json:"payload"`
			} `json:"tasks"`
		}
		if err := json.Unmarshal([]byte(a.body), &list); err != nil {
			t.Fatalf("%s: %v in %s", queue, err, a.body)
		}
		if len(list.Tasks) != 1 || list.Tasks[0].Payload != want {
			t.Errorf("%s: %+v, want one task with payload %s", queue, list.Tasks, want)
		}
		if strings.Contains(a.body, "2512489996") {
			t.Errorf("%s: the dashboard shows what is no message id", queue)
		}
	}
}

var (
	reference = regexp.MustCompile(`<(?:link|script|img)\b[^>]*\b(?:href|src)="([^"]*)"`)
	cssURL    = regexp.MustCompile(`url\("?([^")]*)"?\)`)
	dynamic   = regexp.MustCompile(`"(static/media/[^"]+)"`)
)

// TestNothingIsLoadedFromOutside follows every reference that a browser would load, from page to file to font.
func TestNothingIsLoadedFromOutside(t *testing.T) {
	t.Parallel()
	server := setup(t)
	todo := []string{"/console/", "/console/statuses", "/console/queues/", "/console/queues", "/console/queues/queues/digitalpost?status=pending", "/console/queues/index.html"}
	seen := make(map[string]bool)
	fonts := 0
	for len(todo) > 0 {
		at := todo[0]
		todo = todo[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		a := get(t, server, at)
		if a.status != http.StatusOK {
			t.Errorf("%s: status %d", at, a.status)
		}
		kind := a.header.Get("Content-Type")
		if strings.Contains(a.body, "googleapis.com") || strings.Contains(a.body, "gstatic.com") {
			t.Errorf("%s speaks of Google", at)
		}
		base, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		var found [][]string
		switch {
		case strings.HasPrefix(kind, "text/html"):
			found = reference.FindAllStringSubmatch(a.body, -1)
			if len(found) == 0 {
				t.Errorf("%s: no reference was found; is the pattern right?", at)
			}
		case strings.HasPrefix(kind, "text/css"):
			found = cssURL.FindAllStringSubmatch(a.body, -1)
		case strings.HasPrefix(kind, "application/javascript"):
			for _, m := range dynamic.FindAllStringSubmatch(a.body, -1) {
				found = append(found, []string{"", "/console/queues/" + m[1]})
			}
		case kind == "font/woff2":
			fonts++
			if !strings.HasPrefix(a.body, "wOF2") {
				t.Errorf("%s is no WOFF2", at)
			}
		}
		for _, m := range found {
			to, err := base.Parse(m[1])
			if err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			if to.Host != "" || to.Scheme != "" {
				t.Errorf("%s loads %s", at, m[1])
				continue
			}
			todo = append(todo, to.RequestURI())
		}
	}
	if fonts != 9 {
		t.Errorf("%d fonts, want Roboto in four weights and two ranges, and the icons", fonts)
	}
}

func TestPolicyForbidsOtherHosts(t *testing.T) {
	t.Parallel()
	server := setup(t)
	for _, path := range []string{"/console/", "/console/statuses", "/console/queues/", "/console/queues/servers", "/console/queues/api/queues"} {
		a := get(t, server, path)
		policy := a.header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "http") ||
			strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
			t.Errorf("%s: policy %q", path, policy)
		}
		for name, want := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
	}
	nonce := regexp.MustCompile(`'nonce-([A-Z0-9]+)'`)
	first := get(t, server, "/console/queues/")
	one := nonce.FindStringSubmatch(first.header.Get("Content-Security-Policy"))
	two := nonce.FindStringSubmatch(get(t, server, "/console/queues/").header.Get("Content-Security-Policy"))
	if one == nil || two == nil || one[1] == two[1] {
		t.Fatalf("nonces %v and %v, want two different ones", one, two)
	}
	if !strings.Contains(first.body, `<script nonce="`+one[1]+`">`) || strings.Contains(first.body, "<script>") {
		t.Error("an inline script lacks the nonce")
	}
}

func TestSourceMapsAndStrangersAreNotServed(t *testing.T) {
	t.Parallel()
	server := setup(t)
	for _, path := range []string{
		"/console/queues/static/js/main.5adda2da.chunk.js.map", "/console/queues/static/js/nothing.js", "/console/queues/manifest.json",
		"/console/queues/nothing.png", "/console/assets/nothing.css", "/console/assets/..%2fconsole.go", "/console/nothing",
	} {
		if a := get(t, server, path); a.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, a.status)
		}
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	s, _ := sessions(t)
	for name, cfg := range map[string]console.Config{
		"no redis":    {Sessions: s},
		"no sessions": {RedisConnOpt: asynq.RedisClientOpt{Addr: "127.0.0.1:1"}},
	} {
		if _, err := console.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
