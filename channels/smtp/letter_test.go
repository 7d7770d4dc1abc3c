package smtp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"github.com/brevdue/brevdue/actions"
	"github.com/brevdue/brevdue/channels/smtp"
	"github.com/brevdue/brevdue/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// accepted is when the letters of these tests were accepted: winter in Denmark.
var accepted = time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC)

const (
	reservationUUID = "0c2d1a57-3b5e-4d39-8a0a-6f5f1c9d7e21"
	body            = "Kære Nancy\n\nDu er indkaldt til samtale. Medbring <CV> & pas.\n.\nFrom os til dig\nVenlig hilsen"
)

// pdf is a document of n bytes that begins like one.
func pdf(n int) []byte {
	return append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte("indkaldelse æøå\n"), n/18+1)...)[:n]
}

// newLetter is a letter with a text, an AFTALE, a TILMELDING and the given documents.
func newLetter(t testing.TB, to string, documents ...[]byte) gateway.Letter {
	t.Helper()
	cvr, err := gateway.ParseCVR("55133018")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, time.December, 1, 9, 0, 0, 0, time.UTC)
	i := &gateway.Intent{
		ID: "int_1", CreatedAt: accepted,
		Recipient: gateway.Recipient{Name: "Nancy Ann Bergström-Ødegård", Email: gateway.Private(to)},
		Content: gateway.Content{
			Title: "Indkaldelse til jobsamtale på Rådhuset", Text: body,
			Actions: []actions.Action{
				actions.NewAftale("Jobsamtale", actions.Reservation{
					Description: "Medbring CV", UUID: reservationUUID, Abstract: "Jobsamtale", Location: "Værkmestergade 5",
					Start: start, End: start.Add(45 * time.Minute),
					Organizer: actions.Organizer{Name: "Jobcenter", Mail: "jobcenter@testby.example"},
				}),
				actions.NewTilmelding("Tilmeld dig", "https://testby.example/tilmeld?a=1&b=2", start.Add(229*time.Hour+59*time.Minute)),
			},
		},
	}
	for n, d := range documents {
		i.Content.Documents = append(i.Content.Documents, gateway.Document{
			Filename: fmt.Sprintf("Bilag %d æøå.pdf", n), ContentType: "application/pdf", Size: int64(len(d)),
		})
	}
	return gateway.Letter{
		Intent:  i,
		Sender:  gateway.Sender{Name: "jobcenter", CVR: cvr, Label: "Testby Kommune, Jobcenter", From: "jobcenter@testby.example"},
		Message: gateway.Message{ID: "msg_" + uuid.NewString(), MessageUUID: uuid.NewString()},
		Attempt: gateway.Attempt{ID: "att_1"},
		Open: func(_ context.Context, n int) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(documents[n])), nil
		},
	}
}

// newChannel makes a channel for a server on this machine.
func newChannel(t testing.TB, cfg smtp.Config) *smtp.Channel {
	t.Helper()
	if err := cfg.Server.Validate(); err != nil {
		t.Fatal(err)
	}
	c := smtp.New(cfg)
	t.Cleanup(c.Close)
	return c
}
