package sf1606

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Pin names a caller by its certificate. Every field that is not empty must fit; a pin without any is an error.
//
// A certificate is renewed every three years (OCES3), with a new key. Parts of its subject are made to outlive that:
// SerialNumber, the system's own UUID, and Organization, its company; CommonName does so as long as nobody renames the
// system. SPKI pins one key and must be changed with it. Pin Organization and SerialNumber where the certificate has
// them (Organization alone lets in every system of that company), and keep old and new side by side over a change. The
// whole distinguished name cannot be pinned: every tool writes it in another way. [src: OCES3-CA1]
type Pin struct {
	SerialNumber string // serialNumber of the subject, such as UI:DK-O:G:<uuid>; not the certificate's own number
	Organization string // organizationIdentifier (2.5.4.97), such as NTRDK-<CVR>
	CommonName   string // exactly
	SPKI         string // SHA-256 of the SubjectPublicKeyInfo: 64 hexadecimal digits, colons allowed
}

// SubjectOf is the distinguished name of a certificate, most specific part first, as Arrival.Peer has it.
func SubjectOf(c *x509.Certificate) string { return c.Subject.String() }

// oidOrganization is organizationIdentifier.
const oidOrganization = "2.5.4.97"

func organizationOf(c *x509.Certificate) string {
	for _, n := range c.Subject.Names {
		if n.Type.String() == oidOrganization {
			if s, ok := n.Value.(string); ok {
				return s
			}
		}
	}
	return ""
}

// Matches tells whether the certificate is the one that the pin names.
func (p Pin) Matches(c *x509.Certificate) bool {
	fits := func(want, have string) bool { return want == "" || strings.EqualFold(want, have) }
	return fits(p.SerialNumber, c.Subject.SerialNumber) && fits(p.Organization, organizationOf(c)) &&
		(p.CommonName == "" || p.CommonName == c.Subject.CommonName) && fits(strings.ReplaceAll(p.SPKI, ":", ""), keyOf(c))
}

// keyOf is the SHA-256 of the SubjectPublicKeyInfo.
func keyOf(c *x509.Certificate) string {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

func (p Pin) check() error {
	if p == (Pin{}) {
		return errors.New("a pin without any field")
	}
	if p.SPKI == "" {
		return nil
	}
	if b, err := hex.DecodeString(strings.ReplaceAll(p.SPKI, ":", "")); err != nil || len(b) != sha256.Size {
		return errors.New("SPKI is not 64 hexadecimal digits")
	}
	return nil
}

// TLS says whom a server lets in.
type TLS struct {
	Certificate tls.Certificate // the server's own, with its key
	ClientCAs   *x509.CertPool  // whose certificates callers must have; required
	Pins        []Pin           // callers; none means everyone whom ClientCAs vouch for
}

// Config is TLS 1.2 or newer that demands a client certificate. A caller without one, of another root, or fitting no pin
// gets a TLS error and no answer. Pins are looked at on resumed sessions too.
func (t TLS) Config() (*tls.Config, error) {
	if t.ClientCAs == nil {
		return nil, errors.New("sf1606: TLS: no roots for callers")
	}
	if len(t.Certificate.Certificate) == 0 {
		return nil, errors.New("sf1606: TLS: no certificate")
	}
	for i, p := range t.Pins {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("sf1606: TLS: pin %d: %w", i+1, err)
		}
	}
	pins := slices.Clone(t.Pins)
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{t.Certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    t.ClientCAs,
		NextProtos:   []string{"http/1.1"},
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(pins) == 0 {
				return nil
			}
			if len(s.PeerCertificates) == 0 {
				return errors.New("sf1606: the caller has no certificate")
			}
			leaf := s.PeerCertificates[0]
			if slices.ContainsFunc(pins, func(p Pin) bool { return p.Matches(leaf) }) {
				return nil
			}
			// For the log of the server, so that the right pin can be made; a name could be a person's.
			return fmt.Errorf("sf1606: the caller's certificate fits no pin: organization %q, SPKI %s", organizationOf(leaf), keyOf(leaf))
		},
	}, nil
}

// NewServer is a server for Handler with time limits that fit it: short ones on headers and idle connections, none on
// bodies and answers, which the handler limits by their progress. It speaks HTTP/1.1. logger may be nil.
func NewServer(h http.Handler, config *tls.Config, logger *slog.Logger) *http.Server {
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler: h, TLSConfig: config, Protocols: protocols,
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelInfo),
	}
}
