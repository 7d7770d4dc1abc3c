package gateway

import (
	"fmt"
	"time"
)

// ErrorCode is one row of the table of codes: what a code of a far end, or of the gateway itself, means and what a person
// can do about it. The rows of the far ends come with the configuration.
type ErrorCode struct {
	Code    string    // as it stands in events, e.g. "recipient.not.registered"; "recipient.*" for all that begin alike
	FarEnd  string    // who says it, e.g. "NgDP"; "brevdue" for the gateway itself
	Outcome Class     // Retry, Next, Fail or Unknown; "": it only tells
	HintEN  string    // what a person can do, in English
	HintDA  string    // the same in Danish
	Source  string    // where the row was learnt
	Date    time.Time // the source's date; zero: not known
}

// ownCodes are the codes that the gateway gives to events itself.
func ownCodes() []ErrorCode { return append(codesOfSending(), codesOfStatuses()...) }

// codesOfSending are those of attempts and of what keeps a message from leaving.
func codesOfSending() []ErrorCode {
	const farEnd, source = "brevdue", "docs/states.md"
	return []ErrorCode{
		{
			Code: "unknown.held", FarEnd: farEnd, Outcome: Unknown, Source: source,
			HintEN: "The letter may have been accepted. Ask the far end about its messageUUID; then release the message, which " +
				"sends it again with the same identity, or close it.",
			HintDA: "Brevet er måske modtaget. Spørg modparten om dets messageUUID; frigiv derefter beskeden, så den sendes igen " +
				"med samme identitet, eller luk den.",
		},
		{
			Code: "unknown.expired", FarEnd: farEnd, Outcome: Fail, Source: source,
			HintEN: "The letter may have been accepted, and its time to be sent is over. Ask the far end before you post it anew.",
			HintDA: "Brevet er måske modtaget, og fristen for at sende det er udløbet. Spørg modparten, før det sendes på ny.",
		},
		{
			Code: "gave.up", FarEnd: farEnd, Outcome: Fail, Source: source,
			HintEN: "The far end was busy or out of reach for too long. Post the intent again when it answers.",
			HintDA: "Modparten har været optaget eller utilgængelig for længe. Send igen, når den svarer.",
		},
		{
			Code: "far_end.down", FarEnd: farEnd, Outcome: Retry, Source: source,
			HintEN: "The far end has failed for a row of letters. Nothing is sent until it answers again; it is tried by itself.",
			HintDA: "Modparten har fejlet for en række breve. Intet sendes, før den svarer igen; det prøves af sig selv.",
		},
		{
			Code: "worker.died", FarEnd: farEnd, Source: source,
			HintEN: "A process of the gateway ended while it was sending; another one goes on. Nothing is to be done.",
			HintDA: "Et program i gatewayen stoppede under afsendelsen; et andet fortsætter. Der skal ikke gøres noget.",
		},
		{
			Code: "expired", FarEnd: farEnd, Source: source,
			HintEN: "It could not be sent before its last time (send.expires). Post it again with a later one.",
			HintDA: "Den kunne ikke sendes inden fristen (send.expires). Send igen med en senere frist.",
		},
		{
			Code: "undelivered.after", FarEnd: farEnd, Outcome: Next, Source: source,
			HintEN: "The far end accepted the letter and gave no final status in time. The next channel of the route took over.",
			HintDA: "Modparten tog imod brevet, men gav ingen endelig status i tide. Rutens næste kanal har overtaget.",
		},
		{
			Code: "channel.unknown", FarEnd: farEnd, Outcome: Fail, Source: source,
			HintEN: "The channel was taken out of the configuration. Put it back and post the intent again.",
			HintDA: "Kanalen er fjernet fra konfigurationen. Sæt den ind igen, og send på ny.",
		},
		{
			Code: "sender.unknown", FarEnd: farEnd, Outcome: Fail, Source: source,
			HintEN: "The sender profile was taken out of the configuration. Put it back and post the intent again.",
			HintDA: "Afsenderprofilen er fjernet fra konfigurationen. Sæt den ind igen, og send på ny.",
		},
		{
			Code: "outcome.unclassified", FarEnd: farEnd, Outcome: Fail, Source: source,
			HintEN: "A defect of the channel: report it with the id of the message.",
			HintDA: "En fejl i kanalen: meld den med beskedens id.",
		},
	}
}

