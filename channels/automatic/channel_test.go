package automatic_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/brevdue/brevdue/channels/automatic"
	"github.com/brevdue/brevdue/channels/channeltest"
	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/print/letterpdf"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// prints is a minimal printed half: the first document of the letter, and an address.
type prints struct{ problems []gateway.Problem }

func (p prints) Check(context.Context, gateway.Letter) []gateway.Problem { return p.problems }

func (prints) Forsendelse(ctx context.Context, l gateway.Letter) (*fjernprint.ForsendelseI, error) {
	r, err := l.Open(ctx, 0)
	if err != nil {
		return nil, err
	}
	pdf, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return nil, err
	}
	return &fjernprint.ForsendelseI{
		AfsendelseIdentifikator: l.Message.AfsendelseID, ForsendelseTypeIdentifikator: 4711,
		MeddelelseIndholdData: xmlstream.Bytes(pdf),
		Modtager: &fjernprint.Modtager{Slutbruger: fjernprint.Person(), Adresse: &fjernprint.KontaktOplysning{
			PersonName: l.Intent.Recipient.Name.Reveal(),
			Adresse:    &fjernprint.Adresse{StreetName: "Rådhuspladsen", StreetBuildingIdentifier: "2", PostCodeIdentifier: "8000"},
		}},
	}, nil
}

// authority is made once: RSA keys take their time.
var authority = sync.OnceValues(func() (*sf1601test.Authority, error) {
	return sf1601test.NewAuthority(sf1601test.AuthorityOptions{KeyBits: 2048})
})

func start(t *testing.T, mode signature.Mode) (*sf1601test.Server, *sf1601.Client) {
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
	t.Cleanup(func() {
		client.Close()
		signer.Close()
		far.Close()
	})
	return far, client
}

func open(afsender digitalpost.Afsender, p automatic.Forsendelser) *automatic.Channel {
	return automatic.New(automatic.Config{Afsender: afsender, Breve: digitalpost.New(digitalpost.Config{}), Forsendelser: p})
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
	far, client := start(t, mode)
	endings := map[channeltest.Scenario]string{
		channeltest.Accepts: "9996", channeltest.Refuses: "9992", channeltest.Busy: "9990",
		channeltest.Cuts: "9991", channeltest.Gone: "9996",
	}
	return channeltest.Harness{
		Channel: open(client, prints{}),
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
	return gateway.Letter{
		Intent: &gateway.Intent{
			ID: "int_1", Recipient: gateway.Recipient{ID: id, Name: "Nancy Ann Berggren"}, CreatedAt: time.Now().UTC(),
			Content: gateway.Content{
				Title:     "Indkaldelse",
				Documents: []gateway.Document{{Filename: "Indkaldelse.pdf", ContentType: "application/pdf", Size: int64(len(pdf))}},
			},
		},
		Sender: gateway.Sender{Name: "jobcenter", CVR: cvr, Label: "Testby Kommune"},
		Message: gateway.Message{
			ID: "msg_" + uuid.NewString(), MessageUUID: uuid.NewString(), AfsendelseID: uuid.NewString(), TransactionID: uuid.NewString(),
		},
		Attempt: gateway.Attempt{ID: "att_" + uuid.NewString()},
		Open: func(context.Context, int) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(pdf)), nil
		},
	}
}

// recording keeps the request instead of sending it.
type recording struct{ kombi sf1601.Kombi }

func (r *recording) KombiPostAfsend(_ context.Context, k sf1601.Kombi) (*sf1601.Accepted, error) {
	r.kombi = k
	return &sf1601.Accepted{TransmissionID: "t"}, nil
}

