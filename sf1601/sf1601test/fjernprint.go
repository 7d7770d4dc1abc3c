package sf1601test

import "sync"

// Namespaces of ForsendelseI. [src: FJERNPRINT-XSD]
const (
	nsFjernprint = "urn:oio:fjernprint:1.0.0"
	nsDkal       = "urn:oio:dkal:1.0.0"
	nsAdir       = "urn:oio:adir:dagpenge:2009.07.01"
	nsSagdok     = "urn:oio:sagdok:3.0.0"
	nsITST       = "http://rep.oio.dk/itst.dk/xml/schemas/2006/01/17/"
	nsD03        = "http://rep.oio.dk/ebxml/xml/schemas/dkcc/2003/02/13/"
	nsD0315      = "http://rep.oio.dk/ebxml/xml/schemas/dkcc/2005/03/15/"
	nsD0513      = "http://rep.oio.dk/ebxml/xml/schemas/dkcc/2005/05/13/"
	nsD0519      = "http://rep.oio.dk/ebxml/xml/schemas/dkcc/2005/05/19/"
)

// printClasses is ForsendelseI in the notation of memoClasses. The choices in
// it (CPR or CVR, address form A or B, the content of a Bilag) are sequences of
// optional children here; printReader checks them when the class ends.
//
// Stricter than the schema: FilformatNavn of the letter is PDF in any case, the
// letter is not empty, and a CPR number is the filler of ten zeros.
// [src: FJERNPRINT-XSD ForsendelseI; SP-CLIENTS FilformatNavn, AfsendelseModtager]
const printClasses = `
ForsendelseI: AfsendelseIdentifikator=S38 ForsendelseTypeIdentifikator?=POS ForsendelseModtager? dkal:FilformatNavn=PDF
  dkal:MeddelelseIndholdData=LETTER TransaktionsParametreI? DokumentParametre KanalUafhaengigeParametreI? PrintParametre?
  DigitalPostParametre? PostParametre? BilagSamling?
ForsendelseModtager: dkal:AfsendelseModtager? ModtagerAdresse?
dkal:AfsendelseModtager: adir:CPRnummerIdentifikator?=CPR adir:CVRnummerIdentifikator?=CVR
ModtagerAdresse: ` + kontaktOplysning + `
AfsenderAdresse: ` + kontaktOplysning + `
TransaktionsParametreI: TransaktionsDatoTid?=TIME MasseForsendelseIdentifikator?=S38 KvitteringsTypeKode?=KVITTERING
  KvitteringsEmail?=EMAIL
DokumentParametre: sd:TitelTekst?=TEXT sd:UUIDIdentifikator?=TEXT sd:BrevDato?=DATE MeddelelsesFormatObjekt?=ANY
KanalUafhaengigeParametreI: EnhedTekst?=T2000 BrugerNavn=S2000 KonteringsGruppeTekst?=T2000 ForsendelseAfsender?
  PaatrykAfsenderAdresseIndikator?=BOOL PaatrykModtagerAdresseIndikator?=BOOL PaatrykBrevdatoIndikator?=BOOL
  KanalKode?=KANAL HasteBrevIndikator?=BOOL
ForsendelseAfsender: AfsenderAdresse?
PrintParametre: SimplexDuplexKode?=SIMPLEX FarveSHKode?=FARVE KuvertTypeKode?=KUVERT
DigitalPostParametre: dkal:AfsendelseDatoTid?=TIME dkal:MeddelelseIndholdstypeIdentifikator?=NONNEG
  dkal:MeddelelseSvarTypeNavn?=SVAR dkal:MeddelelseSvarPostkasseIdentifikator?=NONNEG
  dkal:MeddelelseSvarEmneIdentifikator?=NONNEG dkal:MeddelelseFESDmetadata? MedsendDokumentRegistreringIndikator=BOOL
dkal:MeddelelseFESDmetadata: FESDdokumentIdentifikator?=DKALUUID FESDaktoerIdentifikator?=DKALUUID
  FESDsagIdentifikator?=DKALUUID FESDsagsklassifikationIdentifikator?=DKALUUID
PostParametre: PostKategoriKode?=KATEGORI AllokeringsIdentifikator?=POS ReturposthaandteringHosLeverandoerIndikator?=BOOL
  InformationVedAdresseAendringIndikator?=BOOL SideKvantitet?=NONNEG
BilagSamling: Bilag{1-100}
Bilag: BilagNavn=T300 dkal:FilformatNavn=T10 BilagSorteringsIndeksIdentifikator=NONNEG dkal:BilagIdentifikator?=T10
  dkal:VedhaeftningIndholdData?=BASE64 dkal:VedhaeftningIndholdURLreference?=TEXT VedhaeftSomIndholdDataIndikator?=BOOL
`

// kontaktOplysning is KontaktOplysningType: form A, form B, the country. There
// is no element for a city.
const kontaktOplysning = `itst:PersonName=S130 CoNavn?=S130 d0315:StreetName?=S40 d03:StreetBuildingIdentifier?=HOUSE
  d03:FloorIdentifier?=FLOOR d03:SuiteIdentifier?=S4 d03:MailDeliverySublocationIdentifier?=S34
  d0315:PostCodeIdentifier?=POSTCODE d0315:DistrictSubdivisionIdentifier?=S34 d0513:PostOfficeBoxIdentifier?=BOX
  d0519:PostalAddressFirstLineText?=T34 d0519:PostalAddressSecondLineText?=T34 d0519:PostalAddressThirdLineText?=T34
  d0519:PostalAddressFourthLineText?=T34 d0519:PostalAddressFifthLineText?=T34 d0519:PostalAddressSixthLineText?=T34
  d0315:PostCodeIdentifier?=POSTCODE d03:CountryIdentificationCode=COUNTRY`

// printSchema is the compiled table: the class ForsendelseI.
var printSchema = sync.OnceValue(func() *class {
	return compileTable(printClasses, "ForsendelseI", printChecks, map[string]string{
		"": nsFjernprint, "dkal": nsDkal, "adir": nsAdir, "sd": nsSagdok, "itst": nsITST,
		"d03": nsD03, "d0315": nsD0315, "d0513": nsD0513, "d0519": nsD0519,
	})
})
