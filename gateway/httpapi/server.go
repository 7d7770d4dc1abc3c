package httpapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/brevdue/brevdue/gateway/access"
)

// Config is what a [Server] is made of. Gateway is required.
type Config struct {
	Gateway   Gateway
	Producers []Producer
	Issuers   []*access.Issuer // of producers' JWTs
	Audit     access.Audit     // who read what; nil: the log
	Version   string           // of the program, shown in /openapi.json; default "dev"

	MaxBody int64         // most bytes of a JSON body; default 16 MiB. Documents have their own limit.
	Large   int           // most JSON bodies over 256 KiB that are held in memory at a time; default 8. The others wait.
	Streams int           // most batches and other lists that are served at a time; default 4. The others wait.
	Timeout time.Duration // most time for the work on one request once its body is read; default 30 seconds

	// Evidence writes the evidence of a message of the producer (an ASiC-E container) to w. gateway.ErrNotFound when there
	// is no such message. nil: this gateway gives no evidence.
	Evidence func(ctx context.Context, producer, messageID string, w io.Writer) error
	// Inbound is the inbound post; nil: there is none.
	Inbound Inbound
	// Channels tells the state of each channel's circuit breaker; nil: nothing is told.
	Channels func() map[string]string
	// Rate says whether a producer may make one more request, and if not after how long it should try again; nil: always.
	Rate func(ctx context.Context, producer string) (wait time.Duration, ok bool)
	// Certificates tells which certificates end soon; nil: nothing is told.
	Certificates func() []CertificateHealth
	// Mounts are further handlers by pattern, e.g. "/console/". They do their own authentication.
	Mounts map[string]http.Handler

	Metrics      *prometheus.Registry // served at /metrics, the server's own are added; nil: a registry of its own
	Logger       *slog.Logger         // nil: nothing is logged
	Now          func() time.Time     // for durations; nil: time.Now
	NewRequestID func() string        // unguessable, printable ASCII; nil: crypto/rand.Text
}

