package print_test

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

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/automatic"
	"github.com/brevdue/brevdue/channels/channeltest"
	printing "github.com/brevdue/brevdue/channels/print"
	"github.com/brevdue/brevdue/channels/print/letterpdf"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/signature"
)

var _ automatic.Forsendelser = (*printing.Channel)(nil)

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

func channel(t testing.TB, cfg printing.Config) *printing.Channel {
	t.Helper()
	c, err := printing.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, mode := range []signature.Mode{signature.Detached, signature.Enveloped} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			channeltest.Run(t, func(t *testing.T) channeltest.Harness { return harness(t, mode) })
		})
	}
}

// harness is the channel over a far end that knows a recipient of Fysisk Post by the last word of the name, since no CPR
// number travels in ForsendelseI.
func harness(t *testing.T, mode signature.Mode) channeltest.Harness {
	t.Helper()
	far, client := start(t, mode)
	var known sync.Map // AfsendelseID by messageUUID, both strings
	endings := map[channeltest.Scenario]string{
		channeltest.Accepts: "9996", channeltest.Refuses: "9992", channeltest.Busy: "9990",
		channeltest.Cuts: "9991", channeltest.Gone: "9996",
	}
	return channeltest.Harness{
		Channel: channel(t, printing.Config{Afsender: client}),
		Letter: func(t *testing.T, s channeltest.Scenario) (gateway.Letter, bool) {
			t.Helper()
			if s == channeltest.Gone {
				far.Close()
			}
			l := withPDF(t, letter(t))
			l.Intent.Recipient.Name = gateway.Private("Nancy Ann Berggren " + endings[s])
			known.Store(l.Message.MessageUUID, l.Message.AfsendelseID)
			return l, true
		},
		Arrived: func(t *testing.T, messageUUID string) (letters, calls int) {
			t.Helper()
			stored, _ := known.Load(messageUUID)
			id, ok := stored.(string)
			if !ok {
				t.Fatal("nobody sent this")
			}
			m, there := far.Shipment(id)
			if !there || !m.Accepted {
				return 0, m.Attempts
			}
			return 1, m.Attempts
		},
		Secrets: []string{"2512489996", "Nancy", "Berggren", "Modtagergade", "Du er indkaldt"},
	}
}

// letter is a letter without documents.
func letter(t testing.TB) gateway.Letter {
	t.Helper()
	id, err := gateway.ParseCPR("2512489996")
	if err != nil {
		t.Fatal(err)
	}
	cvr, err := gateway.ParseCVR("55133018")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	return gateway.Letter{
		Intent: &gateway.Intent{
			ID: "int_1", CreatedAt: time.Date(2026, 11, 20, 23, 30, 0, 0, time.UTC),
			Recipient: gateway.Recipient{ID: id, Name: "Nancy Ann Berggren", Address: gateway.Address{
				Street: "Modtagergade", House: "007b", Floor: "2. sal", Door: "tv.", Postcode: "8000", City: "Aarhus C", Country: "DK",
			}},
			Content: gateway.Content{
				Title: "Indkaldelse til jobsamtale", Text: "Kære Nancy\n\nDu er indkaldt.", CaseID: "2026-0417", CaseSystem: "Fagsystem",
				Actions: []actions.Action{
					actions.NewAftale("Jobsamtale", actions.Reservation{
						Description: "Medbring CV", UUID: uuid.NewString(), Abstract: "Samtale", Location: "Værkmestergade 5", Start: at, End: at.Add(45 * time.Minute),
					}),
					actions.NewTilmelding("Tilmeld dig", "https://testby.example/tilmeld", at),
				},
			},
		},
		Sender: gateway.Sender{Name: "jobcenter", CVR: cvr, Label: "Testby Kommune", Forsendelsestype: 4711},
		Message: gateway.Message{
			ID: "msg_" + uuid.NewString(), MessageUUID: uuid.NewString(), AfsendelseID: uuid.NewString(), TransactionID: uuid.NewString(),
		},
		Attempt: gateway.Attempt{ID: "att_" + uuid.NewString()},
	}
}