// codesOfStatuses are those of statuses that come late, never, or otherwise than expected.
func codesOfStatuses() []ErrorCode {
	const farEnd, source = "brevdue", "docs/states.md"
	return []ErrorCode{
		{
			Code: "superseded.delivered", FarEnd: farEnd, Source: source,
			HintEN: "The recipient may get it twice: the first channel delivered after the next one had taken over.",
			HintDA: "Modtageren får måske beskeden to gange: den første kanal leverede, efter at den næste havde overtaget.",
		},
		{
			Code: "late.delivered", FarEnd: farEnd, Source: source,
			HintEN: "The letter was delivered although it had stood as failed. Undo what was done about the failure, if anything was.",
			HintDA: "Brevet er afleveret, selv om det stod som fejlet. Træk tilbage, hvad der måtte være gjort på grund af fejlen.",
		},
		{
			Code: "late.returned", FarEnd: farEnd, Outcome: Fail, Source: source,
			HintEN: "The letter came back although it had stood as failed: it was sent. Check the recipient's address.",
			HintDA: "Brevet er kommet retur, selv om det stod som fejlet: det blev sendt. Kontrollér modtagerens adresse.",
		},
		{
			Code: "cancelled.delivered", FarEnd: farEnd, Source: source,
			HintEN: "The message was cancelled, and the far end delivered it all the same: the recipient has it.",
			HintDA: "Beskeden var annulleret, men modparten har afleveret den: modtageren har den.",
		},
		{
			Code: "expired.delivered", FarEnd: farEnd, Source: source,
			HintEN: "The message had expired, and the far end delivered it all the same: the recipient has it.",
			HintDA: "Beskeden var udløbet, men modparten har afleveret den: modtageren har den.",
		},
		{
			Code: "overdue", FarEnd: farEnd, Source: source,
			HintEN: "The letter was accepted and its status has not come. It may still come. See whether statuses arrive at all; ask " +
				"the far end about its messageUUID before you send anything again.",
			HintDA: "Brevet er modtaget, men dets status er ikke kommet. Den kan stadig komme. Se, om der overhovedet kommer statusser; " +
				"spørg modparten om brevets messageUUID, før noget sendes igen.",
		},
		{
			Code: "matched.by_hand", FarEnd: farEnd, Source: source,
			HintEN: "An operator said that the status after this event belongs to the message.",
			HintDA: "En driftsmedarbejder har sagt, at statussen efter denne hændelse hører til beskeden.",
		},
	}
}

// addCodes checks the rows of the far ends and puts them behind the gateway's own.
func (g *Gateway) addCodes(rows []ErrorCode) error {
	g.codes = append(ownCodes(), rows...)
	g.hints = make(map[string]*ErrorCode, len(g.codes))
	type key struct{ farEnd, code string }
	seen := make(map[key]bool, len(g.codes))
	for n := range g.codes {
		c := &g.codes[n]
		switch {
		case c.Code == "" || c.FarEnd == "":
			return fmt.Errorf("gateway: config ErrorCodes: row %d has no code or no far end", n-len(ownCodes()))
		case seen[key{c.FarEnd, c.Code}]:
			return fmt.Errorf("gateway: config ErrorCodes: %s of %s is there twice", c.Code, c.FarEnd)
		case c.Outcome != "" && !c.Outcome.known():
			return fmt.Errorf("gateway: config ErrorCodes: %s of %s has the outcome %q", c.Code, c.FarEnd, c.Outcome)
		}
		seen[key{c.FarEnd, c.Code}] = true
		if first := g.hints[c.Code]; first == nil {
			g.hints[c.Code] = c
		}
	}
	return nil
}

// ErrorCodes lists the table of codes: the gateway's own, then those of the far ends in the order of the configuration.
func (g *Gateway) ErrorCodes() []ErrorCode { return append([]ErrorCode(nil), g.codes...) }

// Explain returns the row of a code, or of the longest beginning of it that has a row ending in "*". Where two far ends use
// the same code, the first row of the table speaks.
func (g *Gateway) Explain(code string) (ErrorCode, bool) {
	if c := g.hints[code]; c != nil {
		return *c, true
	}
	for n := len(code); n > 0; n-- {
		if c := g.hints[code[:n]+"*"]; c != nil {
			return *c, true
		}
	}
	return ErrorCode{}, false
}
