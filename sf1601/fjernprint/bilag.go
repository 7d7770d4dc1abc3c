package fjernprint

import (
	"strconv"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// Bilag is an attachment, in one of three ways: as a file (Indhold), as one the supplier holds already (Identifikator), or
// by a link (URLreference). [src: FJERNPRINT-XSD Bilag]
type Bilag struct {
	BilagNavn        string // at most 300 characters
	FilformatNavn    string // "" means FormatPDF
	SorteringsIndeks int64  // place among the attachments, from 0

	Indhold       xmlstream.Content
	Identifikator string // at most 10 characters
	URLreference  string
	// SomIndholdData goes with URLreference: whether the supplier is to fetch and attach what is there.
	SomIndholdData bool
}

func (b *Bilag) write(w *writer) {
	w.open(fp, "Bilag")
	w.leaf(fp, "BilagNavn", b.BilagNavn)
	w.leaf(dkal, "FilformatNavn", format(b.FilformatNavn))
	w.leaf(fp, "BilagSorteringsIndeksIdentifikator", strconv.FormatInt(b.SorteringsIndeks, 10))
	switch {
	case b.Identifikator != "":
		w.leaf(dkal, "BilagIdentifikator", b.Identifikator)
	case b.URLreference != "":
		w.leaf(dkal, "VedhaeftningIndholdURLreference", b.URLreference)
		w.leaf(fp, "VedhaeftSomIndholdDataIndikator", strconv.FormatBool(b.SomIndholdData))
	default:
		w.content(dkal, "VedhaeftningIndholdData", b.Indhold)
	}
	w.close()
}
