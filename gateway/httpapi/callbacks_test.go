package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

func (q *queueFake) EnqueueCallback(context.Context, gateway.DueCallback) error {
	q.lanes.Add(1)
	return nil
}

func (q *queueFake) EnsureCallback(ctx context.Context, c gateway.DueCallback) error {
	return q.EnqueueCallback(ctx, c)
}

// endCallback claims the next event of huskeservice and ends it.
func (h *house) endCallback(t *testing.T, state gateway.CallbackState) {
	t.Helper()
	if err := h.journal.Update(t.Context(), func(tx gateway.Tx) error {
		c, err := tx.ClaimCallback("huskeservice", clock(), clock().Add(time.Minute))
		if err != nil {
			return err
		}
		c.State, c.LastAt, c.DueAt = state, clock(), time.Time{}
		if state != gateway.CallbackDelivered {
			c.HTTPStatus, c.Failure = 503, "server_error"
		}
		return tx.SaveCallback(c)
	}); err != nil {
		t.Fatal(err)
	}
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	h := setup(t)
	if view, err := h.client.Callbacks(t.Context()); err != nil || *view != (CallbackView{}) {
		t.Fatalf("%+v, %v", view, err)
	}
	for _, reference := range []string{"sag-1", "sag-2", "sag-3"} {
		if _, err := h.client.PostIntent(t.Context(), letter(reference)); err != nil {
			t.Fatal(err)
		}
		if _, err := h.stranger().PostIntent(t.Context(), letter(reference)); err != nil {
			t.Fatal(err)
		}
	}
	feed, err := h.client.Events(t.Context(), 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	all := len(feed.Events)
	h.endCallback(t, gateway.CallbackDelivered)
	h.endCallback(t, gateway.CallbackGivenUp)
	view, err := h.client.Callbacks(t.Context())
	want := CallbackView{
		Pending: all - 2, GivenUp: 1, Delivered: 1, OldestPending: clock(), DeliveredAt: clock(),
		LastFailure: Failure{Time: clock(), Failure: "server_error", HTTPStatus: 503},
	}
	if err != nil || *view != want {
		t.Fatalf("%+v, %v, wanted %+v", view, err, want)
	}
	before := h.queue.lanes.Load()
	for _, c := range []struct {
		from, to int64
		replayed int
	}{{feed.Next, 0, 0}, {0, feed.Events[0].Seq, 1}, {0, 0, 1}, {0, 0, 0}} {
		if answer, err := h.client.Replay(t.Context(), c.from, c.to); err != nil || answer.Replayed != c.replayed {
			t.Errorf("replay from %d to %d: %+v, %v", c.from, c.to, answer, err)
		}
	}
	if h.queue.lanes.Load() == before {
		t.Error("a replay woke nobody")
	}
	if view, err := h.client.Callbacks(t.Context()); err != nil || view.Pending != all || view.GivenUp != 0 || view.Delivered != 1 {
		t.Errorf("after the replay %+v, %v", view, err)
	}
}

func TestCallbacksWithBadInput(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for _, c := range []struct{ query, pointer string }{
		{"", "/from"}, {"?from=x", "/from"}, {"?from=-1", "/from"}, {"?from=5&to=4", "/to"}, {"?from=0&to=x", "/to"},
		{"?from=1&from=2", "/from"}, {"?from=1&until=2", ""},
	} {
		a := h.ask(t, http.MethodPost, "/v1/callbacks/replay"+c.query, "")
		p := a.problem(t)
		if a.status != http.StatusBadRequest || p.Code != "query.invalid" || c.pointer != "" && p.Errors[0].Pointer != c.pointer {
			t.Errorf("%s: %d %s", c.query, a.status, a.body)
		}
	}
	_, err := h.stranger().Callbacks(t.Context())
	wantProblem(t, err, http.StatusNotFound, "callback.none")
	_, err = h.stranger().Replay(t.Context(), 0, 0)
	wantProblem(t, err, http.StatusNotFound, "callback.none")
}

// TestEventJSONIsTheFeeds: what a callback tells is what the feed shows, byte for byte in its meaning.
func TestEventJSONIsTheFeeds(t *testing.T) {
	t.Parallel()
	h := setup(t)
	if _, err := h.client.PostIntent(t.Context(), letter("sag-1")); err != nil {
		t.Fatal(err)
	}
	events, err := h.gateway.Events(t.Context(), "huskeservice", 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	events[0].Code = "NGDP-1" // one that has hints
	body, err := EventJSON(h.gateway)(&events[0])
	if err != nil {
		t.Fatal(err)
	}
	var got FeedEvent
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if want := feedEvent(h.gateway, &events[0]); got != want || got.Hint == "" {
		t.Errorf("%+v, wanted %+v", got, want)
	}
	if err := mustDocument(t).validate("/components/schemas/FeedEvent", body); err != nil {
		t.Error(err)
	}
}
