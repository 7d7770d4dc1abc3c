package rabbittest

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"
)

// admin is the node's own connection: it makes, fills and looks at queues. It
// logs in with the server pair and is opened when it is first needed.
type admin struct {
	mu   sync.Mutex
	conn *amqp.Connection
}

func (a *admin) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn != nil {
		_ = a.conn.Close() // the node may be gone
		a.conn = nil
	}
}

// with runs f on a channel of its own.
func (n *Node) with(f func(*amqp.Channel) error) error {
	ch, err := n.channel()
	if err != nil {
		return err
	}
	if err := f(ch); err != nil {
		_ = ch.Close() // the error says more
		return fmt.Errorf("rabbittest: %w", err)
	}
	if err := ch.Close(); err != nil {
		return fmt.Errorf("rabbittest: close channel: %w", err)
	}
	return nil
}

func (n *Node) channel() (*amqp.Channel, error) {
	a := n.admin
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.conn == nil || a.conn.IsClosed() {
		conn, err := amqp.DialConfig("amqps://"+n.Address()+"/"+vhost, amqp.Config{
			Vhost: vhost, SASL: []amqp.Authentication{&amqp.ExternalAuth{}},
			TLSClientConfig: &tls.Config{
				MinVersion: tls.VersionTLS12, RootCAs: n.cfg.Authority.RootCAs(),
				Certificates: []tls.Certificate{n.cfg.Authority.ServerCertificate()},
			},
		})
		if err != nil {
			return nil, fmt.Errorf("rabbittest: connect: %w", err)
		}
		a.conn = conn
	}
	ch, err := a.conn.Channel()
	if err != nil {
		return nil, fmt.Errorf("rabbittest: open channel: %w", err)
	}
	return ch, nil
}

// Declare makes a durable queue.
func (n *Node) Declare(queue string) error {
	return n.with(func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclare(queue, true, false, false, false, nil)
		return err //nolint:wrapcheck // with does
	})
}

// Delete removes a queue with what is in it; its consumers are cancelled.
func (n *Node) Delete(queue string) error {
	return n.with(func(ch *amqp.Channel) error {
		_, err := ch.QueueDelete(queue, false, false, false)
		return err //nolint:wrapcheck // with does
	})
}

// Publish puts persistent messages into a queue, in order, and returns when
// the broker has taken responsibility for all of them.
func (n *Node) Publish(ctx context.Context, queue string, bodies ...[]byte) error {
	return n.with(func(ch *amqp.Channel) error {
		if err := ch.Confirm(false); err != nil {
			return err //nolint:wrapcheck // with does
		}
		returned := ch.NotifyReturn(make(chan amqp.Return, len(bodies)))
		confirms := make([]*amqp.DeferredConfirmation, len(bodies))
		for i, body := range bodies {
			var err error
			confirms[i], err = ch.PublishWithDeferredConfirmWithContext(ctx, amqp.DefaultExchange, queue, true, false, amqp.Publishing{
				DeliveryMode: amqp.Persistent, ContentType: "application/xml", Body: body,
			})
			if err != nil {
				return err //nolint:wrapcheck // with does
			}
		}
		for _, c := range confirms {
			taken, err := c.WaitContext(ctx)
			if err != nil {
				return err //nolint:wrapcheck // with does
			}
			if !taken {
				return errors.New("the broker did not take a message")
			}
		}
		if len(returned) > 0 {
			return errors.New("there is no such queue")
		}
		return nil
	})
}

// Depth is how many messages of a queue are ready to be given, not counting
// those given and not acknowledged; see Look for these.
func (n *Node) Depth(queue string) (int, error) {
	var depth int
	err := n.with(func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(queue, true, false, false, false, nil)
		depth = q.Messages
		return err //nolint:wrapcheck // with does
	})
	return depth, err
}

// Queue is what the broker says of a queue.
type Queue struct {
	Name      string `json:"name"`
	Ready     int    `json:"messages_ready"`
	Unacked   int    `json:"messages_unacknowledged"`
	Consumers int    `json:"consumers"`
}

// Look asks the broker about all queues of vhost BF with rabbitmqctl, which
// takes a second or two. The answer is keyed by name.
func (n *Node) Look(ctx context.Context) (map[string]Queue, error) {
	raw, err := n.control(ctx, "list_queues", "-p", vhost, "--formatter", "json",
		"name", "messages_ready", "messages_unacknowledged", "consumers")
	if err != nil {
		return nil, err
	}
	var list []Queue
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("rabbittest: rabbitmqctl: %w", err)
	}
	queues := make(map[string]Queue, len(list))
	for _, q := range list {
		queues[q.Name] = q
	}
	return queues, nil
}

// Alarm makes the broker believe that it is out of memory, or no longer: it
// then takes no messages from publishers.
func (n *Node) Alarm(ctx context.Context, on bool) error {
	limit := "0.4" // RabbitMQ's default
	if on {
		limit = "0.000001"
	}
	_, err := n.control(ctx, "set_vm_memory_high_watermark", limit)
	return err
}

// Disconnect makes the broker close all connections, as an operator does.
func (n *Node) Disconnect(ctx context.Context) error {
	_, err := n.control(ctx, "close_all_connections", "--vhost", vhost, "an operator did")
	return err
}

// control runs rabbitmqctl.
func (n *Node) control(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(n.scripts, "rabbitmqctl"), //nolint:gosec // RabbitMQ's own program
		append([]string{"-q", "-n", nodeName}, args...)...)
	cmd.Env = n.environment()
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return nil, fmt.Errorf("rabbittest: rabbitmqctl: %w: %s", err, lastLines(string(exit.Stderr), 5))
		}
		return nil, fmt.Errorf("rabbittest: rabbitmqctl: %w", err)
	}
	return out, nil
}
