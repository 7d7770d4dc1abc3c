package beskedfordeler_test

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(withBrokers{m}) }

// official is the published example of a pushed status; the test is skipped
// where the conformance files are not beside the module.
func official(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "conformance", "beskedfordeler", "PostStatusBeskedModtag.success.xml"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the official example is required in CI: %v", err)
		}
		t.Skipf("SKIPPED, NOT TESTED: the official example is not here: %v", err)
	}
	return b
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t.UTC()
}

// fromTest is the content of the official example.
func fromTest() *beskedfordeler.Besked {
	return &beskedfordeler.Besked{
		ID: "bd12c645-de98-453a-ac80-f58a76942eda", Version: "1.0",
		Type: beskedfordeler.TypePKOPostStatus, Actor: beskedfordeler.ActorDigitalPost, Recipients: []string{"55133018"},
		Related:        []beskedfordeler.RelatedObject{{ID: "53213778-de6b-42ee-8fbd-8aa73b0d4d85", Type: beskedfordeler.ObservedRelatedType}},
		RegistrationID: "1ab6eb87-a457-4ad3-8952-ed8f18a1676a", RegistrationActor: beskedfordeler.ObservedSource,
		Registered: at("2023-02-13T11:22:05.154Z"), Authority: "55133018",
		ObjectID: "8853363b-43ec-4d0a-a54d-65447f9447ed", ObjectType: beskedfordeler.ObservedObjectType, Handling: beskedfordeler.HandlingAfleveret,
		Created: at("2023-02-13T11:22:05.570Z"), TransactionID: "3ca4c059-9fab-4144-b877-fe1e19cb7fbf", Source: beskedfordeler.ObservedSource,
		Classification: beskedfordeler.SensitivityNone,
		Route: beskedfordeler.Route{
			Distributor: beskedfordeler.ObservedDistributor, Received: at("2023-02-13T11:22:31.990Z"), Delivered: at("2023-02-13T11:22:31.991Z"),
			From: beskedfordeler.ObservedSource, Subscription: "f27ab282-1096-4c04-af62-bcd01a2f1525", Attempts: 1,
		},
		Status: &beskedfordeler.PostStatus{
			TransmissionID: "1ab6eb87-a457-4ad3-8952-ed8f18a1676a", MessageUUID: "8853363b-43ec-4d0a-a54d-65447f9447ed",
			MessageID: "0d7a7d95-0c4a-4f86-bd98-c599d0b81128", KanalKode: "Digital Post", TransaktionsDatoTid: at("2023-02-13T11:22:05.154Z"),
			TransaktionsStatusKode: "Afleveret Digital Post", CorrelationID: "1ab6eb87-a457-4ad3-8952-ed8f18a1676a",
		},
	}
}

