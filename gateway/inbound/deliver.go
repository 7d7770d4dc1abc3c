package inbound

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/routing"
)

// recordTimeout bounds the transaction that records an outcome.
const recordTimeout = 30 * time.Second

// Deliver does what is due for a post: one attempt at its target.
//
// It returns nil when the queue may forget the post, *gateway.Later when it must bring it back, and any other error when the
// journal could not be read or written.
func (s *Service) Deliver(ctx context.Context, id string) error {
	p, err := s.claim(ctx, id)
	if err != nil || p == nil {
		return err
	}
	stop := s.hold(ctx, p)
	o := s.attempt(ctx, p)
	stop()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	return s.record(ctx, p, o)
}

// claim takes the lease of a post. nil: nothing is to be done.
func (s *Service) claim(ctx context.Context, id string) (*gateway.Post, error) {
	var claimed *gateway.Post
	var later *gateway.Later
	err := s.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		claimed, later = nil, nil
		p, err := tx.Post(id)
		if errors.Is(err, gateway.ErrNotFound) {
			return nil // erased, or a task of another life
		}
		if err != nil {
			return err
		}
		now := s.cfg.Now()
		switch {
		case p.State != gateway.PostQueued:
			return nil
		case p.LeasedTo != "" && p.LeaseEnds.After(now):
			later = &gateway.Later{At: p.LeaseEnds, Reason: "another worker has it"}
			return nil
		case p.DueAt.After(now):
			later = &gateway.Later{At: p.DueAt, Reason: "not its time yet"}
			return nil
		}
		if p.FirstAt.IsZero() || p.LeasedTo != "" { // who had it died: its time does not count as the target's silence
			p.FirstAt = now
		}
		p.LeasedTo, p.LeaseEnds = s.cfg.Worker, now.Add(s.cfg.Lease)
		p.Attempts++
		claimed = p
		return tx.SavePost(p)
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("claim post %s: %w", id, err)
	case later != nil:
		return nil, later
	}
	return claimed, nil
}

// attempt hands a claimed post to its target.
func (s *Service) attempt(ctx context.Context, p *gateway.Post) (o Outcome) {
	if p.Target == routing.ProducerTarget {
		return s.toProducer(p)
	}
	t, known := s.cfg.Targets[p.Target]
	if !known {
		return Outcome{Verdict: Refused, Code: "target.unknown", Text: "The rules have no target of that name any more."}
	}
	parcel, err := s.parcel(ctx, p)
	if err != nil {
		return Outcome{Verdict: Later, Code: "journal", Text: "The post could not be read.", Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Attempt)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			o = Outcome{Verdict: Later, Code: "panic", Text: "The attempt failed inside.", Err: fmt.Errorf("panic of type %T", v)}
		}
	}()
	return t.Deliver(ctx, parcel)
}

// toProducer says that a post can go to the producer whose letter it answers. record tells the producer, in the same
// transaction.
func (s *Service) toProducer(p *gateway.Post) Outcome {
	if p.Answers == nil {
		return Outcome{Verdict: Refused, Code: "producer.none", Text: "The post answers no letter of a producer."}
	}
	return Outcome{Verdict: Taken, Code: "producer.told", Text: "The event feed of the producer has it."}
}

// record writes down how an attempt ended.
func (s *Service) record(ctx context.Context, p *gateway.Post, o Outcome) error {
	leased := p.LeaseEnds
	var after *gateway.Post
	err := s.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		after = nil
		now, err := tx.Post(p.ID)
		if err != nil {
			return err
		}
		if now.LeasedTo != s.cfg.Worker || !now.LeaseEnds.Equal(leased) {
			return nil // a person or another worker was faster; what they did stands
		}
		now.LeasedTo, now.LeaseEnds = "", time.Time{}
		if err := s.apply(tx, now, o); err != nil {
			return err
		}
		after = now
		return tx.SavePost(now)
	})
	if err != nil {
		return fmt.Errorf("record an attempt at post %s: %w", p.ID, err)
	}
	s.log(ctx, p, o)
	if after == nil || after.State != gateway.PostQueued {
		return nil
	}
	return &gateway.Later{At: after.DueAt, Counted: true, Reason: o.Code}
}

