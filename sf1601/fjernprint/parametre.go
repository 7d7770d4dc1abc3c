package fjernprint

import "time"

// TransaktionsParametre is TransaktionsParametreI: the batch a letter belongs to, and receipts by e-mail.
// [src: FJERNPRINT-XSD TransaktionsParametreI]
type TransaktionsParametre struct {
	TransaktionsDatoTid           time.Time // written in UTC, whole seconds
	MasseForsendelseIdentifikator string    // at most 38 characters
	KvitteringsTypeKode           KvitteringsTypeKode
	KvitteringsEmail              string
}

func (p TransaktionsParametre) write(w *writer) {
	if p == (TransaktionsParametre{}) {
		return
	}
	w.open(fp, "TransaktionsParametreI")
	w.dateTime(fp, "TransaktionsDatoTid", p.TransaktionsDatoTid)
	w.optional(fp, "MasseForsendelseIdentifikator", p.MasseForsendelseIdentifikator)
	w.optional(fp, "KvitteringsTypeKode", string(p.KvitteringsTypeKode))
	w.optional(fp, "KvitteringsEmail", p.KvitteringsEmail)
	w.close()
}

// DokumentParametre describes the document. [src: FJERNPRINT-XSD DokumentParametre]
type DokumentParametre struct {
	TitelTekst        string
	UUIDIdentifikator string
	BrevDato          time.Time // the day it shows in its own location
}

func (p DokumentParametre) write(w *writer) {
	w.open(fp, "DokumentParametre")
	w.optional(sd, "TitelTekst", p.TitelTekst)
	w.optional(sd, "UUIDIdentifikator", p.UUIDIdentifikator)
	w.date(sd, "BrevDato", p.BrevDato)
	w.close()
}

// KanalParametre is KanalUafhaengigeParametreI: who sends, what the supplier prints on the letter, and whether it is
// urgent. BrugerNavn is mandatory when anything else is set. [src: FJERNPRINT-XSD KanalUafhaengigeParametreI]
type KanalParametre struct {
	EnhedTekst                      string            // at most 2000 characters
	BrugerNavn                      string            // at most 2000
	KonteringsGruppeTekst           string            // at most 2000
	AfsenderAdresse                 *KontaktOplysning // the return address
	PaatrykAfsenderAdresseIndikator Indikator
	PaatrykModtagerAdresseIndikator Indikator
	PaatrykBrevdatoIndikator        Indikator
	KanalKode                       KanalKode
	HasteBrevIndikator              Indikator // quick letter
}

func (p KanalParametre) write(w *writer) {
	if p == (KanalParametre{}) {
		return
	}
	w.open(fp, "KanalUafhaengigeParametreI")
	w.optional(fp, "EnhedTekst", p.EnhedTekst)
	w.leaf(fp, "BrugerNavn", p.BrugerNavn)
	w.optional(fp, "KonteringsGruppeTekst", p.KonteringsGruppeTekst)
	if p.AfsenderAdresse != nil {
		w.open(fp, "ForsendelseAfsender")
		p.AfsenderAdresse.write(w, "AfsenderAdresse")
		w.close()
	}
	w.indikator("PaatrykAfsenderAdresseIndikator", p.PaatrykAfsenderAdresseIndikator)
	w.indikator("PaatrykModtagerAdresseIndikator", p.PaatrykModtagerAdresseIndikator)
	w.indikator("PaatrykBrevdatoIndikator", p.PaatrykBrevdatoIndikator)
	w.optional(fp, "KanalKode", string(p.KanalKode))
	w.indikator("HasteBrevIndikator", p.HasteBrevIndikator)
	w.close()
}

// PrintParametre is how the letter is printed. [src: FJERNPRINT-XSD PrintParametre]
type PrintParametre struct {
	SimplexDuplexKode SimplexDuplexKode
	FarveSHKode       FarveSHKode
	KuvertTypeKode    KuvertTypeKode
}

func (p PrintParametre) write(w *writer) {
	if p == (PrintParametre{}) {
		return
	}
	w.open(fp, "PrintParametre")
	w.optional(fp, "SimplexDuplexKode", string(p.SimplexDuplexKode))
	w.optional(fp, "FarveSHKode", string(p.FarveSHKode))
	w.optional(fp, "KuvertTypeKode", string(p.KuvertTypeKode))
	w.close()
}

// PostParametre is how the letter is carried. [src: FJERNPRINT-XSD PostParametre]
type PostParametre struct {
	PostKategoriKode                            PostKategoriKode
	AllokeringsIdentifikator                    int64 // from 1
	ReturposthaandteringHosLeverandoerIndikator Indikator
	InformationVedAdresseAendringIndikator      Indikator
	SideKvantitet                               int64 // pages
}

func (p PostParametre) write(w *writer) {
	if p == (PostParametre{}) {
		return
	}
	w.open(fp, "PostParametre")
	w.optional(fp, "PostKategoriKode", string(p.PostKategoriKode))
	w.number(fp, "AllokeringsIdentifikator", p.AllokeringsIdentifikator)
	w.indikator("ReturposthaandteringHosLeverandoerIndikator", p.ReturposthaandteringHosLeverandoerIndikator)
	w.indikator("InformationVedAdresseAendringIndikator", p.InformationVedAdresseAendringIndikator)
	w.number(fp, "SideKvantitet", p.SideKvantitet)
	w.close()
}
