package beskedfordeler

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// PushServer serves handler over mutual TLS: only a client whose certificate
// chains to roots, and whose subject is one of subjects, gets as far as a
// request. No subjects: every client of the roots. Each subject is a common
// name ("BFO_PROD_Beskedfordeler_1") or, where it holds an equals sign, a whole
// distinguished name as [crypto/x509/pkix.Name.String] writes it.
//
// A slow client is dropped: 10 seconds for the header, 30 for the whole
// request, 60 until the answer is read. Call ServeTLS(listener, "", "").
// [src: SF1461-SAMPLES 2-way TLS]
func PushServer(handler http.Handler, certificate tls.Certificate, roots *x509.CertPool, subjects []string) (*http.Server, error) {
	switch {
	case roots == nil:
		return nil, errors.New("beskedfordeler: push needs the roots of its clients: without them every certificate would do")
	case len(certificate.Certificate) == 0:
		return nil, errors.New("beskedfordeler: push needs a certificate of its own")
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12,
		ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: roots,
	}
	if len(subjects) > 0 {
		verify, err := PinnedSubjects(subjects)
		if err != nil {
			return nil, err
		}
		config.VerifyConnection = verify
	}
	return &http.Server{
		Handler: handler, TLSConfig: config, MaxHeaderBytes: 64 << 10,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
	}, nil
}

// PinnedSubjects returns a tls.Config.VerifyConnection that lets in only
// verified clients with one of the subjects, which are those of [PushServer].
// It is asked for resumed connections, too.
func PinnedSubjects(subjects []string) (func(tls.ConnectionState) error, error) {
	pinned := make([]string, 0, len(subjects))
	for n, s := range subjects {
		if s = strings.TrimSpace(s); s == "" {
			return nil, fmt.Errorf("beskedfordeler: subject %d is empty", n)
		}
		pinned = append(pinned, s)
	}
	if len(pinned) == 0 {
		return nil, errors.New("beskedfordeler: no subject is pinned")
	}
	return func(state tls.ConnectionState) error {
		if len(state.VerifiedChains) == 0 || len(state.PeerCertificates) == 0 {
			return errors.New("beskedfordeler: the client has no verified certificate")
		}
		subject := state.PeerCertificates[0].Subject
		for _, p := range pinned {
			if strings.Contains(p, "=") && p == subject.String() || !strings.Contains(p, "=") && p == subject.CommonName {
				return nil
			}
		}
		return errors.New("beskedfordeler: the client's certificate has another subject than the pinned ones")
	}, nil
}
