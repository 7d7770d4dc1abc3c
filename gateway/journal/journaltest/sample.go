package journaltest

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/gateway"
)

// start is the moment at which every sample begins. It has microseconds, which a journal must keep.
func start() time.Time { return time.Date(2026, 11, 2, 8, 30, 0, 123456000, time.UTC) }

// Sample is intent n of a producer with one document and one message, as Accept would write it: the same n gives the
// same ids.
func Sample(n int) (*gateway.Intent, *gateway.Message) {
	at := start().Add(time.Duration(n) * time.Second)
	i := &gateway.Intent{
		ID: fmt.Sprintf("int_%026d", n), Producer: "huskeservice", Reference: fmt.Sprintf("sag-%d", n),
		Fingerprint: sha256.Sum256(fmt.Append(nil, n)), Sender: "jobcenter",
		Routes:   []gateway.Route{{"digitalpost"}},
		Content:  gateway.Content{Title: "Indkaldelse til jobsamtale", Documents: []gateway.Document{SampleDocument(2000)}},
		Priority: gateway.Normal, Status: gateway.IntentAccepted, CreatedAt: at,
	}
	m := &gateway.Message{
		ID: fmt.Sprintf("msg_%026d", n), IntentID: i.ID, Channel: "digitalpost", Priority: gateway.Normal, State: gateway.Queued,
		MessageUUID:   fmt.Sprintf("%08x-0000-4000-8000-%012d", scatter(n), n),
		AfsendelseID:  fmt.Sprintf("%08x-%029d", scatter(n+1), n),
		TransactionID: fmt.Sprintf("%08x-1111-4000-8000-%012d", scatter(n+2), n),
		DueAt:         at, CreatedAt: at,
	}
	return i, m
}

// scatter spreads neighbours over 32 bits, as random identities are spread.
func scatter(n int) int { return n * 2654435761 & 0xffffffff }

// SampleDocument is a PDF of so many bytes that lives in the journal.
func SampleDocument(size int) gateway.Document {
	d := gateway.Document{
		Filename: "Indkaldelse.pdf", ContentType: "application/pdf",
		Size: int64(size), Inline: make([]byte, size),
	}
	for i := range d.Inline {
		d.Inline[i] = byte(i * 7)
	}
	copy(d.Inline, "%PDF-1.7")
	d.SetDigest(sha256.Sum256(d.Inline))
	return d
}

// full is an intent with every field set.
func full(t *testing.T) *gateway.Intent {
	t.Helper()
	i, _ := Sample(1)
	id, err := gateway.ParseCPR("2512489996")
	must(t, err)
	i.Recipient = gateway.Recipient{
		ID: id, Name: "Nancy Ann Berggren", Email: "nancy@example.dk", Mobile: "+4512345678",
		Address: gateway.Address{
			Street: "Rådhuspladsen", House: "2", Floor: "3", Door: "tv", Postcode: "8000", City: "Aarhus C", Country: "DK",
		},
	}
	i.Routes = []gateway.Route{{"digitalpost", "print"}, {"nemsms", "smtp"}}
	i.NotBefore, i.Expires = start().Add(time.Hour), start().Add(72*time.Hour)
	i.Window, i.Dedupe, i.DiscardedBy = "day", "jobsamtale-17", "int_other"
	i.Priority, i.Batch = gateway.Bulk, "batch_1"
	aftale := actions.NewAftale("Jobsamtale", actions.Reservation{
		Description: "Medbring CV", UUID: "7d444840-9dc0-41d1-b245-5ffdce74fad2", Abstract: "Jobsamtale",
		Location: "Værkmestergade 5", Start: start().Add(24 * time.Hour), End: start().Add(25 * time.Hour),
		Organizer: actions.Organizer{Name: "Jobcenter", Mail: "jobcenter@testby.example"},
	})
	i.Content = gateway.Content{
		Title: "Indkaldelse til jobsamtale", Text: "Kære Nancy\nDu er indkaldt <til> samtale & kaffe.",
		SMS: "Husk din samtale", Notification: "Ny indkaldelse fra Jobcenter",
		Documents: []gateway.Document{
			SampleDocument(70),
			{Filename: "Bilag.pdf", ContentType: "application/pdf", Size: 74_000_000, SHA256: SampleDocument(71).SHA256},
		},
		Actions: []actions.Action{
			aftale.Between(start(), start().Add(time.Hour)),
			actions.NewTilmelding("Tilmeld dig", "https://testby.example/tilmeld?a=1&b=2", start().Add(200*time.Hour)),
			actions.NewInformation("Læs mere", "https://testby.example/læs"),
		},
		ReplyAllowed: true, ReplyBy: start().Add(100 * time.Hour), Mandatory: true, LegalNotification: true,
		KLE: "27.24.00", CaseID: "2026-0417", CaseSystem: "ESDH",
		Answers: []gateway.Answered{{
			MessageID: "MSG-1", MessageUUID: "7d444840-9dc0-41d1-b245-5ffdce74fad3", ReplyUUID: "7d444840-9dc0-41d1-b245-5ffdce74fad4",
			SenderID: "2512489996", RecipientID: "55133018", CaseID: "2026-0417", ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330",
			GeneratingSystemID: "esdh-7", Comment: "Se bilag", Additional: []gateway.Pair{{Label: "nøgle", Value: "værdi"}},
		}},
	}
	return i
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// update runs fn in j and fails the test on an error.
func update(t *testing.T, j gateway.Journal, fn func(gateway.Tx) error) {
	t.Helper()
	must(t, j.Update(t.Context(), fn))
}

// accept stores an intent with its messages.
func accept(t *testing.T, j gateway.Journal, i *gateway.Intent, messages ...*gateway.Message) {
	t.Helper()
	update(t, j, func(tx gateway.Tx) error { return insert(tx, i, messages...) })
}

func insert(tx gateway.Tx, i *gateway.Intent, messages ...*gateway.Message) error {
	if _, err := tx.InsertIntent(i); err != nil {
		return err
	}
	for _, m := range messages {
		if err := tx.InsertMessage(m); err != nil {
			return err
		}
	}
	return tx.InsertEvent(&gateway.Event{
		At: i.CreatedAt, Producer: i.Producer, IntentID: i.ID, Reference: i.Reference,
		Status: gateway.MessageState(i.Status), IntentStatus: i.Status,
	})
}
