package fjernprint_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

const pdf = "%PDF-1.4\n%%EOF\n"

func file() xmlstream.Content { return xmlstream.Bytes([]byte(pdf)) }

// letter is an ordinary letter to a person.
func letter() *fjernprint.ForsendelseI {
	return &fjernprint.ForsendelseI{
		AfsendelseIdentifikator: "2b0c1f7e-4c55-4a1e-9d0b-6f3f0a7c9e11", ForsendelseTypeIdentifikator: 4711,
		Modtager: &fjernprint.Modtager{Slutbruger: fjernprint.Person(), Adresse: &fjernprint.KontaktOplysning{
			PersonName: "Nancy Ann Berggren",
			Adresse:    &fjernprint.Adresse{StreetName: "Rådhuspladsen", StreetBuildingIdentifier: "2", PostCodeIdentifier: "8000"},
		}},
		MeddelelseIndholdData: file(),
		Dokument:              fjernprint.DokumentParametre{TitelTekst: "Indkaldelse til jobsamtale & møde"},
	}
}

// full is the official example with everything, as far as this package writes it.
func full() *fjernprint.ForsendelseI {
	day := time.Date(2025, 11, 21, 12, 0, 0, 0, time.UTC)
	return &fjernprint.ForsendelseI{
		AfsendelseIdentifikator: "{2b0c1f7e-4c55-4a1e-9d0b-6f3f0a7c9e11}", ForsendelseTypeIdentifikator: 1,
		Modtager: &fjernprint.Modtager{Slutbruger: fjernprint.Person(), Adresse: &fjernprint.KontaktOplysning{
			PersonName: "Åse Prøvesen", Land: fjernprint.Danmark(),
			Adresse: &fjernprint.Adresse{
				CoNavn: "Øjvind Eksempel", StreetName: "Prøvegade", StreetBuildingIdentifier: "117B", FloorIdentifier: "st",
				SuiteIdentifier: "tv", MailDeliverySublocationIdentifier: "Baghuset", PostCodeIdentifier: "8000",
				DistrictSubdivisionIdentifier: "Prøveby", PostOfficeBoxIdentifier: 9999,
			},
		}},
		MeddelelseIndholdData: file(),
		Transaktion: fjernprint.TransaktionsParametre{
			TransaktionsDatoTid: day, MasseForsendelseIdentifikator: "batch-0001",
			KvitteringsTypeKode: fjernprint.KvitteringKunFejl, KvitteringsEmail: "kvittering@example.org",
		},
		Dokument: fjernprint.DokumentParametre{TitelTekst: "Afgørelse", UUIDIdentifikator: "0f8fad5b-d9cb-469f-a165-70867728950e", BrevDato: day},
		Kanal: fjernprint.KanalParametre{
			EnhedTekst: "Borgerservice", BrugerNavn: "system", KonteringsGruppeTekst: "K-100",
			AfsenderAdresse: &fjernprint.KontaktOplysning{
				PersonName: "Prøve Kommune", Land: fjernprint.Landekode{Scheme: fjernprint.IMK, Kode: "5100"},
				Linjer: &fjernprint.Linjer{
					Linje:              [6]string{"Rådhuset", "Rådhuspladsen 2", "Opgang C", "Postboks 1", "8000 Prøveby", "Danmark"},
					PostCodeIdentifier: "8000",
				},
			},
			PaatrykAfsenderAdresseIndikator: fjernprint.Ja, PaatrykModtagerAdresseIndikator: fjernprint.Ja,
			PaatrykBrevdatoIndikator: fjernprint.Nej, KanalKode: fjernprint.KanalFysiskPost, HasteBrevIndikator: fjernprint.Nej,
		},
		Print: fjernprint.PrintParametre{SimplexDuplexKode: fjernprint.Duplex, FarveSHKode: fjernprint.SH, KuvertTypeKode: fjernprint.C5},
		Post: fjernprint.PostParametre{
			PostKategoriKode: fjernprint.RekommanderetMedModtagerbevis, AllokeringsIdentifikator: 1,
			ReturposthaandteringHosLeverandoerIndikator: fjernprint.Ja, InformationVedAdresseAendringIndikator: fjernprint.Ja, SideKvantitet: 2,
		},
		Bilag: []fjernprint.Bilag{
			{BilagNavn: "Vejledning", Indhold: file()},
			{BilagNavn: "Fast bilag hos leverandør", SorteringsIndeks: 1, Identifikator: "BILAG00001"},
			{BilagNavn: "Bilag via link", SorteringsIndeks: 2, URLreference: "https://example.org/bilag.pdf", SomIndholdData: true},
		},
	}
}

// xml is what is sent.
func xml(t testing.TB, f *fjernprint.ForsendelseI) string {
	t.Helper()
	d, err := f.Document()
	if err != nil {
		t.Fatal(err)
	}
	r := d.Open(context.Background())
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(b)) != d.Size() {
		t.Fatalf("%d bytes, announced %d", len(b), d.Size())
	}
	return string(b)
}

// dice makes random letters and addresses.
type dice struct{ *rand.Rand }

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

// text is 1 to most characters, with a word of at most 12.
func (d dice) text(most int) string {
	letters := []rune("abcdefghijklmnopqrstuvwxyzæøåÆØÅéü&<>\"'-.,0123456789")
	var b strings.Builder
	word := 0
	for range 1 + d.IntN(most) {
		if word++; word > 2+d.IntN(10) {
			b.WriteByte(' ')
			word = 0
			continue
		}
		b.WriteRune(letters[d.IntN(len(letters))])
	}
	return strings.TrimSpace(b.String()) + pick(d, "a", "ø")
}

