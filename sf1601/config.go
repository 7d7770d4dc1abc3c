package sf1601

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/sts"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// MaxRequestSize is the most bytes a kombi_request may have, XML and base64
// included. The service says 99,5 MB and not what is counted, so the strictest
// reading is taken: decimal, everything (digitaliseringskataloget.dk,
// Postkomponenten, forretningsmæssigt overblik).
const MaxRequestSize = 99_500_000

// Config says who we are and where the far end is.
type Config struct {
	Endpoints   Endpoints       // required
	Certificate tls.Certificate // system certificate with its RSA key; required
	RootCAs     *x509.CertPool  // whom to trust as far end; nil means the system's roots
	CVR         string          // the authority, 8 digits (AnvenderKontekst); required

	// STSMode is how the STS is asked for a SAML token; "" means sts.REST.
	STSMode sts.Mode
	// STSCertificates are what the STS signs its assertions with. With any, an
	// assertion that none of them signed is refused; with none they are passed
	// on unverified.
	STSCertificates []*x509.Certificate

	// Signature is where the signature of a letter lives; "" means detached.
	Signature signature.Mode
	// Signer signs and keeps the digest of every letter; required. The client
	// does not close it.
	Signer *signature.Batcher
	// Skeleton makes what the Signer keeps with the digest of a letter, as
	// Entry.Skeleton, so that the request can be put together again later (see
	// xmlstream.Document.Parts). It is called for every attempt before anything
	// is sent; when it fails, nothing is. nil: nothing but the digest is kept.
	Skeleton func(ctx context.Context, request *xmlstream.Document) ([]byte, error)
	// MemoVersion is taken for messages that name none; "" means 1.1.
	MemoVersion memo.Version

	// Codes says what the codes of an answer mean; nil means DefaultTable.
	Codes *Table

	Timeouts Timeouts
	// MaxConns is the most connections to the far end, all of which are kept for
	// reuse; 0 means DefaultMaxConns. Set it to at least the number of workers.
	MaxConns int

	Now     func() time.Time // nil means time.Now
	NewUUID func() string    // UUID v4; nil means a random one
}

// DefaultMaxConns is Config.MaxConns when none is given.
const DefaultMaxConns = 64

// Timeouts bound every step of a call; each error says which one fired. A zero
// field takes its default.
type Timeouts struct {
	Dial  time.Duration // one TCP connection; 10 s
	TLS   time.Duration // one TLS handshake; 10 s
	Token time.Duration // one call of the STS or the token service; 30 s
	// Answer is from the last byte of the request to the first of the answer; 60 s.
	Answer time.Duration
	// Call is one whole HTTP call without its body's transfer; 90 s.
	Call time.Duration
	// MinRate is the slowest upload waited for, in bytes a second: a body of n
	// bytes adds n/MinRate to Call. 250,000 (2 Mbit/s).
	MinRate int64
}

func (t Timeouts) withDefaults() Timeouts {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&t.Dial, 10*time.Second)
	set(&t.TLS, 10*time.Second)
	set(&t.Token, 30*time.Second)
	set(&t.Answer, time.Minute)
	set(&t.Call, 90*time.Second)
	if t.MinRate <= 0 {
		t.MinRate = 250_000
	}
	return t
}

// call bounds one HTTP call that sends size bytes.
func (t Timeouts) call(size int64) time.Duration {
	return t.Call + time.Duration(float64(size)/float64(t.MinRate)*float64(time.Second))
}

var cvrShape = regexp.MustCompile(`^[0-9]{8}$`)

// withDefaults fills in what is not given and checks the rest.
func (c Config) withDefaults() (Config, error) {
	if err := c.Endpoints.Validate(); err != nil {
		return c, err
	}
	if err := complete(&c.Certificate); err != nil {
		return c, fmt.Errorf("certificate: %w", err)
	}
	if !cvrShape.MatchString(c.CVR) {
		return c, errors.New("the authority's CVR must have 8 digits")
	}
	if c.Signer == nil {
		return c, errors.New("a Signer is required: every letter is signed before it leaves")
	}
	if c.Signature == "" {
		c.Signature = signature.Detached
	}
	if !c.Signature.Valid() {
		return c, fmt.Errorf("unknown signature mode %q: want detached, technical-document or enveloped", c.Signature)
	}
	if c.MemoVersion == "" {
		c.MemoVersion = memo.V1_1
	}
	if c.MaxConns <= 0 {
		c.MaxConns = DefaultMaxConns
	}
	c.Timeouts = c.Timeouts.withDefaults()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.NewUUID == nil {
		c.NewUUID = randomUUID
	}
	return c, nil
}

// randomUUID gives a UUID version 4 (RFC 9562, section 5.4).
func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
