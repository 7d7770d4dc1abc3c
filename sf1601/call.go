package sf1601

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/go-resty/resty/v2"

	"github.com/brevdue/brevdue/sf1601/sts"
)

const (
	statusUnauthorized = http.StatusUnauthorized
	xmlType            = "application/xml"
	userAgent          = "brevdue"
)

// answer is an HTTP response that has been read.
type answer struct {
	status     int
	retryAfter time.Duration
	body       []byte
	cut        error // why the body is incomplete, nil when it is whole
}

// post sends a letter. An error means that no answer came.
func (c *Client) post(ctx context.Context, transactionID string, access sts.Access, out *outgoing) (*answer, error) {
	ctx = out.watch(context.WithValue(ctx, outgoingKey{}, out))
	send := func(r *resty.Request) (*resty.Response, error) {
		return r.SetHeader("Content-Type", xmlType).Post(c.cfg.Endpoints.Base + kombiPath)
	}
	return c.call(ctx, call{OpKombi, out.body.size, access, transactionID, xmlType, send})
}

// call is what differs between the services.
type call struct {
	op            string
	size          int64 // bytes to be sent
	access        sts.Access
	transactionID string
	accept        string
	do            func(*resty.Request) (*resty.Response, error)
}

// call makes one bounded HTTP call with the headers all services share.
func (c *Client) call(ctx context.Context, p call) (*answer, error) {
	limit := c.cfg.Timeouts.call(p.size)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%s took longer than %s", p.op, limit.Round(time.Millisecond)))
	defer cancel()
	now := c.cfg.Now()
	res, err := p.do(c.http.R().SetContext(ctx).SetDoNotParseResponse(true).
		SetHeader("Accept", p.accept).
		SetHeader("User-Agent", userAgent).
		SetHeader("Authorization", p.access.Authorization()).
		SetHeader("x-TransaktionsId", p.transactionID).
		SetHeader("x-TransaktionsTid", now.UTC().Format("2006-01-02T15:04:05.000Z")).
		SetHeader("x-RequestId", c.cfg.NewUUID()))
	if err != nil {
		return nil, ended(ctx, err)
	}
	defer func() { _ = res.RawBody().Close() }()
	a := &answer{status: res.StatusCode(), retryAfter: sts.RetryAfter(res.Header().Get("Retry-After"), now)}
	a.body, err = io.ReadAll(io.LimitReader(res.RawBody(), maxAnswer+1))
	switch {
	case err != nil:
		a.cut = fmt.Errorf("the answer was cut: %w", ended(ctx, err))
	case len(a.body) > maxAnswer:
		a.cut = fmt.Errorf("the answer exceeds %d bytes", maxAnswer)
	}
	return a, nil
}

// ended gives why a call ended: the cause of ctx when that is why, and otherwise
// err without the URL, which may hold a CPR number.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for {
		var u *url.Error
		if !errors.As(err, &u) {
			return err
		}
		err = u.Err
	}
}

// refused turns an answer that is not a yes into an *Error. See Class for the
// policy.
func (c *Client) refused(op string, a *answer, r reaction, unreadable error) *Error {
	e := &Error{Op: op, HTTPStatus: a.status, RetryAfter: a.retryAfter, Answer: a.kept(), Err: unreadable}
	outcome := e.explain(r, c.cfg.Codes)
	switch a.status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusRequestTimeout:
		e.Class = Temporary
		return e
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Class = Denied
		e.hint("The access token is refused: is the service agreement of the Anvendersystem approved for this service and authority?")
		return e
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		e.Class = Unknown
		return e
	}
	if unreadable == nil && r.speaks() && !r.accepted() {
		e.Class = classOf(outcome)
		return e
	}
	switch {
	case wrongAddress(a.status):
		e.Class = Denied
		e.hint("The service is not at this address: check the environment and its base URL.")
	case a.status/100 == 4:
		e.Class = Rejected
	default:
		e.Class = Unknown
		if e.Code == "" {
			e.Code = CodeBadAnswer
		}
		if e.Err == nil {
			e.Err = errors.New("the answer does not decide whether the letter was accepted")
		}
	}
	return e
}

// wrongAddress says whether a status without a SvarReaktion speaks of where we
// called, not of what we sent.
func wrongAddress(status int) bool {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusProxyAuthRequired:
		return true
	}
	return status/100 == 3
}

// explain fills in code, source, text and hint from the Fejl that decides (or
// else the first Advis), and gives the outcome of all of them.
func (e *Error) explain(r reaction, codes *Table) Outcome {
	outcomes := make([]Outcome, len(r.fejl))
	hints := make([]string, len(r.fejl))
	for i, f := range r.fejl {
		outcomes[i] = OutcomeFailed
		if code, ok := codes.From(f.kilde, f.id); ok {
			outcomes[i], hints[i] = code.Outcome, code.Hint
		}
	}
	worst := Worst(outcomes...)
	for i, f := range r.fejl {
		if outcomes[i] == worst {
			e.Code, e.KildeID, e.Text, e.Hint = f.id, f.kilde, f.text, hints[i]
			return worst
		}
	}
	for _, advis := range r.advis {
		e.Text = advis.text
		break
	}
	return worst
}

func (e *Error) hint(text string) {
	if e.Hint == "" {
		e.Hint = text
	}
}

func classOf(o Outcome) Class {
	switch o {
	case OutcomeRetry:
		return Temporary
	case OutcomeNext:
		return NotReachable
	case OutcomeFailed:
	}
	return Rejected
}
