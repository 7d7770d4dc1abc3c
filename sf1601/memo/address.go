package memo

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

func (x Address) write(w *writer) {
	w.open("grd:Address")
	w.optional("id", x.ID)
	w.optional("addressLabel", x.AddressLabel)
	w.optional("houseNumber", x.HouseNumber)
	w.optional("door", x.Door)
	w.optional("floor", x.Floor)
	w.optional("co", x.CO)
	w.optional("zipCode", x.ZipCode)
	w.optional("city", x.City)
	w.optional("country", x.Country)
	writeOne(w, x.AddressPoint)
	w.close()
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

func (x AddressPoint) write(w *writer) {
	w.open("grd:AddressPoint")
	w.optional("geographicEastingMeasure", x.GeographicEastingMeasure)
	w.optional("geographicNorthingMeasure", x.GeographicNorthingMeasure)
	w.optional("geographicHeightMeasure", x.GeographicHeightMeasure)
	w.close()
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

func (x UnstructuredAddress) write(w *writer) {
	w.open("grd:UnstructuredAddress")
	w.leaf("unstructured", x.Unstructured)
	w.close()
}

func readUnstructuredAddress(r *reader, x *UnstructuredAddress) bool {
	return r.text("grd:unstructured", &x.Unstructured)
}
