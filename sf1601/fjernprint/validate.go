package fjernprint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// MaxContent is the most raw bytes the files of one letter may have together: 7 MiB, a public client's limit for its one
// PDF. Whether attachments count is not published, so they do here. [src: SP-CLIENTS OpenPostbud]
const MaxContent = 7 << 20

// maxBilag is the most attachments. [src: FJERNPRINT-XSD BilagSamling]
const maxBilag = 100

// Validate checks the sender rules and returns *Invalid with every finding, or nil. Files are not opened, see
// CheckContents; together they may have MaxContent bytes.
//
// It is stricter than the schema where a receiver would be left with nothing: a ForsendelseTypeIdentifikator is demanded,
// files are not empty and are PDF, an attachment has exactly one content, and a CPR number is CPRUkendt.
func (f *ForsendelseI) Validate() error { return f.ValidateWithin(MaxContent) }

// ValidateWithin is Validate with another limit for the raw bytes of all files together, as a supplier may have.
func (f *ForsendelseI) ValidateWithin(maxContent int64) error {
	var c checker
	c.required("AfsendelseIdentifikator", f.AfsendelseIdentifikator, 38)
	if f.ForsendelseTypeIdentifikator == 0 {
		c.add("ForsendelseTypeIdentifikator", RuleRequired, "The print profile agreed with the supplier is missing.")
	} else {
		c.number("ForsendelseTypeIdentifikator", f.ForsendelseTypeIdentifikator, 1)
	}
	if f.Modtager != nil {
		f.Modtager.check(&c)
	}
	c.format("FilformatNavn", f.FilformatNavn)
	c.content("MeddelelseIndholdData", f.MeddelelseIndholdData)
	f.Transaktion.check(&c)
	f.Dokument.check(&c)
	f.Kanal.check(&c)
	f.Print.check(&c)
	f.Post.check(&c)
	if len(f.Bilag) > maxBilag {
		c.add("BilagSamling", RuleCount, fmt.Sprintf("There are more than %d attachments.", maxBilag))
	}
	for i := range f.Bilag {
		f.Bilag[i].check(&c, bilagPath(i))
	}
	if f.ContentSize() > maxContent {
		c.add("", RuleSize, fmt.Sprintf("The files have more than %d bytes together.", maxContent))
	}
	return c.invalid()
}

func bilagPath(i int) string { return "BilagSamling/Bilag[" + strconv.Itoa(i+1) + "]" }

// ContentSize is the raw bytes of all files together.
func (f *ForsendelseI) ContentSize() int64 {
	var sum int64
	f.files(func(_ string, c xmlstream.Content) {
		if n := c.Size(); n > 0 {
			sum = min(sum, math.MaxInt64-n) + n
		}
	})
	return sum
}

// files visits every file there is.
func (f *ForsendelseI) files(visit func(path string, c xmlstream.Content)) {
	if f.MeddelelseIndholdData != nil {
		visit("MeddelelseIndholdData", f.MeddelelseIndholdData)
	}
	for i := range f.Bilag {
		if f.Bilag[i].Indhold != nil {
			visit(bilagPath(i)+"/VedhaeftningIndholdData", f.Bilag[i].Indhold)
		}
	}
}

// CheckContents reads the first bytes of every file: all are PDF. The error is *Invalid, or that of a file that could not
// be read.
func (f *ForsendelseI) CheckContents(ctx context.Context) error {
	var c checker
	var failed error
	f.files(func(path string, content xmlstream.Content) {
		pdf, err := isPDF(ctx, content)
		switch {
		case failed != nil:
		case err != nil:
			failed = fmt.Errorf("fjernprint: %s: %w", path, err)
		case !pdf:
			c.add(path, RuleFormat, "The file does not begin as a PDF does.")
		}
	})
	if failed != nil {
		return failed
	}
	return c.invalid()
}

func isPDF(ctx context.Context, content xmlstream.Content) (bool, error) {
	r, err := content.Open(ctx)
	if err != nil {
		return false, err
	}
	defer func() { _ = r.Close() }()
	head := make([]byte, len("%PDF-"))
	if _, err := io.ReadFull(r, head); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return bytes.Equal(head, []byte("%PDF-")), nil
}

