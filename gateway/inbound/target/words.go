package target

import (
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway/inbound"
)

// words are what the desk reads, in Danish: what is needed to find and file the message. Who wrote it and about what stands
// in the documents.
func (b *mailbox) words(p *inbound.Parcel, f form) string {
	var t strings.Builder
	post := p.Post
	line := func(name, value string) {
		if value != "" {
			t.WriteString(name + ": " + value + "\n")
		}
	}
	t.WriteString("Der er modtaget en meddelelse i Digital Post.\n\n")
	line("Meddelelse", post.MessageUUID)
	line("Modtaget", danish(post.ReceivedAt.In(b.zone)))
	switch senderType(post.Facts) {
	case "CPR":
		line("Afsender", "en borger (CPR)")
	case "CVR":
		line("Afsender", "en virksomhed (CVR)")
	}
	if post.Answers != nil {
		t.WriteString("Meddelelsen er et svar på et brev, som I har sendt.\n")
		line("Sag", post.Answers.CaseID)
		line("Jeres reference", post.Answers.Reference)
	}
	line("Sporing i gatewayen", post.ID)
	if len(post.Flags) > 0 {
		t.WriteString("\nVær forsigtig med dokumenterne. Kontrollen har fundet: " + strings.Join(post.Flags, ", ") + "\n")
	}
	t.WriteString("\n")
	switch {
	case !f.documents:
		t.WriteString("Dokumenterne er for store til en mail. De kan hentes her:\n")
	case len(post.Documents) > 0:
		t.WriteString("Dokumenterne er vedhæftet:\n")
	}
	for n, d := range post.Documents {
		t.WriteString("- " + d.SafeName + " (" + sizeOf(d.Size) + ")\n")
		if !f.documents {
			t.WriteString("  " + p.DocumentURL(n) + "\n")
		}
	}
	if f.memo {
		t.WriteString("\nHele meddelelsen ligger i memo.xml.\n")
	} else {
		t.WriteString("\nmemo.xml er for stor til en mail og er ikke vedhæftet. Den ligger i gatewayen.\n")
	}
	return t.String()
}

// danish is a moment in words.
func danish(t time.Time) string {
	months := [...]string{
		"januar", "februar", "marts", "april", "maj", "juni", "juli", "august", "september", "oktober", "november", "december",
	}
	return t.Format("2. ") + months[t.Month()-1] + t.Format(" 2006 kl. 15.04")
}
