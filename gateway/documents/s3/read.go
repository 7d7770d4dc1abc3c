package s3

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/brevdue/brevdue/gateway"
)

// windowSize is how much ReadAt asks the service for at a time: who reads at will reads near by next.
const windowSize = 256 << 10

// resumes is how often in a row a download is taken up again without a byte between.
const resumes = 4

// Open implements gateway.Documents. Anything but 64 lower-case hexadecimal digits is ErrNotFound. The reader of a document
// that is not sealed is an io.Seeker and an io.ReaderAt as well. It asks the service until ctx ends. Reading a document from
// first to last byte ends in an error, not io.EOF, when it is not the one asked for; ErrSealed when it is sealed.
func (s *Store) Open(ctx context.Context, sum string) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !isDigest(sum) {
		return nil, fmt.Errorf("documents: not a SHA-256 in lower-case hexadecimal: %w", gateway.ErrNotFound)
	}
	sealed, err := s.openSealed(ctx, sum)
	if err != nil || sealed != nil {
		return sealed, err
	}
	o, err := s.get(ctx, s.key(sum), sum)
	if err == nil {
		return o, nil
	}
	if !errors.Is(err, gateway.ErrNotFound) || s.sealer == nil {
		return nil, err
	}
	if sealed, errSealed := s.openSealed(ctx, sum); errSealed != nil || sealed != nil { // it was sealed between the two
		return sealed, errSealed
	}
	return nil, err
}

// get begins to download an object. sum is "" when it is sealed. ErrNotFound.
func (s *Store) get(ctx context.Context, key, sum string) (*object, error) {
	o := &object{store: s, ctx: ctx, key: key, sum: sum, hash: sha256.New()}
	if err := o.request(); err != nil { //nolint:contextcheck // it has ctx
		if is(err, http.StatusNotFound, "NoSuchKey", "NotFound", "") {
			return nil, fmt.Errorf("documents: %w", gateway.ErrNotFound)
		}
		return nil, err
	}
	return o, nil
}

// object is an object that is being read. It is for one goroutine, but for ReadAt.
type object struct {
	store *Store
	ctx   context.Context //nolint:containedctx // an io.Reader has no other way to it
	key   string
	sum   string // what the object must have; "" when it is sealed, and held to its name by who unseals it
	size  int64
	etag  *string // of the version that is read

	at     int64 // where Read goes on
	body   io.ReadCloser
	stop   context.CancelFunc // ends the request of body
	idle   *time.Timer        // calls stop when the service is silent for too long
	hash   hash.Hash          // of what was read up to hashed
	hashed int64

	mu     sync.Mutex // guards window
	window []byte     // what ReadAt got last
	from   int64      // where window begins
}

// request asks for the object from the present place to its end.
func (o *object) request() error {
	s := o.store
	ctx, cancel := context.WithCancel(o.ctx)
	idle := time.AfterFunc(s.timeout, cancel)
	in := &awss3.GetObjectInput{Bucket: &s.place.bucket, Key: &o.key, IfMatch: o.etag}
	if o.at > 0 {
		in.Range = aws.String("bytes=" + strconv.FormatInt(o.at, 10) + "-")
	}
	out, err := s.client.GetObject(ctx, in)
	idle.Stop()
	if err != nil {
		if ctx.Err() != nil && o.ctx.Err() == nil {
			err = context.DeadlineExceeded // it was the timer
		}
		cancel()
		return failed(o.ctx, "GetObject", err)
	}
	if o.etag == nil {
		o.size, o.etag = aws.ToInt64(out.ContentLength), out.ETag
	}
	if aws.ToInt64(out.ContentLength) != o.size-o.at {
		cancel()
		_ = out.Body.Close() // nothing of it is wanted
		return errors.New("documents: s3 GetObject: the answer is another part of the object than was asked for")
	}
	o.body, o.stop, o.idle = out.Body, cancel, idle
	return nil
}

