package main

import (
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// sound is a run in which all is well: a letter by Digital Post, one on paper, one by mail and one that was cancelled.
func sound() *judge {
	view := func(id, channel, status string) httpapi.MessageView {
		return httpapi.MessageView{ID: "msg_" + id, Channel: channel, Status: status, MessageUUID: "uuid-" + id, Attempts: 1, TransmissionID: "trans-" + id}
	}
	mail := view("c", "smtp", "delivered")
	mail.TransmissionID = "msg_c@testby.example"
	j := &judge{
		place: &place{heard: newHearing(), box: &mailbox{taken: map[string][]time.Time{"msg_c@testby.example": {noon}}}, calls: &harness.Receiver{}},
		chaos: newChaos(nil, nil),
		load: &load{letters: map[string]*letter{
			"a": {reference: "a", id: "int_a", request: &httpapi.IntentRequest{}, earliest: noon, latest: noon.Add(time.Minute)},
			"b": {reference: "b", id: "int_b", request: &httpapi.IntentRequest{}},
			"c": {reference: "c", id: "int_c", request: &httpapi.IntentRequest{}},
			"d": {reference: "d", id: "int_d", request: &httpapi.IntentRequest{}, cancelled: noon, withdrawn: []string{"msg_d"}},
		}},
		intents: []httpapi.IntentView{
			{ID: "int_a", Reference: "a", Messages: []httpapi.MessageView{view("a", "digitalpost", "delivered")}},
			{ID: "int_b", Reference: "b", Messages: []httpapi.MessageView{view("b", "print", "delivered")}},
			{ID: "int_c", Reference: "c", Messages: []httpapi.MessageView{mail}},
			{ID: "int_d", Reference: "d", Messages: []httpapi.MessageView{view("d", "digitalpost", "cancelled")}},
		},
		letters: []sf1601test.Message{
			{Seq: 1, MessageID: "msg_a", MessageUUID: "uuid-a", Accepted: true, Attempts: 1, FirstSeen: noon.Add(time.Second), TransactionIDs: []string{"t"}},
			{Seq: 2, AfsendelseIdentifikator: "x", TransmissionID: "trans-b", Accepted: true, Attempts: 1, FirstSeen: noon, TransactionIDs: []string{"u"}},
		},
		calls: &httpapi.CallbackView{},
	}
	j.watcher = &watcher{place: j.place, sights: map[int64][]sight{}}
	for n, e := range []struct{ message, status string }{
		{"msg_a", "queued"}, {"msg_b", "queued"}, {"msg_a", "submitted"}, {"msg_c", "queued"}, {"msg_d", "queued"},
		{"msg_b", "submitted"}, {"msg_a", "received"}, {"msg_d", "cancelled"}, {"msg_a", "delivered"}, {"msg_c", "delivered"}, {"msg_b", "delivered"},
	} {
		event := httpapi.FeedEvent{Seq: int64(n + 1), Message: e.message, Status: e.status}
		j.feed, j.watcher.feed = append(j.feed, event), append(j.watcher.feed, event)
		j.place.heard.heard[event.Seq] = true
		j.place.heard.order[e.message] = append(j.place.heard.order[e.message], event.Seq)
	}
	j.watcher.see(noon.Add(2*time.Second), j.letters)
	return j
}

// TestJudge breaks each invariant in turn: a judge that finds nothing is worth nothing.
func TestJudge(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		breaks func(j *judge)
		finds  string
	}{
		"all is well": {func(*judge) {}, ""},
		"an accepted intent is gone": {
			func(j *judge) { j.intents = j.intents[1:]; j.letters = j.letters[1:] }, "a was accepted as int_a and is gone",
		},
		"an intent of nobody":        {func(j *judge) { j.intents[0].Reference = "z" }, "which nobody posted"},
		"a reference twice":          {func(j *judge) { j.intents = append(j.intents, j.intents[3]) }, "d was accepted twice"},
		"refused and yet accepted":   {func(j *judge) { j.load.letters["b"].refused = true }, "told that it is refused"},
		"two identities, as counted": {func(j *judge) { j.stats.TwoIdentities = 1 }, "two identities"},
		"two identities, as seen": {func(j *judge) {
			j.letters = append(j.letters, sf1601test.Message{Seq: 3, MessageID: "msg_a", MessageUUID: "uuid-z", FirstSeen: noon})
		}, "is at the far end twice"},
		"another identity":          {func(j *judge) { j.letters[0].MessageUUID = "uuid-z" }, "is uuid-z at the far end and uuid-a here"},
		"two transactions":          {func(j *judge) { j.letters[0].TransactionIDs = []string{"t", "v"} }, "under 2 transactions"},
		"an unknown letter":         {func(j *judge) { j.letters[0].MessageID = "msg_z" }, "which we do not know"},
		"delivered, never accepted": {func(j *judge) { j.letters[0].Accepted = false }, "the far end has not accepted it"},
		"before its time":           {func(j *judge) { j.letters[0].FirstSeen = noon.Add(-time.Millisecond) }, "before its time"},
		"after its time":            {func(j *judge) { j.letters[0].FirstSeen = noon.Add(2 * time.Minute) }, "after its time"},
		"again after its time": {func(j *judge) {
			j.watcher.see(noon.Add(3*time.Minute), j.letters)
			j.letters[0].Attempts++
			j.watcher.see(noon.Add(4*time.Minute), j.letters)
		}, "after its time"},
		"sent though cancelled": {func(j *judge) {
			j.letters = append(j.letters, sf1601test.Message{Seq: 3, MessageID: "msg_d", MessageUUID: "uuid-d", FirstSeen: noon.Add(time.Second)})
		}, "sent after its cancellation"},
		"accepted though cancelled": {func(j *judge) {
			j.letters = append(j.letters, sf1601test.Message{Seq: 3, MessageID: "msg_d", MessageUUID: "uuid-d", FirstSeen: noon, Accepted: true})
		}, "the far end accepted it"},
		"not cancelled after all": {func(j *judge) { j.intents[3].Messages[0].Status = "queued" }, "was confirmed as cancelled"},
		"paper again": {func(j *judge) {
			j.letters[1].Attempts++
			j.watcher.see(noon.Add(3*time.Second), j.letters)
		}, "was sent again after"},
		"paper under two identities": {func(j *judge) {
			j.letters = append(j.letters, sf1601test.Message{Seq: 3, AfsendelseIdentifikator: "y", TransmissionID: "other", Accepted: true})
		}, "the far end prints 2 letters; 1 were handed to it"},
		"mail twice":     {func(j *judge) { j.place.box.taken["msg_c@testby.example"] = []time.Time{noon, noon} }, "was taken 2 times"},
		"mail of nobody": {func(j *judge) { j.place.box.taken["msg_z@testby.example"] = []time.Time{noon} }, "is not of a message that we know"},
		"mail that never left": {
			func(j *judge) { delete(j.place.box.taken, "msg_c@testby.example") }, "is delivered, and its mail",
		},
		"a status that goes backwards": {func(j *judge) { j.feed[10].Message, j.feed[10].Status = "msg_a", "submitted" }, "went from delivered to submitted"},
		"a cancelled letter that moves": {func(j *judge) {
			j.feed[10].Message, j.feed[10].Status = "msg_d", "submitted"
		}, "went from cancelled to submitted"},
		"an event that was missed": {func(j *judge) { j.watcher.feed = j.watcher.feed[1:] }, "event 1 of msg_a was missed"},
		"events in disorder":       {func(j *judge) { j.feed[3].Seq = 2 }, "comes after event"},
		"a state without an event": {func(j *judge) { j.intents[1].Messages[0].Status = "failed" }, `its last event says "delivered"`},
		"an event that was not told": {
			func(j *judge) { delete(j.place.heard.heard, 5) }, "event 5 of msg_d was not told",
		},
		"told in disorder": {func(j *judge) { j.place.heard.order["msg_a"] = []int64{3, 1} }, "were told in the order [3 1]"},
		"given up":         {func(j *judge) { j.calls.GivenUp = 1 }, "were given up"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := sound()
			tc.breaks(j)
			j.judge()
			all := strings.Join(j.found, "\n")
			if tc.finds == "" && all != "" || !strings.Contains(all, tc.finds) {
				t.Errorf("found %q, want %q", all, tc.finds)
			}
		})
	}
}

