package inbound

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/routing"
)

// byHand is the Rule of a post that a person routed.
const byHand = "(by hand)"

// Decision is what a person decided about a post, and why.
type Decision = gateway.Decision

// Redeliver brings a post to its target again: one that was delivered and lost there, or that waits for its time.
//
// The errors of every decision: gateway.ErrNotFound, *gateway.Invalid for the reason (pointer /reason), for the target
// (/target) and for a post that the decision is not about (pointer "").
func (s *Service) Redeliver(ctx context.Context, id string, d Decision) (*gateway.Post, error) {
	return s.decide(ctx, id, "redeliver", d, func(p *gateway.Post) string {
		if p.State != gateway.PostDelivered && p.State != gateway.PostQueued && p.State != gateway.PostHeld {
			return "A post that is " + string(p.State) + " cannot be delivered again."
		}
		if p.Target == "" {
			return "The post has no target; name one with reroute."
		}
		s.queue(p, p.Target)
		return ""
	})
}

// Reroute sends a post to another target of the rules.
func (s *Service) Reroute(ctx context.Context, id, target string, d Decision) (*gateway.Post, error) {
	if _, known := s.cfg.Rules.Target(target); !known {
		return nil, invalid("/target", "target.unknown", "The rules have no target of that name.")
	}
	return s.decide(ctx, id, "rerouted", d, func(p *gateway.Post) string {
		if target == routing.ProducerTarget && p.Answers == nil {
			return "The post answers no letter of a producer."
		}
		if p.State == gateway.PostQuarantined {
			return "A post in quarantine is released first."
		}
		p.Rule, p.Tried = byHand, nil
		s.queue(p, target)
		return ""
	})
}

// Release takes a post out of quarantine and sends it where the rules send it.
func (s *Service) Release(ctx context.Context, id string, d Decision) (*gateway.Post, error) {
	return s.decide(ctx, id, "released", d, func(p *gateway.Post) string {
		if p.State != gateway.PostQuarantined {
			return "The post is not in quarantine."
		}
		s.queue(p, p.Target)
		return ""
	})
}

// Close ends a post that goes nowhere.
func (s *Service) Close(ctx context.Context, id string, d Decision) (*gateway.Post, error) {
	return s.decide(ctx, id, "closed", d, func(p *gateway.Post) string {
		if p.State.Final() {
			return "The post has ended as " + string(p.State) + "."
		}
		p.State, p.DueAt, p.FinalAt = gateway.PostClosed, time.Time{}, s.cfg.Now()
		p.LeasedTo, p.LeaseEnds = "", time.Time{}
		return ""
	})
}

// queue makes p due at a target, now. A worker that has it in hand loses it: what it does is not recorded.
func (s *Service) queue(p *gateway.Post, target string) {
	p.State, p.Target, p.DueAt = gateway.PostQueued, target, s.cfg.Now()
	p.FirstAt, p.FinalAt, p.LeasedTo, p.LeaseEnds = time.Time{}, time.Time{}, "", time.Time{}
}

// decide changes a post as a person wants and writes down who and why. change returns a sentence when it may not be.
func (s *Service) decide(
	ctx context.Context, id, code string, d Decision, change func(p *gateway.Post) string,
) (*gateway.Post, error) {
	if n := utf8.RuneCountInString(d.Reason); strings.TrimSpace(d.Reason) == "" || n > gateway.MaxReason || !oneLine(d.Reason) {
		return nil, invalid("/reason", "reason", fmt.Sprintf("A reason of 1 to %d characters on one line is needed.", gateway.MaxReason))
	}
	var decided *gateway.Post
	err := s.cfg.Journal.Update(ctx, func(tx gateway.Tx) error {
		p, err := tx.Post(id)
		if err != nil {
			return err
		}
		if refusal := change(p); refusal != "" {
			return invalid("", "post.state", refusal)
		}
		if err := tx.SavePost(p); err != nil {
			return err
		}
		decided = p
		return s.event(tx, p, p.Target, code, d.Reason, d.By)
	})
	if err != nil {
		return nil, err
	}
	s.enqueue(ctx, decided)
	return decided, nil
}

func oneLine(s string) bool {
	return utf8.ValidString(s) && !slices.ContainsFunc([]rune(s), func(r rune) bool { return r < ' ' || r == 0x7f })
}

func invalid(pointer, code, detail string) error {
	return &gateway.Invalid{Problems: []gateway.Problem{{Pointer: pointer, Code: code, Detail: detail}}}
}
