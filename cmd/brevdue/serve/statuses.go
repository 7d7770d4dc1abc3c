package serve

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"github.com/brevdue/brevdue/channels/print"
	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/serve/certs"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/sts"
)

// PushPath is where Beskedfordeler posts statuses.
const PushPath = "/beskedfordeler/PostStatusBeskedModtag"

// statuses reads what Beskedfordeler brings and hands it to the gateway, whichever road it takes.
type statuses struct {
	gateway   *gateway.Gateway
	documents gateway.Documents
	receipt   func(raw []byte, b *beskedfordeler.Besked) gateway.Receipt
}

func (a *App) statuses() statuses {
	return statuses{a.gateway, a.documents, print.Receipts(print.Returned{}, a.codes)}
}

func (s statuses) deliver(ctx context.Context, raw []byte, b *beskedfordeler.Besked) error {
	_, err := s.gateway.Settle(ctx, s.receipt(raw, b))
	return err
}

// unreadable keeps a body that cannot be read. One too large for the journal goes to the document store, and the journal
// keeps its name there.
func (s statuses) unreadable(ctx context.Context, raw []byte, reason string) error {
	raw = beskedfordeler.MaskCredentials(raw)
	if len(raw) > gateway.MaxUnreadable {
		name, size, err := s.documents.Put(ctx, bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return err
		}
		raw = fmt.Appendf(nil, "%d bytes, kept as document %s", size, name)
	}
	return s.gateway.KeepUnreadable(ctx, raw, reason)
}

// readReceipt reads a body that could not be read before.
func (a *App) readReceipt(raw []byte) (gateway.Receipt, error) {
	b, err := beskedfordeler.Decode(raw)
	if err != nil {
		return gateway.Receipt{}, err
	}
	return a.statuses().receipt(raw, b), nil
}

// openPull makes the pullers of the configured dueslag, each of which takes one message at a time. They connect when they
// run.
func (a *App) openPull() error {
	b, s := a.cfg.Beskedfordeler, a.cfg.Serviceplatformen
	cert, key, err := a.cfg.Certificate()
	if err != nil {
		return config.Errors{{Key: key, Text: err.Error()}}
	}
	secure := certs.Modern(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	if s.CAFile != "" {
		if secure.RootCAs, err = config.Pool(s.CAFile, true); err != nil {
			return config.Errors{{Key: "serviceplatformen.ca_file", Text: err.Error()}}
		}
	}
	in := a.statuses()
	cfg := beskedfordeler.PullConfig{
		URL: b.AMQPURL, Queue: b.Queue, TLS: secure, Token: a.loginToken(sts.Audience{CVR: s.CVR, EntityID: b.EntityID}),
		Deliver: in.deliver, Quarantine: in.unreadable,
		Now: time.Now, Logger: a.log.With("part", "beskedfordeler"),
	}
	for range b.Consumers {
		p, err := beskedfordeler.NewPuller(cfg)
		if err != nil {
			return config.Errors{{Key: "beskedfordeler.amqp_url", Text: err.Error()}}
		}
		a.pullers = append(a.pullers, p)
	}
	return nil
}

// loginToken gives the assertion that logs in to the broker.
func (a *App) loginToken(audience sts.Audience) func(context.Context) ([]byte, time.Time, error) {
	return func(ctx context.Context) ([]byte, time.Time, error) {
		token, err := a.client.Tokens().SAML(ctx, audience)
		if err != nil {
			return nil, time.Time{}, err
		}
		assertion, err := token.XML()
		return assertion, token.Expires, err
	}
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
	in, mux := a.statuses(), http.NewServeMux()
	mux.Handle(PushPath, beskedfordeler.PushHandler(beskedfordeler.PushConfig{
		Logger: a.log.With("part", "beskedfordeler"), Deliver: in.deliver, Unreadable: in.unreadable,
	}))
	server, err := beskedfordeler.PushServer(plain(mux), cert, roots, b.Subjects)
	if err != nil {
		return config.Errors{{Key: "beskedfordeler.subjects", Text: err.Error()}}
	}
	if err := a.refresh(server, "beskedfordeler", b.CertificateFile, b.KeyFile, b.ClientCAFile); err != nil {
		return err
	}
	a.push, err = open(ctx, "beskedfordeler.listen", b.Listen, server)
	return err
}
