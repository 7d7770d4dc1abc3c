package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/brevdue/brevdue/gateway"
)

// secret stands in everything of a status that must not be told.
const secret = "Nancy 2512489996"

func (h *house) admin() *Client { return &Client{BaseURL: h.url, Token: tokenAdmin, HTTP: h.http} }

// strange settles n statuses that match nothing.
func (h *house) strange(t *testing.T, n int) {
	t.Helper()
	for k := range n {
		if _, err := h.gateway.Settle(t.Context(), gateway.Receipt{
			ID: fmt.Sprintf("urn:besked/%d ø", k), Kind: gateway.ReceiptDelivered, Status: "Afleveret Digital Post", Text: secret, Code: "a.b",
			Hint: "a hint", MessageUUID: fmt.Sprintf("uuid-%d", k), AfsendelseID: "a", Transmission: "t", OccurredAt: clock(), Raw: []byte(secret), Conflict: true,
		}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestQuarantineIsListedWithoutTexts(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.strange(t, 5)
	var ids []string
	q := ReceiptQuery{State: "unmatched", Limit: 2}
	for range 4 {
		page, err := h.admin().Receipts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Receipts {
			ids = append(ids, r.ID)
			want := ReceiptView{
				ID: r.ID, State: "unmatched", Kind: "delivered", Status: "Afleveret Digital Post", Code: "a.b", Conflict: true, MessageUUID: r.MessageUUID,
				AfsendelseID: "a", TransmissionID: "t", OccurredAt: clock(), ReceivedAt: clock(),
			}
			if r != want {
				t.Errorf("%+v", r)
			}
		}
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if len(ids) != 5 || ids[4] != "urn:besked/4 ø" {
		t.Errorf("%q", ids)
	}
	a := h.ask(t, http.MethodGet, "/v1/receipts?state=unmatched", "", "Authorization", "Bearer "+tokenAdmin)
	if a.status != http.StatusOK || strings.Contains(a.body, secret) {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestRawStatusIsGivenAndNoted(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.strange(t, 1)
	raw := append([]byte("<"+secret), 0, 0xff)
	if err := h.gateway.KeepUnreadable(t.Context(), raw, "is not XML"); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	for id, want := range map[string][]byte{"urn:besked/0 ø": []byte(secret), hex.EncodeToString(sum[:]): raw} {
		var got bytes.Buffer
		if err := h.admin().RawReceipt(t.Context(), id, &got); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %q, %v", id, got.Bytes(), err)
		}
		if log := h.log.String(); !strings.Contains(log, "who=vagt") || strings.Contains(log, secret) {
			t.Errorf("the log says %s", log)
		}
	}
	wantProblem(t, h.admin().RawReceipt(t.Context(), "none", &bytes.Buffer{}), http.StatusNotFound, "not_found")
	a := h.ask(t, http.MethodGet, "/v1/receipts/"+hex.EncodeToString(sum[:])+"/raw", "", "Authorization", "Bearer "+tokenAdmin)
	if a.header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%v", a.header)
	}
	a = h.ask(t, http.MethodGet, "/v1/receipts/x/raw", "", "Authorization", "Bearer "+tokenAdmin, "Accept", "text/html")
	if a.status != http.StatusNotAcceptable {
		t.Errorf("as HTML: %d", a.status)
	}
}

func TestMatchAStatusByHand(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.strange(t, 1)
	posted, err := h.client.PostIntent(t.Context(), letter("sag-1"))
	if err != nil {
		t.Fatal(err)
	}
	id, admin := posted.Messages[0].ID, h.admin()
	match := func(receipt, message, reason string) error {
		return second(admin.MatchReceipt(t.Context(), receipt, &MatchRequest{Message: message, Reason: reason}))
	}
	const receipt = "urn:besked/0 ø"
	wantProblem(t, match(receipt, id, ""), http.StatusUnprocessableEntity, "decision.invalid")
	wantProblem(t, match(receipt, id, strings.Repeat("x", 501)), http.StatusUnprocessableEntity, "decision.invalid")
	wantProblem(t, match(receipt, "msg_none", "x"), http.StatusUnprocessableEntity, "decision.invalid")
	wantProblem(t, match("none", id, "x"), http.StatusNotFound, "not_found")
	answer, err := admin.MatchReceipt(t.Context(), receipt, &MatchRequest{Message: id, Reason: "Leverandøren siger det"})
	if err != nil || !answer.Changed || answer.Message != id {
		t.Fatalf("%+v, %v", answer, err)
	}
	wantProblem(t, match(receipt, id, "x"), http.StatusConflict, "receipt.matched")
	view, err := h.client.Intent(t.Context(), posted.ID)
	if err != nil || view.Status != "delivered" {
		t.Fatalf("%+v, %v", view, err)
	}
	if e := view.Events[len(view.Events)-2]; e.Code != "matched.by_hand" || !strings.Contains(e.Text, "Leverandøren siger det") {
		t.Errorf("%+v", e)
	}
}

func TestRematchAndRetry(t *testing.T) {
	t.Parallel()
	h := setup(t)
	posted, err := h.client.PostIntent(t.Context(), letter("sag-1"))
	if err != nil {
		t.Fatal(err)
	}
	view, err := h.client.Intent(t.Context(), posted.ID)
	if err != nil {
		t.Fatal(err)
	}
	uuid, admin := view.Messages[0].MessageUUID, h.admin()
	h.strange(t, 3)
	if err := h.journal.Update(t.Context(), func(tx gateway.Tx) error {
		_, err := tx.InsertReceipt(&gateway.Receipt{ID: "early", Kind: gateway.ReceiptReceived, MessageUUID: uuid, ReceivedAt: clock().Add(-30 * 24 * time.Hour)})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{1, 0} {
		if answer, err := admin.RematchReceipts(t.Context()); err != nil || answer.Matched != want {
			t.Errorf("%+v, %v, want %d", answer, err, want)
		}
	}
	for raw, reason := range map[string]string{"readable " + uuid: "a field was unknown then", "rubbish": "is not XML"} {
		if err := h.gateway.KeepUnreadable(t.Context(), []byte(raw), reason); err != nil {
			t.Fatal(err)
		}
	}
	page, err := admin.Receipts(t.Context(), ReceiptQuery{State: "unreadable"})
	if err != nil || len(page.Receipts) != 2 {
		t.Fatalf("%+v, %v", page, err)
	}
	for _, r := range page.Receipts {
		answer, err := admin.RetryReceipt(t.Context(), r.ID)
		if r.Reason == "is not XML" {
			wantProblem(t, err, http.StatusUnprocessableEntity, "receipt.unreadable")
		} else if err != nil || !answer.Changed || answer.Message != posted.Messages[0].ID {
			t.Errorf("%+v, %v", answer, err)
		}
	}
	wantProblem(t, second(admin.RetryReceipt(t.Context(), "none")), http.StatusNotFound, "not_found")
	if page, err = admin.Receipts(t.Context(), ReceiptQuery{State: "unreadable"}); err != nil || len(page.Receipts) != 1 {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestReceiptsWithBadInput(t *testing.T) {
	t.Parallel()
	h := setup(t)
	for query, pointer := range map[string]string{
		"": "/state", "?state=all": "/state", "?state=unmatched&limit=0": "/limit", "?state=unmatched&after=x": "/after",
		"?state=unreadable&after=bm90aGluZw": "/after", "?state=unmatched&limit=501": "/limit",
	} {
		p := h.ask(t, http.MethodGet, "/v1/receipts"+query, "", "Authorization", "Bearer "+tokenAdmin).problem(t)
		if p.Status != http.StatusBadRequest || len(p.Errors) != 1 || p.Errors[0].Pointer != pointer {
			t.Errorf("%q: %+v", query, p)
		}
	}
	for body, code := range map[string]string{"": "json.syntax", "{": "json.syntax", `{"message":1}`: "json.type", `{"msg":""}`: "json.unknown_field"} {
		p := h.ask(t, http.MethodPost, "/v1/receipts/x/match", body, "Authorization", "Bearer "+tokenAdmin).problem(t)
		if p.Code != code {
			t.Errorf("%q: %+v", body, p)
		}
	}
	// A producer's own scopes are not enough.
	if p := h.ask(t, http.MethodGet, "/v1/receipts?state=unmatched", "").problem(t); p.Code != "scope.missing" {
		t.Errorf("%+v", p)
	}
}

func TestHealthWarnsAndStaysOK(t *testing.T) {
	t.Parallel()
	h := setup(t)
	posted := h.hold(t, "sag-held")
	if _, err := h.gateway.Intents(t.Context(), gateway.IntentFilter{Limit: 1}); err != nil || posted == nil {
		t.Fatal(err)
	}
	late, err := h.client.PostIntent(t.Context(), letter("sag-late"))
	if err != nil {
		t.Fatal(err)
	}
	submitted := clock().Add(-25 * time.Hour)
	if err := h.journal.Update(t.Context(), func(tx gateway.Tx) error {
		m, err := tx.Message(late.Messages[0].ID)
		if err != nil {
			return err
		}
		m.State, m.SubmittedAt, m.DueAt = gateway.Submitted, submitted, time.Time{}
		return tx.SaveMessage(m)
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.gateway.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.strange(t, 2)
	if err := h.gateway.KeepUnreadable(t.Context(), []byte("x"), "is not XML"); err != nil {
		t.Fatal(err)
	}
	a := h.ask(t, http.MethodGet, "/healthz", "", "Authorization", "")
	var got Health
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusOK || got.Status != "ok" || got.Statuses == nil {
		t.Fatalf("%d %s, %v", a.status, a.body, err)
	}
	s := got.Statuses
	if len(s.Overdue) != 1 || s.Overdue[0] != (OverdueView{"digitalpost", 1, submitted}) {
		t.Errorf("overdue %+v", s.Overdue)
	}
	if s.Quarantined != (Waiting{2, clock()}) || s.Unreadable != (Waiting{1, clock()}) || s.Held.Count != 1 {
		t.Errorf("%+v", s)
	}
	metrics := h.ask(t, http.MethodGet, "/metrics", "", "Authorization", "").body
	for _, line := range []string{
		`brevdue_messages_overdue{channel="digitalpost"} 1`, `brevdue_waiting_for_a_person{what="quarantined"} 2`,
		`brevdue_waiting_for_a_person{what="unreadable"} 1`, `brevdue_waiting_for_a_person{what="held"} 1`,
		`brevdue_receipts_total{result="unmatched"} 2`, `brevdue_receipts_total{result="unreadable"} 1`, `brevdue_receipts_conflicting_total 2`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("/metrics lacks %s", line)
		}
	}
}

// TestHealthWithoutJournal: the process lives although the journal does not answer; nothing is made up.
func TestHealthWithoutJournal(t *testing.T) {
	t.Parallel()
	h := setup(t, breaking(errSecret))
	a := h.ask(t, http.MethodGet, "/healthz", "", "Authorization", "")
	if a.status != http.StatusOK || strings.Contains(a.body, "statuses") || strings.Contains(a.body, "2512489996") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if m := h.ask(t, http.MethodGet, "/metrics", "", "Authorization", ""); strings.Contains(m.body, "brevdue_messages_overdue{") {
		t.Error("the metrics tell of what nobody could count")
	}
}

// countingHealth counts how often it is asked.
type countingHealth struct {
	Gateway
	asked *int
}

func (c countingHealth) Health(context.Context) (*gateway.Health, error) {
	*c.asked++
	return &gateway.Health{}, nil
}

func TestHealthIsNotAskedForTooOften(t *testing.T) {
	t.Parallel()
	asked, now := 0, clock()
	p := &pulse{gateway: countingHealth{asked: &asked}, now: func() time.Time { return now }}
	for step, want := range []int{1, 1, 2, 2, 3} {
		p.health(t.Context())
		if asked != want {
			t.Errorf("step %d: asked %d times, want %d", step, asked, want)
		}
		now = now.Add(pulseTime/2 + time.Millisecond)
	}
}
