package callback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/webhook"
)

// The words for what was wrong with an attempt. They are all that is kept of an answer but its status.
const (
	failGone      = "gone"                       // 410: the receiver wants no more of it
	failRedirect  = "redirect"                   // 3xx: not followed
	failRefused   = "refused"                    // 4xx
	failServer    = "server_error"               // 5xx
	failAnswer    = string(webhook.CauseAnswer)  // no HTTP, a header too large, any other status
	failTimeout   = string(webhook.CauseTimeout) // the call took too long
	failForbidden = "address_forbidden"          // the name means an address that may not be called
	failName      = string(webhook.CauseName)    // the name means no address
	failTLS       = string(webhook.CauseTLS)     // certificate or handshake
	failConnect   = string(webhook.CauseConnect) // nobody listens, or the connection broke
	failInternal  = "internal"                   // the event could not be written or signed
)

// Failures lists the words that a failed attempt may have.
func Failures() []string {
	return []string{
		failGone, failRedirect, failRefused, failServer, failAnswer, failTimeout, failForbidden, failName, failTLS, failConnect,
		failInternal,
	}
}

// answer is what came of one attempt.
type answer struct {
	status  int           // 0: there was no answer
	failure string        // "": it was taken
	wish    time.Duration // Retry-After
}

// envelope is the body of a webhook [src: STANDARD-WEBHOOKS Payload structure].
type envelope struct {
	Type      string         `json:"type"` // "message.replied", or "message." or "intent." and the status
	Timestamp time.Time      `json:"timestamp"`
	Data      jsontext.Value `json:"data"` // the event as in the events feed
}

// eventType is what happened, for receivers that look no further.
func eventType(e *gateway.Event) string {
	if e.MessageID == "" {
		return "intent." + string(e.Status)
	}
	if e.Code == gateway.CodeReply {
		return "message.replied"
	}
	return "message." + string(e.Status)
}

// webhookID is the name of an event at its receiver: the same on every attempt and in every replay. The time is in it
// because a journal that was restored from a backup counts its events again.
func webhookID(e *gateway.Event) string {
	return "evt_" + strconv.FormatInt(e.Seq, 10) + "_" + strconv.FormatInt(e.At.UnixMicro(), 36)
}

// attempt tells a receiver of one event. A call is not torn up because the process stops.
func (c *Courier) attempt(ctx context.Context, r *receiver, e *gateway.Event) answer {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.Timeout)
	defer cancel()
	r.counts.began()
	began := time.Now()                                 //nolint:forbidigo // the length of a call is in real time
	defer func() { r.counts.took(time.Since(began)) }() //nolint:forbidigo // as above
	req, err := c.request(ctx, r, e)
	if err != nil {
		c.log.ErrorContext(ctx, "a callback could not be made", "producer", r.Producer, "event", e.Seq, "error", err)
		return answer{failure: failInternal}
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return answer{failure: cause(ctx, err)}
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // the status says all; reading on keeps the connection
	return answer{
		status: resp.StatusCode, failure: judge(resp.StatusCode), wish: webhook.RetryAfter(resp.Header.Get("Retry-After"), c.now()),
	}
}

func (c *Courier) request(ctx context.Context, r *receiver, e *gateway.Event) (*http.Request, error) {
	data, err := c.event(e)
	if err != nil {
		return nil, fmt.Errorf("write the event: %w", err)
	}
	body, err := json.Marshal(envelope{Type: eventType(e), Timestamp: e.At, Data: data})
	if err != nil {
		return nil, fmt.Errorf("write the envelope: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "brevdue")
	return req, r.secrets.Sign(req.Header, webhookID(e), c.now(), body)
}

// judge says what a status means.
func judge(status int) string {
	switch {
	case status >= 200 && status < 300:
		return ""
	case status >= 300 && status < 400:
		return failRedirect
	case status == http.StatusGone:
		return failGone
	case status >= 400 && status < 500:
		return failRefused
	case status >= 500 && status < 600:
		return failServer
	default:
		return failAnswer
	}
}

// cause finds the word for a call that got no answer.
func cause(ctx context.Context, err error) string {
	if errors.Is(err, errForbidden) {
		return failForbidden
	}
	return string(webhook.CauseOf(ctx, err))
}
