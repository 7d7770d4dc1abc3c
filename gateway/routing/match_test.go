package routing_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// TestConditions holds every condition to what meets it and what does not.
func TestConditions(t *testing.T) {
	t.Parallel()
	type facts = routing.Facts
	info := func(label, value string) facts {
		return facts{ContactInfo: []routing.ContactInfo{{Label: "x", Value: "y"}, {Label: label, Value: value}}}
	}
	types := func(list ...string) facts { return facts{DocumentTypes: list} }
	for _, c := range []struct {
		match   string
		yes, no []facts
	}{
		{"contact_point: 241D39F6-998e-4929-b198-ccacbbf4b330",
			[]facts{{ContactPoint: " 241d39f6-998E-4929-b198-ccacbbf4b330 "}}, []facts{{}, {ContactPoint: "241d39f6"}}},
		{"contact_group: [22.33, 44.]",
			[]facts{{ContactGroup: "22.33"}, {ContactGroup: "22.33.44"}, {ContactGroup: "44.1"}}, []facts{{}, {ContactGroup: "22.3"}, {ContactGroup: "44"}}},
		{"kle: 27.", []facts{{KLE: "27.03"}, {KLE: "27.03.04"}}, []facts{{}, {KLE: "27"}, {KLE: "2.7"}, {KLE: "127.03"}}},
		{"kle: 27.03", []facts{{KLE: "27.03"}, {KLE: "27.03.04"}}, []facts{{KLE: "27.031"}, {KLE: "27"}}},
		{"form: 10", []facts{{FORM: "10.20.30.40"}}, []facts{{KLE: "10.20"}}},
		{"contact_info: {label: Emne, value: plads*}", []facts{info("emne", "Pladsanvisning")}, []facts{{}, info("emne", "andet"), info("x", "plads")}},
		{"contact_info: [{label: a}, {value: b}]", []facts{info("a", "x"), info("x", "b")}, []facts{info("b", "a")}},
		{"case_id: [sag-1, SAG-2026-*]", []facts{{CaseIDs: []string{"x", "Sag-1"}}, {CaseIDs: []string{"sag-2026-7"}}}, []facts{{}, {CaseIDs: []string{"sag-11"}}}},
		{"case_id: \"*\"", []facts{{CaseIDs: []string{"x"}}}, []facts{{}, {CaseIDs: []string{" "}}}},
		{"case_system: KMD*", []facts{{CaseSystem: "KMD Nova"}}, []facts{{CaseSystem: "SBSYS"}}},
		{"reply_to: ours", []facts{{Reply: routing.ReplyOurs}}, []facts{{}, {Reply: routing.ReplyOther}}},
		{"reply_to: any", []facts{{Reply: routing.ReplyOurs}, {Reply: routing.ReplyOther}}, []facts{{}, {Reply: routing.ReplyNone}}},
		{"reply_to: none", []facts{{}, {Reply: routing.ReplyNone}}, []facts{{Reply: routing.ReplyOurs}}},
		{"reply_to: [other, none]", []facts{{}, {Reply: routing.ReplyOther}}, []facts{{Reply: routing.ReplyOurs}}},
		{"sender_type: CPR", []facts{{SenderType: "cpr"}}, []facts{{}, {SenderType: "CVR"}}},
		{"sender_list: companies.txt", []facts{{SenderID: "55133018"}, {SenderID: "12345678"}}, []facts{{}, {SenderID: "87654321"}, {CPR: "12345678"}}},
		{"cpr_list: persons.txt", []facts{{CPR: "251248-9996"}, {CPR: "0102030405"}}, []facts{{}, {SenderID: "2512489996"}, {CPR: "not a number"}}},
		{"cpr_list: empty.txt", nil, []facts{{}, {CPR: "0102030405"}}},
		{"post_type: myndighedspost", []facts{{PostType: "MYNDIGHEDSPOST"}}, []facts{{PostType: "VIRKSOMHEDSPOST"}}},
		{"message_code: [A1, B*]", []facts{{MessageCode: "a1"}, {MessageCode: "B77"}}, []facts{{}, {MessageCode: "A12"}}},
		{"label: \"(?i)^ansøgning\"", []facts{{Label: "ANSØGNING om plads"}}, []facts{{}, {Label: "Min ansøgning"}}},
		{"label: [plads, bolig]", []facts{{Label: "En plads"}, {Label: "boligstøtte"}}, []facts{{Label: "Plads"}}},
		{"label: slut$", []facts{{Label: "slut"}}, []facts{{Label: strings.Repeat("æ", 5000) + "slut"}}},
		{"documents: application/pdf", []facts{types("text/plain", "application/pdf")}, []facts{{}, types("text/plain")}},
		{"documents: {all: [image/*, application/pdf]}", []facts{types("image/png", "application/pdf")}, []facts{{}, types("image/png", "text/plain")}},
		{"documents: {any: image/*, all: [image/*, text/plain]}", []facts{types("text/plain", "image/gif")}, []facts{types("text/plain"), types("image/gif", "text/css")}},
		{"forwarded: true", []facts{{Forwarded: true}}, []facts{{}}},
		{"forwarded: false", []facts{{}}, []facts{{Forwarded: true}}},
		{"size: {over: 1 kB, up_to: 99.5 MB}", []facts{{Size: 1001}, {Size: 99_500_000}}, []facts{{Size: 1000}, {Size: 99_500_001}}},
		{"kle: 27, sender_type: CPR", []facts{{KLE: "27.03", SenderType: "CPR"}}, []facts{{KLE: "27.03"}, {SenderType: "CPR"}}},
		{"", []facts{{}}, nil},
	} {
		r := parse(t, withMatch(c.match))
		for _, f := range c.yes {
			if d := r.Match(f); d.Rule != "r" || d.Target != "a" {
				t.Errorf("%s does not take %#v: %+v", c.match, [1]any{f.KLE}, r.Explain(f).Steps)
			}
		}
		for n, f := range c.no {
			if d := r.Match(f); d.Rule != "" || d.Target != "b" {
				t.Errorf("%s takes number %d of what it must not", c.match, n)
			}
			if steps := r.Explain(f).Steps; len(steps) != 1 || steps[0].Taken || len(steps[0].Why) == 0 || steps[0].Why[0].Text == "" {
				t.Errorf("%s: no reason for number %d: %+v", c.match, n, steps)
			}
		}
	}
}

