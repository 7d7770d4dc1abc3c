package access

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"
)

// Limits of asking an issuer.
const (
	askTime = 10 * time.Second
	maxAsk  = 1 << 20
	// askPause is the least time between two questions, whatever keys callers name: a stranger who invents key ids must not
	// make this gateway a tool against the issuer.
	askPause = 5 * time.Second
	// minRSA is the fewest bits of an RSA key. [src: RFC-7518 3.3]
	minRSA = 2048
)

// keys are the public keys of an issuer, fetched when they are needed and again when they are old.
type keys struct {
	issuer         string
	http           *http.Client
	refresh, stale time.Duration
	now            func() time.Time
	flight         singleflight.Group

	mu      sync.Mutex
	set     []jose.JSONWebKey
	fetched time.Time // of set
	asked   time.Time // the last try
}

// find returns the keys that may have signed a token: those with its key id, or where it names none, all that fit.
func (k *keys) find(ctx context.Context, kid, alg string) ([]jose.JSONWebKey, error) {
	set, age, pause := k.state()
	known := len(set) > 0 && age <= k.stale
	if !known || age > k.refresh {
		if known && pause < askPause {
			return fitting(set, kid, alg, k.now()), nil // it was asked a moment ago and did not answer
		}
		if !known && pause < time.Second {
			return nil, fmt.Errorf("%w: the issuer %s does not answer", ErrUnavailable, k.issuer)
		}
		fresh, err := k.fetch(ctx)
		if err != nil && !known {
			return nil, err
		}
		if err == nil {
			return fitting(fresh, kid, alg, k.now()), nil
		}
		return fitting(set, kid, alg, k.now()), nil
	}
	if found := fitting(set, kid, alg, k.now()); len(found) > 0 || pause < askPause {
		return found, nil
	}
	// A key that is not known may be new.
	fresh, err := k.fetch(ctx)
	if err != nil {
		return nil, err
	}
	return fitting(fresh, kid, alg, k.now()), nil
}

// state gives what is known, how old it is, and how long ago the issuer was asked.
func (k *keys) state() (set []jose.JSONWebKey, age, pause time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	return k.set, now.Sub(k.fetched), now.Sub(k.asked)
}

// fetch asks the issuer, once for everybody who waits. A caller that goes away leaves the others to it.
func (k *keys) fetch(ctx context.Context) ([]jose.JSONWebKey, error) {
	answer := k.flight.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
		defer cancel()
		set, err := k.ask(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		k.asked = k.now()
		if err != nil {
			return nil, fmt.Errorf("%w: keys of the issuer %s: %w", ErrUnavailable, k.issuer, err)
		}
		k.set, k.fetched = set, k.asked
		return set, nil
	})
	select {
	case a := <-answer:
		set, _ := a.Val.([]jose.JSONWebKey)
		return set, a.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: keys of the issuer %s: %w", ErrUnavailable, k.issuer, ctx.Err())
	}
}

// ask reads the issuer's metadata and then its keys. [src: OIDC-DISCOVERY 4]
func (k *keys) ask(ctx context.Context) ([]jose.JSONWebKey, error) {
	var metadata struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := k.get(ctx, strings.TrimSuffix(k.issuer, "/")+"/.well-known/openid-configuration", &metadata); err != nil {
		return nil, err
	}
	if metadata.Issuer != k.issuer {
		return nil, errors.New("its metadata names another issuer")
	}
	u, err := url.Parse(metadata.Keys)
	if err != nil || (u.Scheme != "https" && (u.Scheme != "http" || !IsLoopback(u.Hostname()))) {
		return nil, errors.New("the address of its keys is not https")
	}
	var list struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := k.get(ctx, metadata.Keys, &list); err != nil {
		return nil, err
	}
	var set []jose.JSONWebKey
	for _, raw := range list.Keys {
		var key jose.JSONWebKey
		// A key of a kind that is not known here is none of ours. [src: RFC-7517 5]
		if json.Unmarshal(raw, &key) == nil && usable(&key) {
			set = append(set, key)
		}
	}
	if len(set) == 0 {
		return nil, errors.New("it has no key that can be used")
	}
	return set, nil
}

// get reads a small JSON document.
func (k *keys) get(ctx context.Context, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return errors.New("not an address")
	}
	req.Header.Set("Accept", "application/json")
	resp, err := k.http.Do(req)
	if err != nil {
		return fmt.Errorf("it does not answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("it answers %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAsk+1))
	if err != nil {
		return fmt.Errorf("read its answer: %w", err)
	}
	if len(body) > maxAsk {
		return errors.New("its answer is too large")
	}
	if err := json.Unmarshal(body, into); err != nil {
		return errors.New("its answer is not the JSON that is expected")
	}
	return nil
}

// usable reports whether a key may verify signatures at all: public, of a pair, strong enough, and meant for it.
func usable(key *jose.JSONWebKey) bool {
	if !key.Valid() || !key.IsPublic() || (key.Use != "" && key.Use != "sig") {
		return false
	}
	if pub, ok := key.Key.(*rsa.PublicKey); ok {
		return pub.N.BitLen() >= minRSA
	}
	_, symmetric := key.Key.([]byte)
	return !symmetric
}

// fitting picks the keys for a token. A key whose certificate has run out is none any longer.
func fitting(set []jose.JSONWebKey, kid, alg string, now time.Time) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for _, key := range set {
		switch {
		case kid != "" && key.KeyID != kid:
		case key.Algorithm != "" && key.Algorithm != alg:
		case len(key.Certificates) > 0 && now.After(key.Certificates[0].NotAfter):
		default:
			found = append(found, key)
		}
	}
	return found
}
