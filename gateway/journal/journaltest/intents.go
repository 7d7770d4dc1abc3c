package journaltest

import (
	"crypto/sha256"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// same compares two values with everything they hide: Private and Identifier mask themselves in print, so a
// difference is named, not shown.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s differs\n got %+v\nwant %+v", what, got, want)
	}
}

func isErr(t *testing.T, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error %v, want %v", got, want)
	}
}

func intentRoundTrip(t *testing.T, j gateway.Journal) {
	want := full(t)
	_, m := Sample(1)
	_, m2 := Sample(2)
	m2.IntentID, m2.Leg = want.ID, 1
	m2.DueAt, m2.SubmittedAt, m2.FinalAt = time.Time{}, start(), start().Add(time.Minute)
	m2.State, m2.TransmissionID, m2.Attempts, m2.Uncertain = gateway.Failed, "tr-1", 3, true
	m2.Channel = "nemsms"
	accept(t, j, want, m2, m)

	got, err := j.Intent(t.Context(), want.ID)
	must(t, err)
	same(t, "the intent", got, want)
	for _, p := range []struct{ got, want string }{ // DeepEqual looks through the masks; this says so for once
		{got.Recipient.ID.Reveal(), "2512489996"},
		{got.Recipient.Name.Reveal(), "Nancy Ann Berggren"},
		{got.Recipient.Address.City.Reveal(), "Aarhus C"},
	} {
		if p.got != p.want {
			t.Errorf("a personal value came back as %q", p.got)
		}
	}

	view, err := j.IntentView(t.Context(), want.Producer, want.ID)
	must(t, err)
	want.Messages = []gateway.Message{*m, *m2} // by leg and step, not by insertion
	same(t, "the view", view, want)

	update(t, j, func(tx gateway.Tx) error {
		head, err := tx.IntentHead(want.ID)
		if err != nil {
			return err
		}
		bare := *want
		bare.Recipient, bare.Content, bare.Messages = gateway.Recipient{}, gateway.Content{}, nil
		same(t, "the head", head, &bare)
		return nil
	})
	_, err = j.Intent(t.Context(), "int_none")
	isErr(t, err, gateway.ErrNotFound)
	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error { _, err := tx.IntentHead("int_none"); return err }), gateway.ErrNotFound)
}

func intentReference(t *testing.T, j gateway.Journal) {
	first, m := Sample(1)
	accept(t, j, first, m)

	again, _ := Sample(2)
	again.Reference, again.Fingerprint = first.Reference, sha256.Sum256([]byte("another body"))
	update(t, j, func(tx gateway.Tx) error {
		inserted, err := tx.InsertIntent(again)
		if inserted {
			t.Error("the same reference was stored twice")
		}
		return err
	})
	_, err := j.Intent(t.Context(), again.ID)
	isErr(t, err, gateway.ErrNotFound)

	update(t, j, func(tx gateway.Tx) error {
		found, err := tx.IntentByReference(first.Producer, first.Reference)
		if err != nil {
			return err
		}
		if found.ID != first.ID || found.Fingerprint != first.Fingerprint || found.Status != first.Status {
			t.Errorf("found %s %s", found.ID, found.Status)
		}
		return nil
	})
	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error {
		_, err := tx.IntentByReference("somebody", first.Reference)
		return err
	}), gateway.ErrNotFound)

	other, _ := Sample(3)
	other.Producer, other.Reference = "somebody", first.Reference
	update(t, j, func(tx gateway.Tx) error {
		inserted, err := tx.InsertIntent(other)
		if !inserted {
			t.Error("another producer's reference was taken for ours")
		}
		return err
	})
}

