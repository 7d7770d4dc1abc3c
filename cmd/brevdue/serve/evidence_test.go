package serve

import (
	"bytes"
	"testing"
	"time"

	"github.com/brevdue/brevdue/channels/automatic"
	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/nemsms"
	"github.com/brevdue/brevdue/channels/print"
	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway/evidence"
	"github.com/brevdue/brevdue/sf1601/signature"
)

// What the journal keeps of a letter on any channel is enough for evidence that verifies.
func TestEvidenceOfEveryChannelVerifies(t *testing.T) {
	t.Parallel()
	for _, mode := range []signature.Mode{signature.Detached, signature.TechnicalDocument, signature.Enveloped} {
		for _, channel := range []string{digitalpost.Name, nemsms.Name, print.Name, automatic.Name, smtp.Name} {
			if channel == smtp.Name && mode != signature.Detached {
				continue
			}
			t.Run(string(mode)+" "+channel, func(t *testing.T) {
				t.Parallel()
				o := newOffice(t, mode)
				for kind, d := range letters(t, channel) {
					o.prove(t, kind, o.send(t, channel, d))
				}
			})
		}
	}
}

func (o *office) prove(t *testing.T, kind, id string) {
	t.Helper()
	d, err := o.gateway.Dossier(t.Context(), "fagsystem", id)
	if err != nil {
		t.Fatal(err)
	}
	var container bytes.Buffer
	if err := evidence.Write(t.Context(), &container, d, evidence.Options{Certificate: o.far.ClientCertificate(), Now: time.Now}); err != nil {
		t.Fatalf("%s: %v", kind, err)
	}
	r, err := evidence.Verify(t.Context(), bytes.NewReader(container.Bytes()), int64(container.Len()), evidence.Trust{Roots: o.far.RootCAs()})
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() || r.MessageID != id {
		t.Errorf("%s, message %q:", kind, r.MessageID)
		for _, c := range r.Checks {
			t.Errorf("%+v", c)
		}
	}
}
