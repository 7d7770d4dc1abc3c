package sf1601

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/go-resty/resty/v2"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// smallBody is the size up to which a request is put together once and kept in
// memory for both passes, instead of being encoded to base64 twice.
const smallBody = 64 << 10

var (
	errDigest    = errors.New("the bytes read for sending are not the signed ones")
	errAbandoned = errors.New("the request was given up")
)

// body is a request body that is read for its digest, and then for each
// attempt to send it.
type body struct {
	size   int64
	digest [sha256.Size]byte
	doc    *xmlstream.Document
	memory []byte // the whole of a small body, nil for a large one
}

// newBody makes the first pass: it gives the body with its digest.
func newBody(ctx context.Context, doc *xmlstream.Document) (*body, error) {
	b := &body{size: doc.Size(), doc: doc}
	if b.size > smallBody {
		digest, err := doc.Digest(ctx)
		if err != nil {
			return nil, err
		}
		b.digest = digest
		return b, nil
	}
	r := doc.Open(ctx)
	defer func() { _ = r.Close() }()
	b.memory = make([]byte, b.size)
	if _, err := io.ReadFull(r, b.memory); err != nil {
		return nil, err
	}
	b.digest = sha256.Sum256(b.memory)
	return b, nil
}

// outgoing is one attempt to send a body. The transport reads it in a goroutine
// of its own, possibly after the call has returned.
type outgoing struct {
	body    *body
	stream  atomic.Pointer[outgoingReader] // of a large body
	written atomic.Bool                    // a small body was written, at least into the connection's buffer
}

// left says whether the last byte of the body was handed to the connection. When
// it says no, it never will be: no complete request can have arrived or arrive
// later, because the XML lacks its end tag, and HTTP the bytes its
// Content-Length promises.
func (o *outgoing) left() bool {
	if o.body.memory != nil {
		return o.written.Load()
	}
	r := o.stream.Load()
	return r != nil && !r.abandon()
}

// failure is why our own bytes could not be read, nil when they could.
func (o *outgoing) failure() error {
	if r := o.stream.Load(); r != nil {
		if err := r.failed.Load(); err != nil {
			return *err
		}
	}
	return nil
}

// watch notes when a small body is written. The connection's buffer is flushed
// after that, so a body that is not noted has not left.
func (o *outgoing) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { o.written.Store(false) }, // the transport begins again only when nothing left
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				o.written.Store(true)
			}
		},
	})
}

// reopen gives the body from its first byte. A small one is given in a form
// that net/http knows to be in memory: it then writes header and body at once,
// and can tell a dead connection from a letter that may have arrived.
func (o *outgoing) reopen(ctx context.Context) io.ReadCloser {
	if o.body.memory != nil {
		return io.NopCloser(bytes.NewReader(o.body.memory))
	}
	r := &outgoingReader{source: o.body.doc.Open(ctx), want: o.body, hash: sha256.New(), left: o.body.size}
	if old := o.stream.Swap(r); old != nil {
		old.abandon()
	}
	return r
}

// outgoingReader digests what it hands out. The last bytes are handed out only
// when the digest of the whole is the signed one.
type outgoingReader struct {
	source io.ReadCloser
	want   *body
	hash   hash.Hash
	left   int64
	gate   atomic.Int32 // gateOpen until the last byte is handed out or never will be
	failed atomic.Pointer[error]
}

const (
	gateOpen int32 = iota
	gateFinished
	gateAbandoned
)

// abandon keeps the last byte from being handed out. It says false when that
// has happened already.
func (r *outgoingReader) abandon() bool {
	return r.gate.CompareAndSwap(gateOpen, gateAbandoned) || r.gate.Load() == gateAbandoned
}

func (r *outgoingReader) Read(p []byte) (int, error) {
	if r.gate.Load() == gateAbandoned {
		return 0, errAbandoned
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > r.left {
		p = p[:r.left]
	}
	n, err := r.source.Read(p)
	_, _ = r.hash.Write(p[:n]) // never fails: hash.Hash
	r.left -= int64(n)
	switch {
	case r.left == 0:
		if [sha256.Size]byte(r.hash.Sum(nil)) != r.want.digest {
			return 0, r.fail(errDigest)
		}
		if !r.gate.CompareAndSwap(gateOpen, gateFinished) {
			return 0, errAbandoned
		}
		return n, nil
	case errors.Is(err, io.EOF):
		return 0, r.fail(io.ErrUnexpectedEOF)
	case err != nil:
		return 0, r.fail(err)
	}
	return n, nil
}

func (r *outgoingReader) fail(err error) error {
	err = fmt.Errorf("reading the letter for sending: %w", err)
	r.failed.Store(&err)
	return err
}

func (r *outgoingReader) Close() error { return r.source.Close() }

type outgoingKey struct{}

// attachBody is resty's last step before the request leaves. Giving the body
// here, and not to resty's SetBody, keeps resty from reading it into memory and
// sets a Content-Length.
func attachBody(_ *resty.Client, req *http.Request) error {
	o, ok := req.Context().Value(outgoingKey{}).(*outgoing)
	if !ok {
		return nil // a request without a body
	}
	if o.body.memory != nil && sha256.Sum256(o.body.memory) != o.body.digest {
		return errDigest
	}
	req.ContentLength = o.body.size
	req.Body = o.reopen(req.Context())
	req.GetBody = func() (io.ReadCloser, error) { //nolint:contextcheck // the request's own context, as http.Request.GetBody has none
		return o.reopen(req.Context()), nil
	}
	return nil
}
