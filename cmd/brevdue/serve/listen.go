package serve

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/brevdue/brevdue/channels/print"
	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway/console"
	"github.com/brevdue/brevdue/gateway/httpapi"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// PushPath is where Beskedfordeler posts statuses.
const PushPath = "/beskedfordeler/PostStatusBeskedModtag"

// listen opens the sockets of the roles.
func (a *App) listen(ctx context.Context) error {
	if a.opts.Roles.has(RoleAPI) {
		if err := a.listenAPI(ctx); err != nil {
			return err
		}
	}
	if a.opts.Roles.has(RoleStatus) && a.cfg.Beskedfordeler.Mode == "push" {
		return a.listenPush(ctx)
	}
	return nil
}

func (a *App) listenAPI(ctx context.Context) error {
	handler, err := a.apiHandler()
	if err != nil {
		return err
	}
	server := httpapi.NewHTTPServer(a.cfg.HTTP.Listen, handler, a.log)
	if h := a.cfg.HTTP; h.CertificateFile != "" {
		cert, err := tls.LoadX509KeyPair(h.CertificateFile, h.KeyFile)
		if err != nil {
			return fmt.Errorf("http.certificate_file: %w", err)
		}
		server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	a.api, err = open(ctx, "http.listen", a.cfg.HTTP.Listen, server)
	return err
}

func (a *App) apiHandler() (http.Handler, error) {
	producers := make([]httpapi.Producer, 0, len(a.cfg.Producers))
	for _, p := range a.cfg.Producers {
		tokens, err := p.Tokens()
		if err != nil {
			return nil, fmt.Errorf("producer %s: %w", p.Name, err)
		}
		scopes := make([]httpapi.Scope, len(p.Scopes))
		for n, s := range p.Scopes {
			scopes[n] = httpapi.Scope(s)
		}
		producers = append(producers, httpapi.Producer{Name: p.Name, TokenSHA256: tokens, Scopes: scopes})
	}
	operators := make([]console.Operator, 0, len(a.cfg.Operators))
	for _, o := range a.cfg.Operators {
		hash, err := o.Hash()
		if err != nil {
			return nil, fmt.Errorf("operator %s: %w", o.Name, err)
		}
		operators = append(operators, console.Operator{Name: o.Name, PasswordSHA256: hash})
	}
	var err error
	if a.console, err = console.New(console.Config{Operators: operators, RedisConnOpt: a.queue.RedisConnOpt()}); err != nil {
		return nil, err
	}
	mounts := map[string]http.Handler{console.Root: a.console}
	if err := a.mountDownloads(mounts); err != nil {
		return nil, err
	}
	return httpapi.New(httpapi.Config{
		Gateway: a.gateway, Producers: producers, MaxBody: a.cfg.HTTP.MaxBody, Now: time.Now,
		Version: a.opts.Version, Logger: a.log.With("part", "api"),
		Mounts: mounts, Channels: a.states,
	})
}

// states tells how the far end of each channel fares.
func (a *App) states() map[string]string {
	states := make(map[string]string, len(a.channels))
	for _, c := range a.channels {
		states[c.Name()] = c.State()
	}
	return states
}

// listenPush opens the endpoint for statuses: mutual TLS, trusting the configured roots only.
func (a *App) listenPush(ctx context.Context) error {
	b := a.cfg.Beskedfordeler
	cert, err := tls.LoadX509KeyPair(b.CertificateFile, b.KeyFile)
	if err != nil {
		return config.Errors{{Key: "beskedfordeler.certificate_file", Text: err.Error()}}
	}
	roots, err := config.Pool(b.ClientCAFile, false)
	if err != nil {
		return config.Errors{{Key: "beskedfordeler.client_ca_file", Text: err.Error()}}
	}
	receipt := print.Receipts(print.Returned{}, a.codes)
	mux := http.NewServeMux()
	mux.Handle(PushPath, beskedfordeler.PushHandler(beskedfordeler.PushConfig{
		Logger: a.log.With("part", "beskedfordeler"),
		Deliver: func(ctx context.Context, raw []byte, b *beskedfordeler.Besked) error {
			_, err := a.gateway.Settle(ctx, receipt(raw, b))
			return err
		},
	}))
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12,
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots,
		},
	}
	a.push, err = open(ctx, "beskedfordeler.listen", b.Listen, server)
	return err
}

func open(ctx context.Context, key, address string, server *http.Server) (listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return listener{}, config.Errors{{Key: key, Text: err.Error(), Hint: "another program may listen there"}}
	}
	return listener{Listener: l, server: server}, nil
}
