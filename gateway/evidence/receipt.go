package evidence

import (
	"strings"
	"time"

	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// told is what a receipt of Beskedfordeler says, read from its bytes. Write and Verify both go by it, so that neither
// believes what the journal made of them.
type told struct {
	file string
	kind beskedfordeler.Kind
	at   time.Time // when it happened: the time in the status itself, else that of its registration
}

func newTold(file string, b *beskedfordeler.Besked) told {
	t := told{file: file, at: b.Registered}
	t.kind, _ = b.Kind()
	if s := b.Status; s != nil && !s.TransaktionsDatoTid.IsZero() {
		t.at = s.TransaktionsDatoTid
	}
	return t
}

// belongs reports whether a receipt names the message: by MessageUUID when it has one, else by AfsendelseIdentifikator or
// TransmissionId. [src: PKO-POSTSTATUS-CLIENTS PKO_PostStatus]
func belongs(b *beskedfordeler.Besked, m *messageRecord) bool {
	uuid, afsendelse, transmission := b.ObjectID, "", b.RegistrationID
	if s := b.Status; s != nil {
		afsendelse = s.AfsendelseIdentifikator
		if s.MessageUUID != "" {
			uuid = s.MessageUUID
		}
		if s.TransmissionID != "" {
			transmission = s.TransmissionID
		}
	}
	same := func(a, b string) bool { return a != "" && strings.EqualFold(a, b) }
	return same(uuid, m.MessageUUID) || same(afsendelse, m.AfsendelseID) || same(transmission, m.TransmissionID)
}

// delivered finds the receipt that tells when the letter was available: the earliest "Afleveret Digital Post", and for a
// letter on paper, where nothing tells of its arrival, the earliest "Modtaget Post Danmark". nil: none does.
func delivered(receipts []told) *told {
	for _, want := range []beskedfordeler.Kind{beskedfordeler.KindAfleveret, beskedfordeler.KindPostDanmark} {
		var found *told
		for i := range receipts {
			r := &receipts[i]
			if r.kind == want && !r.at.IsZero() && (found == nil || r.at.Before(found.at)) {
				found = r
			}
		}
		if found != nil {
			return found
		}
	}
	return nil
}
