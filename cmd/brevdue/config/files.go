package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"time"
)

// pair checks a PEM certificate and key of a listener of ours.
func pair(f *findings, section, certFile, keyFile string, required bool) {
	switch {
	case certFile == "" && keyFile == "":
		if required {
			f.add(section+".certificate_file", "missing", "the listener needs a PEM certificate and key")
		}
		return
	case certFile == "":
		f.add(section+".certificate_file", "missing", "key_file is set, so this must be too")
		return
	case keyFile == "":
		f.add(section+".key_file", "missing", "certificate_file is set, so this must be too")
		return
	}
	cert, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		f.add(section+".certificate_file", err.Error(), "PEM files of a certificate and its key")
		return
	}
	if leaf := cert.Leaf; leaf != nil && time.Now().After(leaf.NotAfter) {
		f.add(section+".certificate_file", "expired "+leaf.NotAfter.UTC().Format(time.RFC3339), "renew the certificate")
	}
}

// certificatePool checks and reads a PEM file of trust roots. nil when there is none.
func certificatePool(f *findings, key, file string, required bool) {
	if file == "" {
		if required {
			f.add(key, "missing", "who may call is decided by the roots in this PEM file")
		}
		return
	}
	if _, err := Pool(file, false); err != nil {
		f.add(key, err.Error(), "a PEM file with one or more CA certificates")
	}
}

type poolError string

func (e poolError) Error() string { return string(e) }

// Pool reads trust roots from a PEM file, on top of the system's own when asked.
func Pool(file string, withSystem bool) (*x509.CertPool, error) {
	raw, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if withSystem {
		if system, err := x509.SystemCertPool(); err == nil {
			pool = system
		}
	}
	if !pool.AppendCertsFromPEM(raw) {
		return nil, poolError(file + " holds no certificate")
	}
	return pool, nil
}

// CertificatesOf reads the certificates of a PEM file; anything else in it is an error.
func CertificatesOf(file string) ([]*x509.Certificate, error) {
	raw, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			return nil, poolError(file + " holds a " + block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, poolError(file + " holds a certificate that cannot be read")
		}
		found = append(found, cert)
	}
	if len(found) == 0 {
		return nil, poolError(file + " holds no certificate")
	}
	return found, nil
}
