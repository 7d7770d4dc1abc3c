package sf1601test

import "strings"

// shipment is what the simulator needs of a ForsendelseI.
type shipment struct {
	id         string // AfsendelseIdentifikator
	typeID     string // ForsendelseTypeIdentifikator
	userName   string // BrugerNavn
	unit       string // EnhedTekst
	documentID string // UUIDIdentifikator in DokumentParametre
	cvr        string // of the recipient
	name       string // PersonName of the recipient
	postcode   string // of the recipient
}

// number is what decides the behaviour of a letter that is only printed: its
// CPR number is ten zeros, so the CVR number, or four digits that end the
// recipient's name, or the post code.
func (p *shipment) number() string {
	if p.cvr != "" {
		return p.cvr
	}
	if n := len(p.name); n >= 4 && digits(p.name[n-4:], 4) {
		return "000000" + p.name[n-4:]
	}
	if digits(p.postcode, 4) {
		return "000000" + p.postcode
	}
	return ""
}

// printReader reads ForsendelseI: it checks the table and keeps the shipment.
type printReader struct {
	tableReader
	limit int64 // raw bytes of the letter

	doc  Document
	seen map[string]bool // children of the class whose choice is checked at its end
}

func newPrintReader(scan *scanner, req *request, limit int64) *printReader {
	req.shipment = &shipment{}
	return &printReader{tableReader: tableReader{scan: scan, req: req, invalid: CodeForsendelseInvalid}, limit: limit}
}

// samling reads a ForsendelseISamling that has just begun. The name says a
// collection, every client sends one; more than one is not simulated.
func (p *printReader) samling() error {
	for count := 0; ; {
		ev, err := p.scan.next()
		if err != nil {
			return err
		}
		switch ev {
		case eventText:
			if strings.TrimSpace(string(p.scan.text)) != "" {
				return &refusal{"ForsendelseISamling holds text"}
			}
		case eventStart:
			if count++; count > 1 || p.scan.uri != nsFjernprint || string(p.scan.local) != "ForsendelseI" {
				return &refusal{"ForsendelseISamling holds something else than one ForsendelseI"}
			}
			if err := p.read(); err != nil {
				return err
			}
		case eventEnd, eventEOF:
			if count == 0 {
				return &refusal{"ForsendelseISamling holds no ForsendelseI"}
			}
			return nil
		}
	}
}

func (p *printReader) read() error {
	p.attributes("")
	p.frames = append(p.frames, frame{class: printSchema(), at: p.scan.at})
	for len(p.frames) > 0 {
		ev, err := p.scan.next()
		if err != nil {
			return err
		}
		switch ev {
		case eventText:
			p.between()
		case eventStart:
			if err := p.start(); err != nil {
				return err
			}
		case eventEnd:
			p.end()
		case eventEOF: // the scanner reports an open element before this
			return nil
		}
	}
	return nil
}

// attributes takes xsi attributes, and scheme on the element named country.
func (p *printReader) attributes(element string) {
	country := ""
	for _, a := range p.scan.attrs {
		switch {
		case a.uri == nsXSI:
		case a.uri == "" && string(a.local) == "scheme" && element == "CountryIdentificationCode":
			country = string(a.value)
		default:
			p.find(p.invalid, "an attribute is not known", p.scan.at)
		}
	}
	if element == "CountryIdentificationCode" && !scheme(country) {
		p.find(p.invalid, "the scheme of 'CountryIdentificationCode' is missing or not one of the allowed values", p.scan.at)
	}
}

func (p *printReader) start() error {
	c := p.expect()
	if c == nil {
		return skip(p.scan)
	}
	p.attributes(c.name)
	if c.class != nil {
		p.frames = append(p.frames, frame{class: c.class, at: p.scan.at})
		switch c.name {
		case "AfsendelseModtager", "ModtagerAdresse", "AfsenderAdresse", "Bilag":
			p.seen = map[string]bool{}
			p.doc = Document{Kind: "Bilag"}
		}
		return nil
	}
	if c.name == "MeddelelsesFormatObjekt" {
		return p.any()
	}
	at := p.scan.at
	text, err := p.text(c)
	if err != nil {
		return err
	}
	if code, wrong := c.check(&value{text: text}); code != "" {
		p.find(p.invalid, "element '"+c.name+"' "+wrong, at)
	}
	p.keep(p.top().class.name, c.name, text, at)
	return nil
}

// any reads MeddelelsesFormatObjekt: one element of any name.
func (p *printReader) any() error {
	at, count := p.scan.at, 0
	for {
		ev, err := p.scan.next()
		if err != nil {
			return err
		}
		switch ev {
		case eventStart:
			count++
			if err := skip(p.scan); err != nil {
				return err
			}
		case eventEnd, eventEOF:
			if count != 1 {
				p.find(p.invalid, "element 'MeddelelsesFormatObjekt' does not hold one element", at)
			}
			return nil
		case eventText:
		}
	}
}