func (c Config) withDefaults() Config {
	if c.Channels == nil {
		c.Channels = func() map[string]string { return nil }
	}
	if c.Rate == nil {
		c.Rate = func(context.Context, string) (time.Duration, bool) { return 0, true }
	}
	if c.Certificates == nil {
		c.Certificates = func() []CertificateHealth { return nil }
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.MaxBody == 0 {
		c.MaxBody = 16 << 20
	}
	if c.Large == 0 {
		c.Large = 8
	}
	if c.Streams == 0 {
		c.Streams = 4
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Metrics == nil {
		c.Metrics = prometheus.NewRegistry()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Audit == nil {
		c.Audit = access.LogAudit(c.Logger)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewRequestID == nil {
		c.NewRequestID = rand.Text
	}
	return c
}

func (c Config) validate() error {
	switch {
	case c.Gateway == nil:
		return errors.New("httpapi: config Gateway is missing")
	case c.MaxBody < 0:
		return errors.New("httpapi: config MaxBody is negative")
	case c.Large < 0:
		return errors.New("httpapi: config Large is negative")
	case c.Streams < 0:
		return errors.New("httpapi: config Streams is negative")
	case c.Timeout < 0:
		return errors.New("httpapi: config Timeout is negative")
	}
	return nil
}

// Server is the HTTP API. It is safe for concurrent use.
type Server struct {
	gateway      Gateway
	producers    *access.Producers
	audit        access.Audit
	maxBody      int64
	large        chan struct{} // one for every large body in memory
	streams      chan struct{} // one for every list that is served
	patience     time.Duration
	rate         func(ctx context.Context, producer string) (time.Duration, bool)
	evidence     evidence
	inbound      Inbound
	log          *slog.Logger
	now          func() time.Time
	newRequestID func() string
	metrics      *metrics
	buffers      buffers
	mux          *http.ServeMux
	patterns     []string // of mux, in the order of their registration
}

var _ http.Handler = (*Server)(nil)

// route is one line of the table of routes.
type route struct {
	method, path string
	scope        Scope
	answer       handler
	stream       streamer // instead of answer: one that writes while it works
}

// routes is the API for producers. Every other route is public or has its own login.
func routes() []route {
	return []route{
		{http.MethodPost, "/v1/intents", WriteIntents, postIntent, nil},
		{http.MethodGet, "/v1/intents", ReadIntents, listIntents, nil},
		{http.MethodGet, "/v1/intents/{id}", ReadIntents, getIntent, nil},
		{http.MethodPost, "/v1/intents/{id}/cancel", WriteIntents, cancelIntent, nil},
		{http.MethodPost, "/v1/batches", WriteIntents, nil, postBatch},
		{http.MethodGet, "/v1/batches/{id}", ReadIntents, getBatch, nil},
		{http.MethodPost, "/v1/messages/{id}/release", WriteIntents, releaseMessage, nil},
		{http.MethodPost, "/v1/messages/{id}/close", WriteIntents, closeMessage, nil},
		{http.MethodGet, "/v1/messages/{id}/evidence", ReadIntents, nil, getEvidence},
		{http.MethodPost, "/v1/documents", WriteIntents, postDocument, nil},
		{http.MethodGet, "/v1/events", ReadIntents, listEvents, nil},
		{http.MethodGet, "/v1/callbacks", ReadIntents, getCallbacks, nil},
		{http.MethodPost, "/v1/callbacks/replay", ReadIntents, replayCallbacks, nil},
		{http.MethodGet, "/v1/receipts", AdminReceipts, listReceipts, nil},
		{http.MethodGet, "/v1/receipts/{id}/raw", AdminReceipts, nil, getRawReceipt},
		{http.MethodPost, "/v1/receipts/rematch", AdminReceipts, rematchReceipts, nil},
		{http.MethodPost, "/v1/receipts/{id}/match", AdminReceipts, matchReceipt, nil},
		{http.MethodPost, "/v1/receipts/{id}/retry", AdminReceipts, retryReceipt, nil},
		{http.MethodGet, "/v1/inbound", ReadInbound, listInbound, nil},
		{http.MethodGet, "/v1/inbound/{id}", ReadInbound, getInbound, nil},
		{http.MethodGet, "/v1/inbound/{id}/memo", ReadInbound, nil, getInboundMemo},
		{http.MethodGet, "/v1/inbound/{id}/documents/{n}", ReadInbound, nil, getInboundDocument},
		{http.MethodPost, "/v1/inbound/{id}/redeliver", DecideInbound, onInbound(API.RedeliverInbound), nil},
		{http.MethodPost, "/v1/inbound/{id}/reroute", DecideInbound, onInbound(API.RerouteInbound), nil},
		{http.MethodPost, "/v1/inbound/{id}/release", AdminInbound, onInbound(API.ReleaseInbound), nil},
		{http.MethodPost, "/v1/inbound/{id}/close", DecideInbound, onInbound(API.CloseInbound), nil},
		{http.MethodPost, "/v1/inbound/{id}/reply", ReadInbound, replyInbound, nil},
		{http.MethodGet, "/v1/errors", ReadIntents, listErrors, nil},
		{http.MethodPost, "/v1/registrations", ReadIntents, postRegistration, nil},
		{http.MethodPost, "/v1/registrations/wash", ReadIntents, nil, washRegistrations},
	}
}

// New checks the configuration and makes a Server.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	found, err := access.NewProducers(access.ProducersConfig{List: cfg.Producers, Issuers: cfg.Issuers, Now: cfg.Now})
	if err != nil {
		return nil, fmt.Errorf("httpapi: %w", err)
	}
	m, err := newMetrics(cfg.Metrics)
	if err != nil {
		return nil, err
	}
	s := &Server{
		gateway: cfg.Gateway, producers: found, maxBody: cfg.MaxBody, patience: cfg.Timeout, evidence: cfg.Evidence,
		inbound: cfg.Inbound, audit: cfg.Audit, rate: cfg.Rate,
		large: make(chan struct{}, cfg.Large), streams: make(chan struct{}, cfg.Streams),
		log: cfg.Logger, now: cfg.Now, newRequestID: cfg.NewRequestID, metrics: m, mux: http.NewServeMux(),
	}
	for _, r := range routes() {
		s.handle(r.method+" "+r.path, s.authenticated(r))
	}
	if err := s.public(cfg); err != nil {
		return nil, err
	}
	for pattern, h := range cfg.Mounts {
		s.handle(pattern, func(w http.ResponseWriter, r *http.Request) error {
			h.ServeHTTP(w, r)
			return nil
		})
	}
	return s, nil
}

// public adds the routes without a token, and the answers for what there is not.
func (s *Server) public(cfg Config) error {
	document, err := openAPI(cfg.Version)
	if err != nil {
		return err
	}
	pulse := &pulse{gateway: cfg.Gateway, inbound: cfg.Inbound, now: cfg.Now, log: cfg.Logger}
	if err := registerStatusMetrics(cfg.Metrics, pulse); err != nil {
		return err
	}
	prom := promhttp.HandlerFor(cfg.Metrics, promhttp.HandlerOpts{})
	paths := map[string]func(w http.ResponseWriter, r *http.Request) error{
		"/healthz": func(w http.ResponseWriter, r *http.Request) error {
			return s.json(w, http.StatusOK, Health{
				Status: "ok", Channels: cfg.Channels(), Statuses: pulse.view(r.Context()), Inbound: pulse.inboundView(r.Context()),
				Certificates: cfg.Certificates(),
			})
		},
		"/readyz": s.ready,
		"/metrics": func(w http.ResponseWriter, r *http.Request) error {
			prom.ServeHTTP(w, r)
			return nil
		},
		"/openapi.json": func(w http.ResponseWriter, _ *http.Request) error {
			return s.bytes(w, http.StatusOK, "application/json", document)
		},
	}
	methods := make(map[string][]string)
	for path, h := range paths {
		s.handle(http.MethodGet+" "+path, h)
		methods[path] = []string{http.MethodGet, http.MethodHead}
	}
	for pattern, h := range docs() {
		s.handle(pattern, h)
	}
	for _, r := range routes() {
		methods[r.path] = append(methods[r.path], r.method)
		if r.method == http.MethodGet {
			methods[r.path] = append(methods[r.path], http.MethodHead)
		}
	}
	for path, allowed := range methods {
		slices.Sort(allowed)
		allow := strings.Join(allowed, ", ")
		s.handle(path, func(w http.ResponseWriter, _ *http.Request) error {
			w.Header().Set("Allow", allow)
			return newProblem(codeMethod, "Allowed here: "+allow+".")
		})
	}
	s.handle("/", func(http.ResponseWriter, *http.Request) error { return newProblem(codeNotFound, "") })
	return nil
}

// ready says whether the gateway can take intents. Why not is for the log: the answer is public.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := s.gateway.Ready(ctx); err != nil {
		p := newProblem(codeUnavailable, "").because(err)
		p.RetryAfter = defaultRetryAfter
		return p
	}
	return s.json(w, http.StatusOK, Health{Status: "ready"})
}

// authenticated puts the checks that every route of the API has in front of its handler.
func (s *Server) authenticated(rt route) func(w http.ResponseWriter, r *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		producer, err := s.authenticate(w, r, &rt)
		if err != nil {
			return err
		}
		if err := s.paced(r.Context(), producer.Name); err != nil {
			return err
		}
		api := service{
			gateway: s.gateway, producer: producer.Name, evidence: s.evidence, inbound: s.inbound, log: s.log,
			lists:  lists{most: int(s.maxBody), large: s.large, patience: s.patience, buffers: &s.buffers},
			reach:  reach{producer.Name, producer.Targets, producer.May(AdminInbound)},
			writes: producer.May(WriteIntents),
			noted: func(ctx context.Context, action access.Action, object string) error {
				return s.note(ctx, producer, action, object)
			},
		}
		if rt.stream != nil {
			return rt.stream(s, api, w, r)
		}
		if !accepts(r, "application/json") {
			return newProblem(codeAcceptable, "Accept application/json here.")
		}
		status, body, err := rt.answer(s, api, w, r)
		if err != nil {
			return err
		}
		return s.json(w, status, body)
	}
}

