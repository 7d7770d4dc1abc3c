package console

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"time"
	_ "time/tzdata" // a container image without zone files must still tell Danish time

	"github.com/brevdue/brevdue/gateway"
)

const statusesRoot = Root + "statuses"

//go:embed assets/statuses.html
var pages embed.FS

// Statuses is what the page of that name asks the gateway; *gateway.Gateway is one.
type Statuses interface {
	Health(ctx context.Context) (*gateway.Health, error)
	Overdue(ctx context.Context, limit int) ([]gateway.Message, error)
	Quarantine(ctx context.Context, f gateway.ReceiptFilter) ([]gateway.Receipt, error)
	UnreadableBodies(ctx context.Context, f gateway.ReceiptFilter) ([]gateway.Unreadable, error)
}

var _ Statuses = (*gateway.Gateway)(nil)

// statusRows is how many of a kind are listed; the counts tell of the others.
const statusRows = 100

// statuses is the page that shows which statuses are awaited in vain and which fit nothing: ids, codes and times, and
// nothing about a recipient or of what the far end wrote.
type statuses struct {
	source Statuses
	page   *template.Template
}

func newStatuses(source Statuses) (*statuses, error) {
	zone, err := time.LoadLocation("Europe/Copenhagen")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	page, err := template.New("statuses.html").Funcs(template.FuncMap{
		"when": func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return t.In(zone).Format("2006-01-02 15:04")
		},
		"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"atLeast": func(n int) string {
			if n >= gateway.MaxCount {
				return fmt.Sprintf("%d or more", n)
			}
			return strconv.Itoa(n)
		},
	}).ParseFS(pages, "assets/statuses.html")
	if err != nil {
		return nil, fmt.Errorf("console: the page of statuses: %w", err)
	}
	return &statuses{source: source, page: page}, nil
}

// shown is what the page shows.
type shown struct {
	Health     *gateway.Health
	Overdue    []gateway.Message
	Unmatched  []gateway.Receipt
	Unreadable []gateway.Unreadable
	Rows       int
}

// ServeHTTP asks and shows. It is all or nothing: a page with half of the truth would calm somebody.
func (s *statuses) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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

func (s *statuses) ask(ctx context.Context) (*shown, error) {
	now := &shown{Rows: statusRows}
	var err error
	if now.Health, err = s.source.Health(ctx); err != nil {
		return nil, fmt.Errorf("health: %w", err)
	}
	if now.Overdue, err = s.source.Overdue(ctx, statusRows); err != nil {
		return nil, fmt.Errorf("overdue messages: %w", err)
	}
	page := gateway.ReceiptFilter{Limit: statusRows}
	if now.Unmatched, err = s.source.Quarantine(ctx, page); err != nil {
		return nil, fmt.Errorf("quarantine: %w", err)
	}
	if now.Unreadable, err = s.source.UnreadableBodies(ctx, page); err != nil {
		return nil, fmt.Errorf("unreadable bodies: %w", err)
	}
	return now, nil
}
