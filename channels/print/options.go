package print

import "github.com/brevdue/brevdue/sf1601/fjernprint"

// Options is how a letter is printed and carried. Whatever is not set is left out of ForsendelseI, so that the print
// profile (forsendelsestype) agreed with the supplier decides.
type Options struct {
	Farve                 fjernprint.FarveSHKode       // colour
	Sider                 fjernprint.SimplexDuplexKode // one side of the paper or both
	Kuvert                fjernprint.KuvertTypeKode    // envelope
	Kategori              fjernprint.PostKategoriKode  // how the post carries it
	Hastebrev             bool                         // quick letter
	PaatrykAfsender       fjernprint.Indikator         // whether the supplier prints the return address on the letter
	PaatrykModtager       fjernprint.Indikator         // whether the supplier prints the recipient's address on the letter
	PaatrykBrevdato       fjernprint.Indikator         // whether the supplier prints the date on the letter
	Returpost             fjernprint.Indikator         // whether the supplier handles return mail
	MeldAdresseaendring   fjernprint.Indikator         // whether changes of address are told
	Allokering            int64                        // AllokeringsIdentifikator, from 1; 0: none
	EnhedTekst            string
	KonteringsGruppeTekst string
	// BrugerNavn is mandatory in ForsendelseI beside EnhedTekst, KonteringsGruppeTekst, Afsender, Hastebrev and the
	// Paatryk settings. Default: the name of the sender profile.
	BrugerNavn string
	Afsender   *fjernprint.KontaktOplysning // return address
}

// kanal is KanalUafhaengigeParametreI, empty when nothing in it is set.
func (o Options) kanal(sender string) fjernprint.KanalParametre {
	k := fjernprint.KanalParametre{
		EnhedTekst: o.EnhedTekst, KonteringsGruppeTekst: o.KonteringsGruppeTekst, AfsenderAdresse: o.Afsender,
		PaatrykAfsenderAdresseIndikator: o.PaatrykAfsender, PaatrykModtagerAdresseIndikator: o.PaatrykModtager,
		PaatrykBrevdatoIndikator: o.PaatrykBrevdato, BrugerNavn: o.BrugerNavn,
	}
	if o.Hastebrev {
		k.HasteBrevIndikator = fjernprint.Ja
	}
	if k != (fjernprint.KanalParametre{}) && k.BrugerNavn == "" {
		k.BrugerNavn = sender
	}
	return k
}

func (o Options) papir() fjernprint.PrintParametre {
	return fjernprint.PrintParametre{SimplexDuplexKode: o.Sider, FarveSHKode: o.Farve, KuvertTypeKode: o.Kuvert}
}

func (o Options) post() fjernprint.PostParametre {
	return fjernprint.PostParametre{
		PostKategoriKode: o.Kategori, AllokeringsIdentifikator: o.Allokering,
		ReturposthaandteringHosLeverandoerIndikator: o.Returpost, InformationVedAdresseAendringIndikator: o.MeldAdresseaendring,
	}
}
