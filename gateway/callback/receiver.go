package callback

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/brevdue/brevdue/gateway/webhook"
)

// Limits of a call.
const (
	DefaultConcurrency = 8
	// DefaultTimeout is how long a call may take in all, from looking up the name to the last byte of the answer.
	DefaultTimeout = 5 * time.Second
	maxAnswer      = 64 << 10
	maxHeader      = 32 << 10
)

// Receiver is where a producer wants to be told, and how. Producer, URL and SecretFile are required.
type Receiver struct {
	Producer string
	URL      string // https; without user, password and fragment. It should hold nothing secret.
	// SecretFile has one secret a line, whsec_ and the base64 of 24 to 64 bytes; empty lines and those that begin with #
	// do not count. Every secret signs, so that one can be replaced without a pause. It is read again when it changes.
	SecretFile string

	AllowPrivate bool // addresses of private networks, this machine and the like may be called
	AllowHTTP    bool // http may be spoken; for tests

	CAFile          string // PEM of further roots to trust; ""; those of the system alone
	CertificateFile string // PEM of a client certificate, with KeyFile; "": none
	KeyFile         string

	Concurrency int           // calls at a time; default DefaultConcurrency
	Timeout     time.Duration // of a call in all; default DefaultTimeout
}

// receiver is a Receiver at work.
type receiver struct {
	Receiver

	client  *http.Client
	secrets *webhook.Secrets
	seats   seats
	counts  counts
	failing atomic.Bool
}

func newReceiver(r Receiver, log *slog.Logger) (*receiver, error) {
	if r.Concurrency <= 0 {
		r.Concurrency = DefaultConcurrency
	}
	if r.Timeout <= 0 {
		r.Timeout = DefaultTimeout
	}
	if r.Producer == "" {
		return nil, errors.New("the producer has no name")
	}
	if err := checkURL(r.URL, r.AllowHTTP); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	transport, err := r.transport()
	if err != nil {
		return nil, err
	}
	s, err := webhook.Open(r.SecretFile, log.With("producer", r.Producer))
	if err != nil {
		return nil, fmt.Errorf("secret_file: %w", err)
	}
	return &receiver{
		Receiver: r, secrets: s, seats: seats{all: r.Concurrency},
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// checkURL refuses what cannot be called safely. Its errors do not quote the URL.
func checkURL(raw string, allowHTTP bool) error {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return errors.New("it is missing")
	case err != nil:
		return errors.New("it is no URL")
	case u.Scheme != "https" && (u.Scheme != "http" || !allowHTTP):
		return errors.New("it must begin with https://")
	case u.Hostname() == "":
		return errors.New("it names no host")
	case u.User != nil:
		return errors.New("it must hold no user or password; the signature proves who calls")
	case u.Fragment != "":
		return errors.New("it must not have a fragment")
	}
	return nil
}

// transport is a connection of its own for every receiver, with nothing from the environment.
func (r *Receiver) transport() (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.CAFile != "" {
		pem, err := os.ReadFile(r.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		if config.RootCAs, err = x509.SystemCertPool(); err != nil {
			config.RootCAs = x509.NewCertPool()
		}
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("ca_file: it holds no certificate")
		}
	}
	if r.CertificateFile != "" || r.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(r.CertificateFile, r.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("certificate_file and key_file: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	dialer := &net.Dialer{Timeout: r.Timeout}
	if !r.AllowPrivate {
		dialer.Control = publicOnly
	}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConnsPerHost:    r.Concurrency,
		MaxConnsPerHost:        r.Concurrency,
		IdleConnTimeout:        30 * time.Second,
	}, nil
}
