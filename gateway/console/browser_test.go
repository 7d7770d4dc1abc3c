package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/brevdue/brevdue/gateway/access"
)

// chromium starts a fresh headless browser that asks nobody anything by itself.
func chromium(t *testing.T) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is missing, and CI must not skip this test")
		}
		t.Skip("SKIPPED: chromium is not installed; whether a browser can show the dashboard offline was not tested")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, chromedp.ExecPath(program), chromedp.UserDataDir(t.TempDir()),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.WindowSize(1280, 800), chromedp.WSURLReadTimeout(60*time.Second))
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// complaints collects what a page should not do: leave this machine, fail to load, or break its policy.
type complaints struct {
	mu       sync.Mutex
	list     []string
	requests int
}

func (c *complaints) addf(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, fmt.Sprintf(format, args...))
}

func (c *complaints) listen(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		c.mu.Lock()
		c.requests++
		c.mu.Unlock()
		u, err := url.Parse(e.Request.URL)
		if err != nil || (u.Scheme != "data" && u.Hostname() != "127.0.0.1") {
			c.addf("asked for %s", e.Request.URL)
		}
	case *network.EventResponseReceived:
		if e.Response.Status >= 400 {
			c.addf("%d for %s", e.Response.Status, e.Response.URL)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			c.addf("failed to load a %s: %s %s", e.Type, e.ErrorText, e.BlockedReason)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			c.addf("console: %s %s", e.Entry.Text, e.Entry.URL)
		}
	}
}

func (c *complaints) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, complaint := range c.list {
		t.Error(complaint)
	}
	if c.requests == 0 {
		t.Error("no request was seen; the test looks at nothing")
	}
}

// login makes every request carry somebody's session, and c watch what the page does.
func login(ctx context.Context, t *testing.T, c *complaints, who *http.Cookie) {
	t.Helper()
	if err := chromedp.Listen(ctx, c.listen); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	session := who.Name + "=" + who.Value
	headers := network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Cookie": session}}
	if _, err := chromedp.Call(ctx, network.SetExtraHTTPHeaders, headers); err != nil {
		t.Fatal(err)
	}
}

// eval runs an expression in the page and waits for its promise, if it is one.
func eval[T any](ctx context.Context, t *testing.T, expression string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// TestBrowserShowsTheQueuesOffline opens the dashboard as an operator does. CONSOLE_SCREENSHOT names a file for a picture.
func TestBrowserShowsTheQueuesOffline(t *testing.T) {
	t.Parallel()
	server := setup(t)
	ctx := chromium(t)
	seen := &complaints{}
	login(ctx, t, seen, server.cookies[access.OperatorRole])
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/console/queues/")); err != nil {
		t.Fatal(err)
	}
	shown := `document.body.innerText.includes("digitalpost") && document.fonts.status === "loaded"`
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](shown, chromedp.WithPollingTimeout(60*time.Second))); err != nil {
		seen.check(t)
		t.Fatal(err)
	}
	if !eval[bool](ctx, t, `document.fonts.load('24px "Material Icons"', 'pause').then(f => f.length === 1 && f[0].status === "loaded")`) {
		t.Error("the icon font is not loaded")
	}
	if !eval[bool](ctx, t, `document.fonts.load('400 16px Roboto', 'æøå').then(f => f.length > 0 && f.every(x => x.status === "loaded"))`) {
		t.Error("Roboto is not loaded")
	}
	// A ligature that works is one square glyph; a word would be wider.
	width := eval[float64](ctx, t, `(() => { const i = document.createElement("i"); i.className = "material-icons";
		i.textContent = "play_circle"; document.body.appendChild(i); const w = i.getBoundingClientRect().width; i.remove(); return w })()`)
	if width != 24 {
		t.Errorf("an icon is %v pixels wide, want 24", width)
	}
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	seen.check(t)
	if file := os.Getenv("CONSOLE_SCREENSHOT"); file != "" {
		if err := os.WriteFile(file, picture, 0o600); err != nil {
			t.Error(err)
		}
	}
}

