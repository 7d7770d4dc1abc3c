package print_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	printing "github.com/brevdue/brevdue/channels/print"
	"github.com/brevdue/brevdue/gateway"
)

// a3 is a PDF of two pages, the second one A3, by hand.
func a3() []byte {
	objects := []string{
		"<</Type /Catalog /Pages 2 0 R>>", "<</Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 595 842]>>",
		"<</Type /Page>>", "<</Type /Page /MediaBox [0 0 842 1191] /Resources <</Font <</F <</BaseFont /Helvetica>>>>>>>>",
	}
	b := []byte("%PDF-1.4\n")
	var offsets []int
	for n, o := range objects {
		offsets = append(offsets, len(b))
		b = fmt.Appendf(b, "%d 0 obj\n%s\nendobj\n", n+1, o)
	}
	table := len(b)
	b = fmt.Appendf(b, "xref\n0 5\n0000000000 65535 f \n")
	for _, o := range offsets {
		b = fmt.Appendf(b, "%010d 00000 n \n", o)
	}
	return fmt.Appendf(b, "trailer\n<</Size 5 /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", table)
}

func TestCheckPointsIntoTheRequest(t *testing.T) {
	t.Parallel()
	large := make([]byte, 8<<20)
	copy(large, "%PDF-1.7\n")
	encrypted := []byte("%PDF-1.4\nxref\n0 0\ntrailer <</Root 1 0 R /Encrypt 2 0 R>>\nstartxref 9\n%%EOF")
	for name, c := range map[string]struct {
		change func(t *testing.T, l gateway.Letter) gateway.Letter
		want   []string // pointer and code
		detail string
	}{
		"no print profile": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Sender.Forsendelsestype = 0
			return l
		}, []string{"/sender sender.forsendelsestype"}, ""},
		"no name": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Recipient.Name = ""
			return l
		}, []string{"/recipient/name required"}, ""},
		"no address": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Recipient.Address = gateway.Address{}
			return l
		}, []string{"/recipient/address required"}, ""},
		"half an address": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Recipient.Address = gateway.Address{House: "7"}
			return l
		}, []string{"/recipient/address/street required", "/recipient/address/postcode required", "/recipient/address/city required"}, ""},
		"post code of three digits": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Recipient.Address.Postcode = "800"
			return l
		}, []string{"/recipient/address/postcode address.postcode"}, ""},
		"house number that fits no form": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Recipient.Address.House = gateway.Private(strings.Repeat("7", 35))
			return l
		}, []string{"/recipient/address/house address.length"}, ""},
		"country": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Recipient.Address.Country = "Tyskland"
			return l
		}, []string{"/recipient/address/country address.country"}, ""},
		"name of another script": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Recipient.Name = "\u674e"
			return l
		}, []string{"/recipient/name text.character"}, "U+674E"},
		"name longer than the window": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Recipient.Name = gateway.Private(strings.Repeat("Abcdefghi ", 13)) // 129 characters
			l.Intent.Recipient.Address.Street = "En meget lang gade med mange ord i sit navn 12345678901234567890 og så videre"
			return l
		}, []string{"/recipient/address text.too_long"}, "6 lines"},
		"no text": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Content.Text = " \n"
			return l
		}, []string{"/content/documents required"}, ""},
		"text that cannot be printed": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Content.Text, l.Intent.Content.Title = "Hej 😀", "\u6f22"
			l.Intent.Content.Actions[1].Label = "✂"
			return l
		}, []string{"/content/title text.character", "/content/text text.character", "/content/actions/1 text.character"}, ""},
		"text of too many pages": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Content.Text = strings.Repeat("x\n", 3000)
			return l
		}, []string{"/content/text letter.too_long"}, "at most 50"},
		"long case": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l.Intent.Content.CaseID = strings.Repeat("9", 1000)
			return l
		}, []string{"/content/case text.too_long"}, ""},
		"not a PDF": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			return withDocuments(l, []byte("PK"))
		}, []string{"/content/documents/0 pdf.not_pdf"}, ""},
		"a3 and a font, in the second document": {func(t *testing.T, l gateway.Letter) gateway.Letter {
			t.Helper()
			pdf, err := samplePDF()
			if err != nil {
				t.Fatal(err)
			}
			return withDocuments(l, pdf, a3())
		}, []string{"/content/documents/1 pdf.page_size", "/content/documents/1 pdf.font_not_embedded"}, "page 2: 297 x 420 mm"},
		"encrypted": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			return withDocuments(l, encrypted)
		}, []string{"/content/documents/0 pdf.encrypted"}, ""},
		"8 MiB": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			return withDocuments(l, large)
		}, []string{"/content/documents/0 pdf.too_large"}, "at most 7340032"},
		"a size that lies": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l = withDocuments(l, large)
			l.Intent.Content.Documents[0].Size = 10
			return l
		}, []string{"/content/documents/0 pdf.too_large"}, ""},
		"unreadable": {func(_ *testing.T, l gateway.Letter) gateway.Letter {
			l = withDocuments(l, a3())
			l.Open = func(context.Context, int) (io.ReadCloser, error) { return nil, errors.New("the disk is gone") }
			return l
		}, []string{"/content/documents/0 document.unreadable"}, ""},
		"long filename": {func(t *testing.T, l gateway.Letter) gateway.Letter {
			t.Helper()
			l = withPDF(t, l)
			l.Intent.Content.Documents[1].Filename = strings.Repeat("x", 301)
			return l
		}, []string{"/content/documents/1/filename forsendelse.length"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := c.change(t, letter(t))
			ps := channel(t, printing.Config{}).Check(t.Context(), l)
			var got []string
			var details []string
			for _, p := range ps {
				got = append(got, p.Pointer+" "+p.Code)
				details = append(details, p.Detail)
			}
			all := strings.Join(details, "\n")
			if !slices.Equal(got, c.want) || !strings.Contains(all, c.detail) {
				t.Errorf("%+v, want %v", ps, c.want)
			}
			for _, private := range []string{"Nancy", "Modtagergade", "Aarhus", "Du er", "Abcd"} {
				if strings.Contains(all, private) {
					t.Errorf("the problem repeats the letter: %s", all)
				}
			}
		})
	}
}

