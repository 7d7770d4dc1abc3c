package sf1601_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/sf1601test"
	"github.com/brevdue/brevdue/sf1601/signature"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// paper is a printed letter to the name given.
func paper(t testing.TB, id, name string) *fjernprint.ForsendelseI {
	t.Helper()
	address, err := fjernprint.Normalise(fjernprint.Address{
		Name: name, Street: "Rådhuspladsen", House: "002b", Floor: "st.", Postcode: "8000", City: "Aarhus C",
	}, fjernprint.CityOmitted)
	if err != nil {
		t.Fatal(err)
	}
	f := &fjernprint.ForsendelseI{
		AfsendelseIdentifikator: id, ForsendelseTypeIdentifikator: 4711,
		Modtager:              &fjernprint.Modtager{Slutbruger: fjernprint.Person(), Adresse: &address},
		MeddelelseIndholdData: xmlstream.Bytes([]byte("%PDF-1.7 a letter on paper")),
		Dokument:              fjernprint.DokumentParametre{TitelTekst: "Indkaldelse til jobsamtale på rådhuset"},
		Kanal:                 fjernprint.KanalParametre{BrugerNavn: "brevdue", HasteBrevIndikator: fjernprint.Ja},
		Bilag:                 []fjernprint.Bilag{{BilagNavn: "Vejledning", Indhold: xmlstream.Bytes([]byte("%PDF-1.7 more"))}},
	}
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	return f
}

const shipment = "2b0c1f7e-4c55-4a1e-9d0b-6f3f0a7c9e11"

// printed is a letter for print only, automatic one with both parts.
func printed(t testing.TB) sf1601.Kombi {
	t.Helper()
	return sf1601.Kombi{
		Valg: sf1601.ValgFysiskPost, Forsendelse: paper(t, shipment, "Nancy Ann Berggren"),
		TransactionID: transaction, Reference: "attempt-1",
	}
}

func automatic(t testing.TB) sf1601.Kombi {
	t.Helper()
	k := letter(small())
	k.Valg, k.Forsendelse = sf1601.ValgAutomatisk, paper(t, shipment, "Nancy Ann Berggren")
	return k
}

// parts are the children of the kombi_request that arrived.
func parts(t *testing.T, body []byte) (tags []string, doc *etree.Document) {
	t.Helper()
	doc = etree.NewDocument()
	if err := doc.ReadFromBytes(body); err != nil {
		t.Fatal(err)
	}
	for _, e := range doc.Root().ChildElements() {
		tags = append(tags, "{"+e.NamespaceURI()+"}"+e.Tag)
	}
	return tags, doc
}

const (
	tagValg    = "{}KombiValgKode"
	tagMessage = "{https://DigitalPost.dk/MeMo-1}Message"
	tagSamling = "{urn:oio:fjernprint:1.0.0}ForsendelseISamling"
	tagSign    = "{http://www.w3.org/2000/09/xmldsig#}Signature"
)

// TestThePartsOfARequest looks at what arrives, for every way and every
// signature.
func TestThePartsOfARequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		kombi func(testing.TB) sf1601.Kombi
		want  []string
	}{
		"Fysisk Post":     {printed, []string{tagValg, tagSamling}},
		"Automatisk Valg": {automatic, []string{tagValg, tagMessage, tagSamling}},
	} {
		for _, mode := range []signature.Mode{signature.Detached, signature.TechnicalDocument, signature.Enveloped} {
			t.Run(name+" "+string(mode), func(t *testing.T) {
				t.Parallel()
				f := newFarEnd(t, always(200, yes))
				s := &shelf{}
				c2 := newClient(t, f, func(cfg *sf1601.Config, b *signature.BatcherConfig) { cfg.Signature = mode; b.Keep = s.keep })
				got, err := c2.KombiPostAfsend(t.Context(), c.kombi(t))
				if err != nil {
					t.Fatal(err)
				}
				request := f.requests()[0]
				if got.Digest != sha256.Sum256(request.body) || got.Size != request.length || s.manifests()[0].Entries[0].Digest != got.Digest {
					t.Error("the kept manifest is not over the bytes that arrived")
				}
				want := c.want
				if mode == signature.Enveloped {
					want = append(append([]string(nil), want...), tagSign)
				}
				tags, doc := parts(t, request.body)
				if strings.Join(tags, " ") != strings.Join(want, " ") || doc.FindElement("/kombi_request/KombiValgKode").Text() != name {
					t.Errorf("parts %v, want %v", tags, want)
				}
				if n := len(doc.FindElements("/kombi_request/ForsendelseISamling/ForsendelseI")); n != 1 {
					t.Errorf("%d ForsendelseI", n)
				}
				technical := doc.FindElement("//TechnicalDocument") != nil
				if technical != (mode == signature.TechnicalDocument && name == "Automatisk Valg") {
					t.Errorf("a technical document: %v", technical)
				}
				if mode == signature.Enveloped {
					xmlsec1(t, request.body)
				}
				fitsSchema(t, doc)
			})
		}
	}
}

