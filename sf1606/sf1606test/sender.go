package sf1606test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1606"
)

// SenderConfig says where and how post is sent.
type SenderConfig struct {
	URL         string          // of PostModtag; https. Required
	Certificate tls.Certificate // that the receiver lets in; none when it is empty
	RootCAs     *x509.CertPool  // that the receiver's certificate comes from
	// Format is asked for with Accept; empty asks for nothing.
	Format sf1606.Format
	// ContentType of messages; empty means application/xml.
	ContentType string
	// Timeout bounds one try; zero means five minutes.
	Timeout time.Duration
	// Tries is how often a message without receipt, or with a temporary refusal, is sent; zero means 10.
	Tries int
	// BackoffMin and BackoffMax bound the doubling pause between tries; zero means 0.2 s and 5 s.
	BackoffMin, BackoffMax time.Duration
	// ResendRefused sends a refused message again, too, as Digital Post does for days. [src: NGDP-ERRORCODE-NEWS]
	ResendRefused bool
	// MaxConns is how many connections are kept; zero means 64.
	MaxConns int
	// Seed of the dice; zero means 1.
	Seed   uint64
	Now    func() time.Time // nil means time.Now
	Logger *slog.Logger     // nil discards
}

// Sender is the Postkomponent. It is safe for concurrent use.
type Sender struct {
	cfg       SenderConfig
	transport *http.Transport
	client    *http.Client
	mu        sync.Mutex
	rng       *rand.Rand
}