func (c *checker) format(path, name string) {
	if name != "" && !strings.EqualFold(name, FormatPDF) {
		c.add(path, RuleFormat, "Only PDF is printed.")
	}
}

func (c *checker) content(path string, content xmlstream.Content) {
	if content == nil || content.Size() <= 0 {
		c.add(path, RuleRequired, "The file is missing or empty.")
	}
}

func (m *Modtager) check(c *checker) {
	const path = "ForsendelseModtager/AfsendelseModtager"
	s := m.Slutbruger
	switch {
	case s.CPR != "" && s.CVR != "":
		c.add(path, RuleForbidden, "There are both a CPR and a CVR number.")
	case s.CPR != "" && s.CPR != CPRUkendt:
		c.add(path+"/CPRnummerIdentifikator", RuleForbidden, "A CPR number is never told here: ten zeros stand for it.")
	case s.CVR != "":
		c.shape(path+"/CVRnummerIdentifikator", s.CVR, cvrShape, RuleNumber, "A CVR number has eight digits.")
	}
	if m.Adresse != nil {
		m.Adresse.check(c, "ForsendelseModtager/ModtagerAdresse")
	}
}

func (k *KontaktOplysning) check(c *checker, path string) {
	c.required(path+"/PersonName", k.PersonName, 130)
	if (k.Adresse == nil) == (k.Linjer == nil) {
		c.add(path, RuleOneForm, "An address has one of the two forms.")
	}
	if k.Adresse != nil {
		k.Adresse.check(c, path)
	}
	if k.Linjer != nil {
		k.Linjer.check(c, path)
	}
	if k.Land == (Landekode{}) {
		return
	}
	shape := landShapes[k.Land.Scheme]
	if shape == nil {
		c.add(path+"/CountryIdentificationCode/scheme", RuleCode, "The scheme is missing or not one of the enumeration.")
	} else {
		c.shape(path+"/CountryIdentificationCode", k.Land.Kode, shape, RuleCountry, "The country is not a code of its scheme.")
	}
}

// filled checks an optional text for which an all-blank value is none.
func (c *checker) filled(path, value string, limit int) {
	if value != "" {
		c.required(path, value, limit)
	}
}

func (a *Adresse) check(c *checker, path string) {
	c.filled(path+"/CoNavn", a.CoNavn, 130)
	c.required(path+"/StreetName", a.StreetName, 40)
	c.shape(path+"/StreetBuildingIdentifier", a.StreetBuildingIdentifier, houseShape, RuleHouse,
		"A house number is 1 to 999 without leading zero, and a capital letter A to Z or none.")
	if a.FloorIdentifier != "" {
		c.shape(path+"/FloorIdentifier", a.FloorIdentifier, floorShape, RuleFloor, "A floor is 1 to 99, st, kl or k2 to k9.")
	}
	c.filled(path+"/SuiteIdentifier", a.SuiteIdentifier, 4)
	c.filled(path+"/MailDeliverySublocationIdentifier", a.MailDeliverySublocationIdentifier, 34)
	c.shape(path+"/PostCodeIdentifier", a.PostCodeIdentifier, postcodeShape, RulePostcode, "A post code has four digits.")
	c.filled(path+"/DistrictSubdivisionIdentifier", a.DistrictSubdivisionIdentifier, 34)
	if n := a.PostOfficeBoxIdentifier; n < 0 || n > 9999 {
		c.add(path+"/PostOfficeBoxIdentifier", RuleNumber, "A post office box is 1 to 9999.")
	}
}

func (l *Linjer) check(c *checker, path string) {
	for i, line := range l.Linje {
		c.line(path+"/"+lineNames[i], line, maxLine)
	}
	if strings.TrimSpace(strings.Join(l.Linje[:], "")) == "" {
		c.add(path+"/"+lineNames[0], RuleRequired, "No line says where the letter goes.")
	}
	if l.PostCodeIdentifier != "" {
		c.shape(path+"/PostCodeIdentifier", l.PostCodeIdentifier, postcodeShape, RulePostcode, "A post code has four digits.")
	}
}

