package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestLookupSendsNumbersInTheBodyOnly runs the command against an API that writes down what it is asked.
func TestLookupSendsNumbersInTheBodyOnly(t *testing.T) {
	t.Parallel()
	var path, body string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		path, body = r.URL.String(), string(raw)
		w.Header().Set("Content-Type", "application/x-ndjson")
		_, _ = io.WriteString(w, `{"line":1,"status":200,"registered":true}`+"\n"+`{"line":2,"status":200,"registered":false}`+"\n")
	}))
	t.Cleanup(api.Close)
	var out, errs strings.Builder
	code := run(t.Context(), []string{"lookup", "--url", api.URL, "--service", "nemsms", "-"}, terminal{
		in: strings.NewReader("2512489996\n55139996\n"), out: &out, err: &errs, environ: []string{"BREVDUE_TOKEN=t"},
	})
	if code != exitOK || out.String() != "1\tregistered\n2\tnot registered\n" {
		t.Fatalf("exit %d: %q, %q", code, out.String(), errs.String())
	}
	if want := `{"cpr":"2512489996","service":"nemsms"}` + "\n" + `{"cvr":"55139996","service":"nemsms"}` + "\n"; body != want {
		t.Errorf("asked %q", body)
	}
	if strings.Contains(path, "2512489996") || strings.Contains(path, "55139996") {
		t.Errorf("a number travels in the URL: %s", path)
	}
}

func TestLookupOfAnUnknownService(t *testing.T) {
	t.Parallel()
	var errs strings.Builder
	code := run(t.Context(), []string{"lookup", "--service", "fax", "-"}, terminal{in: strings.NewReader(""), out: io.Discard, err: &errs})
	if code != exitUsage || !strings.Contains(errs.String(), "--service") {
		t.Fatalf("exit %d: %q", code, errs.String())
	}
}
