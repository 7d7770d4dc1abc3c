package beskedfordeler

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"
)

// Problem is a kind of trouble a Puller can have. The text is a fixed sentence
// that says what is wrong and what most likely causes it.
type Problem string

// What can be wrong.
const (
	ProblemToken       Problem = "the STS gave no SAML assertion for " + PullEntityID
	ProblemUnreachable Problem = "the broker cannot be reached: check the host, port 5671 and the firewall"
	ProblemServerCert  Problem = "the broker's certificate is not trusted: check the roots and the host name"
	ProblemClientCert  Problem = "the broker refused the TLS client certificate: it is missing, has expired, " +
		"or its root is not trusted there"
	ProblemTLS       Problem = "the TLS handshake with the broker failed: is it AMQP over TLS that listens there?"
	ProblemMechanism Problem = "the broker does not offer SASL EXTERNAL"
	ProblemLogin     Problem = "the broker refused the login: the SAML assertion or the certificate's system has no access " +
		"(service agreement BeskedModtag)"
	ProblemFrameLimit Problem = "the broker ended the login with an assertion larger than RabbitMQ's default limit of a login " +
		"(about 3,900 bytes): most likely its initial_frame_max is too small, which it reports as a wrong password (403) after " +
		"three seconds; ask its operator to raise initial_frame_max to 131072; if it is large enough, the login itself was refused"
	ProblemVHost     Problem = "the broker refused the virtual host: it does not exist, or the system has no access to it"
	ProblemNoQueue   Problem = "the queue does not exist: check the UUID of the dueslag, and that it is set to BeskedHent"
	ProblemQueue     Problem = "the broker refused the queue: the dueslag belongs to another system, or somebody reads it exclusively"
	ProblemCancelled Problem = "the broker ended the subscription: the dueslag was deleted or moved"
	ProblemForced    Problem = "the broker closed the connection: it is being stopped, or an operator closed it"
	ProblemTimeout   Problem = "the broker took the message in hand back, because it was not acknowledged in time; it comes again"
	ProblemLost      Problem = "the connection to the broker was lost"
	ProblemProtocol  Problem = "the broker closed the connection for a reason of its own"
	ProblemDeliver   Problem = "the message in hand could not be stored; it is kept and tried again"
	ProblemRenewal   Problem = "the connection could not be renewed with a fresh token; the old one is kept while the broker allows"
)

// PullError is a Problem with its private cause.
type PullError struct {
	Problem Problem
	Err     error // private cause
}

// Error is the fixed sentence.
func (e *PullError) Error() string { return "beskedfordeler: " + string(e.Problem) }

// Unwrap gives the cause.
func (e *PullError) Unwrap() error { return e.Err }

func problem(p Problem, err error) *PullError { return &PullError{Problem: p, Err: err} }

// tlsProblem tells why a TLS connection failed.
func tlsProblem(err error) *PullError {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		verify    *tls.CertificateVerificationError
		alert     tls.AlertError
		remote    *net.OpError
	)
	switch {
	case errors.As(err, &authority), errors.As(err, &name), errors.As(err, &invalid), errors.As(err, &verify):
		return problem(ProblemServerCert, err)
	case errors.As(err, &alert), errors.As(err, &remote) && remote.Op == "remote error":
		return problem(ProblemClientCert, err)
	}
	return problem(ProblemTLS, err)
}

// frameLimit is the largest assertion that passes a login limited to RabbitMQ's
// default initial_frame_max of 4,096 bytes beside our client properties.
// Observed with RabbitMQ 3.10: 3,900 bytes pass, 4,000 do not.
const frameLimit = 3900

// loginProblem tells why a login failed after the TLS handshake. broken is why
// reading ended, nil when it did not.
func loginProblem(err, broken error, assertion int) *PullError {
	cause := err
	if broken != nil {
		cause = errors.Join(err, broken)
	}
	var (
		said    *amqp.Error
		remote  *net.OpError
		timeout net.Error
	)
	if errors.As(broken, &remote) && remote.Op == "remote error" {
		return problem(ProblemClientCert, cause) // TLS 1.3 tells it after the client's handshake
	}
	switch {
	case errors.As(broken, &timeout) && timeout.Timeout():
		return problem(ProblemUnreachable, cause)
	case errors.Is(err, amqp.ErrSASL):
		return problem(ProblemMechanism, cause)
	case errors.Is(err, amqp.ErrVhost):
		return problem(ProblemVHost, cause)
	case !errors.As(err, &said):
		return problem(ProblemLost, cause)
	case said.Code == amqp.NotAllowed:
		return problem(ProblemVHost, cause)
	case said.Code == amqp.AccessRefused && assertion > frameLimit:
		return problem(ProblemFrameLimit, fmt.Errorf("assertion of %d bytes: %w", assertion, cause))
	case said.Code == amqp.AccessRefused:
		return problem(ProblemLogin, cause)
	case said.Code == amqp.ConnectionForced:
		return problem(ProblemForced, cause)
	case said.Code == amqp.FrameError && !said.Server:
		return problem(ProblemLost, cause)
	}
	return problem(ProblemProtocol, cause)
}

// sessionProblem tells why a subscription ended or did not begin.
func sessionProblem(err error) *PullError {
	var said *amqp.Error
	if !errors.As(err, &said) {
		return problem(ProblemLost, err)
	}
	switch said.Code {
	case amqp.NotFound:
		return problem(ProblemNoQueue, err)
	case amqp.AccessRefused, amqp.ResourceLocked:
		return problem(ProblemQueue, err)
	case amqp.ConnectionForced:
		return problem(ProblemForced, err)
	case amqp.PreconditionFailed:
		if strings.Contains(said.Reason, "timeout") || strings.Contains(said.Reason, "timed out") {
			return problem(ProblemTimeout, err)
		}
	}
	if said.Server {
		return problem(ProblemProtocol, err)
	}
	return problem(ProblemLost, err)
}

// endError keeps the first error of a connection.
type endError struct {
	mu  sync.Mutex
	err error
}

func (e *endError) set(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
	}
}

func (e *endError) get() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}