// keep notes what the simulator needs of a leaf. text is only borrowed.
func (p *printReader) keep(class, name string, text []byte, at int) {
	s := p.req.shipment
	switch class {
	case "ForsendelseI":
		p.keepLetter(name, text, at)
	case "AfsendelseModtager", "ModtagerAdresse", "AfsenderAdresse", "Bilag":
		if name == "PostCodeIdentifier" && p.line() {
			name = "PostCodeIdentifier of form B"
		}
		if p.seen[name] && name == "PostCodeIdentifier" {
			p.find(p.invalid, "element 'PostCodeIdentifier' occurs too often in '"+class+"'", at)
		}
		p.seen[name] = true
		p.keepChoice(class, name, text)
	case "DokumentParametre":
		if name == "UUIDIdentifikator" {
			s.documentID = clip(text)
		}
	case "KanalUafhaengigeParametreI":
		switch name {
		case "BrugerNavn":
			s.userName = clip(text)
		case "EnhedTekst":
			s.unit = clip(text)
		}
	}
}

func (p *printReader) keepLetter(name string, text []byte, at int) {
	switch name {
	case "AfsendelseIdentifikator":
		p.req.shipment.id = clip(text)
	case "ForsendelseTypeIdentifikator":
		p.req.shipment.typeID = clip(text)
	case "FilformatNavn":
		p.doc = Document{Kind: "ForsendelseI", Format: clip(text)}
	case "MeddelelseIndholdData":
		p.doc.Size, _ = decodedSize(text)
		if p.doc.Size > p.limit {
			p.find(p.invalid, "element '"+name+"' is larger than "+itoa(int(p.limit))+" bytes", at)
		}
		p.req.Documents = append(p.req.Documents, p.doc)
	}
}

func (p *printReader) keepChoice(class, name string, text []byte) {
	s := p.req.shipment
	switch name {
	case "CVRnummerIdentifikator":
		s.cvr = clip(text)
	case "PersonName", "PostCodeIdentifier", "PostCodeIdentifier of form B":
		switch {
		case class != "ModtagerAdresse":
		case name == "PersonName":
			s.name = clip(text)
		default:
			s.postcode = clip(text)
		}
	case "BilagNavn":
		p.doc.Filename = clip(text)
	case "FilformatNavn":
		p.doc.Format = clip(text)
	case "VedhaeftningIndholdData":
		p.doc.Size, _ = decodedSize(text)
	}
}

// end closes the innermost class and checks the choices in it.
func (p *printReader) end() {
	f := p.top()
	p.missing(f, len(f.class.children))
	switch f.class.name {
	case "AfsendelseModtager":
		if p.seen["CPRnummerIdentifikator"] == p.seen["CVRnummerIdentifikator"] {
			p.find(p.invalid, "'AfsendelseModtager' does not have one of a CPR and a CVR number", f.at)
		}
	case "ModtagerAdresse", "AfsenderAdresse":
		p.address(f)
	case "Bilag":
		link := p.seen["VedhaeftningIndholdURLreference"]
		if link != p.seen["VedhaeftSomIndholdDataIndikator"] {
			p.find(p.invalid, "'Bilag' has one of VedhaeftningIndholdURLreference and VedhaeftSomIndholdDataIndikator", f.at)
		}
		if p.many(p.seen["BilagIdentifikator"], p.seen["VedhaeftningIndholdData"], link) {
			p.find(p.invalid, "'Bilag' has its content in two ways", f.at)
		}
		p.req.Documents = append(p.req.Documents, p.doc)
	}
	p.frames = p.frames[:len(p.frames)-1]
}

func (*printReader) many(ways ...bool) bool {
	n := 0
	for _, way := range ways {
		if way {
			n++
		}
	}
	return n > 1
}

// line says whether the address being read has a line of form B.
func (p *printReader) line() bool {
	for name := range p.seen {
		if strings.HasPrefix(name, "PostalAddress") {
			return true
		}
	}
	return false
}

// formA are the elements that only form A has.
var formA = [...]string{
	"CoNavn", "StreetName", "StreetBuildingIdentifier", "FloorIdentifier", "SuiteIdentifier",
	"MailDeliverySublocationIdentifier", "DistrictSubdivisionIdentifier", "PostOfficeBoxIdentifier",
}

// address checks that an address is in one of the two forms.
func (p *printReader) address(f *frame) {
	required := []string{"StreetName", "StreetBuildingIdentifier", "PostCodeIdentifier"}
	if p.line() {
		required = []string{"PostalAddressFirstLineText"}
		if p.seen["PostCodeIdentifier"] {
			p.find(p.invalid, "element 'PostCodeIdentifier' stands at the wrong place in '"+f.class.name+"'", f.at)
		}
		for _, name := range formA {
			if p.seen[name] {
				p.find(p.invalid, "'"+f.class.name+"' mixes the two forms of address", f.at)
			}
		}
	}
	for _, name := range required {
		if !p.seen[name] {
			p.find(p.invalid, "element '"+name+"' is missing in '"+f.class.name+"'", f.at)
		}
	}
}
