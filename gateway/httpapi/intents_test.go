package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

func TestPostAndReadAnIntent(t *testing.T) {
	t.Parallel()
	h := setup(t)
	a := h.ask(t, http.MethodPost, "/v1/intents", text(t, letter("sag-1")))
	if a.status != http.StatusAccepted || a.header.Get("X-Request-Id") == "" || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
	posted, err := h.client.PostIntent(t.Context(), letter("sag-1"))
	if err != nil || !posted.Existing {
		t.Fatalf("%+v %v, want the same intent again", posted, err)
	}
	if posted.Status != "accepted" || len(posted.Messages) != 1 || posted.Messages[0].Channel != "digitalpost" || posted.Messages[0].Status != "queued" {
		t.Errorf("%+v", posted)
	}
	if !strings.Contains(a.body, posted.ID) || !strings.Contains(a.body, posted.Messages[0].ID) {
		t.Errorf("%s and %+v are not the same intent", a.body, posted)
	}
	view, err := h.client.Intent(t.Context(), posted.ID)
	if err != nil {
		t.Fatal(err)
	}
	if view.Reference != "sag-1" || view.Sender != "jobcenter" || !view.CreatedAt.Equal(clock()) || view.Window != "day" ||
		len(view.Routes) != 1 || !slices.Equal(view.Routes[0], []string{"digitalpost", "print"}) {
		t.Errorf("%+v", view)
	}
	if len(view.Messages) != 1 || len(view.Messages[0].MessageUUID) != 36 || !view.Messages[0].DueAt.Equal(clock()) {
		t.Errorf("%+v", view.Messages)
	}
	if len(view.Events) != 1 || view.Events[0].Status != "queued" || view.Events[0].Message != posted.Messages[0].ID {
		t.Errorf("%+v", view.Events)
	}
	if e := view.Messages[0].Events; len(e) != 1 || e[0] != view.Events[0] {
		t.Errorf("the message does not carry its events: %+v", e)
	}
	raw := h.ask(t, http.MethodGet, "/v1/intents/"+posted.ID, "")
	for _, private := range []string{"2512489996", "251248", "Nancy", "Rådhuspladsen", "borger.example", "20304050", "indkaldt", "Indkaldelse"} {
		if strings.Contains(raw.body, private) {
			t.Errorf("the answer holds %q: %s", private, raw.body)
		}
	}
}

func TestSameReference(t *testing.T) {
	t.Parallel()
	h := setup(t)
	body := text(t, letter("sag-2"))
	first := h.ask(t, http.MethodPost, "/v1/intents", body)
	if first.status != http.StatusAccepted {
		t.Fatal(first.body)
	}
	// White space, the order of members and escapes do not make another body.
	other := " " + strings.Replace(body, `"reference":"sag-2",`, "", 1)
	other = strings.TrimSuffix(other, "}") + ",\n\t\"reference\" : \"sag\\u002d2\" }"
	if a := h.ask(t, http.MethodPost, "/v1/intents", other); a.status != http.StatusOK || a.body != first.body {
		t.Errorf("%d %s, want 200 %s", a.status, a.body, first.body)
	}
	for name, replaced := range map[string]string{
		"title":    text(t, letter("sag-2"), "Indkaldelse til jobsamtale", "En anden titel"),
		"document": text(t, letter("sag-2"), "JVBERi0xLjcgYSBsZXR0ZXI=", "JVBERi0xLjcgYSBsZXR0ZXJ4"),
		"route":    text(t, letter("sag-2"), `,"print"`, ``),
	} {
		a := h.ask(t, http.MethodPost, "/v1/intents", replaced)
		if p := a.problem(t); a.status != http.StatusConflict || p.Code != "reference.conflict" || p.Errors[0].Pointer != "/reference" {
			t.Errorf("another %s: %d %s", name, a.status, a.body)
		}
	}
	// Another producer's reference is another reference.
	if answer, err := h.stranger().PostIntent(t.Context(), letter("sag-2")); err != nil || answer.Existing {
		t.Errorf("%+v %v", answer, err)
	}
}

