package sts

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"time"
)

// Audience is who asks and for what: the key of the caches.
type Audience struct {
	CVR      string // the authority on whose behalf we act (AnvenderKontekst)
	EntityID string // entity id of the service
}

// SAML is a SAML 2.0 token.
type SAML struct {
	Assertion string    // base64 of the assertion's XML, as the STS gave it
	Expires   time.Time // end of its life by our clock
	Subject   string    // NameID of the assertion, "" when unreadable
	Issuer    string    // who issued it by its own words, "" when unreadable
	Verified  bool      // the STS's signature and the conditions were checked (Config.TrustedSTS)
	renew     time.Time // from here on a new one is asked for
}

// XML is the decoded assertion, which Beskedfordeler takes over AMQP (the whole
// of the SASL response of EXTERNAL).
func (s SAML) XML() ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(s.Assertion)
	if err != nil {
		return nil, fmt.Errorf("assertion: %w", err)
	}
	return b, nil
}

// Access is an access token of AccessTokenService_1.
type Access struct {
	Token   string    // secret
	Type    string    // "Holder-of-key"
	Expires time.Time // end of its life by our clock

	Subject  string // of the SAML token it was got with, as in SAML
	Issuer   string
	Verified bool

	renew time.Time
}

// Authorization is the value of the Authorization header.
func (a Access) Authorization() string { return a.Type + " " + a.Token }

// LogValue hides the token.
func (a Access) LogValue() slog.Value {
	return slog.GroupValue(slog.String("type", a.Type), slog.Time("expires", a.Expires))
}

// String hides the token.
func (a Access) String() string { return a.Type + " (secret)" }

// LogValue hides the assertion.
func (s SAML) LogValue() slog.Value { return slog.GroupValue(slog.Time("expires", s.Expires)) }

// String hides the assertion.
func (s SAML) String() string { return "SAML token (secret)" }

// How early a token is renewed.
const (
	samlMargin   = 15 * time.Minute
	accessMargin = time.Minute
)

// period gives when a token received at now with the given life is renewed and
// when it ends: margin early, or at half its life when that is shorter than
// twice the margin.
func period(now time.Time, life, margin time.Duration) (renew, expires time.Time) {
	return now.Add(life - min(margin, life/2)), now.Add(life)
}
