package journaltest

import (
	"fmt"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// samplePost is inbound post n, queued for a desk, with two documents.
func samplePost(n int) *gateway.Post {
	at := start().Add(time.Duration(n) * time.Second)
	sum := fmt.Sprintf("%064x", n)
	return &gateway.Post{
		ID: fmt.Sprintf("inb_%026d", n), MessageUUID: fmt.Sprintf("%08x-2222-4000-8000-%012d", scatter(n), n), MessageID: "MSG-1",
		TransmissionID: fmt.Sprintf("%08x-3333-4000-8000-%012d", scatter(n), n), Source: gateway.PostPushed, ReceivedAt: at,
		State: gateway.PostQueued, Memo: gateway.StoredFile{SHA256: sum, Size: 2000}, Facts: []byte(`{"label":"Svar"}`),
		Documents: []gateway.PostDocument{
			{
				StoredFile: gateway.StoredFile{SHA256: sum, Size: 12}, Kind: "main", Filename: "Svar?.pdf", SafeName: "Svar.pdf",
				DeclaredType: "application/pdf", RealType: "application/pdf", Language: "da", Flags: []string{"pdf.javascript"},
			},
			{StoredFile: gateway.StoredFile{SHA256: sum}, Kind: "additional", Filename: "", SafeName: "dokument-2"},
		},
		Rule: "svar", Target: "desk", Flags: []string{"pdf.javascript"}, DueAt: at,
	}
}

func insertPost(t *testing.T, j gateway.Journal, p *gateway.Post) bool {
	t.Helper()
	var inserted bool
	update(t, j, func(tx gateway.Tx) error {
		var err error
		inserted, err = tx.InsertPost(p, []byte(`{"receiptStatus":"COMPLETED"}`))
		return err
	})
	return inserted
}

// postLife is a post from its arrival to its delivery.
func postLife(t *testing.T, j gateway.Journal) {
	p := samplePost(1)
	p.Answers = &gateway.Correlation{
		Producer: "huskeservice", IntentID: "int_1", Reference: "sag-1", MessageID: "msg_1", CaseID: "2026-0417",
	}
	if !insertPost(t, j, p) {
		t.Fatal("it was not stored")
	}
	var read *gateway.Post
	update(t, j, func(tx gateway.Tx) error {
		var err error
		read, err = tx.Post(p.ID)
		return err
	})
	same(t, "the post in a transaction", read, p)
	view, events, err := j.PostView(t.Context(), p.ID)
	must(t, err)
	same(t, "the post", view, p)
	same(t, "its events", len(events), 0)

	stale := *p
	p.State, p.Target, p.Rule, p.Tried, p.Attempts = gateway.PostDelivered, "esdh", "", []string{"desk"}, 3
	p.FirstAt, p.FinalAt, p.DueAt = start(), start().Add(time.Hour), time.Time{}
	event := &gateway.PostEvent{
		At: start().Add(time.Hour), PostID: p.ID, State: p.State, Target: "esdh", Code: "rerouted", Text: "Wrong desk", By: "operator",
	}
	update(t, j, func(tx gateway.Tx) error {
		if err := tx.SavePost(p); err != nil {
			return err
		}
		return tx.InsertPostEvent(event)
	})
	view, events, err = j.PostView(t.Context(), p.ID)
	must(t, err)
	same(t, "the delivered post", view, p)
	same(t, "its story", events, []gateway.PostEvent{*event})
	if p.Version != 1 || event.Seq == 0 {
		t.Errorf("version %d, event %d", p.Version, event.Seq)
	}
	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error { return tx.SavePost(&stale) }), gateway.ErrStale)
	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error { _, err := tx.Post("inb_none"); return err }), gateway.ErrNotFound)
	_, _, err = j.PostView(t.Context(), "inb_none")
	isErr(t, err, gateway.ErrNotFound)
}

// postReceipt is kept with the post, and its messageUUID comes once.
func postReceipt(t *testing.T, j gateway.Journal) {
	p, again := samplePost(1), samplePost(2)
	again.MessageUUID = p.MessageUUID
	if !insertPost(t, j, p) || insertPost(t, j, again) {
		t.Error("want the first stored and the second not")
	}
	id, receipt, err := j.PostReceipt(t.Context(), p.MessageUUID)
	must(t, err)
	if id != p.ID || string(receipt) != `{"receiptStatus":"COMPLETED"}` {
		t.Errorf("%s: %s", id, receipt)
	}
	_, _, err = j.PostReceipt(t.Context(), "unknown")
	isErr(t, err, gateway.ErrNotFound)
	if _, _, err := j.PostView(t.Context(), again.ID); err == nil {
		t.Error("half of the second was stored")
	}
}

// postLists are what workers, operators and producers ask for.
func postLists(t *testing.T, j gateway.Journal) {
	posts := make([]*gateway.Post, 6)
	for n := range posts {
		p := samplePost(n)
		switch n {
		case 1:
			p.State, p.DueAt = gateway.PostHeld, time.Time{}
		case 2:
			p.State, p.DueAt, p.Target = gateway.PostQuarantined, time.Time{}, ""
		case 3:
			p.Answers = &gateway.Correlation{Producer: "huskeservice", IntentID: "int_1", Reference: "sag-1", MessageID: "msg_1"}
		case 4:
			p.LeasedTo, p.LeaseEnds = "w1", start().Add(time.Minute)
		}
		posts[n] = p
		if !insertPost(t, j, p) {
			t.Fatal(n)
		}
	}
	due := func(at time.Time, want ...int) {
		t.Helper()
		got, err := j.DuePosts(t.Context(), at, 10)
		must(t, err)
		var expect []gateway.DuePost
		for _, n := range want {
			expect = append(expect, gateway.DuePost{ID: posts[n].ID, DueAt: posts[n].DueAt})
		}
		same(t, "due posts", got, expect)
	}
	due(start().Add(3*time.Second), 0, 3)
	due(start().Add(30*time.Second), 0, 3, 5)
	due(start().Add(2*time.Minute), 0, 3, 4, 5)

	listed := func(f gateway.PostFilter, want ...int) {
		t.Helper()
		if f.Limit == 0 {
			f.Limit = 10
		}
		got, err := j.Posts(t.Context(), f)
		must(t, err)
		var ids, expect []string
		for _, p := range got {
			ids = append(ids, p.ID)
			if p.Documents != nil || p.Facts != nil {
				t.Error("a list holds documents or facts")
			}
		}
		for _, n := range want {
			expect = append(expect, posts[n].ID)
		}
		same(t, fmt.Sprintf("%+v", f), ids, expect)
	}
	listed(gateway.PostFilter{}, 0, 1, 2, 3, 4, 5)
	listed(gateway.PostFilter{After: posts[1].ID, Limit: 2}, 2, 3)
	listed(gateway.PostFilter{State: gateway.PostHeld}, 1)
	listed(gateway.PostFilter{Producer: "huskeservice"}, 3)
	listed(gateway.PostFilter{Producer: "somebody"})
	listed(gateway.PostFilter{Target: "desk", State: gateway.PostQueued}, 0, 3, 4, 5)
	listed(gateway.PostFilter{MessageUUID: posts[4].MessageUUID}, 4)

	counts, oldest, err := j.PostCounts(t.Context())
	must(t, err)
	same(t, "counts", counts, map[gateway.PostState]int{gateway.PostQueued: 4, gateway.PostHeld: 1, gateway.PostQuarantined: 1})
	if !oldest.Equal(posts[0].ReceivedAt) {
		t.Errorf("the oldest came at %s", oldest)
	}
}
