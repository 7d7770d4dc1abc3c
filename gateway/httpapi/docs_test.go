package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// visit is what a browser did: what it asked for, and what went wrong.
type visit struct {
	mu     sync.Mutex
	asked  []string
	faults []string
}

func (v *visit) listen(event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		v.asked = append(v.asked, e.Request.URL)
	case *network.EventLoadingFailed:
		v.faults = append(v.faults, "failed: "+e.ErrorText+" "+string(e.BlockedReason))
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError { // a broken policy as well
			v.faults = append(v.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func (v *visit) check(t *testing.T) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, fault := range v.faults {
		t.Error(fault)
	}
	for _, asked := range v.asked {
		if u, err := url.Parse(asked); err != nil || (u.Scheme != "data" && u.Hostname() != "127.0.0.1") {
			t.Errorf("asked for %s", asked)
		}
	}
	if len(v.asked) < 4 {
		t.Errorf("only %v was asked for; the test looks at nothing", v.asked)
	}
}

// chromium starts a fresh headless browser that asks nobody anything by itself.
func chromium(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is missing, and CI must not skip this test")
		}
		t.Skip("SKIPPED: chromium is not installed; whether a browser can show /docs/ offline was not tested")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.WSURLReadTimeout(60*time.Second))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// TestBrowserReadsTheDocsOffline: Swagger UI works under the policy of the page, with nothing from outside.
// DOCS_SCREENSHOT names a file for a picture.
func TestBrowserReadsTheDocsOffline(t *testing.T) {
	t.Parallel()
	h := setup(t)
	ctx := chromium(t)
	seen := &visit{}
	if err := chromedp.Listen(ctx, seen.listen); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(h.url+"/docs")); err != nil {
		t.Fatal(err)
	}
	operations := `document.querySelectorAll(".opblock").length >= 10`
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](operations, chromedp.WithPollingTimeout(60*time.Second))); err != nil {
		seen.check(t)
		t.Fatal(err)
	}
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.body.innerText`))
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(text, "/v1/errors", "") // the one route with that word in it
	if !strings.Contains(text, "Hand in an intent") || strings.Contains(text, "Warning") || strings.Contains(text, "error") {
		t.Errorf("the page says: %s", text)
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	seen.check(t)
	if file := os.Getenv("DOCS_SCREENSHOT"); file != "" {
		if err := os.WriteFile(file, picture, 0o600); err != nil {
			t.Error(err)
		}
	}
}

func TestDocsHaveAStrictPolicy(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for _, path := range []string{"/docs/", "/docs/docs.js", "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/favicon-32x32.png"} {
		a := h.ask(t, http.MethodGet, path, "", "Authorization", "")
		policy := a.header.Get("Content-Security-Policy")
		if a.status != http.StatusOK || !strings.Contains(policy, "default-src 'none'; script-src 'self';") ||
			strings.Contains(policy, "http") || strings.Contains(policy, "*") || a.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	page := h.ask(t, http.MethodGet, "/docs/", "", "Authorization", "").body
	if strings.Contains(page, "//") && strings.Contains(page, "http") {
		t.Error("the page names another host")
	}
	if a := h.ask(t, http.MethodGet, "/docs", "", "Authorization", ""); a.status != http.StatusPermanentRedirect || a.header.Get("Location") != "/docs/" {
		t.Errorf("/docs: %d %v", a.status, a.header)
	}
}
