package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/brevdue/brevdue/cmd/brevdue/e2e/harness"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// slack is how long a letter may be on its way, on a busy machine, after it was decided that it may leave.
const slack = 5 * time.Second

// most is how many findings of a run are told.
const most = 20

// holding are the channels that hold a letter of which nobody knows whether it arrived.
func holding(channel string) bool {
	return channel == "print" || channel == "automatic" || channel == "smtp"
}

// judge compares what the producers, the gateway, the far ends and the receiver of callbacks know.
type judge struct {
	place   *place
	chaos   *chaos
	load    *load
	watcher *watcher

	intents []httpapi.IntentView
	feed    []httpapi.FeedEvent
	letters []sf1601test.Message
	stats   sf1601test.Stats
	calls   *httpapi.CallbackView

	messages map[string]*httpapi.MessageView // by id
	owner    map[string]*letter              // of a message, by its id
	found    []string
	more     int
}

func (j *judge) findf(format string, args ...any) {
	if len(j.found) == most {
		j.more++
		return
	}
	j.found = append(j.found, fmt.Sprintf(format, args...))
}

// settle waits until everything has ended and everybody has been told. What has not when ctx ends is a finding.
func (j *judge) settle(ctx context.Context) {
	turn := 0
	var waiting []string
	err := harness.Poll(ctx, 500*time.Millisecond, func() (bool, error) {
		turn++
		open, err := j.open(ctx, turn)
		if err != nil {
			if ctx.Err() == nil || len(waiting) == 0 {
				waiting = []string{err.Error()}
			}
			return false, nil
		}
		waiting = open
		return len(open) == 0, nil
	})
	if err == nil {
		return
	}
	for _, w := range waiting {
		j.findf("it does not end: %s", w)
	}
}

// open lists what has not ended.
func (j *judge) open(ctx context.Context, turn int) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	client := j.place.client(turn)
	intents, err := (&harness.Gateway{Client: client}).Intents(ctx)
	if err != nil {
		return nil, err
	}
	stats, err := j.place.sim.Stats(ctx)
	if err != nil {
		return nil, err
	}
	calls, err := client.Callbacks(ctx)
	if err != nil {
		return nil, err
	}
	var open []string
	for n := range intents {
		l := j.load.letters[intents[n].Reference]
		for _, m := range intents[n].Messages {
			if !ended(&m, l) {
				open = append(open, fmt.Sprintf("%s (%s) is %s on %s, message %s, after %d attempts, due %s", intents[n].ID,
					intents[n].Reference, m.Status, m.Channel, m.ID, m.Attempts, m.DueAt.Format(time.TimeOnly)))
			}
		}
	}
	if stats.Pushes.Pending > 0 {
		open = append(open, fmt.Sprintf("%d letters wait for the gateway to take a status (%s)",
			stats.Pushes.Pending, stats.Pushes.LastError))
	}
	if calls.Pending > 0 {
		open = append(open, fmt.Sprintf("%d events wait to be told", calls.Pending))
	}
	return open, nil
}

// ended reports whether nothing more is to come of a message: its state is final, or its channel holds what nobody knows,
// or the far end never tells what became of what it accepted.
func ended(m *httpapi.MessageView, l *letter) bool {
	switch state := gateway.MessageState(m.Status); {
	case state.Final():
		return true
	case state == gateway.Held:
		return holding(m.Channel)
	case state == gateway.Submitted || state == gateway.Received:
		return l != nil && l.silent()
	default:
		return false
	}
}

// collect asks everybody once more, when all is over.
func (j *judge) collect(ctx context.Context) error {
	client := j.place.client(0)
	g := &harness.Gateway{Client: client}
	var err error
	if j.intents, err = g.Intents(ctx); err != nil {
		return err
	}
	if j.feed, err = g.Events(ctx); err != nil {
		return err
	}
	if j.letters, err = j.place.sim.Messages(ctx); err != nil {
		return err
	}
	j.watcher.see(time.Now(), j.letters)
	if j.stats, err = j.place.sim.Stats(ctx); err != nil {
		return err
	}
	if j.calls, err = client.Callbacks(ctx); err != nil {
		return err
	}
	return nil
}

