package routing_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway/routing"
)

// rulesOf makes a file of rules, one a line, as NAME TARGET MATCH.
func rulesOf(t *testing.T, targets string, lines ...string) *routing.Rules {
	t.Helper()
	var b strings.Builder
	b.WriteString("targets:\n" + targets + "rules: " + map[bool]string{true: "[]"}[len(lines) == 0] + "\n")
	for _, line := range lines {
		parts := strings.SplitN(line, " ", 3)
		fmt.Fprintf(&b, "- {name: %s, target: %s, match: {%s}}\n", parts[0], parts[1], parts[2])
	}
	b.WriteString("default: a\n")
	return parse(t, b.String())
}

const twoTargets = "  a: {folder: a}\n  b: {folder: b}\n"

// summary writes findings short: code, rule, others.
func summary(r *routing.Rules) string {
	var list []string
	for _, f := range r.Check() {
		about := f.Rule
		if f.Target != "" {
			about += "@" + f.Target
		}
		list = append(list, strings.TrimSuffix(fmt.Sprintf("%s %s<%s", f.Code, about, strings.Join(f.Others, ",")), "<"))
	}
	return strings.Join(list, "; ")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want  string
		lines []string
	}{
		{"", []string{"one b kle: 27", "two a kle: 28"}},
		{"unreachable two<one", []string{"one b kle: 27", "two a kle: 27.03"}},
		{"unreachable two<one", []string{"one b kle: 27", "two a 'kle': 27."}},
		{"overlap two<one", []string{"one b kle: 27.", "two a kle: 27"}},
		{"overlap two<one", []string{"one b kle: 27.03", "two a kle: 27"}},
		{"", []string{"one b kle: 27.0", "two a kle: 27.03"}},
		{"unreachable three<one,two", []string{"one b kle: [27, 28]", "two b kle: 29", "three a 'kle': [28.01, 29]"}},
		{"overlap three<one,two", []string{"one b kle: 28", "two b kle: 29", "three a 'kle': [28, 29, 30]"}},
		{"unreachable three<one,two; default_unneeded <one,two", []string{"one b forwarded: true", "two b forwarded: false", "three a kle: 27"}},
		{"default_unneeded <one,two", []string{"one b forwarded: true", "two b forwarded: false"}},
		{"default_unneeded <one,two", []string{"one b reply_to: any", "two b reply_to: none"}},
		{"", []string{"one b reply_to: ours", "two b reply_to: none"}},
		{"overlap two<one", []string{"one b reply_to: ours", "two a kle: 27"}},
		{"unreachable two<one", []string{"one b sender_list: companies.txt", "two a sender_list: companies.txt, kle: 27"}},
		{"overlap two<one", []string{"one b sender_list: companies.txt", "two a kle: 27"}},
		{"", []string{"one b sender_list: companies.txt", "two a sender_list: persons.txt"}},
		{"never one", []string{"one b cpr_list: empty.txt"}},
		{"unreachable two<one", []string{"one b label: plads", "two a label: plads, kle: 27"}},
		{"overlap two<one", []string{"one b 'label': \"(?i)plads|bolig\"", "two a 'label': \"b[oO]lig+t?\""}},
		{"empty_match one; unreachable two<one; default_unneeded <one", []string{"one b label: .*", "two a label: plads"}},
		{"empty_match one; overlap two<one", []string{"one b label: ^$", "two a kle: 27"}},
		{"takes_all one; unreachable two<one; default_unneeded <one", []string{"one b ", "two a kle: 27"}},
		{"default_unneeded <two; overlap", []string{"one a kle: 27", "two b "}},
		{"unreachable two<one", []string{"one b documents: image/*", "two a documents: {all: image/png}"}},
		{"overlap two<one", []string{"one b documents: {all: image/*}", "two a documents: image/png"}},
		{"unreachable two<one", []string{"one b size: {over: 1 MB}", "two a size: {over: 2 MB, up_to: 3 MB}"}},
		{"", []string{"one b size: {over: 1 MB}", "two a size: {up_to: 1 MB}"}},
		{"unreachable two<one", []string{"one b contact_info: {label: x}", "two a contact_info: {label: x, value: y}"}},
		{"unreachable two<one", []string{"one b case_id: sag-*", "two a case_id: [sag-1, sag-2*]"}},
		{"overlap two<one", []string{"one b case_id: x", "two a case_id: y"}}, // a message may have both
		{"no_producer one@producer; unreachable two<one", []string{"one producer reply_to: any", "two b reply_to: ours"}},
		{"", []string{"one producer reply_to: ours", "two b reply_to: none"}},
		{"unused_target @b", []string{"one a kle: 27"}},
	} {
		got := summary(rulesOf(t, twoTargets, c.lines...))
		if want := strings.TrimSuffix(c.want, "; overlap"); got != want {
			t.Errorf("%s\n got %s\nwant %s", strings.Join(c.lines, " / "), got, want)
		}
	}
}

