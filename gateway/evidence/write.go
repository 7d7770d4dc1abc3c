package evidence

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// MediaType is that of a container. [src: ASIC clause 4.4.2]
const MediaType = "application/vnd.etsi.asic-e+zip"

// Filename is the name to save the evidence of a message under.
func Filename(messageID string) string { return messageID + ".asice" }

// Options say who signs the evidence, and when.
type Options struct {
	// Certificate is the system certificate that signs, with its RSA key and what its chain needs below the root; required.
	Certificate tls.Certificate
	// Now tells the SigningTime; required.
	Now func() time.Time
	// Explain gives the Danish explanation of a raw code of the far end, "" for none. nil: none is known.
	Explain func(code string) string
}

// Write writes the evidence of one message: everything in the dossier, signed. It reads the request twice, the first time
// before anything is written, so that a request which cannot be put together again is an error and not half a container;
// memory does not grow with it. The same dossier at the same second gives the same bytes.
func Write(ctx context.Context, w io.Writer, d *gateway.Dossier, opts Options) error {
	return errors.New("evidence: not written yet")
}
