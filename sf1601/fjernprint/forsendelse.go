package fjernprint

import (
	"fmt"

	"github.com/beevik/etree"

	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// FormatPDF is the FilformatNavn of a PDF, and what an empty FilformatNavn is written as. A MIME type does not fit into its
// ten characters. [src: FJERNPRINT-XSD FilformatNavn; SP-CLIENTS FilformatNavn]
const FormatPDF = "PDF"

// ForsendelseI is one printed letter. A zero optional property writes nothing, and so does an optional class in which
// nothing is set. [src: FJERNPRINT-XSD ForsendelseI]
type ForsendelseI struct {
	// AfsendelseIdentifikator is the identity of the letter, 1 to 38 characters: a UUID made when the letter was accepted,
	// the same on every attempt, repeated in every status.
	AfsendelseIdentifikator string
	// ForsendelseTypeIdentifikator is the print profile agreed with the supplier, from 1. Optional in the schema, set by
	// every public client and demanded by Validate.
	ForsendelseTypeIdentifikator int64
	// Modtager is who gets the letter; nil leaves it to the address printed in the letter's window.
	Modtager *Modtager
	// FilformatNavn is the kind of file; "" means FormatPDF.
	FilformatNavn string
	// MeddelelseIndholdData is the letter itself.
	MeddelelseIndholdData xmlstream.Content

	Transaktion TransaktionsParametre
	// Dokument is written even when it is empty: the schema wants it.
	Dokument DokumentParametre
	// Kanal needs a BrugerNavn when anything in it is set.
	Kanal KanalParametre
	Print PrintParametre
	Post  PostParametre
	Bilag []Bilag // at most 100; none writes no BilagSamling
}

// Element builds the ForsendelseI element, Fjernprint's own names in the default namespace, and returns the files its
// placeholders refer to: placeholder first+i stands for contents[i].
//
// It writes what the letter says without judging it, except that it fails for a file without a Content. Call Validate
// before sending.
func (f *ForsendelseI) Element(first int) (*etree.Element, []xmlstream.Content, error) {
	t := &tree{first: first}
	if err := f.writeTo(t); err != nil {
		return nil, nil, err
	}
	return t.root, t.contents, nil
}

// Build writes the letter into an element that is being built, or as the root. It fails as Element does; b must not be used
// any more then.
func (f *ForsendelseI) Build(b *xmlstream.Builder) error { return f.writeTo(b) }

// Document is the letter as a document of its own. It fails as Element does.
func (f *ForsendelseI) Document() (*xmlstream.Document, error) {
	var b xmlstream.Builder
	if err := f.writeTo(&b); err != nil {
		return nil, err
	}
	d, err := b.Document()
	if err != nil {
		return nil, fmt.Errorf("fjernprint: %w", err)
	}
	return d, nil
}

func (f *ForsendelseI) writeTo(out output) error {
	w := &writer{out: out}
	w.open(fp, "ForsendelseI")
	w.leaf(fp, "AfsendelseIdentifikator", f.AfsendelseIdentifikator)
	w.number(fp, "ForsendelseTypeIdentifikator", f.ForsendelseTypeIdentifikator)
	if f.Modtager != nil && *f.Modtager != (Modtager{}) {
		f.Modtager.write(w)
	}
	w.leaf(dkal, "FilformatNavn", format(f.FilformatNavn))
	w.content(dkal, "MeddelelseIndholdData", f.MeddelelseIndholdData)
	f.Transaktion.write(w)
	f.Dokument.write(w)
	f.Kanal.write(w)
	f.Print.write(w)
	f.Post.write(w)
	if len(f.Bilag) > 0 {
		w.open(fp, "BilagSamling")
		for i := range f.Bilag {
			f.Bilag[i].write(w)
		}
		w.close()
	}
	w.close()
	if w.missing > 0 {
		return fmt.Errorf("fjernprint: %d files have no content", w.missing)
	}
	return nil
}

func format(name string) string {
	if name == "" {
		return FormatPDF
	}
	return name
}