func TestCheckOfTargets(t *testing.T) {
	t.Parallel()
	for targets, want := range map[string]string{
		"  a: {folder: a, else: b}\n  b: {folder: b, else: c}\n  c: {folder: c}\n":                               "",
		"  a: {folder: a, else: b}\n  b: {folder: b, else: a}\n":                                                 "loop @a",
		"  a: {folder: a, else: b}\n  b: {folder: b, else: c}\n  c: {folder: c, else: b}\n":                      "loop @b",
		"  a: {folder: a}\n  b: {folder: b, else: c}\n  c: {folder: c}\n":                                        "unused_target @b; unused_target @c",
		"  a: {folder: a, else: producer}\n":                                                                     "no_producer @producer",
		"  a: {folder: a, else: [b, c]}\n  b: {folder: b}\n  c: {folder: c, else: a}\n":                          "loop @a",
		"  a: {folder: a, else: b}\n  b: {folder: b, else: c}\n  c: {folder: c, else: b}\n  d: {mail: d@d.dk}\n": "loop @b; unused_target @d",
	} {
		if got := summary(rulesOf(t, targets)); got != want {
			t.Errorf("%s got %s\nwant %s", targets, got, want)
		}
	}
}

func TestFindingsTellWhatToDo(t *testing.T) {
	t.Parallel()
	r := rulesOf(t, twoTargets, "one b kle: 27, sender_type: CPR", "two a form: 10, label: \"(?i)plads\"", "three b kle: 27.03, sender_type: CPR")
	list := r.Check()
	if len(list) != 2 {
		t.Fatalf("%+v", list)
	}
	if f := list[0]; f.Severity != routing.Note || f.Place.Line != 6 || f.Example != `kle 27, form 10, sender_type CPR, the subject "PLADS"` {
		t.Errorf("%+v", f)
	}
	if f := list[1]; f.Code != routing.Unreachable || f.Severity != routing.Error || f.Hint == "" ||
		f.Text != `No message reaches the rule: "one" before it takes everything it could take.` {
		t.Errorf("%+v", f)
	}
}

// dice makes random rules and messages of a small world, in which they often meet.
type dice struct{ *rand.Rand }

func (d dice) of(list ...string) string { return list[d.IntN(len(list))] }

