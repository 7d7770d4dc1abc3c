package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
)

// TestWatchers asks a gateway on the listener for watchers, while it is well and while Redis is away.
func TestWatchers(t *testing.T) {
	t.Parallel()
	ctx, w := setup(t, 2*time.Minute, harness.Options{Change: func(settings map[string]any) {
		settings["metrics"] = map[string]any{"listen": "127.0.0.1:0"}
	}})
	address := regexp.MustCompile(`"metrics":"([0-9.:]+)"`).FindStringSubmatch(w.Gateway.Log())
	if address == nil {
		t.Fatal("the log does not say where metrics are")
	}
	status, body := get(ctx, t, "http://"+address[1]+"/readyz")
	var roles map[string]string
	if err := json.Unmarshal([]byte(body), &roles); err != nil || status != http.StatusOK || len(roles) != 4 || roles["worker"] != "ready" {
		t.Errorf("%d %s, %v", status, body, err)
	}
	if status, body = get(ctx, t, "http://"+address[1]+"/healthz"); status != http.StatusOK || strings.Contains(body, w.Dir) {
		t.Errorf("%d %s", status, body)
	}
	_, body = get(ctx, t, "http://"+address[1]+"/metrics")
	for _, want := range []string{
		`brevdue_certificate_expiry_timestamp_seconds{role="serviceplatformen"}`,
		`brevdue_certificate_expiry_timestamp_seconds{role="beskedfordeler callers"}`, "go_goroutines",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	w.Redis.Kill()
	if status, body = get(ctx, t, "http://"+address[1]+"/readyz"); status != http.StatusServiceUnavailable ||
		!strings.Contains(body, `"worker":"queue does not answer"`) || !strings.Contains(body, `"api":"ready"`) {
		t.Errorf("without Redis: %d %s", status, body)
	}
}

func get(ctx context.Context, t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}
