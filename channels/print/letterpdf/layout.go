package letterpdf

import "errors"

// A4 in millimetres. [src: ISO-216]
const (
	pageWidth  = 210.0
	pageHeight = 297.0
)

// point is a typographic point in millimetres.
const point = 25.4 / 72

// Box is an area of a page in millimetres from its upper left corner.
type Box struct{ Left, Top, Width, Height float64 }

// Layout is where things stand, in millimetres and points. Zero fields take the default.
type Layout struct {
	Address     Box     // where the window shows the recipient; default 25, 41, 85 x 25.2 (six lines)
	AddressSize float64 // points; default 10
	AddressLine float64 // height of an address line; default 4.2
	Facts       Box     // date and case; default 130, 41, 60 x 50.4
	Body        Box     // text on the first page; default 25, 95, 165 x 177
	NextTop     float64 // where the text begins on the pages after it; default 25
	Size        float64 // points of the text; default 11
	Line        float64 // height of a line; default 5.2
	TitleSize   float64 // points; default 14
	TitleLine   float64 // height of a line of the headline; default 7
	SenderTop   float64 // base line of the sender's name; default 20
	FootTop     float64 // base line of the page number; default 284
}

func (l Layout) withDefaults() Layout {
	set := func(v *float64, d float64) {
		if *v == 0 {
			*v = d
		}
	}
	box := func(b *Box, d Box) {
		if *b == (Box{}) {
			*b = d
		}
	}
	box(&l.Address, Box{25, 41, 85, 25.2})
	set(&l.AddressSize, 10)
	set(&l.AddressLine, 4.2)
	box(&l.Facts, Box{130, 41, 60, 50.4})
	box(&l.Body, Box{25, 95, 165, 177})
	set(&l.NextTop, 25)
	set(&l.Size, 11)
	set(&l.Line, 5.2)
	set(&l.TitleSize, 14)
	set(&l.TitleLine, 7)
	set(&l.SenderTop, 20)
	set(&l.FootTop, 284)
	return l
}

// addressLines is how many lines the address area holds.
func (l Layout) addressLines() int { return int(l.Address.Height/l.AddressLine + 1e-6) }

func (l Layout) validate() error {
	for _, b := range []Box{l.Address, l.Facts, l.Body} {
		if b.Left < 0 || b.Top < 0 || b.Width <= 0 || b.Height <= 0 || b.Left+b.Width > pageWidth || b.Top+b.Height > pageHeight {
			return errors.New("letterpdf: an area of the layout does not lie on an A4 page")
		}
	}
	switch {
	case l.AddressSize <= 0 || l.AddressLine <= 0 || l.Size <= 0 || l.Line <= 0 || l.TitleSize <= 0 || l.TitleLine <= 0:
		return errors.New("letterpdf: the layout has a size that is not positive")
	case l.addressLines() < 3:
		return errors.New("letterpdf: the address area holds fewer than three lines")
	case l.Body.Height < 10*l.Line || l.Body.Width < 10*l.Size*point:
		return errors.New("letterpdf: the text area is too small")
	case l.NextTop < 0 || l.NextTop >= l.Body.Top+l.Body.Height-10*l.Line:
		return errors.New("letterpdf: the text of later pages begins outside its page")
	case l.Body.Top < max(l.Address.Top+l.Address.Height, l.Facts.Top+l.Facts.Height):
		return errors.New("letterpdf: the text would run into the address or the date")
	case l.FootTop < l.Body.Top+l.Body.Height || l.FootTop > pageHeight || l.SenderTop < 0 || l.SenderTop > l.Address.Top:
		return errors.New("letterpdf: the sender or the page number would stand in the text or the address")
	}
	return nil
}
