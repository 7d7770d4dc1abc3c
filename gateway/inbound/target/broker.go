package target

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/routing"
)

// broker publishes to a queue, or to an exchange with a routing key, over one connection that is opened when it is needed
// and opened again when it broke.
type broker struct {
	to      routing.Target
	dial    dialer
	max     int64
	timeout time.Duration
	now     func() time.Time
	large   chan struct{} // one large message at a time

	mu     sync.Mutex
	link   *link
	closed bool
}

// largeFrom is the size from which messages wait for each other.
const largeFrom = 1 << 20

func newBroker(t routing.Target, o Options) (*broker, error) {
	d, err := newDialer(t)
	if err != nil {
		return nil, err
	}
	switch {
	case t.Format != routing.FormatMemo && t.Format != routing.FormatJSON:
		return nil, errors.New("format: it is memo or json")
	case (t.Queue == "") == (t.Exchange == ""):
		return nil, errors.New("queue, exchange: one of the two")
	}
	return &broker{to: t, dial: d, max: o.AMQPMax, timeout: o.AMQPTimeout, now: o.Now, large: make(chan struct{}, 1)}, nil
}

// Close ends the connection. Nothing is delivered afterwards.
func (b *broker) Close() error {
	b.mu.Lock()
	link := b.link
	b.link, b.closed = nil, true
	b.mu.Unlock()
	if link != nil {
		link.close()
	}
	return nil
}

// Deliver implements inbound.Target.
func (b *broker) Deliver(ctx context.Context, p *inbound.Parcel) inbound.Outcome {
	body, o, ok := bodyOf(ctx, b.to.Format, p)
	switch {
	case !ok:
		return o
	case body.size > b.max:
		return outcome(codeAMQPLarge, nil)
	}
	ctx, cancel := context.WithTimeout(ctx, allowed(b.timeout, body.size))
	defer cancel()
	if body.size > largeFrom {
		select {
		case b.large <- struct{}{}:
			defer func() { <-b.large }()
		case <-ctx.Done():
			return b.failed(ctx, ctx.Err())
		}
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // a disk that fails under a mapped file ends this attempt alone
	content, release, err := body.hold(ctx)
	if err != nil {
		return b.failed(ctx, err)
	}
	defer release()
	err = b.publish(ctx, p, body.contentType, content)
	if err == nil {
		return outcome(codeAMQPTaken, nil)
	}
	return b.failed(ctx, err)
}

// publish puts one message onto a channel of its own, so that what goes wrong with it does so alone. A connection on which
// something is still under way when publish gives up is not used again.
func (b *broker) publish(ctx context.Context, p *inbound.Parcel, contentType string, content []byte) error {
	link, err := b.connected(ctx)
	if err != nil {
		return err
	}
	over := false
	defer func() {
		if !over {
			b.drop(link)
		}
	}()
	stop := context.AfterFunc(ctx, link.wire.cut) // the library's calls know no context
	defer stop()
	channel, err := link.conn.Channel()
	if err != nil {
		return fmt.Errorf("open a channel: %w", err)
	}
	ended := channel.NotifyClose(make(chan *amqp.Error, 1))
	returned := channel.NotifyReturn(make(chan amqp.Return, 1))
	if err := channel.Confirm(false); err != nil {
		return lastWord(channel, ended, err)
	}
	message := b.message(p, contentType, content)
	confirm, err := channel.PublishWithDeferredConfirmWithContext(ctx, b.to.Exchange, b.key(), true, false, message)
	if err != nil {
		return lastWord(channel, ended, err)
	}
	select {
	case <-confirm.Done():
	case <-link.blocked():
		return errBlocked
	case <-ctx.Done():
		return ctx.Err()
	}
	if !confirm.Acked() { // also when the channel has ended
		err := lastWord(channel, ended, errNack)
		over = link.usable()
		return err
	}
	over = channel.Close() == nil
	if len(returned) > 0 {
		return errUnroutable
	}
	return nil
}

// drop ends a connection and forgets it.
func (b *broker) drop(l *link) {
	b.mu.Lock()
	if b.link == l {
		b.link = nil
	}
	b.mu.Unlock()
	l.wire.cut()
}

func (b *broker) key() string {
	if b.to.Queue != "" {
		return b.to.Queue
	}
	return b.to.RoutingKey
}

func (b *broker) message(p *inbound.Parcel, contentType string, content []byte) amqp.Publishing {
	return amqp.Publishing{
		DeliveryMode: amqp.Persistent, ContentType: contentType, MessageId: strings.ToLower(p.Post.MessageUUID),
		Type: "digitalpost." + b.to.Format, AppId: "brevdue", Timestamp: p.Post.ReceivedAt.UTC(),
		Headers: amqp.Table{"brevdue-post-id": p.Post.ID}, Body: content,
	}
}

// lastWord is what the broker said when it ended a channel; err when it did not end it, or said nothing.
func lastWord(channel *amqp.Channel, ended <-chan *amqp.Error, err error) error {
	if !channel.IsClosed() {
		return err
	}
	if said := <-ended; said != nil { // closed with the channel
		return said
	}
	return err
}

var (
	errBlocked    = errors.New("the broker takes nothing at present")
	errUnroutable = errors.New("the broker returned it")
	errNack       = errors.New("the broker said no")
	errClosed     = errors.New("the target is closed")
	errTLS        = errors.New("the connection could not be protected")
	errLogin      = errors.New("the login is not accepted")
)

// failed finds the word for what went wrong.
func (*broker) failed(ctx context.Context, err error) inbound.Outcome {
	if o, is := early(ctx, err); is {
		return o
	}
	if said, is := errors.AsType[*amqp.Error](err); is && said.Server {
		return outcome(brokerWord(said), fmt.Errorf("amqp: reply %d", said.Code)) // not its text: it may repeat ours
	}
	for word, known := range map[string]error{
		codeAMQPBlocked: errBlocked, codeAMQPRoute: errUnroutable, codeAMQPNack: errNack, codeAMQPTLS: errTLS,
		codeAMQPDenied: errLogin, codeStopped: errClosed,
	} {
		if errors.Is(err, known) {
			return outcome(word, known)
		}
	}
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return outcome(codeAMQPTimeout, bare("amqp", context.DeadlineExceeded))
	}
	return outcome(codeAMQPConnect, bare("amqp", err))
}