func (p TransaktionsParametre) check(c *checker) {
	const path = "TransaktionsParametreI/"
	c.year(path+"TransaktionsDatoTid", p.TransaktionsDatoTid)
	c.filled(path+"MasseForsendelseIdentifikator", p.MasseForsendelseIdentifikator, 38)
	c.code(path+"KvitteringsTypeKode", p.KvitteringsTypeKode == "", p.KvitteringsTypeKode.Valid())
	if p.KvitteringsEmail != "" && c.optional(path+"KvitteringsEmail", p.KvitteringsEmail, 256) {
		c.shape(path+"KvitteringsEmail", p.KvitteringsEmail, emailShape, RuleEmail, "This is not an e-mail address.")
	}
}

func (p DokumentParametre) check(c *checker) {
	const path = "DokumentParametre/"
	c.optional(path+"TitelTekst", p.TitelTekst, math.MaxInt)
	c.optional(path+"UUIDIdentifikator", p.UUIDIdentifikator, math.MaxInt)
	c.year(path+"BrevDato", p.BrevDato)
}

func (p KanalParametre) check(c *checker) {
	if p == (KanalParametre{}) {
		return
	}
	const path = "KanalUafhaengigeParametreI/"
	c.optional(path+"EnhedTekst", p.EnhedTekst, 2000)
	c.required(path+"BrugerNavn", p.BrugerNavn, 2000)
	c.optional(path+"KonteringsGruppeTekst", p.KonteringsGruppeTekst, 2000)
	if p.AfsenderAdresse != nil {
		p.AfsenderAdresse.check(c, path+"ForsendelseAfsender/AfsenderAdresse")
	}
	c.indikator(path+"PaatrykAfsenderAdresseIndikator", p.PaatrykAfsenderAdresseIndikator)
	c.indikator(path+"PaatrykModtagerAdresseIndikator", p.PaatrykModtagerAdresseIndikator)
	c.indikator(path+"PaatrykBrevdatoIndikator", p.PaatrykBrevdatoIndikator)
	c.code(path+"KanalKode", p.KanalKode == "", p.KanalKode.Valid())
	c.indikator(path+"HasteBrevIndikator", p.HasteBrevIndikator)
}

func (p PrintParametre) check(c *checker) {
	const path = "PrintParametre/"
	c.code(path+"SimplexDuplexKode", p.SimplexDuplexKode == "", p.SimplexDuplexKode.Valid())
	c.code(path+"FarveSHKode", p.FarveSHKode == "", p.FarveSHKode.Valid())
	c.code(path+"KuvertTypeKode", p.KuvertTypeKode == "", p.KuvertTypeKode.Valid())
}

func (p PostParametre) check(c *checker) {
	const path = "PostParametre/"
	c.code(path+"PostKategoriKode", p.PostKategoriKode == "", p.PostKategoriKode.Valid())
	c.number(path+"AllokeringsIdentifikator", p.AllokeringsIdentifikator, 0)
	c.indikator(path+"ReturposthaandteringHosLeverandoerIndikator", p.ReturposthaandteringHosLeverandoerIndikator)
	c.indikator(path+"InformationVedAdresseAendringIndikator", p.InformationVedAdresseAendringIndikator)
	c.number(path+"SideKvantitet", p.SideKvantitet, 0)
}

func (b *Bilag) check(c *checker, path string) {
	c.required(path+"/BilagNavn", b.BilagNavn, 300)
	c.number(path+"/BilagSorteringsIndeksIdentifikator", b.SorteringsIndeks, 0)
	ways := 0
	if b.Indhold != nil {
		ways++
		c.format(path+"/FilformatNavn", b.FilformatNavn)
		c.content(path+"/VedhaeftningIndholdData", b.Indhold)
	} else if utf8.RuneCountInString(b.FilformatNavn) > 10 {
		c.add(path+"/FilformatNavn", RuleLength, "The text has more than 10 characters.")
	}
	if b.Identifikator != "" {
		ways++
		c.required(path+"/BilagIdentifikator", b.Identifikator, 10)
	}
	if b.URLreference != "" {
		ways++
		u, err := url.Parse(b.URLreference)
		if err != nil || !u.IsAbs() || u.Host == "" || strings.ContainsAny(b.URLreference, " \t\n") {
			c.add(path+"/VedhaeftningIndholdURLreference", RuleURL, "This is not an absolute URL.")
		}
	}
	if ways != 1 {
		c.add(path, RuleOneWay, "An attachment has one of a file, an id at the supplier, and a link.")
	}
}
