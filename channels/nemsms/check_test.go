package nemsms_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/nemsms"
	"github.com/brevdue/brevdue/gateway"
)

const link = "https://testby.example/tilmeld"

func TestCheckPointsAtTheField(t *testing.T) {
	t.Parallel()
	c := nemsms.New(nemsms.Config{})
	for name, tc := range map[string]struct {
		spoil         func(l *gateway.Letter)
		pointer, code string
		detail        string // part of it
	}{
		"no text": {func(l *gateway.Letter) { l.Intent.Content.SMS = "" }, "/content/sms", "required", ""},
		"blanks":  {func(l *gateway.Letter) { l.Intent.Content.SMS = " \n\t" }, "/content/sms", "required", ""},
		"151 characters": {func(l *gateway.Letter) { l.Intent.Content.SMS = strings.Repeat("å", 151) },
			"/content/sms", "text.too_long", "151 characters"},
		"a CPR number": {func(l *gateway.Letter) { l.Intent.Content.SMS = "Sag om 251248-9996." }, "/content/sms", "sms.cpr", ""},
		"a control character": {func(l *gateway.Letter) { l.Intent.Content.SMS = "a\x00b" },
			"/content/sms", "memo.character", ""},
		"no room for an action": {func(l *gateway.Letter) { l.Intent.Content.SMS = strings.Repeat("x", 100) },
			"/content/actions/1", "sms.no_room", "150"},
		"no room for any action": {func(l *gateway.Letter) { l.Intent.Content.SMS = strings.Repeat("x", 149) },
			"/content/actions/0", "sms.no_room", ""},
		"a CPR number in an action": {func(l *gateway.Letter) { l.Intent.Content.Actions[1].URL = "https://t.example/2512489996" },
			"/content/actions/1", "sms.cpr", ""},
		"a CPR number made by joining": {func(l *gateway.Letter) {
			l.Intent.Content.SMS = "Ring 251248"
			l.Intent.Content.Actions = []actions.Action{actions.NewInformation("9996", "https://t.example")}
		}, "/content/actions/0", "sms.cpr", ""},
		"no recipient": {func(l *gateway.Letter) { l.Intent.Recipient.ID = gateway.Identifier{} },
			"/recipient", "recipient.identifier", ""},
		"a company":         {func(l *gateway.Letter) { l.Intent.Recipient.ID = l.Sender.CVR }, "/recipient/cvr", "recipient.person", ""},
		"a nameless sender": {func(l *gateway.Letter) { l.Sender.Label = "" }, "/sender", "memo.required", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := letter(t, "2512489996")
			tc.spoil(&l)
			ps := c.Check(t.Context(), l)
			if len(ps) == 0 || ps[0].Pointer != tc.pointer || ps[0].Code != tc.code || !strings.Contains(ps[0].Detail, tc.detail) {
				t.Fatalf("want %s %s, got %+v", tc.pointer, tc.code, ps)
			}
			for _, p := range ps {
				if p.Pointer != tc.pointer || strings.Contains(p.Detail, "251248") {
					t.Errorf("one mistake, told at %s: %+v", tc.pointer, ps)
				}
			}
		})
	}
}

func TestEveryMistakeIsTold(t *testing.T) {
	t.Parallel()
	l := letter(t, "2512489996")
	l.Intent.Recipient.ID, l.Intent.Content.SMS = l.Sender.CVR, ""
	if ps := nemsms.New(nemsms.Config{}).Check(t.Context(), l); len(ps) != 2 {
		t.Fatalf("%+v", ps)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	info := actions.NewInformation("Læs mere", link)
	for name, tc := range map[string]struct {
		sms     string
		actions []actions.Action
		want    string
	}{
		"as it is":            {" Husk din tid i morgen. ", nil, "Husk din tid i morgen."},
		"150 characters":      {strings.Repeat("å", 150), nil, strings.Repeat("å", 150)},
		"a link":              {"Husk.", []actions.Action{info}, "Husk.\nLæs mere: " + link},
		"a link told already": {"Læs mere på " + link + ".", []actions.Action{info}, "Læs mere på " + link + "."},
		"the beginning of another link": {"Se " + link + "/nu", []actions.Action{info},
			"Se " + link + "/nu\nLæs mere: " + link},
		"a deadline is told even when the link is": {"Se " + link,
			[]actions.Action{actions.NewTilmelding("Tilmeld dig", link, aftale().Reservation.Start)},
			"Se " + link + "\nTilmeld dig senest 1. december kl. 10.00: " + link},
		"the first actions get the room that is left": {strings.Repeat("x", 40), []actions.Action{aftale(), info},
			strings.Repeat("x", 40) + "\nSamtale: tirsdag den 1. december 2026 kl. 10.00-10.45, Værkmestergade 5\n" + link},
		"the shortest wordings": {strings.Repeat("x", 79), []actions.Action{aftale(), info},
			strings.Repeat("x", 79) + "\n1. december kl. 10.00, Værkmestergade 5\n" + link},
	} {
		got, problem := nemsms.Text(gateway.Content{SMS: tc.sms, Actions: tc.actions})
		if problem != nil || got != tc.want {
			t.Errorf("%s: %q, %+v\nwant %q", name, got, problem, tc.want)
		}
	}
}

// FuzzText holds what comes out to the rules of a NemSMS.
func FuzzText(f *testing.F) {
	for _, sms := range []string{"", "Husk din tid.", "251248-9996", strings.Repeat("æ", 149), "٢٥١٢٤٨ ٩٩٩٦"} {
		f.Add(sms, "Læs mere", link)
	}
	f.Fuzz(func(t *testing.T, sms, label, url string) {
		content := gateway.Content{SMS: sms, Actions: []actions.Action{aftale(), actions.NewInformation(label, url)}}
		got, problem := nemsms.Text(content)
		if problem != nil {
			if got != "" || problem.Pointer == "" || problem.Code == "" || problem.Detail == "" {
				t.Fatalf("%q with %+v", got, problem)
			}
			return
		}
		if n := utf8.RuneCountInString(got); n == 0 || n > nemsms.MaxText {
			t.Fatalf("%d characters", n)
		}
		if !strings.HasPrefix(got, strings.TrimSpace(sms)) || url != "" && !strings.Contains(got, strings.Trim(url, `.,;:!?()<>"'`)) {
			t.Fatalf("text or link lost: %q", got)
		}
		if nemsms.HoldsCPR(got) {
			t.Fatal("a CPR number")
		}
	})
}
