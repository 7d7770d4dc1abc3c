package memo

// AttentionData is the class AttentionData: who or what inside a party the message concerns. All parts are optional; a
// sender gives Address or UnstructuredAddress, not both. [src: MEMO-1.1-XSD AttentionData]
type AttentionData struct {
	AttentionPerson      *AttentionPerson
	ProductionUnit       *ProductionUnit
	GlobalLocationNumber *GlobalLocationNumber
	EMail                *EMail
	SEnumber             *SEnumber
	Telephone            *Telephone
	EID                  *EID
	ContentResponsible   *ContentResponsible
	GeneratingSystem     *GeneratingSystem
	SORdata              *SORdata
	Address              *Address
	UnstructuredAddress  *UnstructuredAddress
}

func (x AttentionData) write(w *writer) {
	w.open("memo:AttentionData")
	writeOne(w, x.AttentionPerson)
	writeOne(w, x.ProductionUnit)
	writeOne(w, x.GlobalLocationNumber)
	writeOne(w, x.EMail)
	writeOne(w, x.SEnumber)
	writeOne(w, x.Telephone)
	writeOne(w, x.EID)
	writeOne(w, x.ContentResponsible)
	writeOne(w, x.GeneratingSystem)
	writeOne(w, x.SORdata)
	writeOne(w, x.Address)
	writeOne(w, x.UnstructuredAddress)
	w.close()
}

func readAttentionData(r *reader, x *AttentionData) bool {
	return one(r, "AttentionPerson", &x.AttentionPerson, readAttentionPerson) ||
		one(r, "grd:ProductionUnit", &x.ProductionUnit, readProductionUnit) ||
		one(r, "gln:GlobalLocationNumber", &x.GlobalLocationNumber, readGlobalLocationNumber) ||
		one(r, "EMail", &x.EMail, readEMail) ||
		one(r, "grd:SEnumber", &x.SEnumber, readSEnumber) ||
		one(r, "Telephone", &x.Telephone, readTelephone) ||
		one(r, "grd:EID", &x.EID, readEID) ||
		one(r, "ContentResponsible", &x.ContentResponsible, readContentResponsible) ||
		one(r, "GeneratingSystem", &x.GeneratingSystem, readGeneratingSystem) ||
		one(r, "sor:SORdata", &x.SORdata, readSORdata) ||
		one(r, "grd:Address", &x.Address, readAddress) ||
		one(r, "grd:UnstructuredAddress", &x.UnstructuredAddress, readUnstructuredAddress)
}

// AttentionPerson is the class AttentionPerson; both properties are optional. [src: MEMO-1.1-XSD AttentionPerson]
type AttentionPerson struct {
	PersonID string
	Label    string
}

func (x AttentionPerson) write(w *writer) {
	w.open("memo:AttentionPerson")
	w.optional("personID", x.PersonID)
	w.optional("label", x.Label)
	w.close()
}

func readAttentionPerson(r *reader, x *AttentionPerson) bool {
	return r.text("personID", &x.PersonID) ||
		r.text("label", &x.Label)
}

// ProductionUnit is the class grd:ProductionUnit (P-enhed). [src: MEMO-1.1-XSD ProductionUnit]
type ProductionUnit struct {
	ProductionUnitNumber string // at most 10 digits; text, so that no zero is lost
	ProductionUnitName   string // optional
}

func (x ProductionUnit) write(w *writer) {
	w.open("grd:ProductionUnit")
	w.leaf("productionUnitNumber", x.ProductionUnitNumber)
	w.optional("productionUnitName", x.ProductionUnitName)
	w.close()
}

func readProductionUnit(r *reader, x *ProductionUnit) bool {
	return r.token("grd:productionUnitNumber", &x.ProductionUnitNumber) ||
		r.text("grd:productionUnitName", &x.ProductionUnitName)
}

// GlobalLocationNumber is the class gln:GlobalLocationNumber (GLN, formerly EAN).
// [src: MEMO-1.1-XSD GlobalLocationNumber]
type GlobalLocationNumber struct {
	GlobalLocationNumber string // at most 13 digits
	Location             string // optional
}

func (x GlobalLocationNumber) write(w *writer) {
	w.open("gln:GlobalLocationNumber")
	w.leaf("globalLocationNumber", x.GlobalLocationNumber)
	w.optional("location", x.Location)
	w.close()
}

