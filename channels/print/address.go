package print

import (
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
)

// danmark is the country of an address that names none.
const danmark = "DK"

// address is the recipient's postal address as fjernprint reads it.
func address(r gateway.Recipient) fjernprint.Address {
	a := fjernprint.Address{
		Name: r.Name.Reveal(), Street: r.Address.Street.Reveal(), House: r.Address.House.Reveal(), Floor: r.Address.Floor.Reveal(),
		Door: r.Address.Door.Reveal(), Postcode: r.Address.Postcode.Reveal(), City: r.Address.City.Reveal(),
		Country: r.Address.Country.Reveal(),
	}
	if abroad(r.Address) {
		a.CountryName = countryName(a.Country)
	}
	return a
}

func abroad(a gateway.Address) bool { return !a.Country.Empty() && a.Country.Reveal() != danmark }

// countryName is the Danish name of a country in capitals, as the last line of an address abroad has it; the code itself
// when it is not known.
func countryName(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if name := display.Danish.Regions().Name(region); name != "" {
		return strings.ToUpper(name)
	}
	return code
}

// recipient is ForsendelseModtager: who, without a CPR number, and where.
func (c *Channel) recipient(r gateway.Recipient) (*fjernprint.Modtager, error) {
	adresse, err := fjernprint.Normalise(address(r), c.cfg.City)
	if err != nil {
		return nil, err
	}
	who := fjernprint.Person()
	if r.ID.Scheme() == gateway.CVR {
		who = fjernprint.Virksomhed(r.ID.Reveal())
	}
	return &fjernprint.Modtager{Slutbruger: who, Adresse: &adresse}, nil
}

// window is name and address as they stand in the window of the envelope.
func window(r gateway.Recipient) []string {
	a := address(r)
	lines := []string{a.Name}
	if k, err := fjernprint.Normalise(a, fjernprint.CityInLines); err == nil && k.Linjer != nil {
		return append(lines, k.Linjer.Linje[:]...)
	}
	// An address that fits form A but no label: a street in one word of more than 34 characters.
	return append(lines, join(" ", a.Street, join(", ", a.House, join(" ", a.Floor, a.Door))), join(" ", a.Postcode, a.City), a.CountryName)
}

// join joins what is not empty.
func join(separator string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, separator)
}
