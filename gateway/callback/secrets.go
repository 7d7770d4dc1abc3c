package callback

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
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
	minSecret  = 24
	maxSecret  = 64
	maxSecrets = 8
)

// secrets are the keys of a receiver, read from a file that may be replaced while the process runs.
type secrets struct {
	path string
	log  *slog.Logger

	mu      sync.Mutex
	seen    os.FileInfo // of the file as it was last looked at, read or not
	signers []*standardwebhooks.Webhook
}

func openSecrets(path string, log *slog.Logger) (*secrets, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	signers, err := readSecrets(path)
	if err != nil {
		return nil, err
	}
	return &secrets{path: path, log: log, seen: info, signers: signers}, nil
}

// current returns the keys, from the file if it is another than before. A file that cannot be read changes nothing.
func (s *secrets) current() []*standardwebhooks.Webhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(s.path)
	if err != nil || os.SameFile(info, s.seen) && info.ModTime().Equal(s.seen.ModTime()) && info.Size() == s.seen.Size() {
		return s.signers
	}
	s.seen = info
	signers, err := readSecrets(s.path)
	if err != nil {
		s.log.Error("the secrets of callbacks changed and cannot be read; those from before stay in use", "error", err)
		return s.signers
	}
	s.log.Info("the secrets of callbacks were read again", "secrets", len(signers))
	s.signers = signers
	return s.signers
}

// sign sets the three headers of Standard Webhooks: a signature for each key.
func (s *secrets) sign(h http.Header, id string, at time.Time, body []byte) error {
	keys := s.current()
	signatures := make([]string, len(keys))
	for n, key := range keys {
		var err error
		if signatures[n], err = key.Sign(id, at, body); err != nil {
			return fmt.Errorf("sign: %w", err)
		}
	}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, strings.Join(signatures, " "))
	return nil
}

func readSecrets(path string) ([]*standardwebhooks.Webhook, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own setting
	if err != nil {
		return nil, err
	}
	return parseSecrets(content)
}

// parseSecrets reads one secret a line. Its errors name the line and show nothing of it.
func parseSecrets(content []byte) ([]*standardwebhooks.Webhook, error) {
	var keys []*standardwebhooks.Webhook
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
		if len(secret) < minSecret || len(secret) > maxSecret {
			return nil, fmt.Errorf("line %d has a secret of %d bytes; it must have %d to %d", n, len(secret), minSecret, maxSecret)
		}
		key, err := standardwebhooks.NewWebhookRaw(secret)
		if err != nil {
			return nil, fmt.Errorf("line %d: the secret is not taken", n)
		}
		keys = append(keys, key)
	}
	switch {
	case lines.Err() != nil:
		return nil, errors.New("a line is too long")
	case len(keys) == 0:
		return nil, errors.New("it holds no secret")
	case len(keys) > maxSecrets:
		return nil, fmt.Errorf("it holds %d secrets; at most %d sign", len(keys), maxSecrets)
	}
	return keys, nil
}
