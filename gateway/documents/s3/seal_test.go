package s3_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/documents/documentstest"
	"github.com/brevdue/brevdue/gateway/documents/s3"
	"github.com/brevdue/brevdue/gateway/documents/s3/s3test"
	"github.com/brevdue/brevdue/gateway/keys"
)

func sealer(t testing.TB) *keys.Keys {
	t.Helper()
	k, err := keys.Create(keys.Config{File: filepath.Join(t.TempDir(), "keys.json")})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sealing(k *keys.Keys) func(*s3.Options) { return func(o *s3.Options) { o.Sealer = k } }

func TestSealedStore(t *testing.T) { //nolint:paralleltest // it measures memory
	documentstest.Run(t, documentstest.Config[*s3.Staged]{
		Open: func(t *testing.T) documentstest.Store[*s3.Staged] {
			t.Helper()
			server := start(t)
			t.Cleanup(func() {
				documents, rest := inBucket(t, server, "post")
				if len(rest) != 0 {
					t.Errorf("%v was left behind", rest)
				}
				for _, d := range documents {
					if !strings.HasPrefix(d, "post/sealed/") {
						t.Errorf("%s is not sealed", d)
					}
				}
			})
			return open(t, server, "post", sealing(sealer(t)))
		},
		Memory: 40 << 20,
	})
}

// TestReseal rotates the keys under what lies in a bucket, sealed and not, and takes the keys away.
func TestReseal(t *testing.T) {
	t.Parallel()
	server := start(t)
	contents := [][]byte{[]byte("Til fru Hansen"), noise(11, 9<<20), {}}
	put := func(s *s3.Store, content []byte) {
		t.Helper()
		if _, _, err := s.Put(t.Context(), bytes.NewReader(content), gateway.MaxDocument); err != nil {
			t.Fatal(err)
		}
	}
	plain := open(t, server, "post")
	put(plain, contents[0])
	k := sealer(t)
	s := open(t, server, "post", sealing(k))
	first, err := k.Current()
	if err != nil {
		t.Fatal(err)
	}
	put(s, contents[1])
	put(s, contents[2])
	under := func(want map[string]int) {
		t.Helper()
		got, err := s.SealedUnder(t.Context())
		if err != nil || len(got) != len(want) {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
		for key, n := range want {
			if got[key] != n {
				t.Errorf("%v, want %v", got, want)
			}
		}
		for _, content := range contents {
			if !bytes.Equal(read(t, s, digest(content)), content) {
				t.Error("other bytes came back")
			}
		}
	}
	under(map[string]int{"": 1, first: 2})
	if _, err := s3.Open(t.Context(), server.URL("post"), s3.Options{Credentials: server.Credentials()}); !errors.Is(err, gateway.ErrSealed) {
		t.Errorf("without keys: %v", err)
	}
	second, err := k.Rotate()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{3, 0} {
		if n, err := s.Reseal(t.Context()); n != want || err != nil {
			t.Errorf("resealed %d, %v; want %d", n, err, want)
		}
		under(map[string]int{second: 3})
	}
	holdsNothing(t, server, "Hansen", digest(contents[0]), digest(contents[1]))
	other := open(t, server, "post", sealing(sealer(t)))
	if _, err := other.Open(t.Context(), digest(contents[0])); !errors.Is(err, gateway.ErrNotFound) {
		t.Errorf("with other keys: %v", err)
	}
}

// holdsNothing fails when a file of the server, or its name, has one of the words.
func holdsNothing(t *testing.T, server *s3test.Server, words ...string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Dir(filepath.Dir(server.Files)), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, word := range words {
			if bytes.Contains(content, []byte(word)) || strings.Contains(path, word) {
				t.Errorf("%s tells %s", path, word)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSealedChanged changes what lies in the bucket: whoever reads to the end is told.
func TestSealedChanged(t *testing.T) {
	t.Parallel()
	server := start(t)
	s := open(t, server, "post", sealing(sealer(t)))
	sum, _, err := s.Put(t.Context(), strings.NewReader("Afslag"), 100)
	if err != nil {
		t.Fatal(err)
	}
	documents, _ := inBucket(t, server, "post")
	if len(documents) != 1 {
		t.Fatalf("the bucket holds %v", documents)
	}
	path := filepath.Join(server.Files, documents[0])
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-1] ^= 1
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := s.Open(t.Context(), sum)
	if err == nil {
		defer func() { _ = r.Close() }()
		_, err = r.Read(make([]byte, 100))
	}
	if !errors.Is(err, gateway.ErrSealed) {
		t.Errorf("%v", err)
	}
}
