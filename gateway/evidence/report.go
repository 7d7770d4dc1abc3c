package evidence

import (
	"time"

	"github.com/brevdue/brevdue/gateway/evidence/asice"
)

// Check is one thing that was looked at: a file or the container's structure, the rule, and whether it holds.
type Check = asice.Check

// Rule says what a check looked at. The values are stable.
type Rule = asice.Rule

// The rules beyond those of the container.
const (
	RuleTimeline Rule = "timeline" // tidslinje.json can be read and is of a known version
	RuleAnswer   Rule = "answer"   // the files of the attempts are those of the timeline
	RuleManifest Rule = "manifest" // the signature of a manifest holds, and lists the attempt with its digest
	RuleRequest  Rule = "request"  // the request is the one that was signed for, and is this message's
	RuleReceipt  Rule = "receipt"  // a receipt belongs to the message, and the timeline says of it what it says
	RuleDelivery Rule = "delivery" // the availability time of timeline and page is that of the receipts
)

// Report is what Verify found.
type Report struct {
	MessageID   string    // as the timeline has it; "" when it cannot be read
	MessageUUID string    // of the MeMo
	Delivered   time.Time // the availability time ("Afleveret"); zero: no receipt of it. True only when OK
	// Posted says that Delivered is when the post got a letter on paper ("Modtaget Post Danmark"): nobody tells when such a
	// letter arrives.
	Posted   bool
	SignedAt time.Time // when the container was signed, by the signer's clock
	Signer   string    // subject of the signing certificate
	Checks   []Check   // in the order they were made
}

// OK reports whether everything that was looked at holds. It is false when nothing was looked at.
func (r *Report) OK() bool {
	for _, c := range r.Checks {
		if !c.Passed {
			return false
		}
	}
	return len(r.Checks) > 0
}

// Failures are the checks that do not hold.
func (r *Report) Failures() []Check {
	var out []Check
	for _, c := range r.Checks {
		if !c.Passed {
			out = append(out, c)
		}
	}
	return out
}
