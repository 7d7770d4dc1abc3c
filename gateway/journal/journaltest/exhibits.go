package journaltest

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// kept is a request with its skeleton as an attempt keeps it.
func kept(a *gateway.Attempt, request string) *gateway.Kept {
	return &gateway.Kept{AttemptID: a.ID, Digest: sha256.Sum256([]byte(request)), Skeleton: []byte("skeleton of " + request)}
}

func keepRequest(t *testing.T, j gateway.Journal, k *gateway.Kept) error {
	t.Helper()
	return j.Update(t.Context(), func(tx gateway.Tx) error { return tx.KeepRequest(k) })
}

// answered closes an attempt.
func answered(t *testing.T, j gateway.Journal, a *gateway.Attempt, class gateway.Class, answer, subject string) {
	t.Helper()
	a.EndedAt, a.Class = a.StartedAt.Add(time.Second), class
	a.Answer, a.Subject = []byte(answer), subject
	if answer == "" {
		a.Answer = nil
	}
	must(t, closeAttempt(t, j, a))
}

func exhibitKept(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	accept(t, j, i, m)
	i2, m2 := Sample(2)
	accept(t, j, i2, m2)
	first, neighbour := attempt(m, 1), attempt(m2, 1)
	must(t, book(t, j, first))
	must(t, book(t, j, neighbour))
	one, theirs := kept(first, "one"), kept(neighbour, "one")
	manifest := gateway.Evidence{ID: "0a0a", XML: []byte("<ds:Signature/>"), SignedAt: start(), Letters: []gateway.EvidenceLetter{
		{AttemptID: first.ID, Digest: one.Digest, Skeleton: one.Skeleton},
		{AttemptID: neighbour.ID, Digest: theirs.Digest, Skeleton: theirs.Skeleton},
	}}
	keep := func() error {
		return j.Update(t.Context(), func(tx gateway.Tx) error { return tx.KeepEvidence(&manifest) })
	}
	must(t, keep())
	must(t, keep()) // the same again changes nothing
	answered(t, j, first, gateway.Unknown, "", "")
	check := func(what string, want *gateway.Kept) {
		t.Helper()
		_, got, err := j.Dossier(t.Context(), "huskeservice", m.ID)
		must(t, err)
		same(t, what, got, want)
	}
	check("what the first attempt kept", one)

	second := attempt(m, 2) // the same bytes
	must(t, book(t, j, second))
	again := kept(second, "one")
	must(t, keepRequest(t, j, again))
	must(t, keepRequest(t, j, again))
	check("the same bytes in a second attempt", again)
	answered(t, j, second, gateway.Accept, "ok", "")

	third := attempt(m, 3) // other bytes, refused: what was accepted counts
	must(t, book(t, j, third))
	other := kept(third, "two")
	must(t, keepRequest(t, j, other))
	check("the accepted one", again)
	isErr(t, keepRequest(t, j, kept(third, "three")), gateway.ErrTransition)
	answered(t, j, third, gateway.Fail, "no", "")
	isErr(t, keepRequest(t, j, other), gateway.ErrStale)
	isErr(t, keepRequest(t, j, kept(attempt(m, 9), "nine")), gateway.ErrStale)
	check("the accepted one still", again)

	_, got, err := j.Dossier(t.Context(), "", m2.ID)
	must(t, err)
	same(t, "the same bytes of another message", got, theirs)
}

func exhibitNone(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	accept(t, j, i, m)
	a := attempt(m, 1)
	must(t, book(t, j, a))
	manifest := gateway.Evidence{ID: "0a0a", XML: []byte("<ds:Signature/>"), SignedAt: start(), Letters: []gateway.EvidenceLetter{
		{AttemptID: a.ID, Digest: sha256.Sum256([]byte("letter"))},
	}}
	update(t, j, func(tx gateway.Tx) error { return tx.KeepEvidence(&manifest) })
	_, got, err := j.Dossier(t.Context(), "huskeservice", m.ID)
	must(t, err)
	if got != nil {
		t.Errorf("a request that nobody kept: %+v", got)
	}
}

