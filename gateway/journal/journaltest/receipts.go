package journaltest

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

func receiptQuarantine(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	accept(t, j, i, m)
	receipt := func(n int) *gateway.Receipt {
		return &gateway.Receipt{
			ID: fmt.Sprintf("besked-%d", n), Kind: gateway.ReceiptRejected, Class: gateway.Next, Code: "NGDP-17", Text: "Ukendt",
			Hint: "Se vejledningen", Status: "Fejlet", OccurredAt: start(), ReceivedAt: start().Add(time.Duration(n) * time.Minute),
			MessageUUID: m.MessageUUID, AfsendelseID: m.AfsendelseID, Transmission: "tr-1", Raw: []byte{0, 1, 2, 0xff},
		}
	}
	put := func(p *gateway.Receipt, want bool) {
		t.Helper()
		update(t, j, func(tx gateway.Tx) error {
			inserted, err := tx.InsertReceipt(p)
			if inserted != want {
				t.Errorf("receipt %s stored: %v", p.ID, inserted)
			}
			return err
		})
	}
	for n := range 4 {
		put(receipt(n), true)
	}
	changed := receipt(1)
	changed.Text = "noget andet"
	put(changed, false)
	matched := receipt(9)
	matched.MessageID = m.ID
	put(matched, true)

	listed := func(n int) gateway.Receipt {
		p := receipt(n)
		p.Raw = nil
		return *p
	}
	after := func(n int) gateway.ReceiptCursor {
		return gateway.ReceiptCursor{ReceivedAt: receipt(n).ReceivedAt, ID: receipt(n).ID}
	}
	quarantine := func(after gateway.ReceiptCursor, limit int) []gateway.Receipt {
		found, err := j.Quarantine(t.Context(), gateway.ReceiptFilter{After: after, Limit: limit})
		must(t, err)
		return found
	}
	same(t, "the quarantine", quarantine(gateway.ReceiptCursor{}, 10), []gateway.Receipt{listed(0), listed(1), listed(2), listed(3)})
	same(t, "a part of it", quarantine(after(0), 2), []gateway.Receipt{listed(1), listed(2)})
	update(t, j, func(tx gateway.Tx) error { return tx.MatchReceipt("besked-2", m.ID) })
	same(t, "what is left", quarantine(after(1), 10), []gateway.Receipt{listed(3)})
	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error { return tx.MatchReceipt("besked-2", m.ID) }), gateway.ErrNotFound)
	whole, err := j.Receipt(t.Context(), "besked-1")
	must(t, err)
	same(t, "a whole receipt", whole, receipt(1))
	_, err = j.Receipt(t.Context(), "besked-none")
	isErr(t, err, gateway.ErrNotFound)

	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error { return tx.MatchReceipt("besked-none", m.ID) }), gateway.ErrNotFound)
	if j.Update(t.Context(), func(tx gateway.Tx) error { return tx.MatchReceipt("besked-3", "msg_none") }) == nil {
		t.Error("a receipt was matched to no message")
	}
	bare := &gateway.Receipt{ID: "bare", Kind: gateway.ReceiptNote, ReceivedAt: start().Add(time.Hour)}
	put(bare, true)
	got, err := j.Receipt(t.Context(), "bare")
	must(t, err)
	if !got.OccurredAt.IsZero() || len(got.Raw) != 0 || got.MessageID != "" {
		t.Errorf("a bare receipt came back as %+v", got)
	}
}

// receiptMatchable pages through a quarantine in which few receipts have a message.
func receiptMatchable(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	m.TransmissionID = "tr-1"
	accept(t, j, i, m)
	ours := map[int]func(p *gateway.Receipt){
		3: func(p *gateway.Receipt) { p.MessageUUID = m.MessageUUID },
		4: func(p *gateway.Receipt) { p.AfsendelseID = m.AfsendelseID },
		9: func(p *gateway.Receipt) { p.Transmission = "tr-1" },
	}
	update(t, j, func(tx gateway.Tx) error {
		for n := range 11 {
			p := &gateway.Receipt{
				ID: fmt.Sprintf("besked-%02d", n), Kind: gateway.ReceiptNote, ReceivedAt: start(), Conflict: n == 9,
				MessageUUID: "u-none", AfsendelseID: "a-none", Transmission: "t-none",
			}
			if n == 10 {
				p.MessageUUID, p.AfsendelseID, p.Transmission = "", "", "" // a message that has no transmission id yet is not its
			}
			if change := ours[n]; change != nil {
				change(p)
			}
			if _, err := tx.InsertReceipt(p); err != nil {
				return err
			}
		}
		return nil
	})
	var ids, stops []string
	at := gateway.ReceiptCursor{}
	for range 10 {
		found, next, err := j.Matchable(t.Context(), gateway.ReceiptFilter{After: at, Limit: 4})
		must(t, err)
		for _, p := range found {
			ids = append(ids, p.ID)
			if p.Conflict != (p.ID == "besked-09") {
				t.Errorf("%s: conflict %t", p.ID, p.Conflict)
			}
		}
		if at = next; at.ID == "" {
			break
		}
		stops = append(stops, at.ID)
	}
	same(t, "those with a message", ids, []string{"besked-03", "besked-04", "besked-09"})
	same(t, "the ends of the pages", stops, []string{"besked-03", "besked-07"})
}