func TestBothHalvesTravelWithTheirIdentities(t *testing.T) {
	t.Parallel()
	l, r := letter(t, "2512489996"), &recording{}
	if o := open(r, prints{}).Send(t.Context(), l); o.Class != gateway.Accept || o.TransmissionID != "t" {
		t.Fatalf("%s, %v", o.Class, o.Err)
	}
	k := r.kombi
	if k.Valg != sf1601.ValgAutomatisk || k.TransactionID != l.Message.TransactionID || k.Reference != l.Attempt.ID {
		t.Errorf("%s, transaction %s, reference %s", k.Valg, k.TransactionID, k.Reference)
	}
	if k.Message.Header.MessageUUID != l.Message.MessageUUID || k.Message.Body == nil {
		t.Error("the digital half is not this letter")
	}
	if k.Forsendelse.AfsendelseIdentifikator != l.Message.AfsendelseID {
		t.Error("the printed half is not this letter")
	}
}

func TestCheckAsksBothHalves(t *testing.T) {
	t.Parallel()
	l := letter(t, "2512489996")
	l.Intent.Content.Documents[0].Filename = "a:b.pdf"
	ps := open(nil, prints{problems: []gateway.Problem{
		{Pointer: "/recipient/address", Code: "required", Detail: "A printed letter needs an address."},
		{Pointer: "/content/documents/0/filename", Code: "filename.forbidden", Detail: "Said in other words."},
	}}).Check(t.Context(), l)
	if len(ps) != 2 || ps[0].Pointer != "/content/documents/0/filename" || ps[1].Pointer != "/recipient/address" {
		t.Fatalf("%+v", ps)
	}
	if ps := open(nil, prints{}).Check(t.Context(), letter(t, "2512489996")); len(ps) > 0 {
		t.Fatalf("a good letter is refused: %+v", ps)
	}
}

// broken is a printed half that cannot be made.
type broken struct {
	prints
	err error
}

func (b broken) Forsendelse(context.Context, gateway.Letter) (*fjernprint.ForsendelseI, error) {
	return nil, b.err
}

func TestWhatCannotBeMadeIsNotSent(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		err   error
		class gateway.Class
		code  string
	}{
		"now":                    {errors.New("the disk is gone"), gateway.Retry, automatic.CodeNotMade},
		"shutdown":               {context.Canceled, gateway.Retry, automatic.CodeNotMade},
		"with this address ever": {fmt.Errorf("recipient: %w", &fjernprint.AddressError{}), gateway.Fail, automatic.CodeInvalid},
		"with this text ever":    {fmt.Errorf("pdf: %w", &letterpdf.Invalid{}), gateway.Fail, automatic.CodeInvalid},
	} {
		r := &recording{}
		o := open(r, broken{err: tc.err}).Send(t.Context(), letter(t, "2512489996"))
		if o.Class != tc.class || o.Code != tc.code || !errors.Is(o.Err, tc.err) || r.kombi.Message != nil {
			t.Errorf("%s: %s, code %s, %v", name, o.Class, o.Code, o.Err)
		}
	}
}

// TestStatusOfEitherRoad: the far end chose, and its statuses say by which key and which words.
func TestStatusOfEitherRoad(t *testing.T) {
	t.Parallel()
	for kind, want := range map[beskedfordeler.Kind]gateway.ReceiptKind{
		beskedfordeler.KindAfleveret:          gateway.ReceiptDelivered,
		beskedfordeler.KindFjernprintModtaget: gateway.ReceiptReceived,
		beskedfordeler.KindPostDanmark:        gateway.ReceiptDelivered,
		beskedfordeler.KindFejlet:             gateway.ReceiptRejected,
	} {
		status := &beskedfordeler.PostStatus{MessageUUID: "u", TransaktionsStatusKode: kind.StatusKode()}
		if strings.Contains(string(kind), "print") || kind == beskedfordeler.KindPostDanmark {
			status.MessageUUID, status.AfsendelseIdentifikator = "", "a"
		}
		r := digitalpost.Receipt(nil, &beskedfordeler.Besked{ID: "b", Handling: kind.Handling(), Status: status})
		if r.Kind != want || r.MessageUUID != status.MessageUUID || r.AfsendelseID != status.AfsendelseIdentifikator {
			t.Errorf("%s: %s by %q or %q", kind, r.Kind, r.MessageUUID, r.AfsendelseID)
		}
	}
}
