package demo

import (
	_ "embed"
	"time"

	"github.com/brevdue/brevdue/gateway/httpapi"
)

// letterPDF is the letter of the samples: fictional, two sentences on one A4 page.
//
//go:embed Indkaldelse.pdf
var letterPDF []byte

// sample is one intent of the demo, and what its recipient stands for.
type sample struct {
	what     string
	expected string
	cancel   bool
	answered bool // its recipient answers, with the case of the letter
	request  httpapi.IntentRequest

	id     string // once posted
	status string
	answer string // the post that answers it
	took   time.Duration
}

// makeSamples returns the intents, with references that no earlier demo in the same folder has used.
func makeSamples(now time.Time) []sample {
	list := []sample{
		{
			what: "PDF letter with AFTALE and TILMELDING", expected: "delivered",
			request: letter("2512489996", appointment(now), signUp(now)),
		},
		{what: "the six other actions", expected: "delivered", request: letter("2512489996", links()...)},
		{what: "text only, no document", expected: "delivered", request: text("2512489996")},
		{what: "rejected by Digital Post afterwards", expected: "failed", request: letter("2512489993")},
		{what: "refused in the answer", expected: "failed", request: letter("2512489992")},
		{what: "accepted, then cut before the answer", expected: "delivered", request: letter("2512489991")},
		{what: "far end busy twice (503)", expected: "delivered", request: letter("2512489990")},
		{what: "statuses twice and in the wrong order", expected: "delivered", request: letter("2512489988")},
		{what: "access token refused once (401)", expected: "delivered", request: letter("2512489985")},
		{what: "answered by its recipient", expected: "delivered", answered: true, request: inCase("2512489984")},
		{what: "to a company, by CVR number", expected: "delivered", request: company("55139996")},
		{what: "NemSMS", expected: "delivered", request: sms("2512489996")},
		{what: "e-mail with a calendar file", expected: "delivered", request: mail(appointment(now))},
		{what: "printed letter, made from its text", expected: "delivered", request: printed("2512489996", "print")},
		{what: "not in Digital Post, so printed", expected: "delivered", request: printed("2512489995", "digitalpost", "print")},
		{what: "Automatisk Valg", expected: "delivered", request: printed("2512489996", "automatic")},
		{what: "printed, and came back", expected: "failed", request: returned()},
		{what: "for tomorrow, and cancelled today", expected: "cancelled", cancel: true, request: tomorrow(now)},
	}
	for n := range list {
		list[n].request.Reference = "demo-" + now.UTC().Format("20060102T150405.000") + "-" + string(rune('a'+n))
	}
	return list
}

func letter(cpr string, actions ...httpapi.ActionRequest) httpapi.IntentRequest {
	return httpapi.IntentRequest{
		Sender:    "jobcenter",
		Recipient: httpapi.RecipientRequest{CPR: cpr, Name: "Nancy Ann Berggren"},
		Routes:    [][]string{{"digitalpost"}},
		Content: httpapi.ContentRequest{
			Title: "Indkaldelse til jobsamtale", Notification: "Ny indkaldelse fra Jobcenter",
			Documents: []httpapi.DocumentRequest{{
				Filename: "Indkaldelse.pdf", ContentType: "application/pdf", Content: httpapi.Base64{Bytes: letterPDF},
			}},
			Actions: actions,
		},
	}
}

// inCase is a letter of a case that may be answered.
func inCase(cpr string) httpapi.IntentRequest {
	r := letter(cpr)
	r.Content.Reply.Allowed = true
	r.Content.Case = httpapi.CaseRequest{ID: "2026-0417", System: "Jobcentrets fagsystem"}
	return r
}

func text(cpr string) httpapi.IntentRequest {
	r := letter(cpr)
	r.Content.Documents = nil
	r.Content.Text = "Du er indkaldt til samtale i Jobcentret. Medbring dit CV og eventuelle spørgsmål."
	return r
}

func company(cvr string) httpapi.IntentRequest {
	r := letter("")
	r.Recipient = httpapi.RecipientRequest{CVR: cvr, Name: "Testby Bageri ApS"}
	return r
}

func sms(cpr string) httpapi.IntentRequest {
	r := text(cpr)
	r.Routes = [][]string{{"nemsms"}}
	r.Content.SMS = "Husk din samtale i Jobcentret i morgen kl. 10."
	return r
}

func mail(actions ...httpapi.ActionRequest) httpapi.IntentRequest {
	r := text("2512489996")
	r.Recipient.Email = "nancy@borger.example"
	r.Routes = [][]string{{"smtp"}}
	r.Content.Actions = actions
	return r
}

func printed(cpr string, route ...string) httpapi.IntentRequest {
	r := text(cpr)
	r.Recipient.Address = httpapi.AddressRequest{Street: "Rådhuspladsen", House: "2", Postcode: "8000", City: "Aarhus C", Country: "DK"}
	r.Routes = [][]string{route}
	return r
}

// returned is a letter on paper whose fate the simulator reads from the name: a printed letter carries no CPR number.
func returned() httpapi.IntentRequest {
	r := printed("2512489986", "print")
	r.Recipient.Name = "Nancy Ann Berggren 9986"
	return r
}

func tomorrow(now time.Time) httpapi.IntentRequest {
	r := letter("2512489996")
	r.Send.NotBefore = now.Add(24 * time.Hour).Format(time.RFC3339)
	return r
}

func appointment(now time.Time) httpapi.ActionRequest {
	start := now.Add(7 * 24 * time.Hour).Truncate(time.Hour)
	return httpapi.ActionRequest{
		Type: "AFTALE", Label: "Jobsamtale", Start: start.Format(time.RFC3339), End: start.Add(45 * time.Minute).Format(time.RFC3339),
		Location: "Værkmestergade 5", Abstract: "Jobsamtale", Description: "Medbring CV",
		Organizer: httpapi.OrganizerRequest{Name: "Jobcenter", Mail: "jobcenter@testby.example"},
	}
}

func signUp(now time.Time) httpapi.ActionRequest {
	return httpapi.ActionRequest{
		Type: "TILMELDING", Label: "Tilmeld dig informationsaften", URL: "https://testby.example/tilmeld",
		End: now.Add(14 * 24 * time.Hour).Format(time.RFC3339),
	}
}

func links() []httpapi.ActionRequest {
	list := []httpapi.ActionRequest{
		{Type: "BETALING", Label: "Betal regningen"}, {Type: "SELVBETJENING", Label: "Ret dine oplysninger"},
		{Type: "INFORMATION", Label: "Læs mere"}, {Type: "UNDERSKRIV", Label: "Underskriv aftalen"},
		{Type: "BEKRAEFT", Label: "Bekræft, at du kommer"}, {Type: "FORBEREDELSE", Label: "Forbered dig"},
	}
	for n := range list {
		list[n].URL = "https://testby.example/" + list[n].Type
	}
	return list
}