func TestDecodeOfficialExample(t *testing.T) {
	t.Parallel()
	got, err := beskedfordeler.Decode(official(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := fromTest(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v %+v\nwant %+v %+v", got, got.Status, want, want.Status)
	}
	if k, agreed := got.Kind(); k != beskedfordeler.KindAfleveret || !agreed {
		t.Errorf("kind %s, agreed %v", k, agreed)
	}
}

// What EncodeInput writes is the official example, but for white space, the
// zone of two times and what names a real system.
func TestEncodeIsTheOfficialExample(t *testing.T) {
	t.Parallel()
	want := string(official(t))
	for _, tag := range []string{"KildesystemIPAdresse", "KildesystemAkkreditiver"} {
		from, to := strings.Index(want, "<ns2:"+tag+">"), strings.Index(want, "</ns2:"+tag+">")
		want = want[:from] + want[to+len("</ns2:"+tag+">"):]
	}
	want = strings.NewReplacer("T12:22:31.990+01:00", "T11:22:31.990Z", "T12:22:31.991+01:00", "T11:22:31.991Z").Replace(want)
	var b strings.Builder
	for line := range strings.Lines(want) {
		b.WriteString(strings.TrimSpace(line))
	}
	got := strings.Replace(string(beskedfordeler.EncodeInput(fromTest())), "?>\n<", "?><", 1)
	if got != b.String() {
		t.Errorf("got  %s\nwant %s", got, b.String())
	}
}

// full has every field set, as no real message has.
func full() *beskedfordeler.Besked {
	b := fromTest()
	b.Related = append(b.Related, beskedfordeler.RelatedObject{ID: "urn:x:y", Type: "t", Role: "r"})
	b.Recipients = append(b.Recipients, "urn:oio:other:1")
	s := b.Status
	s.AfsendelseIdentifikator, s.ForsendelseIdentifikator, s.BrugerNavn, s.EnhedTekst = "A1", "F1", "bruger", "Enhed & <æøå>"
	s.AfsenderSystemIdentifikator, s.ForsendelseTypeIdentifikator = "S1", "4711"
	s.FejlKode, s.FejlTekst = "memo.invalid", "cvc-complex-type.2.4.a: line 3\n\t<File> & \"]]>\"\r\nend "
	s.Haendelser = []beskedfordeler.Haendelse{{TypeKode: "7", DatoTid: at("2023-02-14T00:00:00Z"), Beloeb: "12,50"}, {TypeKode: "8"}}
	return b
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	other := fromTest()
	other.Type, other.Status = "00000000-0000-4000-8000-000000000000", nil
	bare := &beskedfordeler.Besked{ID: "b", Type: "t"}
	for name, want := range map[string]*beskedfordeler.Besked{"example": fromTest(), "full": full(), "another type": other, "bare": bare} {
		got, err := beskedfordeler.Decode(beskedfordeler.EncodeInput(want))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v %+v\nwant %+v %+v", name, got, got.Status, want, want.Status)
		}
	}
	status := full().Status
	if got, err := beskedfordeler.DecodePostStatus(status.Encode()); err != nil || !reflect.DeepEqual(got, status) {
		t.Errorf("status: %+v %v", got, err)
	}
}

// with replaces a part of the full message, which must be there; parts of the
// status are replaced before Base64.
func with(t *testing.T, from, to string) []byte {
	t.Helper()
	b := full()
	status := string(b.Status.Encode())
	outer := string(beskedfordeler.EncodeInput(b))
	coded := base64.StdEncoding.EncodeToString([]byte(status))
	switch {
	case strings.Contains(outer, from):
		return []byte(strings.Replace(outer, from, to, 1))
	case strings.Contains(status, from):
		status = strings.Replace(status, from, to, 1)
		return []byte(strings.Replace(outer, coded, base64.StdEncoding.EncodeToString([]byte(status)), 1))
	}
	t.Fatalf("the message has no %q", from)
	return nil
}

func TestDecodeTolerates(t *testing.T) {
	t.Parallel()
	outer := string(beskedfordeler.EncodeInput(full()))
	pull := outer[strings.Index(outer, "<ns2:Haendelsesbesked>"):strings.Index(outer, "</ns4:Modtag")]
	pull = strings.Replace(pull, "<ns2:Haendelsesbesked", `<ns2:Haendelsesbesked xmlns="urn:oio:sagdok:3.0.0" xmlns:ns2="urn:oio:besked:kuvert:1.0"`, 1)
	for name, doc := range map[string][]byte{
		"pull root":           []byte(pull),
		"other prefixes":      []byte(strings.ReplaceAll(outer, "ns2:", "kuvert:")),
		"no namespaces":       []byte(strings.ReplaceAll(strings.ReplaceAll(outer, "ns2:", ""), "ns4:", "")),
		"BOM":                 []byte("\ufeff" + outer),
		"utf8":                with(t, `"UTF-8" standalone`, `'utf8' standalone`),
		"Base64 in oio":       with(t, `<Base64 xmlns="urn:besked:kuvert:1.0"`, `<Base64 xmlns="urn:oio:besked:kuvert:1.0"`),
		"Base64 in lines":     with(t, "PFBLT19Qb3N0", "PFBL\n  T19Qb3N0"),
		"upper-case UUIDs":    with(t, "bd12c645-de98", "BD12C645-DE98"),
		"upper-case Message":  with(t, "<MessageUUID>8853363b", "<MessageUUID>8853363B"),
		"cvr-nr":              with(t, "urn:oio:cvr:55133018", "urn:oio:cvr-nr:55133018"),
		"time with zone":      with(t, "2023-02-13T11:22:05.570Z", "2023-02-13T12:22:05.570+01:00"),
		"time without zone":   with(t, "2023-02-13T11:22:05.570Z", "2023-02-13T11:22:05.570"),
		"unknown element":     with(t, "<ns2:BeskedVersion>", "<ns2:New><x/></ns2:New><ns2:BeskedVersion>"),
		"schema's extension":  []byte(strings.ReplaceAll(outer, "LeveranceruteLokalUdvidelse", "LokalUdvidelse")),
		"comments":            with(t, "<ns2:BeskedVersion>", "<!-- x --><ns2:BeskedVersion>"),
		"credentials present": with(t, "<ns2:Sikkerhedsklassificering>", "<ns2:KildesystemAkkreditiver>secret</ns2:KildesystemAkkreditiver><ns2:Sikkerhedsklassificering>"),
	} {
		got, err := beskedfordeler.Decode(doc)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := full(); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v %+v", name, got, got.Status)
		}
	}
	short, err := beskedfordeler.Decode(with(t, "2023-02-13T11:22:05.570Z", "2023-02-13T11:22:05Z"))
	if err != nil || !short.Created.Equal(at("2023-02-13T11:22:05Z")) {
		t.Errorf("no fraction: %v %v", short, err)
	}
}

