package nemsms_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/channeltest"
	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/nemsms"
	"github.com/brevdue/brevdue/channels/registration"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/memo/memotest"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/signature"
)

// authority is made once: RSA keys take their time.
var authority = sync.OnceValues(func() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
})

// start opens a far end, a client for it and a registry over that.
func start(t *testing.T, mode signature.Mode) (*sf1601test.Server, *sf1601.Client, *registration.Registry) {
	t.Helper()
	a, err := authority()
	if err != nil {
		t.Fatal(err)
	}
	far, err := sf1601test.Start(sf1601test.Config{Authority: a})
	if err != nil {
		t.Fatal(err)
	}
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
	registry, err := registration.New(registration.Config{Forespoerg: client})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		signer.Close()
		far.Close()
	})
	return far, client, registry
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
	far, client, registry := start(t, mode)
	endings := map[channeltest.Scenario]string{
		channeltest.Accepts: "9996", channeltest.Refuses: "9992", channeltest.Busy: "9990",
		channeltest.Cuts: "9991", channeltest.Gone: "9996",
	}
	return channeltest.Harness{
		Channel: nemsms.New(nemsms.Config{Afsender: client, Registry: registry}),
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
		Secrets:     []string{"2512489996", "2512489992", "2512489990", "2512489991", "Nancy", "Husk din samtale"},
		NoDocuments: true,
	}
}

// letter is a valid NemSMS with an AFTALE and a link.
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
	return gateway.Letter{
		Intent: &gateway.Intent{
			ID: "int_1", Recipient: gateway.Recipient{ID: id, Name: "Nancy Ann Berggren"}, CreatedAt: time.Now().UTC(),
			Content: gateway.Content{
				Title: "Indkaldelse", SMS: "Husk din samtale.", KLE: "27.24.00",
				Documents: []gateway.Document{{Filename: "Indkaldelse.pdf", Size: 100}},
				Actions:   []actions.Action{aftale(), actions.NewInformation("Læs mere", "https://testby.example/a?b=1&c=2")},
			},
		},
		Sender:  gateway.Sender{Name: "jobcenter", CVR: cvr, Label: "Testby Kommune, Jobcenter"},
		Message: gateway.Message{ID: "msg_" + uuid.NewString(), MessageUUID: uuid.NewString(), TransactionID: uuid.NewString()},
		Attempt: gateway.Attempt{ID: "att_" + uuid.NewString()},
		Open: func(context.Context, int) (io.ReadCloser, error) {
			return nil, errors.New("a NemSMS has no use for documents")
		},
	}
}

// aftale is at 10:00 in Copenhagen on a Tuesday in winter.
func aftale() actions.Action {
	start := time.Date(2026, time.December, 1, 9, 0, 0, 0, time.UTC)
	return actions.NewAftale("Samtale", actions.Reservation{
		Description: "Medbring CV", UUID: "0c2d1a57-3b5e-4d39-8a0a-6f5f1c9d7e21", Abstract: "Samtale", Location: "Værkmestergade 5",
		Start: start, End: start.Add(45 * time.Minute),
	})
}

// TestRegistration sends to the simulator's recipients: registration for NemSMS is its own question, and who is not
// registered gets nothing.
func TestRegistration(t *testing.T) {
	t.Parallel()
	far, client, registry := start(t, signature.Detached)
	asking := nemsms.New(nemsms.Config{Afsender: client, Registry: registry})
	for ending, want := range map[string]gateway.Class{"9994": gateway.Next, "9995": gateway.Accept, "9996": gateway.Accept} {
		l := letter(t, "251248"+ending)
		o := asking.Send(t.Context(), l)
		m, _ := far.Message(l.Message.MessageUUID)
		if o.Class != want || m.Accepted != (want == gateway.Accept) || want == gateway.Next && (o.Code != "recipient.not_registered" || m.Attempts != 0) {
			t.Errorf("%s: %s (code %s, %v), accepted %t", ending, o.Class, o.Code, o.Err, m.Accepted)
		}
	}
	l := letter(t, "2512489994")
	l.Message.Uncertain = true // an earlier attempt may have handed it over: it is repeated, not moved to another road
	if o := asking.Send(t.Context(), l); o.Class != gateway.Accept {
		t.Errorf("a repeated message: %s", o.Class)
	}
	if o := nemsms.New(nemsms.Config{Afsender: client}).Send(t.Context(), letter(t, "2512489994")); o.Class != gateway.Accept {
		t.Errorf("without a registry: %s, %v", o.Class, o.Err)
	}
}

// recording keeps the request instead of sending it.
type recording struct{ kombi sf1601.Kombi }

