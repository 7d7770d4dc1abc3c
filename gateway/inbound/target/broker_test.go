package target_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	amqp "github.com/rabbitmq/amqp091-go"
	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/inbound/target"
	"github.com/brevdue/brevdue/gateway/inbound/targettest"
	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler/rabbittest"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// rabbits are the brokers of all tests here: one that is left alone, and one that a single test may hurt.
var rabbits struct {
	mu         sync.Mutex
	dir        string
	calm, hurt *rabbittest.Node
	failed     error
}

func TestMain(m *testing.M) {
	var err error
	if rabbits.dir, err = os.MkdirTemp("", "brevdue-target-"); err != nil {
		panic(err)
	}
	status := m.Run()
	for _, n := range []*rabbittest.Node{rabbits.calm, rabbits.hurt} {
		if n != nil {
			n.Close()
		}
	}
	_ = os.RemoveAll(rabbits.dir)
	if err := goleak.Find(); err != nil && status == 0 {
		println(err.Error()) //nolint:forbidigo // TestMain has no other way
		status = 1
	}
	os.Exit(status)
}

const password = "hemmelig"

func rabbit(t testing.TB, which **rabbittest.Node) *rabbittest.Node {
	t.Helper()
	rabbits.mu.Lock()
	defer rabbits.mu.Unlock()
	if *which == nil && rabbits.failed == nil {
		a, err := authority()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
		defer cancel()
		*which, rabbits.failed = rabbittest.Start(ctx, rabbittest.Config{
			Dir: filepath.Join(rabbits.dir, uuid.NewString()), Authority: a, Password: password,
		})
	}
	if errors.Is(rabbits.failed, rabbittest.ErrNoRabbit) && os.Getenv("CI") != "true" {
		t.Skipf("SKIPPED, NOT TESTED: %v", rabbits.failed)
	}
	if rabbits.failed != nil {
		t.Fatal(rabbits.failed)
	}
	return *which
}

// queueTarget publishes to a queue of its own, with user and password.
func queueTarget(t testing.TB, n *rabbittest.Node) routing.Target {
	t.Helper()
	dir, _ := certificates(t)
	file := filepath.Join(dir, "password")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	queue := uuid.NewString()
	if err := n.Declare(queue); err != nil {
		t.Fatal(err)
	}
	return routing.Target{
		Name: "esdh", Kind: routing.AMQP, URL: n.URL(), Format: routing.FormatMemo, Queue: queue,
		User: rabbittest.PasswordUser, PasswordFile: file, CAFile: filepath.Join(dir, sf1601test.FileCA),
		CertificateFile: filepath.Join(dir, sf1601test.FileClient), KeyFile: filepath.Join(dir, sf1601test.FileClientKey),
	}
}

// reader gets what is in a queue and puts it back.
func peek(t testing.TB, n *rabbittest.Node, queue string) []amqp.Delivery {
	t.Helper()
	a := n.Authority()
	conn, err := amqp.DialConfig(n.URL(), amqp.Config{
		SASL: []amqp.Authentication{&amqp.ExternalAuth{}}, Vhost: "BF", FrameSize: 128 << 10,
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: a.RootCAs(), Certificates: []tls.Certificate{a.ServerCertificate()},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }() // what was not acknowledged goes back
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	var list []amqp.Delivery
	for {
		d, ok, err := channel.Get(queue, false)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return list
		}
		list = append(list, d)
	}
}

func brokerWorld(format string, o target.Options) func(t *testing.T) targettest.World {
	return func(t *testing.T) targettest.World {
		t.Helper()
		n := rabbit(t, &rabbits.calm)
		r := queueTarget(t, n)
		r.Format = format
		return targettest.World{
			Target: newTarget(t, r, o),
			Set: func(t *testing.T, m targettest.Mood) bool {
				t.Helper()
				switch m {
				case targettest.Takes:
					if err := n.Declare(r.Queue); err != nil {
						t.Fatal(err)
					}
					return true
				case targettest.Busy:
					if err := n.Delete(r.Queue); err != nil {
						t.Fatal(err)
					}
					return true
				case targettest.Refuses, targettest.Gone:
				}
				return false
			},
			Got: func(t *testing.T, p *inbound.Parcel) []targettest.Copy {
				t.Helper()
				var copies []targettest.Copy
				for _, d := range peek(t, n, r.Queue) {
					if d.MessageId != p.Post.MessageUUID {
						continue
					}
					if d.DeliveryMode != amqp.Persistent || d.Headers["brevdue-post-id"] != p.Post.ID {
						t.Errorf("%d %v", d.DeliveryMode, d.Headers)
					}
					if format == routing.FormatMemo {
						sum := sha256.Sum256(d.Body)
						copies = append(copies, targettest.Copy{Memo: hex.EncodeToString(sum[:])})
					} else {
						copies = append(copies, linksOf(t, d.Body))
					}
				}
				return copies
			},
		}
	}
}

