package letterpdf

import (
	"bytes"
	"fmt"

	"codeberg.org/go-pdf/fpdf"
)

// family is the name of the fonts inside fpdf.
const family = "letter"

// write has fpdf write the pages. Each node's lines stand in marked-content sequences, numbered per page.
func (m *Maker) write(l Letter, f *flow) ([]byte, error) {
	pdf := fpdf.New("P", "mm", "A4", "")
	pdf.SetCatalogSort(true)
	pdf.SetCreationDate(l.Date.UTC())
	pdf.SetModificationDate(l.Date.UTC())
	pdf.SetProducer(m.cfg.Producer, true)
	pdf.SetTitle(l.Title, true)
	pdf.SetAuthor(l.Sender, true)
	pdf.SetLang(language)
	pdf.SetAutoPageBreak(false, 0)
	for _, face := range []*typeface{m.regular, m.bold} {
		pdf.AddUTF8FontFromBytes(family, face.name, face.ttf)
	}
	for number, runs := range f.pages {
		pdf.AddPage()
		next := 0
		var current *node
		for k, r := range runs {
			if k > 0 && r.node != current {
				pdf.RawWriteStr("EMC")
			}
			switch {
			case k > 0 && r.node == current:
			case r.node == nil:
				pdf.RawWriteStr("/Artifact <</Type /Pagination>> BDC")
			default:
				pdf.RawWriteStr(fmt.Sprintf("/%s <</MCID %d>> BDC", r.node.tag, next))
				r.node.marks = append(r.node.marks, mark{page: number, id: next})
				next++
			}
			current = r.node
			pdf.SetFont(family, r.face.name, r.size)
			pdf.Text(r.x, r.y, r.text)
		}
		pdf.RawWriteStr("EMC")
	}
	var out bytes.Buffer
	if err := pdf.Output(&out); err != nil {
		return nil, fmt.Errorf("letterpdf: writing the pages: %w", err)
	}
	return out.Bytes(), nil
}
