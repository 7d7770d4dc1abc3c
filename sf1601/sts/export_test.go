package sts

import (
	"crypto/tls"
	"net/http"
	"time"
)

// SignedRequest is the SOAP request of an issue.
func SignedRequest(cert tls.Certificate, a Audience, messageID string, now time.Time) ([]byte, error) {
	k, err := newSigner(cert, cert.Certificate[0])
	if err != nil {
		return nil, err
	}
	return k.envelope(a, messageID, now)
}

// ReadIssuedSOAP cuts the assertion out of an answer.
func ReadIssuedSOAP(answer []byte) ([]byte, error) { return readIssuedSOAP(answer) }

// ReadFault is readFault of an answer without headers; nil when it is none.
func ReadFault(status int, body []byte, now time.Time) *Error {
	return readFault(&response{status: status, header: http.Header{}, body: body}, now)
}
