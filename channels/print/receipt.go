package print

import (
	"slices"
	"strings"
	"time"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// StatusWithin is how long the final status of a letter on paper may take: it waits for the print run, and "Modtaget Post
// Danmark" comes when the post has it. Ten days are a week of work with a holiday in it, and time for a rush.
const StatusWithin = 10 * 24 * time.Hour

// StatusWithin implements gateway.StatusWithin.
func (c *Channel) StatusWithin() time.Duration { return StatusWithin }

// Returned says which "Opdatering fra Post Danmark" tells of return mail. The same status tells of changes of address,
// proof of receipt and tracking numbers, and what its body says is not published; so nothing is taken for return mail
// that does not say so, and everything else stays in the journal as a note.
type Returned struct {
	HaendelseTypeKoder []string // values of ForsendelseHaendelseTypeKode; default none
	FejlKoder          []string // values of FejlKode; default none
	// Tekster are parts of FejlTekst, in any case. nil: "returpost", "returneret", "retur til afsender". An empty list:
	// texts say nothing.
	Tekster []string
}

// Receipts reads the statuses of every channel of SF1601: those of print by their meaning for a letter on paper, all
// others as digitalpost.Receipt does with the table of codes (nil: the default one).
//
//	Afsendt, Klar, Afleveret til print og kuvertering   noted
//	Modtaget Fjern-print                                received
//	Modtaget Post Danmark                               delivered: the post has it, and no later status is sure to come
//	Fejlet, Tilbagekaldt                                rejected
//	Opdatering fra Post Danmark                         returned when it says so, see Returned; else noted
func Receipts(returned Returned, codes *sf1601.Table) func(raw []byte, b *beskedfordeler.Besked) gateway.Receipt {
	if returned.Tekster == nil {
		returned.Tekster = []string{"returpost", "returneret", "retur til afsender"}
	}
	return func(raw []byte, b *beskedfordeler.Besked) gateway.Receipt {
		r := digitalpost.Receipt(codes, raw, b)
		if kind, _ := b.Kind(); kind == beskedfordeler.KindOpdatering && returned.says(b.Status) {
			r.Kind = gateway.ReceiptReturned
			r.Hint = strings.TrimSpace(r.Hint + " The letter came back: check the recipient's address.")
		}
		return r
	}
}

func (r Returned) says(s *beskedfordeler.PostStatus) bool {
	if s == nil {
		return false
	}
	if s.FejlKode != "" && slices.Contains(r.FejlKoder, s.FejlKode) {
		return true
	}
	for _, h := range s.Haendelser {
		if slices.Contains(r.HaendelseTypeKoder, h.TypeKode) {
			return true
		}
	}
	text := strings.ToLower(s.FejlTekst)
	return slices.ContainsFunc(r.Tekster, func(part string) bool {
		return part != "" && strings.Contains(text, strings.ToLower(part))
	})
}
