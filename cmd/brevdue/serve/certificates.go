package serve

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/gateway/httpapi"
)

// refresh lets a listener with mutual TLS take its certificate and its callers' roots from their files while it serves.
// section is the part of the configuration, which is also the role.
func (a *App) refresh(server *http.Server, section, certificateFile, keyFile, rootsFile string) error {
	pair, err := a.certs.Pair(section, certificateFile, keyFile)
	if err != nil {
		return config.Errors{{Key: section + ".certificate_file", Text: err.Error()}}
	}
	roots, err := a.certs.Roots(section+" callers", rootsFile)
	if err != nil {
		return config.Errors{{Key: section + ".client_ca_file", Text: err.Error()}}
	}
	server.TLSConfig = a.certs.Server(server.TLSConfig, pair, roots)
	return nil
}

// watchSystemCertificate warns before the system certificate ends. A new one is taken at the next start only: tokens and
// logins at the broker are bound to it, and letters on their way are signed with its key, so that all of it must change at
// once. cert is the one in use.
func (a *App) watchSystemCertificate(cert tls.Certificate) error {
	s := a.cfg.Serviceplatformen
	files := slices.DeleteFunc([]string{s.CertificateFile, s.KeyFile, s.PKCS12File}, func(f string) bool { return f == "" })
	first := true
	return a.certs.Watch("serviceplatformen", files, func() (tls.Certificate, error) {
		if first {
			first = false
			return cert, nil
		}
		renewed, _, err := a.cfg.Certificate()
		return renewed, err
	})
}

// expiring are the certificates to warn of.
func (a *App) expiring() []httpapi.CertificateHealth {
	var list []httpapi.CertificateHealth
	for _, w := range a.certs.Warnings() {
		list = append(list, httpapi.CertificateHealth(w))
	}
	return list
}

// registerMetrics adds what this process counts itself.
func (a *App) registerMetrics(registry *prometheus.Registry) error {
	for _, c := range []prometheus.Collector{a.gauges(), a.certs} {
		if err := registry.Register(c); err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
	}
	return nil
}
