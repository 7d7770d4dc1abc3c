package access_test

import (
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/access"
	"github.com/brevdue/brevdue/gateway/access/oidctest"
)

// clock is a time that a test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const (
	audience = "https://brevdue.example/api"
	redirect = "http://127.0.0.1:1/console/login/callback"
)

func provider(t *testing.T, k *clock) *oidctest.Provider {
	t.Helper()
	p, err := oidctest.Start(redirect, k.now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

func issuer(t *testing.T, p *oidctest.Provider, k *clock) *access.Issuer {
	t.Helper()
	i, err := access.NewIssuer(access.IssuerConfig{URL: p.URL(), Audience: audience, Now: k.now})
	if err != nil {
		t.Fatal(err)
	}
	return i
}