// TestAnEnvelopedSignatureIsOverBothParts spoils one part at a time.
func TestAnEnvelopedSignatureIsOverBothParts(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	c := newClient(t, f, func(cfg *sf1601.Config, _ *signature.BatcherConfig) { cfg.Signature = signature.Enveloped })
	if _, err := c.KombiPostAfsend(t.Context(), automatic(t)); err != nil {
		t.Fatal(err)
	}
	body := f.requests()[0].body
	xmlsec1(t, body)
	for _, spoil := range [][2]string{{">Testby Kommune<", ">Andeby Kommune<"}, {">8000<", ">8200<"}, {">Automatisk Valg<", ">Fysisk Post<"}} {
		spoiled := bytes.Replace(body, []byte(spoil[0]), []byte(spoil[1]), 1)
		if bytes.Equal(spoiled, body) {
			t.Fatalf("no %s", spoil[0])
		}
		if _, err := verifyXMLSec1(t, spoiled); err == nil {
			t.Errorf("xmlsec1 takes a request with %s", spoil[1])
		}
	}
}

// fitsSchema cuts the ForsendelseI out and asks the official schema.
func fitsSchema(t *testing.T, doc *etree.Document) {
	t.Helper()
	base := filepath.Join("..", "..", "shared", "conformance")
	_, errScript := os.Stat(filepath.Join(base, "validate-forsendelse.sh"))
	_, errProgram := exec.LookPath("xmllint")
	if errScript != nil || errProgram != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("required in CI: %v, %v", errScript, errProgram)
		}
		t.Skipf("SKIPPED, NOT TESTED: the official schema: %v, %v", errScript, errProgram)
	}
	el := doc.FindElement("/kombi_request/ForsendelseISamling/ForsendelseI").Copy()
	el.CreateAttr("xmlns", fjernprint.Namespace) // inherited from ForsendelseISamling
	text, err := etree.NewDocumentWithRoot(el).WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "forsendelse.xml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "sh", filepath.Join(base, "validate-forsendelse.sh"), filepath.Join(base, "fjernprint-xsd"), path).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, out, text)
	}
}

func TestPartsThatDoNotBelong(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	c := newClient(t, f)
	sms := func(body *memo.MessageBody) sf1601.Kombi {
		k := letter()
		k.Valg, k.Message.Header.MessageType, k.Message.Header.Notification, k.Message.Body = sf1601.ValgNemSMS, memo.NemSMS, "Husk din samtale", body
		return k
	}
	withPaper := func(k sf1601.Kombi) sf1601.Kombi { k.Forsendelse = paper(t, shipment, "Nancy"); return k }
	for name, c2 := range map[string]struct {
		kombi sf1601.Kombi
		code  string
	}{
		"Digital Post with paper": {withPaper(letter(small())), sf1601.CodeInvalid},
		"NemSMS with paper":       {withPaper(sms(nil)), sf1601.CodeInvalid},
		"NemSMS with a body":      {sms(letter(small()).Message.Body), sf1601.CodeInvalid},
		"Fysisk Post with a MeMo": {func() sf1601.Kombi { k := automatic(t); k.Valg = sf1601.ValgFysiskPost; return k }(), sf1601.CodeInvalid},
		"Fysisk Post, no paper":   {func() sf1601.Kombi { k := printed(t); k.Forsendelse = nil; return k }(), sf1601.CodeInvalid},
		"automatic, no paper":     {func() sf1601.Kombi { k := automatic(t); k.Forsendelse = nil; return k }(), sf1601.CodeInvalid},
		"automatic, no MeMo":      {func() sf1601.Kombi { k := automatic(t); k.Message = nil; return k }(), sf1601.CodeInvalid},
		"paper without a file":    {func() sf1601.Kombi { k := printed(t); k.Forsendelse.MeddelelseIndholdData = nil; return k }(), sf1601.CodeInvalid},
		"both too large": {func() sf1601.Kombi {
			k := automatic(t)
			k.Message.Body.MainDocument.Files = []memo.File{pdf("a.pdf", zeros{size: 40_000_000})}
			k.Forsendelse.MeddelelseIndholdData = zeros{size: 40_000_000}
			return k
		}(), sf1601.CodeTooLarge},
	} {
		e := asError(t, second(c.KombiPostAfsend(t.Context(), c2.kombi)))
		if e.Class != sf1601.Rejected || e.Code != c2.code {
			t.Errorf("%s: %+v", name, e)
		}
	}
	if len(f.requests()) != 0 {
		t.Error("something was sent")
	}
	if _, err := c.KombiPostAfsend(t.Context(), sms(nil)); err != nil {
		t.Fatal(err)
	}
	if _, doc := parts(t, f.requests()[0].body); doc.FindElement("//MessageBody") != nil || doc.FindElement("//notification") == nil {
		t.Error("a NemSMS has its text in notification, and no body")
	}
}

