package smtp_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	link := func(string, int, time.Time) (string, time.Time) { return "https://post.testby.example/x", accepted }
	to := func(address string) func(*gateway.Letter) {
		return func(l *gateway.Letter) { l.Intent.Recipient.Email = gateway.Private(address) }
	}
	title := func(s string) func(*gateway.Letter) {
		return func(l *gateway.Letter) { l.Intent.Content.Title = s }
	}
	large := func(l *gateway.Letter) {
		l.Intent.Content.Documents = []gateway.Document{{Filename: "a.pdf", Size: 7_307_000}, {Filename: "b.pdf", Size: 1000}}
	}
	for name, c := range map[string]struct {
		change func(*gateway.Letter)
		cfg    smtp.Config
		want   string // "pointer code", or nothing
	}{
		"good":                     {func(*gateway.Letter) {}, smtp.Config{}, ""},
		"no address":               {to(""), smtp.Config{}, "/recipient/email required"},
		"no at":                    {to("nancy"), smtp.Config{}, "/recipient/email email.invalid"},
		"with a name":              {to("Nancy <nancy@testby.example>"), smtp.Config{}, "/recipient/email email.invalid"},
		"two":                      {to("a@testby.example, b@testby.example"), smtp.Config{}, "/recipient/email email.invalid"},
		"line end":                 {to("nancy@testby.example\r\nRCPT TO:<evil@evil.example>"), smtp.Config{}, "/recipient/email email.invalid"},
		"quoted":                   {to(`"nancy berg"@testby.example`), smtp.Config{}, "/recipient/email email.invalid"},
		"literal":                  {to("nancy@[127.0.0.1]"), smtp.Config{}, "/recipient/email email.invalid"},
		"numbers":                  {to("nancy@127.0.0.1"), smtp.Config{}, "/recipient/email email.invalid"},
		"one label":                {to("nancy@localhost"), smtp.Config{}, "/recipient/email email.invalid"},
		"long local part":          {to(strings.Repeat("n", 65) + "@testby.example"), smtp.Config{}, "/recipient/email email.invalid"},
		"long address":             {to("n@" + strings.Repeat("abcdefghi.", 26) + "example"), smtp.Config{}, "/recipient/email email.invalid"},
		"dots":                     {to("nancy..berg@testby.example"), smtp.Config{}, "/recipient/email email.invalid"},
		"bracket":                  {to("nancy>@testby.example"), smtp.Config{}, "/recipient/email email.invalid"},
		"Danish domain":            {to("nancy@rødgrød.example"), smtp.Config{}, ""},
		"Danish local part":        {to("søren@testby.example"), smtp.Config{}, "/recipient/email email.utf8"},
		"Danish local part, taken": {to("søren@testby.example"), smtp.Config{SMTPUTF8: true}, ""},
		"invalid UTF-8":            {to("s\xf8ren@testby.example"), smtp.Config{SMTPUTF8: true}, "/recipient/email email.invalid"},
		"no sender address":        {func(l *gateway.Letter) { l.Sender.From = "" }, smtp.Config{}, "/sender sender.from"},
		"sender beyond ASCII":      {func(l *gateway.Letter) { l.Sender.From = "søren@testby.example" }, smtp.Config{SMTPUTF8: true}, "/sender sender.from"},
		"no title":                 {title(" \t"), smtp.Config{}, "/content/title required"},
		"CPR number":               {title("Vedr. 251248-9996"), smtp.Config{}, "/content/title cpr.in_subject"},
		"CPR number, no dash":      {title("2512489996 indkaldes"), smtp.Config{}, "/content/title cpr.in_subject"},
		"CPR number, blank":        {title("Nancy (251248 9996)"), smtp.Config{}, "/content/title cpr.in_subject"},
		"replacement number":       {title("Vedr. 851248-9996"), smtp.Config{}, "/content/title cpr.in_subject"},
		"CPR after something else": {title("99999999-2512489996"), smtp.Config{}, "/content/title cpr.in_subject"},
		"no date, no CPR":          {title("Sag 991399-9999"), smtp.Config{}, ""},
		"longer number":            {title("Faktura 25124899961"), smtp.Config{}, ""},
		"phone and date":           {title("Ring 33 44 55 66 inden 2512"), smtp.Config{}, ""},
		"nothing to say":           {func(l *gateway.Letter) { l.Intent.Content.Text = "\n " }, smtp.Config{}, "/content/text required"},
		"too large":                {large, smtp.Config{}, "/content/documents letter.too_large"},
		"large, with links":        {large, smtp.Config{Link: link}, ""},
		"large, with more room":    {large, smtp.Config{MaxSize: 20_000_000}, ""},
		"just fits": {func(l *gateway.Letter) {
			l.Intent.Content.Documents = []gateway.Document{{Filename: "a", Size: 7_307_000}}
		}, smtp.Config{}, ""},
		"appointment without end": {func(l *gateway.Letter) {
			l.Intent.Content.Actions[0].Reservation.End = time.Time{}
		}, smtp.Config{}, "/content/actions/0 calendar.impossible"},
		"no appointment": {func(l *gateway.Letter) {
			l.Intent.Content.Actions[0] = actions.Action{Code: actions.Aftale, Label: "x"}
		}, smtp.Config{}, "/content/actions/0 calendar.impossible"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLetter(t, "nancy@testby.example")
			l.Message = gateway.Message{}
			c.change(&l)
			c.cfg.Server = smtp.Server{Host: "127.0.0.1", Port: 1}
			ps := newChannel(t, c.cfg).Check(t.Context(), l)
			var got []string
			for _, p := range ps {
				got = append(got, p.Pointer+" "+p.Code)
				if p.Detail == "" || strings.Contains(p.Detail, "251248") || strings.Contains(p.Detail, "nancy") {
					t.Errorf("detail %q", p.Detail)
				}
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCheckTellsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	ps := newChannel(t, smtp.Config{Server: smtp.Server{Host: "127.0.0.1"}}).Check(t.Context(), gateway.Letter{Intent: &gateway.Intent{}})
	if want := "/recipient/email /sender /content/title /content/text"; fmt.Sprint(pointers(ps)) != "["+want+"]" {
		t.Errorf("got %v, want %s", pointers(ps), want)
	}
}

func pointers(ps []gateway.Problem) []string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Pointer)
	}
	return out
}
