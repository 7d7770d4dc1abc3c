package beskedfordeler

import "strings"

// Kind is what a status means, independent of whether it was told by
// ObjektHandling or by text.
type Kind string

// The kinds, with the text PKO_PostStatus uses for each.
const (
	KindModtaget           Kind = "modtaget"            // Modtaget Digital Post: interim
	KindAfleveret          Kind = "afleveret"           // Afleveret Digital Post: final, delivered
	KindFejlet             Kind = "fejlet"              // Fejlet: final, an error; also print
	KindAfsendt            Kind = "afsendt"             // Afsendt: created at the print supplier
	KindFjernprintModtaget Kind = "fjernprint-modtaget" // Modtaget Fjern-print
	KindKlar               Kind = "klar"                // Klar: waiting for print
	KindTilPrint           Kind = "til-print"           // Afleveret til print og kuvertering
	KindPostDanmark        Kind = "post-danmark"        // Modtaget Post Danmark: final for print
	KindTilbagekaldt       Kind = "tilbagekaldt"        // Tilbagekaldt: recalled
	KindOpdatering         Kind = "opdatering"          // Opdatering fra Post Danmark: returned, moved, tracked
	KindUnknown            Kind = "unknown"             // neither source is known here, or no status at all
)

// known pairs every kind with its two names in the message.
var known = [...]struct {
	kind     Kind
	handling string
	text     string
}{
	{KindModtaget, HandlingModtaget, "Modtaget Digital Post"},
	{KindAfleveret, HandlingAfleveret, "Afleveret Digital Post"},
	{KindFejlet, HandlingFejlet, "Fejlet"},
	{KindAfsendt, HandlingAfsendt, "Afsendt"},
	{KindFjernprintModtaget, HandlingFjernprintModtaget, "Modtaget Fjern-print"},
	{KindKlar, HandlingKlar, "Klar"},
	{KindTilPrint, HandlingTilPrint, "Afleveret til print og kuvertering"},
	{KindPostDanmark, HandlingPostDanmark, "Modtaget Post Danmark"},
	{KindTilbagekaldt, HandlingTilbagekaldt, "Tilbagekaldt"},
	{KindOpdatering, HandlingOpdatering, "Opdatering fra Post Danmark"},
}

// Kinds lists every kind but KindUnknown.
func Kinds() []Kind {
	kinds := make([]Kind, len(known))
	for n, e := range known {
		kinds[n] = e.kind
	}
	return kinds
}

// Handling is the ObjektHandling UUID of k, empty for KindUnknown.
func (k Kind) Handling() string {
	for _, e := range known {
		if e.kind == k {
			return e.handling
		}
	}
	return ""
}

// StatusKode is the TransaktionsStatusKode text of k, empty for KindUnknown.
// The texts of the print kinds are the names of the ObjektHandling in KOMBIT's
// list; only the three digital ones have been seen in a message.
func (k Kind) StatusKode() string {
	for _, e := range known {
		if e.kind == k {
			return e.text
		}
	}
	return ""
}

// Kind tells what b means: by ObjektHandling where that is known, else by the
// text of TransaktionsStatusKode (case and surrounding space ignored).
//
// agreed is false when both sources are present and do not name the same kind,
// also when one of them is a value unknown here. A receiver should act on the
// kind and show the disagreement to a person.
func (b *Besked) Kind() (Kind, bool) {
	byHandling, byText := KindUnknown, KindUnknown
	handling, text := strings.ToLower(strings.TrimSpace(b.Handling)), ""
	if b.Status != nil {
		text = strings.TrimSpace(b.Status.TransaktionsStatusKode)
	}
	for _, e := range known {
		if handling == e.handling {
			byHandling = e.kind
		}
		if strings.EqualFold(text, e.text) {
			byText = e.kind
		}
	}
	agreed := handling == "" || text == "" || byHandling == byText
	if byHandling != KindUnknown {
		return byHandling, agreed
	}
	return byText, agreed
}
