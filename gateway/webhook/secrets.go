package webhook

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// The bounds of a secret [src: STANDARD-WEBHOOKS Signature scheme], in bytes, and how many sign at most.
const (
	MinSecret  = 24
	MaxSecret  = 64
	MaxSecrets = 8
)

// Secrets are the keys of a receiver, read from a file that may be replaced while the process runs.
type Secrets struct {
	path string
	log  *slog.Logger

	mu   sync.Mutex
	seen os.FileInfo // of the file as it was last looked at, read or not
	keys [][]byte
}

// Open reads the secrets of a file: one a line, whsec_ and the base64 of [MinSecret] to [MaxSecret] bytes; empty lines and
// those that begin with # do not count. Every secret signs, so that one can be replaced without a pause.
func Open(path string, log *slog.Logger) (*Secrets, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	keys, err := read(path)
	if err != nil {
		return nil, err
	}
	return &Secrets{path: path, log: log, seen: info, keys: keys}, nil
}

// current returns the keys, from the file if it is another than before. A file that cannot be read changes nothing.
func (s *Secrets) current() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.path)
	if err != nil || os.SameFile(info, s.seen) && info.ModTime().Equal(s.seen.ModTime()) && info.Size() == s.seen.Size() {
		return s.keys
	}
	s.seen = info
	keys, err := read(s.path)
	if err != nil {
		s.log.Error("the secrets of a webhook changed and cannot be read; those from before stay in use", "error", err)
		return s.keys
	}
	s.log.Info("the secrets of a webhook were read again", "secrets", len(keys))
	s.keys = keys
	return s.keys
}

// Sign sets the three headers of Standard Webhooks: a signature for each key.
func (s *Secrets) Sign(h http.Header, id string, at time.Time, body []byte) error {
	keys := s.current()
	signatures := make([]string, len(keys))
	for n, key := range keys {
		signer, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return fmt.Errorf("sign: %w", err)
		}
		if signatures[n], err = signer.Sign(id, at, body); err != nil {
			return fmt.Errorf("sign: %w", err)
		}
	}
	set(h, id, at, signatures)
	return nil
}

// SignStream is Sign for a body that is not in memory: body writes it once to the writer it is given. An error of body is
// returned as it is, and nothing is set.
func (s *Secrets) SignStream(h http.Header, id string, at time.Time, body func(w io.Writer) error) error {
	keys := s.current()
	macs, writers := make([]hash.Hash, len(keys)), make([]io.Writer, len(keys))
	for n, key := range keys {
		macs[n] = hmac.New(sha256.New, key)
		writers[n] = macs[n]
	}
	all := io.MultiWriter(writers...)
	if _, err := io.WriteString(all, id+"."+strconv.FormatInt(at.Unix(), 10)+"."); err != nil {
		return err
	}
	if err := body(all); err != nil {
		return err
	}
	signatures := make([]string, len(keys))
	for n, mac := range macs {
		signatures[n] = "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	set(h, id, at, signatures)
	return nil
}

func set(h http.Header, id string, at time.Time, signatures []string) {
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
}

func read(path string) ([][]byte, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return nil, err
	}
	return parse(content)
}

// parse reads one secret a line. Its errors name the line and show nothing of it.
func parse(content []byte) ([][]byte, error) {
	var keys [][]byte
	lines := bufio.NewScanner(bytes.NewReader(content))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		encoded, ok := strings.CutPrefix(line, "whsec_")
		if !ok {
			return nil, fmt.Errorf("line %d does not begin with whsec_", n)
		}
		secret, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			return nil, fmt.Errorf("line %d is not base64 after whsec_", n)
		}
		if len(secret) < MinSecret || len(secret) > MaxSecret {
			return nil, fmt.Errorf("line %d has a secret of %d bytes; it must have %d to %d", n, len(secret), MinSecret, MaxSecret)
		}
		keys = append(keys, secret)
	}
	switch {
	case lines.Err() != nil:
		return nil, errors.New("a line is too long")
	case len(keys) == 0:
		return nil, errors.New("it holds no secret")
	case len(keys) > MaxSecrets:
		return nil, fmt.Errorf("it holds %d secrets; at most %d sign", len(keys), MaxSecrets)
	}
	return keys, nil
}
