package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	engine "github.com/wneessen/go-mail/smtp"
)

var (
	errNoStartTLS = errors.New("the server does not offer STARTTLS")
	errNoAuth     = errors.New("the server offers no known login")
	errNoUTF8     = errors.New("the server does not offer SMTPUTF8")
)

// session is one connection to the server, greeted, protected and logged in.
type session struct {
	server  Server
	wire    *wire
	client  *engine.Client
	letters int       // handed over
	dirty   bool      // a transaction was refused half-way: RSET before the next
	since   time.Time // in the pool since
	expire  *time.Timer
}

// dial opens a session.
func dial(ctx context.Context, server Server, now func() time.Time) (*session, *Error) {
	config, err := server.tlsConfig()
	if err != nil {
		return nil, newError(PhaseConnect, err)
	}
	dialer := net.Dialer{Timeout: server.Timeouts.Dial}
	conn, err := dialer.DialContext(ctx, "tcp", server.address())
	if err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return nil, newError(PhaseConnect, err)
	}
	s := &session{server: server, wire: &wire{Conn: conn, now: now}}
	stop := context.AfterFunc(ctx, s.wire.interrupt)
	defer stop()
	if e := s.open(ctx, config); e != nil {
		s.close()
		return nil, e
	}
	return s, nil
}

// open greets, protects and logs in.
func (s *session) open(ctx context.Context, config *tls.Config) *Error {
	t := s.server.Timeouts
	var conn net.Conn = s.wire
	if s.server.TLS == TLSImplicit {
		secure := tls.Client(conn, config)
		if e := s.do(ctx, PhaseConnect, t.Dial, func() error { return secure.HandshakeContext(ctx) }); e != nil {
			return e
		}
		conn = secure
	}
	if e := s.do(ctx, PhaseGreeting, t.Greeting, func() error {
		client, err := engine.NewClient(conn, s.server.Host)
		s.client = client
		return err //nolint:wrapcheck // becomes the cause of an Error
	}); e != nil {
		return e
	}
	if e := s.do(ctx, PhaseHello, t.Command, func() error { return s.client.Hello(s.server.LocalName) }); e != nil {
		return e
	}
	if e := s.protect(ctx, config); e != nil {
		return e
	}
	if s.server.Username == "" {
		return nil
	}
	return s.do(ctx, PhaseAuth, t.Command, s.login)
}

// protect does what the server's TLS setting asks for beyond the connection itself.
func (s *session) protect(ctx context.Context, config *tls.Config) *Error {
	if s.server.TLS == TLSImplicit || s.server.TLS == TLSNone {
		return nil
	}
	offered, _ := s.client.Extension("STARTTLS")
	switch {
	case offered:
		return s.do(ctx, PhaseStartTLS, s.server.Timeouts.Dial+s.server.Timeouts.Command, func() error { return s.client.StartTLS(config) })
	case s.server.TLS == TLSRequired:
		return newError(PhaseStartTLS, errNoStartTLS)
	default:
		return nil
	}
}

// login takes the strongest way that both sides know.
func (s *session) login() error {
	password, err := s.server.password()
	if err != nil {
		return err
	}
	_, offer := s.client.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(offer))
	user, plain := s.server.Username, s.server.onThisMachine()
	for _, way := range []struct {
		name string
		auth engine.Auth
	}{
		{"SCRAM-SHA-256", engine.ScramSHA256Auth(user, password)},
		{"PLAIN", engine.PlainAuth("", user, password, s.server.Host, plain)},
		{"LOGIN", engine.LoginAuth(user, password, s.server.Host, plain)},
		{"CRAM-MD5", engine.CRAMMD5Auth(user, password)},
	} {
		if slices.Contains(offered, way.name) {
			return s.client.Auth(way.auth) //nolint:wrapcheck // becomes the cause of an Error
		}
	}
	return errNoAuth
}

// do runs one step of a phase within its time. An error that came because ctx ended is ctx's.
func (s *session) do(ctx context.Context, phase Phase, d time.Duration, step func() error) *Error {
	if err := s.wire.within(d, 0); err != nil {
		return newError(phase, err)
	}
	err := step()
	if err == nil {
		return nil
	}
	return s.failed(ctx, phase, err)
}

