package queue_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/queue"
	"github.com/brevdue/brevdue/gateway/queue/redistest"
)

// needed skips, loudly, where Redis is not installed.
func needed[T interface{ Close() }](t *testing.T, made T, err error) T {
	t.Helper()
	if errors.Is(err, redistest.ErrNoRedis) && os.Getenv("CI") != "true" {
		t.Skip("SKIPPED LOUDLY: redis-server or redis-cli is not installed; this test needs a real Redis")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	return made
}

// book hands messages over and repeats what the sweep would, until each was dispatched.
type book struct {
	q *queue.Queue

	mu      sync.Mutex
	waiting map[string]gateway.DueMessage
}

// Dispatch implements queue.Dispatcher.
func (b *book) Dispatch(_ context.Context, id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.waiting, id)
	return nil
}

func (b *book) enqueue(t *testing.T, part string, queues ...string) {
	t.Helper()
	for n := range 20 {
		for _, channel := range queues {
			m := gateway.DueMessage{ID: fmt.Sprintf("msg_%s_%s_%d", part, channel, n), Channel: channel, DueAt: time.Now()}
			b.mu.Lock()
			b.waiting[m.ID] = m
			b.mu.Unlock()
			if err := b.q.Enqueue(t.Context(), m); err != nil {
				t.Logf("the sweep will bring %s back: %v", m.ID, err)
			}
		}
	}
}

func (b *book) left() []gateway.DueMessage {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := make([]gateway.DueMessage, 0, len(b.waiting))
	for _, m := range b.waiting {
		left = append(left, m)
	}
	return left
}

// finish waits until everything was dispatched; what waits long is ensured, as the sweep does.
func (b *book) finish(t *testing.T) {
	t.Helper()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(60 * time.Second)
	for round := 1; ; round++ {
		left := b.left()
		if len(left) == 0 {
			return
		}
		if round%20 == 0 {
			for _, m := range left {
				if err := b.q.Ensure(t.Context(), m); err != nil {
					break // Redis is away, the next round tries again
				}
			}
		}
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("%d messages were never dispatched, such as %s", len(left), left[0].ID)
		}
	}
}

