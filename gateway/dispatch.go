package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"
)

// Dispatch does what is due for one message: sends it, lets it expire, or finds that nothing is to be done. It is safe
// to call at any time, from any process, any number of times: booking the attempt is the claim.
//
// It returns nil when the queue may forget the message, *Later when it must bring it back, and any other error when
// the journal could not be read or written (the queue tries again, the sweep would as well).
func (g *Gateway) Dispatch(ctx context.Context, id string) error {
	w, found, err := g.claim(ctx, id)
	if err != nil || !found {
		return err
	}
	defer g.flights.end(w.attempt.ID)
	outcome := g.send(ctx, &w)
	// The answer must be recorded even while this process shuts down, or a letter that left would look as if it had not.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	return g.record(ctx, &w, outcome)
}

// recordTimeout bounds the transaction that records an outcome. When it fails, the attempt stays open, and Sweep finds it
// after lostAfter.
const recordTimeout = 30 * time.Second

// work is one booked attempt and all it needs.
type work struct {
	intent  *Intent
	message Message
	attempt Attempt
	channel Channel
	policy  Policy
}

// claim decides whether the message may leave now and books the attempt, which the caller takes out of flights. found is
// false when there is nothing to do.
func (g *Gateway) claim(ctx context.Context, id string) (w work, found bool, err error) {
	var booked *work
	var later *Later
	var follow *Message
	var tried []string // attempts that were booked; the transaction may run again, and may fail
	defer func() {
		for _, a := range tried {
			if a != w.attempt.ID {
				g.flights.end(a)
			}
		}
	}()
	err = g.journal.Update(ctx, func(tx Tx) error {
		booked, later, follow = nil, nil, nil
		m, err := tx.Message(id)
		if errors.Is(err, ErrNotFound) {
			return nil // erased, or a task of another life
		}
		if err != nil {
			return err
		}
		if m.State.Final() || m.DueAt.IsZero() {
			return nil
		}
		head, err := tx.IntentHead(m.IntentID)
		if err != nil {
			return notFound(err, "intent", m.IntentID)
		}
		if m.State == Submitted || m.State == Received {
			follow, later, err = g.endSilence(tx, head, m)
			return err
		}
		if booked, later, err = g.decide(tx, head, m); booked != nil {
			tried = append(tried, booked.attempt.ID)
			g.flights.begin(booked.attempt.ID)
		}
		return err
	})
	if err == nil && follow != nil {
		g.enqueue(ctx, follow)
	}
	switch {
	case err != nil:
		return work{}, false, fmt.Errorf("claim %s: %w", id, err)
	case later != nil:
		return work{}, false, later
	case booked == nil:
		return work{}, false, nil
	}
	if booked.intent, err = g.journal.Intent(ctx, booked.message.IntentID); err != nil {
		return work{}, false, fmt.Errorf("load %s: %w", id, err)
	}
	return *booked, true, nil
}

// decide is the door every message passes before it leaves: expired, not yet due, window closed, far end
// down, hold, go.
func (g *Gateway) decide(tx Tx, head *Intent, m *Message) (*work, *Later, error) {
	now, policy := g.now(), g.policies[m.Channel]
	channel, known := g.channels[m.Channel]
	switch {
	case m.Uncertain && m.DueAt.After(now):
		return nil, &Later{At: m.DueAt, Reason: "awaiting status"}, nil
	case m.Uncertain && m.State == Sending && policy.OnUnknown == Hold:
		m.DueAt = time.Time{}
		return nil, nil, g.move(tx, head, m, Held, "unknown.held", "The answer was lost and no status came.")
	case !head.Expires.IsZero() && !head.Expires.After(now):
		return nil, nil, g.expire(tx, head, m)
	case m.DueAt.After(now):
		return nil, &Later{At: m.DueAt, Reason: "not yet due"}, nil
	case !known:
		return nil, nil, g.move(tx, head, m, Failed, "channel.unknown", "The channel is no longer configured.")
	}
	if at := g.leaves(head, m, now); at.After(now) {
		later, err := g.postpone(tx, head, m, at, "window.closed")
		return nil, later, err
	}
	if policy.Resumes != nil {
		if at := policy.Resumes(now); at.After(now) {
			later, err := g.postpone(tx, head, m, earliest(at, head.Expires), "far_end.down")
			return nil, later, err
		}
	}
	w, err := g.book(tx, m, now)
	if err != nil {
		return nil, nil, err
	}
	w.channel, w.policy = channel, policy
	return w, nil, nil
}