var samplePDF = sync.OnceValues(func() ([]byte, error) {
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

// withPDF gives the letter two PDFs.
func withPDF(t testing.TB, l gateway.Letter) gateway.Letter {
	t.Helper()
	pdf, err := samplePDF()
	if err != nil {
		t.Fatal(err)
	}
	return withDocuments(l, pdf, pdf)
}

func withDocuments(l gateway.Letter, files ...[]byte) gateway.Letter {
	for n, b := range files {
		l.Intent.Content.Documents = append(l.Intent.Content.Documents, gateway.Document{
			Filename: fmt.Sprintf("Bilag æøå %d.pdf", n), ContentType: "application/pdf", Size: int64(len(b)),
		})
	}
	l.Open = func(_ context.Context, n int) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(files[n])), nil
	}
	return l
}

// recording keeps the request instead of sending it.
type recording struct{ kombi sf1601.Kombi }

func (r *recording) KombiPostAfsend(_ context.Context, k sf1601.Kombi) (*sf1601.Accepted, error) {
	r.kombi = k
	return &sf1601.Accepted{TransmissionID: "t"}, nil
}

// written is the letter as it would leave.
func written(t *testing.T, f *fjernprint.ForsendelseI) string {
	t.Helper()
	doc, err := f.Document()
	if err != nil {
		t.Fatal(err)
	}
	r := doc.Open(t.Context())
	b, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestALetterWithoutDocumentsIsMadeAndIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	l, r := letter(t), &recording{}
	c := channel(t, printing.Config{Afsender: r})
	if ps := c.Check(t.Context(), l); len(ps) > 0 {
		t.Fatalf("%+v", ps)
	}
	var first string
	for range 2 {
		if o := c.Send(t.Context(), l); o.Class != gateway.Accept || o.TransmissionID != "t" {
			t.Fatalf("%s: %v", o.Class, o.Err)
		}
		got := written(t, r.kombi.Forsendelse)
		if first == "" {
			first = got
		}
		if got != first {
			t.Fatal("two attempts are two letters")
		}
	}
	k := r.kombi
	if k.Valg != sf1601.ValgFysiskPost || k.Message != nil || k.TransactionID != l.Message.TransactionID || k.Reference != l.Attempt.ID {
		t.Errorf("%s, transaction %s, reference %s", k.Valg, k.TransactionID, k.Reference)
	}
	f := k.Forsendelse
	want := fjernprint.Adresse{
		StreetName: "Modtagergade", StreetBuildingIdentifier: "7B", FloorIdentifier: "2", SuiteIdentifier: "tv", PostCodeIdentifier: "8000",
	}
	if f.AfsendelseIdentifikator != l.Message.AfsendelseID || f.ForsendelseTypeIdentifikator != 4711 || *f.Modtager.Adresse.Adresse != want ||
		f.Modtager.Slutbruger != fjernprint.Person() || f.Dokument.TitelTekst != l.Intent.Content.Title {
		t.Errorf("%+v, %+v", f.Modtager.Slutbruger, f.Modtager.Adresse.Adresse)
	}
	if strings.Contains(first, "2512489996") {
		t.Error("the CPR number travels")
	}
	if err := f.Validate(); err != nil {
		t.Error(err)
	}
}

