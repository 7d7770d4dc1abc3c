package sf1606

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// NgDPConfig says how messages are pulled from Digital Post. What its API demands beyond the paths is settings.
// [src: NGDP-OPENAPI memos]
type NgDPConfig struct {
	Intake

	// BaseURL is the root of the API, such as https://api.digitalpost.dk/apis/v1. https only. Required.
	BaseURL string
	// HTTP makes the calls: its transport has the system certificate and the roots. It must not have a Timeout, which
	// would bound the largest message; Timeout and Idle do that. Required.
	HTTP *http.Client
	// Authorize puts what the API wants besides mutual TLS on every request, such as an API token as HTTP Basic; nil
	// adds nothing. An error ends the round.
	Authorize func(*http.Request) error

	// Timeout bounds every call but the reading of a message; zero means one minute.
	Timeout time.Duration
	// Idle is the longest pause inside a message; zero means one minute.
	Idle time.Duration
	// PageSize is how many ids are asked for at a time; zero means 100.
	PageSize int
	// PageParameter and SizeParameter are the names of the query parameters; empty means page and size. Pages count
	// from FirstPage, zero by default.
	PageParameter, SizeParameter string
	FirstPage                    int
	// List reads one page of ids; nil means ReadIDs.
	List func(body io.Reader) ([]string, error)
	// MaxListed is how many ids one round takes; zero means 10,000.
	MaxListed int
	// ReceiptFormat is how receipts are posted; empty means JSON.
	ReceiptFormat Format
	// KeepMemos leaves accepted messages at Digital Post instead of deleting them.
	KeepMemos bool

	// Interval is the pause between rounds that found nothing more to do; zero means 30 s.
	Interval time.Duration
	// BackoffMin and BackoffMax bound the doubling pause after a failure, of the API or of one message; zero means one
	// second and ten minutes.
	BackoffMin, BackoffMax time.Duration
	// RefusedPause is how long a message that was refused, and its receipt taken, is left alone; zero means one hour.
	RefusedPause time.Duration
	// Parallel is how many messages are fetched at once; zero means 1.
	Parallel int
}

// NgDP pulls messages from Digital Post. It is safe for concurrent use.
type NgDP struct {
	cfg   NgDPConfig
	base  *url.URL
	later *later
}

// NewNgDP checks the configuration; nothing is called yet.
func NewNgDP(cfg NgDPConfig) (*NgDP, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("sf1606: NgDP: %w", err)
	}
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Scheme != "https" || base.Host == "" || base.RawQuery != "" {
		return nil, errors.New("sf1606: NgDP: the base URL must be an absolute https URL")
	}
	client := *cfg.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	cfg.HTTP = &client
	return &NgDP{cfg: cfg, base: base, later: newLater(cfg)}, nil
}

func (c NgDPConfig) withDefaults() (NgDPConfig, error) {
	if err := c.complete(); err != nil {
		return c, err
	}
	if c.HTTP == nil || c.HTTP.Timeout != 0 {
		return c, errors.New("no HTTP client, or one with a Timeout")
	}
	orDefault(&c.Timeout, time.Minute)
	orDefault(&c.Idle, time.Minute)
	orDefault(&c.PageSize, 100)
	orDefault(&c.PageParameter, "page")
	orDefault(&c.SizeParameter, "size")
	if c.List == nil {
		c.List = ReadIDs
	}
	orDefault(&c.MaxListed, 10_000)
	orDefault(&c.ReceiptFormat, FormatJSON)
	orDefault(&c.Interval, 30*time.Second)
	orDefault(&c.BackoffMin, time.Second)
	orDefault(&c.BackoffMax, 10*time.Minute)
	orDefault(&c.RefusedPause, time.Hour)
	orDefault(&c.Parallel, 1)
	if min(c.Timeout, c.Idle, c.Interval, c.BackoffMin, c.RefusedPause) < 0 || c.BackoffMax < c.BackoffMin ||
		min(c.PageSize, c.MaxListed, c.Parallel) < 1 {
		return c, errors.New("a limit is negative, or BackoffMax below BackoffMin")
	}
	return c, nil
}

// StatusError is an answer of the API that is not what was asked for.
type StatusError struct {
	Op         string // list, fetch, receipt, delete
	Status     int    // HTTP
	RetryAfter time.Duration
}

// Error names call and status.
func (e *StatusError) Error() string {
	return "sf1606: NgDP: " + e.Op + ": HTTP " + strconv.Itoa(e.Status)
}

