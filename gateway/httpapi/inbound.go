package httpapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
)

// Inbound is the use cases of inbound post that the API needs. Package gateway/inbound has them.
type Inbound interface { //nolint:interfacebloat // one use case a call of the contract
	Post(ctx context.Context, id string) (*gateway.Post, []gateway.PostEvent, error)
	Posts(ctx context.Context, f gateway.PostFilter) ([]gateway.Post, error)
	PostCounts(ctx context.Context) (counts map[gateway.PostState]int, oldestQueued time.Time, err error)
	Facts(p *gateway.Post) (gateway.PostFacts, error)
	OpenMemo(ctx context.Context, p *gateway.Post) (io.ReadCloser, error)
	OpenDocument(ctx context.Context, p *gateway.Post, n int) (io.ReadCloser, error)
	Redeliver(ctx context.Context, id string, d gateway.Decision) (*gateway.Post, error)
	Reroute(ctx context.Context, id, target string, d gateway.Decision) (*gateway.Post, error)
	Release(ctx context.Context, id string, d gateway.Decision) (*gateway.Post, error)
	Close(ctx context.Context, id string, d gateway.Decision) (*gateway.Post, error)
	Answering(ctx context.Context, p *gateway.Post) (*gateway.Answering, error)
	Answered(ctx context.Context, id, intentID, by string) error
}

// InboundAPI is what can be asked about inbound post. A producer sees posts that answer its own letters and posts of its
// targets; with the scope [AdminInbound] it sees all. Every other post is one that is not there.
type InboundAPI interface {
	// InboundPosts lists posts, oldest first, without what is in them.
	InboundPosts(ctx context.Context, q InboundQuery) (*InboundPage, error)
	// InboundPost returns one post with its facts, documents and events.
	InboundPost(ctx context.Context, id string) (*InboundView, error)
	// InboundMemo writes the MeMo of a post as it came.
	InboundMemo(ctx context.Context, id string, w io.Writer) error
	// InboundDocument writes document n of a post, decoded; n counts from 0.
	InboundDocument(ctx context.Context, id string, n int, w io.Writer) error
	// RedeliverInbound brings a post to its target again.
	RedeliverInbound(ctx context.Context, id string, in *InboundDecision) (*InboundAnswer, error)
	// RerouteInbound brings a post to another target.
	RerouteInbound(ctx context.Context, id string, in *InboundReroute) (*InboundAnswer, error)
	// ReleaseInbound takes a post out of quarantine; it needs the scope [AdminInbound].
	ReleaseInbound(ctx context.Context, id string, in *InboundDecision) (*InboundAnswer, error)
	// CloseInbound ends a post that goes nowhere.
	CloseInbound(ctx context.Context, id string, in *InboundDecision) (*InboundAnswer, error)
	// ReplyInbound answers a post with an intent: see [InboundReply].
	ReplyInbound(ctx context.Context, id string, in *InboundReply) (*IntentAnswer, error)
}

// InboundQuery says which posts to list. Empty fields do not filter.
type InboundQuery struct {
	State       string
	Target      string
	MessageUUID string
	After       string // id of the last post of the page before
	Limit       int    // 1 to 500; 0: 100
}

// InboundPage is a page of posts. Next is the value of "after" for the page that follows, "" on the last one.
type InboundPage struct {
	Posts []InboundView `json:"posts"`
	Next  string        `json:"next"`
}

// InboundDecision is the body of a decision. Reason is at most 500 characters on one line; it becomes an event of the post.
type InboundDecision struct {
	Reason string `json:"reason"`
}

// InboundReroute is the body of POST /v1/inbound/{id}/reroute. Target is the name of a target of the distribution rules.
type InboundReroute struct {
	Target string `json:"target"`
	Reason string `json:"reason"`
}

// InboundAnswer is how a post stands after a decision.
type InboundAnswer struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Target string `json:"target"`
}

// reach is which posts a caller may see.
type reach struct {
	producer string
	targets  []string // posts that go there are its own
	all      bool     // it is an operator
}

func (r reach) sees(p *gateway.Post) bool {
	return r.all || r.owns(p) || slices.Contains(r.targets, p.Target)
}

// owns reports whether a post answers a letter of the caller.
func (r reach) owns(p *gateway.Post) bool {
	return p.Answers != nil && p.Answers.Producer == r.producer
}

// withheld reports whether a post is an operator's alone: what hygiene held back must not be had by asking the API for it.
func (r reach) withheld(p *gateway.Post) bool {
	return !r.all && (p.State == gateway.PostQuarantined || p.State == gateway.PostClosed)
}

// post reads a post that the caller may see.
func (s service) post(ctx context.Context, id string) (*gateway.Post, []gateway.PostEvent, error) {
	if s.inbound == nil {
		return nil, nil, gateway.ErrNotFound
	}
	p, events, err := s.inbound.Post(ctx, id)
	if err != nil {
		return nil, nil, fmt.Errorf("read a post: %w", err)
	}
	if !s.reach.sees(p) {
		return nil, nil, gateway.ErrNotFound
	}
	return p, events, nil
}

