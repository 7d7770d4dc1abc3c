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
	printing "github.com/brevdue/brevdue/channels/print"
	"github.com/brevdue/brevdue/channels/print/letterpdf"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/signature"
)

// printed is the real printed half, which needs no far end of its own.
var printed = sync.OnceValues(func() (*printing.Channel, error) { return printing.New(printing.Config{}) })

// pdf is a PDF that passes its pre-flight.
var pdf = sync.OnceValues(func() ([]byte, error) {
	m, err := letterpdf.New(letterpdf.Config{})
	if err != nil {
		return nil, err
	}
	d, err := m.Make(letterpdf.Letter{Title: "Du er indkaldt", Date: time.Unix(0, 0)})
	if err != nil {
		return nil, err
	}
	return d.PDF, nil
})

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

// open makes the channel; a nil printed half is the real one.
func open(t *testing.T, afsender digitalpost.Afsender, half automatic.Forsendelser) *automatic.Channel {
	t.Helper()
	if half == nil {
		p, err := printed()
		if err != nil {
			t.Fatal(err)
		}
		half = p
	}
	return automatic.New(automatic.Config{Afsender: afsender, Breve: digitalpost.New(digitalpost.Config{}), Forsendelser: half})
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
		Channel: open(t, client, nil),
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
		Secrets: []string{"2512489996", "2512489992", "2512489990", "2512489991", "Nancy", "Rådhuspladsen", "Du er indkaldt"},
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
	pdf, err := pdf()
	if err != nil {
		t.Fatal(err)
	}
	return gateway.Letter{
		Intent: &gateway.Intent{
			ID: "int_1", CreatedAt: time.Now().UTC(),
			Recipient: gateway.Recipient{ID: id, Name: "Nancy Ann Berggren", Address: gateway.Address{
				Street: "Rådhuspladsen", House: "2", Postcode: "8000", City: "Aarhus C",
			}},
			Content: gateway.Content{
				Title:     "Indkaldelse",
				Documents: []gateway.Document{{Filename: "Indkaldelse.pdf", ContentType: "application/pdf", Size: int64(len(pdf))}},
			},
		},
		Sender: gateway.Sender{Name: "jobcenter", CVR: cvr, Label: "Testby Kommune", Forsendelsestype: 4711},
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
	if o := open(t, r, nil).Send(t.Context(), l); o.Class != gateway.Accept || o.TransmissionID != "t" {
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

// TestPostkomponentenChooses: the simulator takes Digital Post where it can, and print where it cannot. Whichever it is,
// nothing is wrong with that half.
func TestPostkomponentenChooses(t *testing.T) {
	t.Parallel()
	far, client := start(t, signature.Detached)
	for ending, want := range map[string]string{"9996": sf1601test.ChannelDigitalPost, "9995": sf1601test.ChannelFysiskPost} {
		for _, textOnly := range []bool{false, true} {
			l := letter(t, "251248"+ending)
			if textOnly {
				l.Intent.Content.Documents, l.Intent.Content.Text = nil, "Du er indkaldt"
			}
			if o := open(t, client, nil).Send(t.Context(), l); o.Class != gateway.Accept {
				t.Fatalf("%s: %s, %v", ending, o.Class, o.Err)
			}
			m, _ := far.Message(l.Message.MessageUUID)
			if m.Channel != want || m.Finding != nil || m.AfsendelseIdentifikator != l.Message.AfsendelseID {
				t.Errorf("%s, text only %t: by %q, finding %+v", ending, textOnly, m.Channel, m.Finding)
			}
		}
	}
}

// TestEveryAttemptSendsTheSameBytes compares the digests of the whole request.
func TestEveryAttemptSendsTheSameBytes(t *testing.T) {
	t.Parallel()
	_, client := start(t, signature.Detached)
	l, seen := letter(t, "2512489996"), &digests{client: client}
	l.Intent.Content.Documents, l.Intent.Content.Text = nil, "Du er indkaldt"
	for range 2 {
		l.Attempt = gateway.Attempt{ID: "att_" + uuid.NewString(), StartedAt: time.Now()}
		if o := open(t, seen, nil).Send(t.Context(), l); o.Class != gateway.Accept {
			t.Fatalf("%s, %v", o.Class, o.Err)
		}
	}
	if len(seen.list) != 2 || seen.list[0] != seen.list[1] {
		t.Fatal("the second attempt sends other bytes")
	}
}

// digests keeps what was signed.
type digests struct {
	client *sf1601.Client
	list   [][32]byte
}

func (d *digests) KombiPostAfsend(ctx context.Context, k sf1601.Kombi) (*sf1601.Accepted, error) {
	a, err := d.client.KombiPostAfsend(ctx, k)
	if err == nil {
		d.list = append(d.list, a.Digest)
	}
	return a, err
}

func TestCheckAsksBothHalves(t *testing.T) {
	t.Parallel()
	l := letter(t, "2512489996")
	l.Intent.Content.Documents[0].Filename = "a:b.pdf"
	ps := open(t, nil, prints{problems: []gateway.Problem{
		{Pointer: "/recipient/address", Code: "required", Detail: "A printed letter needs an address."},
		{Pointer: "/content/documents/0/filename", Code: "filename.forbidden", Detail: "Said in other words."},
	}}).Check(t.Context(), l)
	if len(ps) != 2 || ps[0].Pointer != "/content/documents/0/filename" || ps[1].Pointer != "/recipient/address" {
		t.Fatalf("%+v", ps)
	}
	if ps := open(t, nil, nil).Check(t.Context(), letter(t, "2512489996")); len(ps) > 0 {
		t.Fatalf("a good letter is refused: %+v", ps)
	}
}

// prints is a printed half that has something to say.
type prints struct {
	automatic.Forsendelser
	problems []gateway.Problem
}

func (p prints) Check(context.Context, gateway.Letter) []gateway.Problem { return p.problems }

// broken is a printed half that cannot be made.
type broken struct {
	automatic.Forsendelser
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
		o := open(t, r, broken{err: tc.err}).Send(t.Context(), letter(t, "2512489996"))
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
		r := digitalpost.Receipt(nil, nil, &beskedfordeler.Besked{ID: "b", Handling: kind.Handling(), Status: status})
		if r.Kind != want || r.MessageUUID != status.MessageUUID || r.AfsendelseID != status.AfsendelseIdentifikator {
			t.Errorf("%s: %s by %q or %q", kind, r.Kind, r.MessageUUID, r.AfsendelseID)
		}
	}
}
