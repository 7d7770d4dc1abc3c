package journaltest

import (
	"fmt"
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

	quarantine := func(since time.Time, limit int) []gateway.Receipt {
		found, err := j.Quarantine(t.Context(), since, limit)
		must(t, err)
		return found
	}
	same(t, "the quarantine", quarantine(time.Time{}, 10),
		[]gateway.Receipt{*receipt(0), *receipt(1), *receipt(2), *receipt(3)})
	same(t, "a part of it", quarantine(receipt(0).ReceivedAt, 2), []gateway.Receipt{*receipt(1), *receipt(2)})
	update(t, j, func(tx gateway.Tx) error { return tx.MatchReceipt("besked-2", m.ID) })
	same(t, "what is left", quarantine(receipt(1).ReceivedAt, 10), []gateway.Receipt{*receipt(3)})

	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error { return tx.MatchReceipt("besked-none", m.ID) }), gateway.ErrNotFound)
	if j.Update(t.Context(), func(tx gateway.Tx) error { return tx.MatchReceipt("besked-3", "msg_none") }) == nil {
		t.Error("a receipt was matched to no message")
	}
	bare := &gateway.Receipt{ID: "bare", Kind: gateway.ReceiptNote, ReceivedAt: start().Add(time.Hour)}
	put(bare, true)
	got := quarantine(start().Add(59*time.Minute), 10)
	if len(got) != 1 || !got[0].OccurredAt.IsZero() || len(got[0].Raw) != 0 {
		t.Errorf("a bare receipt came back as %+v", got)
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
