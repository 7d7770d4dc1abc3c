package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Client speaks the API. It is safe for concurrent use.
type Client struct {
	BaseURL string       // e.g. http://127.0.0.1:8080
	Token   string       // the producer's token
	HTTP    *http.Client // nil: http.DefaultClient
}

var _ API = (*Client)(nil)

// maxAnswer is the most bytes of an answer that a Client reads.
const maxAnswer = 64 << 20

// PostIntent is API.
func (c *Client) PostIntent(ctx context.Context, in *IntentRequest) (*IntentAnswer, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("write the intent: %w", err)
	}
	answer, status, err := call[IntentAnswer](ctx, c, http.MethodPost, "/v1/intents", nil, bytes.NewReader(body), "application/json")
	if err != nil {
		return nil, err
	}
	answer.Existing = status == http.StatusOK
	return answer, nil
}

// Intent is API.
func (c *Client) Intent(ctx context.Context, id string) (*IntentView, error) {
	answer, _, err := call[IntentView](ctx, c, http.MethodGet, "/v1/intents/"+url.PathEscape(id), nil, nil, "")
	return answer, err
}

// Intents is API.
func (c *Client) Intents(ctx context.Context, q IntentQuery) (*IntentPage, error) {
	values := url.Values{}
	for name, value := range map[string]string{"reference": q.Reference, "status": q.Status, "after": q.After} {
		if value != "" {
			values.Set(name, value)
		}
	}
	setNumber(values, "limit", int64(q.Limit))
	answer, _, err := call[IntentPage](ctx, c, http.MethodGet, "/v1/intents", values, nil, "")
	return answer, err
}

// Batch is API.
func (c *Client) Batch(ctx context.Context, id string) (*BatchView, error) {
	answer, _, err := call[BatchView](ctx, c, http.MethodGet, "/v1/batches/"+url.PathEscape(id), nil, nil, "")
	return answer, err
}

// Cancel is API.
func (c *Client) Cancel(ctx context.Context, id string) (*IntentAnswer, error) {
	path := "/v1/intents/" + url.PathEscape(id) + "/cancel"
	answer, _, err := call[IntentAnswer](ctx, c, http.MethodPost, path, nil, nil, "")
	return answer, err
}

// Release is API.
func (c *Client) Release(ctx context.Context, messageID string, in *ReleaseRequest) (*IntentAnswer, error) {
	return post[IntentAnswer](ctx, c, "/v1/messages/"+url.PathEscape(messageID)+"/release", in)
}

// Close is API.
func (c *Client) Close(ctx context.Context, messageID string, in *CloseRequest) (*IntentAnswer, error) {
	return post[IntentAnswer](ctx, c, "/v1/messages/"+url.PathEscape(messageID)+"/close", in)
}

// Events is API.
func (c *Client) Events(ctx context.Context, after int64, limit int) (*EventPage, error) {
	values := url.Values{}
	setNumber(values, "after", after)
	setNumber(values, "limit", int64(limit))
	answer, _, err := call[EventPage](ctx, c, http.MethodGet, "/v1/events", values, nil, "")
	return answer, err
}

// Errors is API.
func (c *Client) Errors(ctx context.Context) (*ErrorList, error) {
	answer, _, err := call[ErrorList](ctx, c, http.MethodGet, "/v1/errors", nil, nil, "")
	return answer, err
}

// Registration is API.
func (c *Client) Registration(ctx context.Context, in *RegistrationRequest) (*RegistrationAnswer, error) {
	return post[RegistrationAnswer](ctx, c, "/v1/registrations", in)
}

// UploadDocument is API. The body is streamed; its length is sent ahead when it is a *bytes.Reader or the like.
func (c *Client) UploadDocument(ctx context.Context, filename string, body io.Reader) (*DocumentAnswer, error) {
	values := url.Values{"filename": {filename}}
	answer, _, err := call[DocumentAnswer](ctx, c, http.MethodPost, "/v1/documents", values, body, "application/octet-stream")
	return answer, err
}

func setNumber(values url.Values, name string, n int64) {
	if n != 0 {
		values.Set(name, strconv.FormatInt(n, 10))
	}
}

// post sends a body of JSON and reads the answer.
func post[T any](ctx context.Context, c *Client, path string, in any) (*T, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	answer, _, err := call[T](ctx, c, http.MethodPost, path, nil, bytes.NewReader(body), "application/json")
	return answer, err
}

// call makes one call and reads its answer. The status is 0 when there was none.
func call[T any](
	ctx context.Context, c *Client, method, path string, q url.Values, body io.Reader, contentType string,
) (*T, int, error) {
	resp, err := c.send(ctx, method, path, q, body, contentType, "application/json")
	if err != nil {
		return nil, 0, fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, resp.StatusCode, fmt.Errorf("%s %s: read the answer: %w", method, path, err)
	}
	if resp.StatusCode/100 != 2 {
		return nil, resp.StatusCode, problemFrom(resp, content)
	}
	answer := new(T)
	if err := json.Unmarshal(content, answer); err != nil {
		return nil, resp.StatusCode, fmt.Errorf("%s %s: the answer is not of this API: %w", method, path, err)
	}
	return answer, resp.StatusCode, nil
}

func (c *Client) send(
	ctx context.Context, method, path string, q url.Values, body io.Reader, contentType, accept string,
) (*http.Response, error) {
	address := strings.TrimSuffix(c.BaseURL, "/") + path
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body) //nolint:gosec // the operator says where the gateway is
	if err != nil {
		return nil, err //nolint:wrapcheck // call wraps it
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	req.Header.Set("Accept", accept)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	return client.Do(req) //nolint:wrapcheck,gosec // call wraps it; as above
}

// problemFrom reads what a gateway, or a proxy in front of it, said.
func problemFrom(resp *http.Response, content []byte) *Problem {
	p := &Problem{}
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if media != "application/problem+json" || json.Unmarshal(content, p) != nil || p.Code == "" {
		*p = Problem{Type: "about:blank", Title: http.StatusText(resp.StatusCode), Code: "http." + strconv.Itoa(resp.StatusCode)}
	}
	p.Status = resp.StatusCode
	p.RequestID = resp.Header.Get("X-Request-Id")
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
		p.RetryAfter = time.Duration(seconds) * time.Second
	}
	return p
}
