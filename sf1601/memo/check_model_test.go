package memo

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/beevik/etree"
)

// schemaFolder is the official MeMo 1.1 schema, beside the module.
func schemaFolder(t testing.TB) string {
	t.Helper()
	folder := filepath.Join("..", "..", "..", "shared", "conformance", "memo-1.1-xsd")
	if _, err := os.Stat(folder); err != nil {
		missing(t, "../shared/conformance/memo-1.1-xsd")
	}
	return folder
}

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("MISSING: %s; required while CI=true", what)
	}
	t.Skipf("SKIPPED, NOT CHECKED: %s is missing", what)
}

// The description of the model is the schema of 1.1, class by class, once the additions of 1.2 are left out.
func TestTheModelIsTheSchema(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(schemaFolder(t), "*.xsd"))
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	official := map[string]string{}
	types := map[string]string{} // of the properties that foreign schemas declare globally
	for _, pass := range []bool{true, false} {
		for _, file := range files {
			doc := etree.NewDocument()
			if err := doc.ReadFromFile(file); err != nil {
				t.Fatal(err)
			}
			prefix, known := prefixOf(doc.Root().SelectAttrValue("targetNamespace", ""))
			if !known {
				continue // the simple types
			}
			for _, e := range doc.Root().SelectElements("element") {
				switch complexType := e.SelectElement("complexType"); {
				case complexType == nil:
					types[prefix+":"+e.SelectAttrValue("name", "")] = e.SelectAttrValue("type", "")
				case !pass:
					official[prefix+":"+e.SelectAttrValue("name", "")] = members(complexType, prefix, types)
				}
			}
		}
	}
	for name, class := range modelClasses() {
		if class.envelope {
			continue
		}
		if !strings.Contains(name, ":") {
			name = "memo:" + name
		}
		want, found := official[name]
		delete(official, name)
		switch {
		case name == "memo:Representative":
		case !found:
			t.Errorf("the schema has no class %s", name)
		case ours(class) != want:
			t.Errorf("%s\ngot  %s\nwant %s", name, ours(class), want)
		}
	}
	for name := range official {
		t.Errorf("class %s is missing", name)
	}
}

// members describes the children of a class in the schema.
func members(e *etree.Element, prefix string, types map[string]string) string {
	var b strings.Builder
	for _, x := range e.FindElements(".//element") {
		name, typ := prefix+":"+x.SelectAttrValue("name", ""), x.SelectAttrValue("type", "")
		if ref := x.SelectAttrValue("ref", ""); ref != "" {
			if name = ref; !strings.Contains(ref, ":") {
				name = prefix + ":" + ref
			}
			typ = types[name]
		}
		fmt.Fprintf(&b, "%s %s..%s %s; ", name, x.SelectAttrValue("minOccurs", "1"), x.SelectAttrValue("maxOccurs", "1"), typ)
	}
	return b.String()
}

// ours describes a class of the model in the same way.
func ours(c *modelClass) string {
	var b strings.Builder
	for _, x := range c.members {
		if x.since == V1_2 {
			continue
		}
		most := strconv.Itoa(x.most)
		if x.most == unbounded {
			most = "unbounded"
		}
		fmt.Fprintf(&b, "%s:%s %d..%s %s; ", x.prefix, x.local, x.least, most, schemaType(x.kind))
	}
	return b.String()
}

func schemaType(k kind) string {
	switch k {
	case kindText, kindFilename, kindCPR, kindCVR:
		return "dt:memoTextType"
	case kindMessageType:
		return "dt:memoMessageType"
	case kindUUID:
		return "dt:memoUuidType"
	case kindNotification:
		return "dt:memoNotificationType"
	case kindComment:
		return "dt:memoCommentType"
	case kindLicenseNumber:
		return "dt:memoLicenseNumberType"
	case kindBoolean:
		return "xs:boolean"
	case kindDateTime:
		return "dt:memoDateTimeType"
	case kindDate:
		return "xs:date"
	case kindLanguage:
		return "dt:memoLanguageType"
	case kindBase64:
		return "xs:base64Binary"
	case kindURL:
		return "dt:memoUriType"
	case kindProductionUnit:
		return "dt:memoPNumberType"
	case kindGLN:
		return "dt:memoGLNType"
	case kindClass, kindForeign, kindValg:
	}
	return ""
}

// Every source of a rule is in the list of sources.
func TestEverySourceOfARuleIsListed(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile(filepath.Join("..", "..", "docs", "sources.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{
		sourceXSD, sourceXSDTypes, source12, sourceXML, sourceValidation, sourceSize, sourceFull, sourceClients, sourceITK, sourcePython,
		sourceOS2Forms, sourceAPI, sourceParty,
	} {
		id, _, _ := strings.Cut(source, " ")
		if !bytes.Contains(list, []byte("\n"+id+" | ")) {
			t.Errorf("%s is not in docs/sources.txt", id)
		}
	}
}

// What Check holds against the schema and what xmllint does are the same, for some hundred messages with random faults.
func TestCheckAgreesWithXmllint(t *testing.T) {
	t.Parallel()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		missing(t, "xmllint (apt-get install libxml2-utils)")
	}
	schema := filepath.Join(schemaFolder(t), "MeMo_core.xsd")
	random := rand.New(rand.NewPCG(11, 7))
	dir := t.TempDir()
	arguments := []string{"--nonet", "--noout", "--schema", schema}
	documents := map[string][]byte{}
	for n := range 600 {
		name := filepath.Join(dir, strconv.Itoa(n)+".xml")
		documents[name] = mutant(t, random, schemaSamples()[n%len(schemaSamples())])
		if err := os.WriteFile(name, documents[name], 0o600); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, name)
	}

	out, _ := exec.CommandContext(t.Context(), xmllint, arguments...).CombinedOutput()
	valid := 0
	for name, document := range documents {
		accepted := bytes.Contains(out, []byte(name+" validates\n"))
		if !accepted && !bytes.Contains(out, []byte(name+" fails to validate\n")) {
			t.Fatalf("xmllint says nothing about %s: %s", name, out)
		}
		if accepted {
			valid++
		}
		r, err := Check(t.Context(), bytes.NewReader(document), CheckOptions{})
		if err != nil {
			t.Fatal(err)
		}
		against := slices.ContainsFunc(r.Findings, func(f CheckFinding) bool {
			return f.Severity == SeverityError && (strings.HasPrefix(f.Source, sourceXSD) || f.Rule == RuleVersion && f.Source == source12)
		})
		if against == accepted && !beyondXmllint(r) {
			t.Errorf("xmllint accepts: %v; found %+v in\n%s\n%s", accepted, r.Findings, document, about(out, name))
		}
	}
	if valid < 50 || valid > len(documents)-50 {
		t.Errorf("%d of %d are valid: the faults are too many or too few", valid, len(documents))
	}
}