func TestMoreDocumentsAreBilag(t *testing.T) {
	t.Parallel()
	l := withPDF(t, letter(t))
	c := channel(t, printing.Config{})
	if ps := c.Check(t.Context(), l); len(ps) > 0 {
		t.Fatalf("%+v", ps)
	}
	f, err := c.Forsendelse(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Bilag) != 1 || f.Bilag[0].BilagNavn != "Bilag æøå 1.pdf" || f.Bilag[0].SorteringsIndeks != 0 {
		t.Errorf("%+v", f.Bilag)
	}
	if err := errors.Join(f.Validate(), f.CheckContents(t.Context())); err != nil {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	l := letter(t)
	plain := written(t, forsendelse(t, printing.Config{}, l))
	for _, absent := range []string{"PrintParametre", "PostParametre", "KanalUafhaengigeParametreI", "BrevDato"} {
		if strings.Contains(plain, absent) {
			t.Errorf("%s is written though nothing is set", absent)
		}
	}
	all := printing.Options{
		Farve: fjernprint.Farve, Sider: fjernprint.Duplex, Kuvert: fjernprint.C5, Kategori: fjernprint.Prioritaire, Hastebrev: true,
		PaatrykBrevdato: fjernprint.Ja, Returpost: fjernprint.Nej,
	}
	for name, cfg := range map[string]printing.Config{
		"of every letter":     {Options: all},
		"of the sender":       {Options: printing.Options{Farve: fjernprint.SH}, Senders: map[string]printing.Options{"jobcenter": all}},
		"of the letter":       {OptionsFor: func(gateway.Letter, printing.Options) printing.Options { return all }},
		"not of other sender": {Options: all, Senders: map[string]printing.Options{"andre": {}}},
	} {
		got := written(t, forsendelse(t, cfg, l))
		for _, want := range []string{
			"<FarveSHKode>Farve<", "<SimplexDuplexKode>Duplex<", "<KuvertTypeKode>C5<", "<PostKategoriKode>Prioritaire<",
			"<HasteBrevIndikator>true<", "<BrugerNavn>jobcenter<", ">2026-11-21<", "<ReturposthaandteringHosLeverandoerIndikator>false<",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %s is missing", name, want)
			}
		}
	}
	if f := forsendelse(t, printing.Config{WithoutRecipient: true}, l); f.Modtager != nil {
		t.Error("the recipient is told")
	}
	for name, cfg := range map[string]printing.Config{
		"colour":   {Options: printing.Options{Farve: "Blå"}},
		"category": {Senders: map[string]printing.Options{"x": {Kategori: "Hurtig"}}},
		"font":     {PDF: letterpdf.Config{Regular: []byte("x"), Bold: []byte("y")}},
	} {
		if _, err := printing.New(cfg); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func forsendelse(t *testing.T, cfg printing.Config, l gateway.Letter) *fjernprint.ForsendelseI {
	t.Helper()
	f, err := channel(t, cfg).Forsendelse(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestWhatCannotBeMade(t *testing.T) {
	t.Parallel()
	c := channel(t, printing.Config{Afsender: &recording{}})
	l := letter(t)
	l.Intent.Content.Text = "😀"
	if o := c.Send(t.Context(), l); o.Class != gateway.Fail || o.Code != printing.CodeInvalid || strings.Contains(fmt.Sprint(o.Err), "😀") {
		t.Errorf("%+v", o)
	}
	l = letter(t)
	l.Intent.Recipient.Address.Postcode = "80"
	if o := c.Send(t.Context(), l); o.Class != gateway.Fail || o.Code != printing.CodeInvalid {
		t.Errorf("%+v", o)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if o := c.Send(ended, letter(t)); o.Class != gateway.Retry || o.Code != printing.CodeNotMade {
		t.Errorf("%+v", o)
	}
}

func TestACompanyAndAnAddressAbroad(t *testing.T) {
	t.Parallel()
	l := letter(t)
	var err error
	if l.Intent.Recipient.ID, err = gateway.ParseCVR("12345678"); err != nil {
		t.Fatal(err)
	}
	l.Intent.Recipient.Address = gateway.Address{Street: "Unter den Linden", House: "77", Postcode: "10117", City: "Berlin", Country: "DE"}
	c := channel(t, printing.Config{})
	if ps := c.Check(t.Context(), l); len(ps) > 0 {
		t.Fatalf("%+v", ps)
	}
	f, err := c.Forsendelse(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	a := f.Modtager.Adresse
	if f.Modtager.Slutbruger != fjernprint.Virksomhed("12345678") || a.Linjer == nil || a.Land.Kode != "DE" ||
		a.Linjer.Linje[1] != "10117 Berlin" || a.Linjer.Linje[2] != "TYSKLAND" {
		t.Errorf("%+v %+v", f.Modtager.Slutbruger, a.Linjer)
	}
}