// expire ends a message whose time ran out. One that may have left already is not expired but left to its status.
func (g *Gateway) expire(tx Tx, head *Intent, m *Message) error {
	if m.Uncertain {
		m.DueAt = time.Time{}
		return g.move(tx, head, m, Failed, "unknown.expired", "The answer was lost, no status came, and the intent has expired.")
	}
	return g.move(tx, head, m, Expired, "expired", "")
}

// postpone lets a message wait for its window, or for a far end that is down.
func (g *Gateway) postpone(tx Tx, head *Intent, m *Message, until time.Time, code string) (*Later, error) {
	later := &Later{At: until, Reason: code}
	m.DueAt = until
	if m.State == Scheduled || m.Uncertain {
		return later, tx.SaveMessage(m)
	}
	return later, g.move(tx, head, m, Scheduled, code, "")
}

// move changes the state, stores the message and writes the event.
func (g *Gateway) move(tx Tx, head *Intent, m *Message, to MessageState, code, text string) error {
	if err := m.become(to, g.now()); err != nil {
		return err
	}
	if err := tx.SaveMessage(m); err != nil {
		return err
	}
	return g.note(tx, head, m, m.Attempts, code, text)
}

// book writes the attempt before anything leaves. While it is open the message has no due time: it belongs to this
// worker until the attempt is closed, or until Sweep finds the worker dead.
func (g *Gateway) book(tx Tx, m *Message, now time.Time) (*work, error) {
	if err := m.become(Sending, now); err != nil {
		return nil, err
	}
	m.Attempts++
	m.DueAt = time.Time{}
	a := Attempt{ID: g.newID("att"), MessageID: m.ID, N: m.Attempts, Worker: g.worker, StartedAt: now}
	if err := tx.InsertAttempt(&a); err != nil {
		return nil, err
	}
	if err := tx.SaveMessage(m); err != nil {
		return nil, err
	}
	return &work{message: *m, attempt: a}, nil
}

// send hands the letter to its channel.
func (g *Gateway) send(ctx context.Context, w *work) Outcome {
	sender, known := g.senders[w.intent.Sender]
	if !known {
		return Outcome{
			Class: Fail, Code: "sender.unknown", Hint: "Put the sender profile back into the configuration.", Err: ErrUnknownSender,
		}
	}
	if w.policy.Pace != nil {
		if err := w.policy.Pace(ctx); err != nil {
			return Outcome{Class: Retry, Code: "shutdown", Err: err}
		}
	}
	return w.channel.Send(ctx, Letter{
		Intent: w.intent, Sender: sender, Message: w.message, Attempt: w.attempt, Open: g.open(w.intent),
	})
}

// record closes the attempt with its outcome and moves the message on. A status may have overtaken the answer: then
// the message stays where the status put it.
func (g *Gateway) record(ctx context.Context, w *work, o Outcome) error {
	var later *Later
	var follow *Message
	if !o.Class.known() {
		o.Text = "The channel answered with the class " + strconv.Quote(string(o.Class)) + "."
		o.Class, o.Code = Fail, "outcome.unclassified"
	}
	err := g.journal.Update(ctx, func(tx Tx) error {
		later, follow = nil, nil
		a := w.attempt
		a.EndedAt, a.Class, a.Code, a.Text, a.HTTPStatus = g.now(), o.Class, o.Code, o.Text, o.HTTPStatus
		a.Answer, a.Subject = o.Answer[:min(len(o.Answer), MaxAnswer)], o.Subject
		if err := tx.CloseAttempt(&a); err != nil {
			return err
		}
		m, err := tx.Message(w.message.ID)
		if err != nil {
			return notFound(err, "message", w.message.ID)
		}
		if o.TransmissionID != "" {
			m.TransmissionID = o.TransmissionID
		}
		head, err := tx.IntentHead(m.IntentID)
		if err != nil {
			return notFound(err, "intent", m.IntentID)
		}
		if m.State != Sending {
			return tx.SaveMessage(m)
		}
		later, follow, err = g.apply(tx, head, m, &a, o)
		return err
	})
	if errors.Is(err, ErrStale) {
		// Sweep took this worker for dead and closed the attempt. What Sweep decided stands.
		g.log.WarnContext(ctx, "attempt was closed by the sweep", "attempt", w.attempt.ID, "message", w.message.ID)
		return nil
	}
	if err != nil {
		return fmt.Errorf("record %s: %w", w.attempt.ID, err)
	}
	g.logAttempt(ctx, w, o)
	if follow != nil {
		g.enqueue(ctx, follow)
	}
	if later != nil {
		return later
	}
	return nil
}