func TestDiscardedByDedupe(t *testing.T) {
	t.Parallel()
	h := setup(t)
	in := letter("sag-3")
	in.Dedupe = "paamindelse-7"
	first, err := h.client.PostIntent(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	in.Reference = "sag-4"
	second, err := h.client.PostIntent(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if second.Existing || second.Status != "discarded" || second.DiscardedBy != first.ID || len(second.Messages) != 0 {
		t.Errorf("%+v, want it discarded by %s", second, first.ID)
	}
	view, err := h.client.Intent(t.Context(), second.ID)
	if err != nil || view.DiscardedBy != first.ID || view.Events[0].Status != "discarded" {
		t.Errorf("%+v %v", view, err)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	h := setup(t)
	posted, err := h.client.PostIntent(t.Context(), letter("sag-5"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		cancelled, err := h.client.Cancel(t.Context(), posted.ID)
		if err != nil || cancelled.Status != "cancelled" || cancelled.Messages[0].Status != "cancelled" {
			t.Errorf("%+v %v", cancelled, err)
		}
	}
	h = setup(t, breaking(fmt.Errorf("cancel: %w", gateway.ErrTooLate)))
	wantProblem(t, second(h.client.Cancel(t.Context(), "int_1")), http.StatusConflict, "cancel.too_late")
}

func TestListPages(t *testing.T) {
	t.Parallel()
	h := setup(t)
	var want []string
	for n := range 5 {
		posted, err := h.client.PostIntent(t.Context(), letter(fmt.Sprintf("sag-%d", n)))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, posted.ID)
	}
	if _, err := h.client.Cancel(t.Context(), want[1]); err != nil {
		t.Fatal(err)
	}
	var got []string
	for q := (IntentQuery{Limit: 2}); ; {
		page, err := h.client.Intents(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Intents {
			got = append(got, i.ID)
			if len(i.Messages) != 1 || len(i.Events) != 0 {
				t.Errorf("%+v, want a message and no events", i)
			}
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	for name, c := range map[string]struct {
		q    IntentQuery
		want []string
	}{
		"reference": {IntentQuery{Reference: "sag-3"}, want[3:4]},
		"status":    {IntentQuery{Status: "cancelled"}, want[1:2]},
		"nothing":   {IntentQuery{Reference: "sag-9"}, nil},
	} {
		page, err := h.client.Intents(t.Context(), c.q)
		if err != nil || len(page.Intents) != len(c.want) || page.Next != "" || (len(c.want) == 1 && page.Intents[0].ID != c.want[0]) {
			t.Errorf("%s: %+v %v", name, page, err)
		}
	}
}

func TestEventsFeed(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for n := range 3 {
		if _, err := h.client.PostIntent(t.Context(), letter(fmt.Sprintf("sag-%d", n))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.stranger().PostIntent(t.Context(), letter("foreign")); err != nil {
		t.Fatal(err)
	}
	var references []string
	var cursor int64
	for {
		page, err := h.client.Events(t.Context(), cursor, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			references = append(references, e.Reference)
			if e.Seq <= cursor || e.Status != "queued" || e.IntentStatus != "accepted" || e.Channel != "digitalpost" ||
				e.Message == "" || !e.Time.Equal(clock()) {
				t.Errorf("%+v", e)
			}
		}
		if page.Next == cursor {
			if len(page.Events) != 0 {
				t.Error("the cursor stands still")
			}
			break
		}
		cursor = page.Next
	}
	if !slices.Equal(references, []string{"sag-0", "sag-1", "sag-2"}) {
		t.Errorf("%v", references)
	}
}

func TestProducersSeeOnlyTheirOwn(t *testing.T) {
	t.Parallel()
	h := setup(t)
	posted, err := h.client.PostIntent(t.Context(), letter("sag-1"))
	if err != nil {
		t.Fatal(err)
	}
	other := h.stranger()
	wantProblem(t, second(other.Intent(t.Context(), posted.ID)), http.StatusNotFound, "not_found")
	wantProblem(t, second(other.Cancel(t.Context(), posted.ID)), http.StatusNotFound, "not_found")
	wantProblem(t, second(h.client.Intent(t.Context(), "int_unknown")), http.StatusNotFound, "not_found")
	if page, err := other.Intents(t.Context(), IntentQuery{}); err != nil || len(page.Intents) != 0 {
		t.Errorf("%+v %v", page, err)
	}
	if page, err := other.Events(t.Context(), 0, 0); err != nil || len(page.Events) != 0 {
		t.Errorf("%+v %v", page, err)
	}
	// A document is its producer's as well.
	doc, err := h.client.UploadDocument(t.Context(), "Bilag.pdf", strings.NewReader("%PDF"))
	if err != nil {
		t.Fatal(err)
	}
	in := letter("sag-2")
	in.Content.Documents = append(in.Content.Documents, DocumentRequest{Document: doc.ID, ContentType: "application/pdf"})
	p := wantProblem(t, second(other.PostIntent(t.Context(), in)), http.StatusUnprocessableEntity, "intent.invalid")
	if len(p.Errors) == 0 || p.Errors[0].Pointer != "/content/documents/1/document" {
		t.Errorf("%+v", p)
	}
	if _, err := h.client.PostIntent(t.Context(), in); err != nil {
		t.Errorf("its own producer: %v", err)
	}
}

// second is the error of a call.
func second[T any](_ T, err error) error { return err }

// wantProblem returns the problem that err must be.
func wantProblem(t *testing.T, err error, status int, code string) Problem {
	t.Helper()
	p, ok := errors.AsType[*Problem](err)
	if !ok {
		t.Fatalf("%v, want a problem", err)
	}
	if p.Status != status || p.Code != code {
		t.Errorf("%d %s, want %d %s", p.Status, p.Code, status, code)
	}
	return *p
}