func dossier(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	second := *m
	second.ID, second.Step, second.MessageUUID, second.AfsendelseID = m.ID+"b", 1, "uuid-b", "afsendelse-b"
	accept(t, j, i, m)
	update(t, j, func(tx gateway.Tx) error { return tx.InsertMessage(&second) })
	a, b := attempt(m, 1), attempt(m, 2)
	must(t, book(t, j, a))
	manifest := gateway.Evidence{ID: "0a0a", XML: []byte("<ds:Signature/>"), SignedAt: start(), Letters: []gateway.EvidenceLetter{
		{AttemptID: a.ID, Digest: sha256.Sum256([]byte("letter"))},
	}}
	update(t, j, func(tx gateway.Tx) error { return tx.KeepEvidence(&manifest) })
	answered(t, j, a, gateway.Retry, "<svar>Nancy\x00\xff</svar>", "C=DK, O=Testby Kommune")
	must(t, book(t, j, b))
	event := func(messageID, code string) *gateway.Event {
		return &gateway.Event{At: start(), Producer: i.Producer, IntentID: i.ID, Reference: i.Reference, MessageID: messageID, Code: code}
	}
	receipt := func(id, messageID string, at time.Time) *gateway.Receipt {
		return &gateway.Receipt{ID: id, Kind: gateway.ReceiptNote, ReceivedAt: at, Raw: []byte("<b/>"), MessageID: messageID}
	}
	update(t, j, func(tx gateway.Tx) error {
		for _, e := range []*gateway.Event{event("", "intent"), event(m.ID, "mine"), event(second.ID, "another's")} {
			if err := tx.InsertEvent(e); err != nil {
				return err
			}
		}
		for _, r := range []*gateway.Receipt{
			receipt("late", m.ID, start().Add(time.Hour)), receipt("early", m.ID, start()), receipt("another's", second.ID, start()),
			receipt("nobody's", "", start()),
		} {
			if _, err := tx.InsertReceipt(r); err != nil {
				return err
			}
		}
		return nil
	})
	d, _, err := j.Dossier(t.Context(), "huskeservice", m.ID)
	must(t, err)
	if len(d.Attempts) != 2 || len(d.Receipts) != 2 || len(d.Evidence) != 1 || d.Request != nil {
		t.Fatalf("%d attempts, %d receipts, %d manifests", len(d.Attempts), len(d.Receipts), len(d.Evidence))
	}
	if d.Message.ID != m.ID || d.Intent.ID != i.ID || len(d.Intent.Content.Documents) != 1 || len(d.Intent.Messages) != 0 {
		t.Errorf("message %s of %+v", d.Message.ID, d.Intent)
	}
	same(t, "the answer", string(d.Attempts[0].Answer), "<svar>Nancy\x00\xff</svar>")
	same(t, "the subject", d.Attempts[0].Subject, "C=DK, O=Testby Kommune")
	if open := d.Attempts[1]; open.N != 2 || open.Answer != nil || open.Subject != "" {
		t.Errorf("the open attempt %+v", open)
	}
	same(t, "the manifest", d.Evidence[0], gateway.Evidence{ID: "0a0a", XML: manifest.XML, SignedAt: start()})
	same(t, "the receipts", []string{d.Receipts[0].ID, d.Receipts[1].ID}, []string{"early", "late"})
	var codes []string
	for _, e := range d.Events {
		codes = append(codes, e.Code)
	}
	if n := len(codes); n < 2 || codes[n-2] != "intent" || codes[n-1] != "mine" {
		t.Errorf("events %q", codes)
	}
	for _, ask := range [][2]string{{"another", m.ID}, {"huskeservice", "msg_none"}, {"huskeservice", ""}} {
		_, _, err := j.Dossier(t.Context(), ask[0], ask[1])
		isErr(t, err, gateway.ErrNotFound)
	}
}
