package memo

func (x AttentionData) check(c *checker) {
	checkOptional(c, "AttentionPerson", x.AttentionPerson)
	checkOptional(c, "ProductionUnit", x.ProductionUnit)
	checkOptional(c, "GlobalLocationNumber", x.GlobalLocationNumber)
	checkOptional(c, "EMail", x.EMail)
	checkOptional(c, "SEnumber", x.SEnumber)
	checkOptional(c, "Telephone", x.Telephone)
	checkOptional(c, "EID", x.EID)
	checkOptional(c, "ContentResponsible", x.ContentResponsible)
	checkOptional(c, "GeneratingSystem", x.GeneratingSystem)
	checkOptional(c, "SORdata", x.SORdata)
	checkOptional(c, "Address", x.Address)
	checkOptional(c, "UnstructuredAddress", x.UnstructuredAddress)
	c.oneAddress(x.Address, x.UnstructuredAddress)
}

func (x AttentionPerson) check(c *checker) {
	c.text("personID", x.PersonID, maxText)
	c.text("label", x.Label, maxText)
}

func (x ProductionUnit) check(c *checker) {
	c.digits("productionUnitNumber", x.ProductionUnitNumber, 1, 10)
	c.text("productionUnitName", x.ProductionUnitName, maxText)
}

func (x GlobalLocationNumber) check(c *checker) {
	c.digits("globalLocationNumber", x.GlobalLocationNumber, 1, 13)
	c.text("location", x.Location, maxText)
}

func (x EMail) check(c *checker) {
	c.required("emailAddress", x.EmailAddress)
	c.text("relatedAgent", x.RelatedAgent, maxText)
}

func (x SEnumber) check(c *checker) {
	c.required("seNumber", x.SeNumber)
	c.text("companyName", x.CompanyName, maxText)
}

func (x Telephone) check(c *checker) {
	c.required("telephoneNumber", x.TelephoneNumber)
	c.text("relatedAgent", x.RelatedAgent, maxText)
}

func (x EID) check(c *checker) {
	c.required("eID", x.EID)
	c.text("label", x.Label, maxText)
}

func (x ContentResponsible) check(c *checker) {
	c.text("contentResponsibleID", x.ContentResponsibleID, maxText)
	c.text("label", x.Label, maxText)
}

func (x GeneratingSystem) check(c *checker) {
	c.required("generatingSystemID", x.GeneratingSystemID)
	c.text("label", x.Label, maxText)
}

func (x SORdata) check(c *checker) {
	c.required("sorIdentifier", x.SorIdentifier)
	c.text("entryName", x.EntryName, maxText)
}

func (x Address) check(c *checker) {
	c.text("id", x.ID, maxText)
	c.text("addressLabel", x.AddressLabel, maxText)
	c.text("houseNumber", x.HouseNumber, maxText)
	c.text("door", x.Door, maxText)
	c.text("floor", x.Floor, maxText)
	c.text("co", x.CO, maxText)
	c.text("zipCode", x.ZipCode, maxText)
	c.text("city", x.City, maxText)
	c.text("country", x.Country, maxText)
	checkOptional(c, "AddressPoint", x.AddressPoint)
}

func (x AddressPoint) check(c *checker) {
	c.text("geographicEastingMeasure", x.GeographicEastingMeasure, maxText)
	c.text("geographicNorthingMeasure", x.GeographicNorthingMeasure, maxText)
	c.text("geographicHeightMeasure", x.GeographicHeightMeasure, maxText)
}

func (x UnstructuredAddress) check(c *checker) {
	c.required("unstructured", x.Unstructured)
}

func (x ContentData) check(c *checker) {
	checkOptional(c, "CPRdata", x.CPRdata)
	checkOptional(c, "CVRdata", x.CVRdata)
	checkOptional(c, "MotorVehicle", x.MotorVehicle)
	checkOptional(c, "PropertyNumber", x.PropertyNumber)
	checkOptional(c, "CaseID", x.CaseID)
	checkOptional(c, "KLEdata", x.KLEdata)
	checkOptional(c, "FORMdata", x.FORMdata)
	checkOptional(c, "ProductionUnit", x.ProductionUnit)
	checkOptional(c, "Education", x.Education)
	checkOptional(c, "Address", x.Address)
	checkOptional(c, "UnstructuredAddress", x.UnstructuredAddress)
	c.oneAddress(x.Address, x.UnstructuredAddress)
	checkAll(c, "AdditionalContentData", x.AdditionalContentData, maxAdditionalContentData)
}

func (x CPRdata) check(c *checker) {
	c.digits("cprNumber", x.CprNumber, 10, 10)
	c.text("name", x.Name, maxText)
}

func (x CVRdata) check(c *checker) {
	c.digits("cvrNumber", x.CvrNumber, 8, 8)
	c.text("companyName", x.CompanyName, maxText)
}

func (x MotorVehicle) check(c *checker) {
	c.requiredUpTo("licenseNumber", x.LicenseNumber, maxLicenseNumber)
	c.text("chassisNumber", x.ChassisNumber, maxText)
}

func (x PropertyNumber) check(c *checker) {
	c.required("propertyNumber", x.PropertyNumber)
}

func (x CaseID) check(c *checker) {
	c.required("caseID", x.CaseID)
	c.required("caseSystem", x.CaseSystem)
}

func (x KLEdata) check(c *checker) {
	c.required("subjectKey", x.SubjectKey)
	c.required("version", x.Version)
	c.text("activityFacet", x.ActivityFacet, maxText)
	c.required("label", x.Label)
}

func (x FORMdata) check(c *checker) {
	c.required("taskKey", x.TaskKey)
	c.required("version", x.Version)
	c.text("activityFacet", x.ActivityFacet, maxText)
	c.required("label", x.Label)
}

func (x Education) check(c *checker) {
	c.required("educationCode", x.EducationCode)
	c.text("educationName", x.EducationName, maxText)
}

func (x AdditionalContentData) check(c *checker) {
	c.text("contentDataType", x.ContentDataType, maxText)
	c.required("contentDataName", x.ContentDataName)
	c.required("contentDataValue", x.ContentDataValue)
}
