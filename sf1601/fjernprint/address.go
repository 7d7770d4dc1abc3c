package fjernprint

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Address is a postal address as a person or another system has it: nothing in it is shaped for the schema.
type Address struct {
	Name     string // of the recipient
	CareOf   string // optional, with or without "c/o" before it
	Street   string
	House    string // "2", "002b", "12-14"
	Floor    string // optional: "st.", "1. sal", "kld"
	Door     string // optional: "tv.", "0012"
	Postcode string // four digits in Denmark, with or without "DK-" before them
	City     string // needed abroad
	Country  string // ISO 3166 code of two or three letters, or "Danmark"; "" is Denmark
	// CountryName is written as the last line of an address abroad; optional.
	CountryName string
}

// Part names a field of Address.
type Part string

// The parts of an Address.
const (
	PartName        Part = "name"
	PartCareOf      Part = "careOf"
	PartStreet      Part = "street"
	PartHouse       Part = "house"
	PartFloor       Part = "floor"
	PartDoor        Part = "door"
	PartPostcode    Part = "postcode"
	PartCity        Part = "city"
	PartCountry     Part = "country"
	PartCountryName Part = "countryName"
)

// AddressError says which part of an Address fits neither form of the schema.
type AddressError struct {
	Part   Part
	Rule   Rule
	Detail string // one English sentence without the value
}

// Error names the part and the rule, no values.
func (e *AddressError) Error() string {
	return fmt.Sprintf("fjernprint: address: %s (%s)", e.Part, e.Rule)
}

// CityPlacement says where the name of a Danish city goes. Form A has no element for it.
type CityPlacement int8

// The placements of a city.
const (
	CityOmitted       CityPlacement = iota // the post code decides; in form B it stands beside the post code
	CityInSubdivision                      // in DistrictSubdivisionIdentifier, as one public client does
	CityInLines                            // always form B, so that the city is printed
)

// Normalise turns an address into what the schema takes: form A, or form B where the schema refuses a part in form A or
// the address is abroad. The error is *AddressError and names the first part that makes both impossible.
//
// What is changed: outer and repeated white space goes; a house number loses leading zeros and its letter becomes a
// capital; a floor becomes a number, st, kl or k2 to k9; a door loses its dots, and a number its leading zeros. Nothing is
// guessed: what does not clearly read as one of these is printed as it stands, in form B.
func Normalise(a Address, city CityPlacement) (KontaktOplysning, error) {
	a, err := a.tidy()
	if err != nil {
		return KontaktOplysning{}, err
	}
	land, danish, err := country(a.Country)
	if err != nil {
		return KontaktOplysning{}, err
	}
	k := KontaktOplysning{PersonName: a.Name, Land: land}
	if err := a.complete(danish); err != nil {
		return KontaktOplysning{}, err
	}
	if danish && city != CityInLines {
		if k.Adresse = a.structured(city); k.Adresse != nil {
			return k, nil
		}
	}
	k.Linjer, err = a.lines(danish)
	return k, err
}

var (
	careOfPrefix   = regexp.MustCompile(`(?i)^(c/[o0]:?\.? *)+`)
	postcodePrefix = regexp.MustCompile(`(?i)^DK ?-? ?`)
)

// tidy removes white space that says nothing, and refuses what XML cannot hold.
func (a Address) tidy() (Address, error) {
	for _, p := range []struct {
		name  Part
		value *string
	}{
		{PartName, &a.Name}, {PartCareOf, &a.CareOf}, {PartStreet, &a.Street}, {PartHouse, &a.House}, {PartFloor, &a.Floor},
		{PartDoor, &a.Door}, {PartPostcode, &a.Postcode}, {PartCity, &a.City}, {PartCountry, &a.Country},
		{PartCountryName, &a.CountryName},
	} {
		*p.value = strings.Join(strings.FieldsFunc(*p.value, unicode.IsSpace), " ")
		if !writable(*p.value) || strings.ContainsFunc(*p.value, unicode.IsControl) {
			return a, &AddressError{p.name, RuleCharacter, "The text holds a character that cannot be printed."}
		}
	}
	a.CareOf = careOfPrefix.ReplaceAllString(a.CareOf, "")
	return a, nil
}

