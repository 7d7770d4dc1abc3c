package print_test

import (
	"testing"

	printing "github.com/brevdue/brevdue/channels/print"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

func TestReceiptsOfPrint(t *testing.T) {
	t.Parallel()
	read := printing.Receipts(printing.Returned{}, nil)
	for kind, want := range map[beskedfordeler.Kind]gateway.ReceiptKind{
		beskedfordeler.KindAfsendt:            gateway.ReceiptNote,
		beskedfordeler.KindKlar:               gateway.ReceiptNote,
		beskedfordeler.KindTilPrint:           gateway.ReceiptNote,
		beskedfordeler.KindFjernprintModtaget: gateway.ReceiptReceived,
		beskedfordeler.KindPostDanmark:        gateway.ReceiptDelivered,
		beskedfordeler.KindOpdatering:         gateway.ReceiptNote,
		beskedfordeler.KindFejlet:             gateway.ReceiptRejected,
		beskedfordeler.KindTilbagekaldt:       gateway.ReceiptRejected,
		beskedfordeler.KindAfleveret:          gateway.ReceiptDelivered,
	} {
		b := &beskedfordeler.Besked{ID: "b", Handling: kind.Handling(), Status: &beskedfordeler.PostStatus{AfsendelseIdentifikator: "a"}}
		if got := read([]byte("<x/>"), b); got.Kind != want || got.AfsendelseID != "a" {
			t.Errorf("%s: %s, want %s", kind, got.Kind, want)
		}
	}
	rejected := read(nil, &beskedfordeler.Besked{Handling: beskedfordeler.HandlingTilbagekaldt, Status: &beskedfordeler.PostStatus{}})
	if rejected.Class != gateway.Fail {
		t.Errorf("a recalled letter is %s", rejected.Class)
	}
}

func TestReturnMail(t *testing.T) {
	t.Parallel()
	opdatering := func(s beskedfordeler.PostStatus) *beskedfordeler.Besked {
		return &beskedfordeler.Besked{Handling: beskedfordeler.HandlingOpdatering, Status: &s}
	}
	set := printing.Returned{HaendelseTypeKoder: []string{"7"}, FejlKoder: []string{"R1"}, Tekster: []string{}}
	for name, c := range map[string]struct {
		rule printing.Returned
		b    *beskedfordeler.Besked
		want gateway.ReceiptKind
	}{
		"text says so":        {printing.Returned{}, opdatering(beskedfordeler.PostStatus{FejlTekst: "Returpost: ubekendt på adressen"}), gateway.ReceiptReturned},
		"text in capitals":    {printing.Returned{}, opdatering(beskedfordeler.PostStatus{FejlTekst: "BREVET ER RETURNERET"}), gateway.ReceiptReturned},
		"change of address":   {printing.Returned{}, opdatering(beskedfordeler.PostStatus{FejlTekst: "Ny adresse"}), gateway.ReceiptNote},
		"no text":             {printing.Returned{}, opdatering(beskedfordeler.PostStatus{}), gateway.ReceiptNote},
		"no body":             {printing.Returned{}, &beskedfordeler.Besked{Handling: beskedfordeler.HandlingOpdatering}, gateway.ReceiptNote},
		"unset code":          {printing.Returned{}, opdatering(beskedfordeler.PostStatus{FejlKode: "R1"}), gateway.ReceiptNote},
		"code":                {set, opdatering(beskedfordeler.PostStatus{FejlKode: "R1"}), gateway.ReceiptReturned},
		"event":               {set, opdatering(beskedfordeler.PostStatus{Haendelser: []beskedfordeler.Haendelse{{TypeKode: "3"}, {TypeKode: "7"}}}), gateway.ReceiptReturned},
		"another event":       {set, opdatering(beskedfordeler.PostStatus{Haendelser: []beskedfordeler.Haendelse{{TypeKode: "3"}}}), gateway.ReceiptNote},
		"texts say nothing":   {set, opdatering(beskedfordeler.PostStatus{FejlTekst: "returpost"}), gateway.ReceiptNote},
		"another status":      {printing.Returned{}, &beskedfordeler.Besked{Handling: beskedfordeler.HandlingPostDanmark, Status: &beskedfordeler.PostStatus{FejlTekst: "returpost"}}, gateway.ReceiptDelivered},
		"an empty text is no": {printing.Returned{Tekster: []string{""}}, opdatering(beskedfordeler.PostStatus{FejlTekst: "x"}), gateway.ReceiptNote},
	} {
		if got := printing.Receipts(c.rule, nil)(nil, c.b); got.Kind != c.want {
			t.Errorf("%s: %s, want %s", name, got.Kind, c.want)
		}
	}
}
