package access_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/access"
)

// startNode starts node-oidc-provider, a certified OpenID provider, in a folder of the test and returns its issuer. Without
// node, npm or a registry the test is skipped, and fails where CI=true.
func startNode(t *testing.T) string {
	t.Helper()
	lacks := func(what string) {
		t.Helper()
		if os.Getenv("CI") == "true" {
			t.Fatal(what + ", and CI must have it")
		}
		t.Skip("SKIPPED LOUDLY: " + what + "; this test logs in with a certified provider")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		lacks("node is not installed")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		lacks("npm is not installed")
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "provider"))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	install := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Logf("%s", out)
		lacks("npm ci does not work: " + err.Error())
	}
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(dir, "provider.mjs"), redirect)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait() // the end of the test's context may have killed it
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the provider says %q: %v", line, err)
	}
	return strings.TrimSpace(line)
}

// TestCertifiedProvider lets a producer in by client credentials, and people by a login, with a provider that is not ours.
func TestCertifiedProvider(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs a package")
	}
	i, err := access.NewIssuer(access.IssuerConfig{URL: startNode(t), Audience: audience})
	if err != nil {
		t.Fatal(err)
	}
	p, err := access.NewProducers(access.ProducersConfig{
		List:    []access.Producer{{Name: "huske", JWT: access.Client{Issuer: i.URL(), ClientID: "huskeservice"}}},
		Issuers: []*access.Issuer{i},
	})
	if err != nil {
		t.Fatal(err)
	}
	if found, _, err := p.Authenticate(t.Context(), "Bearer "+clientCredentials(t, i.URL())); err != nil || found.Name != "huske" {
		t.Errorf("%+v, %v", found, err)
	}
	for person, want := range map[string]struct {
		roles  []access.Role
		reason access.Reason
	}{
		"vagt":     {[]access.Role{access.OperatorRole}, ""},
		"chef":     {[]access.Role{access.Administrator}, ""},
		"stranger": {nil, access.NoRole},
	} {
		l, err := access.NewLogin(access.LoginConfig{
			Issuer: i, ClientID: "console", ClientSecret: "console-secret", RedirectURL: redirect, Sessions: door(t, &clock{at: time.Now()}, nil),
			Roles: map[access.Role][]string{access.OperatorRole: {"brevdue-vagt"}, access.Administrator: {"brevdue-chef"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		o, wanted, err := l.Finish(httptest.NewRecorder(), browse(t, l, person))
		if access.ReasonOf(err) != want.reason {
			t.Errorf("%s: %v", person, err)
		}
		if err == nil && (o.Name != person+"@testby.example" || !slices.Equal(o.Roles, want.roles) || wanted != "/console/statuses") {
			t.Errorf("%s: %+v, %q", person, o, wanted)
		}
	}
}

func clientCredentials(t *testing.T, issuer string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("huskeservice", "huske-secret")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.AccessToken == "" {
		t.Fatalf("%d, %v", resp.StatusCode, err)
	}
	return answer.AccessToken
}

var formAction = regexp.MustCompile(`<form[^>]* action="([^"]+)"`)

// browse does what a person does at the provider: name, consent, and back to our door.
func browse(t *testing.T, l *access.Login, person string) *http.Request {
	t.Helper()
	w := httptest.NewRecorder()
	if err := l.Start(w, request(t), "/console/statuses"); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back *url.URL
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), redirect) {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	method, at, form := http.MethodGet, w.Header().Get("Location"), ""
	for range 5 {
		req, err := http.NewRequestWithContext(t.Context(), method, at, strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		if method == http.MethodPost {
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		resp, err := browser.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		page, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if back != nil {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, back.RequestURI(), nil)
			r.AddCookie(given(t, w))
			return r
		}
		m := formAction.FindSubmatch(page)
		if m == nil {
			t.Fatalf("%d %s", resp.StatusCode, page)
		}
		next, err := resp.Request.URL.Parse(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		method, at = http.MethodPost, next.String()
		form = url.Values{"prompt": {"consent"}}.Encode()
		if strings.Contains(string(page), `name="login"`) {
			form = url.Values{"prompt": {"login"}, "login": {person}, "password": {"x"}}.Encode()
		}
	}
	t.Fatal("the provider does not send the browser back")
	return nil
}
