package console

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/hibiken/asynq"

	"github.com/brevdue/brevdue/gateway/access"
)

// Root is the path that the console answers below. Mount it at exactly this path.
const Root = "/console/"

//go:embed assets/*.woff2 assets/*.css
var assets embed.FS

// Config is what a [Console] is made of.
type Config struct {
	RedisConnOpt asynq.RedisConnOpt // of the queues to show; required
	Sessions     *access.Sessions   // required
	Passwords    *access.Passwords  // nil: nobody logs in with one
	Login        *access.Login      // nil: nobody logs in with OpenID Connect
	// LoginLess lets in whoever uses this machine, without asking. For a demo that listens on this machine only.
	LoginLess bool

	Statuses Statuses // the gateway; nil: there is no page of statuses, and nothing is decided on messages
	Inbound  Inbound  // nil: there is no page of inbound post
	// Evidence writes the evidence of a message, whoever's it is. gateway.ErrNotFound when there is none. nil: none is given.
	Evidence func(ctx context.Context, messageID string, w io.Writer) error

	Audit  access.Audit     // who read or did what; nil: the log
	Logger *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // tells which post is late; nil: time.Now
}

// Console is the handler of everything under [Root]. Close it to give back its connections to Redis.
type Console struct {
	cfg    Config
	queues *queues
	pages  *pages
	routes []Route
	mux    *http.ServeMux
	origin *http.CrossOriginProtection
}

var _ http.Handler = (*Console)(nil)

// Route is a line of the table of routes.
type Route struct {
	Method string
	Path   string
	Needs  access.Permission // "" where anybody may come
}

// visit is a request of somebody who may make it.
type visit struct {
	*http.Request

	session *access.Session // nil on routes for anybody
}

// handler answers a visit, or returns an error that the console answers.
type handler func(w http.ResponseWriter, v visit) error

// New checks the configuration and makes a Console. It connects to Redis when the first page asks for it.
func New(cfg Config) (*Console, error) {
	if cfg.RedisConnOpt == nil || cfg.Sessions == nil {
		return nil, errors.New("console: config RedisConnOpt or Sessions is missing")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Audit == nil {
		cfg.Audit = access.LogAudit(cfg.Logger)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	pages, err := newPages()
	if err != nil {
		return nil, err
	}
	q, err := newQueues(cfg.RedisConnOpt)
	if err != nil {
		return nil, err
	}
	c := &Console{cfg: cfg, queues: q, pages: pages, mux: http.NewServeMux(), origin: http.NewCrossOriginProtection()}
	c.register()
	return c, nil
}

// register is the table of routes.
func (c *Console) register() {
	c.handle(http.MethodGet, "assets/{name}", "", asset)
	c.handle(http.MethodGet, "login", "", c.showLogin)
	c.handle(http.MethodPost, "login", "", c.passwordLogin)
	c.handle(http.MethodGet, "login/start", "", c.startLogin)
	c.handle(http.MethodGet, "login/callback", "", c.finishLogin)
	c.handle(http.MethodPost, "logout", access.See, c.logout)
	c.handle(http.MethodGet, "{$}", access.See, c.showIndex)
	c.handle(http.MethodGet, "", access.See, nothing)
	c.handle(http.MethodGet, "queues", access.See, c.showQueues)
	c.handle(http.MethodGet, "queues/", access.See, c.showQueues)
	if c.cfg.Statuses != nil {
		c.handle(http.MethodGet, "statuses", access.See, c.showStatuses)
		c.handle(http.MethodGet, "messages/decide", access.Decide, c.decideOn(c.messageForms))
		c.handle(http.MethodGet, "receipts/decide", access.Decide, c.decideOn(c.receiptForms))
		c.handle(http.MethodGet, "receipts/raw", access.ReadLetters, c.readReceipt)
	}
	if c.cfg.Statuses != nil && c.cfg.Evidence != nil {
		c.handle(http.MethodGet, "messages/evidence", access.ReadLetters, c.readEvidence)
	}
	if c.cfg.Inbound != nil {
		c.handle(http.MethodGet, "inbound", access.See, c.showInbound)
		c.handle(http.MethodGet, "inbound/decide", access.Decide, c.decideOn(c.postForms))
		c.handle(http.MethodGet, "inbound/{id}/memo", access.ReadLetters, c.readMemo)
		c.handle(http.MethodGet, "inbound/{id}/documents/{n}", access.ReadLetters, c.readDocument)
	}
	for _, d := range c.decisions() {
		c.handle(http.MethodPost, d.path, access.Decide, c.decide(d))
	}
}

// handle registers a route behind its checks.
func (c *Console) handle(method, path string, needs access.Permission, h handler) {
	c.routes = append(c.routes, Route{method, Root + path, needs})
	c.mux.HandleFunc(method+" "+Root+path, func(w http.ResponseWriter, r *http.Request) {
		if err := c.guard(w, r, needs, h); err != nil {
			c.fail(w, r, err)
		}
	})
}

// Routes lists every route, sorted by path and method.
func (c *Console) Routes() []Route {
	list := slices.Clone(c.routes)
	slices.SortFunc(list, func(a, b Route) int {
		return strings.Compare(a.Path+" "+a.Method, b.Path+" "+b.Method)
	})
	return list
}

// Close closes the connections to Redis.
func (c *Console) Close() error { return c.queues.Close() }

// startPolicy is for the pages of ours, which have no script.
const startPolicy = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// ServeHTTP is http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", startPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	c.mux.ServeHTTP(w, r)
}

// showQueues serves asynqmon.
func (c *Console) showQueues(w http.ResponseWriter, v visit) error {
	c.queues.ServeHTTP(w, v.Request)
	return nil
}

// nothing answers for what there is not.
func nothing(w http.ResponseWriter, v visit) error {
	http.NotFound(w, v.Request)
	return nil
}

// asset serves a file from the binary.
func asset(w http.ResponseWriter, v visit) error {
	name := "assets/" + v.PathValue("name")
	content, err := assets.ReadFile(name)
	if err != nil {
		return nothing(w, v)
	}
	if strings.HasSuffix(name, ".woff2") {
		w.Header().Set("Content-Type", "font/woff2")
		w.Header().Set("Cache-Control", "private, max-age=86400")
	} else {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
	}
	_, err = w.Write(content)
	return gone(err)
}

// gone is the error of writing to a client that went away: nobody can be told.
func gone(error) error { return nil }

// note writes down what somebody is about to do. Where that fails, it must not be done.
func (c *Console) note(ctx context.Context, o access.Operator, action access.Action, object, reason string) error {
	err := c.cfg.Audit(ctx, access.Entry{At: c.cfg.Now(), Who: o.Name, How: o.How, Action: action, Object: object, Reason: reason})
	if err != nil {
		return fmt.Errorf("%w: audit: %w", access.ErrUnavailable, err)
	}
	return nil
}
