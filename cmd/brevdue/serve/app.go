package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/brevdue/brevdue/channels/breaker"
	"github.com/brevdue/brevdue/channels/registration"
	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/serve/certs"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/audit"
	"github.com/brevdue/brevdue/gateway/callback"
	"github.com/brevdue/brevdue/gateway/console"
	"github.com/brevdue/brevdue/gateway/download"
	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/journal"
	"github.com/brevdue/brevdue/gateway/keys"
	"github.com/brevdue/brevdue/gateway/queue"
	"github.com/brevdue/brevdue/gateway/retention"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1606"
)

// The pace of the background work.
const (
	beatEvery  = 5 * time.Second // well within gateway.DeadAfter
	sweepEvery = 2 * time.Second
	// certificatesEvery is how often the files of certificates are looked at.
	certificatesEvery = 10 * time.Second
	// stopListening is how long requests in flight may take when the process stops.
	stopListening = 10 * time.Second
)

// Options are what the command line adds to the configuration.
type Options struct {
	Roles   Roles
	Version string
	// LoginLess lets whoever sits at this machine into the console without asking; for the demo, on loopback only.
	LoginLess bool
	Migrate   bool         // apply pending migrations instead of refusing to start; for the demo
	NewKeys   bool         // make the keyset file when there is none; for the demo
	Logger    *slog.Logger // nil: none
}

// App is one gateway process.
type App struct {
	cfg  *config.Config
	opts Options
	log  *slog.Logger

	keys      *keys.Keys // nil: nothing is sealed
	journal   *journal.Journal
	documents Documents
	queue     *queue.Queue
	signer    *signature.Batcher
	client    *sf1601.Client
	codes     *sf1601.Table
	gateway   *gateway.Gateway
	console   *console.Console
	registry  *registration.Registry
	downloads *download.Signer
	channels  []*breaker.Breaker
	pullers   []*beskedfordeler.Puller // none: statuses are not pulled
	courier   *callback.Courier        // nil: nobody wants to be told
	inbound   *inbound.Service         // nil: no post is received
	ngdp      *sf1606.NgDP             // nil: no post is pulled
	trail     *audit.Trail
	retention *retention.Runner
	closers   []func() // of channels
	certs     *certs.Keeper

	api, push, postmodtag, watch listener
	closing                      sync.Once
}

func (a *App) listeners() []listener { return []listener{a.api, a.push, a.postmodtag, a.watch} }

// listener is a socket that is open before anything is served, so that its address is known and a taken port is an
// error at once.
type listener struct {
	net.Listener
	server *http.Server
}

