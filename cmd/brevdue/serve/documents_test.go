package serve_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/serve"
	"github.com/brevdue/brevdue/gateway/documents/s3/s3test"
)

// TestOpenDocumentsBucket takes the credentials of a bucket from the environment, as an operator gives them.
func TestOpenDocumentsBucket(t *testing.T) {
	server, err := s3test.Start(t.Context(), t.TempDir())
	if errors.Is(err, s3test.ErrNoServer) && os.Getenv("CI") != "true" {
		t.Skipf("NOT TESTED AGAINST A REAL S3 SERVER: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	t.Setenv("AWS_CONFIG_FILE", "/nowhere")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	var cfg config.Config
	cfg.Documents.URL = server.URL("prod")
	var found config.Errors
	if _, err := serve.OpenDocuments(t.Context(), &cfg, nil, nil); !errors.As(err, &found) || found[0].Key != "documents.url" ||
		!strings.Contains(found[0].Text, "AWS_ACCESS_KEY_ID") {
		t.Errorf("without credentials: %v", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3test.SecretKey)
	store, err := serve.OpenDocuments(t.Context(), &cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	staged, err := store.Stage(t.Context(), strings.NewReader("brev"), 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := staged.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := store.Open(t.Context(), staged.SHA256())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if content, err := io.ReadAll(r); string(content) != "brev" {
		t.Errorf("%q, %v", content, err)
	}
}