func TestDecodeRejects(t *testing.T) {
	t.Parallel()
	const secret = "2512489996"
	for name, c := range map[string]struct {
		doc   []byte
		field string
		is    error
	}{
		"nothing":             {nil, "message", beskedfordeler.ErrEmpty},
		"blanks":              {[]byte(" \n"), "message", beskedfordeler.ErrEmpty},
		"BOM alone":           {[]byte("\ufeff"), "message", beskedfordeler.ErrEmpty},
		"comment alone":       {[]byte("<!-- x -->"), "message", beskedfordeler.ErrEmpty},
		"not XML":             {[]byte(secret), "message", nil},
		"cut":                 {with(t, "</ns4:ModtagBeskedInput>", ""), "message", nil},
		"two roots":           {with(t, "</ns4:ModtagBeskedInput>", "</ns4:ModtagBeskedInput><a/>"), "message", nil},
		"text after":          {with(t, "</ns4:ModtagBeskedInput>", "</ns4:ModtagBeskedInput>x"), "message", nil},
		"text between":        {with(t, "<ns2:BeskedVersion>", secret+"<ns2:BeskedVersion>"), "message", nil},
		"DTD":                 {with(t, "<ns4:ModtagBeskedInput", "<!DOCTYPE a><ns4:ModtagBeskedInput"), "message", nil},
		"external entity":     {with(t, "<ns4:ModtagBeskedInput", `<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><ns4:ModtagBeskedInput`), "message", nil},
		"entity":              {with(t, "<ns2:BeskedVersion>1.0", "<ns2:BeskedVersion>&x;"), "message", nil},
		"latin-1":             {with(t, `"UTF-8" standalone`, `"ISO-8859-1" standalone`), "message", nil},
		"deep":                {[]byte(strings.Repeat("<a>", 40) + strings.Repeat("</a>", 40)), "message", nil},
		"wide":                {[]byte("<a>" + strings.Repeat("<b/>", 10_001) + "</a>"), "message", nil},
		"large":               {[]byte("<a>" + strings.Repeat("x", 4<<20) + "</a>"), "message", nil},
		"another root":        {[]byte("<Besked/>"), "message", nil},
		"no event":            {[]byte("<ModtagBeskedInput/>"), "ModtagBeskedInput/Haendelsesbesked", nil},
		"two events":          {[]byte("<ModtagBeskedInput><Haendelsesbesked/><Haendelsesbesked/></ModtagBeskedInput>"), "ModtagBeskedInput/Haendelsesbesked", nil},
		"no BeskedId":         {with(t, "<ns2:BeskedId><UUIDIdentifikator>bd12c645-de98-453a-ac80-f58a76942eda</UUIDIdentifikator></ns2:BeskedId>", ""), "Haendelsesbesked/BeskedId", beskedfordeler.ErrNoBeskedID},
		"empty BeskedId":      {with(t, "bd12c645-de98-453a-ac80-f58a76942eda", " "), "Haendelsesbesked/BeskedId", beskedfordeler.ErrNoBeskedID},
		"two BeskedId":        {with(t, "<ns2:BeskedId>", "<ns2:BeskedId/><ns2:BeskedId>"), "Haendelsesbesked/BeskedId", nil},
		"UUID and URN":        {with(t, "bd12c645-de98-453a-ac80-f58a76942eda</UUIDIdentifikator>", "a</UUIDIdentifikator><URNIdentifikator>b</URNIdentifikator>"), "BeskedId", nil},
		"no envelope":         {[]byte("<Haendelsesbesked><BeskedId><UUIDIdentifikator>a</UUIDIdentifikator></BeskedId></Haendelsesbesked>"), "Haendelsesbesked/Beskedkuvert", nil},
		"no Beskedtype":       {with(t, beskedfordeler.TypePKOPostStatus, ""), "Filtreringsdata/Beskedtype", nil},
		"bad time":            {with(t, "2023-02-13T11:22:05.570Z", "13-02-2023"), "Dannelsestidspunkt/TidsstempelDatoTid", nil},
		"bad attempts":        {with(t, "<ns2:AntalLeveranceforsoeg>1", "<ns2:AntalLeveranceforsoeg>x"), "LeveranceruteLokalUdvidelse/AntalLeveranceforsoeg", nil},
		"elements for text":   {with(t, "<ns2:BeskedVersion>1.0", "<ns2:BeskedVersion><x/>"), "Haendelsesbesked/BeskedVersion", nil},
		"no Beskeddata":       {[]byte(strings.ReplaceAll(string(beskedfordeler.EncodeInput(full())), "ns2:Beskeddata>", "ns2:Data>")), "Haendelsesbesked/Beskeddata", nil},
		"no Base64":           {[]byte(strings.ReplaceAll(string(beskedfordeler.EncodeInput(full())), "Base64", "Tekst")), "Beskeddata/Base64", nil},
		"not Base64":          {with(t, "PFBLT19Qb3N0", "!"), "Beskeddata/Base64", nil},
		"element in Base64":   {[]byte(strings.Replace(string(beskedfordeler.EncodeInput(full())), base64.StdEncoding.EncodeToString(full().Status.Encode()), "<x/>", 1)), "Beskeddata/Base64", nil},
		"status not XML":      {with(t, "<MessageUUID>", secret+"<"), "PKO_PostStatus", nil},
		"status with DTD":     {with(t, "<PKO_PostStatus", "<!DOCTYPE a><PKO_PostStatus"), "PKO_PostStatus", nil},
		"status another root": {[]byte(strings.Replace(string(beskedfordeler.EncodeInput(full())), base64.StdEncoding.EncodeToString(full().Status.Encode()), base64.StdEncoding.EncodeToString([]byte("<x/>")), 1)), "PKO_PostStatus", nil},
		"status twice told":   {with(t, "<KanalKode>", "<KanalKode>NemSMS</KanalKode><KanalKode>"), "PKO_PostStatus/KanalKode", nil},
		"status bad time":     {with(t, "<TransaktionsDatoTid>2023", "<TransaktionsDatoTid>23"), "PKO_PostStatus/TransaktionsDatoTid", nil},
	} {
		_, err := beskedfordeler.Decode(c.doc)
		var de *beskedfordeler.DecodeError
		if !errors.As(err, &de) || de.Field != c.field {
			t.Errorf("%s: %v, want field %s", name, err, c.field)
			continue
		}
		if c.is != nil && !errors.Is(err, c.is) || c.is == nil && (errors.Is(err, beskedfordeler.ErrEmpty) || errors.Is(err, beskedfordeler.ErrNoBeskedID)) {
			t.Errorf("%s: wraps %v, want %v", name, de.Err, c.is)
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error quotes the message: %v", name, err)
		}
	}
}

