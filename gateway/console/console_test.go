package console_test

import (
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/hibiken/asynq"

	"github.com/brevdue/brevdue/gateway/console"
)

const (
	operator = "vagt"
	password = "hemmeligt æøå"
	task     = "msg_01JDZX4T8Q0000000000000001"
)

// setup serves a console over an embedded Redis with one waiting task in the queue "digitalpost" and one with a payload
// that is no message id in the queue "other".
func setup(t *testing.T) *httptest.Server {
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
	c, err := console.New(console.Config{
		RedisConnOpt: opt, Statuses: known{}, Inbound: mail{}, Now: func() time.Time { return nine().Add(time.Hour) },
		Operators: []console.Operator{
			{Name: "anden", PasswordSHA256: sha256.Sum256([]byte("andet"))},
			{Name: operator, PasswordSHA256: sha256.Sum256([]byte(password))},
		},
	})
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
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

type answer struct {
	status int
	header http.Header
	body   string
}

func ask(t *testing.T, server *httptest.Server, method, path, user, pass string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, pass)
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

func get(t *testing.T, server *httptest.Server, path string) answer {
	t.Helper()
	return ask(t, server, http.MethodGet, path, operator, password)
}

func TestNobodyIsLetInWithoutPassword(t *testing.T) {
	t.Parallel()
	server := setup(t)
	paths := []string{
		"/console/", "/console/assets/fonts.css", "/console/statuses", "/console/queues/", "/console/queues/api/queues",
		"/console/queues/static/js/main.5adda2da.chunk.js", "/console/nothing",
	}
	for _, path := range paths {
		for name, login := range map[string][2]string{
			"none": {}, "wrong password": {operator, "forkert"}, "wrong name": {"ukendt", password},
			"password of another": {operator, "andet"}, "empty password": {operator, ""},
		} {
			a := ask(t, server, http.MethodGet, path, login[0], login[1])
			if a.status != http.StatusUnauthorized || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Basic ") {
				t.Errorf("%s with %s: %d %v, want 401 and a challenge", path, name, a.status, a.header)
			}
			if strings.Contains(a.body, "digitalpost") {
				t.Errorf("%s with %s tells of a queue", path, name)
			}
		}
	}
	for _, path := range paths[:6] {
		if a := get(t, server, path); a.status != http.StatusOK {
			t.Errorf("%s with the right password: %d", path, a.status)
		}
	}
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
		if a := ask(t, server, method, path, operator, password); a.status != http.StatusMethodNotAllowed {
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
	opt := asynq.RedisClientOpt{Addr: "127.0.0.1:1"}
	for name, cfg := range map[string]console.Config{
		"no redis":     {},
		"no name":      {RedisConnOpt: opt, Operators: []console.Operator{{}}},
		"colon":        {RedisConnOpt: opt, Operators: []console.Operator{{Name: "a:b"}}},
		"twice a name": {RedisConnOpt: opt, Operators: []console.Operator{{Name: "a"}, {Name: "a"}}},
	} {
		if _, err := console.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestZeroOperatorsLetNobodyIn(t *testing.T) {
	t.Parallel()
	c, err := console.New(console.Config{RedisConnOpt: asynq.RedisClientOpt{Addr: "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/console/", nil)
	r.SetBasicAuth("", "")
	c.ServeHTTP(w, r)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("%d, want 401", w.Code)
	}
}
