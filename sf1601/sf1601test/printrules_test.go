package sf1601test_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/sf1601/sf1601test"
)

// rule is one way to break ForsendelseI.
type rule struct{ from, to, says string }

// forsendelseRules are the rules of ForsendelseI, each with a letter that
// breaks it.
func forsendelseRules() map[string]rule {
	long := strings.Repeat("æ", 2001)
	const (
		dokument = "</DokumentParametre>"
		kanal    = "<BrugerNavn>brevdue</BrugerNavn>"
		address  = "<d0315:StreetName>Rådhuspladsen</d0315:StreetName><d03:StreetBuildingIdentifier>2</d03:StreetBuildingIdentifier>"
		house    = ">2<"
		last     = "</KanalUafhaengigeParametreI>"
		legacy   = "<DigitalPostParametre>"
		lineNS   = ` xmlns="http://rep.oio.dk/ebxml/xml/schemas/dkcc/2005/05/19/"`
		first    = "<PostalAddressFirstLineText" + lineNS + ">x</PostalAddressFirstLineText>"
	)
	bilag := func(content string) string {
		return last + "<BilagSamling><Bilag><BilagNavn>x</BilagNavn><dkal:FilformatNavn>PDF</dkal:FilformatNavn>" +
			"<BilagSorteringsIndeksIdentifikator>0</BilagSorteringsIndeksIdentifikator>" + content + "</Bilag></BilagSamling>"
	}
	const link, flag = "<dkal:VedhaeftningIndholdURLreference>https://a.b/</dkal:VedhaeftningIndholdURLreference>", "<VedhaeftSomIndholdDataIndikator>true</VedhaeftSomIndholdDataIndikator>"
	return map[string]rule{
		"FilformatNavn":        {">PDF<", ">application/pdf<", "'FilformatNavn' is not PDF"},
		"no DokumentParametre": {"<DokumentParametre><sd:TitelTekst>Indkaldelse</sd:TitelTekst></DokumentParametre>", "", "'DokumentParametre' is missing"},
		"no BrugerNavn":        {kanal, "", "'BrugerNavn' is missing"},
		"no Medsend":           {last, last + legacy + "</DigitalPostParametre>", "'MedsendDokumentRegistreringIndikator' is missing"},
		"no scheme":            {` scheme="iso3166-alpha2"`, "", "scheme"},
		"scheme":               {`iso3166-alpha2`, "ISO", "scheme"},
		"attribute":            {`<ForsendelseI>`, `<ForsendelseI a="b">`, "attribute"},
		"house 117b":           {house, ">117b<", "'StreetBuildingIdentifier' is not"},
		"house 017":            {house, ">017<", "'StreetBuildingIdentifier' is not"},
		"house 1000":           {house, ">1000<", "'StreetBuildingIdentifier' is not"},
		"house Å":              {house, ">2Å<", "'StreetBuildingIdentifier' is not"},
		"floor st.":            {"<d0315:PostCode", "<d03:FloorIdentifier>st.</d03:FloorIdentifier><d0315:PostCode", "'FloorIdentifier' is not"},
		"floor k1":             {"<d0315:PostCode", "<d03:FloorIdentifier>k1</d03:FloorIdentifier><d0315:PostCode", "'FloorIdentifier' is not"},
		"CPR day 61":           {">0000000000<", ">6112489996<", "'CPRnummerIdentifikator' is not the filler"},
		"CPR 31 February":      {">0000000000<", ">3102489996<", "'CPRnummerIdentifikator' is not the filler"},
		"a real CPR":           {">0000000000<", ">2512489996<", "'CPRnummerIdentifikator' is not the filler"},
		"id of 39":             {">ID<", ">" + strings.Repeat("x", 39) + "<", "'AfsendelseIdentifikator' is empty or too long"},
		"DistrictName":         {"<d03:CountryIdent", "<d0315:DistrictName>Aarhus</d0315:DistrictName><d03:CountryIdent", "not known in 'ModtagerAdresse'"},
		"empty BilagSamling":   {last, last + "<BilagSamling/>", "'Bilag' is missing"},
		"101 attachments": {
			last, last + "<BilagSamling>" + strings.Repeat("<Bilag><BilagNavn/><dkal:FilformatNavn/><BilagSorteringsIndeksIdentifikator>0</BilagSorteringsIndeksIdentifikator></Bilag>", 101) + "</BilagSamling>",
			"'Bilag' occurs too often",
		},
		"order":               {"<DokumentParametre>", "<PrintParametre/><DokumentParametre>", "'DokumentParametre'"},
		"order in address":    {"<d0315:PostCodeIdentifier>8000</d0315:PostCodeIdentifier><d03", "<d03:CountryIdentificationCode scheme='imk'>5100</d03:CountryIdentificationCode><d0315:PostCodeIdentifier>8000</d0315:PostCodeIdentifier><d03", "PostCodeIdentifier"},
		"wrong namespace":     {"<sd:TitelTekst>Indkaldelse</sd:TitelTekst>", "<TitelTekst>Indkaldelse</TitelTekst>", "not known in 'DokumentParametre'"},
		"text between":        {"<DokumentParametre>", "<DokumentParametre>x", "text between"},
		"element in a leaf":   {">Indkaldelse<", "><x/>Indkaldelse<", "'TitelTekst' holds an element"},
		"type 0":              {">4711<", ">0<", "'ForsendelseTypeIdentifikator' is not a number from 1"},
		"type text":           {">4711<", ">x<", "'ForsendelseTypeIdentifikator'"},
		"empty letter":        {">JVBERi0xLjQKJSVFT0YK<", "><", "'MeddelelseIndholdData' is empty"},
		"not Base64":          {">JVBERi0xLjQKJSVFT0YK<", ">JVB!<", "'MeddelelseIndholdData' is not Base64"},
		"not a PDF":           {">JVBERi0xLjQKJSVFT0YK<", ">UEsDBCBhIHppcA==<", "'MeddelelseIndholdData' is not a PDF"},
		"name of 131":         {">x</itst:PersonName>", ">" + strings.Repeat("ø", 131) + "</itst:PersonName>", "'PersonName' is empty or too long"},
		"street of 41":        {">Rådhuspladsen<", ">" + strings.Repeat("ø", 41) + "<", "'StreetName' is empty or too long"},
		"no street":           {"<d0315:StreetName>Rådhuspladsen</d0315:StreetName>", "", "'StreetName' is missing"},
		"no house":            {"<d03:StreetBuildingIdentifier>2</d03:StreetBuildingIdentifier>", "", "'StreetBuildingIdentifier' is missing"},
		"no post code":        {"<d0315:PostCodeIdentifier>8000</d0315:PostCodeIdentifier>", "", "'PostCodeIdentifier' is missing"},
		"post code of 3":      {">8000<", ">800<", "'PostCodeIdentifier' is not four digits"},
		"two post codes":      {"<d03:CountryIdent", "<d0315:PostCodeIdentifier>8000</d0315:PostCodeIdentifier><d03:CountryIdent", "'PostCodeIdentifier' occurs too often"},
		"both forms":          {"<d03:CountryIdent", first + "<d03:CountryIdent", "'PostCodeIdentifier' stands at the wrong place"},
		"both forms, one A":   {"<d0315:PostCodeIdentifier>8000</d0315:PostCodeIdentifier>", first, "mixes the two forms"},
		"no first line":       {address + "<d0315:PostCodeIdentifier>8000</d0315:PostCodeIdentifier>", strings.ReplaceAll(first, "First", "Second"), "'PostalAddressFirstLineText' is missing"},
		"line of 35":          {address + "<d0315:PostCodeIdentifier>8000</d0315:PostCodeIdentifier>", strings.Replace(first, ">x<", ">"+strings.Repeat("å", 35)+"<", 1), "'PostalAddressFirstLineText' is too long"},
		"no country":          {`<d03:CountryIdentificationCode scheme="iso3166-alpha2">DK</d03:CountryIdentificationCode>`, "", "'CountryIdentificationCode' is missing"},
		"country":             {">DK<", ">D1<", "'CountryIdentificationCode' is not"},
		"CPR and CVR":         {"</dkal:AfsendelseModtager>", "<adir:CVRnummerIdentifikator>12345678</adir:CVRnummerIdentifikator></dkal:AfsendelseModtager>", "one of a CPR and a CVR"},
		"neither CPR nor CVR": {"<adir:CPRnummerIdentifikator>0000000000</adir:CPRnummerIdentifikator>", "", "one of a CPR and a CVR"},
		"time":                {"<DokumentParametre>", "<TransaktionsParametreI><TransaktionsDatoTid>now</TransaktionsDatoTid></TransaktionsParametreI><DokumentParametre>", "'TransaktionsDatoTid'"},
		"receipts":            {"<DokumentParametre>", "<TransaktionsParametreI><KvitteringsTypeKode>alle</KvitteringsTypeKode></TransaktionsParametreI><DokumentParametre>", "'KvitteringsTypeKode'"},
		"e-mail":              {"<DokumentParametre>", "<TransaktionsParametreI><KvitteringsEmail>x</KvitteringsEmail></TransaktionsParametreI><DokumentParametre>", "'KvitteringsEmail'"},
		"date":                {dokument, "<sd:BrevDato>24-12-2026</sd:BrevDato>" + dokument, "'BrevDato'"},
		"format object":       {dokument, "<MeddelelsesFormatObjekt><a/><b/></MeddelelsesFormatObjekt>" + dokument, "'MeddelelsesFormatObjekt'"},
		"EnhedTekst":          {">Jobcenter<", ">" + long + "<", "'EnhedTekst' is too long"},
		"boolean":             {kanal, kanal + "<HasteBrevIndikator>ja</HasteBrevIndikator>", "'HasteBrevIndikator' is not an xs:boolean"},
		"KanalKode":           {kanal, kanal + "<KanalKode>NemSMS</KanalKode>", "'KanalKode'"},
		"simplex":             {last, last + "<PrintParametre><SimplexDuplexKode>duplex</SimplexDuplexKode></PrintParametre>", "'SimplexDuplexKode'"},
		"colour":              {last, last + "<PrintParametre><FarveSHKode>farve</FarveSHKode></PrintParametre>", "'FarveSHKode'"},
		"envelope":            {last, last + "<PrintParametre><KuvertTypeKode>C6</KuvertTypeKode></PrintParametre>", "'KuvertTypeKode'"},
		"category":            {last, last + "<PostParametre><PostKategoriKode>A</PostKategoriKode></PostParametre>", "'PostKategoriKode'"},
		"pages":               {last, last + "<PostParametre><SideKvantitet>-1</SideKvantitet></PostParametre>", "'SideKvantitet'"},
		"legacy UUID":         {last, last + legacy + "<dkal:MeddelelseFESDmetadata><dkal:FESDsagIdentifikator>X</dkal:FESDsagIdentifikator></dkal:MeddelelseFESDmetadata><MedsendDokumentRegistreringIndikator>true</MedsendDokumentRegistreringIndikator></DigitalPostParametre>", "'FESDsagIdentifikator'"},
		"bilag twice":         {last, bilag("<dkal:BilagIdentifikator>1</dkal:BilagIdentifikator><dkal:VedhaeftningIndholdData>QUJD</dkal:VedhaeftningIndholdData>"), "two ways"},
		"bilag id of 11":      {last, bilag("<dkal:BilagIdentifikator>01234567890</dkal:BilagIdentifikator>"), "'BilagIdentifikator'"},
		"bilag link alone":    {last, bilag(link), "VedhaeftSomIndholdDataIndikator"},
		"bilag flag alone":    {last, bilag(flag), "VedhaeftSomIndholdDataIndikator"},
		"bilag link and file": {last, bilag("<dkal:VedhaeftningIndholdData>QUJD</dkal:VedhaeftningIndholdData>" + link + flag), "two ways"},
	}
}