func (r *recording) KombiPostAfsend(_ context.Context, k sf1601.Kombi) (*sf1601.Accepted, error) {
	r.kombi = k
	return &sf1601.Accepted{TransmissionID: "t"}, nil
}

func sent(t *testing.T, cfg nemsms.Config, l gateway.Letter) (sf1601.Kombi, []byte) {
	t.Helper()
	r := &recording{}
	cfg.Afsender = r
	if o := nemsms.New(cfg).Send(t.Context(), l); o.Class != gateway.Accept {
		t.Fatalf("%s, %v", o.Class, o.Err)
	}
	doc, err := r.kombi.Message.Document()
	if err != nil {
		t.Fatal(err)
	}
	body := doc.Open(t.Context())
	xml, err := io.ReadAll(body)
	if err != nil || body.Close() != nil {
		t.Fatal(err)
	}
	return r.kombi, xml
}

func TestMessageIsValidMeMo(t *testing.T) {
	t.Parallel()
	l := letter(t, "2512489996")
	k, xml := sent(t, nemsms.Config{}, l)
	memotest.ValidateXSD(t, xml)
	h := k.Message.Header
	if k.Valg != sf1601.ValgNemSMS || k.Forsendelse != nil || k.Message.Body != nil || h.MessageType != memo.NemSMS {
		t.Errorf("%s, %s", k.Valg, h.MessageType)
	}
	if h.MessageUUID != l.Message.MessageUUID || h.MessageID != l.Message.ID || k.TransactionID != l.Message.TransactionID || k.Reference != l.Attempt.ID {
		t.Error("not the identity that was minted at acceptance")
	}
	want := "Husk din samtale.\nSamtale: tirsdag den 1. december 2026 kl. 10.00-10.45, Værkmestergade 5\nLæs mere: https://testby.example/a?b=1&c=2"
	if h.Notification != want {
		t.Errorf("text %q", h.Notification)
	}
	if h.Label != "Testby Kommune, Jobcenter" || h.Sender.Label != h.Label || h.Sender.SenderID != "55133018" {
		t.Errorf("from %q, label %q", h.Sender.Label, h.Label)
	}
	if h.Recipient != (memo.Recipient{RecipientID: "2512489996", IDType: memo.CPR}) || h.ContentData != nil {
		t.Error("more about the recipient or the matter than a text message needs")
	}
	if k, _ := sent(t, nemsms.Config{Label: "NemSMS", MemoVersion: memo.V1_2}, l); k.Message.Header.Label != "NemSMS" || k.Message.Version != memo.V1_2 {
		t.Errorf("label %q, version %s", k.Message.Header.Label, k.Message.Version)
	}
}

func TestEveryAttemptSendsTheSameBytes(t *testing.T) {
	t.Parallel()
	l := letter(t, "2512489996")
	_, first := sent(t, nemsms.Config{}, l)
	l.Attempt = gateway.Attempt{ID: "att_" + uuid.NewString(), N: 2, StartedAt: time.Now().Add(time.Hour)}
	if _, second := sent(t, nemsms.Config{}, l); !bytes.Equal(second, first) {
		t.Fatal("the second attempt sends other bytes")
	}
}

// TestStatusIsMatchedByMessageUUID: which KanalKode the status of a NemSMS carries is not published, so every one does.
func TestStatusIsMatchedByMessageUUID(t *testing.T) {
	t.Parallel()
	for _, kanal := range []string{"", "NemSMS", "Digital Post", "noget andet"} {
		r := digitalpost.Receipt(nil, nil, &beskedfordeler.Besked{
			ID: "b", Handling: beskedfordeler.HandlingAfleveret,
			Status: &beskedfordeler.PostStatus{MessageUUID: "u", KanalKode: kanal, TransaktionsStatusKode: "Afleveret Digital Post"},
		})
		if r.Kind != gateway.ReceiptDelivered || r.MessageUUID != "u" {
			t.Errorf("KanalKode %q: %s for %q", kanal, r.Kind, r.MessageUUID)
		}
	}
}

// TestSendOfAnIntentThatCheckWouldRefuse: nothing leaves that may not leave, whoever accepted it.
func TestSendOfAnIntentThatCheckWouldRefuse(t *testing.T) {
	t.Parallel()
	l := letter(t, "2512489996")
	l.Intent.Content.SMS = "Dit CPR-nummer er 251248-9996"
	r := &recording{}
	o := nemsms.New(nemsms.Config{Afsender: r}).Send(t.Context(), l)
	if o.Class != gateway.Fail || o.Code != nemsms.ProblemCPR || r.kombi.Message != nil {
		t.Fatalf("%s, code %s", o.Class, o.Code)
	}
}
