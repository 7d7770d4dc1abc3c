package memo

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

func (x ContentData) write(w *writer) {
	w.open("memo:ContentData")
	writeOne(w, x.CPRdata)
	writeOne(w, x.CVRdata)
	writeOne(w, x.MotorVehicle)
	writeOne(w, x.PropertyNumber)
	writeOne(w, x.CaseID)
	writeOne(w, x.KLEdata)
	writeOne(w, x.FORMdata)
	writeOne(w, x.ProductionUnit)
	writeOne(w, x.Education)
	writeOne(w, x.Address)
	writeOne(w, x.UnstructuredAddress)
	writeAll(w, x.AdditionalContentData)
	w.close()
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

func (x CPRdata) write(w *writer) {
	w.open("grd:CPRdata")
	w.leaf("cprNumber", x.CprNumber)
	w.optional("name", x.Name)
	w.close()
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

func (x CVRdata) write(w *writer) {
	w.open("grd:CVRdata")
	w.leaf("cvrNumber", x.CvrNumber)
	w.optional("companyName", x.CompanyName)
	w.close()
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

func (x MotorVehicle) write(w *writer) {
	w.open("dmv:MotorVehicle")
	w.leaf("licenseNumber", x.LicenseNumber)
	w.optional("chassisNumber", x.ChassisNumber)
	w.close()
}

func readMotorVehicle(r *reader, x *MotorVehicle) bool {
	return r.text("dmv:licenseNumber", &x.LicenseNumber) ||
		r.text("dmv:chassisNumber", &x.ChassisNumber)
}

// PropertyNumber is the class grd:PropertyNumber (ejendomsnummer). [src: MEMO-1.1-XSD PropertyNumber]
type PropertyNumber struct {
	PropertyNumber string
}

func (x PropertyNumber) write(w *writer) {
	w.open("grd:PropertyNumber")
	w.leaf("propertyNumber", x.PropertyNumber)
	w.close()
}

func readPropertyNumber(r *reader, x *PropertyNumber) bool {
	return r.text("grd:propertyNumber", &x.PropertyNumber)
}

// CaseID is the class CaseID: a case and the system it lives in. [src: MEMO-1.1-XSD CaseID]
type CaseID struct {
	CaseID     string
	CaseSystem string
}

func (x CaseID) write(w *writer) {
	w.open("memo:CaseID")
	w.leaf("caseID", x.CaseID)
	w.leaf("caseSystem", x.CaseSystem)
	w.close()
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

func (x KLEdata) write(w *writer) {
	w.open("kle:KLEdata")
	w.leaf("subjectKey", x.SubjectKey)
	w.leaf("version", x.Version)
	w.optional("activityFacet", x.ActivityFacet)
	w.leaf("label", x.Label)
	w.close()
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

func (x FORMdata) write(w *writer) {
	w.open("form:FORMdata")
	w.leaf("taskKey", x.TaskKey)
	w.leaf("version", x.Version)
	w.optional("activityFacet", x.ActivityFacet)
	w.leaf("label", x.Label)
	w.close()
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

func (x Education) write(w *writer) {
	w.open("udd:Education")
	w.leaf("educationCode", x.EducationCode)
	w.optional("educationName", x.EducationName)
	w.close()
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

func (x AdditionalContentData) write(w *writer) {
	w.open("memo:AdditionalContentData")
	w.optional("contentDataType", x.ContentDataType)
	w.leaf("contentDataName", x.ContentDataName)
	w.leaf("contentDataValue", x.ContentDataValue)
	w.close()
}

func readAdditionalContentData(r *reader, x *AdditionalContentData) bool {
	return r.text("contentDataType", &x.ContentDataType) ||
		r.text("contentDataName", &x.ContentDataName) ||
		r.text("contentDataValue", &x.ContentDataValue)
}
