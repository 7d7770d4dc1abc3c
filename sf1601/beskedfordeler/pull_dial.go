package beskedfordeler

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// assertion is SASL EXTERNAL with the decoded SAML assertion as response.
// [src: SF1461-SAMPLES AfhentBesked]
type assertion string

// Mechanism is amqp.Authentication's.
func (assertion) Mechanism() string { return "EXTERNAL" }

// Response is amqp.Authentication's.
func (a assertion) Response() string { return string(a) }

// String hides the assertion.
func (assertion) String() string { return "SAML assertion (secret)" }

// link is one login: a connection to the broker and what is known about it.
type link struct {
	conn  *amqp.Connection
	wire  *wire
	renew time.Time // when it is to be replaced
	ends  time.Time // of its token
}

// dial logs in with a token that ends later than after. Every error is a
// *PullError.
func (p *Puller) dial(ctx context.Context, after time.Time) (*link, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.DialTimeout)
	defer cancel()
	token, ends, err := p.cfg.Token(ctx)
	if err != nil {
		return nil, problem(ProblemToken, err)
	}
	if !after.IsZero() && !ends.After(after) {
		return nil, problem(ProblemToken, errors.New("it gave the one in use again"))
	}
	wire, err := p.connect(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, wire.cut) // the library's calls know no context
	defer stop()
	now := p.cfg.Now()
	conn, err := amqp.Open(wire, amqp.Config{
		SASL: []amqp.Authentication{assertion(token)}, Vhost: p.at.vhost, Locale: "en_US",
		Heartbeat: p.cfg.Heartbeat, FrameSize: frameSize, ChannelMax: 4,
		Properties: amqp.Table{"product": "brevdue"}, // no more: a broker may limit the size of a login
	})
	if err != nil {
		_ = wire.Close() // ends the library's reader
		return nil, loginProblem(err, wire.broken(), len(token))
	}
	return &link{conn: conn, wire: wire, ends: ends, renew: renewal(now, ends, p.cfg.RenewBefore)}, nil
}

// frameSize is what RabbitMQ proposes itself; larger messages come in several
// frames.
const frameSize = 128 << 10

// renewal is when a login made at now is replaced: before its token ends, but
// never before three quarters of what is left of it have passed.
func renewal(now, ends time.Time, before time.Duration) time.Time {
	left := max(0, ends.Sub(now))
	return now.Add(left - min(before, left/4))
}

// connect makes the TCP connection and its TLS handshake. The deadline of ctx
// holds until the library lifts it after the login.
func (p *Puller) connect(ctx context.Context) (*wire, error) {
	dialer := net.Dialer{KeepAlive: 15 * time.Second} // TCP_NODELAY is Go's default
	raw, err := dialer.DialContext(ctx, "tcp", p.at.address())
	if err != nil {
		return nil, problem(ProblemUnreachable, err)
	}
	cfg := p.cfg.TLS.Clone()
	if cfg.ServerName == "" {
		cfg.ServerName = p.at.host
	}
	if cfg.MinVersion == 0 {
		cfg.MinVersion = tls.VersionTLS12
	}
	secure := tls.Client(raw, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, tlsProblem(err)
	}
	if end, ok := ctx.Deadline(); ok {
		if err := secure.SetDeadline(end); err != nil {
			_ = raw.Close()
			return nil, problem(ProblemUnreachable, err)
		}
	}
	return &wire{Conn: secure, raw: raw, patience: 2 * p.cfg.Heartbeat}, nil
}

// wire remembers why reading ended, which the library turns into text, and
// bounds each write, which the library does not.
type wire struct {
	net.Conn

	raw      net.Conn
	patience time.Duration
	end      endError
}

// cut ends the connection at once, without a word.
func (w *wire) cut() { _ = w.raw.Close() }

// Read is net.Conn's.
func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	if err != nil {
		w.end.set(err)
	}
	return n, err //nolint:wrapcheck // io.EOF must pass as it is
}

// Write is net.Conn's.
func (w *wire) Write(b []byte) (int, error) {
	end := time.Now().Add(w.patience) //nolint:forbidigo // deadlines of connections are the machine's time
	if err := w.SetWriteDeadline(end); err != nil {
		return 0, err //nolint:wrapcheck // as Read
	}
	return w.Conn.Write(b) //nolint:wrapcheck // as Read
}

func (w *wire) broken() error { return w.end.get() }
