package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Scope is something a producer's token allows.
type Scope string

// The scopes.
const (
	WriteIntents Scope = "intents:write" // post, cancel, upload
	ReadIntents  Scope = "intents:read"  // get, list, events
	// AdminReceipts lets an operator see and match statuses that fit nothing, whoever's they are, and read them as they came.
	// It is given by name only.
	AdminReceipts Scope = "receipts:admin"
	// ReadInbound lets a producer list and read the posts that it may see, DecideInbound lets it send them elsewhere or close
	// them. To answer one it needs ReadInbound and WriteIntents. Both are given by name only.
	ReadInbound   Scope = "inbound:read"
	DecideInbound Scope = "inbound:decide"
	// AdminInbound lets an operator do both with every post, whoever's it is, and release what is in quarantine. It is given by
	// name only.
	AdminInbound Scope = "inbound:admin"
)

// Scopes lists the scopes of producers: what one has who has no list of its own.
func Scopes() []Scope { return []Scope{WriteIntents, ReadIntents} }

// AllScopes lists every scope, those of operators too.
func AllScopes() []Scope {
	return append(Scopes(), AdminReceipts, ReadInbound, DecideInbound, AdminInbound)
}

// Producer is a system that may use the API. It sees only what it posted itself, what answers that, and the posts of its
// targets.
type Producer struct {
	Name string
	// TokenSHA256 holds the SHA-256 of each token, so that the configuration has no secret. More than one lets a token
	// be replaced without a pause.
	TokenSHA256 [][sha256.Size]byte
	Scopes      []Scope
	// Targets are names of targets of the distribution rules: posts that go there are the producer's to see.
	Targets []string
}

// may reports whether the producer has a scope, or one that includes it.
func (p *Producer) may(scope Scope) bool {
	switch scope {
	case ReadInbound, DecideInbound:
		return slices.Contains(p.Scopes, scope) || slices.Contains(p.Scopes, AdminInbound)
	case WriteIntents, ReadIntents, AdminReceipts, AdminInbound:
		return slices.Contains(p.Scopes, scope)
	default:
		return false
	}
}

// producers finds a producer by token.
type producers struct {
	list   []Producer
	hashes []producerHash
}

type producerHash struct {
	sum      [sha256.Size]byte
	producer int
}

func newProducers(list []Producer) (*producers, error) {
	p := &producers{list: list}
	names := make(map[string]bool)
	tokens := make(map[[sha256.Size]byte]bool)
	var errs []error
	for n, producer := range list {
		if producer.Name == "" || names[producer.Name] {
			errs = append(errs, fmt.Errorf("producer %d: the name %q is empty or taken", n, producer.Name))
		}
		names[producer.Name] = true
		if len(producer.TokenSHA256) == 0 {
			errs = append(errs, fmt.Errorf("producer %q has no token", producer.Name))
		}
		for _, scope := range producer.Scopes {
			if !slices.Contains(AllScopes(), scope) {
				errs = append(errs, fmt.Errorf("producer %q: there is no scope %q", producer.Name, scope))
			}
		}
		for _, sum := range producer.TokenSHA256 {
			if tokens[sum] {
				errs = append(errs, fmt.Errorf("producer %q has a token that is used already", producer.Name))
			}
			tokens[sum] = true
			p.hashes = append(p.hashes, producerHash{sum, n})
		}
	}
	return p, errors.Join(errs...)
}

// byToken compares the token's hash with every hash there is, whatever it finds, so that the time it takes tells
// nothing. nil: no producer has this token.
func (p *producers) byToken(token string) *Producer {
	sum := sha256.Sum256([]byte(token))
	found := -1
	for n := range p.hashes {
		equal := subtle.ConstantTimeCompare(sum[:], p.hashes[n].sum[:])
		found = subtle.ConstantTimeSelect(equal, p.hashes[n].producer, found)
	}
	if found < 0 {
		return nil
	}
	return &p.list[found]
}

// authenticate finds the producer of a request and demands a scope of it.
func (p *producers) authenticate(w http.ResponseWriter, r *http.Request, scope Scope) (*Producer, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="brevdue"`)
		return nil, newProblem(codeTokenMissing, "Send the header Authorization: Bearer TOKEN.")
	}
	producer := p.byToken(token)
	if producer == nil {
		w.Header().Set("WWW-Authenticate", `Bearer realm="brevdue", error="invalid_token"`)
		return nil, newProblem(codeTokenInvalid, "No producer has this token.")
	}
	if !producer.may(scope) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="brevdue", error="insufficient_scope", scope="`+string(scope)+`"`)
		return nil, newProblem(codeForbidden, "The token needs the scope "+string(scope)+".")
	}
	return producer, nil
}