// judge checks every invariant.
func (j *judge) judge() {
	j.judgeIntents()
	j.judgeFarEnd()
	j.judgePaper()
	j.judgeMail()
	j.judgeFeed()
	j.judgeCalls()
	for _, n := range j.place.nodes {
		if line := n.panicked(); line != "" {
			j.findf("%s: %.300s", n.name, line)
		}
	}
	if j.more > 0 {
		j.found = append(j.found, fmt.Sprintf("and %d findings more", j.more))
	}
}

// judgeIntents: what was accepted is there, once, and nothing else.
func (j *judge) judgeIntents() {
	j.messages, j.owner = map[string]*httpapi.MessageView{}, map[string]*letter{}
	seen := map[string]bool{}
	for n := range j.intents {
		i := &j.intents[n]
		l := j.load.letters[i.Reference]
		switch {
		case l == nil:
			j.findf("intent %s has the reference %q, which nobody posted", i.ID, i.Reference)
			continue
		case l.refused:
			j.findf("%s is intent %s, and its producer was told that it is refused", i.Reference, i.ID)
		case l.id != i.ID:
			j.findf("%s is intent %s, and its producer was told %q", i.Reference, i.ID, l.id)
		case seen[i.Reference]:
			j.findf("%s was accepted twice", i.Reference)
		}
		seen[i.Reference] = true
		for k := range i.Messages {
			m := &i.Messages[k]
			j.messages[m.ID], j.owner[m.ID] = m, l
		}
	}
	for reference, l := range j.load.letters {
		if l.id != "" && !seen[reference] {
			j.findf("%s was accepted as %s and is gone", reference, l.id)
		}
		for _, id := range l.withdrawn {
			if m := j.messages[id]; m == nil || m.Status != "cancelled" {
				j.findf("message %s of %s was confirmed as cancelled and is %+v", id, reference, m)
			}
		}
	}
}

// judgeFarEnd: every letter there is one of ours, under its one identity, in its time, and not cancelled; and what we call
// delivered is there.
func (j *judge) judgeFarEnd() {
	if j.stats.TwoIdentities != 0 {
		j.findf("the far end counts %d letters with two identities", j.stats.TwoIdentities)
	}
	there := map[string]*sf1601test.Message{}
	for n := range j.letters {
		m := &j.letters[n]
		if len(m.TransactionIDs) > 1 {
			j.findf("letter %d at the far end came under %d transactions", m.Seq, len(m.TransactionIDs))
		}
		if m.MessageID == "" {
			continue // paper
		}
		ours := j.messages[m.MessageID]
		switch {
		case ours == nil:
			j.findf("the far end has message %s, which we do not know", m.MessageID)
			continue
		case there[m.MessageID] != nil:
			j.findf("message %s is at the far end twice, as %s and as %s", m.MessageID, there[m.MessageID].MessageUUID, m.MessageUUID)
		case !strings.EqualFold(ours.MessageUUID, m.MessageUUID):
			j.findf("message %s is %s at the far end and %s here", m.MessageID, m.MessageUUID, ours.MessageUUID)
		}
		there[m.MessageID] = m
		j.judgeTime(ours, m)
		if holding(ours.Channel) {
			j.judgeOnce(m)
		}
	}
	for id, m := range j.messages {
		switch gateway.MessageState(m.Status) {
		case gateway.Submitted, gateway.Received, gateway.Delivered, gateway.Returned:
			if f := there[id]; m.Channel != "print" && m.Channel != "smtp" && (f == nil || !f.Accepted) {
				j.findf("message %s is %s, and the far end has not accepted it", id, m.Status)
			}
		default:
		}
	}
}

