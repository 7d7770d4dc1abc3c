package console_test

import (
	"context"
	"errors"
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

// known has one of everything, with personal data wherever the far end may write some.
type known struct{}

func nine() time.Time { return time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC) }

func (known) Health(context.Context) (*gateway.Health, error) {
	return &gateway.Health{
		Overdue:     []gateway.OverdueChannel{{Channel: "digitalpost", Count: 31, Oldest: nine()}},
		Quarantined: gateway.MaxCount, OldestQuarantined: nine(), Unreadable: 1, OldestUnreadable: nine(), Held: 7, OldestHeld: nine(),
	}, nil
}

func (known) Overdue(context.Context, int) ([]gateway.Message, error) {
	return []gateway.Message{{
		ID: task, Channel: "digitalpost", State: gateway.Submitted, SubmittedAt: nine(), OverdueAt: nine().Add(24 * time.Hour),
		MessageUUID: "8853363b-43ec-4d0a-a54d-65447f9447ed",
	}}, nil
}

func (known) Quarantine(context.Context, gateway.ReceiptFilter) ([]gateway.Receipt, error) {
	return []gateway.Receipt{{
		ID: "<b>bd12c645</b>", Kind: gateway.ReceiptRejected, Status: "Fejlet", Text: "Nancy 2512489996", Hint: "Nancy", Raw: []byte("Nancy"),
		ReceivedAt: nine(), Conflict: true,
	}}, nil
}

func (known) UnreadableBodies(context.Context, gateway.ReceiptFilter) ([]gateway.Unreadable, error) {
	return []gateway.Unreadable{{ID: "ab12", Reason: "message is not well-formed XML", ReceivedAt: nine(), Raw: []byte("Nancy")}}, nil
}

func (known) Intents(_ context.Context, f gateway.IntentFilter) ([]gateway.Intent, error) {
	if f.Status != gateway.IntentHeld {
		return nil, errors.New("not what the page is about")
	}
	return []gateway.Intent{{
		ID: "int_1", Producer: "huskeservice", Recipient: gateway.Recipient{Name: "Nancy"},
		Messages: []gateway.Message{{ID: heldTask, State: gateway.Held, Channel: "print"}, {ID: "msg_other", State: gateway.Delivered}},
	}}, nil
}

func (known) Receipt(_ context.Context, id string) (*gateway.Receipt, error) {
	if id != "urn:besked/1 ø" {
		return nil, gateway.ErrNotFound
	}
	return &gateway.Receipt{ID: id, Kind: gateway.ReceiptRejected, Status: "Fejlet", Text: "Nancy", Raw: []byte("<raw>Nancy</raw>")}, nil
}

func (known) UnreadableBody(_ context.Context, id string) (*gateway.Unreadable, error) {
	if id != "ab12" {
		return nil, gateway.ErrNotFound
	}
	return &gateway.Unreadable{ID: id, Reason: "message is not well-formed XML", Raw: []byte("<raw Nancy")}, nil
}

func (known) Release(_ context.Context, producer, id, _ string) (*gateway.Intent, error) {
	if producer != "" || id != heldTask {
		return nil, gateway.ErrNotHeld
	}
	return &gateway.Intent{}, nil
}

func (k known) Close(ctx context.Context, producer, id, reason string, _ gateway.MessageState) (*gateway.Intent, error) {
	return k.Release(ctx, producer, id, reason)
}

func (known) Rematch(context.Context) (int, error) { return 3, nil }

func (known) MatchByHand(_ context.Context, _, message, _ string) (gateway.SettleResult, error) {
	if message != task {
		return gateway.SettleResult{}, &gateway.Invalid{Problems: []gateway.Problem{{Pointer: "/message", Code: "message.unknown"}}}
	}
	return gateway.SettleResult{MessageID: task}, nil
}

func (known) RetryUnreadable(context.Context, string) (gateway.SettleResult, error) {
	return gateway.SettleResult{}, gateway.ErrStillUnreadable
}

// heldTask is a message that waits for a person.
const heldTask = "msg_01JDZX4T8Q0000000000000002"

func TestStatusesAreShownWithoutPersonalData(t *testing.T) {
	t.Parallel()
	a := get(t, setup(t), "/console/statuses")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	for _, want := range []string{
		task, "8853363b", "31, the oldest accepted", "2026-12-02 10:00", "10000 or more", "Fejlet (contradicts itself)",
		"&lt;b&gt;bd12c645&lt;/b&gt;", "not well-formed XML", "ab12", "7, the oldest made",
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, private := range []string{"Nancy", "2512489996", "<script"} {
		if strings.Contains(a.body, private) {
			t.Errorf("the page has %q", private)
		}
	}
}

// silent has nothing, or fails at one question.
type silent struct {
	known

	health, overdue, quarantine, unreadable error
}

func (s silent) Health(context.Context) (*gateway.Health, error) { return &gateway.Health{}, s.health }
func (s silent) Overdue(context.Context, int) ([]gateway.Message, error) {
	return nil, s.overdue
}

func (s silent) Quarantine(context.Context, gateway.ReceiptFilter) ([]gateway.Receipt, error) {
	return nil, s.quarantine
}

func (s silent) UnreadableBodies(context.Context, gateway.ReceiptFilter) ([]gateway.Unreadable, error) {
	return nil, s.unreadable
}

func TestStatusesAreTheWholeTruthOrNone(t *testing.T) {
	t.Parallel()
	door, cookies := sessions(t)
	down := errors.New("the secret cause")
	for name, c := range map[string]struct {
		source console.Statuses
		status int
	}{
		"nothing to tell": {silent{}, http.StatusOK}, "no source": {nil, http.StatusNotFound},
		"no health": {silent{health: down}, 503}, "no overdue": {silent{overdue: down}, 503},
		"no quarantine": {silent{quarantine: down}, 503}, "no unreadable": {silent{unreadable: down}, 503},
	} {
		c2, err := console.New(console.Config{
			RedisConnOpt: asynq.RedisClientOpt{Addr: "127.0.0.1:1"}, Statuses: c.source,
			Sessions: door,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c2.Close() })
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/console/statuses", nil)
		r.AddCookie(cookies[access.Reader])
		c2.ServeHTTP(w, r)
		if w.Code != c.status || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
		if c.status == http.StatusOK && strings.Count(w.Body.String(), "<p>None.</p>") != 4 {
			t.Errorf("%s: %s", name, w.Body)
		}
	}
}
