package evidence

import (
	"bytes"
	"encoding/base64"
)

// signer gives the certificate (DER) that a manifest of package signature carries, nil when there is none to be seen. It
// believes nothing: it only finds what [signature.VerifyManifest] judges.
func signer(manifest []byte) []byte {
	_, rest, found := bytes.Cut(manifest, []byte("<ds:X509Certificate>"))
	text, _, ended := bytes.Cut(rest, []byte("</ds:X509Certificate>"))
	if !found || !ended {
		return nil
	}
	der, err := base64.StdEncoding.DecodeString(string(text))
	if err != nil || len(der) == 0 {
		return nil
	}
	return der
}
