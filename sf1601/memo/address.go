package memo

import "github.com/beevik/etree"

// Address is the class grd:Address. Every property is optional; note that door stands before floor.
// [src: MEMO-1.1-XSD Address]
type Address struct {
	ID           string // UUID of the address in examples
	AddressLabel string // name of the street
	HouseNumber  string // such as 7A
	Door         string
	Floor        string
	CO           string
	ZipCode      string
	City         string
	Country      string // "DK" in the official examples
	AddressPoint *AddressPoint
}

func (x Address) element() *etree.Element {
	e := class("grd:Address")
	optional(e, "id", x.ID)
	optional(e, "addressLabel", x.AddressLabel)
	optional(e, "houseNumber", x.HouseNumber)
	optional(e, "door", x.Door)
	optional(e, "floor", x.Floor)
	optional(e, "co", x.CO)
	optional(e, "zipCode", x.ZipCode)
	optional(e, "city", x.City)
	optional(e, "country", x.Country)
	add(e, x.AddressPoint)
	return e
}

func readAddress(r *reader, x *Address) bool {
	return r.text("grd:id", &x.ID) ||
		r.text("grd:addressLabel", &x.AddressLabel) ||
		r.text("grd:houseNumber", &x.HouseNumber) ||
		r.text("grd:door", &x.Door) ||
		r.text("grd:floor", &x.Floor) ||
		r.text("grd:co", &x.CO) ||
		r.text("grd:zipCode", &x.ZipCode) ||
		r.text("grd:city", &x.City) ||
		r.text("grd:country", &x.Country) ||
		one(r, "grd:AddressPoint", &x.AddressPoint, readAddressPoint)
}

// AddressPoint is the class grd:AddressPoint: coordinates as decimal text, such as 557501.23.
// [src: MEMO-1.1-XSD AddressPoint]
type AddressPoint struct {
	GeographicEastingMeasure  string
	GeographicNorthingMeasure string
	GeographicHeightMeasure   string
}

func (x AddressPoint) element() *etree.Element {
	e := class("grd:AddressPoint")
	optional(e, "geographicEastingMeasure", x.GeographicEastingMeasure)
	optional(e, "geographicNorthingMeasure", x.GeographicNorthingMeasure)
	optional(e, "geographicHeightMeasure", x.GeographicHeightMeasure)
	return e
}

func readAddressPoint(r *reader, x *AddressPoint) bool {
	return r.text("grd:geographicEastingMeasure", &x.GeographicEastingMeasure) ||
		r.text("grd:geographicNorthingMeasure", &x.GeographicNorthingMeasure) ||
		r.text("grd:geographicHeightMeasure", &x.GeographicHeightMeasure)
}

// UnstructuredAddress is the class grd:UnstructuredAddress: an address as one text, instead of Address.
// [src: MEMO-1.1-XSD UnstructuredAddress]
type UnstructuredAddress struct {
	Unstructured string
}

func (x UnstructuredAddress) element() *etree.Element {
	e := class("grd:UnstructuredAddress")
	leaf(e, "unstructured", x.Unstructured)
	return e
}

func readUnstructuredAddress(r *reader, x *UnstructuredAddress) bool {
	return r.text("grd:unstructured", &x.Unstructured)
}
