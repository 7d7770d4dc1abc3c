// Package clamd asks a ClamAV daemon whether a document has a virus in it. The document is streamed to the daemon
// (INSTREAM); it needs no access to files of ours.
//
// The job, in the order it happens: [New] checks the settings. [Client.Ping] and [Client.Version] say whether the daemon
// is there and how old its signatures are. [Client.Scan] sends one document over one connection and returns the verdict.
// Connections are not kept: the daemon closes each after one command.
//
// Whatever goes wrong is an error and never a clean [Result]: who gets one tries again or keeps the document back.
// [src: CLAMD-8 COMMANDS]
package clamd

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Config says where the daemon is. Zero fields mean the defaults.
type Config struct {
	Address     string        // unix:/run/clamav/clamd.ctl or tcp:127.0.0.1:3310; mandatory
	DialTimeout time.Duration // to connect; default 5 s
	IdleTimeout time.Duration // for one piece to be taken, and for the answer after the last one; default 60 s
}

// Result is the answer about one document.
type Result struct {
	Infected  bool
	Signature string // what was found, such as Eicar-Test-Signature
	Size      int64  // bytes sent
}

// The ways a scan can fail that a caller tells apart. None of them means that a document is clean.
var (
	ErrTooLarge    = errors.New("clamd: the document is larger than the daemon takes (StreamMaxLength)")
	ErrUnavailable = errors.New("clamd: the daemon cannot be reached or gave up") // worth trying again
	ErrAnswer      = errors.New("clamd: the daemon answered that it failed, or something unknown")
)

// Version is what the daemon says of itself.
type Version struct {
	Program    string    // such as ClamAV 1.4.6
	Signatures string    // number of the daily database; "" without one
	Date       time.Time // of that database, read as UTC; zero without one
}

// Client asks one daemon. It is safe for concurrent use.
type Client struct {
	cfg              Config
	network, address string
}

var errAddress = errors.New("clamd: the address is neither unix:PATH nor tcp:HOST:PORT")

// New checks the settings.
func New(cfg Config) (*Client, error) {
	if cfg.DialTimeout <= 0 {
		cfg.DialTimeout = 5 * time.Second
	}
	if cfg.IdleTimeout <= 0 {
		cfg.IdleTimeout = time.Minute
	}
	network, address, _ := strings.Cut(cfg.Address, ":")
	switch network {
	case "unix":
		if !strings.HasPrefix(address, "/") {
			return nil, errAddress
		}
	case "tcp":
		if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
			return nil, errAddress
		}
	default:
		return nil, errAddress
	}
	return &Client{cfg: cfg, network: network, address: address}, nil
}

// piece is how many bytes are sent at a time.
const piece = 64 << 10

// Scan sends the document and returns what the daemon says. The error is that of r or ctx, ErrTooLarge, ErrUnavailable
// or ErrAnswer.
func (c *Client) Scan(ctx context.Context, r io.Reader) (Result, error) {
	x, err := c.open(ctx, "zINSTREAM\x00")
	if err != nil {
		return Result{}, err
	}
	defer x.close()
	size, whole, err := x.stream(r)
	if err != nil {
		return Result{}, err
	}
	text, err := x.answer()
	if err != nil {
		return Result{}, err
	}
	verdict, isVerdict := strings.CutPrefix(text, "stream: ")
	name, infected := strings.CutSuffix(verdict, " FOUND")
	switch {
	case isVerdict && verdict == "OK" && whole: // nobody knows that of a document that is not there yet
		return Result{Size: size}, nil
	case isVerdict && infected:
		return Result{Infected: true, Signature: name, Size: size}, nil
	case strings.Contains(text, "size limit exceeded"):
		return Result{}, ErrTooLarge
	}
	return Result{}, ErrAnswer
}

// Ping asks whether the daemon is there.
func (c *Client) Ping(ctx context.Context) error {
	text, err := c.ask(ctx, "zPING\x00")
	if err == nil && text != "PONG" {
		err = ErrAnswer
	}
	return err
}

// Version asks which program and signatures the daemon has.
func (c *Client) Version(ctx context.Context) (Version, error) {
	text, err := c.ask(ctx, "zVERSION\x00")
	if err != nil {
		return Version{}, err
	}
	parts := strings.SplitN(text, "/", 3)
	if !strings.HasPrefix(parts[0], "ClamAV ") {
		return Version{}, ErrAnswer
	}
	v := Version{Program: parts[0]}
	if len(parts) == 3 {
		if v.Date, err = time.Parse(time.ANSIC, strings.TrimSpace(parts[2])); err == nil {
			v.Signatures = parts[1]
		}
	}
	return v, nil
}

