package s3

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/brevdue/brevdue/gateway"
)

const (
	// PartSize is the most bytes that are in memory of a document that is written.
	PartSize = 8 << 20
	// DefaultTimeout is how long a call may take, with its repetitions, and how long a download may stand still.
	DefaultTimeout = 2 * time.Minute
	// attempts and maxPause bound the repetitions of a call. They outlast a server that is started anew.
	attempts = 6
	maxPause = 3 * time.Second
	// headerTimeout is how long an answer may take to begin once the request is written.
	headerTimeout = time.Minute
	// idleConns is how many connections are kept for the next call.
	idleConns = 64
	// localRegion signs the requests to a service that has an endpoint of its own and no regions.
	localRegion = "us-east-1"
)

// Options says how a bucket is opened. The zero value is fit for production.
type Options struct {
	// Now tells which unfinished objects are old. Default time.Now.
	Now func() time.Time
	// Sealer seals what is put. nil: it is stored as it is, and a bucket that holds sealed documents is not opened.
	Sealer gateway.StreamSealer
	// Timeout is DefaultTimeout where it is zero.
	Timeout time.Duration
	// Credentials are those of the environment, or of the files that it names, where they are nil.
	Credentials aws.CredentialsProvider
	// Logger hears of what could not be cleaned up. nil: nobody.
	Logger *slog.Logger
}

// Store is a gateway.Documents in a bucket. It is safe for concurrent use, also by several processes.
type Store struct {
	client  *awss3.Client
	place   location
	sealer  gateway.StreamSealer // nil: none
	timeout time.Duration
	now     func() time.Time
	log     *slog.Logger
	parts   sync.Pool // of *[PartSize]byte
}

var _ gateway.Documents = (*Store)(nil)

// Open opens the store at address; [CheckURL] says what that looks like. The bucket must be there. ErrUnavailable when the
// service does not answer, ErrSealed when the bucket holds sealed documents and there is nothing to open them with.
func Open(ctx context.Context, address string, opts Options) (*Store, error) {
	place, err := parse(address)
	if err != nil {
		return nil, err
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	client, err := connect(ctx, place, opts)
	if err != nil {
		return nil, err
	}
	s := &Store{client: client, place: place, sealer: opts.Sealer, timeout: opts.Timeout, now: opts.Now, log: opts.Logger}
	if err := s.refuseSealed(ctx); err != nil {
		return nil, err
	}
	if err := s.clean(ctx, opts.Now().Add(-staleAfter)); err != nil {
		return nil, err
	}
	return s, nil
}

// connect makes the client. Nothing is sent, but where the environment says that credentials come from elsewhere.
func connect(ctx context.Context, place location, opts Options) (*awss3.Client, error) {
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout, t.MaxIdleConnsPerHost = headerTimeout, idleConns
		})),
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts, o.MaxBackoff = attempts, maxPause })
		}),
		// A service elsewhere may not know the trailing checksums that are Amazon's default. The signature has one.
		config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired),
		config.WithResponseChecksumValidation(aws.ResponseChecksumValidationWhenRequired),
		// Nothing is asked of an address that nobody has configured.
		config.WithEC2IMDSClientEnableState(imds.ClientDisabled),
	}
	if place.region != "" {
		load = append(load, config.WithRegion(place.region))
	}
	if opts.Credentials != nil {
		load = append(load, config.WithCredentialsProvider(opts.Credentials))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil { // not err: it may repeat what the files hold
		return nil, errors.New("documents: the AWS_ settings of the environment, or the files that they name, cannot be read")
	}
	if cfg.Region == "" && place.endpoint != "" {
		cfg.Region = localRegion
	}
	if cfg.Region == "" {
		return nil, errors.New("documents: no region: s3://BUCKET?region=... or AWS_REGION")
	}
	if cfg.Credentials == nil {
		return nil, errNoCredentials
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return nil, errNoCredentials
	}
	return awss3.NewFromConfig(cfg, func(o *awss3.Options) {
		if place.endpoint != "" {
			o.BaseEndpoint = aws.String(place.endpoint)
		}
		o.UsePathStyle = place.pathStyle
		o.DisableLogOutputChecksumValidationSkipped = true
	}), nil
}

var errNoCredentials = errors.New("documents: no credentials for S3: " +
	"set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE")

// call makes one call of the service within the time that it may take.
func call[In, Out any](
	ctx context.Context, s *Store, operation string, do func(context.Context, *In, ...func(*awss3.Options)) (*Out, error), in *In,
) (*Out, error) {
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	out, err := do(limited, in)
	if err != nil {
		return nil, failed(ctx, operation, err)
	}
	return out, nil
}

// Put implements gateway.Documents. It stops when ctx ends; on any error nothing is kept.
func (s *Store) Put(ctx context.Context, r io.Reader, limit int64) (string, int64, error) {
	u, sum, size, err := s.receive(ctx, r, limit)
	defer u.release() //nolint:contextcheck // it must work when ctx has ended
	if err != nil {
		return "", 0, err
	}
	key, err := s.newKey(sum)
	if err != nil {
		return "", 0, err
	}
	if err := u.finish(ctx, key); err != nil {
		return "", 0, err
	}
	return sum, size, nil
}

// receive streams r into an upload that is not finished yet, at most limit bytes, sealed when there is a sealer. It returns
// the hash and the size of what r had. The upload must be released also when there is an error.
func (s *Store) receive(ctx context.Context, r io.Reader, limit int64) (*upload, string, int64, error) {
	u := &upload{store: s, ctx: ctx, key: s.temporary() + rand.Text()}
	to, err := s.seal(u)
	if err != nil {
		return u, "", 0, fmt.Errorf("documents: %w", err)
	}
	hash := sha256.New()
	size, err := io.Copy(io.MultiWriter(to, hash), &limitedReader{ctx: ctx, r: r, left: limit})
	if err == nil {
		err = to.Close()
	}
	if err != nil {
		return u, "", 0, inDocuments(err)
	}
	return u, hex.EncodeToString(hash.Sum(nil)), size, nil
}

// inDocuments says where an error comes from, once.
func inDocuments(err error) error {
	if strings.HasPrefix(err.Error(), "documents: ") {
		return err
	}
	return fmt.Errorf("documents: %w", err)
}

// temporary is where objects are that have no name yet.
func (s *Store) temporary() string { return s.place.prefix + "tmp/" }

// key is where a document lies that is not sealed: ab/cd/abcd..., as in the folder.
func (s *Store) key(sum string) string { return s.place.prefix + sum[:2] + "/" + sum[2:4] + "/" + sum }

func isDigest(s string) bool {
	return len(s) == hex.EncodedLen(sha256.Size) && strings.Trim(s, "0123456789abcdef") == ""
}

// limitedReader reads from r until it has given more than left bytes, or ctx ends.
type limitedReader struct {
	ctx  context.Context //nolint:containedctx // lives as long as the Put whose context it is
	r    io.Reader
	left int64
}

// Read implements io.Reader. ErrTooLarge when there is more than was allowed.
func (l *limitedReader) Read(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return 0, gateway.ErrTooLarge
	}
	return n, err
}