// judgeTime: a letter arrived neither before nor after its time, nor after it was called off.
func (j *judge) judgeTime(ours *httpapi.MessageView, m *sf1601test.Message) {
	l := j.owner[ours.ID]
	if ours.Status == "cancelled" {
		at := l.cancelled
		if m.Accepted {
			j.findf("message %s is cancelled, and the far end accepted it at %s", ours.ID, clock(m.AcceptedAt))
		}
		if !at.IsZero() && (m.FirstSeen.After(at) || j.sentAfter(m, at)) {
			j.findf("message %s was sent after its cancellation was confirmed at %s", ours.ID, clock(at))
		}
	}
	if j.chaos.jumped() {
		return // nobody's clock is right
	}
	if !l.earliest.IsZero() && m.FirstSeen.Before(l.earliest) {
		j.findf("message %s arrived at %s, before its time at %s (%+v)", ours.ID, clock(m.FirstSeen), clock(l.earliest), l.request.Send)
	}
	if l.latest.IsZero() {
		return
	}
	if limit := j.chaos.limit(l.latest); m.FirstSeen.After(limit) || j.sentAfter(m, limit) {
		j.findf("message %s arrived at %s in %d attempts, after its time at %s and %s of stalls (%+v)",
			ours.ID, clock(m.FirstSeen), m.Attempts, clock(l.latest), limit.Sub(l.latest).Round(time.Millisecond), l.request.Send)
	}
}

// sentAfter reports whether a call brought the letter after a time, as far as it was looked at.
func (j *judge) sentAfter(m *sf1601test.Message, limit time.Time) bool {
	w := j.watcher
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.sights[m.Seq]
	for n := 1; n < len(seen); n++ {
		if seen[n].attempts == seen[n-1].attempts {
			continue
		}
		at, _ := slices.BinarySearchFunc(w.looks, seen[n].at, time.Time.Compare)
		if at > 0 && w.looks[at-1].After(limit) {
			return true
		}
	}
	return false
}

// judgeOnce: a letter that was accepted is not sent again.
func (j *judge) judgeOnce(m *sf1601test.Message) {
	j.watcher.mu.Lock()
	defer j.watcher.mu.Unlock()
	first := -1
	for _, s := range j.watcher.sights[m.Seq] {
		switch {
		case s.accepted && first < 0:
			first = s.attempts
		case first >= 0 && s.attempts > first:
			j.findf("letter %d (%s%s) was sent again after the far end had accepted it, and cannot be taken back",
				m.Seq, m.MessageID, m.AfsendelseIdentifikator)
			return
		}
	}
}

// judgePaper: what has no MeMo is counted, for the far end knows it by nothing that the API shows.
func (j *judge) judgePaper() {
	accepted, byTransmission := 0, map[string]int{}
	for n := range j.letters {
		m := &j.letters[n]
		if m.MessageID != "" {
			continue
		}
		j.judgeOnce(m)
		if m.Accepted {
			accepted++
			byTransmission[m.TransmissionID]++
		}
	}
	sent, tried := 0, 0
	for id, m := range j.messages {
		if m.Channel != "print" {
			continue
		}
		if m.Attempts > 0 {
			tried++
		}
		switch gateway.MessageState(m.Status) {
		case gateway.Submitted, gateway.Received, gateway.Delivered, gateway.Returned:
			sent++
			if m.TransmissionID != "" && byTransmission[m.TransmissionID] != 1 {
				j.findf("printed letter %s is at the far end %d times", id, byTransmission[m.TransmissionID])
			}
		default:
		}
	}
	if accepted < sent || accepted > tried {
		j.findf("the far end prints %d letters; %d were handed to it, and %d are said to have been sent", accepted, tried, sent)
	}
}

