package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// Inbound is what the pages of inbound post ask; package gateway/inbound has one.
type Inbound interface {
	PostCounts(ctx context.Context) (counts map[gateway.PostState]int, oldestQueued time.Time, err error)
	Posts(ctx context.Context, f gateway.PostFilter) ([]gateway.Post, error)
	Post(ctx context.Context, id string) (*gateway.Post, []gateway.PostEvent, error)
	OpenMemo(ctx context.Context, p *gateway.Post) (io.ReadCloser, error)
	OpenDocument(ctx context.Context, p *gateway.Post, n int) (io.ReadCloser, error)

	Redeliver(ctx context.Context, id string, d gateway.Decision) (*gateway.Post, error)
	Reroute(ctx context.Context, id, target string, d gateway.Decision) (*gateway.Post, error)
	Release(ctx context.Context, id string, d gateway.Decision) (*gateway.Post, error)
	Close(ctx context.Context, id string, d gateway.Decision) (*gateway.Post, error)
}

// lateAfter is how long a post may be due before the page lists it.
const lateAfter = 15 * time.Minute

// shownPost is a post in a table, with its last event.
type shownPost struct {
	gateway.Post

	Last gateway.PostEvent
}

// shownInbound is what the page of post that waits for a person or a target shows: ids, names of rules and targets, codes and
// times, and nothing of what a citizen wrote.
type shownInbound struct {
	Frame                               frame
	Queued, HeldCount, QuarantinedCount int
	Oldest                              time.Time
	Held, Quarantined, Late             []shownPost
	QueuedRows, Rows                    int
	LateAfter                           string
}

// showInbound asks and shows. It is all or nothing, as the page of statuses.
func (c *Console) showInbound(w http.ResponseWriter, v visit) error {
	ctx, cancel := context.WithTimeout(v.Context(), pageTime)
	defer cancel()
	now, err := c.askInbound(ctx)
	if err != nil {
		return err
	}
	if now.Frame, err = c.frame(v); err != nil {
		return err
	}
	return c.pages.show(w, http.StatusOK, "inbound.html", now)
}

func (c *Console) askInbound(ctx context.Context) (*shownInbound, error) {
	counts, oldest, err := c.cfg.Inbound.PostCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("count posts: %w", err)
	}
	shown := &shownInbound{
		Queued: counts[gateway.PostQueued], HeldCount: counts[gateway.PostHeld], QuarantinedCount: counts[gateway.PostQuarantined],
		Oldest: oldest, Rows: statusRows, LateAfter: "15 minutes",
	}
	if shown.Held, err = c.posts(ctx, gateway.PostHeld, counts, nil); err != nil {
		return nil, err
	}
	if shown.Quarantined, err = c.posts(ctx, gateway.PostQuarantined, counts, nil); err != nil {
		return nil, err
	}
	shown.Late, err = c.posts(ctx, gateway.PostQueued, counts, func(p *gateway.Post) bool {
		shown.QueuedRows++
		since := p.FirstAt
		if since.IsZero() {
			since = p.DueAt
		}
		return c.cfg.Now().Sub(since) > lateAfter
	})
	return shown, err
}

// list reads the oldest posts in a state, and of those that are wanted the last event.
func (c *Console) posts(
	ctx context.Context, state gateway.PostState, counts map[gateway.PostState]int, wanted func(p *gateway.Post) bool,
) ([]shownPost, error) {
	if counts[state] == 0 {
		return nil, nil
	}
	posts, err := c.cfg.Inbound.Posts(ctx, gateway.PostFilter{State: state, Limit: statusRows})
	if err != nil {
		return nil, fmt.Errorf("list posts: %w", err)
	}
	var list []shownPost
	for n := range posts {
		p := &posts[n]
		if wanted != nil && !wanted(p) {
			continue
		}
		_, events, err := c.cfg.Inbound.Post(ctx, p.ID)
		if errors.Is(err, gateway.ErrNotFound) { // erased meanwhile
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("events of a post: %w", err)
		}
		row := shownPost{Post: *p}
		if len(events) > 0 {
			row.Last = events[len(events)-1]
		}
		list = append(list, row)
	}
	return list, nil
}
