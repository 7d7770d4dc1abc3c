package sf1601

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/brevdue/brevdue/sf1601/sts"
)

// Client calls Serviceplatformen on behalf of one authority. It is safe for
// concurrent use and keeps its connections and tokens; make one and keep it.
type Client struct {
	cfg       Config
	transport *http.Transport
	http      *resty.Client
	tokens    *sts.Source
}

// New checks the configuration and makes a client; nothing is called yet. An
// expired certificate is not an error here (see CheckCertificate), calls give
// Denied then. Close frees the connections.
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("sf1601: %w", err)
	}
	transport := newTransport(cfg)
	hc := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	tokens, err := sts.New(sts.Config{
		STS: cfg.Endpoints.STS, Base: cfg.Endpoints.Base, HTTP: hc, CertificateDER: cfg.Certificate.Certificate[0],
		Timeout: cfg.Timeouts.Token, Now: cfg.Now, NewUUID: cfg.NewUUID,
		Mode: cfg.STSMode, Certificate: cfg.Certificate, TrustedSTS: cfg.STSCertificates,
	})
	if err != nil {
		return nil, fmt.Errorf("sf1601: %w", err)
	}
	calls := resty.NewWithClient(hc).SetDisableWarn(true).SetLogger(silent{}).SetPreRequestHook(attachBody)
	return &Client{cfg: cfg, transport: transport, http: calls, tokens: tokens}, nil
}

// newTransport speaks HTTP/1.1 only (the far end resets HTTP/2 streams) and
// always presents the certificate, whatever authorities the server lists.
func newTransport(cfg Config) *http.Transport {
	certificate := cfg.Certificate
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: (&net.Dialer{Timeout: cfg.Timeouts.Dial, KeepAlive: 30 * time.Second}).DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion:           tls.VersionTLS12,
			RootCAs:              cfg.RootCAs,
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil },
			NextProtos:           []string{"http/1.1"},
			ClientSessionCache:   tls.NewLRUClientSessionCache(cfg.MaxConns),
		},
		Protocols:              protocols,
		TLSHandshakeTimeout:    cfg.Timeouts.TLS,
		ResponseHeaderTimeout:  cfg.Timeouts.Answer,
		MaxIdleConnsPerHost:    cfg.MaxConns,
		MaxConnsPerHost:        cfg.MaxConns,
		IdleConnTimeout:        30 * time.Second, // below the server's own, lest a letter meets a closing connection
		WriteBufferSize:        16 << 10,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// Close ends token requests under way and closes idle connections. Calls that
// are being made are not disturbed.
func (c *Client) Close() {
	c.tokens.Close()
	c.transport.CloseIdleConnections()
}

// Tokens gives the source of the client's tokens, for services that take a SAML
// token in another way (Beskedfordeler over AMQP).
func (c *Client) Tokens() *sts.Source { return c.tokens }

// token gives an access token, or an *Error: Denied when we are refused or our
// certificate is not valid now, otherwise Temporary.
func (c *Client) token(ctx context.Context, a sts.Audience) (sts.Access, error) {
	if err := CheckCertificate(c.cfg.Certificate, c.cfg.Now()); err != nil {
		e := &Error{Class: Denied, Op: OpCertificate, Code: CodeExpired, Err: err}
		if period, ok := errors.AsType[*CertificateError](err); ok {
			e.Hint = period.Hint
		}
		return sts.Access{}, e
	}
	access, err := c.tokens.Access(ctx, a)
	if err == nil {
		return access, nil
	}
	e := &Error{Class: Temporary, Op: OpToken, Err: err}
	if refused, ok := errors.AsType[*sts.Error](err); ok {
		e.Op, e.Err, e.HTTPStatus, e.RetryAfter, e.Hint = refused.Op, refused.Err, refused.HTTPStatus, refused.RetryAfter, refused.Hint
		if refused.Denied {
			e.Class = Denied
		}
	}
	e.handshake()
	return sts.Access{}, e
}

// handshake adds what a failed TLS handshake says: a far end we do not trust
// gets a hint, and one that refuses our certificate by an alert is Denied.
func (e *Error) handshake() {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](e.Err); ok {
		e.hint("The far end's certificate is not trusted: check the address, or name its root in ca_file.")
	}
	if alert, ok := errors.AsType[*net.OpError](e.Err); ok && alert.Op == "remote error" {
		e.Class = Denied
		e.hint("The far end refuses the system certificate in the TLS handshake: is it of this environment, and is its chain complete?")
	}
}

// silent keeps resty from writing to the log on its own.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