func (d dice) some(list ...string) string {
	n := 1 + d.IntN(2)
	out := make([]string, n)
	for i := range out {
		out[i] = d.of(list...)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func (d dice) match() string {
	all := []string{
		"kle: " + d.some("27", "27.", "27.03", "28", "28.01."),
		"contact_point: " + d.some("a", "b"),
		"case_id: " + d.some("s1", "s*", "s2*", "\"*\""),
		"reply_to: " + d.some("ours", "other", "any", "none"),
		"forwarded: " + d.of("true", "false"),
		"sender_type: " + d.some("CPR", "CVR"),
		"sender_list: " + d.of("companies.txt", "persons.txt"),
		"label: " + d.some("plads", "(?i)PLADS", "\"^b\"", ".*", "\"a|b\""),
		"documents: " + d.of("image/*", "image/png", "{all: image/*}", "{all: [text/plain, image/png]}", "{any: text/plain, all: text/*}"),
		"size: " + d.of("{over: 1 kB}", "{up_to: 1 kB}", "{over: 1 kB, up_to: 2 kB}", "{up_to: 2 kB}"),
		"contact_info: " + d.of("{label: x}", "{label: x, value: y}", "{value: y*}", "[{label: x}, {label: z, value: y}]"),
	}
	d.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return strings.Join(all[:d.IntN(4)], ", ")
}

func (d dice) facts() routing.Facts {
	f := routing.Facts{
		KLE: d.of("", "27", "27.03", "27.03.01", "27.1", "28", "28.01", "28.01.02"), ContactPoint: d.of("", "a", "b", "c"),
		Reply: routing.Reply(d.of("", "none", "other", "ours")), Forwarded: d.IntN(2) == 0, SenderType: d.of("CPR", "CVR", ""),
		SenderID: d.of("55133018", "2512489996", "87654321", ""), Label: d.of("", "plads", "Plads", "bolig", "en bil", "x\ny"),
		Size: int64(d.IntN(3000)),
	}
	for range d.IntN(3) {
		f.CaseIDs = append(f.CaseIDs, d.of("s1", "s2", "s22", "t"))
		f.DocumentTypes = append(f.DocumentTypes, d.of("image/png", "image/gif", "text/plain", "text/css"))
		f.ContactInfo = append(f.ContactInfo, routing.ContactInfo{Label: d.of("x", "z", "w"), Value: d.of("y", "yy", "v")})
	}
	return f
}

// TestCheckIsSound makes thousands of rules files and messages: what Check calls unreachable, or unneeded, no message ever
// reaches; whatever takes a message is what Explain says; and rules that both want some message are called overlapping or
// unreachable unless they lead to the same place.
func TestCheckIsSound(t *testing.T) {
	t.Parallel()
	d := dice{rand.New(rand.NewPCG(6, 1606))}
	unreachable, overlapping := 0, 0
	for range 1500 {
		lines := make([]string, 2+d.IntN(5))
		for n := range lines {
			lines[n] = fmt.Sprintf("r%d %s %s", n, d.of("a", "b"), d.match())
		}
		r := rulesOf(t, twoTargets, lines...)
		dead, pairs := make(map[string]bool), make(map[string]bool)
		noDefault := false
		for _, f := range r.Check() {
			switch f.Code {
			case routing.Unreachable, routing.Never:
				dead[f.Rule] = true
				unreachable++
			case routing.DefaultUnneeded:
				noDefault = true
			case routing.Overlap:
				for _, other := range f.Others {
					pairs[other+" "+f.Rule] = true
					overlapping++
				}
			case routing.TakesAll, routing.Loop, routing.NoProducer, routing.EmptyMatch, routing.UnusedTarget:
			}
		}
		for range 150 {
			f := d.facts()
			m, e := r.Match(f), r.Explain(f)
			if m.Rule != e.Rule || m.Target != e.Target || !slices.Equal(m.Next, e.Next) {
				t.Fatalf("%+v, explained as %+v\n%s", m, e, strings.Join(lines, "\n"))
			}
			if dead[m.Rule] || noDefault && m.Rule == "" {
				t.Fatalf("a message reaches %q, which Check says cannot be\n%s", m.Rule, strings.Join(lines, "\n"))
			}
		}
		for pair := range pairs {
			if one, other, _ := strings.Cut(pair, " "); dead[one] || dead[other] {
				t.Fatalf("%s overlap and one of them is unreachable", pair)
			}
		}
	}
	if unreachable < 300 || overlapping < 300 {
		t.Errorf("the world is too small: %d unreachable, %d overlapping", unreachable, overlapping)
	}
}

// BenchmarkCheck checks 200 rules that all ask the same.
func BenchmarkCheck(b *testing.B) {
	var src strings.Builder
	src.WriteString("targets: {a: {folder: a}, b: {folder: b}}\nrules:\n")
	for n := range 200 {
		fmt.Fprintf(&src, "- {name: r%d, target: %c, match: {kle: [%d, %d.01, 99], label: \"(?i)sag nr %d\", forwarded: true, reply_to: any}}\n", n, 'a'+rune(n%2), n, n+1, n)
	}
	src.WriteString("default: a\n")
	r, err := routing.Parse([]byte(src.String()), nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		r.Check()
	}
}