func TestKind(t *testing.T) {
	t.Parallel()
	all := []beskedfordeler.Kind{"modtaget", "afleveret", "fejlet", "fjernprint-modtaget", "klar", "til-print", "post-danmark", "afsendt", "tilbagekaldt", "opdatering"}
	for _, k := range all {
		for name, b := range map[string]*beskedfordeler.Besked{
			"both":     {Handling: strings.ToUpper(k.Handling()), Status: &beskedfordeler.PostStatus{TransaktionsStatusKode: " " + strings.ToUpper(k.StatusKode())}},
			"handling": {Handling: k.Handling(), Status: &beskedfordeler.PostStatus{}},
			"text":     {Status: &beskedfordeler.PostStatus{TransaktionsStatusKode: k.StatusKode()}},
			"no data":  {Handling: k.Handling()},
		} {
			if got, agreed := b.Kind(); got != k || !agreed {
				t.Errorf("%s by %s: %s, agreed %v", k, name, got, agreed)
			}
		}
	}
	for name, c := range map[string]struct {
		handling, text string
		want           beskedfordeler.Kind
		agreed         bool
	}{
		"disagree":         {beskedfordeler.HandlingFejlet, "Afleveret Digital Post", beskedfordeler.KindFejlet, false},
		"unknown text":     {beskedfordeler.HandlingAfleveret, "Leveret", beskedfordeler.KindAfleveret, false},
		"unknown handling": {"00000000-0000-4000-8000-000000000000", "Fejlet", beskedfordeler.KindFejlet, false},
		"nothing":          {"", "", beskedfordeler.KindUnknown, true},
		"both unknown":     {"x", "y", beskedfordeler.KindUnknown, true},
	} {
		b := &beskedfordeler.Besked{Handling: c.handling, Status: &beskedfordeler.PostStatus{TransaktionsStatusKode: c.text}}
		if got, agreed := b.Kind(); got != c.want || agreed != c.agreed {
			t.Errorf("%s: %s, agreed %v", name, got, agreed)
		}
	}
	if beskedfordeler.KindUnknown.Handling() != "" || beskedfordeler.KindUnknown.StatusKode() != "" {
		t.Error("unknown has a name")
	}
}