// note writes down that a letter is about to be read. Where it cannot be written down, it is not read.
func (s *Server) note(ctx context.Context, by *caller, action access.Action, object string) error {
	err := s.audit(ctx, access.Entry{At: s.now(), Who: by.Name, How: by.how, Action: action, Object: object})
	if err != nil {
		p := newProblem(codeUnavailable, "Who reads it cannot be written down.").because(fmt.Errorf("audit: %w", err))
		p.RetryAfter = defaultRetryAfter
		return p
	}
	return nil
}

// Route is a line of the table of routes.
type Route struct {
	Method string // "" where the handler looks at it by itself
	Path   string
	Scope  Scope // "" where no token is asked for
}

// Routes lists every route of the server, those of its mounts as one, sorted by path and method.
func (s *Server) Routes() []Route {
	scopes := make(map[string]Scope)
	for _, r := range routes() {
		scopes[r.method+" "+r.path] = r.scope
	}
	list := make([]Route, len(s.patterns))
	for n, pattern := range s.patterns {
		method, path, found := strings.Cut(pattern, " ")
		if !found {
			method, path = "", pattern
		}
		list[n] = Route{method, path, scopes[pattern]}
	}
	slices.SortFunc(list, func(a, b Route) int {
		return cmp.Or(strings.Compare(a.Path, b.Path), strings.Compare(a.Method, b.Method))
	})
	return list
}

// ServeHTTP is http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