func TestBrokerConformance(t *testing.T) {
	t.Parallel()
	for _, format := range []string{routing.FormatMemo, routing.FormatJSON} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			targettest.Run(t, brokerWorld(format, target.Options{}))
		})
	}
}

func TestBrokerLarge(t *testing.T) { //nolint:paralleltest // measures memory
	for _, format := range []string{routing.FormatMemo, routing.FormatJSON} { //nolint:paralleltest // as above
		t.Run(format, func(t *testing.T) { targettest.RunLarge(t, brokerWorld(format, target.Options{AMQPMax: 128 << 20})(t)) })
	}
}

func TestBrokerRefusesWhatIsTooLarge(t *testing.T) {
	t.Parallel()
	n := rabbit(t, &rabbits.calm)
	r, p := queueTarget(t, n), targettest.Parcel(t, 100_000)
	code(t, newTarget(t, r, target.Options{AMQPMax: p.Post.Memo.Size - 1}).Deliver(t.Context(), p), inbound.Refused, "amqp.too_large")
	code(t, newTarget(t, r, target.Options{AMQPMax: p.Post.Memo.Size}).Deliver(t.Context(), p), inbound.Taken, "amqp.confirmed")
	// Larger than what RabbitMQ 3 takes: the broker says so itself.
	huge := targettest.Parcel(t, 101_000_000)
	code(t, newTarget(t, r, target.Options{AMQPMax: 1 << 30}).Deliver(t.Context(), huge), inbound.Refused, "amqp.too_large")
}

func TestBrokerLoginsAndPlaces(t *testing.T) {
	t.Parallel()
	n := rabbit(t, &rabbits.calm)
	dir, _ := certificates(t)
	wrong, stranger := filepath.Join(dir, "wrong"), t.TempDir()
	if err := os.WriteFile(wrong, []byte("forkert"), 0o600); err != nil {
		t.Fatal(err)
	}
	other, err := sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048, PKCS1: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.WriteFiles(stranger); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		word   string
		change func(r *routing.Target)
	}{
		"password": {"amqp.confirmed", func(*routing.Target) {}},
		"certificate": {"amqp.confirmed", func(r *routing.Target) {
			r.User, r.PasswordFile = "", ""
			r.CertificateFile, r.KeyFile = filepath.Join(dir, "server.pem"), filepath.Join(dir, "server-key.pem")
		}},
		"exchange":           {"amqp.confirmed", func(r *routing.Target) { r.Exchange, r.RoutingKey, r.Queue = "amq.direct", r.Queue, "" }},
		"no binding":         {"amqp.unroutable", func(r *routing.Target) { r.Exchange, r.RoutingKey, r.Queue = "amq.topic", r.Queue, "" }},
		"no queue":           {"amqp.unroutable", func(r *routing.Target) { r.Queue = "none" }},
		"no exchange":        {"amqp.missing", func(r *routing.Target) { r.Exchange, r.Queue = "none", "" }},
		"no vhost":           {"amqp.missing", func(r *routing.Target) { r.URL = "amqps://" + n.Address() + "/none" }},
		"forbidden vhost":    {"amqp.missing", func(r *routing.Target) { r.URL = "amqps://" + n.Address() + "/" + rabbittest.ClosedVHost }},
		"default vhost":      {"amqp.missing", func(r *routing.Target) { r.URL = "amqps://" + n.Address() }},
		"forbidden exchange": {"amqp.denied", func(r *routing.Target) { r.Exchange, r.Queue = rabbittest.ClosedPrefix+"x", "" }},
		"wrong password":     {"amqp.denied", func(r *routing.Target) { r.PasswordFile = wrong }},
		"wrong authority":    {"amqp.tls", func(r *routing.Target) { r.CAFile = filepath.Join(stranger, sf1601test.FileCA) }},
		"no certificate":     {"amqp.tls", func(r *routing.Target) { r.CertificateFile, r.KeyFile = "", "" }},
		"a stranger's certificate": {"amqp.tls", func(r *routing.Target) {
			r.CertificateFile, r.KeyFile = filepath.Join(stranger, sf1601test.FileClient), filepath.Join(stranger, sf1601test.FileClientKey)
		}},
		"nobody there": {"amqp.connect", func(r *routing.Target) { r.URL = "amqps://127.0.0.1:1/BF" }},
		"no TLS":       {"amqp.connect", func(r *routing.Target) { r.URL = "amqp://" + n.Address() + "/BF" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := queueTarget(t, n)
			if name == "exchange" {
				bind(t, n, r.Queue)
			}
			queue := r.Queue
			c.change(&r)
			o := newTarget(t, r, target.Options{AMQPTimeout: 20 * time.Second}).Deliver(t.Context(), targettest.Parcel(t, 10))
			if c.word == "amqp.tls" && o.Code == "amqp.connect" && strings.HasSuffix(name, "certificate") {
				return // TLS 1.3 refuses a client after its handshake: what is read first, the alert or the end, is chance
			}
			if o.Code != c.word || (o.Verdict == inbound.Taken) != (c.word == "amqp.confirmed") || o.Verdict == inbound.Refused {
				t.Errorf("%s %s: %v, wanted %s", o.Verdict, o.Code, o.Err, c.word)
			}
			if got := len(peek(t, n, queue)); (got == 1) != (c.word == "amqp.confirmed") {
				t.Errorf("%d messages", got)
			}
			if strings.Contains(o.Text, "none") {
				t.Errorf("the outcome repeats the broker: %s", o.Text)
			}
		})
	}
}

