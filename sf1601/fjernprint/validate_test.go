package fjernprint_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

func findings(t *testing.T, err error) []fjernprint.Finding {
	t.Helper()
	if err == nil {
		return nil
	}
	invalid, ok := errors.AsType[*fjernprint.Invalid](err)
	if !ok {
		t.Fatalf("%v is not *Invalid", err)
	}
	return invalid.Findings
}

// The mutants a schema validator was tried with. Each is refused by Validate at its place, and by the schema where it can
// be written at all.
func TestMutants(t *testing.T) {
	t.Parallel()
	form := func(f *fjernprint.ForsendelseI) *fjernprint.Adresse { return f.Modtager.Adresse.Adresse }
	for name, m := range map[string]struct {
		mutate func(*fjernprint.ForsendelseI)
		path   string
		rule   fjernprint.Rule
	}{
		"FilformatNavn application/pdf": {func(f *fjernprint.ForsendelseI) { f.FilformatNavn = "application/pdf" }, "FilformatNavn", fjernprint.RuleFormat},
		"no BrugerNavn": {
			func(f *fjernprint.ForsendelseI) { f.Kanal.BrugerNavn = "" }, "KanalUafhaengigeParametreI/BrugerNavn", fjernprint.RuleRequired,
		},
		"no scheme": {
			func(f *fjernprint.ForsendelseI) { f.Modtager.Adresse.Land.Scheme = "" },
			"ForsendelseModtager/ModtagerAdresse/CountryIdentificationCode/scheme", fjernprint.RuleCode,
		},
		"house 117b":    {func(f *fjernprint.ForsendelseI) { form(f).StreetBuildingIdentifier = "117b" }, housePath, fjernprint.RuleHouse},
		"house 017":     {func(f *fjernprint.ForsendelseI) { form(f).StreetBuildingIdentifier = "017" }, housePath, fjernprint.RuleHouse},
		"house 1000":    {func(f *fjernprint.ForsendelseI) { form(f).StreetBuildingIdentifier = "1000" }, housePath, fjernprint.RuleHouse},
		"floor st.":     {func(f *fjernprint.ForsendelseI) { form(f).FloorIdentifier = "st." }, floorPath, fjernprint.RuleFloor},
		"floor k1":      {func(f *fjernprint.ForsendelseI) { form(f).FloorIdentifier = "k1" }, floorPath, fjernprint.RuleFloor},
		"CPR day 61":    {func(f *fjernprint.ForsendelseI) { f.Modtager.Slutbruger.CPR = "6112489996" }, cprPath, fjernprint.RuleForbidden},
		"CPR 31 Feb":    {func(f *fjernprint.ForsendelseI) { f.Modtager.Slutbruger.CPR = "3102489996" }, cprPath, fjernprint.RuleForbidden},
		"id of 39":      {func(f *fjernprint.ForsendelseI) { f.AfsendelseIdentifikator = strings.Repeat("x", 39) }, "AfsendelseIdentifikator", fjernprint.RuleLength},
		"no id":         {func(f *fjernprint.ForsendelseI) { f.AfsendelseIdentifikator = "" }, "AfsendelseIdentifikator", fjernprint.RuleRequired},
		"street of 41":  {func(f *fjernprint.ForsendelseI) { form(f).StreetName = strings.Repeat("ø", 41) }, addressPath + "StreetName", fjernprint.RuleLength},
		"name of 131":   {func(f *fjernprint.ForsendelseI) { f.Modtager.Adresse.PersonName = strings.Repeat("ø", 131) }, addressPath + "PersonName", fjernprint.RuleLength},
		"post code 800": {func(f *fjernprint.ForsendelseI) { form(f).PostCodeIdentifier = "800" }, addressPath + "PostCodeIdentifier", fjernprint.RulePostcode},
		"box 10000":     {func(f *fjernprint.ForsendelseI) { form(f).PostOfficeBoxIdentifier = 10000 }, addressPath + "PostOfficeBoxIdentifier", fjernprint.RuleNumber},
		"suite of 5":    {func(f *fjernprint.ForsendelseI) { form(f).SuiteIdentifier = "midtf" }, addressPath + "SuiteIdentifier", fjernprint.RuleLength},
		"line of 35": {
			func(f *fjernprint.ForsendelseI) { f.Kanal.AfsenderAdresse.Linjer.Linje[3] = strings.Repeat("å", 35) },
			"KanalUafhaengigeParametreI/ForsendelseAfsender/AfsenderAdresse/PostalAddressFourthLineText", fjernprint.RuleLength,
		},
		"country D1":      {func(f *fjernprint.ForsendelseI) { f.Modtager.Adresse.Land.Kode = "D1" }, addressPath + "CountryIdentificationCode", fjernprint.RuleCountry},
		"simplex":         {func(f *fjernprint.ForsendelseI) { f.Print.SimplexDuplexKode = "duplex" }, "PrintParametre/SimplexDuplexKode", fjernprint.RuleCode},
		"farve":           {func(f *fjernprint.ForsendelseI) { f.Print.FarveSHKode = "sh" }, "PrintParametre/FarveSHKode", fjernprint.RuleCode},
		"kuvert":          {func(f *fjernprint.ForsendelseI) { f.Print.KuvertTypeKode = "C6" }, "PrintParametre/KuvertTypeKode", fjernprint.RuleCode},
		"kategori":        {func(f *fjernprint.ForsendelseI) { f.Post.PostKategoriKode = "A" }, "PostParametre/PostKategoriKode", fjernprint.RuleCode},
		"kanal":           {func(f *fjernprint.ForsendelseI) { f.Kanal.KanalKode = "NemSMS" }, "KanalUafhaengigeParametreI/KanalKode", fjernprint.RuleCode},
		"kvittering":      {func(f *fjernprint.ForsendelseI) { f.Transaktion.KvitteringsTypeKode = "alle" }, "TransaktionsParametreI/KvitteringsTypeKode", fjernprint.RuleCode},
		"e-mail":          {func(f *fjernprint.ForsendelseI) { f.Transaktion.KvitteringsEmail = "a b@c" }, "TransaktionsParametreI/KvitteringsEmail", fjernprint.RuleEmail},
		"allokering":      {func(f *fjernprint.ForsendelseI) { f.Post.AllokeringsIdentifikator = -1 }, "PostParametre/AllokeringsIdentifikator", fjernprint.RuleNumber},
		"pages":           {func(f *fjernprint.ForsendelseI) { f.Post.SideKvantitet = -1 }, "PostParametre/SideKvantitet", fjernprint.RuleNumber},
		"type":            {func(f *fjernprint.ForsendelseI) { f.ForsendelseTypeIdentifikator = -1 }, "ForsendelseTypeIdentifikator", fjernprint.RuleNumber},
		"bilag 301":       {func(f *fjernprint.ForsendelseI) { f.Bilag[2].BilagNavn = strings.Repeat("x", 301) }, "BilagSamling/Bilag[3]/BilagNavn", fjernprint.RuleLength},
		"bilag id of 11":  {func(f *fjernprint.ForsendelseI) { f.Bilag[1].Identifikator = strings.Repeat("x", 11) }, "BilagSamling/Bilag[2]/BilagIdentifikator", fjernprint.RuleLength},
		"bilag index":     {func(f *fjernprint.ForsendelseI) { f.Bilag[0].SorteringsIndeks = -1 }, "BilagSamling/Bilag[1]/BilagSorteringsIndeksIdentifikator", fjernprint.RuleNumber},
		"101 attachments": {func(f *fjernprint.ForsendelseI) { f.Bilag = slices.Repeat(f.Bilag[:1], 101) }, "BilagSamling", fjernprint.RuleCount},
		"CVR of 7": {
			func(f *fjernprint.ForsendelseI) { f.Modtager.Slutbruger = fjernprint.Virksomhed("1234567") },
			"ForsendelseModtager/AfsendelseModtager/CVRnummerIdentifikator", fjernprint.RuleNumber,
		},
		"CPR and CVR": {
			func(f *fjernprint.ForsendelseI) { f.Modtager.Slutbruger.CVR = "12345678" }, "ForsendelseModtager/AfsendelseModtager", fjernprint.RuleForbidden,
		},
		"both forms": {
			func(f *fjernprint.ForsendelseI) {
				f.Modtager.Adresse.Linjer = &fjernprint.Linjer{Linje: [6]string{"x"}}
			},
			"ForsendelseModtager/ModtagerAdresse", fjernprint.RuleOneForm,
		},
		"neither form": {
			func(f *fjernprint.ForsendelseI) { f.Modtager.Adresse.Adresse = nil }, "ForsendelseModtager/ModtagerAdresse", fjernprint.RuleOneForm,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := full()
			if err := f.Validate(); err != nil {
				t.Fatalf("the original: %v", err)
			}
			m.mutate(f)
			got := findings(t, f.Validate())
			if len(got) != 1 || got[0].Path != m.path || got[0].Rule != m.rule || got[0].Detail == "" {
				t.Errorf("findings %+v, want %s (%s)", got, m.path, m.rule)
			}
			if out, err := schema(t, xml(t, f)); err == nil {
				t.Errorf("the schema takes it:\n%s", out)
			}
		})
	}
}