// complete checks what both forms need.
func (a Address) complete(danish bool) error {
	missing := func(p Part) error { return &AddressError{p, RuleRequired, "This part of the address is missing."} }
	switch {
	case a.Name == "":
		return missing(PartName)
	case utf8.RuneCountInString(a.Name) > 130:
		return &AddressError{PartName, RuleLength, "The name has more than 130 characters."}
	case a.Street == "":
		return missing(PartStreet)
	case danish && a.Postcode == "":
		return missing(PartPostcode)
	case danish && !postcodeShape.MatchString(danishPostcode(a.Postcode)):
		return &AddressError{PartPostcode, RulePostcode, "A Danish post code has four digits."}
	case !danish && a.City == "":
		return missing(PartCity)
	}
	return nil
}

func danishPostcode(s string) string { return postcodePrefix.ReplaceAllString(s, "") }

// country reads a country; danish says that it is Denmark.
func country(s string) (land Landekode, danish bool, err error) {
	switch strings.ToUpper(s) {
	case "", "DK", "DNK", "DANMARK", "DENMARK":
		return Danmark(), true, nil
	}
	for _, scheme := range []LandeScheme{ISOAlpha2, ISOAlpha3} {
		if landShapes[scheme].MatchString(s) {
			return Landekode{scheme, strings.ToUpper(s)}, false, nil
		}
	}
	return Landekode{}, false, &AddressError{PartCountry, RuleCountry, "A country is an ISO 3166 code of two or three letters."}
}

// structured is form A, nil when a part does not fit.
func (a Address) structured(city CityPlacement) *Adresse {
	house, okHouse := houseNumber(a.House)
	floor, okFloor := floorOf(a.Floor)
	door, okDoor := doorOf(a.Door)
	out := &Adresse{
		CoNavn: a.CareOf, StreetName: a.Street, StreetBuildingIdentifier: house, FloorIdentifier: floor, SuiteIdentifier: door,
		PostCodeIdentifier: danishPostcode(a.Postcode),
	}
	if city == CityInSubdivision {
		out.DistrictSubdivisionIdentifier = a.City
	}
	var c checker
	out.check(&c, "")
	if !okHouse || !okFloor || !okDoor || len(c.findings) > 0 {
		return nil
	}
	return out
}

var (
	houseRead = regexp.MustCompile(`^0*([1-9][0-9]{0,2}) ?([A-Za-z]?)\.?$`)
	floorRead = regexp.MustCompile(`^0*([1-9][0-9]?)\.?( ?sal\.?)?$`)
	doorRead  = regexp.MustCompile(`^0+([1-9][0-9]*)$`)
)

// houseNumber is StreetBuildingIdentifier; false means that it does not clearly read as one.
func houseNumber(s string) (string, bool) {
	m := houseRead.FindStringSubmatch(s)
	if m == nil {
		return "", false
	}
	return m[1] + strings.ToUpper(m[2]), true
}

// floorOf is FloorIdentifier, empty for no floor.
func floorOf(s string) (string, bool) {
	s = strings.ToLower(s)
	if m := floorRead.FindStringSubmatch(s); m != nil {
		return m[1], true
	}
	switch s = strings.ReplaceAll(s, ".", ""); s {
	case "":
		return "", true
	case "st", "stuen", "stue":
		return "st", true
	case "kl", "kld", "kælder", "kælderen":
		return "kl", true
	}
	return s, floorShape.MatchString(s)
}

// doorOf is SuiteIdentifier, empty for no door.
func doorOf(s string) (string, bool) {
	s = strings.ReplaceAll(s, ".", "")
	if m := doorRead.FindStringSubmatch(s); m != nil {
		s = m[1]
	}
	switch lower := strings.ToLower(s); lower {
	case "tv", "th", "mf":
		s = lower
	}
	return s, utf8.RuneCountInString(s) <= 4
}