// Read implements io.Reader. A connection that breaks is taken up again where it broke.
func (o *object) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	var err error
	for range resumes {
		if o.at >= o.size {
			return 0, o.end()
		}
		if o.body == nil {
			if err := o.request(); err != nil {
				return 0, err
			}
		}
		var n int
		n, err = o.readBody(p)
		if n > 0 {
			o.note(p[:n])
			return n, nil
		}
		if o.ctx.Err() != nil {
			return 0, o.ctx.Err()
		}
		o.drop()
	}
	return 0, fmt.Errorf("documents: %w: s3 GetObject: the download breaks off: %w", gateway.ErrUnavailable, err)
}

// readBody reads once from the service; nothing and no error is none.
func (o *object) readBody(p []byte) (int, error) {
	o.idle.Reset(o.store.timeout)
	n, err := o.body.Read(p)
	o.idle.Stop()
	if err == nil && n == 0 || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // the end is told by the size
	}
	return n, err
}

// note takes down what was read.
func (o *object) note(p []byte) {
	if o.hashed == o.at {
		_, _ = o.hash.Write(p) // never fails: hash.Hash
		o.hashed += int64(len(p))
	}
	o.at += int64(len(p))
}

// end is io.EOF when all that was read is the document.
func (o *object) end() error {
	o.drop()
	if o.sum != "" && o.hashed == o.size && hex.EncodeToString(o.hash.Sum(nil)) != o.sum {
		return fmt.Errorf("documents: %s: the content is not that of its name", o.sum)
	}
	return io.EOF
}

// drop ends the present request.
func (o *object) drop() {
	if o.body == nil {
		return
	}
	o.stop() // before Close: what is still to come is not waited for
	o.idle.Stop()
	_ = o.body.Close() // read as far as was wanted
	o.body = nil
}

// Seek implements io.Seeker. It asks nothing of the service: Read does.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekStart:
	case io.SeekCurrent:
		offset += o.at
	case io.SeekEnd:
		offset += o.size
	default:
		return 0, errors.New("documents: seek from nowhere")
	}
	if offset < 0 {
		return 0, errors.New("documents: seek before the beginning")
	}
	if offset != o.at {
		o.drop()
		o.at = offset
	}
	if offset == 0 {
		o.hash.Reset()
		o.hashed = 0
	}
	return offset, nil
}

// ReadAt implements io.ReaderAt.
func (o *object) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("documents: read before the beginning")
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	done := 0
	for done < len(p) {
		at := off + int64(done)
		if at >= o.size {
			return done, io.EOF
		}
		if at < o.from || at >= o.from+int64(len(o.window)) {
			if err := o.look(at); err != nil {
				return done, err
			}
		}
		done += copy(p[done:], o.window[at-o.from:])
	}
	return done, nil
}

// look gets the window that holds the place at.
func (o *object) look(at int64) error {
	s := o.store
	from := at - at%windowSize
	to := min(from+windowSize, o.size)
	ctx, cancel := context.WithTimeout(o.ctx, s.timeout)
	defer cancel()
	out, err := s.client.GetObject(ctx, &awss3.GetObjectInput{
		Bucket: &s.place.bucket, Key: &o.key, IfMatch: o.etag, Range: aws.String(fmt.Sprintf("bytes=%d-%d", from, to-1)),
	})
	if err != nil {
		return failed(o.ctx, "GetObject", err)
	}
	defer func() { _ = out.Body.Close() }()
	window := make([]byte, to-from)
	if _, err := io.ReadFull(out.Body, window); err != nil {
		if o.ctx.Err() != nil {
			return o.ctx.Err()
		}
		return fmt.Errorf("documents: %w: s3 GetObject: the download breaks off: %w", gateway.ErrUnavailable, err)
	}
	o.window, o.from = window, from
	return nil
}

// Close implements io.Closer.
func (o *object) Close() error {
	o.drop()
	return nil
}