func TestFirstMatchWins(t *testing.T) {
	t.Parallel()
	r := parse(t, "targets: {a: {folder: a, else: b}, b: {folder: b, else: [c, a]}, c: {folder: c}}\nrules:\n"+
		"- {name: one, match: {kle: 27}, target: a}\n- {name: two, match: {kle: [27.03, 28]}, target: b}\n- {name: three, match: {kle: 29}, target: c, else: b}\ndefault: c\n")
	for kle, want := range map[string]string{"27.03": "one a [b c]", "28": "two b [c a]", "29": "three c [b]", "30": " c []"} {
		d := r.Match(routing.Facts{KLE: kle})
		if got := fmt.Sprint(d.Rule, " ", d.Target, " ", d.Next); got != want {
			t.Errorf("%s: %s, want %s", kle, got, want)
		}
	}
}

// The words of an explanation quote the rules and classification keys, and nothing else of the message.
func TestExplanationsHidePersons(t *testing.T) {
	t.Parallel()
	const secret = "2512489996"
	all := "contact_point: x, contact_group: 1, contact_info: {label: x, value: y}, kle: 27, form: 1, case_id: x, case_system: x, " +
		"reply_to: ours, sender_type: CPR, sender_list: companies.txt, post_type: x, message_code: x, label: x, cpr_list: companies.txt, " +
		"documents: image/png, forwarded: true, size: {over: 1 GB}"
	r := parse(t, withMatch(all))
	f := routing.Facts{
		ContactPoint: secret, ContactGroup: "25.12." + secret, ContactInfo: []routing.ContactInfo{{Label: secret, Value: secret}}, KLE: secret,
		FORM: "251248.9996", CaseIDs: []string{secret}, CaseSystem: secret, SenderType: secret, SenderID: secret, PostType: secret,
		MessageCode: secret, Label: secret, CPR: secret, DocumentTypes: []string{secret + "/x"}, Producer: secret,
	}
	e := r.Explain(f)
	text := fmt.Sprintf("%+v", e)
	if len(e.Steps) != 1 || len(e.Steps[0].Why) != 17 || strings.Contains(text, "9996") {
		t.Errorf("%d reasons: %s", len(e.Steps[0].Why), text)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "facts", f)
	if printed := fmt.Sprintf("%v %+v %#v %s", f, f, f, log.String()); strings.Contains(printed, "9996") {
		t.Errorf("printed: %s", printed)
	}
	if printed := fmt.Sprintf("%+v %#v", r, r.Rules()); strings.Contains(printed, "55133018") {
		t.Errorf("a list is printed: %s", printed)
	}
	shown := parse(t, withMatch("kle: 28, sender_type: CVR")).Explain(routing.Facts{KLE: "27.03.04", SenderType: "cpr"})
	if got := fmt.Sprint(shown.Steps[0].Why); got != "[{kle the message has 27.03.04, the rule wants 28} {sender_type the message has CPR, the rule wants CVR}]" {
		t.Error(got)
	}
}