// NewSender checks the configuration; nothing is called yet. Close frees the connections.
func NewSender(cfg SenderConfig) (*Sender, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("sf1606test: the URL must be an absolute https URL")
	}
	orDefault(&cfg.ContentType, "application/xml")
	orDefault(&cfg.Timeout, 5*time.Minute)
	orDefault(&cfg.Tries, 10)
	orDefault(&cfg.BackoffMin, 200*time.Millisecond)
	orDefault(&cfg.BackoffMax, 5*time.Second)
	orDefault(&cfg.MaxConns, 64)
	orDefault(&cfg.Seed, 1)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: cfg.RootCAs}
	if len(cfg.Certificate.Certificate) > 0 {
		certificate := cfg.Certificate // presented whatever authorities the receiver lists
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificate, nil }
	}
	transport := &http.Transport{
		TLSClientConfig: config, TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConnsPerHost: cfg.MaxConns, IdleConnTimeout: 30 * time.Second,
	}
	return &Sender{
		cfg: cfg, transport: transport, rng: rand.New(rand.NewPCG(cfg.Seed, cfg.Seed)), //nolint:gosec // dice of a simulation
		client: &http.Client{
			Transport: transport, Timeout: cfg.Timeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close closes idle connections.
func (s *Sender) Close() { s.transport.CloseIdleConnections() }

// Answer is what the receiver said to one try.
type Answer struct {
	Status  int // HTTP
	Header  http.Header
	Body    []byte         // as it came, at most 64 KiB
	Receipt sf1606.Receipt // zero when Problem says that there is none
	Problem error          // why the body is no receipt, or not one that may be given with this status
}

// Accepted tells whether the real one would take the message for delivered.
func (a Answer) Accepted() bool { return a.Problem == nil && a.Receipt.Positive() }

// Temporary tells whether the message is sent again.
func (a Answer) Temporary() bool {
	return a.Problem != nil || !a.Accepted() &&
		(a.Status >= 500 || a.Status == http.StatusRequestTimeout || a.Status == http.StatusTooManyRequests)
}

// Post sends bytes once. size is told as Content-Length; negative sends them chunked.
func (s *Sender) Post(ctx context.Context, body io.Reader, size int64) (Answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.URL, io.NopCloser(body))
	if err != nil {
		return Answer{}, fmt.Errorf("sf1606test: %w", err)
	}
	req.ContentLength = size
	req.Header.Set("Content-Type", s.cfg.ContentType)
	if s.cfg.Format != "" {
		media, _, _ := strings.Cut(s.cfg.Format.MediaType(), ";")
		req.Header.Set("Accept", media)
	}
	res, err := s.client.Do(req)
	if err != nil {
		return Answer{}, fmt.Errorf("sf1606test: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return Answer{}, fmt.Errorf("sf1606test: answer: %w", err)
	}
	return judge(res, b), nil
}

// judge reads a receipt as strictly as Digital Post: "0" is an errorCode, and so is an empty text.
// [src: NGDP-ERRORCODE-NEWS]
func judge(res *http.Response, b []byte) Answer {
	a := Answer{Status: res.StatusCode, Header: res.Header, Body: b}
	if a.Receipt, a.Problem = sf1606.ParseReceipt(b); a.Problem != nil {
		return a
	}
	good := a.Status/100 == 2
	switch {
	case a.Receipt.Positive() && !good:
		a.Problem = fmt.Errorf("sf1606test: a positive receipt with HTTP %d", a.Status)
	case !a.Receipt.Positive() && a.Receipt.ErrorCode == "":
		a.Problem = errors.New("sf1606test: a negative receipt without errorCode")
	case a.Receipt.Positive() && hasErrorCode(b):
		a.Problem = errors.New("sf1606test: a positive receipt with errorCode")
	case a.Receipt.TransmissionID == "" || a.Receipt.TimeStamp.IsZero():
		a.Problem = errors.New("sf1606test: a receipt without transmissionId or timeStamp")
	}
	return a
}

// hasErrorCode tells whether an errorCode is there that is not null.
func hasErrorCode(b []byte) bool {
	var object map[string]json.RawMessage
	if json.Unmarshal(b, &object) == nil {
		value, found := object["errorCode"]
		return found && string(value) != "null"
	}
	return strings.Contains(string(b), "errorCode")
}

// Try sends a message once.
func (s *Sender) Try(ctx context.Context, m *memo.Message) (Answer, error) {
	d, err := m.Document()
	if err != nil {
		return Answer{}, err
	}
	body := d.Open(ctx)
	defer func() { _ = body.Close() }()
	a, err := s.Post(ctx, body, d.Size())
	if err != nil {
		return a, err
	}
	if a.Accepted() && !strings.EqualFold(a.Receipt.MessageUUID, m.Header.MessageUUID) {
		a.Problem = errors.New("sf1606test: a receipt of another message")
	}
	return a, nil
}

// Send sends a message until there is a receipt that ends it, and gives that: positive, or a refusal that is not
// temporary. Without one after all tries it is an error.
func (s *Sender) Send(ctx context.Context, m *memo.Message) (sf1606.Receipt, error) {
	r, _, err := s.send(ctx, m)
	return r, err
}

func (s *Sender) send(ctx context.Context, m *memo.Message) (rcpt sf1606.Receipt, tries int, err error) {
	for tries = 1; ; tries++ {
		a, err := s.Try(ctx, m)
		if err == nil && a.Problem == nil && (a.Accepted() || !a.Temporary() && !s.cfg.ResendRefused) {
			return a.Receipt, tries, nil
		}
		if err == nil {
			err = a.Problem
		}
		if err == nil {
			err = fmt.Errorf("sf1606test: refused with %s, HTTP %d", a.Receipt.ErrorCode, a.Status)
		}
		if tries >= s.cfg.Tries {
			return a.Receipt, tries, fmt.Errorf("sf1606test: given up after %d tries: %w", tries, err)
		}
		s.cfg.Logger.DebugContext(ctx, "message is sent again", "messageUUID", m.Header.MessageUUID, "try", tries, "err", err)
		if err := s.pause(ctx, tries); err != nil {
			return a.Receipt, tries, err
		}
	}
}

// pause waits between tries: doubling, spread over half of itself.
func (s *Sender) pause(ctx context.Context, tries int) error {
	d := s.cfg.BackoffMin << min(tries-1, 20)
	if d > s.cfg.BackoffMax || d <= 0 {
		d = s.cfg.BackoffMax
	}
	timer := time.NewTimer(d/2 + time.Duration(s.roll()*float64(d)/2))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// roll is a number in [0,1).
func (s *Sender) roll() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rng.Float64()
}

// errCut is how a cut upload ends.
var errCut = errors.New("sf1606test: the upload is cut")

// Cut sends a share of the message, 0 to 1, and then breaks the connection. The error is nil when that is what happened.
func (s *Sender) Cut(ctx context.Context, m *memo.Message, share float64) error {
	d, err := m.Document()
	if err != nil {
		return err
	}
	body := d.Open(ctx)
	defer func() { _ = body.Close() }()
	part := io.MultiReader(io.LimitReader(body, int64(float64(d.Size())*share)), broken{})
	a, err := s.Post(ctx, part, d.Size())
	switch {
	case errors.Is(err, errCut):
		return nil
	case err != nil:
		return err
	default:
		return fmt.Errorf("sf1606test: a cut upload was answered HTTP %d", a.Status)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errCut }
