package fjernprint

import "github.com/brevdue/brevdue/sf1601/xmlstream"

// CPRUkendt is the CPR number that is written for every person: the schema reserves it for "required but unknown", and
// public clients cite the field description of KombiPostAfsend for sending it instead of the real one.
// [src: FJERNPRINT-XSD PersonCivilRegistrationIdentifier; SP-CLIENTS AfsendelseModtager]
const CPRUkendt = "0000000000"

// Modtager is who gets the letter and where. [src: FJERNPRINT-XSD ForsendelseModtager]
type Modtager struct {
	// Slutbruger says who: Person() or Virksomhed(cvr); the zero value writes nothing.
	Slutbruger Slutbruger
	// Adresse is optional; nil leaves it to the address printed in the letter.
	Adresse *KontaktOplysning
}

// Slutbruger is a person or a company: one of the two numbers. [src: FJERNPRINT-XSD SlutbrugerIdentitet]
type Slutbruger struct {
	CPR string // CPRUkendt, nothing else
	CVR string // 8 digits
}

// Person is a person, whose CPR number is not told.
func Person() Slutbruger { return Slutbruger{CPR: CPRUkendt} }

// Virksomhed is a company with its CVR number.
func Virksomhed(cvr string) Slutbruger { return Slutbruger{CVR: cvr} }

// KontaktOplysning is a name with an address in one of two forms: exactly one of Adresse and Linjer is set.
// [src: FJERNPRINT-XSD KontaktOplysning]
type KontaktOplysning struct {
	PersonName string   // 1 to 130 characters
	Adresse    *Adresse // form A
	Linjer     *Linjer  // form B
	Land       Landekode
}

// Adresse is form A, the structured address. There is no city in it: the post code decides.
// [src: FJERNPRINT-XSD KontaktOplysning]
type Adresse struct {
	CoNavn                            string // optional, at most 130 characters
	StreetName                        string // 1 to 40
	StreetBuildingIdentifier          string // 1 to 999 without leading zero, and a letter A to Z or none
	FloorIdentifier                   string // optional: 1 to 99, st, kl, k2 to k9
	SuiteIdentifier                   string // optional, at most 4
	MailDeliverySublocationIdentifier string // optional, at most 34
	PostCodeIdentifier                string // 4 digits
	DistrictSubdivisionIdentifier     string // optional, at most 34
	PostOfficeBoxIdentifier           int64  // optional, 1 to 9999
}

// Linjer is form B, the address as it stands on a label, each line of at most 34 characters. An empty line is left out,
// but for the first, which the schema wants. [src: FJERNPRINT-XSD KontaktOplysning, CompletePostalLabelText]
type Linjer struct {
	Linje              [6]string
	PostCodeIdentifier string // optional: 4 digits
}

// Landekode is a country. The zero value is written as Danmark. [src: FJERNPRINT-XSD CountryIdentificationCode]
type Landekode struct {
	Scheme LandeScheme
	Kode   string
}

// Danmark is Denmark as the public clients write it.
func Danmark() Landekode { return Landekode{ISOAlpha2, "DK"} }

func (m *Modtager) write(w *writer) {
	w.open(fp, "ForsendelseModtager")
	if s := m.Slutbruger; s != (Slutbruger{}) {
		w.open(dkal, "AfsendelseModtager")
		w.optional(adir, "CPRnummerIdentifikator", s.CPR)
		w.optional(adir, "CVRnummerIdentifikator", s.CVR)
		w.close()
	}
	if m.Adresse != nil {
		m.Adresse.write(w, "ModtagerAdresse")
	}
	w.close()
}

func (k *KontaktOplysning) write(w *writer, name string) {
	w.open(fp, name)
	w.leaf(itst, "PersonName", k.PersonName)
	if k.Adresse != nil {
		k.Adresse.write(w)
	}
	if k.Linjer != nil {
		k.Linjer.write(w)
	}
	land := k.Land
	if land == (Landekode{}) {
		land = Danmark()
	}
	w.leaf(d03, "CountryIdentificationCode", land.Kode, xmlstream.Attr{Name: "scheme", Value: string(land.Scheme)})
	w.close()
}

func (a *Adresse) write(w *writer) {
	w.optional(fp, "CoNavn", a.CoNavn)
	w.leaf(d0315, "StreetName", a.StreetName)
	w.leaf(d03, "StreetBuildingIdentifier", a.StreetBuildingIdentifier)
	w.optional(d03, "FloorIdentifier", a.FloorIdentifier)
	w.optional(d03, "SuiteIdentifier", a.SuiteIdentifier)
	w.optional(d03, "MailDeliverySublocationIdentifier", a.MailDeliverySublocationIdentifier)
	w.leaf(d0315, "PostCodeIdentifier", a.PostCodeIdentifier)
	w.optional(d0315, "DistrictSubdivisionIdentifier", a.DistrictSubdivisionIdentifier)
	w.number(d0513, "PostOfficeBoxIdentifier", a.PostOfficeBoxIdentifier)
}

// lineNames are the elements of form B in order.
var lineNames = [6]string{
	"PostalAddressFirstLineText", "PostalAddressSecondLineText", "PostalAddressThirdLineText",
	"PostalAddressFourthLineText", "PostalAddressFifthLineText", "PostalAddressSixthLineText",
}

func (l *Linjer) write(w *writer) {
	w.leaf(d0519, lineNames[0], l.Linje[0])
	for i := 1; i < len(lineNames); i++ {
		w.optional(d0519, lineNames[i], l.Linje[i])
	}
	w.optional(d0315, "PostCodeIdentifier", l.PostCodeIdentifier)
}
