package console

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

const inboundRoot = Root + "inbound"

//go:embed assets/inbound.html
var inboundPage embed.FS

// Inbound is what the page of inbound post asks; package gateway/inbound has one.
type Inbound interface {
	PostCounts(ctx context.Context) (counts map[gateway.PostState]int, oldestQueued time.Time, err error)
	Posts(ctx context.Context, f gateway.PostFilter) ([]gateway.Post, error)
	Post(ctx context.Context, id string) (*gateway.Post, []gateway.PostEvent, error)
}

// lateAfter is how long a post may be due before the page lists it.
const lateAfter = 15 * time.Minute

// inbound is the page of post that waits for a person or a target: ids, names of rules and targets, codes and times, and
// nothing of what a citizen wrote.
type inbound struct {
	source Inbound
	now    func() time.Time
	page   *template.Template
}

func newInbound(source Inbound, now func() time.Time) (*inbound, error) {
	zone, err := time.LoadLocation("Europe/Copenhagen")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	page, err := template.New("inbound.html").Funcs(template.FuncMap{
		"when": func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return t.In(zone).Format("2006-01-02 15:04")
		},
		"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"list":  func(list []string) string { return strings.Join(list, ", ") },
	}).ParseFS(inboundPage, "assets/inbound.html")
	if err != nil {
		return nil, fmt.Errorf("console: the page of inbound post: %w", err)
	}
	return &inbound{source: source, now: now, page: page}, nil
}

// shownPost is a post in a table, with its last event.
type shownPost struct {
	gateway.Post

	Last gateway.PostEvent
}

// shownInbound is what the page shows.
type shownInbound struct {
	Queued, HeldCount, QuarantinedCount int
	Oldest                              time.Time
	Held, Quarantined, Late             []shownPost
	QueuedRows, Rows                    int
	LateAfter                           string
}

// ServeHTTP asks and shows. It is all or nothing, as the page of statuses.
func (s *inbound) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	now, err := s.ask(ctx)
	var body bytes.Buffer
	if err == nil {
		err = s.page.Execute(&body, now)
	}
	if err != nil {
		http.Error(w, "the journal does not answer; reload the page later", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body.Bytes()) // a client that is gone cannot be told
}

func (s *inbound) ask(ctx context.Context) (*shownInbound, error) {
	counts, oldest, err := s.source.PostCounts(ctx)
	if err != nil {
		return nil, fmt.Errorf("count posts: %w", err)
	}
	shown := &shownInbound{
		Queued: counts[gateway.PostQueued], HeldCount: counts[gateway.PostHeld], QuarantinedCount: counts[gateway.PostQuarantined],
		Oldest: oldest, Rows: statusRows, LateAfter: "15 minutes",
	}
	if shown.Held, err = s.list(ctx, gateway.PostHeld, counts, nil); err != nil {
		return nil, err
	}
	if shown.Quarantined, err = s.list(ctx, gateway.PostQuarantined, counts, nil); err != nil {
		return nil, err
	}
	shown.Late, err = s.list(ctx, gateway.PostQueued, counts, func(p *gateway.Post) bool {
		shown.QueuedRows++
		since := p.FirstAt
		if since.IsZero() {
			since = p.DueAt
		}
		return s.now().Sub(since) > lateAfter
	})
	return shown, err
}

// list reads the oldest posts in a state, and of those that are wanted the last event.
func (s *inbound) list(
	ctx context.Context, state gateway.PostState, counts map[gateway.PostState]int, wanted func(p *gateway.Post) bool,
) ([]shownPost, error) {
	if counts[state] == 0 {
		return nil, nil
	}
	posts, err := s.source.Posts(ctx, gateway.PostFilter{State: state, Limit: statusRows})
	if err != nil {
		return nil, fmt.Errorf("list posts: %w", err)
	}
	var list []shownPost
	for n := range posts {
		p := &posts[n]
		if wanted != nil && !wanted(p) {
			continue
		}
		_, events, err := s.source.Post(ctx, p.ID)
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