func TestForsendelseRules(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{Faults: sf1601test.Faults{AfleveretDelay: sf1601test.Duration(time.Hour)}})
	p := newPeer(t, srv)
	for name, c := range forsendelseRules() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := fysiskPost("ID", "x")
			if !strings.Contains(s, c.from) {
				t.Fatalf("the letter has no %q", c.from)
			}
			id := newUUID()
			s = strings.Replace(strings.Replace(s, c.from, c.to, 1), ">ID<", ">"+id+"<", 1)
			if name == "id of 39" {
				id = strings.Repeat("x", 39)
			}
			accepted(t, p.send(s))
			m, ok := srv.Shipment(id)
			if !ok || m.Finding == nil {
				t.Fatalf("no finding in %+v", m)
			}
			if m.Finding.Code != sf1601test.CodeForsendelseInvalid || !strings.Contains(m.Finding.Text, c.says) || !strings.Contains(m.Finding.Text, "lineNumber: ") {
				t.Errorf("finding %+v", *m.Finding)
			}
		})
	}
}

func TestForsendelseTolerates(t *testing.T) {
	t.Parallel()
	srv := start(t, sf1601test.Config{})
	p := newPeer(t, srv)
	cases := map[string]func(string) string{
		"pdf": func(s string) string { return strings.Replace(s, ">PDF<", ">pdf<", 1) },
		"empty params": func(s string) string {
			return strings.Replace(s, "<DokumentParametre>", "<TransaktionsParametreI/><DokumentParametre>", 1)
		},
		"empty document": func(s string) string {
			return strings.Replace(s, "<sd:TitelTekst>Indkaldelse</sd:TitelTekst>", "", 1)
		},
		"no recipient": func(s string) string {
			from, to := strings.Index(s, "<ForsendelseModtager>"), strings.Index(s, "<dkal:FilformatNavn>")
			return s[:from] + s[to:]
		},
		"broken base64 lines": func(s string) string { return strings.Replace(s, "JVBERi0xLjQK", "JVBE\r\nRi0xLj\nQK", 1) },
		"another prefix": func(s string) string {
			return strings.NewReplacer("<dkal:", "<ns2:", "</dkal:", "</ns2:", "xmlns:dkal", "xmlns:ns2", "/ForsendelseISamling", "/ns3:ForsendelseISamling",
				"<ForsendelseISamling", `<ns3:ForsendelseISamling xmlns:ns3="urn:oio:fjernprint:1.0.0"`).Replace(s)
		},
		"bilag without content": func(s string) string {
			return strings.Replace(s, "</ForsendelseI>", "<BilagSamling><Bilag><BilagNavn>x</BilagNavn><dkal:FilformatNavn>PDF</dkal:FilformatNavn><BilagSorteringsIndeksIdentifikator>0</BilagSorteringsIndeksIdentifikator></Bilag></BilagSamling></ForsendelseI>", 1)
		},
		"a message beside": func(s string) string {
			l := letter{}.String()
			from, to := strings.Index(l, "<memo:Message "), strings.Index(l, "</kombi_request>")
			return strings.Replace(s, "<ForsendelseISamling", l[from:to]+"<ForsendelseISamling", 1)
		},
	}
	for _, name := range []string{"forsendelse_min.xml", "forsendelse_max.xml"} {
		official, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "conformance", "fjernprint", name))
		if err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("the official examples are required in CI: %v", err)
			}
			t.Logf("SKIPPED, NOT TESTED: %s is not here: %v", name, err)
			continue
		}
		_, body, _ := strings.Cut(string(official), "?>")
		cases[name] = func(s string) string {
			from, to := strings.Index(s, "<ForsendelseI>"), strings.Index(s, "</ForsendelseISamling>")
			return s[:from] + strings.Replace(strings.Replace(body, "{2b0c1f7e-4c55-4a1e-9d0b-6f3f0a7c9e11}", "ID", 1), "2b0c1f7e-4c55-4a1e-9d0b-6f3f0a7c9e11", "ID", 1) + s[to:]
		}
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := newUUID()
			before := fysiskPost("ID", "x")
			s := change(before)
			if s == before {
				t.Fatal("nothing was changed")
			}
			accepted(t, p.send(strings.Replace(s, ">ID<", ">"+id+"<", 1)))
			if m, ok := srv.Shipment(id); !ok || m.Finding != nil {
				t.Errorf("message %+v, finding %+v", m, m.Finding)
			}
		})
	}
}
