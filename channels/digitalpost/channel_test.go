package digitalpost_test

import (
	"bytes"
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/channeltest"
	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/signature"
)

// authority is made once: RSA keys take their time.
var authority = sync.OnceValues(func() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
})

// newClient makes an SF1601 client for a far end, with signatures that are kept nowhere.
func newClient(t *testing.T, far *sf1601test.Server, mode signature.Mode) *sf1601.Client {
	t.Helper()
	signer, err := signature.NewBatcher(signature.BatcherConfig{
		Certificate: far.ClientCertificate(), NewUUID: uuid.NewString,
		Keep: func(context.Context, signature.Manifest) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	client, err := sf1601.New(sf1601.Config{
		Endpoints: sf1601.Endpoints{STS: far.URL(), Base: far.URL()}, Certificate: far.ClientCertificate(),
		RootCAs: far.RootCAs(), CVR: "55133018", Signer: signer, Signature: mode, NewUUID: uuid.NewString, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		signer.Close()
	})
	return client
}

func startFar(t *testing.T) *sf1601test.Server {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	far, err := sf1601test.Start(sf1601test.Config{Authority: a})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(far.Close)
	return far
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, mode := range []signature.Mode{signature.Detached, signature.TechnicalDocument, signature.Enveloped} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			channeltest.Run(t, func(t *testing.T) channeltest.Harness { return harness(t, mode) })
		})
	}
}

func harness(t *testing.T, mode signature.Mode) channeltest.Harness {
	t.Helper()
	return harnessWith(t, mode, digitalpost.AskNever)
}

func harnessWith(t *testing.T, mode signature.Mode, ask digitalpost.AskFirst) channeltest.Harness {
	t.Helper()
	far := startFar(t)
	client := newClient(t, far, mode)
	endings := map[channeltest.Scenario]string{
		channeltest.Accepts: "9996", channeltest.Refuses: "9992", channeltest.Busy: "9990",
		channeltest.Cuts: "9991", channeltest.Gone: "9996",
	}
	return channeltest.Harness{
		Channel: digitalpost.New(digitalpost.Config{Afsender: client, Registry: asking{client}, AskFirst: ask}),
		Letter: func(t *testing.T, s channeltest.Scenario) (gateway.Letter, bool) {
			t.Helper()
			if s == channeltest.Gone {
				far.Close()
			}
			return letter(t, "251248"+endings[s]), true
		},
		Arrived: func(_ *testing.T, messageUUID string) (letters, calls int) {
			m, known := far.Message(messageUUID)
			if !known || !m.Accepted {
				return 0, m.Attempts
			}
			return 1, m.Attempts
		},
		Secrets: []string{"2512489996", "2512489992", "2512489990", "2512489991", "Nancy", "Du er indkaldt"},
	}
}

// letter is a valid letter with a PDF, an AFTALE and a TILMELDING.
func letter(t *testing.T, cpr string) gateway.Letter {
	t.Helper()
	id, err := gateway.ParseCPR(cpr)
	if err != nil {
		t.Fatal(err)
	}
	cvr, err := gateway.ParseCVR("55133018")
	if err != nil {
		t.Fatal(err)
	}
	pdf := []byte("%PDF-1.7 Du er indkaldt")
	start := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	return gateway.Letter{
		Intent: &gateway.Intent{
			ID: "int_1", Recipient: gateway.Recipient{ID: id, Name: "Nancy Ann Berggren"}, CreatedAt: time.Now().UTC(),
			Content: gateway.Content{
				Title: "Indkaldelse til jobsamtale", Notification: "Ny indkaldelse", KLE: "27.24.00", CaseID: "2026-0417", CaseSystem: "Fagsystem",
				Documents: []gateway.Document{
					{Filename: "Indkaldelse.pdf", ContentType: "application/pdf", Size: int64(len(pdf))},
					{Filename: "Bilag æøå.pdf", Size: int64(len(pdf))},
				},
				Actions: []actions.Action{
					actions.NewAftale("Jobsamtale", actions.Reservation{
						Description: "Medbring CV", UUID: uuid.NewString(), Abstract: "Jobsamtale", Location: "Værkmestergade 5",
						Start: start, End: start.Add(45 * time.Minute),
					}),
					actions.NewTilmelding("Tilmeld dig", "https://testby.example/tilmeld", start),
				},
			},
		},
		Sender: gateway.Sender{
			Name: "jobcenter", CVR: cvr, Label: "Testby Kommune",
			ContactPoint: gateway.ContactPoint{ID: "241d39f6-998e-4929-b198-ccacbbf4b330", Group: "22.33.44.55", Label: "Jobcenter"},
		},
		Message: gateway.Message{ID: "msg_" + uuid.NewString(), MessageUUID: uuid.NewString(), TransactionID: uuid.NewString()},
		Attempt: gateway.Attempt{ID: "att_" + uuid.NewString()},
		Open: func(context.Context, int) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(pdf)), nil
		},
	}
}
