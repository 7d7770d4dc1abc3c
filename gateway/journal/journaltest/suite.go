// Package journaltest is what every gateway.Journal must do, whatever database it stands on: one suite that all of
// them pass.
//
// Run opens a fresh, empty journal for each case with the function it is given. It uses gateway.Journal alone, so it
// knows nothing of SQL; what only one database does is tested beside that one.
package journaltest

import (
	"testing"

	"github.com/brevdue/brevdue/gateway"
)

// Run runs the suite. open returns an empty journal of its own for every call and closes it when the test ends.
func Run(t *testing.T, open func(t *testing.T) gateway.Journal) {
	t.Helper()
	for name, check := range map[string]func(*testing.T, gateway.Journal){
		"intent round trip":              intentRoundTrip,
		"intent reference is unique":     intentReference,
		"intent waiting duplicate":       intentDuplicate,
		"intent list":                    intentList,
		"intent belongs to its producer": intentProducer,
		"intent status":                  intentStatus,
		"message identity is unique":     messageIdentity,
		"message stale version":          messageStale,
		"message final states":           messageFinal,
		"message find":                   messageFind,
		"message due cursor":             messageDue,
		"attempt life":                   attemptLife,
		"attempt evidence":               attemptEvidence,
		"attempt abandoned":              attemptAbandoned,
		"exhibit kept":                   exhibitKept,
		"exhibit none":                   exhibitNone,
		"dossier":                        dossier,
		"receipt quarantine":             receiptQuarantine,
		"receipt matchable":              receiptMatchable,
		"unreadable bodies":              unreadable,
		"overdue watch":                  overdueWatch,
		"events in order":                eventsInOrder,
		"upload":                         upload,
		"batch":                          batch,
		"post life":                      postLife,
		"post receipt":                   postReceipt,
		"post lists":                     postLists,
		"priority":                       priority,
		"update is all or nothing":       updateAtomic,
		"update panic":                   updatePanic,
		"update cancelled":               updateCancelled,
		"update error keeps its kind":    updateError,
		"update tx ends with it":         updateTxEnds,
		"update many at once":            updateConcurrent,
		"update sees its own writes":     updateReadsItself,
		"events seen without gaps":       eventsWithoutGaps,
		"callback life":                  callbackLife,
		"callback stale":                 callbackStale,
		"callback replay":                callbackReplay,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, open(t))
		})
	}
}
