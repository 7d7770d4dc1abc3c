package sf1601test

import (
	"crypto/sha256"
	"sync"
	"time"
)

// Services a token can be for.
// [src: SP-CLIENTS entity ids]
const (
	EntityKombiPostAfsend = "http://entityid.kombit.dk/service/kombipostafsend/1"
	EntityPostForespoerg  = "http://entityid.kombit.dk/service/postforespoerg/1"
	EntityBeskedfordeler  = "http://entityid.kombit.dk/service/bfo_modtag/2"
)

func knownAudience(entity string) bool {
	return entity == EntityKombiPostAfsend || entity == EntityPostForespoerg || entity == EntityBeskedfordeler
}

// grant is what an assertion or an access token allows.
type grant struct {
	audience string
	cvr      string
	holder   [sha256.Size]byte // thumbprint of the certificate it is bound to
	expires  time.Time
}

// tokens remembers what was issued, assertions and access tokens alike, by the
// SHA-256 of the token's bytes.
type tokens struct {
	mu     sync.Mutex
	now    func() time.Time
	issued map[[sha256.Size]byte]grant
	prune  int // size at which expired ones are next looked for
}

// maxTokens bounds the memory; a client that needs more caches nothing.
const maxTokens = 100_000

func newTokens(now func() time.Time) *tokens {
	return &tokens{now: now, issued: map[[sha256.Size]byte]grant{}, prune: 1000}
}

// issue remembers token; false when too many are in use.
func (t *tokens) issue(token string, g grant) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.issued) >= t.prune {
		now := t.now()
		for k, v := range t.issued {
			if !now.Before(v.expires) {
				delete(t.issued, k)
			}
		}
		t.prune = max(1000, 2*len(t.issued))
	}
	if len(t.issued) >= maxTokens {
		return false
	}
	t.issued[sha256.Sum256([]byte(token))] = g
	return true
}

// check finds the grant of token and says in words why it does not hold.
func (t *tokens) check(token string, holder [sha256.Size]byte) (grant, string) {
	t.mu.Lock()
	g, ok := t.issued[sha256.Sum256([]byte(token))]
	t.mu.Unlock()
	switch {
	case !ok:
		return g, "the token was not issued here"
	case !t.now().Before(g.expires):
		return g, "the token has expired"
	case g.holder != holder:
		return g, "the token is bound to another certificate than the one of the connection"
	}
	return g, ""
}