// bind binds a queue to amq.direct by its own name.
func bind(t *testing.T, n *rabbittest.Node, queue string) {
	t.Helper()
	admin(t, n, func(channel *amqp.Channel) error { return channel.QueueBind(queue, queue, "amq.direct", false, nil) })
}

func admin(t *testing.T, n *rabbittest.Node, do func(channel *amqp.Channel) error) {
	t.Helper()
	a := n.Authority()
	conn, err := amqp.DialConfig(n.URL(), amqp.Config{
		SASL: []amqp.Authentication{&amqp.ExternalAuth{}}, Vhost: "BF",
		TLSClientConfig: &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: a.RootCAs(), Certificates: []tls.Certificate{a.ServerCertificate()},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	if err := do(channel); err != nil {
		t.Fatal(err)
	}
}

// TestBrokerQueueIsFull: the broker says no to what a full queue does not take; the next one that fits is taken over the
// same connection.
func TestBrokerQueueIsFull(t *testing.T) {
	t.Parallel()
	n := rabbit(t, &rabbits.calm)
	r := queueTarget(t, n)
	r.Queue = uuid.NewString()
	admin(t, n, func(channel *amqp.Channel) error {
		_, err := channel.QueueDeclare(r.Queue, true, false, false, false, amqp.Table{"x-max-length": 1, "x-overflow": "reject-publish"})
		return err
	})
	x := newTarget(t, r, target.Options{})
	first := targettest.Parcel(t, 10)
	code(t, x.Deliver(t.Context(), first), inbound.Taken, "amqp.confirmed")
	second := targettest.Parcel(t, 10)
	code(t, x.Deliver(t.Context(), second), inbound.Later, "amqp.nack")
	admin(t, n, func(channel *amqp.Channel) error {
		_, err := channel.QueuePurge(r.Queue, false)
		return err
	})
	code(t, x.Deliver(t.Context(), second), inbound.Taken, "amqp.confirmed")
}

// TestBrokerInTrouble: it is killed and comes back, closes connections, and takes nothing for a while.
func TestBrokerInTrouble(t *testing.T) {
	t.Parallel()
	n := rabbit(t, &rabbits.hurt)
	r := queueTarget(t, n)
	x := newTarget(t, r, target.Options{AMQPTimeout: 20 * time.Second})
	deliver := func(word string) *inbound.Parcel {
		t.Helper()
		p := targettest.Parcel(t, 100_000)
		o := x.Deliver(t.Context(), p)
		if o.Code != word {
			t.Errorf("%s %s: %v, wanted %s", o.Verdict, o.Code, o.Err, word)
		}
		return p
	}
	eventually := func() {
		t.Helper()
		for range 10 { // a connection that the broker ended is noticed by the first one that uses it
			if o := x.Deliver(t.Context(), targettest.Parcel(t, 10)); o.Verdict == inbound.Taken {
				return
			}
		}
		t.Error("the target does not come back")
	}
	first := deliver("amqp.confirmed")
	if err := n.Disconnect(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually()
	n.Kill()
	deliver("amqp.connect")
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually()
	got := peek(t, n, r.Queue)
	if len(got) == 0 || !bytes.HasPrefix(got[0].Body, []byte("<?xml")) || got[0].MessageId != first.Post.MessageUUID {
		t.Errorf("the confirmed message is not there after a kill: %d messages", len(got))
	}
	if err := n.Alarm(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	deliver("amqp.blocked")
	if err := n.Alarm(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	eventually()
}

// TestBrokerIsClosed: nothing goes out any more, and nothing stays behind (TestMain looks).
func TestBrokerIsClosed(t *testing.T) {
	t.Parallel()
	n := rabbit(t, &rabbits.calm)
	r := queueTarget(t, n)
	made, err := target.New(r, target.Options{})
	if err != nil {
		t.Fatal(err)
	}
	code(t, made.Deliver(t.Context(), targettest.Parcel(t, 10)), inbound.Taken, "amqp.confirmed")
	closer, is := made.(interface{ Close() error })
	if !is {
		t.Fatal("a broker holds a connection")
	}
	if err := closer.Close(); err != nil {
		t.Error(err)
	}
	code(t, made.Deliver(t.Context(), targettest.Parcel(t, 10)), inbound.Later, "stopped")
}