func TestFactsOf(t *testing.T) {
	t.Parallel()
	read := func(path string) *memo.Message {
		in, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = in.Close() }()
		m, err := memo.Read(t.Context(), in, memo.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	m := read("../../sf1601/memo/testdata/full-1.1.xml")
	f := routing.FactsOf(m, routing.Correlation{Ours: true, Producer: "fagsystem"})
	h := m.Header
	if f.ContactPoint != h.Recipient.ContactPoint.ContactPointID || len(f.ContactInfo) != len(h.Recipient.ContactPoint.ContactInfo) ||
		f.KLE != h.ContentData.KLEdata.SubjectKey || f.FORM != h.ContentData.FORMdata.TaskKey || f.CPR != h.ContentData.CPRdata.CprNumber ||
		f.SenderType != "CVR" || f.SenderID != "55133018" || f.Label != "Pladsanvisning" || f.PostType != "MYNDIGHEDSPOST" || !f.Forwarded ||
		f.Reply != routing.ReplyOurs || f.Producer != "fagsystem" || f.Size == 0 || f.CaseIDs[0] != h.ContentData.CaseID.CaseID {
		t.Errorf("%+v", [1]any{f.ContactInfo})
	}
	files := len(m.Body.MainDocument.Files)
	for _, d := range m.Body.AdditionalDocuments {
		files += len(d.Files)
	}
	for _, d := range m.Body.TechnicalDocuments {
		files += len(d.Files)
	}
	if len(f.DocumentTypes) != files {
		t.Errorf("%d types of %d files", len(f.DocumentTypes), files)
	}
	if f := routing.FactsOf(m, routing.Correlation{}); f.Reply != routing.ReplyOther || f.Producer != "" {
		t.Errorf("not ours: %s %s", f.Reply, f.Producer)
	}
	h.Recipient.ContactPoint = nil
	h.ForwardData.ContactPointID = "forwarded"
	if f := routing.FactsOf(&memo.Message{Header: h}, routing.Correlation{}); f.ContactPoint != "forwarded" || f.Size != 0 {
		t.Errorf("contact point %s", f.ContactPoint)
	}
	h.ForwardData = nil
	h.ReplyData = []memo.ReplyData{{}, {ContactPointID: "of the reply", CaseID: "sag"}}
	if f := routing.FactsOf(&memo.Message{Header: h}, routing.Correlation{}); f.ContactPoint != "of the reply" || !slices.Contains(f.CaseIDs, "sag") {
		t.Errorf("contact point %s, cases %v", f.ContactPoint, f.CaseIDs)
	}
	if f := routing.FactsOf(&memo.Message{}, routing.Correlation{Ours: true, Producer: "x"}); f.Reply != routing.ReplyNone || f.Producer != "" {
		t.Errorf("nothing answered: %s %s", f.Reply, f.Producer)
	}
}

// TestOfficialExamples routes every official message by the file of the contract.
func TestOfficialExamples(t *testing.T) {
	t.Parallel()
	const dir = "../../../shared/conformance/memo"
	names, err := filepath.Glob(dir + "/*.xml")
	if err != nil || len(names) == 0 {
		t.Skip("SKIPPED: the official examples are not here: " + dir)
	}
	r := parse(t, contract)
	for _, name := range names {
		in, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := memo.Read(t.Context(), in, memo.ReadOptions{})
		_ = in.Close()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		e := r.Explain(routing.FactsOf(m, routing.Correlation{}))
		if e.Target == "" {
			t.Errorf("%s: no target", name)
		}
		t.Logf("%s: %q to %s", filepath.Base(name), e.Rule, e.Target)
	}
}

// BenchmarkMatch matches against 200 rules, of which the last one takes the message.
func BenchmarkMatch(b *testing.B) {
	var src strings.Builder
	src.WriteString("targets: {a: {folder: a}, b: {folder: b}}\nrules:\n")
	for n := range 199 {
		match := []string{
			fmt.Sprintf("contact_point: 241d39f6-998e-4929-b198-%012d", n), fmt.Sprintf("kle: %02d.%02d", n%20, n),
			fmt.Sprintf("label: \"(?i)sag nr %d\"", n), "sender_list: companies.txt, forwarded: true", fmt.Sprintf("case_id: sag-%d-*, sender_type: CPR", n),
		}[n%5]
		fmt.Fprintf(&src, "- {name: r%d, match: {%s}, target: a}\n", n, match)
	}
	src.WriteString("- {name: last, match: {kle: 27, sender_type: CPR}, target: a}\ndefault: b\n")
	r, err := routing.Parse([]byte(src.String()), lists)
	if err != nil {
		b.Fatal(err)
	}
	f := routing.Facts{
		ContactPoint: "941d39f6-998e-4929-b198-ccacbbf4b330", KLE: "27.03.04", Label: "Ansøgning om plads i dagtilbud", SenderType: "CPR",
		SenderID: "2512489996", CaseIDs: []string{"2026-117"}, DocumentTypes: []string{"application/pdf"},
	}
	b.ReportAllocs()
	for b.Loop() {
		if d := r.Match(f); d.Rule != "last" {
			b.Fatal(d)
		}
	}
}