// Page gives the ids of one page of waiting messages; no ids means that there are no more.
func (c *NgDP) Page(ctx context.Context, page int) ([]string, error) {
	query := url.Values{
		c.cfg.PageParameter: {strconv.Itoa(c.cfg.FirstPage + page)}, c.cfg.SizeParameter: {strconv.Itoa(c.cfg.PageSize)},
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	res, err := c.call(ctx, "list", http.MethodGet, c.path("")+"?"+query.Encode(), nil, "application/json")
	if err != nil {
		return nil, err
	}
	defer closeBody(res)
	ids, err := c.cfg.List(io.LimitReader(res.Body, maxList))
	if err != nil {
		return nil, fmt.Errorf("sf1606: NgDP: list: %w", err)
	}
	return ids, nil
}

// Fetch reads the message into the sink and gives the receipt to be posted: of the sink, or a refusal, which is also
// the second result. A refusal that is temporary, or an error, means that there is no receipt to post.
func (c *NgDP) Fetch(ctx context.Context, id string) (Receipt, *Refusal, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := newWatch(c.cfg.Timeout, cancel)
	defer watch.stop()
	res, err := c.call(ctx, "fetch", http.MethodGet, c.path(id), nil, "application/xml")
	if err != nil {
		return Receipt{}, nil, err
	}
	defer closeBody(res)
	if res.StatusCode != http.StatusOK {
		return Receipt{}, nil, &StatusError{Op: "fetch", Status: res.StatusCode}
	}
	if res.ContentLength > c.cfg.MaxBytes {
		refused := Refuse(CodeTooLarge, nil)
		return c.cfg.negative(Arrival{TransmissionID: c.cfg.NewUUID()}, header{}, refused), refused, nil
	}
	if media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err != nil || !slices.Contains(memoTypes, media) {
		// Not a message, but what a proxy or a failing API says: refusing it would refuse the citizen's letter.
		return Receipt{}, nil, errors.New("sf1606: NgDP: fetch: the answer is no XML")
	}
	watch.idle = c.cfg.Idle
	a := Arrival{Source: SourceNgDP, TransmissionID: c.cfg.NewUUID(), MemoID: id}
	if res.TLS != nil && len(res.TLS.PeerCertificates) > 0 {
		a.Peer = SubjectOf(res.TLS.PeerCertificates[0])
	}
	rcpt, refused := c.cfg.receive(ctx, watch.reader(res.Body), a)
	return rcpt, refused, nil
}

// Answer posts the receipt of a message. 409 (there is one already) is no error.
func (c *NgDP) Answer(ctx context.Context, id string, r Receipt) error {
	b, err := r.Encode(c.cfg.ReceiptFormat, receiptRoot)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	res, err := c.call(ctx, "receipt", http.MethodPost, c.path(id)+"/receipt", b, "application/json")
	if status, ok := errors.AsType[*StatusError](err); ok && status.Status == http.StatusConflict {
		return nil
	}
	if err != nil {
		return err
	}
	closeBody(res)
	return nil
}

// Delete removes a message at Digital Post. 404 (it is gone) is no error.
func (c *NgDP) Delete(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	res, err := c.call(ctx, "delete", http.MethodDelete, c.path(id), nil, "application/json")
	if status, ok := errors.AsType[*StatusError](err); ok && status.Status == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return err
	}
	closeBody(res)
	return nil
}

// path is the URL of a message, or of the list.
func (c *NgDP) path(id string) string {
	u := strings.TrimSuffix(c.base.String(), "/") + "/memos/"
	return u + url.PathEscape(id)
}

// call makes one request. Every status but 2xx is a *StatusError.
func (c *NgDP) call(ctx context.Context, op, method, target string, body []byte, accept string) (*http.Response, error) {
	var src io.Reader
	if body != nil {
		src = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, src)
	if err != nil {
		return nil, fmt.Errorf("sf1606: NgDP: %s: %w", op, err)
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Accept-Encoding", "identity") // what is counted and hashed is what came
	if body != nil {
		req.Header.Set("Content-Type", c.cfg.ReceiptFormat.MediaType())
	}
	if c.cfg.Authorize != nil {
		if err := c.cfg.Authorize(req); err != nil {
			return nil, fmt.Errorf("sf1606: NgDP: authorize: %w", err)
		}
	}
	res, err := c.cfg.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("sf1606: NgDP: %s: %w", op, cause(ctx, err))
	}
	if res.StatusCode/100 != 2 {
		status := &StatusError{Op: op, Status: res.StatusCode, RetryAfter: c.retryAfter(res.Header.Get("Retry-After"))}
		closeBody(res)
		return nil, status
	}
	return res, nil
}

// cause is why a call was ended, when it was ended here.
func cause(ctx context.Context, err error) error {
	if c := context.Cause(ctx); c != nil && ctx.Err() != nil {
		return c
	}
	return err
}

// retryAfter reads seconds or a date. [src: RFC-9110]
func (c *NgDP) retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(max(0, min(n, 24*60*60))) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, min(t.Sub(c.cfg.Now()), 24*time.Hour))
	}
	return 0
}

// closeBody reads what little is left, so that the connection can be used again.
func closeBody(res *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // as said
	_ = res.Body.Close()                                         // nothing more is wanted of it
}