// beyondXmllint: xmllint skips characters that base64 does not have, and asks more of an anyURI than the schema language.
func beyondXmllint(r *Report) bool {
	return slices.ContainsFunc(r.Findings, func(f CheckFinding) bool { return f.Rule == RuleBase64 || f.Rule == RuleHTTPS })
}

func about(out []byte, name string) string {
	var b strings.Builder
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, name) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// Check never says less than Validate says about what Read made of the same file.
func TestCheckFindsWhatValidateFinds(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 3))
	names := append(schemaSamples(), "full-1.2.xml", "letter-1.2.xml", "actions-1.2.xml", "nemsms-1.2.xml")
	compared := 0
	for n := range 800 {
		document := mutant(t, random, names[n%len(names)])
		m, err := Read(t.Context(), bytes.NewReader(document), ReadOptions{
			Sink: InMemory(), Fault: func(*ReadError) error { return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		var invalid *Invalid
		if !errors.As(m.Validate(), &invalid) {
			continue
		}
		r, err := Check(t.Context(), bytes.NewReader(document), CheckOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range invalid.Findings {
			compared++
			if !slices.ContainsFunc(r.Findings, func(f CheckFinding) bool { return covers(f, want) }) {
				t.Errorf("%s (%s) is not found in\n%s\nonly %+v", want.Path, want.Rule, document, r.Findings)
			}
		}
	}
	if compared < 200 {
		t.Errorf("only %d findings were compared", compared)
	}
}

// covers tells whether a finding of Check stands where one of Validate does, or at a class around it that is missing.
func covers(f CheckFinding, want Finding) bool {
	return f.Severity != SeverityNote &&
		(f.Path == want.Path || strings.HasPrefix(want.Path, f.Path+"/") || strings.HasPrefix(f.Path, want.Path))
}

// schemaSamples are messages of ours that the schema takes.
func schemaSamples() []string {
	return []string{"full-1.1.xml", "letter-1.1.xml", "actions-1.1.xml", "nemsms-1.1.xml", "minimum-1.1.xml"}
}

// mutant is a valid message with one random fault, or with a change that is none.
func mutant(t *testing.T, random *rand.Rand, name string) []byte {
	t.Helper()
	doc := etree.NewDocument()
	if err := doc.ReadFromFile(filepath.Join("testdata", name)); err != nil {
		t.Fatal(err)
	}
	all := doc.Root().FindElements(".//*")
	e := all[random.IntN(len(all))]
	parent := e.Parent()
	switch random.IntN(8) {
	case 0:
		parent.RemoveChild(e)
	case 1:
		parent.InsertChildAt(e.Index(), e.Copy())
	case 2:
		parent.AddChild(e) // to the end
	case 3:
		e.Tag += "X"
	case 4:
		e.CreateAttr("lang", "da")
	default:
		for len(e.ChildElements()) > 0 { // a property
			e = e.ChildElements()[random.IntN(len(e.ChildElements()))]
		}
		values := nastyValues()
		e.SetText(values[random.IntN(len(values))])
	}
	b, err := doc.WriteToBytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func nastyValues() []string {
	return []string{
		"", " ", "true", "1", " false ", "TRUE", "0", "2026-12-01T09:00:00Z", "2026-12-01T09:00:00", "2026-12-01T09:00:00+01:00",
		"2026-12-01T09:00:00.5Z", "2026-02-30T09:00:00Z", "2026-12-01T24:00:00Z", "2026-12-01T24:00:01Z", " 2026-12-01T09:00:00Z ",
		"2026-12-01", "2026-12-01Z", "2026-12-01+14:00", "2026-13-01", "da", "d", "12", "da-DK", "d1", strings.Repeat("æ", 7),
		strings.Repeat("æ", 8), strings.Repeat("æ", 150), strings.Repeat("æ", 151), strings.Repeat("ø", 256),
		strings.Repeat("ø", 257), strings.Repeat("å", 512), strings.Repeat("å", 513), "9999999999", "10000000000", "-5", "+5", "007",
		"9999999999999", "10000000000000", "99999999999999999999", "1.5", "5b2e9f54-5c0e-4d27-9d5a-0d9c5a0c1f11",
		"5B2E9F54-5C0E-4D27-9D5A-0D9C5A0C1F11", "5b2e9f54-5c0e-1d27-9d5a-0d9c5a0c1f11", " 5b2e9f54-5c0e-4d27-9d5a-0d9c5a0c1f11",
		"VG8=", "VG9v", "VG 9v\n", "VG9", "VG==", "VH==", "V===", "*", "DIGITALPOST", "NEMSMS", " NEMSMS", "nemsms", "CPR", "due",
	}
}