// address is one the schema takes in one form or the other.
func (d dice) address() fjernprint.Address {
	a := fjernprint.Address{
		Name: d.text(129), CareOf: pick(d, "", "", "C/O "+d.text(50), d.text(20)),
		Street: pick(d, d.text(39), d.text(39), d.text(60)),
		House:  pick(d, "1", "007", "12b", "12 B", "999Z", "1000", "2-4", "", "12Æ", "3 "),
		Floor:  pick(d, "", "st.", "ST", "1. sal", "02", "kl", "kld.", "k2", "K9", "99", "k1", "0", "100"),
		Door:   pick(d, "", "tv.", "TH", "mf", "0012", "1", "t.v.", "D114", "lejl. 7"), City: pick(d, "", d.text(30)),
		Postcode: fmt.Sprintf("%s%04d", pick(d, "", "DK-", "dk "), d.IntN(10000)), Country: pick(d, "", "DK", "dk", "Danmark", "DNK"),
	}
	if d.IntN(5) == 0 {
		a.Country, a.City, a.Postcode = pick(d, "SE", "de", "GBR", "gl"), d.text(20), pick(d, "", "SW1A 2AA", "11455")
		a.CountryName = pick(d, "", "Sverige", "Storbritannien")
	}
	return a
}

// random is a letter the sender rules take.
func (d dice) random(t testing.TB) *fjernprint.ForsendelseI {
	t.Helper()
	f := letter()
	f.AfsendelseIdentifikator = fmt.Sprintf("%08x-0000-4000-8000-%012x", d.Uint32(), d.Int64N(1<<48))
	f.Modtager.Adresse = d.contact(t)
	f.Modtager.Slutbruger = pick(d, fjernprint.Person(), fjernprint.Virksomhed(fmt.Sprintf("%08d", d.IntN(1e8))), fjernprint.Slutbruger{})
	if d.IntN(10) == 0 {
		f.Modtager = nil
	}
	f.FilformatNavn = pick(d, "", "PDF", "pdf")
	f.Dokument = fjernprint.DokumentParametre{TitelTekst: pick(d, "", d.text(300)), UUIDIdentifikator: pick(d, "", "x"), BrevDato: d.time()}
	f.Transaktion = fjernprint.TransaktionsParametre{
		TransaktionsDatoTid: d.time(), MasseForsendelseIdentifikator: pick(d, "", d.text(37)),
		KvitteringsTypeKode: pick(d, "", fjernprint.KvitteringAlle, fjernprint.KvitteringIngen, fjernprint.KvitteringKunFejl),
		KvitteringsEmail:    pick(d, "", "post@testby.example"),
	}
	if d.IntN(2) == 0 {
		f.Kanal = fjernprint.KanalParametre{
			EnhedTekst: pick(d, "", d.text(1999)), BrugerNavn: d.text(1999), KonteringsGruppeTekst: pick(d, "", d.text(1999)),
			PaatrykAfsenderAdresseIndikator: d.flag(), PaatrykModtagerAdresseIndikator: d.flag(), PaatrykBrevdatoIndikator: d.flag(),
			KanalKode: pick(d, "", fjernprint.KanalFysiskPost, fjernprint.KanalDigitalPost), HasteBrevIndikator: d.flag(),
		}
		if d.IntN(2) == 0 {
			f.Kanal.AfsenderAdresse = d.contact(t)
		}
	}
	f.Print = fjernprint.PrintParametre{
		SimplexDuplexKode: pick(d, "", fjernprint.Simplex, fjernprint.Duplex), FarveSHKode: pick(d, "", fjernprint.SH, fjernprint.Farve),
		KuvertTypeKode: pick(d, "", fjernprint.C4, fjernprint.C5, fjernprint.MA),
	}
	f.Post = fjernprint.PostParametre{
		PostKategoriKode: pick(d, "", fjernprint.Prioritaire, fjernprint.Economique, fjernprint.Bulk, fjernprint.Rekommanderet,
			fjernprint.RekommanderetMedModtagerbevis, fjernprint.Forkyndelse),
		AllokeringsIdentifikator: d.Int64N(3), ReturposthaandteringHosLeverandoerIndikator: d.flag(),
		InformationVedAdresseAendringIndikator: d.flag(), SideKvantitet: d.Int64N(3),
	}
	for i := range d.IntN(4) {
		f.Bilag = append(f.Bilag, pick(d,
			fjernprint.Bilag{BilagNavn: d.text(299), SorteringsIndeks: int64(i), Indhold: file()},
			fjernprint.Bilag{BilagNavn: d.text(20), Identifikator: "0123456789"},
			fjernprint.Bilag{BilagNavn: d.text(20), URLreference: "https://testby.example/bilag?a=1&b=2", SomIndholdData: d.IntN(2) == 0},
		))
	}
	return f
}

func (d dice) contact(t testing.TB) *fjernprint.KontaktOplysning {
	t.Helper()
	for {
		placement := pick(d, fjernprint.CityOmitted, fjernprint.CityInSubdivision, fjernprint.CityInLines)
		if k, err := fjernprint.Normalise(d.address(), placement); err == nil {
			return &k
		}
	}
}

func (d dice) flag() fjernprint.Indikator {
	return pick(d, fjernprint.Uangivet, fjernprint.Ja, fjernprint.Nej)
}

func (d dice) time() time.Time {
	return pick(d, time.Time{}, time.Unix(d.Int64N(4e9), 5).In(time.FixedZone("", 7200)))
}
