package memo

import "github.com/beevik/etree"

// ContentData is the class ContentData: what the message is about, for systems that sort it. All parts are optional.
// [src: MEMO-1.1-XSD ContentData]
type ContentData struct {
	CPRdata               *CPRdata
	CVRdata               *CVRdata
	MotorVehicle          *MotorVehicle
	PropertyNumber        *PropertyNumber
	CaseID                *CaseID
	KLEdata               *KLEdata
	FORMdata              *FORMdata
	ProductionUnit        *ProductionUnit
	Education             *Education
	Address               *Address
	UnstructuredAddress   *UnstructuredAddress
	AdditionalContentData []AdditionalContentData // at most ten
}

func (x ContentData) element() *etree.Element {
	e := class("memo:ContentData")
	add(e, x.CPRdata)
	add(e, x.CVRdata)
	add(e, x.MotorVehicle)
	add(e, x.PropertyNumber)
	add(e, x.CaseID)
	add(e, x.KLEdata)
	add(e, x.FORMdata)
	add(e, x.ProductionUnit)
	add(e, x.Education)
	add(e, x.Address)
	add(e, x.UnstructuredAddress)
	addAll(e, x.AdditionalContentData)
	return e
}

// CPRdata is the class grd:CPRdata: the person the message is about. [src: MEMO-1.1-XSD CPRdata]
type CPRdata struct {
	CprNumber string
	Name      string // optional
}

func (x CPRdata) element() *etree.Element {
	e := class("grd:CPRdata")
	leaf(e, "cprNumber", x.CprNumber)
	optional(e, "name", x.Name)
	return e
}

// CVRdata is the class grd:CVRdata: the company the message is about. [src: MEMO-1.1-XSD CVRdata]
type CVRdata struct {
	CvrNumber   string
	CompanyName string // optional
}

func (x CVRdata) element() *etree.Element {
	e := class("grd:CVRdata")
	leaf(e, "cvrNumber", x.CvrNumber)
	optional(e, "companyName", x.CompanyName)
	return e
}

// MotorVehicle is the class dmv:MotorVehicle. [src: MEMO-1.1-XSD MotorVehicle]
type MotorVehicle struct {
	LicenseNumber string // at most 7 characters
	ChassisNumber string // optional
}

func (x MotorVehicle) element() *etree.Element {
	e := class("dmv:MotorVehicle")
	leaf(e, "licenseNumber", x.LicenseNumber)
	optional(e, "chassisNumber", x.ChassisNumber)
	return e
}

// PropertyNumber is the class grd:PropertyNumber (ejendomsnummer). [src: MEMO-1.1-XSD PropertyNumber]
type PropertyNumber struct {
	PropertyNumber string
}

func (x PropertyNumber) element() *etree.Element {
	e := class("grd:PropertyNumber")
	leaf(e, "propertyNumber", x.PropertyNumber)
	return e
}

// CaseID is the class CaseID: a case and the system it lives in. [src: MEMO-1.1-XSD CaseID]
type CaseID struct {
	CaseID     string
	CaseSystem string
}

func (x CaseID) element() *etree.Element {
	e := class("memo:CaseID")
	leaf(e, "caseID", x.CaseID)
	leaf(e, "caseSystem", x.CaseSystem)
	return e
}

// KLEdata is the class kle:KLEdata: a subject of KL Emnesystematik, the municipal classification.
// [src: MEMO-1.1-XSD KLEdata]
type KLEdata struct {
	SubjectKey    string // such as 00.00.00
	Version       string
	ActivityFacet string // optional
	Label         string
}

func (x KLEdata) element() *etree.Element {
	e := class("kle:KLEdata")
	leaf(e, "subjectKey", x.SubjectKey)
	leaf(e, "version", x.Version)
	optional(e, "activityFacet", x.ActivityFacet)
	leaf(e, "label", x.Label)
	return e
}

// FORMdata is the class form:FORMdata: a task of FORM, the classification of the whole public sector.
// [src: MEMO-1.1-XSD FORMdata]
type FORMdata struct {
	TaskKey       string // such as 00.00.00.00
	Version       string
	ActivityFacet string // optional
	Label         string
}

func (x FORMdata) element() *etree.Element {
	e := class("form:FORMdata")
	leaf(e, "taskKey", x.TaskKey)
	leaf(e, "version", x.Version)
	optional(e, "activityFacet", x.ActivityFacet)
	leaf(e, "label", x.Label)
	return e
}

// Education is the class udd:Education. [src: MEMO-1.1-XSD Education]
type Education struct {
	EducationCode string
	EducationName string // optional
}

func (x Education) element() *etree.Element {
	e := class("udd:Education")
	leaf(e, "educationCode", x.EducationCode)
	optional(e, "educationName", x.EducationName)
	return e
}

// AdditionalContentData is the class AdditionalContentData: a free, named value.
// [src: MEMO-1.1-XSD AdditionalContentData]
type AdditionalContentData struct {
	ContentDataType  string // optional: names a list
	ContentDataName  string
	ContentDataValue string
}

func (x AdditionalContentData) element() *etree.Element {
	e := class("memo:AdditionalContentData")
	optional(e, "contentDataType", x.ContentDataType)
	leaf(e, "contentDataName", x.ContentDataName)
	leaf(e, "contentDataValue", x.ContentDataValue)
	return e
}
