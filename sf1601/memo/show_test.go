package memo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/sf1601/memo"
)

func summary(t *testing.T, document []byte, o memo.SummaryOptions) memo.Summary {
	t.Helper()
	k, err := memo.ReadKombi(t.Context(), bytes.NewReader(document), memo.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return memo.NewSummary(k, o)
}

func text(t *testing.T, s memo.Summary) string {
	t.Helper()
	var b strings.Builder
	if err := s.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSummaryOfALetter(t *testing.T) {
	t.Parallel()
	got := text(t, summary(t, render(t, letter(memo.V1_2)), memo.SummaryOptions{Zone: copenhagen}))
	const want = `MeMo               1.2 DIGITALPOST
Message            5b2e9f54-5c0e-4d27-9d5a-0d9c5a0c1f11 (msg_01)
From               Testby Kommune (CVR 55133018)
To                 •••• (CPR ••••••-••••)
Subject            Indkaldelse til jobsamtale
Notification       Ny indkaldelse fra Jobcenter
About              CPR ••••••-••••
Case               sag-2026-0417 (Jobcentersystemet)
KLE                15.20.00 Aktiv beskæftigelsesindsats
Created            2026-12-01T09:00:00+01:00
Reply by           2026-12-10T12:00:00+01:00
Marks              may be answered
MainDocument       Indkaldelse
  File             Indkaldelse.pdf (application/pdf, da, 12 bytes)
    SHA-256        f30673663e40faf7a039e7416910e5e5662b3c9a5914e8633a975d03a87b8065
  Action           AFTALE Jobsamtale
    When           2026-12-01T10:00:00+01:00 to 2026-12-01T10:45:00+01:00
    What           Jobsamtale
    Where          Værkmestergade 5
  Action           TILMELDING Gå til TILMELDING
    When           until 2026-12-10T23:59:00+01:00
    Link           https://testby.example/handling?trin=1&sag=2
AdditionalDocument Bilag
  File             Bilag.pdf (application/pdf, da, 5 bytes)
    SHA-256        6a506ea88a650c1f7224c050dcc9a6398fc931d36278dabb2b8537a232f68036
`
	if got != want {
		t.Errorf("got\n%s", got)
	}
}

// Who is no company is a person, whatever the type of the identification says.
func TestSummaryMasksEveryPerson(t *testing.T) {
	t.Parallel()
	const cpr, name = "2512489996", "Nancy Ann Berggren"
	m := letter(memo.V1_2)
	for idType, masked := range map[memo.IDType]bool{memo.CPR: true, "cpr": true, "": true, "Andet": true, memo.CVR: false, "cvr": false} {
		m.Header.Recipient = memo.Recipient{RecipientID: cpr, IDType: idType, Label: name}
		m.Header.ContentData.CPRdata.CprNumber = cpr
		document := render(t, m)
		s := summary(t, document, memo.SummaryOptions{})
		if got := s.Recipient.ID == "••••••-••••" && s.Recipient.Label == "••••"; got != masked {
			t.Errorf("%q: %+v", idType, s.Recipient)
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if masked && (bytes.Contains(b, []byte(cpr)) || bytes.Contains(b, []byte(name)) || strings.Contains(text(t, s), cpr)) {
			t.Errorf("%q: not masked in %s", idType, b)
		}
		if s := summary(t, document, memo.SummaryOptions{Clear: true}); s.Recipient.ID != cpr || s.Recipient.Label != name || s.About != "CPR "+cpr {
			t.Errorf("%q: not clear: %+v", idType, s)
		}
	}
}

func TestSummaryOfMarksAndRequests(t *testing.T) {
	t.Parallel()
	_, inner, _ := strings.Cut(string(render(t, full(memo.V1_2))), "?>\n")
	request := "<kombi_request><KombiValgKode>Automatisk Valg</KombiValgKode>" + inner + `<ForsendelseISamling xmlns="urn:x"/></kombi_request>`
	got := text(t, summary(t, []byte(request), memo.SummaryOptions{}))
	for _, want := range []string{
		"KombiValgKode      Automatisk Valg\n", "Not before         2026-12-03\n",
		"Marks              mandatory, legal notification, may be answered, forwarded, part of a thread, with a ForsendelseISamling\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%s", want, got)
		}
	}
	alone := summary(t, []byte("<kombi_request><KombiValgKode>Fysisk Post</KombiValgKode></kombi_request>"), memo.SummaryOptions{})
	if got := text(t, alone); got != "MeMo               ?\nKombiValgKode      Fysisk Post\n" {
		t.Errorf("got\n%s", got)
	}
}

// A letter cannot write over what the terminal shows.
func TestSummaryIsHarmlessToATerminal(t *testing.T) {
	t.Parallel()
	m := letter(memo.V1_2)
	m.Header.Label = "a\u009b2Kb\nTo: nobody\u202ec\td"
	got := text(t, summary(t, render(t, m), memo.SummaryOptions{}))
	if !strings.Contains(got, "Subject            a\uFFFD2Kb To: nobody\uFFFDc d\n") {
		t.Errorf("got\n%q", got)
	}
	if err := summary(t, render(t, m), memo.SummaryOptions{}).WriteText(failingWriter{errors.New("disk")}); err == nil {
		t.Error("a failed write is no error")
	}
}
