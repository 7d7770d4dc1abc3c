package sf1601test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// Dueslag is a queue of a RabbitMQ that plays Beskedfordeler's.
type Dueslag struct {
	// URL is amqps://host:port/vhost. The simulator logs in with its own
	// certificate (SASL EXTERNAL).
	URL string
	// Queue is the UUID of the dueslag; a durable queue of that name is made
	// when it is missing.
	Queue string
	// TLS overrides the simulator's certificate and roots.
	TLS *tls.Config
}

func (d Dueslag) validate(pushURL string) error {
	switch {
	case d.URL == "":
		return nil
	case !strings.HasPrefix(d.URL, "amqps://"):
		return errors.New("sf1601test: the URL of the dueslag must begin with amqps://")
	case d.Queue == "":
		return errors.New("sf1601test: the dueslag has no queue")
	case pushURL != "":
		return errors.New("sf1601test: a dueslag is pulled or pushes, not both")
	}
	return nil
}

// dueslag puts statuses into a queue over one connection, which is made when
// it is needed and again when it is lost.
type dueslag struct {
	cfg Dueslag
	tls *tls.Config
	// workers is how many puts run at once at most.
	workers int

	mu       sync.Mutex
	conn     *amqp.Connection
	channel  *amqp.Channel
	returned chan amqp.Return // what no queue took
	lost     map[string]bool  // their ids
}

func newDueslag(cfg Dueslag, a *Authority, workers int) *dueslag {
	d := &dueslag{cfg: cfg, tls: cfg.TLS, workers: workers}
	if d.tls == nil {
		d.tls = &tls.Config{
			MinVersion: tls.VersionTLS12, RootCAs: a.RootCAs(), Certificates: []tls.Certificate{a.ServerCertificate()},
		}
	}
	return d
}

// put returns nil when the broker has taken the message for good.
func (d *dueslag) put(ctx context.Context, b *beskedfordeler.Besked) error {
	confirm, err := d.publish(ctx, b)
	if err != nil {
		return fmt.Errorf("dueslag: %w", err)
	}
	taken, err := confirm.WaitContext(ctx)
	if err != nil {
		return fmt.Errorf("dueslag: %w", err)
	}
	if d.wasLost(b.ID) {
		d.close() // the next one makes the queue again
		return errors.New("dueslag: the queue is gone")
	}
	if !taken {
		return errors.New("dueslag: the broker did not take the message")
	}
	return nil
}

func (d *dueslag) publish(ctx context.Context, b *beskedfordeler.Besked) (*amqp.DeferredConfirmation, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil || d.channel.IsClosed() {
		d.hangUp()
		if err := d.open(ctx); err != nil {
			d.hangUp()
			return nil, err
		}
	}
	message := amqp.Publishing{
		ContentType: "application/xml", DeliveryMode: amqp.Persistent, MessageId: b.ID, Body: beskedfordeler.EncodeEvent(b),
	}
	return d.channel.PublishWithDeferredConfirmWithContext( //nolint:wrapcheck // put does
		ctx, amqp.DefaultExchange, d.cfg.Queue, true, false, message)
}

// dialTimeout bounds making the connection.
const dialTimeout = 10 * time.Second

// open connects and makes the queue; d.mu is held.
func (d *dueslag) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	var err error
	d.conn, err = amqp.DialConfig(d.cfg.URL, amqp.Config{
		SASL: []amqp.Authentication{&amqp.ExternalAuth{}}, TLSClientConfig: d.tls.Clone(), Heartbeat: 10 * time.Second,
		Dial: func(network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			if err != nil {
				return nil, err //nolint:wrapcheck // the library passes it on
			}
			end, _ := ctx.Deadline()
			return conn, conn.SetDeadline(end)
		},
	})
	if err != nil {
		d.conn = nil
		return fmt.Errorf("connect: %w", err)
	}
	if d.channel, err = d.conn.Channel(); err != nil {
		return fmt.Errorf("channel: %w", err)
	}
	if _, err := d.channel.QueueDeclare(d.cfg.Queue, true, false, false, false, nil); err != nil {
		return fmt.Errorf("queue: %w", err)
	}
	if err := d.channel.Confirm(false); err != nil {
		return fmt.Errorf("confirms: %w", err)
	}
	// The broker returns a message before it confirms it, and every put under
	// way reads what was returned after its confirmation: this never fills up.
	d.returned, d.lost = d.channel.NotifyReturn(make(chan amqp.Return, 2*d.workers)), map[string]bool{}
	return nil
}

// wasLost says that a confirmed message came back because no queue took it.
func (d *dueslag) wasLost(id string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		select {
		case r, ok := <-d.returned:
			if ok {
				d.lost[r.MessageId] = true
				continue
			}
		default:
		}
		return d.lost[id]
	}
}

// close logs out; what is under way fails.
func (d *dueslag) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hangUp()
}

func (d *dueslag) hangUp() {
	if d.conn != nil {
		_ = d.conn.CloseDeadline(time.Now().Add(5 * time.Second)) // the broker may be gone
		d.conn = nil
	}
}
