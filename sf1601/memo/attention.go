package memo

import "github.com/beevik/etree"

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

func (x AttentionData) element() *etree.Element {
	e := class("memo:AttentionData")
	add(e, x.AttentionPerson)
	add(e, x.ProductionUnit)
	add(e, x.GlobalLocationNumber)
	add(e, x.EMail)
	add(e, x.SEnumber)
	add(e, x.Telephone)
	add(e, x.EID)
	add(e, x.ContentResponsible)
	add(e, x.GeneratingSystem)
	add(e, x.SORdata)
	add(e, x.Address)
	add(e, x.UnstructuredAddress)
	return e
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

func (x AttentionPerson) element() *etree.Element {
	e := class("memo:AttentionPerson")
	optional(e, "personID", x.PersonID)
	optional(e, "label", x.Label)
	return e
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

func (x ProductionUnit) element() *etree.Element {
	e := class("grd:ProductionUnit")
	leaf(e, "productionUnitNumber", x.ProductionUnitNumber)
	optional(e, "productionUnitName", x.ProductionUnitName)
	return e
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

func (x GlobalLocationNumber) element() *etree.Element {
	e := class("gln:GlobalLocationNumber")
	leaf(e, "globalLocationNumber", x.GlobalLocationNumber)
	optional(e, "location", x.Location)
	return e
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

func (x EMail) element() *etree.Element {
	e := class("memo:EMail")
	leaf(e, "emailAddress", x.EmailAddress)
	optional(e, "relatedAgent", x.RelatedAgent)
	return e
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

func (x SEnumber) element() *etree.Element {
	e := class("grd:SEnumber")
	leaf(e, "seNumber", x.SeNumber)
	optional(e, "companyName", x.CompanyName)
	return e
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

func (x Telephone) element() *etree.Element {
	e := class("memo:Telephone")
	leaf(e, "telephoneNumber", x.TelephoneNumber)
	optional(e, "relatedAgent", x.RelatedAgent)
	return e
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

func (x EID) element() *etree.Element {
	e := class("grd:EID")
	leaf(e, "eID", x.EID)
	optional(e, "label", x.Label)
	return e
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

func (x ContentResponsible) element() *etree.Element {
	e := class("memo:ContentResponsible")
	optional(e, "contentResponsibleID", x.ContentResponsibleID)
	optional(e, "label", x.Label)
	return e
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

func (x GeneratingSystem) element() *etree.Element {
	e := class("memo:GeneratingSystem")
	leaf(e, "generatingSystemID", x.GeneratingSystemID)
	optional(e, "label", x.Label)
	return e
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

func (x SORdata) element() *etree.Element {
	e := class("sor:SORdata")
	leaf(e, "sorIdentifier", x.SorIdentifier)
	optional(e, "entryName", x.EntryName)
	return e
}

func readSORdata(r *reader, x *SORdata) bool {
	return r.text("sor:sorIdentifier", &x.SorIdentifier) ||
		r.text("sor:entryName", &x.EntryName)
}
