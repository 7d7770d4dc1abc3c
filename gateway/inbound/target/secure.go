package target

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"

	"github.com/brevdue/brevdue/gateway/routing"
)

// tlsOf is how connections to a target are protected.
func tlsOf(t routing.Target) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, errors.New("ca_file: it holds no certificate")
		}
	}
	if t.CertificateFile == "" && t.KeyFile == "" {
		return config, nil
	}
	pair, err := tls.LoadX509KeyPair(t.CertificateFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("certificate_file and key_file: %w", err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config, nil
}
