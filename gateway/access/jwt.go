package access

import (
	"encoding/base64"
	"strings"

	"github.com/go-jose/go-jose/v4/json"
)

// looksLikeJWT tells a signed JWT from a token of ours, which is one word.
func looksLikeJWT(token string) bool { return strings.Count(token, ".") == 2 }

// issuerOf reads who claims to have made a token. Nothing of it is believed.
func issuerOf(token string) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", refuse(MalformedJWT)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", refuse(MalformedJWT)
	}
	var claims struct {
		Issuer string `json:"iss"`
	}
	if err := decodeClaims(payload, &claims); err != nil {
		return "", err
	}
	return claims.Issuer, nil
}

// decodeClaims reads claims with go-jose's own decoder, which refuses a name that is there twice and minds its case.
func decodeClaims(payload []byte, into any) error {
	if err := json.Unmarshal(payload, into); err != nil {
		return refuse(MalformedJWT)
	}
	return nil
}
