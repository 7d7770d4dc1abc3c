package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hibiken/asynq"
)

// Root is the path that the console answers below. Mount it at exactly this path.
const Root = "/console/"

//go:embed assets/*.woff2 assets/*.css assets/index.html
var assets embed.FS

// Operator is a person who may look. Only the SHA-256 of the password is known.
type Operator struct {
	Name           string
	PasswordSHA256 [sha256.Size]byte
}

// Config is what a [Console] is made of.
type Config struct {
	Operators    []Operator         // nobody is let in without one
	RedisConnOpt asynq.RedisConnOpt // of the queues to show; required
	Statuses     Statuses           // the gateway; nil: there is no page of statuses
	Inbound      Inbound            // nil: there is no page of inbound post
	Now          func() time.Time   // tells which post is late; nil: time.Now
}

// Console is the handler of everything under [Root]. Close it to give back its connections to Redis.
type Console struct {
	operators []Operator
	queues    *queues
	mux       *http.ServeMux
}

var _ http.Handler = (*Console)(nil)

// New checks the configuration and makes a Console. It connects to Redis when the first page asks for it.
func New(cfg Config) (*Console, error) {
	if cfg.RedisConnOpt == nil {
		return nil, errors.New("console: config RedisConnOpt is missing")
	}
	names := make(map[string]bool)
	for n, o := range cfg.Operators {
		if o.Name == "" || strings.Contains(o.Name, ":") || names[o.Name] {
			return nil, fmt.Errorf("console: operator %d: the name %q is empty, taken or has a colon", n, o.Name)
		}
		names[o.Name] = true
	}
	q, err := newQueues(cfg.RedisConnOpt)
	if err != nil {
		return nil, err
	}
	c := &Console{operators: cfg.Operators, queues: q, mux: http.NewServeMux()}
	c.mux.HandleFunc(Root+"{$}", asset("assets/index.html"))
	c.mux.HandleFunc(Root+"assets/{name}", func(w http.ResponseWriter, r *http.Request) {
		asset("assets/"+r.PathValue("name"))(w, r)
	})
	c.mux.Handle(queuesRoot+"/", q)
	if cfg.Statuses != nil {
		page, err := newStatuses(cfg.Statuses)
		if err != nil {
			return nil, errors.Join(err, q.Close())
		}
		c.mux.Handle(statusesRoot, page)
	}
	if cfg.Inbound != nil {
		if cfg.Now == nil {
			cfg.Now = time.Now
		}
		page, err := newInbound(cfg.Inbound, cfg.Now)
		if err != nil {
			return nil, errors.Join(err, q.Close())
		}
		c.mux.Handle(inboundRoot, page)
	}
	return c, nil
}

// Close closes the connections to Redis.
func (c *Console) Close() error { return c.queues.Close() }

// startPolicy is for the pages of ours, which have no script.
const startPolicy = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

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
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "the console is read-only", http.StatusMethodNotAllowed)
		return
	}
	if !c.knows(r) {
		h.Set("WWW-Authenticate", `Basic realm="brevdue console", charset="UTF-8"`)
		http.Error(w, "an operator's name and password are needed", http.StatusUnauthorized)
		return
	}
	c.mux.ServeHTTP(w, r)
}

// knows compares with every operator, whatever it finds, so that the time it takes tells nothing.
func (c *Console) knows(r *http.Request) bool {
	name, password, _ := r.BasicAuth()
	nameSum, passwordSum := sha256.Sum256([]byte(name)), sha256.Sum256([]byte(password))
	known := 0
	for n := range c.operators {
		o := sha256.Sum256([]byte(c.operators[n].Name))
		known |= subtle.ConstantTimeCompare(nameSum[:], o[:]) &
			subtle.ConstantTimeCompare(passwordSum[:], c.operators[n].PasswordSHA256[:])
	}
	return known == 1
}

// asset serves a file from the binary.
func asset(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		content, err := assets.ReadFile(name)
		if err != nil {
			http.NotFound(w, r)
			return
		}
		switch {
		case strings.HasSuffix(name, ".woff2"):
			w.Header().Set("Content-Type", "font/woff2")
			w.Header().Set("Cache-Control", "private, max-age=86400")
		case strings.HasSuffix(name, ".css"):
			w.Header().Set("Content-Type", "text/css; charset=utf-8")
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		_, _ = w.Write(content) // a client that is gone cannot be told
	}
}
