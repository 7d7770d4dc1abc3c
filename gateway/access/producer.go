package access

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Producer is a system that may use the API. It sees only what it posted itself, what answers that, and the posts of its
// targets.
type Producer struct {
	Name string
	// Tokens are those that work now or will; more than one lets a token be replaced without a pause.
	Tokens []Token
	// JWT names it at an identity provider; the zero value: tokens only.
	JWT    Client
	Scopes []Scope
	// Targets are names of targets of the distribution rules: posts that go there are the producer's to see.
	Targets []string
}

// May reports whether the producer has a scope, or one that includes it.
func (p *Producer) May(scope Scope) bool { return allows(p.Scopes, scope) }

// Token is what is known of a token: its SHA-256, so that the configuration has no secret.
type Token struct {
	SHA256  [sha256.Size]byte
	Expires time.Time // it works before that; zero: always
	Note    string    // for people: what it is for
}

// Client is a producer as an identity provider knows it. What is set must be in the token; Subject or ClientID is needed.
type Client struct {
	Issuer   string // iss
	Subject  string // sub
	ClientID string // client_id, or azp where there is none
}

func (c Client) matches(claims *Claims) bool {
	return c.Issuer == claims.Issuer && (c.Subject == "" || c.Subject == claims.Subject) &&
		(c.ClientID == "" || c.ClientID == claims.client())
}

// MaxToken is the most bytes of a token that are looked at.
const MaxToken = 8 << 10

// ProducersConfig is what [Producers] are made of.
type ProducersConfig struct {
	List    []Producer
	Issuers []*Issuer        // of the tokens of List's JWT
	Now     func() time.Time // for what expires; nil: time.Now
}

// Producers finds the producer of a request. It is safe for concurrent use.
type Producers struct {
	list    []Producer
	hashes  []producerHash
	issuers map[string]*Issuer
	now     func() time.Time
}

type producerHash struct {
	sum      [sha256.Size]byte
	expires  time.Time
	producer int
}

// NewProducers checks the list: names, tokens and clients are used once, and scopes and issuers exist.
func NewProducers(cfg ProducersConfig) (*Producers, error) {
	p := &Producers{list: cfg.List, now: cfg.Now, issuers: make(map[string]*Issuer)}
	if p.now == nil {
		p.now = time.Now
	}
	var errs []error
	for _, i := range cfg.Issuers {
		if p.issuers[i.URL()] != nil {
			errs = append(errs, fmt.Errorf("issuer %s is there twice", i.URL()))
		}
		p.issuers[i.URL()] = i
	}
	names := make(map[string]bool)
	tokens := make(map[[sha256.Size]byte]bool)
	for n, producer := range cfg.List {
		if producer.Name == "" || names[producer.Name] {
			errs = append(errs, fmt.Errorf("producer %d: the name %q is empty or taken", n, producer.Name))
		}
		names[producer.Name] = true
		errs = append(errs, p.check(n))
		for _, token := range producer.Tokens {
			if tokens[token.SHA256] {
				errs = append(errs, fmt.Errorf("producer %q has a token that is used already", producer.Name))
			}
			tokens[token.SHA256] = true
			p.hashes = append(p.hashes, producerHash{token.SHA256, token.Expires, n})
		}
	}
	return p, errors.Join(errs...)
}

// check looks at one producer, and whether an earlier one would be taken for it.
func (p *Producers) check(n int) error {
	producer := &p.list[n]
	var errs []error
	if len(producer.Tokens) == 0 && producer.JWT == (Client{}) {
		errs = append(errs, fmt.Errorf("producer %q has no token and no client", producer.Name))
	}
	for _, scope := range producer.Scopes {
		if !slices.Contains(AllScopes(), scope) {
			errs = append(errs, fmt.Errorf("producer %q: there is no scope %q", producer.Name, scope))
		}
	}
	c := producer.JWT
	if c == (Client{}) {
		return errors.Join(errs...)
	}
	if c.Subject == "" && c.ClientID == "" {
		errs = append(errs, fmt.Errorf("producer %q: its client has neither subject nor client id", producer.Name))
	}
	if i := p.issuers[c.Issuer]; i == nil || i.audience == "" {
		errs = append(errs, fmt.Errorf("producer %q: there is no issuer %q with an audience", producer.Name, c.Issuer))
	}
	for k := range p.list[:n] {
		if o := p.list[k].JWT; o != (Client{}) && o.Issuer == c.Issuer && !differ(o.Subject, c.Subject) && !differ(o.ClientID, c.ClientID) {
			errs = append(errs, fmt.Errorf("producer %q: one token could be its and that of %q", producer.Name, p.list[k].Name))
		}
	}
	return errors.Join(errs...)
}

// differ reports whether no value can be both; "" is any value.
func differ(a, b string) bool { return a != "" && b != "" && a != b }

// Authenticate finds the producer that an Authorization header belongs to.
//
// The error is a *Refusal (the caller is nobody we know; Reason NoToken when it did not say), or ErrUnavailable when the
// issuer of a JWT cannot be asked for its keys.
func (p *Producers) Authenticate(ctx context.Context, authorization string) (*Producer, How, error) {
	scheme, token, _ := strings.Cut(authorization, " ")
	token = strings.TrimSpace(token)
	switch {
	case !strings.EqualFold(scheme, "Bearer"), token == "":
		return nil, "", refuse(NoToken)
	case len(token) > MaxToken:
		return nil, "", refuse(OversizedToken)
	}
	found, err := p.byToken(token)
	if found != nil || ReasonOf(err) != UnknownToken {
		return found, ByToken, err
	}
	if len(p.issuers) == 0 || !looksLikeJWT(token) {
		return nil, "", err
	}
	found, err = p.byJWT(ctx, token)
	return found, ByJWT, err
}

// byToken compares the token's hash with every hash there is, whatever it finds, so that the time it takes tells nothing.
func (p *Producers) byToken(token string) (*Producer, error) {
	sum := sha256.Sum256([]byte(token))
	found := -1
	for n := range p.hashes {
		equal := subtle.ConstantTimeCompare(sum[:], p.hashes[n].sum[:])
		found = subtle.ConstantTimeSelect(equal, n, found)
	}
	if found < 0 {
		return nil, refuse(UnknownToken)
	}
	h := &p.hashes[found]
	if !h.expires.IsZero() && !p.now().Before(h.expires) {
		return nil, refuse(ExpiredToken)
	}
	return &p.list[h.producer], nil
}

// byJWT has the issuer that the token names verify it. The name is not believed before that: it only chooses among ours.
func (p *Producers) byJWT(ctx context.Context, token string) (*Producer, error) {
	name, err := issuerOf(token)
	if err != nil {
		return nil, err
	}
	issuer := p.issuers[name]
	if issuer == nil || issuer.audience == "" {
		return nil, refuse(UnknownIssuer)
	}
	claims, err := issuer.AccessToken(ctx, token)
	if err != nil {
		return nil, err
	}
	for n := range p.list {
		if c := p.list[n].JWT; c != (Client{}) && c.matches(claims) {
			return &p.list[n], nil
		}
	}
	return nil, refuse(UnknownJWTClient)
}
