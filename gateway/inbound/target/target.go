package target

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/routing"
)

// The bounds where [Options] are silent.
const (
	// DefaultHTTPTimeout is how long an HTTP endpoint may take to answer, beyond the time that the bytes need.
	DefaultHTTPTimeout = time.Minute
	// DefaultMailMax is the largest mail that is sent, in bytes of the whole mail.
	DefaultMailMax = 25_000_000
	// DefaultAMQPMax is the largest message that is published, in bytes: what a RabbitMQ 4 takes unless it is told
	// otherwise. One of 3.x takes 134,217,728.
	DefaultAMQPMax = 16 << 20
	// DefaultAMQPTimeout is how long a broker may take to confirm a message, beyond the time that the bytes need.
	DefaultAMQPTimeout = 30 * time.Second
	// slowest is the pace, in bytes a second, at which a far end must take bytes.
	slowest = 256 << 10
)

// Options are what targets need beyond the rules file. The zero value does for folders, URLs and brokers.
type Options struct {
	// Mailer hands mail to the mail server; channels/smtp's Relay is one. Required by targets of the kind mail.
	Mailer Mailer
	// MailFrom is the address that mail to a desk is from. Required by targets of the kind mail.
	MailFrom string
	MailMax  int64          // default DefaultMailMax
	Zone     *time.Location // of times in a mail; default UTC

	HTTPTimeout time.Duration // default DefaultHTTPTimeout
	AMQPTimeout time.Duration // default DefaultAMQPTimeout
	AMQPMax     int64         // default DefaultAMQPMax

	Now    func() time.Time // default time.Now
	Logger *slog.Logger     // nil: none
}

// Mailer hands mail to a mail server.
type Mailer interface {
	// Hand gives one mail of size bytes to the server and returns when it took it or refused. content writes the mail's
	// bytes; dots are not doubled yet. reply is the code that the server gave to this mail, 0 when it did not get that far
	// or said nothing; err is nil when the server took it. err holds no word of the server's; one that content returned is in
	// its chain.
	Hand(ctx context.Context, from, to string, size int64, content func(ctx context.Context, w io.Writer) error) (reply int, err error)
}

// New makes the target that t defines. One that is an io.Closer holds connections and must be closed. Errors name the key of
// the rules file.
func New(t routing.Target, o Options) (inbound.Target, error) {
	o = o.withDefaults()
	made, err := choose(t, o)
	if err != nil {
		return nil, fmt.Errorf("target %s: %w", t.Name, err)
	}
	return made, nil
}

func choose(t routing.Target, o Options) (inbound.Target, error) {
	switch t.Kind {
	case routing.Folder:
		return newFolder(t, o)
	case routing.URL:
		return newEndpoint(t, o)
	case routing.Mail:
		return newMailbox(t, o)
	case routing.AMQP:
		return newBroker(t, o)
	case routing.Producer:
		fallthrough
	default:
		return nil, fmt.Errorf("nothing to be made of the kind %q", t.Kind)
	}
}

func (o Options) withDefaults() Options {
	if o.MailMax <= 0 {
		o.MailMax = DefaultMailMax
	}
	if o.AMQPMax <= 0 {
		o.AMQPMax = DefaultAMQPMax
	}
	if o.HTTPTimeout <= 0 {
		o.HTTPTimeout = DefaultHTTPTimeout
	}
	if o.AMQPTimeout <= 0 {
		o.AMQPTimeout = DefaultAMQPTimeout
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// allowed is how long a far end may take in all for so many bytes.
func allowed(base time.Duration, size int64) time.Duration {
	return base + time.Duration(size/slowest)*time.Second
}