// apply is the policy: what each class does to a message in state Sending. The caller has closed the attempt.
func (g *Gateway) apply(tx Tx, head *Intent, m *Message, a *Attempt, o Outcome) (*Later, *Message, error) {
	now, policy := g.now(), g.policies[m.Channel]
	switch o.Class {
	case Accept:
		m.SubmittedAt, m.Uncertain = now, false
		if last, ok := g.channels[m.Channel].(LastWord); ok && last.LastWord() {
			return nil, nil, g.move(tx, head, m, Delivered, o.Code, o.Text)
		}
		m.DueAt = g.silenceEnds(head, m)
		return nil, nil, g.move(tx, head, m, Submitted, o.Code, o.Text)
	case Unknown:
		m.Uncertain, m.DueAt = true, now.Add(policy.UnknownWait)
		if m.SubmittedAt.IsZero() {
			m.SubmittedAt = a.StartedAt
		}
		later := &Later{At: m.DueAt, Counted: true, Reason: "answer unknown"}
		return later, nil, g.move(tx, head, m, Sending, o.Code, o.Text)
	case Retry:
		// Waiting for the first opening is no retrying: over Christmas a window may be closed for longer than GiveUpAfter.
		began := g.opens(head, m.Channel, latest(m.CreatedAt, head.NotBefore, m.ReleasedAt))
		if since := now.Sub(began); since > policy.GiveUpAfter {
			return nil, nil, g.move(tx, head, m, Failed, "gave.up", "Retried for "+since.Truncate(time.Minute).String()+"; last: "+o.Code)
		}
		m.DueAt = now.Add(g.delay(policy, m.Attempts, o.RetryAfter))
		later := &Later{At: m.DueAt, Counted: true, Reason: "retry"}
		if m.Uncertain && policy.OnUnknown != Hold { // an earlier attempt may have been accepted; a person's release settles that
			return later, nil, g.move(tx, head, m, Sending, o.Code, o.Text)
		}
		return later, nil, g.move(tx, head, m, Queued, o.Code, o.Text)
	case Next:
		follow, err := g.fallBack(tx, head, m, o.Code, o.Text)
		return nil, follow, err
	case Fail:
		return nil, nil, g.move(tx, head, m, Failed, o.Code, o.Text)
	default:
		return nil, nil, fmt.Errorf("class %q: %w", o.Class, ErrTransition) // record lets none through
	}
}

// fallBack hands the leg over to the next channel of its route, in the same transaction, or fails the message when
// there is none.
func (g *Gateway) fallBack(tx Tx, head *Intent, m *Message, code, text string) (*Message, error) {
	route := head.Routes[m.Leg]
	if m.Step+1 >= len(route) {
		return nil, g.move(tx, head, m, Failed, code, text)
	}
	if err := m.become(Superseded, g.now()); err != nil {
		return nil, err
	}
	if err := tx.SaveMessage(m); err != nil {
		return nil, err
	}
	follow := g.mint(head, m.Leg, m.Step+1, time.Time{}, g.now())
	if err := tx.InsertMessage(&follow); err != nil {
		return nil, err
	}
	if err := g.note(tx, head, m, m.Attempts, code, text); err != nil {
		return nil, err
	}
	return &follow, g.note(tx, head, &follow, 0, "", "")
}

// delay grows by doubling from RetryFirst to RetryMax, never undercuts the far end's own wish, and is spread by up to a
// fifth so that letters refused together do not come back together.
func (g *Gateway) delay(p Policy, attempts int, wish time.Duration) time.Duration {
	d := p.RetryFirst
	for n := 1; n < attempts && d < p.RetryMax; n++ {
		d *= 2
	}
	d = max(min(d, p.RetryMax), wish)
	return d + time.Duration(g.jitter()*float64(d)/5)
}

func (g *Gateway) enqueue(ctx context.Context, m *Message) {
	if err := g.queue.Enqueue(ctx, m.due()); err != nil {
		g.log.WarnContext(ctx, "enqueue failed, the sweep will repeat it", "message", m.ID, "error", err)
	}
}

// logAttempt writes one wide line per attempt: ids, numbers and codes, nothing about the recipient.
func (g *Gateway) logAttempt(ctx context.Context, w *work, o Outcome) {
	level := slog.LevelInfo
	if o.Class != Accept {
		level = slog.LevelWarn
	}
	g.log.LogAttrs(ctx, level, "attempt",
		slog.String("message", w.message.ID), slog.String("attempt", w.attempt.ID), slog.Int("n", w.attempt.N),
		slog.String("channel", w.message.Channel), slog.String("class", string(o.Class)), slog.String("code", o.Code),
		slog.Int("http", o.HTTPStatus), slog.Duration("took", g.now().Sub(w.attempt.StartedAt)),
		slog.String("hint", o.Hint), slog.Any("cause", o.Err))
}

func latest(first time.Time, more ...time.Time) time.Time {
	for _, t := range more {
		if t.After(first) {
			first = t
		}
	}
	return first
}