// New opens everything and starts to listen; nothing is served before Run. The error is config.Errors when a key is to
// blame. Close frees what New opened when Run is not called.
func New(ctx context.Context, cfg *config.Config, opts Options) (*App, error) {
	if opts.Logger == nil {
		opts.Logger = discard()
	}
	a := &App{cfg: cfg, opts: opts, log: opts.Logger}
	a.certs = certs.New(certs.Config{Now: time.Now, Logger: a.log.With("part", "certificates")})
	for _, w := range cfg.Warnings() {
		a.log.Warn("configuration", "key", w)
	}
	err := a.open(ctx)
	if err == nil {
		err = a.listen(ctx)
	}
	if err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// APIAddress is where the HTTP API listens, "" when it does not.
func (a *App) APIAddress() string { return a.api.address() }

// PostAddress is where inbound post is expected, "" when it is not.
func (a *App) PostAddress() string { return a.postmodtag.address() }

// PushAddress is where Beskedfordeler's push is expected, "" when it is not.
func (a *App) PushAddress() string { return a.push.address() }

// MetricsAddress is where metrics are served on a listener of their own, "" when they are not.
func (a *App) MetricsAddress() string { return a.watch.address() }

func (l listener) address() string {
	if l.Listener == nil {
		return ""
	}
	return l.Addr().String()
}

// Run serves until ctx ends, then stops in the order that loses nothing, and closes everything.
func (a *App) Run(ctx context.Context) error {
	defer a.Close()
	// Workers outlive the listeners, so that what was accepted last is not cut short.
	workers, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorkers()
	front, ctx := errgroup.WithContext(ctx)
	back, backCtx := errgroup.WithContext(workers)
	if a.opts.Roles.has(RoleWorker) {
		if err := a.gateway.Beat(ctx); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		a.startWorkers(backCtx, back)
	}
	for _, l := range a.listeners() {
		if l.Listener != nil {
			front.Go(func() error { return l.serve(ctx) })
		}
	}
	if a.ngdp != nil {
		front.Go(func() error { return a.ngdp.Run(ctx) })
	}
	for _, p := range a.pullers {
		front.Go(func() error { return p.Run(ctx) })
	}
	front.Go(func() error {
		a.certs.Run(ctx, certificatesEvery)
		return nil
	})
	front.Go(func() error { // a failed worker ends the process: its supervisor starts it anew
		select {
		case <-ctx.Done():
			return nil
		case <-backCtx.Done():
			return context.Cause(backCtx)
		}
	})
	a.log.InfoContext(ctx, "started", "version", a.opts.Version, "roles", []string(a.opts.Roles),
		"api", a.APIAddress(), "push", a.PushAddress(), "postmodtag", a.PostAddress(), "metrics", a.MetricsAddress())
	err := front.Wait()
	stopWorkers()
	err = errors.Join(err, back.Wait())
	a.log.Info("stopped")
	return err
}

// startWorkers runs the loops of the worker role.
func (a *App) startWorkers(ctx context.Context, group *errgroup.Group) {
	concurrency := make(map[string]int, len(a.channels))
	for _, c := range a.channels {
		concurrency[c.Name()] = a.concurrency(c.Name())
	}
	beating, stopBeating := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error {
		// The heart beats until the last letter is recorded, then leaves.
		defer stopBeating()
		return a.queue.Run(ctx, queue.Workers{Dispatcher: a.gateway, Concurrency: concurrency})
	})
	group.Go(func() error {
		every(beating, beatEvery, func() {
			if err := a.gateway.Beat(beating); err != nil {
				a.log.Error("heartbeat failed", "error", err)
			}
		})
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopListening)
		defer cancel()
		return a.gateway.Leave(ctx)
	})
	group.Go(func() error {
		every(ctx, sweepEvery, func() { a.sweep(ctx) })
		return nil
	})
	a.startCourier(ctx, group)
	a.startInbound(ctx, group)
	a.startRetention(ctx, group)
}

func (a *App) sweep(ctx context.Context) {
	r, err := a.gateway.Sweep(ctx)
	if err != nil && ctx.Err() == nil {
		a.log.ErrorContext(ctx, "sweep failed, it will be repeated", "error", err)
	}
	if r.Abandoned+r.Rematched > 0 || r.Forgot {
		a.log.InfoContext(ctx, "sweep", "abandoned", r.Abandoned, "requeued", r.Requeued, "rematched", r.Rematched, "forgot", r.Forgot)
	}
}

// every calls fn at once and then at every tick until ctx ends.
func every(ctx context.Context, interval time.Duration, fn func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		fn()
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// serve runs the listener's server until ctx ends, then lets requests in flight finish.
func (l listener) serve(ctx context.Context) error {
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopListening)
		defer cancel()
		err := l.server.Shutdown(grace)
		if errors.Is(err, context.DeadlineExceeded) {
			err = l.server.Close()
		}
		stopped <- err
	}()
	var err error
	if l.server.TLSConfig != nil {
		err = l.server.ServeTLS(l.Listener, "", "")
	} else {
		err = l.server.Serve(l.Listener)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("listener %s: %w", l.address(), err)
	}
	return <-stopped
}

// Close frees what New opened. Run calls it.
func (a *App) Close() {
	a.closing.Do(func() {
		var errs []error
		for _, l := range a.listeners() {
			if l.Listener != nil {
				_ = l.Close() // the server may have closed it
			}
		}
		for _, c := range a.closers {
			c()
		}
		if a.courier != nil {
			a.courier.Close()
		}
		if a.signer != nil {
			a.signer.Close()
		}
		if a.client != nil {
			a.client.Close()
		}
		if a.console != nil {
			errs = append(errs, a.console.Close())
		}
		if a.queue != nil {
			errs = append(errs, a.queue.Close())
		}
		if a.journal != nil {
			errs = append(errs, a.journal.Close())
		}
		if err := errors.Join(errs...); err != nil {
			a.log.Error("close", "error", err)
		}
	})
}
