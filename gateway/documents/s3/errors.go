package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/brevdue/brevdue/gateway"
)

// Error is what the service said no with. It holds no more than an operator needs to find the request in the service's log.
type Error struct {
	Operation string // e.g. "PutObject"
	Status    int    // of HTTP
	Code      string // e.g. "AccessDenied"; "" when the service gave none
	RequestID string // "" when the service gave none
}

// Error implements error.
func (e *Error) Error() string {
	text := fmt.Sprintf("s3 %s: HTTP status %d", e.Operation, e.Status)
	if e.Code != "" {
		text += " " + e.Code
	}
	if e.RequestID != "" {
		text += ", request " + e.RequestID
	}
	return text
}

// word is what is taken over from an answer into an error.
var word = regexp.MustCompile(`^[A-Za-z0-9_./+=-]{1,128}$`)

// failed turns an error of the SDK into ours. The SDK's text is not passed on: it may repeat what the service wrote. ctx is
// the caller's: when that has ended, its error is the cause.
func failed(ctx context.Context, operation string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var response *awshttp.ResponseError
	if !errors.As(err, &response) || response.HTTPStatusCode() == 0 {
		return unanswered(operation, err)
	}
	e := &Error{Operation: operation, Status: response.HTTPStatusCode()}
	if id := response.ServiceRequestID(); word.MatchString(id) {
		e.RequestID = id
	}
	var said smithy.APIError
	if errors.As(err, &said) && word.MatchString(said.ErrorCode()) {
		e.Code = said.ErrorCode()
	}
	if e.passes() {
		return fmt.Errorf("documents: %w: %w", gateway.ErrUnavailable, e)
	}
	return fmt.Errorf("documents: %w", e)
}

// passes reports whether the same request may succeed later.
func (e *Error) passes() bool {
	switch e.Code {
	case "SlowDown", "RequestTimeout", "InternalError", "ServiceUnavailable", "OperationAborted", "TooManyRequests":
		return true
	}
	return e.Status >= http.StatusInternalServerError && e.Status != http.StatusNotImplemented ||
		e.Status == http.StatusTooManyRequests || e.Status == http.StatusRequestTimeout ||
		e.Status == http.StatusOK // an answer that could not be read to its end
}

// unanswered is the error for a request without an answer.
func unanswered(operation string, err error) error {
	var transport *url.Error
	switch {
	case errors.As(err, &transport):
		return fmt.Errorf("documents: %w: s3 %s: %w", gateway.ErrUnavailable, operation, transport.Err)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("documents: %w: s3 %s: no answer in time", gateway.ErrUnavailable, operation)
	case isConnection(err):
		return fmt.Errorf("documents: %w: s3 %s: the connection broke", gateway.ErrUnavailable, operation)
	}
	return fmt.Errorf("documents: s3 %s: the request could not be made; are the credentials still good?", operation)
}

func isConnection(err error) bool {
	var connection interface{ ConnectionError() bool }
	return errors.As(err, &connection) && connection.ConnectionError()
}

// is reports whether err is an answer of the service with that status and one of the codes, if any are given.
func is(err error, status int, codes ...string) bool {
	var e *Error
	if !errors.As(err, &e) || e.Status != status {
		return false
	}
	return len(codes) == 0 || slices.Contains(codes, e.Code)
}
