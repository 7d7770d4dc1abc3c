package demo

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// mailbox is a mail server that takes every letter and forgets it, so that a demo's e-mails reach nobody.
type mailbox struct {
	server   *smtp.Server
	address  string
	received atomic.Int64
}

// openMailbox listens on a free port of this machine.
func openMailbox(ctx context.Context) (*mailbox, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the mail server: %w", err)
	}
	m := &mailbox{address: l.Addr().String()}
	m.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return session{m}, nil }))
	m.server.Domain = "localhost"
	m.server.ReadTimeout, m.server.WriteTimeout = time.Minute, time.Minute
	go func() { _ = m.server.Serve(l) }() // ends with Close
	return m, nil
}

// Close ends the server.
func (m *mailbox) Close() { _ = m.server.Close() }

// session is one SMTP session.
type session struct{ box *mailbox }

func (session) Mail(string, *smtp.MailOptions) error { return nil }
func (session) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (session) Reset()                               {}
func (session) Logout() error                        { return nil }

// Data takes the letter.
func (s session) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return fmt.Errorf("read the letter: %w", err)
	}
	s.box.received.Add(1)
	return nil
}
