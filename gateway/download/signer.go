package download

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// KeySize is the size of a Signer's key in bytes.
const KeySize = 32

// DefaultLife is how long a link works unless told otherwise: the 30 days that a letter about an appointment or a
// deadline usually has.
const DefaultLife = 30 * 24 * time.Hour

// maxMessageID is the longest message id that a link carries, in bytes.
const maxMessageID = 128

// The errors of a Signer. [Handler] shows the same page for all of them.
var (
	ErrKey     = errors.New("the key for download links must be 32 bytes")
	ErrBaseURL = errors.New("the base URL for download links must be absolute, without query")
	ErrToken   = errors.New("not the token of a download link")
	ErrExpired = errors.New("the download link has expired")
)

// Signer makes links and reads their tokens. It is safe for use by many goroutines.
type Signer struct {
	Key     []byte           // 32 random bytes, the same in every process that makes or serves links
	BaseURL string           // where Handler is mounted, as the recipient reaches it, e.g. https://post.testby.example/hent
	Life    time.Duration    // how long a link works; default DefaultLife
	Now     func() time.Time // required to read tokens
}

// Validate reports what is wrong with the settings: ErrKey or ErrBaseURL.
func (s *Signer) Validate() error {
	if len(s.Key) != KeySize {
		return ErrKey
	}
	u, err := url.Parse(s.BaseURL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return ErrBaseURL
	}
	return nil
}

// Link returns the link to document index (from 0) of a message, and when it expires: Life after from. The same
// arguments give the same link, so that a letter that is sent again is the same letter. It panics when Validate would
// return an error, or for an id or an index that no message has.
func (s *Signer) Link(messageID string, index int, from time.Time) (string, time.Time) {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	if messageID == "" || len(messageID) > maxMessageID || index < 0 || index > 1<<16-1 {
		panic(fmt.Sprintf("download: no message has an id of %d bytes and a document %d", len(messageID), index))
	}
	life := s.Life
	if life <= 0 {
		life = DefaultLife
	}
	expires := from.Add(life).UTC().Truncate(time.Second)
	return strings.TrimSuffix(s.BaseURL, "/") + "/" + s.token(messageID, index, expires), expires
}

// A token is, in base64url without padding: version 1 (1 byte), expiry (8 bytes, seconds since 1970, big endian), index
// (2 bytes, big endian), message id, HMAC-SHA-256 of all that (32 bytes).
const (
	tokenVersion = 1
	tokenHead    = 1 + 8 + 2
)

var tokenEncoding = base64.RawURLEncoding.Strict()

func (s *Signer) token(messageID string, index int, expires time.Time) string {
	b := make([]byte, 0, tokenHead+len(messageID)+sha256.Size)
	b = append(b, tokenVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(expires.Unix())) //nolint:gosec // a link expires after 1970
	b = binary.BigEndian.AppendUint16(b, uint16(index))          //nolint:gosec // Link has checked it
	b = append(b, messageID...)
	return tokenEncoding.EncodeToString(s.sign(b))
}

// sign appends the signature to b. The first word keeps a key that is used elsewhere, too, from signing links by accident.
func (s *Signer) sign(b []byte) []byte {
	m := hmac.New(sha256.New, s.Key)
	_, _ = m.Write([]byte("brevdue download link\n"))
	_, _ = m.Write(b)
	return m.Sum(b)
}

// Ticket is what a token says.
type Ticket struct {
	MessageID string
	Index     int
	Expires   time.Time
}

// Open reads a token: ErrToken when it was not made with this key, ErrExpired when its time has come. The signature is
// compared in constant time, and the expiry looked at only when it is right.
func (s *Signer) Open(token string) (Ticket, error) {
	if len(s.Key) != KeySize || len(token) > tokenEncoding.EncodedLen(tokenHead+maxMessageID+sha256.Size) {
		return Ticket{}, ErrToken
	}
	raw, err := tokenEncoding.DecodeString(token)
	if err != nil || len(raw) <= tokenHead+sha256.Size {
		return Ticket{}, ErrToken
	}
	body := raw[:len(raw)-sha256.Size]
	if !hmac.Equal(s.sign(append([]byte(nil), body...)), raw) || body[0] != tokenVersion {
		return Ticket{}, ErrToken
	}
	t := Ticket{
		Expires:   time.Unix(int64(binary.BigEndian.Uint64(body[1:])), 0).UTC(), //nolint:gosec // we wrote it
		Index:     int(binary.BigEndian.Uint16(body[9:])),
		MessageID: string(body[tokenHead:]),
	}
	if !s.Now().Before(t.Expires) {
		return Ticket{}, ErrExpired
	}
	return t, nil
}