const (
	addressPath = "ForsendelseModtager/ModtagerAdresse/"
	housePath   = addressPath + "StreetBuildingIdentifier"
	floorPath   = addressPath + "FloorIdentifier"
	cprPath     = "ForsendelseModtager/AfsendelseModtager/CPRnummerIdentifikator"
)

// The mutants of structure cannot be said with this model.
func TestMutantsThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	f := letter()
	f.Dokument, f.Bilag = fjernprint.DokumentParametre{}, []fjernprint.Bilag{}
	f.Modtager = &fjernprint.Modtager{}
	got := xml(t, f)
	if !strings.Contains(got, "<DokumentParametre></DokumentParametre>") {
		t.Error("DokumentParametre is left out")
	}
	for _, name := range []string{
		"BilagSamling", "DigitalPostParametre", "DistrictName", "MeddelelsesFormatObjekt",
		"ForsendelseModtager", "TransaktionsParametreI", "KanalUafhaengigeParametreI", "PrintParametre", "PostParametre",
	} {
		if strings.Contains(got, name) {
			t.Errorf("%s is written", name)
		}
	}
	if out, err := schema(t, got); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// What the schema takes and a sender must not do.
func TestStricterThanTheSchema(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]struct {
		mutate func(*fjernprint.ForsendelseI)
		path   string
		rule   fjernprint.Rule
	}{
		"no type":      {func(f *fjernprint.ForsendelseI) { f.ForsendelseTypeIdentifikator = 0 }, "ForsendelseTypeIdentifikator", fjernprint.RuleRequired},
		"empty letter": {func(f *fjernprint.ForsendelseI) { f.MeddelelseIndholdData = xmlstream.Bytes(nil) }, "MeddelelseIndholdData", fjernprint.RuleRequired},
		"TXT":          {func(f *fjernprint.ForsendelseI) { f.FilformatNavn = "TXT" }, "FilformatNavn", fjernprint.RuleFormat},
		"a real CPR":   {func(f *fjernprint.ForsendelseI) { f.Modtager.Slutbruger.CPR = "2512489996" }, cprPath, fjernprint.RuleForbidden},
		"blank name":   {func(f *fjernprint.ForsendelseI) { f.Modtager.Adresse.PersonName = " " }, addressPath + "PersonName", fjernprint.RuleRequired},
		"CVR letters":  {func(f *fjernprint.ForsendelseI) { f.Modtager.Slutbruger = fjernprint.Virksomhed("1234567x") }, "ForsendelseModtager/AfsendelseModtager/CVRnummerIdentifikator", fjernprint.RuleNumber},
		"one byte over": {func(f *fjernprint.ForsendelseI) {
			f.MeddelelseIndholdData = large(fjernprint.MaxContent - int64(len(pdf)) + 1)
		}, "", fjernprint.RuleSize},
		"line break":    {func(f *fjernprint.ForsendelseI) { f.Modtager.Adresse.PersonName = "a\nb" }, addressPath + "PersonName", fjernprint.RuleCharacter},
		"tab in a line": {func(f *fjernprint.ForsendelseI) { f.Kanal.AfsenderAdresse.Linjer.Linje[0] = "a\tb" }, "KanalUafhaengigeParametreI/ForsendelseAfsender/AfsenderAdresse/PostalAddressFirstLineText", fjernprint.RuleCharacter},
		"relative link": {func(f *fjernprint.ForsendelseI) { f.Bilag[2].URLreference = "bilag.pdf" }, "BilagSamling/Bilag[3]/VedhaeftningIndholdURLreference", fjernprint.RuleURL},
		"two contents":  {func(f *fjernprint.ForsendelseI) { f.Bilag[1].Indhold = file() }, "BilagSamling/Bilag[2]", fjernprint.RuleOneWay},
		"no local part": {func(f *fjernprint.ForsendelseI) { f.Transaktion.KvitteringsEmail = "@testby.example" }, "TransaktionsParametreI/KvitteringsEmail", fjernprint.RuleEmail},
		"year 10000":    {func(f *fjernprint.ForsendelseI) { f.Dokument.BrevDato = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "DokumentParametre/BrevDato", fjernprint.RuleDate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := full()
			m.mutate(f)
			if got := findings(t, f.Validate()); len(got) != 1 || got[0].Path != m.path || got[0].Rule != m.rule {
				t.Errorf("findings %+v, want %s (%s)", got, m.path, m.rule)
			}
		})
	}
	f := full()
	f.MeddelelseIndholdData = large(fjernprint.MaxContent - int64(len(pdf)))
	if err := f.Validate(); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
	if err := f.ValidateWithin(1000); err == nil {
		t.Error("a limit of 1000 bytes is not kept")
	}
	f.MeddelelseIndholdData, f.Bilag = nil, []fjernprint.Bilag{{BilagNavn: "x"}}
	if got := findings(t, f.Validate()); len(got) != 2 {
		t.Errorf("no contents at all: %+v", got)
	}
}