// judgeMail: no mail was taken twice, and each is one of ours and was not called off.
func (j *judge) judgeMail() {
	mails := j.place.box.mails()
	for id, times := range mails {
		message, _, _ := strings.Cut(id, "@")
		ours := j.messages[message]
		switch {
		case len(times) > 1:
			j.findf("mail %s was taken %d times", id, len(times))
		case ours == nil:
			j.findf("mail %s is not of a message that we know", id)
		case ours.Status == "cancelled":
			j.findf("mail %s was sent, and its message is cancelled", id)
		case !j.chaos.jumped() && times[0].Before(j.owner[message].earliest):
			j.findf("mail %s was sent at %s, before its time at %s", id, clock(times[0]), clock(j.owner[message].earliest))
		}
	}
	for id, m := range j.messages {
		if m.Channel == "smtp" && m.Status == "delivered" && len(mails[m.TransmissionID]) != 1 {
			j.findf("message %s is delivered, and its mail %q was taken %d times", id, m.TransmissionID, len(mails[m.TransmissionID]))
		}
	}
}

// judgeFeed: who polls misses nothing, and no status goes backwards.
func (j *judge) judgeFeed() {
	w := j.watcher
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, err := range w.errs {
		j.findf("%v", err)
	}
	polled := map[int64]bool{}
	for _, e := range w.feed {
		polled[e.Seq] = true
	}
	last, states := int64(0), map[string]gateway.MessageState{}
	for n := range j.feed {
		e := &j.feed[n]
		if e.Seq <= last {
			j.findf("event %d comes after event %d in the feed", e.Seq, last)
		}
		last = e.Seq
		if !polled[e.Seq] {
			j.findf("event %d of %s was missed by a producer that polls", e.Seq, e.Message)
		}
		if e.Message == "" {
			continue
		}
		from, known := states[e.Message]
		to := gateway.MessageState(e.Status)
		if known && !may(from, to) {
			j.findf("message %s went from %s to %s (event %d, %s)", e.Message, from, to, e.Seq, e.Code)
		}
		states[e.Message] = to
	}
	for id, m := range j.messages {
		if state := states[id]; string(state) != m.Status && (m.Status != "sending" || state == "") {
			j.findf("message %s is %s, and its last event says %q", id, m.Status, state)
		}
	}
}

// may reports whether the feed may show one state after another: docs/states.md has the transitions, and the booking of an
// attempt has no event.
func may(from, to gateway.MessageState) bool {
	return from == to || from.May(to) || from.May(gateway.Sending) && gateway.Sending.May(to)
}

// judgeCalls: every event reached the receiver, those of a message in order.
func (j *judge) judgeCalls() {
	if err := j.place.calls.Forged(); err != nil {
		j.findf("a callback's signature does not hold: %v", err)
	}
	if j.calls.GivenUp > 0 {
		j.findf("%d events were given up", j.calls.GivenUp)
	}
	h := j.place.heard
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.unclear > 0 {
		j.findf("%d callbacks are not events", h.unclear)
	}
	for n := range j.feed {
		if !h.heard[j.feed[n].Seq] {
			j.findf("event %d of %s was not told", j.feed[n].Seq, j.feed[n].Message)
		}
	}
	for lane, order := range h.order {
		if !slices.IsSorted(order) {
			j.findf("the events of %s were told in the order %v", lane, order)
		}
	}
}

func clock(t time.Time) string { return t.UTC().Format("15:04:05.000") }

// jumped reports whether the clock of a process was moved.
func (c *chaos) jumped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.injected[ClockAhead]+c.injected[ClockBack] > 0
}

// limit is until when a letter may arrive that was let go before a time: a process, a journal or a far end that stands still
// between the decision and the call delays it for as long as it does.
func (c *chaos) limit(t time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.SortFunc(c.stalls, func(a, b stall) int { return a.from.Compare(b.from) })
	limit := t
	for _, s := range c.stalls {
		if !s.from.After(limit) && s.to.After(limit) {
			limit = s.to
		}
	}
	return limit.Add(slack)
}
