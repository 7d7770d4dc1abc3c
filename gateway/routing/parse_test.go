package routing_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway/routing"
)

// contract is the rules file that the contract of the gateway shows.
const contract = `targets:
  esdh:     {folder: /srv/inbox/esdh}                  # one folder per message: memo.xml, receipt.json, documents/
  fagsystem: {url: "https://system.example/post", format: memo, secret_file: secret.txt}   # format: memo | json
  desk:     {mail: "post@testby.example"}
rules:
  - {name: pladsanvisning, match: {contact_point: "241d39f6-998e-4929-b198-ccacbbf4b330"}, target: esdh}
  - {name: svar, match: {reply_to: ours}, target: producer}
  - {name: boern, match: {kle: "27.", sender_type: CPR}, target: fagsystem}
default: desk
`

// lists are the files that rules of the tests name.
func lists(name string) ([]byte, error) {
	switch name {
	case "companies.txt":
		return []byte("\ufeff# virksomheder\r\n55133018\r\n12345678 # en til\r\n\r\n"), nil
	case "persons.txt":
		return []byte("2512489996\n010203-0405"), nil
	case "empty.txt":
		return []byte("# nobody\n"), nil
	case "broken.txt":
		return []byte("55133018\n2512489996\n251248999\n"), nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func parse(t *testing.T, src string) *routing.Rules {
	t.Helper()
	r, err := routing.Parse([]byte(src), lists)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	return r
}

// withMatch is a file with one rule of these conditions.
func withMatch(match string) string {
	return "targets: {a: {folder: a}, b: {folder: b}}\nrules:\n- {name: r, match: {" + match + "}, target: a}\ndefault: b\n"
}

func TestContract(t *testing.T) {
	t.Parallel()
	r := parse(t, contract)
	targets := r.Targets()
	if len(targets) != 3 || targets[0].Name != "esdh" || targets[0].Kind != routing.Folder || targets[0].Folder != "/srv/inbox/esdh" ||
		targets[1].URL != "https://system.example/post" || targets[1].Format != routing.FormatMemo || targets[1].SecretFile != "secret.txt" ||
		targets[2].Kind != routing.Mail || targets[2].Address != "post@testby.example" || targets[2].Place != (routing.Place{Line: 4, Column: 13}) {
		t.Errorf("%+v", targets)
	}
	rules := r.Rules()
	if len(rules) != 3 || rules[1].Name != "svar" || rules[1].Target != routing.ProducerTarget || rules[2].Place.Line != 8 {
		t.Errorf("%+v", rules)
	}
	if d := r.Default(); d.Target != "desk" || d.Place != (routing.Place{Line: 9, Column: 10}) {
		t.Errorf("%+v", d)
	}
	if p, found := r.Target(routing.ProducerTarget); !found || p.Kind != routing.Producer {
		t.Errorf("%+v", p)
	}
	if _, found := r.Target("nobody"); found {
		t.Error("there is a target nobody")
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	r := parse(t, `
targets:
  hook: {url: "http://127.0.0.1:8080/post", format: JSON, certificate_file: c.pem, key_file: k.pem, ca_file: ca.pem, else: [kø, desk]}
  kø: {amqp: "amqps://mq.testby.example:5671/post", queue: ind, user: brevdue, password_file: pw.txt}
  emne:
    amqp: amqp://localhost
    exchange: post
    routing_key: ind.27
    format: memo
  desk: {mail: post@testby.example}
rules: []
default: hook
`)
	d := r.Match(routing.Facts{})
	if d.Rule != "" || d.Target != "hook" || strings.Join(d.Next, " ") != "kø desk" {
		t.Errorf("%+v", d)
	}
	hook, _ := r.Target("hook")
	queue, _ := r.Target("kø")
	topic, _ := r.Target("emne")
	if hook.Format != routing.FormatJSON || hook.CertificateFile != "c.pem" || hook.KeyFile != "k.pem" || hook.CAFile != "ca.pem" ||
		queue.Format != routing.FormatJSON || queue.Queue != "ind" || queue.User != "brevdue" || queue.PasswordFile != "pw.txt" ||
		topic.Exchange != "post" || topic.RoutingKey != "ind.27" || topic.Format != routing.FormatMemo {
		t.Errorf("%+v %+v %+v", hook, queue, topic)
	}
}

// TestProblems holds every mistake to its place and its words.
func TestProblems(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]string{
		"":                                            "the file is empty",
		"# nothing\n":                                 "the file is empty",
		"targets: [":                                  "line 1, column 10: the file is not YAML",
		"targets: {}\n---\ndefault: x":                "more than one YAML document",
		"just words":                                  "line 1, column 1: is not a mapping",
		"targets: {a: {folder: x}}\nrules: []":        "line 1, column 1: default: is missing",
		contract + "defaults: desk\n":                 "line 10, column 1: defaults: unknown key (the keys here are targets, rules, default; is default meant?)",
		contract + "default: esdh\n":                  "line 10, column 1: default: is given twice",
		"targets: []\ndefault: producer":              "line 1, column 10: targets: is not a mapping",
		"targets: {a: {folder: x}}\ndefault: b":       `line 2, column 10: default: there is no target "b" (the targets are a, producer)`,
		"targets: {esdh: {folder: x}}\ndefault: eshd": `is esdh meant?`,
		"rules: {}\ndefault: producer":                "line 1, column 8: rules: is not a list",
		"rules: [x]\ndefault: producer":               "line 1, column 9: rules[0]: is not a mapping",
		"rules: [{}]\ndefault: producer":              "rules[0]: has no name",
		"rules: [{name: x}]\ndefault: producer":       "rules[0]: has no target",
		"rules: [{name: [x], target: producer}]\ndefault: producer":                                         "line 1, column 16: rules[0].name: is not a word",
		"rules: [{name: \"a\\nb\", target: producer}]\ndefault: producer":                                   "rules[0].name: is no name",
		"rules:\n- {name: x, target: producer}\n- {name: x, target: producer}\ndefault: producer":           "line 3, column 10: rules[1].name: another rule has this name, at 2:10",
		"rules:\n- {name: x, target: producer, else: [a, a]}\ndefault: producer\ntargets: {a: {folder: x}}": `line 2, column 41: rules[0].else[1]: names "a" a second time`,
		"rules:\n- {name: x, target: producer, else: []}\ndefault: producer":                                "rules[0].else: is an empty list",
		"rules:\n- {name: x, target: producer, when: {}}\ndefault: producer":                                "line 2, column 31: rules[0].when: unknown key",
		"rules:\n- &r {name: x, target: producer}\n- *r\ndefault: producer":                                 "line 3, column 3: rules[1]: anchors, aliases and tags are not taken",
		"targets: {producer: {folder: x}}\ndefault: producer":                                               "targets.producer: this name is taken",
		"targets: {a: {}}\ndefault: a":                                                                      "targets.a: says no place",
		"targets: {a: {folder: x, url: \"https://x.example\"}}\ndefault: a":                                 "is both a folder and a url",
		"targets: {a: {folder: \"\"}}\ndefault: a":                                                          "targets.a.folder: is empty",
		"targets: {a: {folder: x, format: memo}}\ndefault: a":                                               "targets.a.format: unknown key (the keys here are folder, else)",
		"targets: {a: {url: \"http://x.example\"}}\ndefault: a":                                             "targets.a.url: is not encrypted and leads to another machine (use https://)",
		"targets: {a: {url: \"https://u:hemmelig@x.example\"}}\ndefault: a":                                 "targets.a.url: has a user or a password in it",
		"targets: {a: {url: \"ftp://x.example\"}}\ndefault: a":                                              "begins with neither https:// nor http://",
		"targets: {a: {url: x.example}}\ndefault: a":                                                        "targets.a.url: is not an address",
		"targets: {a: {url: \"https://x.example\", format: xml}}\ndefault: a":                               `targets.a.format: unknown value "xml" (use one of: memo, json)`,
		"targets: {a: {url: \"https://x.example\", key_file: k}}\ndefault: a":                               "has only one of certificate_file and key_file",
		"targets: {a: {mail: \"Post <post@testby.example>\"}}\ndefault: a":                                  "targets.a.mail: is not a mailbox",
		"targets: {a: {amqp: \"amqps://mq.example\"}}\ndefault: a":                                          "has neither a queue nor an exchange",
		"targets: {a: {amqp: \"amqps://mq.example\", queue: x, exchange: y}}\ndefault: a":                   "has a queue and an exchange",
		"targets: {a: {amqp: \"amqps://mq.example\", queue: x, user: y}}\ndefault: a":                       "has only one of user and password_file",
		"targets: {a: {amqp: \"amqps://mq.example\", queue: amq.x}}\ndefault: a":                            "that a broker refuses",
		"targets: {a: {folder: x, else: a}}\ndefault: a":                                                    `targets.a.else: names "a" a second time`,
		withMatch("kle: \"27,03\""):                                                                         "line 3, column 26: rules[0].match.kle: is not a key of numbers and dots",
		withMatch("kle: []"):                                                                                "rules[0].match.kle: is an empty list",
		withMatch("kle: {a: b}"):                                                                            "rules[0].match.kle: is not a word",
		withMatch("kle: "):                                                                                  "rules[0].match.kle: is empty",
		withMatch("kel: 27"):                                                                                "is kle meant?",
		withMatch("contact_point: \"a*\""):                                                                  "rules[0].match.contact_point: * is not taken here",
		withMatch("case_id: \"a*b\""):                                                                       "has a * that is not its last character",
		withMatch("sender_type: person"):                                                                    `unknown value "person" (use one of: CPR, CVR)`,
		withMatch("reply_to: theirs"):                                                                       "use one of: ours, other, any, none",
		withMatch("forwarded: yes"):                                                                         `rules[0].match.forwarded: unknown value "yes" (use one of: true, false)`,
		withMatch("label: \"(\""):                                                                           "rules[0].match.label: is not a regular expression: missing closing )",
		withMatch("label: \"" + strings.Repeat("a", 1001) + "\""):                                           "over 1000 bytes",
		withMatch("contact_info: {lable: x}"):                                                               "rules[0].match.contact_info.lable: unknown key (the keys here are label, value; is label meant?)",
		withMatch("contact_info: {}"):                                                                       "says neither label nor value",
		withMatch("sender_list: none.txt"):                                                                  "the list cannot be read: open none.txt: file does not exist",
		withMatch("sender_list: broken.txt"):                                                                "line 3 of broken.txt is not a CPR or CVR number",
		withMatch("documents: pdf"):                                                                         "is not a type of files (e.g. application/pdf, or image/*)",
		withMatch("documents: {}"):                                                                          "says neither any nor all",
		withMatch("size: 10 MB"):                                                                            "rules[0].match.size: is not a mapping (with the keys over, up_to)",
		withMatch("size: {over: ten}"):                                                                      "is not an amount",
		withMatch("size: {over: 2 MB, up_to: 1 MB}"):                                                        "no message is over and up to that",
		withMatch("size: {}"):                                                                               "says neither over nor up_to",
		"x: " + strings.Repeat("a", routing.MaxFile):                                                        "the file has over 1048576 bytes",
		"rules: [" + strings.Repeat("{name: a}, ", 1001) + "]":                                              "has 1001 rules, at most 1000 are taken",
	} {
		_, err := routing.Parse([]byte(src), lists)
		var problems routing.Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.200s\n got %v\nwant %s", src, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "251248") || strings.Contains(err.Error(), "hemmelig")) {
			t.Errorf("the error tells a secret: %v", err)
		}
	}
}

// All problems come at once, in the order of the file.
func TestProblemsAreListedWhole(t *testing.T) {
	t.Parallel()
	_, err := routing.Parse([]byte("targets:\n  a: {foldr: x}\nrules:\n- {name: r, match: {kel: 1, label: \"(\"}, target: b}\n"), lists)
	var problems routing.Problems
	if !errors.As(err, &problems) || len(problems) != 5 {
		t.Fatalf("%v", err)
	}
	for n, line := range []int{1, 2, 4, 4, 4} {
		if problems[n].Place.Line != line {
			t.Errorf("problem %d: %v", n, problems[n])
		}
	}
}

// What YAML would read as a number is compared as it is written.
func TestNumbersAreTakenAsWritten(t *testing.T) {
	t.Parallel()
	for match, facts := range map[string][2]routing.Facts{
		"kle: 27.10":         {{KLE: "27.10"}, {KLE: "27.1"}},
		"kle: 27":            {{KLE: "27"}, {KLE: "270"}},
		"form: 01":           {{FORM: "01.10"}, {FORM: "1.10"}},
		"case_id: 0117":      {{CaseIDs: []string{"0117"}}, {CaseIDs: []string{"79"}}},
		"case_id: 1_000":     {{CaseIDs: []string{"1_000"}}, {CaseIDs: []string{"1000"}}},
		"message_code: 1e3":  {{MessageCode: "1e3"}, {MessageCode: "1000"}},
		"message_code: true": {{MessageCode: "true"}, {MessageCode: "1"}},
	} {
		r := parse(t, withMatch(match))
		if r.Match(facts[0]).Rule != "r" || r.Match(facts[1]).Rule != "" {
			t.Errorf("%s: %v, %v", match, r.Explain(facts[0]), r.Explain(facts[1]))
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	src := "targets: {a: {folder: ind}, b: {url: \"https://x.example\", secret_file: /etc/s}}\nrules:\n" +
		"- {name: r, match: {sender_list: cvr.txt}, target: a}\n- {name: s, match: {kle: 1}, target: b}\ndefault: a\n"
	for name, text := range map[string]string{"routes.yaml": src, "cvr.txt": "55133018\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := routing.Load(filepath.Join(dir, "routes.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	a, _ := r.Target("a")
	b, _ := r.Target("b")
	if a.Folder != filepath.Join(dir, "ind") || b.SecretFile != "/etc/s" || b.KeyFile != "" {
		t.Errorf("%+v %+v", a, b)
	}
	if r.Match(routing.Facts{SenderID: "55133018"}).Rule != "r" {
		t.Error("the list beside the file is not read")
	}
	if _, err := routing.Load(filepath.Join(dir, "none.yaml")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// FuzzParse holds that no bytes make it fail in another way than with problems, and that rules that are taken can be
// matched, explained and checked.
func FuzzParse(f *testing.F) {
	f.Add([]byte(contract))
	f.Add([]byte(withMatch("kle: [27., 28], label: \"(?i)a*|b+\", documents: {all: image/*}, size: {over: 1 kB}")))
	f.Add([]byte(withMatch("sender_list: persons.txt, contact_info: [{label: a*, value: b}], forwarded: true, reply_to: [ours, none]")))
	f.Add([]byte("a: &a [*a]\n<<: *a\n? [x]\n: !!str y\n"))
	f.Add([]byte("targets: {\n"))
	f.Add([]byte("rules: |\n  x\ndefault: >-\n  y\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		r, err := routing.Parse(src, lists)
		if err != nil {
			var problems routing.Problems
			if !errors.As(err, &problems) || len(problems) == 0 {
				t.Fatalf("%v", err)
			}
			return
		}
		facts := routing.Facts{KLE: "27.03", Label: "Ansøgning", SenderID: "2512489996", SenderType: "CPR"}
		if m, e := r.Match(facts), r.Explain(facts); m.Rule != e.Rule || m.Target != e.Target {
			t.Errorf("%+v, explained as %+v", m, e)
		}
		r.Check()
	})
}