func TestTogetherTheDocumentsAreTooLarge(t *testing.T) {
	t.Parallel()
	l := withPDF(t, letter(t))
	one := l.Intent.Content.Documents[0].Size
	ps := channel(t, printing.Config{MaxSize: one + 1}).Check(t.Context(), l)
	if len(ps) != 1 || ps[0].Pointer != "/content/documents" || ps[0].Code != "letter.too_large" {
		t.Errorf("%+v", ps)
	}
}

func BenchmarkCheckText(b *testing.B) {
	c, l := channel(b, printing.Config{}), letter(b)
	b.ReportAllocs()
	for b.Loop() {
		if ps := c.Check(b.Context(), l); len(ps) > 0 {
			b.Fatal(ps)
		}
	}
}

// FuzzWhatPassesCanBeSent: nothing may be found invalid after Check.
func FuzzWhatPassesCanBeSent(f *testing.F) {
	f.Add("Nancy Ann Berggren", "Modtagergade", "007b", "2. sal", "tv.", "8000", "Aarhus C", "DK", "Titel", "Kære Nancy")
	f.Add("Åse", "Nørre Allé 1", "", "", "", "DK-2200", "København N", "", "x", "- a\n- b")
	f.Add("Max Müller", "Unter den Linden", "77", "", "", "10117", "Berlin", "DE", "y", "1. januar")
	f.Add("c/o", strings.Repeat("lang ", 20), "1000", "k1", "12345", "0800", "", "SE", "z", "\u0301")
	c := channel(f, printing.Config{})
	f.Fuzz(func(t *testing.T, name, street, house, floor, door, postcode, city, country, title, text string) {
		l := letter(t)
		l.Intent.Recipient.Name = gateway.Private(name)
		l.Intent.Recipient.Address = gateway.Address{
			Street: gateway.Private(street), House: gateway.Private(house), Floor: gateway.Private(floor), Door: gateway.Private(door),
			Postcode: gateway.Private(postcode), City: gateway.Private(city), Country: gateway.Private(country),
		}
		l.Intent.Content.Title, l.Intent.Content.Text = title, text
		if ps := c.Check(t.Context(), l); len(ps) > 0 {
			return
		}
		sent, err := c.Forsendelse(t.Context(), l)
		if err != nil {
			t.Fatalf("passed, but cannot be made: %v", err)
		}
		if err := errors.Join(sent.Validate(), sent.CheckContents(t.Context())); err != nil {
			t.Fatalf("passed, but is no ForsendelseI: %v", err)
		}
	})
}
