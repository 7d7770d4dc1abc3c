package digitalpost

import (
	"strings"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// Receipt turns a status from Beskedfordeler into the gateway's noun. raw is kept whole, without the credentials of the
// system that sent it, so every field of the status can be read from it later. "Modtaget Digital Post" is interim, "Afleveret
// Digital Post" final; a rejection's class comes from the table of codes (nil: the default one), and a code that is not listed
// needs a person. Where ObjektHandling and TransaktionsStatusKode disagree, the receipt says so (Conflict, Hint), follows
// ObjektHandling when that is known, and else the text.
func Receipt(codes *sf1601.Table, raw []byte, b *beskedfordeler.Besked) gateway.Receipt {
	kind, agreed := b.Kind()
	r := gateway.Receipt{
		ID: b.ID, OccurredAt: b.Registered, MessageUUID: b.ObjectID, Transmission: b.RegistrationID,
		Raw: beskedfordeler.MaskCredentials(raw), Kind: gateway.ReceiptNote, Status: string(kind),
	}
	if s := b.Status; s != nil {
		r.Code, r.Text, r.Status = s.FejlKode, s.FejlTekst, s.TransaktionsStatusKode
		r.AfsendelseID = s.AfsendelseIdentifikator
		if s.MessageUUID != "" {
			r.MessageUUID = s.MessageUUID
		}
		if s.TransmissionID != "" {
			r.Transmission = s.TransmissionID
		}
		if !s.TransaktionsDatoTid.IsZero() {
			r.OccurredAt = s.TransaktionsDatoTid
		}
	}
	for _, related := range b.Related {
		if related.ID != "" {
			r.Systems = append(r.Systems, related.ID)
		}
	}
	switch {
	case !agreed:
		r.Conflict, r.Hint = true, disagreement(b, kind)
	case kind == beskedfordeler.KindUnknown && b.Status != nil:
		r.Hint = "Neither ObjektHandling nor TransaktionsStatusKode is one that is known here: nothing was concluded from it."
	}
	switch kind {
	case beskedfordeler.KindModtaget, beskedfordeler.KindFjernprintModtaget:
		r.Kind = gateway.ReceiptReceived
	case beskedfordeler.KindAfleveret, beskedfordeler.KindPostDanmark:
		r.Kind = gateway.ReceiptDelivered
	case beskedfordeler.KindFejlet, beskedfordeler.KindTilbagekaldt:
		r.Kind, r.Class = gateway.ReceiptRejected, gateway.Fail
		if code, listed := codes.Lookup(r.Code); listed {
			r.Class = class(code.Outcome)
			r.Hint = strings.TrimSpace(r.Hint + " " + code.Hint)
		}
	case beskedfordeler.KindAfsendt, beskedfordeler.KindKlar, beskedfordeler.KindTilPrint,
		beskedfordeler.KindOpdatering, beskedfordeler.KindUnknown:
		// Steps on the way, or news that says nothing about delivery: recorded as they are.
	}
	return r
}

// disagreement tells which of the two words was followed. It quotes neither: both stand in the receipt.
func disagreement(b *beskedfordeler.Besked, followed beskedfordeler.Kind) string {
	handling := "ObjektHandling is not one that is known here"
	for _, kind := range beskedfordeler.Kinds() {
		if strings.EqualFold(strings.TrimSpace(b.Handling), kind.Handling()) {
			handling = "ObjektHandling says " + kind.StatusKode()
		}
	}
	verdict := "ObjektHandling was followed"
	if !strings.EqualFold(strings.TrimSpace(b.Handling), followed.Handling()) {
		verdict = "TransaktionsStatusKode was followed"
	}
	return handling + ", TransaktionsStatusKode says something else; " + verdict + "."
}

func class(o sf1601.Outcome) gateway.Class {
	switch o {
	case sf1601.OutcomeNext:
		return gateway.Next
	case sf1601.OutcomeRetry:
		return gateway.Retry
	case sf1601.OutcomeFailed:
		return gateway.Fail
	default:
		return gateway.Fail
	}
}
