package fjernprint_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/sf1601/fjernprint"
)

func plain() fjernprint.Address {
	return fjernprint.Address{Name: "Nancy Ann Berggren", Street: "Rådhuspladsen", House: "2", Postcode: "8000", City: "Aarhus C", Country: "DK"}
}

// show is an address as one line: A or B, then what is written.
func show(k fjernprint.KontaktOplysning) string {
	if a := k.Adresse; a != nil {
		return strings.Join([]string{"A", a.CoNavn, a.StreetName, a.StreetBuildingIdentifier, a.FloorIdentifier, a.SuiteIdentifier,
			a.PostCodeIdentifier, a.DistrictSubdivisionIdentifier, k.Land.Kode}, "|")
	}
	return strings.Join(append(append([]string{"B"}, k.Linjer.Linje[:]...), k.Linjer.PostCodeIdentifier, k.Land.Kode), "|")
}

func TestNormalise(t *testing.T) {
	t.Parallel()
	long := "Professor Chr. Sørensens Mindeboulevard ved Åen" // 47 characters
	for name, c := range map[string]struct {
		change func(*fjernprint.Address)
		city   fjernprint.CityPlacement
		want   string
	}{
		"ordinary":       {want: "A||Rådhuspladsen|2|||8000||DK"},
		"white space":    {change: func(a *fjernprint.Address) { a.Street, a.House = "  Store \t Torv\n", " 3 " }, want: "A||Store Torv|3|||8000||DK"},
		"house zeros":    {change: func(a *fjernprint.Address) { a.House = "007b" }, want: "A||Rådhuspladsen|7B|||8000||DK"},
		"house apart":    {change: func(a *fjernprint.Address) { a.House = "12 c." }, want: "A||Rådhuspladsen|12C|||8000||DK"},
		"house 999":      {change: func(a *fjernprint.Address) { a.House = "999Z" }, want: "A||Rådhuspladsen|999Z|||8000||DK"},
		"house 1000":     {change: func(a *fjernprint.Address) { a.House = "1000" }, want: "B|Rådhuspladsen 1000|8000 Aarhus C|||||8000|DK"},
		"house 0":        {change: func(a *fjernprint.Address) { a.House = "0" }, want: "B|Rådhuspladsen 0|8000 Aarhus C|||||8000|DK"},
		"house range":    {change: func(a *fjernprint.Address) { a.House = "12-14" }, want: "B|Rådhuspladsen 12-14|8000 Aarhus C|||||8000|DK"},
		"house Å":        {change: func(a *fjernprint.Address) { a.House = "2å" }, want: "B|Rådhuspladsen 2å|8000 Aarhus C|||||8000|DK"},
		"no house":       {change: func(a *fjernprint.Address) { a.House = "" }, want: "B|Rådhuspladsen|8000 Aarhus C|||||8000|DK"},
		"floor and door": {change: func(a *fjernprint.Address) { a.Floor, a.Door = "1. sal", "TV." }, want: "A||Rådhuspladsen|2|1|tv|8000||DK"},
		"ground floor":   {change: func(a *fjernprint.Address) { a.Floor, a.Door = "St.", "t.h." }, want: "A||Rådhuspladsen|2|st|th|8000||DK"},
		"cellar":         {change: func(a *fjernprint.Address) { a.Floor = "Kælder" }, want: "A||Rådhuspladsen|2|kl||8000||DK"},
		"second cellar":  {change: func(a *fjernprint.Address) { a.Floor = "K2" }, want: "A||Rådhuspladsen|2|k2||8000||DK"},
		"floor 01":       {change: func(a *fjernprint.Address) { a.Floor = "01" }, want: "A||Rådhuspladsen|2|1||8000||DK"},
		"floor k1":       {change: func(a *fjernprint.Address) { a.Floor, a.Door = "k1", "7" }, want: "B|Rådhuspladsen 2, k1 7|8000 Aarhus C|||||8000|DK"},
		"floor 0":        {change: func(a *fjernprint.Address) { a.Floor = "0" }, want: "B|Rådhuspladsen 2, 0|8000 Aarhus C|||||8000|DK"},
		"door number":    {change: func(a *fjernprint.Address) { a.Door = "0012" }, want: "A||Rådhuspladsen|2||12|8000||DK"},
		"door too long":  {change: func(a *fjernprint.Address) { a.Floor, a.Door = "3", "lejl. 12" }, want: "B|Rådhuspladsen 2, 3. lejl. 12|8000 Aarhus C|||||8000|DK"},
		"door, no floor": {change: func(a *fjernprint.Address) { a.House, a.Door = "1000", "tv." }, want: "B|Rådhuspladsen 1000, tv|8000 Aarhus C|||||8000|DK"},
		"c/o":            {change: func(a *fjernprint.Address) { a.CareOf = "C/O Ole Hansen" }, want: "A|Ole Hansen|Rådhuspladsen|2|||8000||DK"},
		"c/o in B":       {change: func(a *fjernprint.Address) { a.CareOf, a.House = "c/o: Ole Hansen", "1000" }, want: "B|c/o Ole Hansen|Rådhuspladsen 1000|8000 Aarhus C||||8000|DK"},
		"street of 40": {change: func(a *fjernprint.Address) {
			a.Street = long[:len("Professor Chr. Sørensens Mindeboulevard ")-1] + "e"
		}, want: "A||Professor Chr. Sørensens Mindeboulevarde|2|||8000||DK"},
		"street of 47":  {change: func(a *fjernprint.Address) { a.Street = long }, want: "B|Professor Chr. Sørensens|Mindeboulevard ved Åen 2|8000 Aarhus C||||8000|DK"},
		"post code DK-": {change: func(a *fjernprint.Address) { a.Postcode = "dk-0800" }, want: "A||Rådhuspladsen|2|||0800||DK"},
		"no country":    {change: func(a *fjernprint.Address) { a.Country = "" }, want: "A||Rådhuspladsen|2|||8000||DK"},
		"in words":      {change: func(a *fjernprint.Address) { a.Country = "danmark" }, want: "A||Rådhuspladsen|2|||8000||DK"},
		"alpha-3":       {change: func(a *fjernprint.Address) { a.Country = "dnk" }, want: "A||Rådhuspladsen|2|||8000||DK"},
		"abroad":        {change: func(a *fjernprint.Address) { a.Country, a.CountryName = "no", "Norge" }, want: "B|Rådhuspladsen 2|8000 Aarhus C|Norge|||||NO"},
		"abroad, no code": {
			change: func(a *fjernprint.Address) { a.Country, a.Postcode, a.House = "IRL", "", "" }, want: "B|Rådhuspladsen|Aarhus C||||||IRL",
		},
		"city in subdivision": {city: fjernprint.CityInSubdivision, want: "A||Rådhuspladsen|2|||8000|Aarhus C|DK"},
		"city in lines":       {city: fjernprint.CityInLines, want: "B|Rådhuspladsen 2|8000 Aarhus C|||||8000|DK"},
		"city too long": {
			change: func(a *fjernprint.Address) { a.City = "Aarhus Centrum ved den gamle banegård" }, city: fjernprint.CityInSubdivision,
			want: "B|Rådhuspladsen 2|8000 Aarhus Centrum ved den gamle|banegård||||8000|DK",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := plain()
			if c.change != nil {
				c.change(&a)
			}
			k, err := fjernprint.Normalise(a, c.city)
			if err != nil {
				t.Fatal(err)
			}
			if got := show(k); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestNormaliseRefuses(t *testing.T) {
	t.Parallel()
	word := strings.Repeat("ø", 35)
	for name, c := range map[string]struct {
		change func(*fjernprint.Address)
		part   fjernprint.Part
		rule   fjernprint.Rule
	}{
		"no name":         {func(a *fjernprint.Address) { a.Name = " \t" }, fjernprint.PartName, fjernprint.RuleRequired},
		"name of 131":     {func(a *fjernprint.Address) { a.Name = strings.Repeat("å", 131) }, fjernprint.PartName, fjernprint.RuleLength},
		"no street":       {func(a *fjernprint.Address) { a.Street = "" }, fjernprint.PartStreet, fjernprint.RuleRequired},
		"no post code":    {func(a *fjernprint.Address) { a.Postcode = "" }, fjernprint.PartPostcode, fjernprint.RuleRequired},
		"post code of 5":  {func(a *fjernprint.Address) { a.Postcode = "80000" }, fjernprint.PartPostcode, fjernprint.RulePostcode},
		"no city abroad":  {func(a *fjernprint.Address) { a.Country, a.City = "SE", "" }, fjernprint.PartCity, fjernprint.RuleRequired},
		"country":         {func(a *fjernprint.Address) { a.Country = "Sverige" }, fjernprint.PartCountry, fjernprint.RuleCountry},
		"street word":     {func(a *fjernprint.Address) { a.Street = word + " " + word }, fjernprint.PartStreet, fjernprint.RuleLength},
		"house word":      {func(a *fjernprint.Address) { a.House = word }, fjernprint.PartHouse, fjernprint.RuleLength},
		"floor word":      {func(a *fjernprint.Address) { a.Floor = word }, fjernprint.PartFloor, fjernprint.RuleLength},
		"door word":       {func(a *fjernprint.Address) { a.Door = word }, fjernprint.PartDoor, fjernprint.RuleLength},
		"c/o word":        {func(a *fjernprint.Address) { a.CareOf, a.House = word, "1000" }, fjernprint.PartCareOf, fjernprint.RuleLength},
		"city word":       {func(a *fjernprint.Address) { a.City, a.Country = word, "SE" }, fjernprint.PartCity, fjernprint.RuleLength},
		"country word":    {func(a *fjernprint.Address) { a.CountryName, a.Country = word, "SE" }, fjernprint.PartCountryName, fjernprint.RuleLength},
		"too many lines":  {func(a *fjernprint.Address) { a.Street = strings.Repeat("meget lang gade ", 14) }, fjernprint.PartStreet, fjernprint.RuleLength},
		"long care of":    {func(a *fjernprint.Address) { a.CareOf = strings.Repeat("hos nogen ", 20) }, fjernprint.PartCareOf, fjernprint.RuleLength},
		"escape in name":  {func(a *fjernprint.Address) { a.Name = "a\x1bb" }, fjernprint.PartName, fjernprint.RuleCharacter},
		"not UTF-8":       {func(a *fjernprint.Address) { a.House = "2\xff" }, fjernprint.PartHouse, fjernprint.RuleCharacter},
		"control, street": {func(a *fjernprint.Address) { a.Street = "a\u009fb" }, fjernprint.PartStreet, fjernprint.RuleCharacter},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := plain()
			c.change(&a)
			_, err := fjernprint.Normalise(a, fjernprint.CityOmitted)
			e, ok := errors.AsType[*fjernprint.AddressError](err)
			if !ok || e.Part != c.part || e.Rule != c.rule || e.Detail == "" {
				t.Fatalf("got %+v, want %s (%s)", err, c.part, c.rule)
			}
			for _, value := range []string{a.Name, a.Street, a.City} {
				if len(value) > 3 && strings.Contains(e.Error()+e.Detail, value) {
					t.Error("the error repeats the value")
				}
			}
		})
	}
}

// FuzzNormalise: whatever comes in, what comes out passes Validate, can be written, and is the same when it goes in again.
func FuzzNormalise(f *testing.F) {
	f.Add("Nancy Ann Berggren", "", "Rådhuspladsen", "2", "", "", "8000", "Aarhus C", "DK", "", 0)
	f.Add("A", "c/o B", "Store Kongensgade ved det lange hegn nr.", "0012b", "1. sal", "TV.", "DK-0900", "", "", "", 1)
	f.Add("Å", "", "Storgatan", "1000", "k1", "lejl. 12", "114 55", "Stockholm", "se", "Sverige", 2)
	f.Add("x", "", "y", "9\xff", "\x00", "\u2028", "8000", "", "dnk", "", 0)
	f.Fuzz(func(t *testing.T, name, careOf, street, house, floor, door, postcode, city, country, countryName string, placement int) {
		a := fjernprint.Address{
			Name: name, CareOf: careOf, Street: street, House: house, Floor: floor, Door: door, Postcode: postcode, City: city,
			Country: country, CountryName: countryName,
		}
		where := fjernprint.CityPlacement(((placement % 3) + 3) % 3)
		k, err := fjernprint.Normalise(a, where)
		if err != nil {
			if _, ok := errors.AsType[*fjernprint.AddressError](err); !ok {
				t.Fatalf("%v is not *AddressError", err)
			}
			return
		}
		l := letter()
		l.Modtager.Adresse = &k
		if err := l.Validate(); err != nil {
			t.Fatalf("%v: %+v", err, k)
		}
		if _, err := l.Document(); err != nil {
			t.Fatal(err)
		}
		if s := k.Adresse; s != nil {
			again, err := fjernprint.Normalise(fjernprint.Address{
				Name: k.PersonName, CareOf: s.CoNavn, Street: s.StreetName, House: s.StreetBuildingIdentifier, Floor: s.FloorIdentifier,
				Door: s.SuiteIdentifier, Postcode: s.PostCodeIdentifier, City: city,
			}, where)
			if err != nil || show(again) != show(k) {
				t.Fatalf("%v: %s, then %s", err, show(k), show(again))
			}
		}
	})
}
