package certs

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	"github.com/prometheus/client_golang/prometheus"
)

// stat describes the files as they are, behind links: a mounted secret changes by its link.
func stat(files []string) ([]os.FileInfo, error) {
	list := make([]os.FileInfo, len(files))
	for n, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		list[n] = info
	}
	return list, nil
}

func same(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}

// parse reads every certificate of a PEM file.
func parse(raw []byte) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for block, rest := pem.Decode(raw); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", len(all)+1, err)
		}
		all = append(all, cert)
	}
	if len(all) == 0 {
		return nil, errors.New("the file holds no certificate")
	}
	return all, nil
}

var _ prometheus.Collector = (*Keeper)(nil)

// describe makes the descriptions of the metrics.
func describe() (expiry, loads *prometheus.Desc) {
	return prometheus.NewDesc("brevdue_certificate_expiry_timestamp_seconds",
			"When the certificate in use ends, in seconds since 1970, by what it is for.", []string{"role"}, nil),
		prometheus.NewDesc("brevdue_certificate_reloads_total",
			"New certificate files that were seen while running, by what became of them.", []string{"role", "result"}, nil)
}

// Describe implements prometheus.Collector.
func (k *Keeper) Describe(to chan<- *prometheus.Desc) {
	expiry, loads := describe()
	to <- expiry
	to <- loads
}

// Collect implements prometheus.Collector.
func (k *Keeper) Collect(to chan<- prometheus.Metric) {
	k.mu.Lock()
	defer k.mu.Unlock()
	expiry, loads := describe()
	for _, e := range k.entries {
		end := float64(e.current.Load().leaf.NotAfter.Unix())
		to <- prometheus.MustNewConstMetric(expiry, prometheus.GaugeValue, end, e.role)
		to <- prometheus.MustNewConstMetric(loads, prometheus.CounterValue, float64(e.reloads), e.role, "taken")
		to <- prometheus.MustNewConstMetric(loads, prometheus.CounterValue, float64(e.failures), e.role, "refused")
	}
}