// TestBrowserShowsEveryPage: the other pages of the dashboard keep to the policy as well.
func TestBrowserShowsEveryPage(t *testing.T) {
	t.Parallel()
	server := setup(t)
	ctx := chromium(t)
	seen := &complaints{}
	login(ctx, t, seen, server.cookies[access.OperatorRole])
	for path, want := range map[string]string{
		"queues/digitalpost?status=pending": task,
		"queues/other?status=pending":       "(hidden)",
		"servers":                           "Servers",
		"redis":                             "Redis Info",
		"settings":                          "Settings",
	} {
		if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/console/queues/"+path)); err != nil {
			t.Fatal(err)
		}
		shown := fmt.Sprintf(`document.body.innerText.includes(%q)`, want)
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](shown, chromedp.WithPollingTimeout(30*time.Second))); err != nil {
			t.Errorf("%s does not show %q: %v; it says %s", path, want, err, eval[string](ctx, t, `document.body.innerText`))
		}
	}
	seen.check(t)
}

// TestBrowserShowsTheStartPage opens the first page of an operator.
func TestBrowserShowsTheStartPage(t *testing.T) {
	t.Parallel()
	server := setup(t)
	ctx := chromium(t)
	seen := &complaints{}
	login(ctx, t, seen, server.cookies[access.OperatorRole])
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/console/")); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.fonts.status === "loaded"`)); err != nil {
		t.Fatal(err)
	}
	if link := eval[string](ctx, t, `document.querySelector("a").getAttribute("href")`); link != "/console/queues/" {
		t.Errorf("the first link goes to %s", link)
	}
	seen.check(t)
}

// TestBrowserShowsTheStatuses opens the page of statuses, wide and on a phone. CONSOLE_SCREENSHOT names a file for a picture.
func TestBrowserShowsTheStatuses(t *testing.T) {
	t.Parallel()
	server := setup(t)
	ctx := chromium(t)
	seen := &complaints{}
	login(ctx, t, seen, server.cookies[access.OperatorRole])
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/console/statuses")); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.fonts.status === "loaded" && document.querySelectorAll("table").length === 4`)); err != nil {
		seen.check(t)
		t.Fatal(err)
	}
	for expression, want := range map[string]string{
		`document.querySelector("h1").innerText`:                    "Statuses",
		`document.querySelectorAll("tbody tr td")[0].innerText`:     task,
		`document.querySelectorAll("tbody tr td")[3].innerText`:     "2026-12-01 10:00",
		`getComputedStyle(document.querySelector("td")).fontFamily`: "Roboto, sans-serif",
		`String(document.scripts.length)`:                           "0",
	} {
		if got := eval[string](ctx, t, expression); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(360, 640)); err != nil {
		t.Fatal(err)
	}
	if wide := eval[float64](ctx, t, `document.documentElement.scrollWidth`); wide > 360 {
		t.Errorf("on a phone the page is %v pixels wide", wide)
	}
	seen.check(t)
	if file := os.Getenv("CONSOLE_SCREENSHOT"); file != "" {
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file+".statuses.png", picture, 0o600); err != nil {
			t.Error(err)
		}
	}
}

// TestBrowserShowsTheInboundPost opens the page of inbound post, wide and on a phone. CONSOLE_SCREENSHOT names a file for a
// picture.
func TestBrowserShowsTheInboundPost(t *testing.T) {
	t.Parallel()
	server := setup(t)
	ctx := chromium(t)
	seen := &complaints{}
	login(ctx, t, seen, server.cookies[access.OperatorRole])
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/console/inbound")); err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.fonts.status === "loaded" && document.querySelectorAll("table").length === 3`)); err != nil {
		seen.check(t)
		t.Fatal(err)
	}
	for expression, want := range map[string]string{
		`document.querySelector("h1").innerText`:                    "Indgående post",
		`document.querySelectorAll("tbody tr td")[0].innerText`:     "inb_held",
		`document.querySelectorAll("tbody tr td")[1].innerText`:     "2026-12-01 10:00",
		`getComputedStyle(document.querySelector("td")).fontFamily`: "Roboto, sans-serif",
		`String(document.scripts.length)`:                           "0",
	} {
		if got := eval[string](ctx, t, expression); got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(360, 640)); err != nil {
		t.Fatal(err)
	}
	if wide := eval[float64](ctx, t, `document.documentElement.scrollWidth`); wide > 360 {
		t.Errorf("on a phone the page is %v pixels wide", wide)
	}
	seen.check(t)
	if file := os.Getenv("CONSOLE_SCREENSHOT"); file != "" {
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file+".inbound.png", picture, 0o600); err != nil {
			t.Error(err)
		}
	}
}
