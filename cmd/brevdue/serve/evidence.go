package serve

import (
	"context"
	"io"
	"time"

	"github.com/brevdue/brevdue/gateway/evidence"
)

// evidence writes what is known of a message of a producer as a signed container.
func (a *App) evidence(ctx context.Context, producer, messageID string, w io.Writer) error {
	d, err := a.gateway.Dossier(ctx, producer, messageID)
	if err != nil {
		return err
	}
	cert, _, err := a.cfg.Certificate()
	if err != nil {
		return err
	}
	return evidence.Write(ctx, w, d, evidence.Options{Certificate: cert, Now: time.Now, Explain: func(code string) string {
		explained, _ := a.gateway.Explain(code)
		return explained.HintDA
	}})
}
