// Package clamd asks a ClamAV daemon whether a document has a virus in it. The document is streamed to the daemon
// (INSTREAM); it needs no access to files of ours.
//
// The job, in the order it happens: [New] checks the settings. [Client.Ping] and [Client.Version] say whether the daemon
// is there and how old its signatures are. [Client.Scan] sends one document over one connection and returns the verdict.
// Connections are not kept: the daemon closes each after one command.
package clamd

import (
	"context"
	"errors"
	"io"
	"time"
)

// Config says where the daemon is. Zero fields mean the defaults.
type Config struct {
	Address     string        // unix:/run/clamav/clamd.ctl or tcp:127.0.0.1:3310
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
	ErrAnswer      = errors.New("clamd: the daemon answered something else")
)

// Version is what the daemon says of itself.
type Version struct {
	Program    string    // such as ClamAV 1.4.6
	Signatures string    // number of the daily database; "" without one
	Date       time.Time // of that database; zero without one
}

// Client asks one daemon. It is safe for concurrent use.
type Client struct{ cfg Config }

// New checks the settings.
func New(cfg Config) (*Client, error) { return &Client{cfg: cfg}, nil }

// Scan sends the document and returns what the daemon says. An error of r is returned as it is; see also the errors above.
func (c *Client) Scan(ctx context.Context, r io.Reader) (Result, error) {
	_, _ = ctx, r
	return Result{}, ErrUnavailable
}

// Ping asks whether the daemon is there.
func (c *Client) Ping(ctx context.Context) error { _ = ctx; return ErrUnavailable }

// Version asks which program and signatures the daemon has.
func (c *Client) Version(ctx context.Context) (Version, error) {
	_ = ctx
	return Version{}, ErrUnavailable
}