// The strict far end takes what the client writes, in every mode, and prints it.
func TestTheStrictFarEndPrints(t *testing.T) {
	t.Parallel()
	for _, mode := range []signature.Mode{signature.Detached, signature.TechnicalDocument, signature.Enveloped} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			c, srv, _ := strictClient(t, mode)
			for i, want := range []struct{ valg, recipient, channel string }{
				{"Fysisk Post", cpr, "Fysisk Post"},
				{"Automatisk Valg", cpr, "Digital Post"},
				{"Automatisk Valg", "2512489995", "Fysisk Post"},
			} {
				k := to(want.recipient, i+1, small())
				id := fmt.Sprintf("2b0c1f7e-4c55-4a1e-9d0b-%012d", i)
				k.Valg, k.Forsendelse = sf1601.KombiValg(want.valg), paper(t, id, "Nancy Ann Berggren")
				if k.Valg == sf1601.ValgFysiskPost {
					k.Message = nil
				}
				for range 2 { // the same letter again is the same letter
					if _, err := c.KombiPostAfsend(t.Context(), k); err != nil {
						t.Fatalf("%s: %v (%s)", want.valg, err, asError(t, err).Text)
					}
				}
				m, ok := srv.Shipment(id)
				if !ok || m.Finding != nil || m.Channel != want.channel || m.Attempts != 2 {
					t.Errorf("%s to %s: %+v, finding %+v", want.valg, want.recipient[6:], m, m.Finding)
				}
			}
			st := srv.Stats()
			if st.Letters != 3 || st.TwoIdentities != 0 || st.Channels[sf1601test.ChannelFysiskPost] != 2 || st.Duplicates != 3 {
				t.Errorf("stats %+v", st)
			}
		})
	}
}

// TestALargePrintIsStreamed sends a letter and its attachments, 60 MB, and
// counts what is allocated.
//
//nolint:paralleltest // the count is the whole process's
func TestALargePrintIsStreamed(t *testing.T) {
	f := newFarEnd(t, nil)
	var arrived atomic.Int64
	f.raw = func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			t.Error(err)
		}
		arrived.Store(n)
		_, _ = io.WriteString(w, yes)
	}
	c := newClient(t, f)
	k := automatic(t)
	k.Message.Body.MainDocument.Files = []memo.File{pdf("a.pdf", zeros{size: 20_000_000})}
	k.Forsendelse.MeddelelseIndholdData, k.Forsendelse.Bilag[0].Indhold = zeros{size: 20_000_000}, zeros{size: 20_000_000}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	got, err := c.KombiPostAfsend(t.Context(), k)
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if got.Size != arrived.Load() || got.Size < 80_000_000 {
		t.Errorf("%d bytes sent, %d arrived", got.Size, arrived.Load())
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 24<<20 {
		t.Errorf("%d MB were allocated while sending", grown>>20)
	}
}

// A file that changes between signing and sending never arrives whole.
func TestAChangedPrintNeverArrivesWhole(t *testing.T) {
	t.Parallel()
	f := newFarEnd(t, always(200, yes))
	c := newClient(t, f)
	k := printed(t)
	k.Forsendelse.MeddelelseIndholdData = zeros{size: 200_000, opened: &atomic.Int64{}, change: 2}
	e := asError(t, second(c.KombiPostAfsend(t.Context(), k)))
	if e.Class != sf1601.Temporary || e.Code != sf1601.CodeDigestMismatch {
		t.Errorf("%+v", e)
	}
}
