package target

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/gateway/webhook"
)

// The limits of a call.
const (
	maxAnswer       = 64 << 10
	maxAnswerHeader = 32 << 10
	// askFirst is the size from which a system is asked before it gets the body, so that one that refuses by its header
	// alone need not read it. [src: RFC-9110 10.1.1]
	askFirst    = 1 << 20
	askPatience = 2 * time.Second
	idleCalls   = 4
)

// endpoint posts to a system of the municipality. It may lie in a private network: the address is the operator's own.
type endpoint struct {
	url     string
	format  string
	client  *http.Client
	calls   *http.Transport
	secrets *webhook.Secrets // nil: not signed
	timeout time.Duration
	now     func() time.Time
	log     *slog.Logger
}

func newEndpoint(t routing.Target, o Options) (*endpoint, error) {
	config, err := tlsOf(t)
	if err != nil {
		return nil, err
	}
	e := &endpoint{url: t.URL, format: t.Format, timeout: o.HTTPTimeout, now: o.Now, log: o.Logger.With("target", t.Name)}
	if u, err := url.Parse(t.URL); err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return nil, errors.New("url: it is none")
	}
	if t.Format != routing.FormatMemo && t.Format != routing.FormatJSON {
		return nil, errors.New("format: it is memo or json")
	}
	if t.SecretFile != "" {
		if e.secrets, err = webhook.Open(t.SecretFile, e.log); err != nil {
			return nil, fmt.Errorf("secret_file: %w", err)
		}
	}
	dialer := &net.Dialer{Timeout: 15 * time.Second}
	e.calls = &http.Transport{ // nothing of the environment, such as a proxy
		DialContext: dialer.DialContext, TLSClientConfig: config, TLSHandshakeTimeout: 15 * time.Second, ForceAttemptHTTP2: true,
		DisableCompression: true, MaxResponseHeaderBytes: maxAnswerHeader, ExpectContinueTimeout: askPatience,
		MaxIdleConnsPerHost: idleCalls, IdleConnTimeout: 30 * time.Second,
	}
	e.client = &http.Client{
		Transport: e.calls, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return e, nil
}

// Close ends the connections that wait for a next call.
func (e *endpoint) Close() error {
	e.calls.CloseIdleConnections()
	return nil
}

// Deliver implements inbound.Target.
func (e *endpoint) Deliver(ctx context.Context, p *inbound.Parcel) inbound.Outcome {
	body, o, ok := bodyOf(ctx, e.format, p)
	if !ok {
		return o
	}
	ctx, cancel := context.WithTimeout(ctx, allowed(e.timeout, body.size))
	defer cancel()
	req, err := e.request(ctx, p, body)
	if err != nil {
		return e.failed(ctx, err)
	}
	resp, err := e.client.Do(req)
	if err != nil {
		return e.failed(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) // the status says all; reading on keeps the connection
	return e.judge(resp)
}

func (e *endpoint) request(ctx context.Context, p *inbound.Parcel, b body) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set("Content-Type", b.contentType)
	req.Header.Set("User-Agent", "brevdue")
	req.Header.Set("Webhook-Id", p.Post.ID)
	if b.size > askFirst {
		req.Header.Set("Expect", "100-continue")
	}
	if e.secrets != nil {
		if err := e.secrets.SignStream(req.Header, p.Post.ID, e.now(), func(w io.Writer) error { return b.copyTo(ctx, w) }); err != nil {
			return nil, err
		}
	}
	req.ContentLength = b.size
	req.GetBody = func() (io.ReadCloser, error) { return b.reader(ctx) }
	req.Body, err = b.reader(ctx)
	return req, err
}

// judge says what a status means. A system refuses a message with 422, or with a status that can speak of nothing else;
// 400, 401, 403, 404, 405 and 409 are as often a certificate that ended, a path that moved or a proxy in between.
func (e *endpoint) judge(resp *http.Response) inbound.Outcome {
	status := resp.StatusCode
	cause := fmt.Errorf("http: status %d", status)
	switch {
	case status >= 200 && status < 300:
		return outcome(codeHTTPTaken, nil)
	case status >= 300 && status < 400:
		return outcome(codeHTTPRedirect, cause)
	case refusing(status):
		return numbered("http", status, inbound.Refused, "The system will not take this message.", cause)
	default:
		o := numbered("http", status, inbound.Later, "The system does not take it now, or not at this address.", cause)
		o.RetryAfter = webhook.RetryAfter(resp.Header.Get("Retry-After"), e.now())
		return o
	}
}

func refusing(status int) bool {
	switch status {
	case http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
		http.StatusUnavailableForLegalReasons:
		return true
	default:
		return false
	}
}

// failed finds the word for a call that got no answer.
func (*endpoint) failed(ctx context.Context, err error) inbound.Outcome {
	if o, is := early(ctx, err); is {
		return o
	}
	word := codeHTTPAnswer
	switch webhook.CauseOf(ctx, err) {
	case webhook.CauseTimeout:
		word = codeHTTPTimeout
	case webhook.CauseName:
		word = codeHTTPName
	case webhook.CauseTLS:
		word = codeHTTPTLS
	case webhook.CauseConnect:
		word = codeHTTPConnect
	case webhook.CauseAnswer:
	}
	return outcome(word, bare("call", err))
}

// body is what a system or a broker gets: a file of the store, or bytes.
type body struct {
	contentType string
	size        int64
	file        *stored // nil: bytes
	bytes       []byte
}

// bodyOf makes the body in one of the formats of the rules file. ok is false when it cannot be made; then o says why.
func bodyOf(ctx context.Context, format string, p *inbound.Parcel) (b body, o inbound.Outcome, ok bool) {
	if format == routing.FormatMemo {
		file := memoOf(p)
		return body{contentType: "application/xml", size: file.Size, file: &file}, o, true
	}
	content, o, ok := noteOf(ctx, p)
	return body{contentType: "application/json", size: int64(len(content)), bytes: content}, o, ok
}

func (b body) copyTo(ctx context.Context, w io.Writer) error {
	if b.file != nil {
		return b.file.copyTo(ctx, w)
	}
	_, err := w.Write(b.bytes)
	return err
}

func (b body) reader(ctx context.Context) (io.ReadCloser, error) {
	if b.file == nil {
		return io.NopCloser(bytes.NewReader(b.bytes)), nil
	}
	r, err := b.file.open(ctx)
	if err != nil {
		return nil, &storeError{err}
	}
	return &storeReader{r: r, file: b.file, sum: sha256.New()}, nil
}

// storeReader reads a file of the store to be sent. It fails where the store does, and at its end when the file is not what
// it was: then the far end gets no whole message.
type storeReader struct {
	r    io.ReadCloser
	file *stored
	sum  hash.Hash
	n    int64
}

// Read implements io.Reader.
func (s *storeReader) Read(p []byte) (int, error) {
	if s.n > s.file.Size {
		return 0, &storeError{errChanged}
	}
	n, err := s.r.Read(p)
	s.n += int64(n)
	_, _ = s.sum.Write(p[:n]) // never fails
	if err != nil && err != io.EOF {
		return n, &storeError{err}
	}
	if s.n >= s.file.Size && !s.whole() || err != nil && s.n < s.file.Size {
		return 0, &storeError{errChanged}
	}
	return n, err
}

func (s *storeReader) whole() bool {
	return s.n == s.file.Size && hex.EncodeToString(s.sum.Sum(nil)) == s.file.SHA256
}

// Close implements io.Closer.
func (s *storeReader) Close() error { return s.r.Close() }