func TestBadCharactersAreFoundNotSent(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"a\x00b", "a\xffb", "a\x1bb", "a\uFFFEb", "a\rb"} {
		f := letter()
		f.Dokument.TitelTekst, f.Modtager.Adresse.PersonName = bad, bad
		got := findings(t, f.Validate())
		if len(got) != 2 || got[0].Rule != fjernprint.RuleCharacter || got[1].Rule != fjernprint.RuleCharacter {
			t.Errorf("%q: %+v", bad, got)
		}
		if strings.Contains(f.Validate().Error(), bad) {
			t.Errorf("%q is in the error text", bad)
		}
	}
}

// broken is a file that cannot be read.
type broken struct{ open bool }

var errDisk = errors.New("disk error")

func (broken) Size() int64 { return 10 }
func (b broken) Open(context.Context) (io.ReadCloser, error) {
	if b.open {
		return nil, errDisk
	}
	return io.NopCloser(failing{}), nil
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errDisk }

func TestCheckContents(t *testing.T) {
	t.Parallel()
	f := full()
	if err := f.CheckContents(t.Context()); err != nil {
		t.Errorf("PDF files: %v", err)
	}
	f.MeddelelseIndholdData, f.Bilag[0].Indhold = xmlstream.Bytes([]byte("PK\x03\x04 a zip")), xmlstream.Bytes([]byte("%P"))
	got := findings(t, f.CheckContents(t.Context()))
	if len(got) != 2 || got[0].Path != "MeddelelseIndholdData" || got[1].Path != "BilagSamling/Bilag[1]/VedhaeftningIndholdData" {
		t.Errorf("findings %+v", got)
	}
	for _, open := range []bool{true, false} {
		f.Bilag[0].Indhold = broken{open}
		if err := f.CheckContents(t.Context()); !errors.Is(err, errDisk) {
			t.Errorf("a file that cannot be read: %v", err)
		}
	}
}
