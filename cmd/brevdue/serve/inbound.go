package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/serve/certs"
	"github.com/brevdue/brevdue/gateway/hygiene"
	"github.com/brevdue/brevdue/gateway/hygiene/clamd"
	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/inbound/target"
	"github.com/brevdue/brevdue/gateway/queue"
	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/sf1606"
)

// scanner asks clamd, and hears only whether something was found.
type scanner struct{ client *clamd.Client }

// Scan implements inbound.VirusScanner.
func (s scanner) Scan(ctx context.Context, r io.Reader) (string, error) {
	result, err := s.client.Scan(ctx, r)
	if err != nil || !result.Infected {
		return "", err
	}
	return result.Signature, nil
}

// openInbound makes the receiver of inbound post, where the configuration has one.
func (a *App) openInbound() error {
	s := a.cfg.SF1606
	if !s.Receives() {
		return nil
	}
	rules, err := routing.Load(s.RoutesFile)
	if err != nil {
		return config.Errors{{Key: "sf1606.routes_file", Text: err.Error()}}
	}
	for _, f := range rules.Check() {
		a.log.Warn("distribution rules", "severity", string(f.Severity), "code", string(f.Code),
			"place", f.Place.String(), "finding", f.Text)
	}
	targets, err := a.openTargets(rules)
	if err != nil {
		return err
	}
	cfg := inbound.Config{
		Journal: a.gateway.Outbox(), Documents: a.documents, Queue: a.queue, Rules: rules, Targets: targets,
		Hygiene: hygiene.Options{Flag: codesOf(s.Flag), Tolerate: codesOf(s.Tolerate)}, OnFlag: inbound.OnFlag(s.OnFlag),
		Now: time.Now, NewID: newID, NewUUID: uuid.NewString, Jitter: mathrand.Float64, Worker: worker(),
		Logger: a.log.With("part", "inbound"),
	}
	if s.PublicURL != "" {
		cfg.DocumentURL = func(id string, n int) string {
			return strings.TrimSuffix(s.PublicURL, "/") + "/v1/inbound/" + id + "/documents/" + strconv.Itoa(n)
		}
	}
	if s.Clamd != "" {
		client, err := clamd.New(clamd.Config{Address: s.Clamd})
		if err != nil {
			return config.Errors{{Key: "sf1606.clamd", Text: err.Error()}}
		}
		cfg.Scanner = scanner{client}
	}
	a.inbound, err = inbound.New(cfg)
	return err
}

func codesOf(names []string) []hygiene.Code {
	list := make([]hygiene.Code, len(names))
	for n, name := range names {
		list[n] = hygiene.Code(name)
	}
	return list
}

// openTargets makes every target of the rules.
func (a *App) openTargets(rules *routing.Rules) (map[string]inbound.Target, error) {
	s := a.cfg.SF1606
	opts := target.Options{
		MailFrom: s.MailFrom, MailMax: s.MailMax, AMQPMax: s.AMQPMax, Zone: actions.Copenhagen(),
		Now: time.Now, Logger: a.log.With("part", "inbound"),
	}
	if address := a.cfg.Channels[smtp.Name].URL; address != "" {
		server, err := smtp.ParseURL(address)
		if err != nil {
			return nil, err
		}
		relay := smtp.NewRelay(server, time.Now)
		a.closers = append(a.closers, relay.Close)
		opts.Mailer = relay
	}
	targets := make(map[string]inbound.Target)
	for _, t := range rules.Targets() {
		made, err := target.New(t, opts)
		if err != nil {
			return nil, config.Errors{{Key: "sf1606.routes_file", Text: err.Error()}}
		}
		targets[t.Name] = made
		if c, ok := made.(io.Closer); ok {
			a.closers = append(a.closers, func() {
				if err := c.Close(); err != nil {
					a.log.Warn("close a target", "target", t.Name, "error", err)
				}
			})
		}
	}
	return targets, nil
}

