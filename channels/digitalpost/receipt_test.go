package digitalpost_test

import (
	"bytes"
	"testing"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

func TestReceiptKinds(t *testing.T) {
	t.Parallel()
	for kind, want := range map[beskedfordeler.Kind]gateway.ReceiptKind{
		beskedfordeler.KindModtaget:           gateway.ReceiptReceived,
		beskedfordeler.KindAfleveret:          gateway.ReceiptDelivered,
		beskedfordeler.KindFejlet:             gateway.ReceiptRejected,
		beskedfordeler.KindFjernprintModtaget: gateway.ReceiptReceived,
		beskedfordeler.KindPostDanmark:        gateway.ReceiptDelivered,
		beskedfordeler.KindTilbagekaldt:       gateway.ReceiptRejected,
		beskedfordeler.KindAfsendt:            gateway.ReceiptNote,
		beskedfordeler.KindKlar:               gateway.ReceiptNote,
		beskedfordeler.KindTilPrint:           gateway.ReceiptNote,
		beskedfordeler.KindOpdatering:         gateway.ReceiptNote,
		beskedfordeler.KindUnknown:            gateway.ReceiptNote,
	} {
		b := &beskedfordeler.Besked{ID: "b", Handling: kind.Handling(), Status: &beskedfordeler.PostStatus{MessageUUID: "u"}}
		if got := digitalpost.Receipt(nil, b); got.Kind != want || got.MessageUUID != "u" {
			t.Errorf("%s: %s, want %s", kind, got.Kind, want)
		}
	}
}

func TestReceiptOfARejectionHasTheTablesClass(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]gateway.Class{
		"file.extension.not.allowed": gateway.Fail, "memo.invalid": gateway.Fail, "never.heard.of": gateway.Fail, "": gateway.Fail,
	} {
		b := &beskedfordeler.Besked{Handling: beskedfordeler.HandlingFejlet, Status: &beskedfordeler.PostStatus{FejlKode: code, FejlTekst: "x\ny"}}
		got := digitalpost.Receipt(nil, b)
		if got.Class != want || got.Code != code || got.Text != "x\ny" {
			t.Errorf("%q: %+v", code, got)
		}
	}
}

func TestReceiptOfAnotherBeskedtypeIsOnlyNoted(t *testing.T) {
	t.Parallel()
	got := digitalpost.Receipt([]byte("<x/>"), &beskedfordeler.Besked{ID: "b", ObjectID: "o"})
	if got.Kind != gateway.ReceiptNote || got.MessageUUID != "o" || !bytes.Equal(got.Raw, []byte("<x/>")) {
		t.Fatalf("%+v", got)
	}
}
