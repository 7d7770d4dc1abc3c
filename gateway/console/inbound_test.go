package console_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/console"
)

// mail has a post of every state that is not final, with personal data wherever there is a place for it.
type mail struct{}

func (mail) PostCounts(context.Context) (map[gateway.PostState]int, time.Time, error) {
	return map[gateway.PostState]int{gateway.PostQueued: 42, gateway.PostHeld: 1, gateway.PostQuarantined: 3}, nine(), nil
}

func (mail) Posts(_ context.Context, f gateway.PostFilter) ([]gateway.Post, error) {
	p := gateway.Post{
		ID: "inb_" + string(f.State), State: f.State, ReceivedAt: nine(), Rule: "<b>boern</b>", Target: "fagsystem", Attempts: 7,
		MessageUUID: "8853363b-43ec-4d0a-a54d-65447f9447ed", Flags: []string{"pdf.javascript", "archive"}, Tried: []string{"esdh"},
		Facts: []byte("Nancy 2512489996"), Documents: []gateway.PostDocument{{Filename: "Nancy.pdf"}}, FirstAt: nine(), DueAt: nine(),
	}
	fresh := p
	fresh.ID, fresh.FirstAt, fresh.DueAt = "inb_fresh", time.Time{}, nine().Add(59*time.Minute)
	if f.State == gateway.PostQueued {
		return []gateway.Post{p, fresh}, nil
	}
	return []gateway.Post{p}, nil
}

func (mail) Post(_ context.Context, id string) (*gateway.Post, []gateway.PostEvent, error) {
	documents := []gateway.PostDocument{{Filename: "Nancy.pdf", SafeName: "dokument.pdf"}}
	return &gateway.Post{ID: id, State: gateway.PostHeld, Documents: documents}, []gateway.PostEvent{
		{Code: "received", At: nine()}, {Code: "later", At: nine().Add(time.Minute), Text: "Nancy", By: "Nancy"},
	}, nil
}

func (mail) OpenMemo(context.Context, *gateway.Post) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("<Message>Nancy</Message>")), nil
}

func (mail) OpenDocument(context.Context, *gateway.Post, int) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader("%PDF Nancy")), nil
}

func (mail) Redeliver(_ context.Context, id string, d gateway.Decision) (*gateway.Post, error) {
	if d.By == "" || d.Reason == "" {
		return nil, errors.New("who and why?")
	}
	return &gateway.Post{ID: id}, nil
}

func (m mail) Reroute(ctx context.Context, id, target string, d gateway.Decision) (*gateway.Post, error) {
	if target != "esdh" {
		return nil, &gateway.Invalid{Problems: []gateway.Problem{{Pointer: "/target", Code: "target.unknown"}}}
	}
	return m.Redeliver(ctx, id, d)
}

func (m mail) Release(ctx context.Context, id string, d gateway.Decision) (*gateway.Post, error) {
	return m.Redeliver(ctx, id, d)
}

func (m mail) Close(ctx context.Context, id string, d gateway.Decision) (*gateway.Post, error) {
	return m.Redeliver(ctx, id, d)
}

func TestInboundPostIsShownWithoutPersonalData(t *testing.T) {
	t.Parallel()
	a := get(t, setup(t), "/console/inbound")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	for _, want := range []string{
		"inb_held", "inb_quarantined", "inb_queued", "<strong>queued</strong>: 42", "<strong>held</strong>: 1",
		"<strong>quarantined</strong>: 3", "&lt;b&gt;boern", "fagsystem", "pdf.javascript, archive", "esdh", "later 2026-12-01 10:01", "8853363b",
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, unwanted := range []string{"Nancy", "2512489996", "<script", "inb_fresh"} {
		if strings.Contains(a.body, unwanted) {
			t.Errorf("the page has %q", unwanted)
		}
	}
}

// emptied has nothing, or fails at one question.
type emptied struct {
	mail

	counts           map[gateway.PostState]int
	count, list, one error
}

func (e emptied) PostCounts(context.Context) (map[gateway.PostState]int, time.Time, error) {
	return e.counts, time.Time{}, e.count
}

func (e emptied) Posts(ctx context.Context, f gateway.PostFilter) ([]gateway.Post, error) {
	if e.list != nil {
		return nil, e.list
	}
	return e.mail.Posts(ctx, f)
}

func (e emptied) Post(context.Context, string) (*gateway.Post, []gateway.PostEvent, error) {
	return nil, nil, e.one
}

func TestInboundPostIsTheWholeTruthOrNone(t *testing.T) {
	t.Parallel()
	door, cookies := sessions(t)
	down := errors.New("the secret cause")
	some := map[gateway.PostState]int{gateway.PostHeld: 1}
	for name, c := range map[string]struct {
		source console.Inbound
		status int
		nones  int
	}{
		"nothing to tell": {emptied{}, http.StatusOK, 3}, "no source": {nil, http.StatusNotFound, 0},
		"no counts": {emptied{count: down}, 503, 0}, "no list": {emptied{counts: some, list: down}, 503, 0},
		"no events": {emptied{counts: some, one: down}, 503, 0},
		"erased":    {emptied{counts: some, one: gateway.ErrNotFound}, http.StatusOK, 3},
	} {
		c2, err := console.New(console.Config{
			RedisConnOpt: asynq.RedisClientOpt{Addr: "127.0.0.1:1"}, Inbound: c.source,
			Sessions: door,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c2.Close() })
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/console/inbound", nil)
		r.AddCookie(cookies[access.Reader])
		c2.ServeHTTP(w, r)
		if w.Code != c.status || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if got := strings.Count(w.Body.String(), "<p>None.</p>"); got != c.nones {
			t.Errorf("%s: %d times None: %s", name, got, w.Body)
		}
	}
}