// brokerWord is the word for a reply code. RabbitMQ ends the channel with 406 when a message is larger than it takes.
func brokerWord(said *amqp.Error) string {
	switch said.Code {
	case amqp.ContentTooLarge:
		return codeAMQPLarge
	case amqp.PreconditionFailed:
		if strings.Contains(said.Reason, "message size") {
			return codeAMQPLarge
		}
		return codeAMQPClosed
	case amqp.AccessRefused:
		return codeAMQPDenied
	case amqp.NotFound, amqp.NotAllowed:
		return codeAMQPMissing
	default:
		return codeAMQPClosed
	}
}

// hold has the body in memory, or mapped into it where it is a file: then the pages are the file's, and the system takes
// them back when it wants. release must be called.
func (b body) hold(ctx context.Context) (content []byte, release func(), err error) {
	if b.file == nil {
		return b.bytes, func() {}, nil
	}
	r, err := b.file.open(ctx)
	if err != nil {
		return nil, nil, &storeError{err}
	}
	defer func() { _ = r.Close() }()
	release = func() {}
	if f, is := r.(*os.File); is && b.size > largeFrom {
		content, release, err = mapFile(f, b.size)
	} else {
		content = make([]byte, b.size)
		_, err = io.ReadFull(r, content)
	}
	if err != nil {
		return nil, nil, &storeError{err}
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != b.file.SHA256 {
		release()
		return nil, nil, &storeError{errChanged}
	}
	return content, release, nil
}
