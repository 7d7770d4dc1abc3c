package journaltest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// message reads a message.
func message(t *testing.T, j gateway.Journal, id string) *gateway.Message {
	t.Helper()
	var m *gateway.Message
	update(t, j, func(tx gateway.Tx) error {
		var err error
		m, err = tx.Message(id)
		return err
	})
	return m
}

func save(t *testing.T, j gateway.Journal, m *gateway.Message) error {
	t.Helper()
	return j.Update(t.Context(), func(tx gateway.Tx) error { return tx.SaveMessage(m) })
}

func messageIdentity(t *testing.T, j gateway.Journal) {
	i, first := Sample(1)
	accept(t, j, i, first)
	for name, change := range map[string]func(m *gateway.Message){
		"id":                   func(m *gateway.Message) { m.ID = first.ID },
		"messageUUID":          func(m *gateway.Message) { m.MessageUUID = first.MessageUUID },
		"afsendelse id":        func(m *gateway.Message) { m.AfsendelseID = first.AfsendelseID },
		"place in the route":   func(m *gateway.Message) { m.Leg = first.Leg },
		"intent that is there": func(m *gateway.Message) { m.IntentID = "int_none" },
		"known state":          func(m *gateway.Message) { m.State = "lost" },
		"final time":           func(m *gateway.Message) { m.State = gateway.Failed },
	} {
		_, m := Sample(2)
		m.IntentID, m.Leg = i.ID, 1
		change(m)
		if j.Update(t.Context(), func(tx gateway.Tx) error { return tx.InsertMessage(m) }) == nil {
			t.Errorf("a message without its own %s was stored", name)
		}
	}
	_, m := Sample(2)
	m.IntentID, m.Leg = i.ID, 1
	update(t, j, func(tx gateway.Tx) error { return tx.InsertMessage(m) })
	same(t, "the message", message(t, j, m.ID), m)
	isErr(t, j.Update(t.Context(), func(tx gateway.Tx) error { _, err := tx.Message("msg_none"); return err }), gateway.ErrNotFound)
}

func messageStale(t *testing.T, j gateway.Journal) {
	i, m := Sample(1)
	accept(t, j, i, m)
	one, two := message(t, j, m.ID), message(t, j, m.ID)
	one.State, one.TransmissionID, one.ReleasedAt = gateway.Sending, "tr-1", start()
	must(t, save(t, j, one))
	if one.Version != m.Version+1 {
		t.Errorf("version %d after one change of %d", one.Version, m.Version)
	}
	two.State = gateway.Cancelled
	two.FinalAt = start()
	isErr(t, save(t, j, two), gateway.ErrStale)
	if two.Version != m.Version {
		t.Errorf("a refused write changed the version to %d", two.Version)
	}
	same(t, "the message", message(t, j, m.ID), one)
	must(t, save(t, j, one))
	one.ID = "msg_none"
	isErr(t, save(t, j, one), gateway.ErrStale)
}

// messageFinal walks every pair of states: from a final state only what the far end may know better.
func messageFinal(t *testing.T, j gateway.Journal) {
	allowed := func(from, to gateway.MessageState) bool {
		return from == to || !from.Final() || from.May(to)
	}
	n := 0
	for _, from := range gateway.MessageStates() {
		for _, to := range gateway.MessageStates() {
			i, m := Sample(n)
			n++
			put := func(s gateway.MessageState) {
				m.State, m.FinalAt = s, time.Time{}
				if s.Final() {
					m.FinalAt = start()
				}
			}
			put(from)
			accept(t, j, i, m)
			put(to)
			err := save(t, j, m)
			if allowed(from, to) {
				if err != nil {
					t.Errorf("%s to %s: %v", from, to, err)
				}
				continue
			}
			isErr(t, err, gateway.ErrTransition)
			if got := message(t, j, m.ID); got.State != from {
				t.Errorf("%s became %s", from, got.State)
			}
		}
	}
}

func messageFind(t *testing.T, j gateway.Journal) {
	var m [4]*gateway.Message
	for n := range m {
		i, one := Sample(n)
		one.TransmissionID = fmt.Sprintf("tr-%d", n)
		accept(t, j, i, one)
		m[n] = one
	}
	for _, c := range []struct {
		name, uuid, afsendelse, transmission, want string
	}{
		{"by messageUUID", m[1].MessageUUID, m[2].AfsendelseID, m[3].TransmissionID, m[1].ID},
		{"by AfsendelseIdentifikator", "", m[2].AfsendelseID, m[3].TransmissionID, m[2].ID},
		{"by AfsendelseIdentifikator past a strange uuid", "strange", m[2].AfsendelseID, "", m[2].ID},
		{"by transmission id", "", "", m[3].TransmissionID, m[3].ID},
		{"by transmission id past strangers", "strange", "strange", m[3].TransmissionID, m[3].ID},
		{"by nothing", "", "", "", ""},
		{"by strangers", "a", "b", "c", ""},
	} {
		err := j.Update(t.Context(), func(tx gateway.Tx) error {
			got, err := tx.FindMessage(c.uuid, c.afsendelse, c.transmission)
			if got != c.want {
				t.Errorf("%s: found %q, want %q", c.name, got, c.want)
			}
			return err
		})
		if c.want == "" {
			isErr(t, err, gateway.ErrNotFound)
		} else {
			must(t, err)
		}
	}
}

func messageDue(t *testing.T, j gateway.Journal) {
	for n := range 10 {
		i, m := Sample(n)
		m.DueAt = start().Add(time.Duration(n/3) * time.Minute) // several at the same moment
		m.Priority = gateway.Priorities()[n%3]
		if n == 4 {
			m.DueAt = time.Time{}
		}
		accept(t, j, i, m)
	}
	var got []string
	priorities := make(map[gateway.Priority]bool)
	var after gateway.DueCursor
	for pages := 0; ; pages++ {
		page, err := j.Due(t.Context(), start().Add(2*time.Minute), after, 2)
		must(t, err)
		if len(page) == 0 {
			break
		}
		if pages > 10 {
			t.Fatal("the cursor does not move on")
		}
		for _, d := range page {
			if d.Channel != "digitalpost" || !slices.Contains(gateway.Priorities(), d.Priority) {
				t.Errorf("channel %q, priority %q", d.Channel, d.Priority)
			}
			got = append(got, d.ID)
			priorities[d.Priority] = true
			after = gateway.DueCursor{DueAt: d.DueAt, ID: d.ID}
		}
	}
	if len(priorities) != 3 {
		t.Errorf("priorities %v", priorities)
	}
	var want []string
	for _, n := range []int{0, 1, 2, 3, 5, 6, 7, 8} { // 4 is not due at all, 9 later
		_, m := Sample(n)
		want = append(want, m.ID)
	}
	same(t, "the due messages", got, want)
}

func messagesOf(t *testing.T, j gateway.Journal, intentID string) []gateway.Message {
	t.Helper()
	var found []gateway.Message
	update(t, j, func(tx gateway.Tx) error {
		var err error
		found, err = tx.MessagesOf(intentID)
		return err
	})
	return found
}
