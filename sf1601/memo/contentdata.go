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

func readContentData(r *reader, x *ContentData) bool {
	return one(r, "grd:CPRdata", &x.CPRdata, readCPRdata) ||
		one(r, "grd:CVRdata", &x.CVRdata, readCVRdata) ||
		one(r, "dmv:MotorVehicle", &x.MotorVehicle, readMotorVehicle) ||
		one(r, "grd:PropertyNumber", &x.PropertyNumber, readPropertyNumber) ||
		one(r, "CaseID", &x.CaseID, readCaseID) ||
		one(r, "kle:KLEdata", &x.KLEdata, readKLEdata) ||
		one(r, "form:FORMdata", &x.FORMdata, readFORMdata) ||
		one(r, "grd:ProductionUnit", &x.ProductionUnit, readProductionUnit) ||
		one(r, "udd:Education", &x.Education, readEducation) ||
		one(r, "grd:Address", &x.Address, readAddress) ||
		one(r, "grd:UnstructuredAddress", &x.UnstructuredAddress, readUnstructuredAddress) ||
		many(r, "AdditionalContentData", &x.AdditionalContentData, readAdditionalContentData)
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

func readCPRdata(r *reader, x *CPRdata) bool {
	return r.text("grd:cprNumber", &x.CprNumber) ||
		r.text("grd:name", &x.Name)
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

func readCVRdata(r *reader, x *CVRdata) bool {
	return r.text("grd:cvrNumber", &x.CvrNumber) ||
		r.text("grd:companyName", &x.CompanyName)
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

func readMotorVehicle(r *reader, x *MotorVehicle) bool {
	return r.text("dmv:licenseNumber", &x.LicenseNumber) ||
		r.text("dmv:chassisNumber", &x.ChassisNumber)
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

func readPropertyNumber(r *reader, x *PropertyNumber) bool {
	return r.text("grd:propertyNumber", &x.PropertyNumber)
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

func readCaseID(r *reader, x *CaseID) bool {
	return r.text("caseID", &x.CaseID) ||
		r.text("caseSystem", &x.CaseSystem)
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

func readKLEdata(r *reader, x *KLEdata) bool {
	return r.text("kle:subjectKey", &x.SubjectKey) ||
		r.text("kle:version", &x.Version) ||
		r.text("kle:activityFacet", &x.ActivityFacet) ||
		r.text("kle:label", &x.Label)
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

func readFORMdata(r *reader, x *FORMdata) bool {
	return r.text("form:taskKey", &x.TaskKey) ||
		r.text("form:version", &x.Version) ||
		r.text("form:activityFacet", &x.ActivityFacet) ||
		r.text("form:label", &x.Label)
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

func readEducation(r *reader, x *Education) bool {
	return r.text("udd:educationCode", &x.EducationCode) ||
		r.text("udd:educationName", &x.EducationName)
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

func readAdditionalContentData(r *reader, x *AdditionalContentData) bool {
	return r.text("contentDataType", &x.ContentDataType) ||
		r.text("contentDataName", &x.ContentDataName) ||
		r.text("contentDataValue", &x.ContentDataValue)
}
