package keys

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// MasterSize is the length of a master key, in bytes.
const MasterSize = 32

// master seals the secrets of a keyset file.
type master struct {
	name string
	aead tink.AEAD
}

// readMaster reads a master key; nil when path is "".
func readMaster(path string) (*master, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // none is a master like another
	}
	content, err := os.ReadFile(path) //nolint:gosec // the operator's own setting
	if err != nil {
		return nil, fmt.Errorf("keys: the master key cannot be read: %w", err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(content)))
	if err != nil || len(raw) != MasterSize {
		return nil, errors.New("keys: a master key is 32 random bytes in hexadecimal, e.g. from: openssl rand -hex 32")
	}
	seal, err := subtle.NewAESGCM(raw)
	if err != nil {
		return nil, fmt.Errorf("keys: the master key: %w", err)
	}
	sum := sha256.Sum256(append([]byte("brevdue master key\x00"), raw...))
	return &master{name: hex.EncodeToString(sum[:4]), aead: seal}, nil
}

// id tells master keys apart, and nothing about them; "" for none.
func (m *master) id() string {
	if m == nil {
		return ""
	}
	return m.name
}
