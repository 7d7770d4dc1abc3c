package serve

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway/console"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// listen opens the sockets of the roles.
func (a *App) listen(ctx context.Context) error {
	if a.cfg.Metrics.Listen != "" {
		if err := a.listenMetrics(ctx); err != nil {
			return err
		}
	}
	if a.opts.Roles.has(RoleAPI) {
		if err := a.listenAPI(ctx); err != nil {
			return err
		}
	}
	if a.opts.Roles.has(RoleInbound) {
		if err := a.receive(ctx); err != nil {
			return err
		}
	}
	if !a.opts.Roles.has(RoleStatus) {
		return nil
	}
	switch a.cfg.Beskedfordeler.Mode {
	case "push":
		return a.listenPush(ctx)
	case "pull":
		return a.openPull()
	}
	return nil
}

// receive opens the roads of inbound post.
func (a *App) receive(ctx context.Context) error {
	if a.cfg.SF1606.NgDP.URL != "" {
		if err := a.openNgDP(); err != nil {
			return err
		}
	}
	if a.cfg.SF1606.Listen != "" {
		return a.listenInbound(ctx)
	}
	return nil
}

func (a *App) listenAPI(ctx context.Context) error {
	handler, err := a.apiHandler() //nolint:contextcheck // a page has the context of its request
	if err != nil {
		return err
	}
	server := httpapi.NewHTTPServer(a.cfg.HTTP.Listen, handler, a.log)
	if h := a.cfg.HTTP; h.CertificateFile != "" {
		pair, err := a.certs.Pair("http", h.CertificateFile, h.KeyFile)
		if err != nil {
			return config.Errors{{Key: "http.certificate_file", Text: err.Error()}}
		}
		server.TLSConfig = a.certs.Server(&tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, pair, nil)
	}
	a.api, err = open(ctx, "http.listen", a.cfg.HTTP.Listen, server)
	return err
}

func (a *App) apiHandler() (http.Handler, error) {
	doors, err := a.openDoors()
	if err != nil {
		return nil, err
	}
	if a.console, err = console.New(doors.console(a)); err != nil {
		return nil, err
	}
	mounts := map[string]http.Handler{console.Root: a.console}
	if err := a.mountDownloads(mounts); err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	if err := a.registerMetrics(registry); err != nil {
		return nil, err
	}
	cfg := httpapi.Config{
		Metrics: registry,
		Gateway: a.gateway, Producers: doors.producers, Issuers: doors.issuers, MaxBody: a.cfg.HTTP.MaxBody, Now: time.Now,
		Version: a.opts.Version, Logger: a.log.With("part", "api"),
		Mounts: mounts, Channels: a.states, Certificates: a.expiring, Rate: a.rates(), Evidence: a.evidence,
	}
	cfg.Audit = a.audit
	if a.inbound != nil {
		cfg.Inbound = a.inbound
	}
	return httpapi.New(cfg)
}

// states tells how the far end of each channel fares.
func (a *App) states() map[string]string {
	states := make(map[string]string, len(a.channels))
	for _, c := range a.channels {
		states[c.Name()] = c.State()
	}
	return states
}

func open(ctx context.Context, key, address string, server *http.Server) (listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return listener{}, config.Errors{{Key: key, Text: err.Error(), Hint: "another program may listen there"}}
	}
	server.Handler = guard(server.Handler)
	return listener{Listener: newNarrow(l, maxConnections), server: server}, nil
}
