package smtp

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// TLS is how a connection is protected.
type TLS string

// The ways to protect a connection.
const (
	TLSImplicit      TLS = "implicit"      // TLS from the first byte (smtps)
	TLSRequired      TLS = "required"      // STARTTLS, or nothing is sent
	TLSOpportunistic TLS = "opportunistic" // STARTTLS when offered, with any certificate: against listeners only
	TLSNone          TLS = "none"          // plain, for a relay on the same machine
)

// Server is where mail is handed over, and how. [ParseURL] makes one from a URL; zero fields have their defaults.
type Server struct { //nolint:recvcheck // set builds the value that everybody else reads
	Host string // required
	Port int    // default 465 with TLSImplicit, 587 with a login, else 25
	// TLS defaults to TLSRequired, or to TLSOpportunistic for a server on this machine without a login.
	TLS    TLS
	CAFile string // PEM: trust these authorities instead of the system's
	// Username and PasswordFile log in with the strongest way that the server offers; the password is the file's first
	// line, read at every login. A password is never sent without TLS, unless the server is on this machine.
	Username     string
	PasswordFile string
	LocalName    string // what EHLO says; default this machine's host name

	Timeouts Timeouts
	Sessions int           // connections at once; default 20
	Letters  int           // letters per connection, after which it is closed; default 100
	Idle     time.Duration // how long an unused connection is kept; default 30 seconds
}

// Timeouts bound every phase of a session. The defaults are those of RFC 5321 where a shorter one could send a letter
// twice, and shorter ones elsewhere. [src: RFC-5321 4.5.3.2]
type Timeouts struct {
	Dial     time.Duration // TCP and TLS each; default 15 seconds
	Greeting time.Duration // default 1 minute
	Command  time.Duration // every command up to DATA; default 1 minute
	Data     time.Duration // the answer to DATA; default 2 minutes
	Block    time.Duration // progress while the letter is sent; default 1 minute
	Final    time.Duration // the answer to the letter; default 10 minutes
}

// ErrServer is the family of errors about a Server's settings. Their texts never hold a password.
var ErrServer = errors.New("smtp server settings")

// ParseURL reads a server from a URL: smtp://[user@]host[:port][?query] or smtps://... The query may hold
// starttls=required|opportunistic|none, password_file, ca_file, ehlo, timeout (for dialling, greeting and commands),
// final_timeout, sessions, letters and idle. A password in the URL is an error, and so is a name nobody knows.
func ParseURL(raw string) (Server, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return Server{}, fmt.Errorf("%w: not a URL", ErrServer) // its text would repeat the URL
	}
	s := Server{Host: u.Hostname()}
	switch u.Scheme {
	case "smtp":
	case "smtps":
		s.TLS = TLSImplicit
	default:
		return Server{}, fmt.Errorf("%w: the scheme is smtp or smtps", ErrServer)
	}
	if p := u.Port(); p != "" {
		if s.Port, err = strconv.Atoi(p); err != nil {
			return Server{}, fmt.Errorf("%w: the port is a number", ErrServer)
		}
	}
	if _, has := u.User.Password(); has {
		return Server{}, fmt.Errorf("%w: a password is not written into the URL; name a password_file", ErrServer)
	}
	if u.Opaque != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return Server{}, fmt.Errorf("%w: the URL has a host, and no path", ErrServer)
	}
	s.Username = u.User.Username()
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Server{}, fmt.Errorf("%w: the query cannot be read", ErrServer)
	}
	for name, v := range values {
		if len(v) != 1 {
			return Server{}, fmt.Errorf("%w: %s is given twice", ErrServer, name)
		}
		if err := s.set(name, v[0]); err != nil {
			return Server{}, err
		}
	}
	return s, s.Validate()
}

func (s *Server) set(name, value string) error {
	var err error
	switch name {
	case "starttls":
		if s.TLS == TLSImplicit {
			return fmt.Errorf("%w: starttls has no place beside smtps", ErrServer)
		}
		s.TLS = TLS(value)
	case "password_file":
		s.PasswordFile = value
	case "ca_file":
		s.CAFile = value
	case "ehlo":
		s.LocalName = value
	case "timeout":
		var d time.Duration
		d, err = time.ParseDuration(value)
		s.Timeouts.Dial, s.Timeouts.Greeting, s.Timeouts.Command = d, d, d
	case "final_timeout":
		s.Timeouts.Final, err = time.ParseDuration(value)
	case "idle":
		s.Idle, err = time.ParseDuration(value)
	case "sessions":
		s.Sessions, err = strconv.Atoi(value)
	case "letters":
		s.Letters, err = strconv.Atoi(value)
	default:
		return fmt.Errorf("%w: nobody knows %q in the query", ErrServer, name)
	}
	if err != nil {
		return fmt.Errorf("%w: %s cannot be read", ErrServer, name)
	}
	return nil
}

