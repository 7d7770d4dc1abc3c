package target

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/brevdue/brevdue/gateway/routing"
)

// The bounds of a connection.
const (
	heartbeat    = 10 * time.Second
	frameSize    = 128 << 10 // RabbitMQ's own proposal
	channelMax   = 256
	closeTimeout = 5 * time.Second
)

// dialer is how a broker is reached.
type dialer struct {
	address, vhost string
	tls            *tls.Config // nil: on this machine, unprotected
	user, password string      // password: its file
}

func newDialer(t routing.Target) (dialer, error) {
	u, err := amqp.ParseURI(t.URL)
	if err != nil {
		return dialer{}, errors.New("amqp: it is no address")
	}
	d := dialer{
		address: net.JoinHostPort(u.Host, strconv.Itoa(u.Port)), vhost: u.Vhost, user: t.User, password: t.PasswordFile,
	}
	if parsed, err := url.Parse(t.URL); err != nil || strings.Trim(parsed.Path, "/") == "" {
		d.vhost = "/"
	}
	if u.Scheme == "amqps" {
		if d.tls, err = tlsOf(t); err != nil {
			return dialer{}, err
		}
		d.tls.ServerName = u.Host
	}
	switch {
	case t.User != "":
		if _, err := d.secret(); err != nil {
			return dialer{}, err
		}
	case t.CertificateFile == "":
		return dialer{}, errors.New("user, certificate_file: a broker wants one of the two")
	}
	return d, nil
}

// secret is the first line of the password file, read at every login.
func (d dialer) secret() (string, error) {
	b, err := os.ReadFile(d.password)
	if err != nil {
		return "", fmt.Errorf("password_file: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", errors.New("password_file: it is empty")
	}
	return line, nil
}

// link is one connection that is logged in.
type link struct {
	conn *amqp.Connection
	wire *wire

	mu   sync.Mutex
	stop chan struct{} // closed when the broker says that it takes nothing
}

// connected gives the connection, a new one when there is none that works.
func (b *broker) connected(ctx context.Context) (*link, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errClosed
	}
	if b.link != nil && !b.link.conn.IsClosed() {
		return b.link, nil
	}
	l, err := b.dial.open(ctx)
	if err != nil {
		return nil, err
	}
	b.link = l
	return l, nil
}

// open connects and logs in.
func (d dialer) open(ctx context.Context) (*link, error) {
	login, err := d.login()
	if err != nil {
		return nil, errors.Join(errLogin, err)
	}
	tcp := net.Dialer{Timeout: 15 * time.Second}
	raw, err := tcp.DialContext(ctx, "tcp", d.address)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	w := &wire{Conn: raw, raw: raw}
	stop := context.AfterFunc(ctx, w.cut)
	defer stop()
	if d.tls != nil {
		secure := tls.Client(raw, d.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, protected(err)
		}
		w.Conn = secure
	}
	conn, err := amqp.Open(w, amqp.Config{
		SASL: []amqp.Authentication{login}, Vhost: d.vhost, Locale: "en_US", Heartbeat: heartbeat, FrameSize: frameSize,
		ChannelMax: channelMax, Properties: amqp.Table{
			"product": "brevdue", "capabilities": amqp.Table{
				"connection.blocked": true, "publisher_confirms": true, "authentication_failure_close": true,
			},
		},
	})
	if err != nil {
		_ = w.Close() // ends the library's reader
		return nil, d.refused(err, w)
	}
	l := &link{conn: conn, wire: w, stop: make(chan struct{})}
	l.listen()
	return l, nil
}

func (d dialer) login() (amqp.Authentication, error) {
	if d.user == "" {
		return &amqp.ExternalAuth{}, nil
	}
	password, err := d.secret()
	return &amqp.PlainAuth{Username: d.user, Password: password}, err
}

// protected marks an error of the handshake that is TLS's own.
func protected(err error) error {
	var op *net.OpError
	var alert tls.AlertError
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &alert), errors.As(err, &verify), errors.As(err, &unknown), errors.As(err, &record),
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"):
		return errTLS
	default:
		return err
	}
}

// refused tells why a login failed. A broker that refuses the client's certificate does so after the handshake of TLS 1.3.
func (dialer) refused(err error, w *wire) error {
	if said, is := errors.AsType[*amqp.Error](err); is {
		if said.Server || said.Code != amqp.AccessRefused {
			if broken := w.why(); broken != nil && errors.Is(protected(broken), errTLS) {
				return errTLS
			}
			return err
		}
		return errLogin
	}
	if broken := w.why(); broken != nil {
		return protected(broken)
	}
	return err
}

// listen follows whether the broker takes messages.
func (l *link) listen() {
	news := l.conn.NotifyBlocked(make(chan amqp.Blocking, 1))
	go func() {
		stopped := false
		for b := range news { // closed with the connection
			l.mu.Lock()
			if b.Active && !stopped {
				close(l.stop)
			}
			if !b.Active && stopped {
				l.stop = make(chan struct{})
			}
			stopped = b.Active
			l.mu.Unlock()
		}
	}()
}

// blocked is closed while the broker takes nothing.
func (l *link) blocked() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stop
}

// usable tells whether the connection outlived the end of one of its channels.
func (l *link) usable() bool { return !l.conn.IsClosed() }

// close logs out.
func (l *link) close() {
	_ = l.conn.CloseDeadline(time.Now().Add(closeTimeout)) //nolint:forbidigo // deadlines of connections are the machine's time
	l.wire.cut()
}

// wire remembers why reading ended, which the library turns into text, and bounds each write, which the library does not.
type wire struct {
	net.Conn

	raw    net.Conn
	mu     sync.Mutex
	broken error
}

// cut ends the connection at once, without a word.
func (w *wire) cut() { _ = w.raw.Close() }

// Read implements net.Conn.
func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err != nil {
		w.mu.Lock()
		if w.broken == nil {
			w.broken = err
		}
		w.mu.Unlock()
	}
	return n, err //nolint:wrapcheck // io.EOF must pass as it is
}

// Write implements net.Conn.
func (w *wire) Write(p []byte) (int, error) {
	end := time.Now().Add(2 * heartbeat) //nolint:forbidigo // deadlines of connections are the machine's time
	if err := w.SetWriteDeadline(end); err != nil {
		return 0, err //nolint:wrapcheck // as Read
	}
	return w.Conn.Write(p) //nolint:wrapcheck // as Read
}

func (w *wire) why() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.broken
}
