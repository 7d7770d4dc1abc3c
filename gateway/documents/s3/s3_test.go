package s3_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway/documents/documentstest"
	"github.com/brevdue/brevdue/gateway/documents/s3"
	"github.com/brevdue/brevdue/gateway/documents/s3/s3test"
)

// start starts a server of the test's own.
func start(t testing.TB) *s3test.Server {
	t.Helper()
	server, err := s3test.Start(t.Context(), t.TempDir())
	if errors.Is(err, s3test.ErrNoServer) {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skipf("NOT TESTED AGAINST A REAL S3 SERVER: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server
}

func open(t testing.TB, server *s3test.Server, prefix string, change ...func(*s3.Options)) *s3.Store {
	t.Helper()
	opts := s3.Options{Credentials: server.Credentials()}
	for _, c := range change {
		c(&opts)
	}
	s, err := s3.Open(t.Context(), server.URL(prefix), opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// inBucket returns what the bucket holds: the documents under prefix, and the rest of it.
func inBucket(t testing.TB, server *s3test.Server, prefix string) (documents, rest []string) {
	t.Helper()
	err := filepath.WalkDir(server.Files, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(server.Files, path)
		if err != nil {
			return err
		}
		switch {
		case strings.HasPrefix(rel, prefix+"/tmp/"), strings.HasPrefix(rel, "."): // parts lie under .sgwtmp
			rest = append(rest, rel)
		case strings.HasPrefix(rel, prefix+"/"):
			documents = append(documents, rel)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return documents, rest
}

func TestStore(t *testing.T) { //nolint:paralleltest // it measures memory
	documentstest.Run(t, documentstest.Config[*s3.Staged]{
		Open: func(t *testing.T) documentstest.Store[*s3.Staged] {
			t.Helper()
			server := start(t)
			t.Cleanup(func() {
				if _, rest := inBucket(t, server, "post"); len(rest) != 0 {
					t.Errorf("%v was left behind", rest)
				}
			})
			return open(t, server, "post")
		},
		Memory: 40 << 20,
	})
}
