package beskedfordeler

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"
)

// take stores one message, however often that must be tried, and acknowledges
// it. An error means that it was not acknowledged and that the connection is
// to be left; the message comes again.
func (s *session) take(ctx, work context.Context, d *amqp.Delivery) error {
	p := s.p
	p.state.update(func(st *PullState) {
		st.Received++
		if d.Redelivered {
			st.Redelivered++
		}
	})
	b, reason := p.read(d.Body)
	for attempt := 0; ; attempt++ {
		err := p.store(work, d.Body, b, reason)
		if err == nil {
			break
		}
		if errors.Is(err, errPanicked) && b != nil {
			p.cfg.Logger.ErrorContext(ctx, "the receiver of statuses panicked", "beskedId", b.ID)
			b, reason = nil, "message made its receiver fail"
			attempt = -1
			continue
		}
		pause := p.cfg.Retry.pause(attempt, p.cfg.Jitter())
		p.state.update(func(st *PullState) {
			st.Retries++
			st.trouble(string(ProblemDeliver), p.cfg.Now())
		})
		p.cfg.Logger.WarnContext(ctx, "status not stored, kept", "beskedId", id(b), "attempt", attempt+1, "err", err, "again", pause)
		if !wait(ctx, s.broken, pause) {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // told to end: it goes back when the connection is closed
			}
			return s.ended()
		}
	}
	if err := d.Ack(false); err != nil {
		return sessionProblem(err)
	}
	p.state.update(func(st *PullState) {
		if b != nil {
			st.Settled++
		} else {
			st.Quarantined++
		}
		st.Problem, st.LastMessageAt = "", p.cfg.Now()
	})
	if b == nil {
		p.cfg.Logger.WarnContext(ctx, "message quarantined", "reason", reason, "bytes", len(d.Body))
	}
	return nil
}

// read decodes a message, or says why it cannot be; never both.
func (p *Puller) read(raw []byte) (b *Besked, reason string) {
	defer func() {
		if recover() != nil {
			b, reason = nil, "message made the decoder fail"
		}
	}()
	if len(raw) > p.cfg.MaxBytes {
		return nil, fmt.Sprintf("message is larger than %d bytes", p.cfg.MaxBytes)
	}
	b, err := p.decode(raw)
	if err != nil {
		if known, ok := errors.AsType[*DecodeError](err); ok {
			return nil, known.Field + " " + known.Reason
		}
		return nil, "message cannot be read"
	}
	return b, ""
}

// errPanicked stands for a panic of Deliver or Quarantine.
var errPanicked = errors.New("beskedfordeler: the receiver panicked")

// store makes one call of Deliver, or of Quarantine when there is no b.
func (p *Puller) store(ctx context.Context, raw []byte, b *Besked, reason string) (err error) {
	defer func() {
		if recover() != nil {
			err = errPanicked // what it said may quote the message
		}
	}()
	if b != nil {
		return p.cfg.Deliver(ctx, raw, b)
	}
	return p.cfg.Quarantine(ctx, raw, reason)
}

func id(b *Besked) string {
	if b == nil {
		return ""
	}
	return b.ID
}