func open3(t *testing.T, url string) *book {
	t.Helper()
	q := open(t, url)
	b := &book{q: q, waiting: make(map[string]gateway.DueMessage)}
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	t.Cleanup(func() { cancel(); done.Wait() })
	done.Go(func() {
		err := q.Run(ctx, queue.Workers{
			Dispatcher: b, Shutdown: time.Second, Concurrency: map[string]int{"digitalpost": 5, "smtp": 5, "print": 5},
		})
		if err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := redistest.StartSentinel(t.Context(), dir, "s3cret")
	w = needed(t, w, err)
	b := open3(t, w.URL(file))
	b.enqueue(t, "before", "digitalpost")
	b.finish(t)
	w.Primary.Kill()
	began := time.Now()
	b.enqueue(t, "during", "digitalpost")
	if err := w.Failover(t.Context(), w.Primary); err != nil {
		t.Fatal(err)
	}
	t.Logf("failover after %s", time.Since(began))
	b.enqueue(t, "after", "digitalpost")
	b.finish(t)
	t.Logf("all dispatched %s after the kill", time.Since(began))
	if _, err := queue.Open(t.Context(), queue.Config{URL: w.URL(filepath.Join(dir, "none")), Now: time.Now}); !errors.Is(err, queue.ErrURL) {
		t.Errorf("a password file that is not there: %v", err)
	}
}

// TestClusterLosesANode runs on three nodes without replicas: what one node had is lost and noticed.
func TestClusterLosesANode(t *testing.T) {
	t.Parallel()
	c, err := redistest.StartCluster(t.Context(), t.TempDir(), 0, redistest.Login{Password: "s3cret"})
	c = needed(t, c, err)
	b := open3(t, strings.Replace(c.URL(), "://", "://:s3cret@", 1))
	homes := map[string]bool{}
	for _, name := range []string{"digitalpost", "smtp", "print"} {
		home, err := c.Home(t.Context(), "asynq:{"+name+"}:pending")
		if err != nil {
			t.Fatal(err)
		}
		homes[home.Address] = true
	}
	if len(homes) < 2 {
		t.Fatal("all queues are on one node, so this is no test of a cluster")
	}
	b.enqueue(t, "before", "digitalpost", "smtp", "print")
	b.finish(t)
	eventually(t, func() bool { forgot, err := b.q.Forgot(t.Context()); return err == nil && !forgot })

	victim, err := c.Home(t.Context(), "asynq:{smtp}:pending")
	if err != nil {
		t.Fatal(err)
	}
	victim.Kill()
	b.enqueue(t, "during", "digitalpost", "smtp", "print")
	if err := victim.Forget(); err != nil {
		t.Fatal(err)
	}
	if err := victim.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { forgot, err := b.q.Forgot(t.Context()); return err == nil && forgot })
	b.enqueue(t, "after", "digitalpost", "smtp", "print")
	b.finish(t)
	if err := b.q.Pacer("smtp", 1000)(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestClusterFailover runs on three nodes with a replica each, one of which takes over.
func TestClusterFailover(t *testing.T) {
	t.Parallel()
	c, err := redistest.StartCluster(t.Context(), t.TempDir(), 1, redistest.Login{})
	c = needed(t, c, err)
	b := open3(t, c.URL())
	const key = "asynq:{digitalpost}:pending"
	victim, err := c.Home(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	b.enqueue(t, "before", "digitalpost", "smtp")
	victim.Kill()
	began := time.Now()
	b.enqueue(t, "during", "digitalpost", "smtp")
	if err := c.Failover(t.Context(), key, victim); err != nil {
		t.Fatal(err)
	}
	t.Logf("failover after %s", time.Since(began))
	b.enqueue(t, "after", "digitalpost", "smtp")
	b.finish(t)
	t.Logf("all dispatched %s after the kill", time.Since(began))
}

func TestTLSAndPassword(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca, cert, key := certificates(t, dir)
	client, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	pemCA, err := os.ReadFile(ca)
	if err != nil || !roots.AppendCertsFromPEM(pemCA) {
		t.Fatal(err)
	}
	s, err := redistest.Start(t.Context(), filepath.Join(dir, "redis"), redistest.Login{
		Password: "s3cret/@:", Certificate: cert, Key: key, ClientCA: ca,
		Client: &tls.Config{Certificates: []tls.Certificate{client}, RootCAs: roots, MinVersion: tls.VersionTLS12},
	})
	s = needed(t, s, err)
	file := filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte("s3cret/@:\nold\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	certs := "&certificate_file=" + cert + "&key_file=" + key
	for name, tc := range map[string]struct{ url, want string }{
		"password in the URL":    {"rediss://:s3cret%2F%40%3A@" + s.Address + "/0?ca_file=" + ca + certs, ""},
		"password in a file":     {"rediss://" + s.Address + "/0?ca_file=" + ca + certs + "&password_file=" + file, ""},
		"a user":                 {"rediss://default:s3cret%2F%40%3A@" + s.Address + "?ca_file=" + ca + certs, ""},
		"a wrong password":       {"rediss://:wrong@" + s.Address + "?ca_file=" + ca + certs, "WRONGPASS"},
		"no password":            {"rediss://" + s.Address + "?ca_file=" + ca + certs, "NOAUTH"},
		"an unknown root":        {"rediss://:s3cret%2F%40%3A@" + s.Address + "?x=" + certs, "parameter"},
		"the system's roots":     {"rediss://:s3cret%2F%40%3A@" + s.Address + "?" + certs[1:], "certificate"},
		"another name":           {"rediss://:x@" + s.Address + "?server_name=redis.testby.example&ca_file=" + ca + certs, "certificate"},
		"no certificate":         {"rediss://:s3cret%2F%40%3A@" + s.Address + "?ca_file=" + ca, "certificate"},
		"plain text":             {"redis://:s3cret%2F%40%3A@" + s.Address, "does not answer"},
		"a certificate, no file": {"rediss://" + s.Address + "?certificate_file=/none&key_file=/none", "certificate_file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q, err := queue.Open(t.Context(), queue.Config{URL: tc.url, Now: time.Now})
			if q != nil {
				defer func() { _ = q.Close() }()
			}
			switch {
			case tc.want == "" && err != nil, tc.want != "" && err == nil:
				t.Fatal(err)
			case err != nil && (!strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "s3cret")):
				t.Fatalf("%v does not say %q, or says the password", err, tc.want)
			}
		})
	}
}

// certificates writes a root and a certificate of it for this machine, good for servers and clients.
func certificates(t *testing.T, dir string) (ca, cert, key string) {
	t.Helper()
	now := time.Now()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "redis"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	var keys [2]*ecdsa.PrivateKey
	for n := range keys {
		var err error
		if keys[n], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, keys[0].Public(), keys[0])
	if err != nil {
		t.Fatal(err)
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, keys[1].Public(), keys[0])
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(keys[1])
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return write("ca.pem", "CERTIFICATE", rootDER), write("cert.pem", "CERTIFICATE", leafDER), write("key.pem", "PRIVATE KEY", keyDER)
}
