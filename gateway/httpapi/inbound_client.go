package httpapi

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/go-json-experiment/json"
)

// InboundPosts is InboundAPI.
func (c *Client) InboundPosts(ctx context.Context, q InboundQuery) (*InboundPage, error) {
	values := url.Values{}
	for name, value := range map[string]string{
		"state": q.State, "target": q.Target, "messageUUID": q.MessageUUID, "after": q.After,
	} {
		if value != "" {
			values.Set(name, value)
		}
	}
	setNumber(values, "limit", int64(q.Limit))
	answer, _, err := call[InboundPage](ctx, c, http.MethodGet, "/v1/inbound", values, nil, "")
	return answer, err
}

// inboundPath is the path of a post and of what is below it.
func inboundPath(id, rest string) string { return "/v1/inbound/" + url.PathEscape(id) + rest }

// InboundPost is InboundAPI.
func (c *Client) InboundPost(ctx context.Context, id string) (*InboundView, error) {
	answer, _, err := call[InboundView](ctx, c, http.MethodGet, inboundPath(id, ""), nil, nil, "")
	return answer, err
}

// InboundMemo is InboundAPI. The MeMo is streamed.
func (c *Client) InboundMemo(ctx context.Context, id string, w io.Writer) error {
	return c.file(ctx, inboundPath(id, "/memo"), mediaMemo, w)
}

// InboundDocument is InboundAPI. The document is streamed.
func (c *Client) InboundDocument(ctx context.Context, id string, n int, w io.Writer) error {
	return c.file(ctx, inboundPath(id, "/documents/"+strconv.Itoa(n)), mediaRaw, w)
}

// RedeliverInbound is InboundAPI.
func (c *Client) RedeliverInbound(ctx context.Context, id string, in *InboundDecision) (*InboundAnswer, error) {
	return post[InboundAnswer](ctx, c, inboundPath(id, "/redeliver"), in)
}

// RerouteInbound is InboundAPI.
func (c *Client) RerouteInbound(ctx context.Context, id string, in *InboundReroute) (*InboundAnswer, error) {
	return post[InboundAnswer](ctx, c, inboundPath(id, "/reroute"), in)
}

// ReleaseInbound is InboundAPI.
func (c *Client) ReleaseInbound(ctx context.Context, id string, in *InboundDecision) (*InboundAnswer, error) {
	return post[InboundAnswer](ctx, c, inboundPath(id, "/release"), in)
}

// CloseInbound is InboundAPI.
func (c *Client) CloseInbound(ctx context.Context, id string, in *InboundDecision) (*InboundAnswer, error) {
	return post[InboundAnswer](ctx, c, inboundPath(id, "/close"), in)
}

// ReplyInbound is InboundAPI.
func (c *Client) ReplyInbound(ctx context.Context, id string, in *InboundReply) (*IntentAnswer, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("write the answer: %w", err)
	}
	answer, status, err := call[IntentAnswer](
		ctx, c, http.MethodPost, inboundPath(id, "/reply"), nil, bytes.NewReader(body), "application/json")
	if err != nil {
		return nil, err
	}
	answer.Existing = status == http.StatusOK
	return answer, nil
}

// file streams a file to w.
func (c *Client) file(ctx context.Context, path, media string, w io.Writer) error {
	resp, err := c.send(ctx, http.MethodGet, path, nil, nil, "", media)
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode/100 != 2 {
		content, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("GET %s: read the answer: %w", path, err)
		}
		return problemFrom(resp, content)
	}
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("GET %s: the file is incomplete: %w", path, err)
	}
	return nil
}
