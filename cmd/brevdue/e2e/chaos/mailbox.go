package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// mailbox is a mail server that remembers which mails it took, and can be told to misbehave.
type mailbox struct {
	server  *smtp.Server
	address string

	refuse atomic.Bool // 421 to every letter
	cut    atomic.Bool // takes the mail, then cuts the connection

	mu    sync.Mutex
	taken map[string][]time.Time // by Message-ID
}

func openMailbox(ctx context.Context) (*mailbox, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	m := &mailbox{address: l.Addr().String(), taken: map[string][]time.Time{}}
	m.server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &mailing{box: m, conn: c.Conn()}, nil
	}))
	m.server.Domain = "localhost"
	m.server.ErrorLog = silence{}
	go func() { _ = m.server.Serve(l) }() // ends with Close
	return m, nil
}

// silence is the log of a server whose clients are killed on purpose.
type silence struct{}

func (silence) Printf(string, ...any) {}
func (silence) Println(...any)        {}

// Close ends it.
func (m *mailbox) Close() { _ = m.server.Close() }

// mails are the times at which each mail was taken, by the name of its message.
func (m *mailbox) mails() map[string][]time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := make(map[string][]time.Time, len(m.taken))
	for id, times := range m.taken {
		out[id] = append([]time.Time(nil), times...)
	}
	return out
}

// mailing is one session.
type mailing struct {
	box  *mailbox
	conn net.Conn
}

func (*mailing) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (*mailing) Reset()                               {}
func (*mailing) Logout() error                        { return nil }

// Mail refuses for now when it is told to.
func (s *mailing) Mail(string, *smtp.MailOptions) error {
	if s.box.refuse.Load() {
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "closing for a moment"}
	}
	return nil
}

// errCut is never seen: the connection it would travel on is closed.
var errCut = errors.New("connection cut")

// Data takes the mail.
func (s *mailing) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return fmt.Errorf("read the mail: %w", err)
	}
	if _, err := io.Copy(io.Discard, m.Body); err != nil {
		return fmt.Errorf("read the mail: %w", err)
	}
	id := strings.Trim(m.Header.Get("Message-Id"), "<>")
	s.box.mu.Lock()
	s.box.taken[id] = append(s.box.taken[id], time.Now())
	s.box.mu.Unlock()
	if s.box.cut.Load() {
		_ = s.conn.Close()
		return errCut
	}
	return nil
}
