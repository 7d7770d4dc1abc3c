package httpapi

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// hold posts an intent and holds its message, as a lost answer would.
func (h *house) hold(t *testing.T, reference string) *IntentAnswer {
	t.Helper()
	posted, err := h.client.PostIntent(t.Context(), letter(reference))
	if err != nil {
		t.Fatal(err)
	}
	err = h.journal.Update(t.Context(), func(tx gateway.Tx) error {
		m, err := tx.Message(posted.Messages[0].ID)
		if err != nil {
			return err
		}
		m.State, m.Uncertain, m.DueAt = gateway.Held, true, time.Time{}
		if err := tx.SaveMessage(m); err != nil {
			return err
		}
		if err := tx.InsertEvent(&gateway.Event{
			At: clock(), Producer: "huskeservice", IntentID: posted.ID, Reference: reference, MessageID: m.ID,
			Channel: m.Channel, Status: gateway.Held, IntentStatus: gateway.IntentHeld, Code: "unknown.held",
		}); err != nil {
			return err
		}
		return tx.SetIntentStatus(posted.ID, gateway.IntentHeld, time.Time{})
	})
	if err != nil {
		t.Fatal(err)
	}
	return posted
}

func TestDecideOnAHeldMessage(t *testing.T) {
	t.Parallel()
	h := setup(t)
	const reason = "Borgeren har ringet: brevet kom ikke"
	one, two, three := h.hold(t, "sag-1"), h.hold(t, "sag-2"), h.hold(t, "sag-3")
	for want, decide := range map[string]func() (*IntentAnswer, error){
		"accepted": func() (*IntentAnswer, error) {
			return h.client.Release(t.Context(), one.Messages[0].ID, &ReleaseRequest{Reason: reason})
		},
		"failed": func() (*IntentAnswer, error) {
			return h.client.Close(t.Context(), two.Messages[0].ID, &CloseRequest{Reason: reason})
		},
		"delivered": func() (*IntentAnswer, error) {
			return h.client.Close(t.Context(), three.Messages[0].ID, &CloseRequest{Reason: reason, Outcome: "delivered"})
		},
	} {
		answer, err := decide()
		if err != nil || answer.Status != want {
			t.Errorf("%s: %+v, %v", want, answer, err)
		}
		wantProblem(t, second(decide()), http.StatusConflict, "message.not_held")
	}
	view, err := h.client.Intent(t.Context(), one.ID)
	if err != nil {
		t.Fatal(err)
	}
	if e := view.Events[len(view.Events)-1]; e.Code != "held.released" || e.Text != reason || e.Message != one.Messages[0].ID {
		t.Errorf("event %+v", e)
	}
	if strings.Contains(h.log.String(), "ringet") {
		t.Error("the reason is in the log")
	}
}

func TestDecisionsWithBadInput(t *testing.T) {
	t.Parallel()
	h := setup(t)
	id := h.hold(t, "sag-1").Messages[0].ID
	for _, c := range []struct {
		path, body, code, pointer string
		status                    int
	}{
		{id + "/release", `{}`, "decision.invalid", "/reason", 422},
		{id + "/close", `{"reason":""}`, "decision.invalid", "/reason", 422},
		{id + "/release", `{"reason":"` + strings.Repeat("x", 501) + `"}`, "decision.invalid", "/reason", 422},
		{id + "/close", `{"reason":"x","outcome":"cancelled"}`, "decision.invalid", "/outcome", 422},
		{id + "/release", `{"reason":"x","outcome":"failed"}`, "json.unknown_field", "/outcome", 400},
		{id + "/close", `{"reason":5}`, "json.type", "/reason", 400},
		{id + "/close", `{`, "json.syntax", "", 400},
		{"msg_none/release", `{"reason":"x"}`, "not_found", "", 404},
		{"msg_none/close", `{"reason":"x"}`, "not_found", "", 404},
	} {
		a := h.ask(t, http.MethodPost, "/v1/messages/"+c.path, c.body)
		p := a.problem(t)
		if a.status != c.status || p.Code != c.code || c.pointer != "" && (len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer) {
			t.Errorf("%s %s: %d %s", c.path, c.body, a.status, a.body)
		}
	}
	_, err := h.stranger().Release(t.Context(), id, &ReleaseRequest{Reason: "x"})
	wantProblem(t, err, http.StatusNotFound, "not_found")
}
