package access

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
)

// KeySize is the length of a key of cookies, in bytes.
const KeySize = 32

// NewKey makes a random key of cookies.
func NewKey() []byte {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails
	return key
}

// errSeal is all that is told of something that cannot be opened.
var errSeal = errors.New("it was not sealed here")

// seal encrypts small values for one purpose (AES-256-GCM), so that they can be given to a browser and come back as they
// were. The first key seals; every key opens, so that a key can be replaced without a pause.
type seal struct{ boxes []cipher.AEAD }

// newSeal derives what the purpose needs from the keys. Without any, a random one is made: what it seals ends with the process.
func newSeal(keys [][]byte, purpose string) (*seal, error) {
	if len(keys) == 0 {
		keys = [][]byte{NewKey()}
	}
	s := &seal{}
	for _, key := range keys {
		if len(key) != KeySize {
			return nil, fmt.Errorf("access: a key of cookies has %d bytes", KeySize)
		}
		derived, err := hkdf.Key(sha256.New, key, nil, "brevdue access "+purpose, KeySize)
		if err != nil {
			return nil, fmt.Errorf("access: derive a key: %w", err)
		}
		block, err := aes.NewCipher(derived)
		if err != nil {
			return nil, fmt.Errorf("access: %w", err)
		}
		box, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, fmt.Errorf("access: %w", err)
		}
		s.boxes = append(s.boxes, box)
	}
	return s, nil
}

// close encrypts a value; about binds it to something that must be the same when it is opened.
func (s *seal) close(value any, about string) (string, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("access: seal: %w", err)
	}
	box := s.boxes[0].Seal(nil, nil, plain, []byte(about)) //nolint:gosec // it makes its own nonce
	return base64.RawURLEncoding.EncodeToString(box), nil
}

// open decrypts what close made.
func (s *seal) open(sealed, about string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil || len(sealed) > maxCookie {
		return errSeal
	}
	for _, box := range s.boxes {
		if plain, err := box.Open(nil, nil, raw, []byte(about)); err == nil {
			if json.Unmarshal(plain, into) != nil {
				return errSeal
			}
			return nil
		}
	}
	return errSeal
}

// maxCookie is what browsers keep of a cookie.
const maxCookie = 4096
