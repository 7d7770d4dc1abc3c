package digitalpost_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
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
		if got := digitalpost.Receipt(nil, nil, b); got.Kind != want || got.MessageUUID != "u" {
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
		got := digitalpost.Receipt(nil, nil, b)
		if got.Class != want || got.Code != code || got.Text != "x\ny" {
			t.Errorf("%q: %+v", code, got)
		}
	}
}

func TestReceiptOfARejectionByAnotherTable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "codes.csv")
	rows := "code,source,outcome,hint,hint_da,origin,date\nbox.closed,,next,Use paper.,Brug papir.,us,2026-01-01\n" +
		"memo.invalid,,retry,h,d,us,2026-01-01\n"
	if err := os.WriteFile(path, []byte(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	codes, err := sf1601.LoadTable(path)
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[string]gateway.Class{
		"box.closed": gateway.Next, "memo.invalid": gateway.Retry, "file.extension.not.allowed": gateway.Fail, "never.heard.of": gateway.Fail,
	} {
		b := &beskedfordeler.Besked{Handling: beskedfordeler.HandlingFejlet, Status: &beskedfordeler.PostStatus{FejlKode: code}}
		if got := digitalpost.Receipt(codes, nil, b); got.Class != want {
			t.Errorf("%q is %s, want %s", code, got.Class, want)
		}
	}
}

func TestReceiptOfAnotherBeskedtypeIsOnlyNoted(t *testing.T) {
	t.Parallel()
	got := digitalpost.Receipt(nil, []byte("<x/>"), &beskedfordeler.Besked{ID: "b", ObjectID: "o"})
	if got.Kind != gateway.ReceiptNote || got.MessageUUID != "o" || !bytes.Equal(got.Raw, []byte("<x/>")) {
		t.Fatalf("%+v", got)
	}
}
