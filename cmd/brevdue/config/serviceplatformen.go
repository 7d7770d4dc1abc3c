package config

import (
	"crypto/tls"
	"errors"
	"strings"
	"time"

	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/sts"
)

func (c *Config) checkServiceplatformen(f *findings) {
	s := c.Serviceplatformen
	f.oneOf("serviceplatformen.environment", s.Environment, "sim", "exttest", "prod", "custom")
	f.oneOf("serviceplatformen.signature", s.Signature,
		string(signature.Detached), string(signature.TechnicalDocument), string(signature.Enveloped))
	f.oneOf("serviceplatformen.sts", s.STS, string(sts.REST), string(sts.SOAP))
	f.oneOf("serviceplatformen.memo_version", s.MemoVersion, string(memo.V1_1), string(memo.V1_2))
	f.cvr("serviceplatformen.cvr", s.CVR)
	if s.Environment == "custom" {
		if err := (sf1601.Endpoints{STS: s.STSURL, Base: s.BaseURL}).Validate(); err != nil {
			key := "serviceplatformen.base_url"
			if strings.Contains(err.Error(), "STS") {
				key = "serviceplatformen.sts_url"
			}
			f.add(key, err.Error(), "with environment custom both sts_url and base_url are needed")
		}
	} else if s.STSURL != "" || s.BaseURL != "" {
		f.add("serviceplatformen.environment", "sts_url and base_url are for environment custom only",
			"set environment: custom, or leave them out")
	}
	if _, key, err := c.Certificate(); err != nil {
		f.add(key, err.Error(),
			hint(err, "the system certificate as PEM (certificate_file, key_file), or as PKCS#12 (pkcs12_file, password_file)"))
	}
	certificatePool(f, "serviceplatformen.ca_file", s.CAFile, false)
	if s.STSCertificateFile != "" {
		if _, err := CertificatesOf(s.STSCertificateFile); err != nil {
			f.add("serviceplatformen.sts_certificate_file", err.Error(), "a PEM file with the certificates of the STS")
		}
	}
}

// hint prefers what the error itself advises.
func hint(err error, otherwise string) string {
	var e *sf1601.CertificateError
	if errors.As(err, &e) && e.Hint != "" {
		return e.Hint
	}
	return otherwise
}

// Certificate loads the system certificate, and names the key that is at fault when it cannot.
func (c *Config) Certificate() (tls.Certificate, string, error) {
	s := c.Serviceplatformen
	key := "serviceplatformen.certificate_file"
	var cert tls.Certificate
	var err error
	if s.PKCS12File != "" {
		key = "serviceplatformen.pkcs12_file"
		cert, err = sf1601.LoadPKCS12(s.PKCS12File, s.PasswordFile)
	} else {
		if s.CertificateFile != "" && s.KeyFile == "" {
			key = "serviceplatformen.key_file"
		}
		cert, err = sf1601.LoadPEM(s.CertificateFile, s.KeyFile)
	}
	if err == nil {
		err = sf1601.CheckCertificate(cert, time.Now())
	}
	return cert, key, err
}
