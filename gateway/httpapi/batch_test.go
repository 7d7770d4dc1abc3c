package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/brevdue/brevdue/gateway"
)

// postLines posts a batch and returns every answer but the summary.
func (h *house) postLines(t *testing.T, body string) ([]BatchLine, *BatchSummary) {
	t.Helper()
	var got []BatchLine
	summary, err := h.client.PostBatch(t.Context(), strings.NewReader(body), func(a BatchLine) error {
		got = append(got, a)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, summary
}

func TestBatchWithGoodAndBadLines(t *testing.T) {
	t.Parallel()
	h := setup(t)
	if _, err := h.client.PostIntent(t.Context(), letter("sag-before")); err != nil {
		t.Fatal(err)
	}
	urgent := letter("sag-urgent")
	urgent.Send.Priority = "urgent"
	bulk := letter("sag-bulk")
	bulk.Send.Priority = "bulk"
	lines := []struct {
		body    string
		status  int
		code    string
		pointer string
	}{
		{text(t, letter("sag-1")), 202, "", ""},
		{"", 0, "", ""},
		{"{", 400, "json.syntax", ""},
		{text(t, letter("sag-2"), "2512489996", "251248999"), 422, "intent.invalid", "/recipient/cpr"},
		{text(t, letter("sag-before")), 200, "", ""},
		{text(t, letter("sag-before"), "Du er", "Du var"), 409, "reference.conflict", "/reference"},
		{text(t, letter("sag-3"), `"sender"`, `"absender"`), 400, "json.unknown_field", "/absender"},
		{strings.Repeat("x", 64<<10+3), 413, "body.too_large", ""},
		{"   \t\r", 0, "", ""},
		{text(t, letter("sag-4")) + "\r", 202, "", ""},
		{`[]`, 400, "json.type", ""},
		{text(t, urgent), 422, "intent.invalid", "/send/priority"},
		{text(t, letter("sag-5"), `"window":"day"`, `"window":"day","priority":"soon"`), 422, "intent.invalid", "/send/priority"},
		{text(t, bulk), 202, "", ""},
		{text(t, letter("sag-last")), 202, "", ""}, // without a newline
	}
	var body []string
	for _, l := range lines {
		body = append(body, l.body)
	}
	got, summary := h.postLines(t, strings.Join(body, "\n"))
	if len(got) != 14 || !strings.HasPrefix(got[0].Batch, "batch_") || got[0].Line != 0 {
		t.Fatalf("%d answers, first %+v", len(got), got[0])
	}
	if want := (BatchSummary{Batch: got[0].Batch, Lines: 13, Accepted: 4, Existing: 1, Refused: 8}); *summary != want {
		t.Errorf("summary %+v, want %+v", summary, want)
	}
	answers := got[1:]
	for n, want := range lines {
		if want.status == 0 {
			continue
		}
		a := answers[0]
		answers = answers[1:]
		if a.Line != n+1 || a.Status != want.status {
			t.Errorf("line %d: %+v, want %d", n+1, a, want.status)
			continue
		}
		if want.code == "" {
			if !strings.HasPrefix(a.ID, "int_") || len(a.Messages) != 1 || a.IntentStatus != "accepted" || a.Problem != nil {
				t.Errorf("line %d: %+v", n+1, a)
			}
			continue
		}
		if a.ID != "" || a.Problem == nil || a.Problem.Code != want.code ||
			want.pointer != "" && (len(a.Problem.Errors) != 1 || a.Problem.Errors[0].Pointer != want.pointer) {
			t.Errorf("line %d: %+v %+v", n+1, a, a.Problem)
		}
	}
	view, err := h.client.Batch(t.Context(), summary.Batch)
	if err != nil || view.Statuses["accepted"] != 4 || view.Lines != 13 || view.Refused != 8 || view.EndedAt.IsZero() {
		t.Errorf("%+v, %v", view, err)
	}
	wantProblem(t, second(h.stranger().Batch(t.Context(), summary.Batch)), http.StatusNotFound, "not_found")
	intent, err := h.client.Intent(t.Context(), got[1].ID)
	if err != nil || intent.Priority != "bulk" || intent.Batch != summary.Batch {
		t.Errorf("%+v, %v", intent, err)
	}
	if log := h.log.String(); strings.Contains(log, "251248") || strings.Contains(log, "Nancy") {
		t.Error("the log holds personal data")
	}
}

// TestBatchRequests: what is wrong with a batch as a whole is answered like any other problem.
func TestBatchRequests(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for name, c := range map[string]struct {
		path, code string
		header     []string
		status     int
	}{
		"JSON":       {"/v1/batches", "media_type.unsupported", []string{"Content-Type", "application/json"}, 415},
		"zipped":     {"/v1/batches", "media_type.unsupported", []string{"Content-Type", mediaLines, "Content-Encoding", "gzip"}, 415},
		"query":      {"/v1/batches?id=1", "query.invalid", []string{"Content-Type", mediaLines}, 400},
		"acceptable": {"/v1/batches", "not_acceptable", []string{"Content-Type", mediaLines, "Accept", "application/json"}, 406},
	} {
		a := h.ask(t, http.MethodPost, c.path, "{}", c.header...)
		if p := a.problem(t); a.status != c.status || p.Code != c.code {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	h.wantNothingStored(t)
	if got, summary := h.postLines(t, ""); len(got) != 1 || summary.Lines != 0 {
		t.Errorf("an empty batch: %+v, %+v", got, summary)
	}
	sick := setup(t, breaking(fmt.Errorf("insert: %w", context.DeadlineExceeded)))
	_, err := sick.client.PostBatch(t.Context(), strings.NewReader("{}"), func(BatchLine) error { return nil })
	wantProblem(t, err, http.StatusServiceUnavailable, "unavailable")
}

// panicking is a gateway that accepts nothing but panics.
type panicking struct{ Gateway }

func (panicking) Accept(context.Context, gateway.Draft) (*gateway.Intent, bool, error) {
	panic("Nancy 2512489996")
}

// failing is a gateway whose journal does not answer.
type failing struct{ Gateway }

func (failing) Accept(context.Context, gateway.Draft) (*gateway.Intent, bool, error) {
	return nil, false, fmt.Errorf("insert: %w", gateway.ErrUnavailable)
}

func TestBatchLinesThatFail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		breaks func(Gateway) Gateway
		status int
	}{
		"panic":       {func(g Gateway) Gateway { return panicking{g} }, 500},
		"unavailable": {func(g Gateway) Gateway { return failing{g} }, 503},
	} {
		h := setup(t, c.breaks)
		got, summary := h.postLines(t, strings.Repeat(text(t, letter("a"))+"\n", 3))
		if summary.Refused != 3 || got[1].Status != c.status || got[3].Problem == nil || got[3].Problem.Detail != "" {
			t.Errorf("%s: %+v %+v", name, summary, got)
		}
		if log := h.log.String(); strings.Count(log, "a line failed") != 1 || strings.Contains(log, "Nancy") {
			t.Errorf("%s: the log: %s", name, log)
		}
	}
}

// TestBatchIsStreamed sends a line only after the one before was answered, on one connection and request.
func TestBatchIsStreamed(t *testing.T) {
	t.Parallel()
	h := setup(t)
	c := &Client{BaseURL: h.url, Token: tokenHuske} // past the watcher, which reads all before it sends
	r, w := io.Pipe()
	next := 0
	write := func() {
		if next++; next > 5 {
			_ = w.Close()
			return
		}
		_, _ = io.WriteString(w, text(t, letter(fmt.Sprint("sag-", next)))+"\n")
	}
	go write()
	seen := 0
	summary, err := c.PostBatch(t.Context(), r, func(a BatchLine) error {
		if a.Line > 0 {
			seen++
			go write()
		}
		return nil
	})
	if err != nil || summary.Accepted != 5 || seen != 5 {
		t.Fatalf("%+v, %v after %d answers", summary, err, seen)
	}
}

// TestBatchIsKeptForAClientThatReadsLast: many clients send all of a request before they read.
func TestBatchIsKeptForAClientThatReadsLast(t *testing.T) {
	t.Parallel()
	h := setup(t)
	const lines = 30_000 // refused ones, whose answers are long: 12 MB, more than a connection holds
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.url+"/v1/batches", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tokenHuske)
	req.ContentLength = 3 * lines
	sent := make(chan struct{})
	req.Body = io.NopCloser(&announced{Reader: strings.NewReader(strings.Repeat("{}\n", lines)), at: sent})
	resp, err := (&http.Client{}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	select {
	case <-sent: // all was taken though nothing was read
	case <-t.Context().Done():
		t.Fatal("the server stopped reading")
	}
	last, n := "", 0
	for scanner := bufio.NewScanner(resp.Body); scanner.Scan(); n++ {
		last = scanner.Text()
	}
	var summary BatchSummary
	if err := json.Unmarshal([]byte(last), &summary); err != nil || summary.Refused != lines || n != lines+2 {
		t.Fatalf("%d lines, last %s: %v", n, last, err)
	}
}

// announced says when it was read to its end.
type announced struct {
	io.Reader
	at chan struct{}
}

func (a *announced) Read(b []byte) (int, error) {
	n, err := a.Reader.Read(b)
	if errors.Is(err, io.EOF) {
		close(a.at)
	}
	return n, err
}

// TestBatchOfAClientThatGoesAway: reading stops, and what was accepted stays.
func TestBatchOfAClientThatGoesAway(t *testing.T) {
	t.Parallel()
	h := setup(t)
	c := &Client{BaseURL: h.url, Token: tokenHuske}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	go func() { _, _ = io.WriteString(w, text(t, letter("sag-1"))+"\n"+text(t, letter("sag-2"))+"\n") }()
	var batch string
	_, err := c.PostBatch(ctx, r, func(a BatchLine) error {
		if a.Batch != "" {
			batch = a.Batch
		}
		if a.Line == 2 {
			cancel()
		}
		return nil
	})
	if err == nil {
		t.Fatal("the client went away and was told a summary")
	}
	view, err := h.client.Batch(t.Context(), batch)
	if err != nil || view.Statuses["accepted"] != 2 || !view.EndedAt.IsZero() {
		t.Fatalf("%+v, %v", view, err)
	}
	// The way is free again: as many batches as there may be, one after the other.
	for n := range 10 {
		if _, summary := h.postLines(t, text(t, letter(fmt.Sprint("later-", n)))); summary.Accepted != 1 {
			t.Fatalf("%+v", summary)
		}
	}
}