func TestMaskCredentials(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "<a>b</a>": "<a>b</a>",
		"<x:KildesystemAkkreditiver>s3</x:KildesystemAkkreditiver><b>c</b>":        "<x:KildesystemAkkreditiver>***</x:KildesystemAkkreditiver><b>c</b>",
		"<KildesystemAkkreditiver/><b>c</b>":                                       "<KildesystemAkkreditiver/><b>c</b>",
		"<KildesystemAkkreditiver>s3":                                              "<KildesystemAkkreditiver>***",
		"<KildesystemAkkreditiver s3":                                              "<KildesystemAkkreditiver***",
		"<KildesystemAkkreditiver>s3<!-- --></KildesystemAkkreditiver>":            "<KildesystemAkkreditiver>***</KildesystemAkkreditiver>",
		"<KildesystemAkkreditiver>s3</KildesystemAkkreditiver":                     "<KildesystemAkkreditiver>***",
		"<KildesystemAkkreditiver>s3<!-- </ -->s3</KildesystemAkkreditiver>":       "<KildesystemAkkreditiver>***</KildesystemAkkreditiver>",
		"<KildesystemAkkreditiver>s3</x>s3<KildesystemAkkreditiver/>":              "<KildesystemAkkreditiver>***",
		"<KildesystemAkkreditiver>s3KildesystemAkkreditiver>":                      "<KildesystemAkkreditiver>***",
		strings.Repeat("<KildesystemAkkreditiver>s3</KildesystemAkkreditiver>", 2): strings.Repeat("<KildesystemAkkreditiver>***</KildesystemAkkreditiver>", 2),
	} {
		if got := string(beskedfordeler.MaskCredentials([]byte(in))); got != want || strings.Contains(got, "s3") {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	masked := beskedfordeler.MaskCredentials(official(t))
	if strings.Contains(string(masked), "U0VSSUFM") {
		t.Error("the credential of the official example is still there")
	}
	if got, err := beskedfordeler.Decode(masked); err != nil || got.ID != fromTest().ID {
		t.Errorf("masked: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(beskedfordeler.EncodeInput(fromTest()))
	f.Add(beskedfordeler.EncodeInput(full()))
	f.Add([]byte("<Haendelsesbesked><BeskedId><UUIDIdentifikator>a</UUIDIdentifikator></BeskedId><Beskedkuvert><Filtreringsdata><Beskedtype><URNIdentifikator>x</URNIdentifikator></Beskedtype></Filtreringsdata></Beskedkuvert></Haendelsesbesked>"))
	if b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "conformance", "beskedfordeler", "PostStatusBeskedModtag.success.xml")); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		b, err := beskedfordeler.Decode(doc)
		if err != nil {
			if _, ok := errors.AsType[*beskedfordeler.DecodeError](err); !ok {
				t.Fatalf("not a DecodeError: %v", err)
			}
			return
		}
		if b.ID == "" || b.Type == "" || (b.Status != nil) != (b.Type == beskedfordeler.TypePKOPostStatus) {
			t.Fatalf("incomplete: %+v", b)
		}
		b.Kind()
		if _, err := beskedfordeler.Decode(beskedfordeler.EncodeInput(b)); err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
	})
}

func FuzzDecodePostStatus(f *testing.F) {
	f.Add(fromTest().Status.Encode())
	f.Add(full().Status.Encode())
	f.Fuzz(func(t *testing.T, doc []byte) {
		st, err := beskedfordeler.DecodePostStatus(doc)
		if err != nil {
			return
		}
		if _, err := beskedfordeler.DecodePostStatus(st.Encode()); err != nil {
			t.Fatalf("what was read cannot be written and read again: %v", err)
		}
	})
}

func FuzzMaskCredentials(f *testing.F) {
	f.Add([]byte("<x:KildesystemAkkreditiver>s3</x:KildesystemAkkreditiver>"))
	f.Fuzz(func(_ *testing.T, doc []byte) { beskedfordeler.MaskCredentials(doc) })
}

func BenchmarkDecode(b *testing.B) {
	doc := beskedfordeler.EncodeInput(fromTest())
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := beskedfordeler.Decode(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeInput(b *testing.B) {
	msg := fromTest()
	b.ReportAllocs()
	for b.Loop() {
		beskedfordeler.EncodeInput(msg)
	}
}
