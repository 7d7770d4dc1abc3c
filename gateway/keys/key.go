package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/streamingaead"
	"github.com/tink-crypto/tink-go/v2/streamingaead/aesgcmhkdf"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/brevdue/brevdue/gateway"
)

// segment is how much of a document is sealed, and verified, at a time: the memory that a stream costs, in bytes.
const segment = 64 << 10

// key seals, or only opens.
type key struct {
	id      string // eight hexadecimal digits, at random
	created time.Time
	retired time.Time // zero: not yet

	handles [purposes]*keyset.Handle
	fields  tink.AEAD
	streams tink.StreamingAEAD
	hashes  *prf.Set
}

// The purposes of a key's keysets.
const (
	forFields = iota
	forStreams
	forHashes
	purposes
)

// purposeName is part of what a sealed keyset is bound to.
func purposeName(purpose int) string {
	return [purposes]string{"fields", "documents", "hashes"}[purpose]
}

// newKey makes a key.
func newKey(now time.Time) (*key, error) {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	k := &key{id: hex.EncodeToString(id[:]), created: now.UTC()}
	streams, err := aesgcmhkdf.NewParameters(aesgcmhkdf.ParametersOpts{
		KeySizeInBytes: 32, DerivedKeySizeInBytes: 32, HKDFHashType: aesgcmhkdf.SHA256, SegmentSizeInBytes: segment,
	})
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	for purpose, add := range [purposes]func(*keyset.Manager) (uint32, error){
		forFields:  func(m *keyset.Manager) (uint32, error) { return m.Add(aead.AES256GCMNoPrefixKeyTemplate()) },
		forStreams: func(m *keyset.Manager) (uint32, error) { return m.AddNewKeyFromParameters(streams) },
		forHashes:  func(m *keyset.Manager) (uint32, error) { return m.Add(prf.HMACSHA256PRFKeyTemplate()) },
	} {
		m := keyset.NewManager()
		number, err := add(m)
		if err == nil {
			err = m.SetPrimary(number)
		}
		if err == nil {
			k.handles[purpose], err = m.Handle()
		}
		if err != nil {
			return nil, fmt.Errorf("keys: make a key: %w", err)
		}
	}
	return k, k.ready()
}

// ready makes what the keysets are for.
func (k *key) ready() error {
	var err error
	if k.fields, err = aead.New(k.handles[forFields]); err != nil {
		return fmt.Errorf("keys: key %s: fields: %w", k.id, err)
	}
	if k.streams, err = streamingaead.New(k.handles[forStreams]); err != nil {
		return fmt.Errorf("keys: key %s: documents: %w", k.id, err)
	}
	if k.hashes, err = prf.NewPRFSet(k.handles[forHashes]); err != nil {
		return fmt.Errorf("keys: key %s: hashes: %w", k.id, err)
	}
	return nil
}

// header begins what is sealed under the key, with room for more behind it.
func (k *key) header(form string, room int) []byte {
	id := idBytes(k.id)
	return append(append(make([]byte, 0, gateway.SealedHeader+room), form...), id[:]...)
}

// place is what a keyset in the file is bound to when a master seals it.
func (k *key) place(purpose int) []byte {
	return []byte("brevdue keyset " + k.id + " " + purposeName(purpose))
}

// secret writes one of the keysets, as tink writes keysets, sealed by the master when there is one.
func (k *key) secret(purpose int, m *master) (json.RawMessage, error) {
	var out bytes.Buffer
	var err error
	if m == nil {
		err = insecurecleartextkeyset.Write(k.handles[purpose], keyset.NewJSONWriter(&out))
	} else {
		err = k.handles[purpose].WriteWithAssociatedData(keyset.NewJSONWriter(&out), m.aead, k.place(purpose))
	}
	if err != nil {
		return nil, fmt.Errorf("keys: write key %s: %w", k.id, err)
	}
	return out.Bytes(), nil
}

// take reads one of the keysets. Its errors show nothing of it.
func (k *key) take(purpose int, secret json.RawMessage, m *master) error {
	var err error
	r := keyset.NewJSONReader(bytes.NewReader(secret))
	if m == nil {
		k.handles[purpose], err = insecurecleartextkeyset.Read(r)
	} else {
		k.handles[purpose], err = keyset.ReadWithAssociatedData(r, m.aead, k.place(purpose))
	}
	if err != nil {
		return fmt.Errorf("keys: key %s cannot be read: %s is damaged", k.id, purposeName(purpose))
	}
	return nil
}