// listenInbound opens PostModtag.
func (a *App) listenInbound(ctx context.Context) error {
	s := a.cfg.SF1606
	cert, err := tls.LoadX509KeyPair(s.CertificateFile, s.KeyFile)
	if err != nil {
		return config.Errors{{Key: "sf1606.certificate_file", Text: err.Error()}}
	}
	roots, err := config.Pool(s.ClientCAFile, false)
	if err != nil {
		return config.Errors{{Key: "sf1606.client_ca_file", Text: err.Error()}}
	}
	pins := make([]sf1606.Pin, len(s.Pins))
	for n, p := range s.Pins {
		pins[n] = sf1606.Pin{SerialNumber: p.SerialNumber, Organization: p.Organization, CommonName: p.CommonName, SPKI: p.SPKI}
	}
	secure, err := sf1606.TLS{Certificate: cert, ClientCAs: roots, Pins: pins}.Config()
	if err != nil {
		return config.Errors{{Key: "sf1606.pins", Text: err.Error()}}
	}
	handler, err := sf1606.Handler(sf1606.Config{
		Intake: a.intake(), Path: s.Path, Format: sf1606.Format(s.Format), Statuses: sf1606.Statuses{Refused: s.RefusedStatus},
	})
	if err != nil {
		return config.Errors{{Key: "sf1606", Text: err.Error()}}
	}
	server := sf1606.NewServer(handler, secure, a.log.With("part", "sf1606"))
	if err := a.refresh(server, "sf1606", s.CertificateFile, s.KeyFile, s.ClientCAFile); err != nil {
		return err
	}
	a.postmodtag, err = open(ctx, "sf1606.listen", s.Listen, server)
	return err
}

// intake is what both roads in have in common.
func (a *App) intake() sf1606.Intake {
	return sf1606.Intake{
		Sink: a.inbound, Authorities: a.cfg.SF1606.Authorities, Now: time.Now, NewUUID: uuid.NewString,
		Logger: a.log.With("part", "sf1606"),
	}
}

// openNgDP makes the pull from Digital Post itself.
func (a *App) openNgDP() error {
	n := a.cfg.SF1606.NgDP
	cert, key, err := a.cfg.Certificate()
	if err != nil {
		return config.Errors{{Key: key, Text: err.Error()}}
	}
	secure := certs.Modern(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if file := a.cfg.Serviceplatformen.CAFile; file != "" {
		if secure.RootCAs, err = config.Pool(file, true); err != nil {
			return config.Errors{{Key: "serviceplatformen.ca_file", Text: err.Error()}}
		}
	}
	transport := &http.Transport{TLSClientConfig: secure, MaxIdleConnsPerHost: max(1, n.Parallel)}
	a.closers = append(a.closers, transport.CloseIdleConnections)
	a.ngdp, err = sf1606.NewNgDP(sf1606.NgDPConfig{
		Intake: a.intake(), BaseURL: n.URL, HTTP: &http.Client{Transport: transport},
		Interval: n.Interval, Parallel: n.Parallel, KeepMemos: n.Keep,
	})
	if err != nil {
		return config.Errors{{Key: "sf1606.ngdp.url", Text: err.Error()}}
	}
	return nil
}

// startInbound brings posts to their targets.
func (a *App) startInbound(ctx context.Context, group *errgroup.Group) {
	if a.inbound == nil {
		return
	}
	group.Go(func() error {
		return a.queue.RunPosts(ctx, queue.PostWorkers{Deliverer: a.inbound, Concurrency: a.cfg.SF1606.Concurrency})
	})
	group.Go(func() error {
		every(ctx, sweepEvery, func() {
			if _, err := a.inbound.Sweep(ctx); err != nil && !errors.Is(err, context.Canceled) {
				a.log.ErrorContext(ctx, "sweep of inbound post failed, it will be repeated", "error", err)
			}
		})
		return nil
	})
}