func unreadable(t *testing.T, j gateway.Journal) {
	body := func(n int) *gateway.Unreadable {
		return &gateway.Unreadable{
			ID: fmt.Sprintf("sha-%d", n), Reason: "message is not well-formed XML", ReceivedAt: start().Add(time.Duration(n) * time.Second),
			Raw: append([]byte{'<', 0, 0xff}, strconv.Itoa(n)...),
		}
	}
	put := func(u *gateway.Unreadable, want bool) {
		t.Helper()
		update(t, j, func(tx gateway.Tx) error {
			inserted, err := tx.InsertUnreadable(u)
			if inserted != want {
				t.Errorf("%s stored: %v", u.ID, inserted)
			}
			return err
		})
	}
	for n := range 3 {
		put(body(n), true)
	}
	again := body(1)
	again.Reason = "another"
	put(again, false)
	listed := func(n int) gateway.Unreadable {
		u := body(n)
		u.Raw = nil
		return *u
	}
	list := func(f gateway.ReceiptFilter) []gateway.Unreadable {
		found, err := j.UnreadableBodies(t.Context(), f)
		must(t, err)
		return found
	}
	same(t, "all", list(gateway.ReceiptFilter{Limit: 10}), []gateway.Unreadable{listed(0), listed(1), listed(2)})
	after := gateway.ReceiptCursor{ReceivedAt: body(0).ReceivedAt, ID: "sha-0"}
	same(t, "a page", list(gateway.ReceiptFilter{After: after, Limit: 1}), []gateway.Unreadable{listed(1)})
	update(t, j, func(tx gateway.Tx) error { return tx.ReadUnreadable("sha-1", start().Add(time.Hour), "besked-1") })
	same(t, "what is left", list(gateway.ReceiptFilter{Limit: 10}), []gateway.Unreadable{listed(0), listed(2)})
	want := body(1)
	want.ReadAt, want.ReceiptID = start().Add(time.Hour), "besked-1"
	got, err := j.UnreadableBody(t.Context(), "sha-1")
	must(t, err)
	same(t, "the one that was read", got, want)
	_, err = j.UnreadableBody(t.Context(), "sha-none")
	isErr(t, err, gateway.ErrNotFound)
	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error { return tx.ReadUnreadable("sha-none", start(), "") }), gateway.ErrNotFound)
}

// overdueWatch walks messages through the states in which a status is awaited, and counts them for Health.
func overdueWatch(t *testing.T, j gateway.Journal) {
	states := []gateway.MessageState{
		gateway.Submitted, gateway.Received, gateway.Delivered, gateway.Queued, gateway.Held, gateway.Submitted,
	}
	messages := make([]*gateway.Message, len(states))
	for n, state := range states {
		i, m := Sample(n)
		accept(t, j, i, m)
		m.State, m.SubmittedAt = state, start().Add(time.Duration(n)*time.Hour)
		if state.Final() {
			m.FinalAt = start()
		}
		must(t, save(t, j, m))
		messages[n] = m
	}
	awaiting := func(before time.Time, limit int) []string {
		found, err := j.Awaiting(t.Context(), messages[0].Channel, before, limit)
		must(t, err)
		return found
	}
	same(t, "all that await", awaiting(start().Add(10*time.Hour), 10), []string{messages[0].ID, messages[1].ID, messages[5].ID})
	same(t, "the first", awaiting(start().Add(10*time.Hour), 1), []string{messages[0].ID})
	same(t, "up to a time", awaiting(start().Add(time.Hour), 10), []string{messages[0].ID, messages[1].ID})
	other, err := j.Awaiting(t.Context(), "other", start().Add(10*time.Hour), 10)
	must(t, err)
	same(t, "another channel's", len(other), 0)
	for _, n := range []int{1, 5} {
		messages[n].OverdueAt = start().Add(20 * time.Hour)
		must(t, save(t, j, messages[n]))
	}
	same(t, "those not noted", awaiting(start().Add(10*time.Hour), 10), []string{messages[0].ID})
	overdue, err := j.Overdue(t.Context(), 10)
	must(t, err)
	same(t, "the overdue ones", overdue, []gateway.Message{*messages[1], *messages[5]})
	update(t, j, func(tx gateway.Tx) error {
		if _, err := tx.InsertUnreadable(&gateway.Unreadable{ID: "sha", ReceivedAt: start()}); err != nil {
			return err
		}
		_, err := tx.InsertReceipt(&gateway.Receipt{ID: "r", Kind: gateway.ReceiptNote, ReceivedAt: start().Add(time.Minute)})
		return err
	})
	health, err := j.Health(t.Context())
	must(t, err)
	same(t, "the health", health, &gateway.Health{
		Overdue:     []gateway.OverdueChannel{{Channel: messages[1].Channel, Count: 2, Oldest: messages[1].SubmittedAt}},
		Quarantined: 1, OldestQuarantined: start().Add(time.Minute), Unreadable: 1, OldestUnreadable: start(),
		Held: 1, OldestHeld: messages[4].CreatedAt,
	})
	messages[1].State, messages[1].FinalAt = gateway.Delivered, start()
	must(t, save(t, j, messages[1]))
	if overdue, err = j.Overdue(t.Context(), 10); err != nil || len(overdue) != 1 {
		t.Errorf("after one was delivered: %d, %v", len(overdue), err)
	}
}

func upload(t *testing.T, j gateway.Journal) {
	u := &gateway.Upload{
		ID: "doc_1", Producer: "huskeservice", Filename: "Bilag æøå.pdf", Size: 74_000_000,
		SHA256: SampleDocument(9).SHA256, CreatedAt: start(),
	}
	update(t, j, func(tx gateway.Tx) error { return tx.InsertUpload(u) })
	got, err := j.Upload(t.Context(), u.Producer, u.ID)
	must(t, err)
	same(t, "the upload", got, u)
	_, err = j.Upload(t.Context(), "somebody", u.ID)
	isErr(t, err, gateway.ErrNotFound)
	_, err = j.Upload(t.Context(), u.Producer, "doc_none")
	isErr(t, err, gateway.ErrNotFound)
}