// Validate reports what is wrong with the settings, of the family ErrServer. It reads the files that they name.
func (s Server) Validate() error {
	s = s.withDefaults()
	switch s.TLS {
	case TLSImplicit, TLSRequired, TLSOpportunistic, TLSNone:
	default:
		return fmt.Errorf("%w: starttls is required, opportunistic or none", ErrServer)
	}
	switch {
	case s.Host == "" || strings.ContainsAny(s.Host, " \r\n"):
		return fmt.Errorf("%w: the host is missing", ErrServer)
	case s.Port < 1 || s.Port > 65535:
		return fmt.Errorf("%w: the port is 1 to 65535", ErrServer)
	case (s.Username == "") != (s.PasswordFile == ""):
		return fmt.Errorf("%w: a user and a password_file come together", ErrServer)
	case s.Username != "" && (s.TLS == TLSNone || s.TLS == TLSOpportunistic) && !s.onThisMachine():
		return fmt.Errorf("%w: a password is sent over TLS only: starttls=required, or smtps", ErrServer)
	case s.LocalName == "" || strings.ContainsFunc(s.LocalName, func(r rune) bool { return r <= ' ' || r > '~' }):
		return fmt.Errorf("%w: ehlo is one word", ErrServer)
	}
	for name, d := range map[string]time.Duration{
		"dial": s.Timeouts.Dial, "greeting": s.Timeouts.Greeting, "command": s.Timeouts.Command, "data": s.Timeouts.Data,
		"block": s.Timeouts.Block, "final": s.Timeouts.Final, "idle": s.Idle,
		"sessions": time.Duration(s.Sessions), "letters": time.Duration(s.Letters),
	} {
		if d < 0 {
			return fmt.Errorf("%w: %s is negative", ErrServer, name)
		}
	}
	if _, err := s.tlsConfig(); err != nil {
		return err
	}
	_, err := s.password()
	return err
}

func (s Server) withDefaults() Server {
	if s.TLS == "" {
		s.TLS = TLSRequired
		if s.onThisMachine() && s.Username == "" {
			s.TLS = TLSOpportunistic
		}
	}
	switch {
	case s.Port != 0:
	case s.TLS == TLSImplicit:
		s.Port = 465
	case s.Username != "":
		s.Port = 587
	default:
		s.Port = 25
	}
	if s.LocalName == "" {
		s.LocalName = "localhost"
		if name, err := os.Hostname(); err == nil && name != "" {
			s.LocalName = name
		}
	}
	t := &s.Timeouts
	t.Dial = cmp.Or(t.Dial, 15*time.Second)
	t.Greeting = cmp.Or(t.Greeting, time.Minute)
	t.Command = cmp.Or(t.Command, time.Minute)
	t.Data = cmp.Or(t.Data, 2*time.Minute)
	t.Block = cmp.Or(t.Block, time.Minute)
	t.Final = cmp.Or(t.Final, 10*time.Minute)
	s.Sessions, s.Letters = cmp.Or(s.Sessions, 20), cmp.Or(s.Letters, 100)
	s.Idle = cmp.Or(s.Idle, 30*time.Second)
	return s
}

// onThisMachine reports whether the server is reached without a network.
func (s Server) onThisMachine() bool {
	ip := net.ParseIP(s.Host)
	return s.Host == "localhost" || (ip != nil && ip.IsLoopback())
}

func (s Server) address() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

func (s Server) tlsConfig() (*tls.Config, error) {
	c := &tls.Config{ServerName: s.Host, MinVersion: tls.VersionTLS12}
	if s.TLS == TLSOpportunistic {
		// Whoever could show a false certificate could as well hide STARTTLS, so refusing one would only mean less TLS.
		c.InsecureSkipVerify = true
	}
	if s.CAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, fmt.Errorf("%w: ca_file: %w", ErrServer, err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: ca_file holds no certificate", ErrServer)
	}
	return c, nil
}

func (s Server) password() (string, error) {
	if s.PasswordFile == "" {
		return "", nil
	}
	b, err := os.ReadFile(s.PasswordFile)
	if err != nil {
		return "", fmt.Errorf("%w: password_file: %w", ErrServer, err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return "", fmt.Errorf("%w: password_file is empty", ErrServer)
	}
	return line, nil
}
