package s3_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/documents/s3"
	"github.com/brevdue/brevdue/gateway/documents/s3/s3test"
)

func noise(seed byte, size int) []byte {
	content := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(content) // never fails
	return content
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

func read(t *testing.T, s *s3.Store, sum string) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	content, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// at calls do once, when n bytes have been read.
type at struct {
	r  io.Reader
	n  int64
	do func()
}

// Read implements io.Reader.
func (a *at) Read(p []byte) (int, error) {
	if a.n > 0 {
		n, err := io.LimitReader(a.r, a.n).Read(p)
		if a.n -= int64(n); a.n == 0 {
			a.do()
		}
		return n, err
	}
	return a.r.Read(p)
}

// TestPutServerKilled kills the server with SIGKILL in the middle of a document and starts it anew while the next part is on
// its way: the producer notices nothing.
func TestPutServerKilled(t *testing.T) {
	t.Parallel()
	server := start(t)
	s := open(t, server, "post")
	content := noise(1, 40<<20)
	back := make(chan error, 1)
	r := &at{r: bytes.NewReader(content), n: 20 << 20, do: func() {
		server.Kill()
		go func() { back <- server.Restart(context.Background()) }()
	}}
	sum, size, err := s.Put(t.Context(), r, gateway.MaxDocument)
	if errBack := <-back; errBack != nil {
		t.Fatal(errBack)
	}
	if err != nil || sum != digest(content) || size != int64(len(content)) {
		t.Fatalf("%s, %d, %v", sum, size, err)
	}
	if !bytes.Equal(read(t, s, sum), content) {
		t.Error("other bytes came back")
	}
	if documents, rest := inBucket(t, server, "post"); len(documents) != 1 || len(rest) != 0 {
		t.Errorf("the bucket holds %v and %v", documents, rest)
	}
}

// TestPutServerGone kills the server for good in the middle: an error, nothing there afterwards, and what the crash left is
// cleaned up an hour later.
func TestPutServerGone(t *testing.T) {
	t.Parallel()
	server := start(t)
	s := open(t, server, "post", func(o *s3.Options) { o.Timeout = 2 * time.Second })
	content := noise(2, 20<<20)
	_, _, err := s.Put(t.Context(), &at{r: bytes.NewReader(content), n: 10 << 20, do: server.Kill}, gateway.MaxDocument)
	if !errors.Is(err, gateway.ErrUnavailable) {
		t.Fatalf("%v", err)
	}
	if _, err := s.Open(t.Context(), digest(content)); !errors.Is(err, gateway.ErrUnavailable) {
		t.Errorf("open: %v", err)
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open(t.Context(), digest(content)); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("half a document: %v", err)
	}
	if _, rest := inBucket(t, server, "post"); len(rest) == 0 {
		t.Error("the crash left nothing: the test does not test what it should")
	}
	open(t, server, "post") // too early
	if _, rest := inBucket(t, server, "post"); len(rest) == 0 {
		t.Error("what may still be going on was cleaned up")
	}
	open(t, server, "post", later)
	if _, rest := inBucket(t, server, "post"); len(rest) != 0 {
		t.Errorf("%v was not cleaned up", rest)
	}
}

func later(o *s3.Options) {
	o.Now = func() time.Time { return time.Now().Add(time.Hour + time.Minute) }
}

// TestOpenCleans leaves staged documents behind, as a crash between Stage and Keep does.
func TestOpenCleans(t *testing.T) {
	t.Parallel()
	server := start(t)
	s := open(t, server, "post")
	kept, _, err := s.Put(t.Context(), strings.NewReader("brev"), 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{10, 9 << 20} {
		if _, err := s.Stage(t.Context(), bytes.NewReader(noise(3, size)), gateway.MaxDocument); err != nil {
			t.Fatal(err)
		}
	}
	other := open(t, server, "andre") // another store in the same bucket has nothing to do with it
	if _, err := other.Stage(t.Context(), strings.NewReader("x"), 1); err != nil {
		t.Fatal(err)
	}
	open(t, server, "post")
	if _, rest := inBucket(t, server, "post"); len(rest) != 2 {
		t.Errorf("after a moment there is %v", rest)
	}
	open(t, server, "post", later)
	if documents, rest := inBucket(t, server, "post"); len(rest) != 0 || len(documents) != 1 {
		t.Errorf("after an hour there is %v and %v", documents, rest)
	}
	if _, rest := inBucket(t, server, "andre"); len(rest) != 1 {
		t.Errorf("of the other store there is %v", rest)
	}
	if got := read(t, s, kept); string(got) != "brev" {
		t.Errorf("%q", got)
	}
}

// TestPaused stops the server in its tracks: every call ends in its time, with the word that says "later".
func TestPaused(t *testing.T) {
	t.Parallel()
	server := start(t)
	patient := open(t, server, "post")
	content := noise(4, 20<<20)
	sum, _, err := patient.Put(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, server, "post", func(o *s3.Options) { o.Timeout = 2 * time.Second })
	r, err := s.Open(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if err := server.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Put(t.Context(), strings.NewReader("brev"), 100); !errors.Is(err, gateway.ErrUnavailable) {
		t.Errorf("put: %v", err)
	}
	if _, err := s.Open(t.Context(), sum); !errors.Is(err, gateway.ErrUnavailable) {
		t.Errorf("open: %v", err)
	}
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, gateway.ErrUnavailable) {
		t.Errorf("read: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := s.Put(ctx, strings.NewReader("brev"), 100); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("put whose own time ended: %v", err)
	}
	if err := server.Continue(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, patient, sum), content) {
		t.Error("other bytes came back")
	}
}

// TestReadGoesOn breaks the connection of a download twice.
func TestReadGoesOn(t *testing.T) {
	t.Parallel()
	server := start(t)
	target, err := url.Parse(server.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var cuts atomic.Int32
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { relay(w, r, target.Host, &cuts) }))
	t.Cleanup(broken.Close)
	direct := open(t, server, "post")
	content := noise(5, 5<<20)
	sum, _, err := direct.Put(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
	if err != nil {
		t.Fatal(err)
	}
	s, err := s3.Open(t.Context(), strings.Replace(server.URL("post"), server.Endpoint, broken.URL, 1),
		s3.Options{Credentials: server.Credentials()})
	if err != nil {
		t.Fatal(err)
	}
	cuts.Store(2)
	if !bytes.Equal(read(t, s, sum), content) {
		t.Error("other bytes came back")
	}
	if left := cuts.Load(); left > 0 {
		t.Errorf("%d of the cuts did not happen", left)
	}
	cuts.Store(1000)
	r, err := s.Open(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, gateway.ErrUnavailable) {
		t.Errorf("a download that never ends: %v", err)
	}
}

// relay passes a request on as it is, since it is signed, and cuts a large answer off after a megabyte while there are cuts; once
// there are very many, after nothing.
func relay(w http.ResponseWriter, r *http.Request, host string, cuts *atomic.Int32) {
	out := r.Clone(r.Context())
	out.RequestURI, out.URL.Scheme, out.URL.Host = "", "http", host // Host, the header that is signed, stays
	resp, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = resp.Body.Close() }()
	maps.Copy(w.Header(), resp.Header)
	w.WriteHeader(resp.StatusCode)
	if r.Method == http.MethodGet && resp.ContentLength > 1<<20 && cuts.Add(-1) >= 0 {
		n := int64(1 << 20)
		if cuts.Load() > 100 {
			n = 0
		}
		_, _ = io.CopyN(w, resp.Body, n)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = io.Copy(w, resp.Body)
}

// TestChanged exchanges what lies in the bucket: whoever reads to the end is told.
func TestChanged(t *testing.T) {
	t.Parallel()
	server := start(t)
	s := open(t, server, "post")
	sum, _, err := s.Put(t.Context(), strings.NewReader("Afslag"), 100)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(server.Files, "post", sum[:2], sum[2:4], sum)
	if err := os.WriteFile(path, []byte("Bifald"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), sum)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := io.ReadAll(r); err == nil || strings.Contains(err.Error(), "Bifald") {
		t.Errorf("%v", err)
	}
	// Who puts the document again puts it right.
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Put(t.Context(), strings.NewReader("Afslag"), 100); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, sum); string(got) != "Afslag" {
		t.Errorf("%q", got)
	}
}

// TestRefused opens what cannot be opened. No error repeats a secret or an address's unknown parts.
func TestRefused(t *testing.T) {
	t.Parallel()
	server := start(t)
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	const secret = "hemmelig-nøgle"
	credentials := func(access, key string) aws.CredentialsProvider {
		return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: access, SecretAccessKey: key}, nil
		})
	}
	for name, c := range map[string]struct {
		url         string
		credentials aws.CredentialsProvider
		status      int
		want        error
	}{
		"another secret": {server.URL("post"), credentials(s3test.AccessKey, secret), http.StatusForbidden, nil},
		"another user":   {server.URL("post"), credentials("nobody-"+secret, secret), http.StatusNotFound, nil},
		"another bucket": {strings.Replace(server.URL("post"), "s3://"+s3test.Bucket, "s3://missing", 1), server.Credentials(), http.StatusNotFound, nil},
		"nobody there":   {strings.Replace(server.URL("post"), server.Endpoint, nobody, 1), server.Credentials(), 0, gateway.ErrUnavailable},
		"no credentials": {server.URL("post"), failing{}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s3.Open(t.Context(), c.url, s3.Options{Credentials: c.credentials, Timeout: 2 * time.Second})
			if err == nil {
				t.Fatal("it was opened")
			}
			var answer *s3.Error
			if errors.As(err, &answer) != (c.status != 0) || answer != nil && answer.Status != c.status {
				t.Errorf("%v", err)
			}
			if (c.want != nil) != errors.Is(err, gateway.ErrUnavailable) || errors.Is(err, gateway.ErrNotFound) {
				t.Errorf("%v", err)
			}
			for _, hidden := range []string{secret, s3test.AccessKey, s3test.SecretKey, "Signature=", "Credential"} {
				if strings.Contains(err.Error(), hidden) {
					t.Errorf("the error repeats %s: %v", hidden, err)
				}
			}
			t.Log(err)
		})
	}
}

