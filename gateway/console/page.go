package console

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a container image without zone files must still tell Danish time

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/access"
)

//go:embed assets/*.html
var templates embed.FS

// pages are the pages of ours.
type pages struct{ all *template.Template }

func newPages() (*pages, error) {
	zone, err := time.LoadLocation("Europe/Copenhagen")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	all, err := template.New("").Funcs(template.FuncMap{
		"when": func(t time.Time) string {
			if t.IsZero() {
				return ""
			}
			return t.In(zone).Format("2006-01-02 15:04")
		},
		"stamp": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"rows":  func(f frame, posts []shownPost) postRows { return postRows{f.MayDecide, posts} },
		"list":  func(list []string) string { return strings.Join(list, ", ") },
		"atLeast": func(n int) string {
			if n >= gateway.MaxCount {
				return fmt.Sprintf("%d or more", n)
			}
			return strconv.Itoa(n)
		},
	}).ParseFS(templates, "assets/*.html")
	if err != nil {
		return nil, fmt.Errorf("console: pages: %w", err)
	}
	return &pages{all}, nil
}

// postRows is a table of posts.
type postRows struct {
	MayDecide bool
	Posts     []shownPost
}

// show answers with a page, whole or not at all.
func (p *pages) show(w http.ResponseWriter, status int, name string, data any) error {
	var body bytes.Buffer
	if err := p.all.ExecuteTemplate(&body, name, data); err != nil {
		return fmt.Errorf("make the page %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := w.Write(body.Bytes())
	return gone(err)
}

// frame is what every page shows to somebody who is logged in.
type frame struct {
	Who, Roles         string
	LogoutToken        string
	MayDecide, MayRead bool
	Statuses, Inbound  bool // there is such a page
	Done               string
}

// frame fills it in.
func (c *Console) frame(v visit) (frame, error) {
	token, err := c.cfg.Sessions.FormToken(v.session, "logout")
	if err != nil {
		return frame{}, err
	}
	o := v.session.Operator
	roles := make([]string, len(o.Roles))
	for n, r := range o.Roles {
		roles[n] = string(r)
	}
	return frame{
		Who: o.Name, Roles: strings.Join(roles, ", "), LogoutToken: token,
		MayDecide: o.May(access.Decide), MayRead: o.May(access.ReadLetters),
		Statuses: c.cfg.Statuses != nil, Inbound: c.cfg.Inbound != nil, Done: c.done(v.URL.Query().Get("done")),
	}, nil
}

// showIndex is the first page.
func (c *Console) showIndex(w http.ResponseWriter, v visit) error {
	f, err := c.frame(v)
	if err != nil {
		return err
	}
	return c.pages.show(w, http.StatusOK, "index.html", struct{ Frame frame }{f})
}