// available is post for what is withheld from all but operators.
func (s service) available(ctx context.Context, id string) (*gateway.Post, error) {
	p, _, err := s.post(ctx, id)
	if err == nil && s.reach.withheld(p) {
		return nil, newProblem(codePostWithheld, "Its state is "+string(p.State)+".")
	}
	return p, err
}

// InboundPosts is InboundAPI.
func (s service) InboundPosts(ctx context.Context, q InboundQuery) (*InboundPage, error) {
	page := &InboundPage{Posts: []InboundView{}}
	if s.inbound == nil {
		return page, nil
	}
	posts, err := s.visible(ctx, gateway.PostFilter{
		State: gateway.PostState(q.State), Target: q.Target, MessageUUID: strings.ToLower(q.MessageUUID),
		After: q.After, Limit: cmp.Or(q.Limit, defaultPage),
	})
	if err != nil {
		return nil, err
	}
	for n := range posts {
		page.Posts = append(page.Posts, s.inboundView(&posts[n]))
	}
	if len(posts) == cmp.Or(q.Limit, defaultPage) {
		page.Next = posts[len(posts)-1].ID
	}
	return page, nil
}

// visible lists the posts of a filter that the caller may see: its own, those of each of its targets, and of these the
// oldest. Nothing is read that is then left out but for the ends of the lists, so a page is never short.
func (s service) visible(ctx context.Context, f gateway.PostFilter) ([]gateway.Post, error) {
	var filters []gateway.PostFilter
	own := f
	own.Producer = s.reach.producer
	switch {
	case s.reach.all, slices.Contains(s.reach.targets, f.Target):
		filters = append(filters, f)
	case f.Target != "":
		filters = append(filters, own)
	default:
		filters = append(filters, own)
		for _, target := range s.reach.targets {
			f.Target = target
			filters = append(filters, f)
		}
	}
	var found []gateway.Post
	for _, one := range filters {
		posts, err := s.inbound.Posts(ctx, one)
		if err != nil {
			return nil, fmt.Errorf("list posts: %w", err)
		}
		found = append(found, posts...)
	}
	slices.SortFunc(found, func(a, b gateway.Post) int { return cmp.Compare(a.ID, b.ID) })
	found = slices.CompactFunc(found, func(a, b gateway.Post) bool { return a.ID == b.ID })
	return found[:min(len(found), f.Limit)], nil
}

// InboundPost is InboundAPI. Who looks is written down: the subject is the sender's own words.
func (s service) InboundPost(ctx context.Context, id string) (*InboundView, error) {
	p, events, err := s.post(ctx, id)
	if err != nil {
		return nil, err
	}
	facts, err := s.inbound.Facts(p)
	if err != nil {
		return nil, fmt.Errorf("read the facts of a post: %w", err)
	}
	if err := s.noted(ctx, access.ReadPost, p.ID); err != nil {
		return nil, err
	}
	view := s.inboundView(p)
	view.show(p, &facts, events)
	return &view, nil
}

// RedeliverInbound is InboundAPI.
func (s service) RedeliverInbound(ctx context.Context, id string, in *InboundDecision) (*InboundAnswer, error) {
	return s.decide(ctx, id, func() (*gateway.Post, error) { return s.inbound.Redeliver(ctx, id, s.because(in.Reason)) })
}

// RerouteInbound is InboundAPI.
func (s service) RerouteInbound(ctx context.Context, id string, in *InboundReroute) (*InboundAnswer, error) {
	return s.decide(ctx, id, func() (*gateway.Post, error) { return s.inbound.Reroute(ctx, id, in.Target, s.because(in.Reason)) })
}

// ReleaseInbound is InboundAPI.
func (s service) ReleaseInbound(ctx context.Context, id string, in *InboundDecision) (*InboundAnswer, error) {
	return s.decide(ctx, id, func() (*gateway.Post, error) { return s.inbound.Release(ctx, id, s.because(in.Reason)) })
}

// CloseInbound is InboundAPI.
func (s service) CloseInbound(ctx context.Context, id string, in *InboundDecision) (*InboundAnswer, error) {
	return s.decide(ctx, id, func() (*gateway.Post, error) { return s.inbound.Close(ctx, id, s.because(in.Reason)) })
}

// because is a decision of the caller.
func (s service) because(reason string) gateway.Decision {
	return gateway.Decision{By: s.reach.producer, Reason: reason}
}

// decide runs a decision on a post that is the caller's to decide on.
func (s service) decide(ctx context.Context, id string, decision func() (*gateway.Post, error)) (*InboundAnswer, error) {
	if _, err := s.available(ctx, id); err != nil {
		return nil, err
	}
	p, err := decision()
	if invalid, ok := errors.AsType[*gateway.Invalid](err); ok {
		if n := slices.IndexFunc(invalid.Problems, func(p gateway.Problem) bool { return p.Code == codePostState }); n >= 0 {
			return nil, newProblem(codePostState, invalid.Problems[n].Detail).because(err)
		}
		return nil, newProblem(codeDecision, "", findings(invalid.Problems)...).because(err)
	}
	if err != nil {
		return nil, fmt.Errorf("decide on a post: %w", err)
	}
	return &InboundAnswer{ID: p.ID, State: string(p.State), Target: p.Target}, nil
}