func (*session) failed(ctx context.Context, phase Phase, err error) *Error {
	e := newError(phase, err)
	if e.Code == 0 && ctx.Err() != nil {
		e.cause = ctx.Err()
	}
	return e
}

// deliver hands one letter over and returns the server's reply, without its code.
func (s *session) deliver(ctx context.Context, m *mail) (string, *Error) {
	stop := context.AfterFunc(ctx, s.wire.interrupt)
	defer stop()
	t := s.server.Timeouts
	if e := s.do(ctx, PhaseMail, t.Command, func() error { return s.from(m) }); e != nil {
		return "", s.refused(e)
	}
	if e := s.do(ctx, PhaseRcpt, t.Command, func() error { return s.client.Rcpt("<" + m.to + ">") }); e != nil {
		return "", s.refused(e)
	}
	var content *engine.DataCloser
	if e := s.do(ctx, PhaseData, t.Data, func() error {
		w, err := s.client.Data()
		if err != nil {
			return err //nolint:wrapcheck // becomes the cause of an Error
		}
		var ok bool
		if content, ok = w.(*engine.DataCloser); !ok {
			return fmt.Errorf("the engine's writer is a %T", w)
		}
		return nil
	}); e != nil {
		return "", s.refused(e)
	}
	return s.letter(ctx, m, content)
}

// from says MAIL FROM. SMTPUTF8 is asked for only when an address needs it.
func (s *session) from(m *mail) error {
	if offered, _ := s.client.Extension("SMTPUTF8"); m.utf8 && !offered {
		return errNoUTF8
	}
	s.client.SkipSMTPUTF8(!m.utf8)
	argument := "<" + m.from + ">"
	if offered, _ := s.client.Extension("SIZE"); offered {
		argument += " SIZE=" + strconv.FormatInt(m.size, 10) // [src: RFC-1870 6.1]
	}
	return s.client.Mail(argument) //nolint:wrapcheck // becomes the cause of an Error
}

// letter sends the letter and its final dot. The connection is cut when the letter cannot be sent whole: without the
// dot the server throws away what it has. [src: RFC-5321 4.1.1.4]
func (s *session) letter(ctx context.Context, m *mail, content *engine.DataCloser) (string, *Error) {
	t := s.server.Timeouts
	if err := s.wire.within(t.Block, t.Block); err != nil {
		return "", s.failed(ctx, PhaseContent, err)
	}
	err := m.sendTo(ctx, content)
	if err == nil {
		err = s.client.Text.W.Flush()
	}
	if err == nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		s.close()
		return "", s.failed(ctx, PhaseContent, err)
	}
	if err := s.wire.within(t.Final, 0); err != nil {
		s.close()
		return "", s.failed(ctx, PhaseContent, err)
	}
	if err := content.WriteCloser.Close(); err != nil {
		// The dot was refused by our own side of a connection that is gone, unless it was time that ran out.
		phase := PhaseContent
		if isTimeout(err) {
			phase = PhaseFinal
		}
		s.close()
		return "", s.failed(ctx, phase, err)
	}
	_, reply, err := s.client.Text.ReadResponse(accepted)
	if err != nil {
		return "", s.refused(s.failed(ctx, PhaseFinal, err))
	}
	s.letters++
	return reply, nil
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout()
}

// refused notes what an error means for the session: a refusal leaves it usable, anything else does not.
func (s *session) refused(e *Error) *Error {
	if (e.Code == 0 && !errors.Is(e.cause, errNoUTF8)) || e.Code == 421 {
		s.close()
	}
	s.dirty = true
	return e
}

// reuse makes sure that a session that waited is still there, and clean. [src: RFC-5321 4.1.1.5]
func (s *session) reuse(ctx context.Context) *Error {
	stop := context.AfterFunc(ctx, s.wire.interrupt)
	defer stop()
	if e := s.do(ctx, PhaseReuse, s.server.Timeouts.Command, s.client.Reset); e != nil {
		return e
	}
	s.dirty = false
	return nil
}

// close cuts the connection without a word.
func (s *session) close() {
	s.wire.interrupt()
	_ = s.wire.Close()
}

// quitTimeout bounds the goodbye, on which nothing depends.
const quitTimeout = 5 * time.Second

// quit says goodbye.
func (s *session) quit() {
	if s.wire.within(quitTimeout, 0) == nil && !s.wire.broken() {
		_ = s.client.Quit()
	}
	s.close()
}