// failing is a source of credentials that says too much.
type failing struct{}

// Retrieve implements aws.CredentialsProvider.
func (failing) Retrieve(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, errors.New("line 3: aws_secret_access_key = " + s3test.SecretKey)
}

// TestUnavailable answers as a service does that has no time.
func TestUnavailable(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 500, 502, 503, 504} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				_, _ = io.WriteString(w, "<html>0101701234</html>")
			}))
			t.Cleanup(busy.Close)
			_, err := s3.Open(t.Context(), "s3://brevdue?endpoint="+busy.URL+"&path_style=true",
				s3.Options{Credentials: (&s3test.Server{}).Credentials(), Timeout: 300 * time.Millisecond})
			if !errors.Is(err, gateway.ErrUnavailable) || strings.Contains(err.Error(), "0101701234") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"s3://brevdue", "s3://brevdue?region=eu-north-1", "s3://brevdue/?endpoint=https://s3.testby.example",
		"s3://brevdue?endpoint=https://s3.testby.example:9000/&path_style=true&prefix=brevdue/prod",
		"s3://brevdue?endpoint=http://127.0.0.1:9000", "s3://brevdue?endpoint=http://[::1]:9000", "s3://brevdue?endpoint=http%3A%2F%2Flocalhost",
	} {
		if err := s3.CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, word := range map[string]string{
		"":                                     "s3://",
		"file:documents":                       "s3://",
		"s3:brevdue":                           "s3://",
		"s3://":                                "bucket",
		"s3://Brevdue":                         "bucket",
		"s3://a..b":                            "bucket",
		"s3://brevdue:9000":                    "bucket",
		"s3://AKIA:hemmelig@brevdue":           "credentials",
		"s3://brevdue?secret_key=hemmelig":     "credentials",
		"s3://brevdue?AWS_ACCESS_KEY=hemmelig": "credentials",
		"s3://brevdue?session_token=hemmelig":  "credentials",
		"s3://brevdue?endpoint=https://u:hemmelig@s3.testby.example": "credentials",
		"s3://brevdue?endpoint=http://s3.testby.example":             "https",
		"s3://brevdue?endpoint=ftp://s3.testby.example":              "endpoint",
		"s3://brevdue?endpoint=s3.testby.example":                    "endpoint",
		"s3://brevdue?endpoint=https://s3.testby.example/hemmelig":   "endpoint",
		"s3://brevdue?endpoint=":                                     "endpoint",
		"s3://brevdue?region=eu north":                               "region",
		"s3://brevdue?region=a&region=b":                             "region",
		"s3://brevdue?prefix=../hemmelig":                            "prefix",
		"s3://brevdue?prefix=a//b":                                   "prefix",
		"s3://brevdue?prefix=/a":                                     "prefix",
		"s3://brevdue?prefix=%C3%A6":                                 "prefix",
		"s3://brevdue?path_style=maybe":                              "path_style",
		"s3://brevdue?hemmelig=1":                                    "nothing else",
		"s3://brevdue?%zz":                                           "cannot be read",
		"s3://brevdue/hemmelig":                                      "prefix",
		"s3://brevdue#hemmelig":                                      "prefix",
	} {
		err := s3.CheckURL(bad)
		if err == nil || !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "hemmelig") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{
		"s3://brevdue?region=eu-north-1&endpoint=https://s3.testby.example&prefix=a/b&path_style=true", "s3://u:p@b", "s3://%zz", "s3:", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if s3.CheckURL(s) != nil {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.Scheme != "s3" || u.User != nil {
			t.Errorf("%q is taken for an address", s)
		}
	})
}

