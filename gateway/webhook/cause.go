package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Cause is the word for why a call got no answer.
type Cause string

// The causes.
const (
	CauseTimeout Cause = "timeout"           // the call took too long
	CauseName    Cause = "name_unknown"      // the name means no address
	CauseTLS     Cause = "tls"               // certificate or handshake
	CauseConnect Cause = "connect"           // nobody listens, or the connection broke
	CauseAnswer  Cause = "answer_unreadable" // no HTTP, a header too large
)

// CauseOf finds the word for the error of an http.Client. ctx is the call's.
func CauseOf(ctx context.Context, err error) Cause {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var operation *net.OpError
	var timeout net.Error
	switch {
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return CauseTimeout
	case errors.As(err, &dns):
		return CauseName
	case errors.As(err, &certificate), errors.As(err, &alert), errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return CauseTLS
	case errors.As(err, &operation) && (operation.Op == "remote error" || operation.Op == "local error"): // crypto/tls's alerts
		return CauseTLS
	case errors.As(err, &operation), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return CauseConnect
	default:
		return CauseAnswer
	}
}

// RetryAfter reads the header: seconds or a date [src: RFC-9110 10.2.3]. What cannot be read is no wish: 0.
func RetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return max(time.Duration(seconds)*time.Second, 0)
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
