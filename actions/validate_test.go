package actions_test

import (
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/actions"
)

// x is n characters of two bytes each, to tell characters from bytes.
func x(n int) string { return strings.Repeat("ø", n) }

func aftale(change func(r *actions.Reservation)) actions.Action {
	r := reservation()
	change(&r)
	return actions.NewAftale("Jobsamtale", r)
}

func to(url string) actions.Action { return actions.NewBetaling("Betal", url) }

func TestValidateFinds(t *testing.T) {
	t.Parallel()
	type reserved = actions.Reservation
	past := now.Add(-time.Hour)
	withReservation := func(code actions.Code, r actions.Reservation) actions.Action {
		return actions.Action{Code: code, Label: "x", URL: url, Reservation: &r}
	}
	for _, tt := range []struct {
		name   string
		action actions.Action
		want   []string // pointer and code
	}{
		{"unknown code", actions.Action{Code: "KOEB", Label: "x"}, []string{"/type action.unknown"}},
		{"lower case", actions.Action{Code: "aftale", Label: "x"}, []string{"/type action.unknown"}},
		{"nothing", actions.Action{}, []string{"/type action.unknown", "/label required"}},
		{"blank label", actions.NewBetaling(" \t", url), []string{"/label required"}},
		{"long label", actions.NewBetaling(x(257), url), []string{"/label text.too_long"}},
		{"control character", actions.NewBetaling("a\x07", url), []string{"/label text.invalid"}},
		{"Latin-1", actions.NewBetaling("\xe6", url), []string{"/label text.invalid"}},
		{"U+FFFF", actions.NewBetaling("\uFFFF", url), []string{"/label text.invalid"}},

		{"no url", to(""), []string{"/url required"}},
		{"blank url", to("  "), []string{"/url required"}},
		{"http", to("http://testby.example/"), []string{"/url https.required"}},
		{"HTTPS in capitals", to("HTTPS://testby.example/"), []string{"/url https.required"}},
		{"javascript", to("javascript:alert(1)"), []string{"/url https.required"}},
		{"opaque https", to("https:testby.example"), []string{"/url https.required"}},
		{"relative", to("/tilmeld"), []string{"/url url.relative"}},
		{"host alone", to("testby.example/tilmeld"), []string{"/url url.relative"}},
		{"network path", to("//testby.example/tilmeld"), []string{"/url url.relative"}},
		{"no host", to("https:///tilmeld"), []string{"/url url.host"}},
		{"only a port", to("https://:443/"), []string{"/url url.host"}},
		{"user", to("https://a@testby.example/"), []string{"/url url.userinfo"}},
		{"user and password", to("https://a:b@testby.example/"), []string{"/url url.userinfo"}},
		{"empty user", to("https://@testby.example/"), []string{"/url url.userinfo"}},
		{"port with letters", to("https://testby.example:a/"), []string{"/url url.invalid"}},
		{"space", to("https://testby.example/a b"), []string{"/url url.invalid"}},
		{"space before", to(" https://testby.example/"), []string{"/url url.invalid"}},
		{"backslash", to(`https://testby.example\@other.example/`), []string{"/url url.invalid"}},
		{"line break", to("https://testby.example/\n"), []string{"/url url.invalid"}},
		{"zero-width space", to("https://testby.example/\u200b"), []string{"/url url.invalid"}},
		{"right-to-left override", to("https://testby.example/\u202e"), []string{"/url url.invalid"}},
		{"bad escape", to("https://testby.example/%zz"), []string{"/url url.invalid"}},
		{"control character in url", to("https://testby.example/\x01"), []string{"/url text.invalid"}},
		{"257 characters", to("https://testby.example/" + strings.Repeat("a", 257-23)), []string{"/url text.too_long"}},

		{"end in the past", to(url).Between(time.Time{}, past), []string{"/end time.past"}},
		{"end now", to(url).Between(time.Time{}, now), []string{"/end time.past"}},
		{"end later in this second", to(url).Between(time.Time{}, now.Add(400*time.Millisecond)), []string{"/end time.past"}},
		{"end before start", to(url).Between(at(2, 0, 0), at(1, 0, 0)), []string{"/end time.order"}},
		{"end at start", to(url).Between(at(2, 0, 0), at(2, 0, 0)), []string{"/end time.order"}},
		{"end in the second of start", to(url).Between(at(2, 0, 0), at(2, 0, 0).Add(time.Millisecond)), []string{"/end time.order"}},
		{"same time in another zone", to(url).Between(at(2, 1, 0), at(2, 1, 0).UTC()), []string{"/end time.order"}},
		{"past and order", to(url).Between(now, past), []string{"/end time.past", "/end time.order"}},
		{"deadline in the past", actions.NewTilmelding("x", url, past), []string{"/end time.past"}},

		{"AFTALE with url", func() actions.Action {
			a := actions.NewAftale("x", reservation())
			a.URL = url
			return a
		}(), []string{"/url url.not_allowed"}},
		{"AFTALE without reservation", actions.Action{Code: actions.Aftale, Label: "x"}, []string{
			"/description required", "/abstract required", "/location required", "/uuid uuid.v4", "/start required", "/end required",
		}},
		{"no description", aftale(func(r *reserved) { r.Description = "" }), []string{"/description required"}},
		{"long description", aftale(func(r *reserved) { r.Description = x(257) }), []string{"/description text.too_long"}},
		{"no abstract", aftale(func(r *reserved) { r.Abstract = "" }), []string{"/abstract required"}},
		{"long abstract", aftale(func(r *reserved) { r.Abstract = x(257) }), []string{"/abstract text.too_long"}},
		{"no location", aftale(func(r *reserved) { r.Location = " " }), []string{"/location required"}},
		{"location character", aftale(func(r *reserved) { r.Location = "\x00" }), []string{"/location text.invalid"}},
		{"no start", aftale(func(r *reserved) { r.Start = time.Time{} }), []string{"/start required"}},
		{"no end", aftale(func(r *reserved) { r.End = time.Time{} }), []string{"/end required"}},
		{"reservation over", aftale(func(r *reserved) { r.Start, r.End = past.Add(-time.Hour), past }), []string{"/end time.past"}},
		{"reservation ends first", aftale(func(r *reserved) { r.End = at(1, 9, 59) }), []string{"/end time.order"}},
		{"reservation without length", aftale(func(r *reserved) { r.End = r.Start }), []string{"/end time.order"}},
		{"AFTALE with a period in the past", actions.NewAftale("x", reservation()).Between(time.Time{}, past), []string{"/end time.past"}},
		{"UUID of version 7", aftale(func(r *reserved) { r.UUID = "0190163d-8694-739b-aea5-966c26f8ad91" }), []string{"/uuid uuid.v4"}},
		{"UUID without dashes", aftale(func(r *reserved) { r.UUID = strings.ReplaceAll(r.UUID, "-", "") }), []string{"/uuid uuid.v4"}},
		{"UUID in braces", aftale(func(r *reserved) { r.UUID = "{" + r.UUID + "}" }), []string{"/uuid uuid.v4"}},
		{"UUID with line break", aftale(func(r *reserved) { r.UUID += "\n" }), []string{"/uuid uuid.v4"}},
		{"organizer name", aftale(func(r *reserved) { r.Organizer.Name = x(257) }), []string{"/organizer/name text.too_long"}},
		{"organizer mail length", aftale(func(r *reserved) { r.Organizer.Mail = x(250) + "@a.example" }), []string{"/organizer/mail text.too_long"}},
		{"organizer mail", aftale(func(r *reserved) { r.Organizer.Mail = "jobcenter" }), []string{"/organizer/mail mail.invalid"}},
		{"organizer mail with name", aftale(func(r *reserved) { r.Organizer.Mail = "J <j@testby.example>" }), []string{"/organizer/mail mail.invalid"}},

		{"link with reservation", withReservation(actions.Information, actions.Reservation{
			Location: "a", Abstract: "b", Description: "c", Organizer: actions.Organizer{Name: "d", Mail: "e"},
		}), []string{
			"/location reservation.not_allowed", "/abstract reservation.not_allowed", "/description reservation.not_allowed",
			"/organizer/mail reservation.not_allowed", "/organizer/name reservation.not_allowed",
		}},
		{"link with empty reservation", withReservation(actions.Betaling, actions.Reservation{}), []string{"/type reservation.not_allowed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range tt.action.Validate(now) {
				got = append(got, p.Pointer+" "+p.Code)
				if !strings.HasSuffix(p.Detail, ".") || strings.Contains(p.Detail, "example") {
					t.Errorf("detail is %q", p.Detail)
				}
			}
			if strings.Join(got, ", ") != strings.Join(tt.want, ", ") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestValidateAccepts(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]actions.Action{
		"256 characters":         actions.NewBetaling(x(256), "https://testby.example/"+strings.Repeat("a", 256-23)),
		"port, query, fragment":  to("https://testby.example:8443/a?b=c&d=%C3%A6#e"),
		"letters in the path":    to("https://testby.example/tilmeld/æøå"),
		"address as host":        to("https://[2001:db8::1]/"),
		"start in the past":      to(url).Between(now.Add(-time.Hour), now.Add(time.Second)),
		"only a start":           to(url).Between(now.Add(-time.Hour), time.Time{}),
		"no organizer":           aftale(func(r *actions.Reservation) { r.Organizer = actions.Organizer{} }),
		"UUID in capitals":       aftale(func(r *actions.Reservation) { r.UUID = strings.ToUpper(r.UUID) }),
		"line break in a text":   aftale(func(r *actions.Reservation) { r.Description = "Medbring\r\n\tCV" }),
		"replacement character":  actions.NewBetaling("\uFFFD", url),
		"appointment begun":      aftale(func(r *actions.Reservation) { r.Start, r.End = now.Add(-time.Hour), now.Add(time.Hour) }),
		"TILMELDING without end": actions.NewTilmelding("x", url, time.Time{}),
	} {
		if got := a.Validate(now); got != nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What passes as a url begins with https and a host, whatever it was.
func FuzzURL(f *testing.F) {
	for _, seed := range []string{url, "http://x", "//x", `https:\\x`, "https://a@b", "https://x:1", "https://\u202e", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if to(value).Validate(now) != nil {
			return
		}
		rest, ok := strings.CutPrefix(value, "https://")
		host := strings.FieldsFunc(rest+"/", func(r rune) bool { return strings.ContainsRune("/?#", r) })
		if !ok || rest == "" || strings.ContainsAny(rest[:1], "/?#:") || strings.Contains(host[0], "@") {
			t.Errorf("%q passes", value)
		}
	})
}

func BenchmarkValidate(b *testing.B) {
	a := actions.NewAftale("Jobsamtale", reservation())
	b.ReportAllocs()
	for b.Loop() {
		if a.Validate(now) != nil {
			b.Fatal("not valid")
		}
	}
}