// ask sends a command that needs no more than itself.
func (c *Client) ask(ctx context.Context, command string) (string, error) {
	x, err := c.open(ctx, command)
	if err != nil {
		return "", err
	}
	defer x.close()
	return x.answer()
}

// exchange is one connection with one command.
type exchange struct {
	ctx      context.Context //nolint:containedctx // it lives as long as one call
	conn     net.Conn
	idle     time.Duration
	stop     func() bool
	answered chan reply // the answer, which may come before everything is sent
}

type reply struct {
	text string
	err  error
}

// open connects and sends a command.
func (c *Client) open(ctx context.Context, command string) (*exchange, error) {
	d := net.Dialer{Timeout: c.cfg.DialTimeout}
	conn, err := d.DialContext(ctx, c.network, c.address)
	if err != nil {
		return nil, failed(ctx, err)
	}
	x := &exchange{ctx: ctx, conn: conn, idle: c.cfg.IdleTimeout, answered: make(chan reply, 1)}
	x.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	go x.listen()
	if err := x.write([]byte(command)); err != nil {
		x.close()
		return nil, err
	}
	return x, nil
}

func (x *exchange) close() {
	x.stop()
	_ = x.conn.Close()
}

// listen reads the answer up to its NUL.
func (x *exchange) listen() {
	const most = 4096
	var text []byte
	buf := make([]byte, 512)
	for {
		n, err := x.conn.Read(buf)
		text = append(text, buf[:n]...)
		if end := bytes.IndexByte(text, 0); end >= 0 {
			x.answered <- reply{text: strings.TrimSpace(string(text[:end]))}
			return
		}
		switch {
		case len(text) > most:
			x.answered <- reply{err: ErrAnswer}
			return
		case err != nil:
			x.answered <- reply{err: failed(x.ctx, err)}
			return
		}
	}
}

// failed tells what it means that the connection broke.
func failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// stream sends the document in pieces, each behind its length, and an empty one, and tells whether that was the whole.
// It ends early, and well, when the daemon has answered already.
func (x *exchange) stream(r io.Reader) (int64, bool, error) {
	buf := make([]byte, 4+piece)
	var size int64
	for {
		n, last, err := fill(r, buf[4:])
		if err != nil {
			return size, false, err
		}
		size += int64(n)
		binary.BigEndian.PutUint32(buf, uint32(n)) //nolint:gosec // at most piece
		out := buf[:4+n]
		if n > 0 && last {
			out = append(out, 0, 0, 0, 0)
		}
		if failed := x.write(out); failed != nil {
			return size, false, x.early(failed)
		}
		if last || len(x.answered) > 0 {
			return size, last, nil
		}
	}
}

// fill reads until p is full or r has ended. Unlike io.ReadFull it does not take an io.ErrUnexpectedEOF of r, which says
// that something is missing, for its end.
func fill(r io.Reader, p []byte) (int, bool, error) {
	n := 0
	for n < len(p) {
		read, err := r.Read(p[n:])
		n += read
		switch {
		case err == io.EOF: // as io.ReadFull: an EOF that is wrapped is none
			return n, true, nil
		case err != nil:
			return n, false, err
		}
	}
	return n, false, nil
}

// early gives a daemon that hung up the time to have said why.
func (x *exchange) early(err error) error {
	answered := <-x.answered
	if answered.err != nil {
		return err
	}
	x.answered <- answered
	return nil
}

func (x *exchange) write(p []byte) error {
	if err := x.conn.SetWriteDeadline(time.Now().Add(x.idle)); err != nil { //nolint:forbidigo // a deadline of the kernel's clock
		return failed(x.ctx, err)
	}
	if _, err := x.conn.Write(p); err != nil {
		_ = x.conn.SetReadDeadline(time.Now().Add(time.Second)) //nolint:forbidigo // a deadline of the kernel's clock
		return failed(x.ctx, err)
	}
	return nil
}

// answer waits for the answer.
func (x *exchange) answer() (string, error) {
	if err := x.conn.SetReadDeadline(time.Now().Add(x.idle)); err != nil { //nolint:forbidigo // a deadline of the kernel's clock
		return "", failed(x.ctx, err)
	}
	answered := <-x.answered
	return answered.text, answered.err
}