func readGlobalLocationNumber(r *reader, x *GlobalLocationNumber) bool {
	return r.token("gln:globalLocationNumber", &x.GlobalLocationNumber) ||
		r.text("gln:location", &x.Location)
}

// EMail is the class EMail. [src: MEMO-1.1-XSD EMail]
type EMail struct {
	EmailAddress string
	RelatedAgent string // optional
}

func (x EMail) write(w *writer) {
	w.open("memo:EMail")
	w.leaf("emailAddress", x.EmailAddress)
	w.optional("relatedAgent", x.RelatedAgent)
	w.close()
}

func readEMail(r *reader, x *EMail) bool {
	return r.text("emailAddress", &x.EmailAddress) ||
		r.text("relatedAgent", &x.RelatedAgent)
}

// SEnumber is the class grd:SEnumber (SE-nummer, registration for VAT). [src: MEMO-1.1-XSD SEnumber]
type SEnumber struct {
	SeNumber    string
	CompanyName string // optional
}

func (x SEnumber) write(w *writer) {
	w.open("grd:SEnumber")
	w.leaf("seNumber", x.SeNumber)
	w.optional("companyName", x.CompanyName)
	w.close()
}

func readSEnumber(r *reader, x *SEnumber) bool {
	return r.text("grd:seNumber", &x.SeNumber) ||
		r.text("grd:companyName", &x.CompanyName)
}

// Telephone is the class Telephone. [src: MEMO-1.1-XSD Telephone]
type Telephone struct {
	TelephoneNumber string
	RelatedAgent    string // optional
}

func (x Telephone) write(w *writer) {
	w.open("memo:Telephone")
	w.leaf("telephoneNumber", x.TelephoneNumber)
	w.optional("relatedAgent", x.RelatedAgent)
	w.close()
}

func readTelephone(r *reader, x *Telephone) bool {
	return r.text("telephoneNumber", &x.TelephoneNumber) ||
		r.text("relatedAgent", &x.RelatedAgent)
}

// EID is the class grd:EID: an employee's electronic identity. Its form is opaque; CVR:12345678-RID:1234567890123 is
// seen. [src: MEMO-1.1-XSD EID]
type EID struct {
	EID   string
	Label string // optional
}

func (x EID) write(w *writer) {
	w.open("grd:EID")
	w.leaf("eID", x.EID)
	w.optional("label", x.Label)
	w.close()
}

func readEID(r *reader, x *EID) bool {
	return r.text("grd:eID", &x.EID) ||
		r.text("grd:label", &x.Label)
}

// ContentResponsible is the class ContentResponsible; both properties are optional.
// [src: MEMO-1.1-XSD ContentResponsible]
type ContentResponsible struct {
	ContentResponsibleID string
	Label                string
}

func (x ContentResponsible) write(w *writer) {
	w.open("memo:ContentResponsible")
	w.optional("contentResponsibleID", x.ContentResponsibleID)
	w.optional("label", x.Label)
	w.close()
}

func readContentResponsible(r *reader, x *ContentResponsible) bool {
	return r.text("contentResponsibleID", &x.ContentResponsibleID) ||
		r.text("label", &x.Label)
}

// GeneratingSystem is the class GeneratingSystem: the system that made the message.
// [src: MEMO-1.1-XSD GeneratingSystem]
type GeneratingSystem struct {
	GeneratingSystemID string
	Label              string // optional
}

func (x GeneratingSystem) write(w *writer) {
	w.open("memo:GeneratingSystem")
	w.leaf("generatingSystemID", x.GeneratingSystemID)
	w.optional("label", x.Label)
	w.close()
}

func readGeneratingSystem(r *reader, x *GeneratingSystem) bool {
	return r.text("generatingSystemID", &x.GeneratingSystemID) ||
		r.text("label", &x.Label)
}

// SORdata is the class sor:SORdata (Sundhedsvæsenets Organisationsregister). [src: MEMO-1.1-XSD SORdata]
type SORdata struct {
	SorIdentifier string
	EntryName     string // optional
}

func (x SORdata) write(w *writer) {
	w.open("sor:SORdata")
	w.leaf("sorIdentifier", x.SorIdentifier)
	w.optional("entryName", x.EntryName)
	w.close()
}

func readSORdata(r *reader, x *SORdata) bool {
	return r.text("sor:sorIdentifier", &x.SorIdentifier) ||
		r.text("sor:entryName", &x.EntryName)
}
