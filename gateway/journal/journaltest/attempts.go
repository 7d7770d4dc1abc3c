package journaltest

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// attempt is an open attempt n of a message.
func attempt(m *gateway.Message, n int) *gateway.Attempt {
	return &gateway.Attempt{
		ID: fmt.Sprintf("att_%s_%d", m.ID, n), MessageID: m.ID, N: n, Worker: "worker-1",
		StartedAt: start().Add(time.Duration(n) * time.Minute),
	}
}

func book(t *testing.T, j gateway.Journal, a *gateway.Attempt) error {
	t.Helper()
	return j.Update(t.Context(), func(tx gateway.Tx) error { return tx.InsertAttempt(a) })
}

func closeAttempt(t *testing.T, j gateway.Journal, a *gateway.Attempt) error {
	t.Helper()
	return j.Update(t.Context(), func(tx gateway.Tx) error { return tx.CloseAttempt(a) })
}

// openAttempt reads the open attempt of a message.
func openAttempt(t *testing.T, j gateway.Journal, messageID string) (*gateway.Attempt, error) {
	t.Helper()
	var a *gateway.Attempt
	err := j.Update(t.Context(), func(tx gateway.Tx) error {
		var err error
		a, err = tx.OpenAttempt(messageID)
		return err
	})
	return a, err
}

func attemptLife(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	accept(t, j, i, m)
	_, err := openAttempt(t, j, m.ID)
	isErr(t, err, gateway.ErrNotFound)

	first := attempt(m, 1)
	must(t, book(t, j, first))
	got, err := openAttempt(t, j, m.ID)
	must(t, err)
	same(t, "the open attempt", got, first)
	if book(t, j, attempt(m, 2)) == nil {
		t.Error("a second attempt was booked while one is open")
	}

	first.EndedAt, first.Class, first.Code, first.Text, first.HTTPStatus = start().Add(time.Hour), gateway.Retry, "503", "Optaget", 503
	must(t, closeAttempt(t, j, first))
	_, err = openAttempt(t, j, m.ID)
	isErr(t, err, gateway.ErrNotFound)

	first.Class = gateway.Accept
	isErr(t, closeAttempt(t, j, first), gateway.ErrStale)
	isErr(t, closeAttempt(t, j, attempt(m, 9)), gateway.ErrStale)

	again := attempt(m, 1)
	again.ID = "att_other"
	if book(t, j, again) == nil {
		t.Error("the same number was booked twice")
	}
	must(t, book(t, j, attempt(m, 2)))
	stranger := attempt(&gateway.Message{ID: "msg_none"}, 1)
	if book(t, j, stranger) == nil {
		t.Error("an attempt of no message was booked")
	}
}

func attemptEvidence(t *testing.T, j gateway.Journal) {
	e := gateway.Evidence{ID: "0a0a", XML: []byte("<ds:Signature/>"), SignedAt: start()}
	var letters []*gateway.Attempt
	for n := range 3 {
		i, m := Sample(n)
		accept(t, j, i, m)
		a := attempt(m, 1)
		must(t, book(t, j, a))
		letters = append(letters, a)
		e.Letters = append(e.Letters, gateway.EvidenceLetter{AttemptID: a.ID, Digest: sha256.Sum256([]byte(a.ID))})
	}
	keep := func(e gateway.Evidence) error {
		return j.Update(t.Context(), func(tx gateway.Tx) error { return tx.KeepEvidence(&e) })
	}
	must(t, keep(e))
	must(t, keep(e)) // the same again changes nothing
	for n, a := range letters {
		got, err := openAttempt(t, j, a.MessageID)
		must(t, err)
		if [32]byte(got.Digest) != e.Letters[n].Digest || got.ManifestID != e.ID {
			t.Errorf("letter %d has digest %x of manifest %q", n, got.Digest, got.ManifestID)
		}
	}

	other := gateway.Evidence{ID: "0b0b", XML: e.XML, SignedAt: start(), Letters: e.Letters[:1]}
	isErr(t, keep(other), gateway.ErrTransition)

	letters[0].EndedAt, letters[0].Class = start(), gateway.Accept
	must(t, closeAttempt(t, j, letters[0]))
	late := gateway.Evidence{ID: "0c0c", XML: e.XML, SignedAt: start(), Letters: []gateway.EvidenceLetter{
		{AttemptID: letters[0].ID}, {AttemptID: letters[1].ID},
	}}
	isErr(t, keep(late), gateway.ErrStale)
	got, err := openAttempt(t, j, letters[1].MessageID)
	must(t, err)
	if got.ManifestID != e.ID {
		t.Errorf("a refused manifest was kept: %q", got.ManifestID)
	}
	none := gateway.Evidence{ID: "0d0d", XML: e.XML, SignedAt: start(), Letters: []gateway.EvidenceLetter{{AttemptID: "att_none"}}}
	isErr(t, keep(none), gateway.ErrStale)
}

func attemptAbandoned(t *testing.T, j gateway.Journal) {
	now := start().Add(time.Hour)
	seen := map[string]time.Time{"alive": now.Add(-time.Second), "dead": now.Add(-time.Minute), "gone": now}
	n := 0
	put := func(worker string, started time.Time, ended bool) string {
		i, m := Sample(n)
		n++
		accept(t, j, i, m)
		a := attempt(m, 1)
		a.Worker, a.StartedAt = worker, started
		must(t, book(t, j, a))
		if ended {
			a.EndedAt, a.Class = now, gateway.Accept
			must(t, closeAttempt(t, j, a))
		}
		return a.ID
	}
	alive := put("alive", start(), false)
	booked := put("alive", now.Add(-time.Second), false)
	put("alive", start(), true)
	second := put("dead", start().Add(2*time.Minute), false)
	put("dead", start(), true)
	first := put("gone", start(), false)
	third := put("never seen", start().Add(3*time.Minute), false)
	put("never seen", now.Add(-time.Second), false) // booked just now: it has not had time to be seen
	update(t, j, func(tx gateway.Tx) error {
		for worker, at := range seen {
			if err := tx.Seen(worker, at); err != nil {
				return err
			}
		}
		if err := tx.Seen("alive", now.Add(-time.Hour)); err != nil { // a late word does not make it older
			return err
		}
		return tx.Gone("gone")
	})
	abandoned := func(limit int) []string {
		found, err := j.Abandoned(t.Context(), now.Add(-30*time.Second), limit)
		must(t, err)
		var ids []string
		for _, a := range found {
			ids = append(ids, a.ID)
		}
		return ids
	}
	same(t, "the abandoned attempts", abandoned(10), []string{first, second, third})
	same(t, "the first of them", abandoned(1), []string{first})
	open := func(worker string, before time.Time, after string, limit int) []string {
		found, err := j.OpenAttempts(t.Context(), worker, before, after, limit)
		must(t, err)
		var ids []string
		for _, a := range found {
			ids = append(ids, a.ID)
		}
		return ids
	}
	same(t, "the worker's open attempts", open("alive", now, "", 10), []string{alive, booked})
	same(t, "the first of these", open("alive", now, "", 1), []string{alive})
	same(t, "the next", open("alive", now, alive, 1), []string{booked})
	same(t, "those that it booked long ago", open("alive", now.Add(-30*time.Second), "", 10), []string{alive})
	same(t, "those of nobody", open("somebody", now, "", 10), []string(nil))
}