// apply moves p as the outcome says and writes the event.
func (s *Service) apply(tx gateway.Tx, p *gateway.Post, o Outcome) error {
	target := p.Target
	switch o.Verdict {
	case Taken:
		p.State, p.DueAt, p.FinalAt = gateway.PostDelivered, time.Time{}, s.cfg.Now()
		if target == routing.ProducerTarget {
			if err := s.tellProducer(tx, p); err != nil {
				return err
			}
		}
		return s.event(tx, p, target, "delivered", o.Text, "")
	case Refused:
		p.Tried = append(p.Tried, target)
		p.FirstAt = time.Time{}
		next, found, err := s.next(p)
		if err != nil {
			return err
		}
		if !found {
			p.State, p.DueAt = gateway.PostHeld, time.Time{}
			return s.event(tx, p, target, "held", "The target refused it ("+o.Code+") and there is no other: "+o.Text, "")
		}
		p.Target, p.DueAt = next, s.cfg.Now()
		return s.event(tx, p, target, "refused", "The target refused it ("+o.Code+"); next is "+next+". "+o.Text, "")
	case Later:
		fallthrough
	default:
		p.DueAt = s.cfg.Now().Add(s.delay(p, o.RetryAfter))
		return s.event(tx, p, target, "later", "The target did not take it ("+o.Code+"). "+o.Text, "")
	}
}

// delay grows with the attempts since the first one at the target.
func (s *Service) delay(p *gateway.Post, wish time.Duration) time.Duration {
	d := s.cfg.RetryFirst
	for waited := s.cfg.Now().Sub(p.FirstAt); d < s.cfg.RetryMax && d < waited; {
		d *= 2
	}
	d = min(d, s.cfg.RetryMax)
	d += time.Duration(s.cfg.Jitter() * float64(d) / 4)
	return max(d, min(wish, s.cfg.RetryMax*4))
}

// next is the target that takes over from those that refused: what the rule that took the post says today.
func (s *Service) next(p *gateway.Post) (string, bool, error) {
	if p.Rule == byHand {
		return "", false, nil
	}
	var f routing.Facts
	if err := json.Unmarshal(p.Facts, &f); err != nil { //nolint:musttag // written from the same type by receive
		return "", false, fmt.Errorf("facts of post %s: %w", p.ID, err)
	}
	d := s.cfg.Rules.Match(f)
	for _, name := range append([]string{d.Target}, d.Next...) {
		if !slices.Contains(p.Tried, name) {
			return name, true, nil
		}
	}
	return "", false, nil
}

// tellProducer writes the reply into the feed of the producer whose letter it answers.
func (s *Service) tellProducer(tx gateway.Tx, p *gateway.Post) error {
	m, err := tx.Message(p.Answers.MessageID)
	if err != nil {
		return fmt.Errorf("the letter that post %s answers: %w", p.ID, err)
	}
	head, err := tx.IntentHead(m.IntentID)
	if err != nil {
		return fmt.Errorf("the letter that post %s answers: %w", p.ID, err)
	}
	return tx.InsertEvent(&gateway.Event{
		At: s.cfg.Now(), Producer: head.Producer, IntentID: head.ID, Reference: head.Reference, MessageID: m.ID, Channel: m.Channel,
		Status: m.State, IntentStatus: head.Status, Code: gateway.CodeReply, PostID: p.ID, CaseID: p.Answers.CaseID,
	})
}

func (s *Service) log(ctx context.Context, p *gateway.Post, o Outcome) {
	log := s.cfg.Logger.With("post", p.ID, "target", p.Target, "verdict", string(o.Verdict), "code", o.Code, "attempt", p.Attempts)
	if o.Verdict == Taken {
		log.InfoContext(ctx, "post delivered")
		return
	}
	log.WarnContext(ctx, "post not delivered", "error", o.Err)
}