// What may wait for ever is what the documentation says may.
func TestEnded(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		channel, status, ending string
		ends                    bool
	}{
		{"digitalpost", "delivered", "9996", true},
		{"digitalpost", "submitted", "9996", false},
		{"digitalpost", "submitted", "9987", true},
		{"digitalpost", "held", "9996", false},
		{"print", "held", "9996", true},
		{"smtp", "sending", "9987", false},
		{"nemsms", "scheduled", "9987", false},
	} {
		m := &httpapi.MessageView{Channel: tc.channel, Status: tc.status}
		if got := ended(m, &letter{ending: tc.ending}); got != tc.ends {
			t.Errorf("%+v: ended is %t", tc, got)
		}
	}
}

// A fault that holds things up moves the last moment; one that ends them does not.
func TestLimit(t *testing.T) {
	t.Parallel()
	c := newChaos(nil, nil)
	c.stalls = []stall{
		{noon.Add(2 * time.Second), noon.Add(9 * time.Second)}, {noon.Add(-time.Second), noon.Add(3 * time.Second)},
		{noon.Add(time.Minute), noon.Add(2 * time.Minute)},
	}
	if got, want := c.limit(noon), noon.Add(9*time.Second+slack); !got.Equal(want) {
		t.Errorf("limit %s, want %s", got, want)
	}
	if Kill.stalls() || !LongPause.stalls() {
		t.Error("what is killed sends nothing any more, what is paused goes on")
	}
}