// TestRemove removes what is old enough, while others put the same again: what was put last is there.
func TestRemove(t *testing.T) {
	t.Parallel()
	server := start(t)
	s := open(t, server, "post")
	past, future := time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	for _, size := range []int{0, 100, 9 << 20} {
		content := noise(6, size)
		sum, _, err := s.Put(t.Context(), bytes.NewReader(content), gateway.MaxDocument)
		if err != nil {
			t.Fatal(err)
		}
		if removed, err := s.Remove(t.Context(), sum, past); removed || err != nil {
			t.Errorf("what is young was removed: %t, %v", removed, err)
		}
		if !bytes.Equal(read(t, s, sum), content) {
			t.Error("other bytes came back")
		}
		for range 2 {
			if removed, err := s.Remove(t.Context(), sum, future); !removed || err != nil {
				t.Errorf("%t, %v", removed, err)
			}
			if _, err := s.Open(t.Context(), sum); !errors.Is(err, gateway.ErrNotFound) {
				t.Errorf("it is there: %v", err)
			}
		}
	}
	for _, name := range []string{"", "../x", strings.Repeat("g", 64)} {
		if removed, err := s.Remove(t.Context(), name, future); !removed || err != nil {
			t.Errorf("%q: %t, %v", name, removed, err)
		}
	}
	if documents, rest := inBucket(t, server, "post"); len(documents) != 0 || len(rest) != 0 {
		t.Errorf("the bucket holds %v and %v", documents, rest)
	}
}
