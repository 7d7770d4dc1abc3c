package evidence

import (
	"strings"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
)

// stateText is a state of a message or an intent in Danish; one that is not known stands as it is.
func stateText(state string) string {
	switch state {
	case string(gateway.Queued), string(gateway.IntentAccepted):
		return "venter på at blive sendt"
	case string(gateway.Scheduled):
		return "venter på sin tid"
	case string(gateway.Sending):
		return "er ved at blive sendt"
	case string(gateway.Submitted):
		return "taget imod, status ventes"
	case string(gateway.Received):
		return "modtaget, ikke afleveret"
	case string(gateway.Delivered):
		return "afleveret"
	case string(gateway.Returned):
		return "kommet retur"
	case string(gateway.Failed):
		return "fejlet"
	case string(gateway.Held):
		return "venter på en medarbejder"
	case string(gateway.Superseded):
		return "overtaget af den næste kanal"
	case string(gateway.Cancelled):
		return "trukket tilbage"
	case string(gateway.Expired):
		return "udløbet"
	case string(gateway.IntentDiscarded):
		return "overflødig"
	default:
		return state
	}
}

// classText is the end of an attempt in Danish.
func classText(class gateway.Class) string {
	switch class {
	case gateway.Accept:
		return "taget imod"
	case gateway.Retry:
		return "ikke taget imod, prøves igen"
	case gateway.Next:
		return "kan ikke nås ad denne vej"
	case gateway.Fail:
		return "afvist"
	case gateway.Unknown:
		return "uvist, om det blev taget imod"
	default:
		return orDash(string(class))
	}
}

// statusText explains a status of PKO_PostStatus in Danish. [src: PKO-POSTSTATUS-CLIENTS ObjektHandling]
func statusText(status string) string {
	for _, kind := range beskedfordeler.Kinds() {
		if strings.EqualFold(strings.TrimSpace(status), kind.StatusKode()) {
			return kindText(kind)
		}
	}
	return ""
}

func kindText(kind beskedfordeler.Kind) string {
	switch kind {
	case beskedfordeler.KindModtaget:
		return "Digital Post har modtaget brevet; det er endnu ikke afleveret."
	case beskedfordeler.KindAfleveret:
		return "Brevet er til rådighed for modtageren i Digital Post."
	case beskedfordeler.KindFejlet:
		return "Brevet blev ikke afleveret."
	case beskedfordeler.KindAfsendt:
		return "Brevet er oprettet hos printleverandøren."
	case beskedfordeler.KindFjernprintModtaget:
		return "Printleverandøren har modtaget brevet."
	case beskedfordeler.KindKlar:
		return "Brevet venter på at blive trykt."
	case beskedfordeler.KindTilPrint:
		return "Brevet er sendt til tryk og kuvertering."
	case beskedfordeler.KindPostDanmark:
		return "Postvæsenet har fået brevet."
	case beskedfordeler.KindTilbagekaldt:
		return "Brevet er kaldt tilbage."
	case beskedfordeler.KindOpdatering:
		return "Nyt fra postvæsenet om brevet."
	case beskedfordeler.KindUnknown:
		return ""
	default:
		return ""
	}
}

// farEnd is who takes the letters of a channel, at the beginning of a sentence.
func farEnd(channel string) string {
	switch channel {
	case "digitalpost", "nemsms", "print", "automatic":
		return "Serviceplatformen"
	case "smtp":
		return "Mailserveren"
	default:
		return "Modtagersystemet"
	}
}

// lower is a noun of farEnd within a sentence; a name stays as it is.
func lower(who string) string {
	if who == "Serviceplatformen" {
		return who
	}
	return strings.ToLower(who)
}

// channel is the name of a channel in Danish.
func channel(name string) string {
	switch name {
	case "digitalpost":
		return "Digital Post"
	case "nemsms":
		return "NemSMS"
	case "print":
		return "Brev på papir (fjernprint)"
	case "automatic":
		return "Digital Post eller papir, som Postkomponenten vælger"
	case "smtp":
		return "E-mail"
	default:
		return orDash(name)
	}
}