func intentDuplicate(t *testing.T, j gateway.Journal) {
	waiting, _ := Sample(1)
	waiting.Dedupe = "samtale"
	plain, _ := Sample(2)
	accept(t, j, waiting)
	accept(t, j, plain)
	ask := func(producer, key, want string) {
		t.Helper()
		update(t, j, func(tx gateway.Tx) error {
			id, err := tx.WaitingDuplicate(producer, key)
			if id != want {
				t.Errorf("duplicate of %q is %q, want %q", key, id, want)
			}
			return err
		})
	}
	ask("huskeservice", "samtale", waiting.ID)
	ask("huskeservice", "", "")
	ask("somebody", "samtale", "")
	status := func(s gateway.IntentStatus, final time.Time) {
		update(t, j, func(tx gateway.Tx) error { return tx.SetIntentStatus(waiting.ID, s, final) })
	}
	status(gateway.IntentScheduled, time.Time{})
	ask("huskeservice", "samtale", waiting.ID)
	for _, s := range []gateway.IntentStatus{gateway.IntentSending, gateway.IntentSubmitted, gateway.IntentHeld} {
		status(s, time.Time{})
		ask("huskeservice", "samtale", "")
	}
	status(gateway.IntentCancelled, start())
	ask("huskeservice", "samtale", "")
}

func intentList(t *testing.T, j gateway.Journal) {
	var ids []string
	for n := range 7 {
		i, m := Sample(n)
		if n == 3 {
			i.Producer = "somebody"
		}
		if n >= 5 {
			i.Status = gateway.IntentScheduled
		}
		accept(t, j, i, m)
		ids = append(ids, i.ID)
	}
	list := func(f gateway.IntentFilter, want ...string) {
		t.Helper()
		page, err := j.Intents(t.Context(), f)
		must(t, err)
		var got []string
		for _, i := range page {
			got = append(got, i.ID)
			if len(i.Messages) != 1 || i.Messages[0].IntentID != i.ID {
				t.Errorf("intent %s has %d messages", i.ID, len(i.Messages))
			}
			if len(i.Content.Documents) != 0 || i.Content.Title != "" {
				t.Errorf("intent %s has content in a list", i.ID)
			}
		}
		same(t, "the list", got, want)
	}
	list(gateway.IntentFilter{}, ids...)
	list(gateway.IntentFilter{Limit: 2}, ids[:2]...)
	list(gateway.IntentFilter{After: ids[1], Limit: 2}, ids[2:4]...)
	list(gateway.IntentFilter{Producer: "somebody"}, ids[3])
	list(gateway.IntentFilter{Producer: "huskeservice", Reference: "sag-4"}, ids[4])
	list(gateway.IntentFilter{Status: gateway.IntentScheduled}, ids[5:]...)
	list(gateway.IntentFilter{Status: gateway.IntentFailed})
	list(gateway.IntentFilter{After: ids[6]})
}

func intentProducer(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	accept(t, j, i, m)
	for producer, want := range map[string]error{"huskeservice": nil, "": nil, "somebody": gateway.ErrNotFound} {
		view, err := j.IntentView(t.Context(), producer, i.ID)
		isErr(t, err, want)
		if want == nil && (view == nil || len(view.Messages) != 1) {
			t.Errorf("%q sees %v", producer, view)
		}
	}
}

func intentStatus(t *testing.T, j gateway.Journal) {
	i, _ := Sample(1)
	accept(t, j, i)
	set := func(id string, s gateway.IntentStatus, final time.Time) error {
		return j.Update(t.Context(), func(tx gateway.Tx) error { return tx.SetIntentStatus(id, s, final) })
	}
	must(t, set(i.ID, gateway.IntentFailed, time.Time{})) // one leg failed, another is under way
	must(t, set(i.ID, gateway.IntentFailed, start()))
	must(t, set(i.ID, gateway.IntentDelivered, start().Add(time.Hour)))
	got, err := j.Intent(t.Context(), i.ID)
	must(t, err)
	if got.Status != gateway.IntentDelivered || !got.FinalAt.Equal(start().Add(time.Hour)) {
		t.Errorf("%s at %v", got.Status, got.FinalAt)
	}
	isErr(t, set("int_none", gateway.IntentSending, time.Time{}), gateway.ErrNotFound)
	for name, err := range map[string]error{
		"an unknown status":       set(i.ID, "lost", time.Time{}),
		"a final time under way":  set(i.ID, gateway.IntentSending, start()),
		"the empty status":        set(i.ID, "", time.Time{}),
		"a message's state of it": set(i.ID, gateway.IntentStatus(gateway.Queued), time.Time{}),
	} {
		if err == nil {
			t.Errorf("%s was stored", name)
		}
	}
	for _, s := range gateway.IntentStatuses() {
		must(t, set(i.ID, s, time.Time{}))
	}
}
