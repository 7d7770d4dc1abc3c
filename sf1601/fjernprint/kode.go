package fjernprint

// SimplexDuplexKode says whether both sides of the paper are printed. [src: FJERNPRINT-XSD SimplexDuplexKode]
type SimplexDuplexKode string

// The values of SimplexDuplexKode.
const (
	Simplex SimplexDuplexKode = "Simplex"
	Duplex  SimplexDuplexKode = "Duplex"
)

// Valid says whether k is one of the values.
func (k SimplexDuplexKode) Valid() bool { return k == Simplex || k == Duplex }

// FarveSHKode says whether the letter is printed in colour. [src: FJERNPRINT-XSD FarveSHKode]
type FarveSHKode string

// The values of FarveSHKode.
const (
	SH    FarveSHKode = "SH" // sort/hvid, black and white
	Farve FarveSHKode = "Farve"
)

// Valid says whether k is one of the values.
func (k FarveSHKode) Valid() bool { return k == SH || k == Farve }

// KuvertTypeKode is the envelope. [src: FJERNPRINT-XSD KuvertTypeKode]
type KuvertTypeKode string

// The values of KuvertTypeKode. What MA is the schema does not say.
const (
	C4 KuvertTypeKode = "C4"
	C5 KuvertTypeKode = "C5"
	MA KuvertTypeKode = "MA"
)

// Valid says whether k is one of the values.
func (k KuvertTypeKode) Valid() bool { return k == C4 || k == C5 || k == MA }

// PostKategoriKode is how the post carries the letter. [src: FJERNPRINT-XSD PostKategoriKode]
type PostKategoriKode string

// The values of PostKategoriKode.
const (
	Prioritaire                   PostKategoriKode = "Prioritaire"
	Economique                    PostKategoriKode = "Economique"
	Bulk                          PostKategoriKode = "Bulk"
	Rekommanderet                 PostKategoriKode = "Rekommanderet"
	RekommanderetMedModtagerbevis PostKategoriKode = "Rekommanderet med modtagerbevis"
	Forkyndelse                   PostKategoriKode = "Forkyndelse"
)

// Valid says whether k is one of the values.
func (k PostKategoriKode) Valid() bool {
	switch k {
	case Prioritaire, Economique, Bulk, Rekommanderet, RekommanderetMedModtagerbevis, Forkyndelse:
		return true
	}
	return false
}

// KanalKode names a channel. [src: FJERNPRINT-XSD KanalKode]
type KanalKode string

// The values of KanalKode.
const (
	KanalDigitalPost KanalKode = "Digital Post"
	KanalFysiskPost  KanalKode = "Fysisk Post"
)

// Valid says whether k is one of the values.
func (k KanalKode) Valid() bool { return k == KanalDigitalPost || k == KanalFysiskPost }

// KvitteringsTypeKode says which receipts the sender wants by e-mail. [src: FJERNPRINT-XSD KvitteringsTypeKode]
type KvitteringsTypeKode string

// The values of KvitteringsTypeKode.
const (
	KvitteringAlle    KvitteringsTypeKode = "Alle"
	KvitteringIngen   KvitteringsTypeKode = "Ingen"
	KvitteringKunFejl KvitteringsTypeKode = "Kun fejl"
)

// Valid says whether k is one of the values.
func (k KvitteringsTypeKode) Valid() bool {
	return k == KvitteringAlle || k == KvitteringIngen || k == KvitteringKunFejl
}

// LandeScheme says in which code a country is named. [src: FJERNPRINT-XSD CountryIdentificationCode, scheme]
type LandeScheme string

// The values of LandeScheme.
const (
	ISOAlpha2  LandeScheme = "iso3166-alpha2" // "DK"
	ISOAlpha3  LandeScheme = "iso3166-alpha3" // "DNK"
	UNNumeric3 LandeScheme = "un-numeric3"    // "208"
	IMK        LandeScheme = "imk"            // "5100": the code of the Civil Registration System
)

// Valid says whether s is one of the values.
func (s LandeScheme) Valid() bool {
	return s == ISOAlpha2 || s == ISOAlpha3 || s == UNNumeric3 || s == IMK
}

// Indikator is an optional boolean; the zero value is absent.
type Indikator int8

// The values of Indikator.
const (
	Uangivet Indikator = iota
	Ja
	Nej
)

// IndikatorOf is Ja for true and Nej for false.
func IndikatorOf(b bool) Indikator {
	if b {
		return Ja
	}
	return Nej
}

// Valid says whether i is one of the values.
func (i Indikator) Valid() bool { return i >= Uangivet && i <= Nej }
