package letterpdf

import (
	"fmt"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"
)

// typeface is one font: its file for fpdf, and its widths for wrapping.
type typeface struct {
	name  string // fpdf's style: "" or "B"
	ttf   []byte
	font  *sfnt.Font
	units fixed.Int26_6
}

func newTypeface(name string, ttf []byte) (*typeface, error) {
	f, err := sfnt.Parse(ttf)
	if err != nil {
		return nil, fmt.Errorf("letterpdf: reading a font: %w", err)
	}
	return &typeface{name: name, ttf: ttf, font: f, units: fixed.I(int(f.UnitsPerEm()))}, nil
}

// measurer measures text in one call of Make; it is not for use by two goroutines.
type measurer struct {
	buf    sfnt.Buffer
	widths map[*typeface]map[rune]float64
}

func newMeasurer() *measurer { return &measurer{widths: make(map[*typeface]map[rune]float64)} }

// advance is the width of r in ems; false when the font cannot show it.
func (m *measurer) advance(f *typeface, r rune) (float64, bool) {
	known := m.widths[f]
	if known == nil {
		known = make(map[rune]float64)
		m.widths[f] = known
	}
	w, seen := known[r]
	if !seen {
		w = m.lookUp(f, r)
		known[r] = w
	}
	return w, w >= 0
}

// lookUp is advance without the cache; a negative width is a character that cannot be shown.
func (m *measurer) lookUp(f *typeface, r rune) float64 {
	if !printable(r) {
		return -1
	}
	glyph, err := f.font.GlyphIndex(&m.buf, r)
	if err != nil || glyph == 0 {
		return -1
	}
	w, err := f.font.GlyphAdvance(&m.buf, glyph, f.units, font.HintingNone)
	if err != nil {
		return -1
	}
	return float64(w) / float64(f.units)
}

// printable leaves out what fpdf would set wrongly whatever the font has: controls, marks that combine with the letter
// before them, right-to-left scripts, and what lies beyond the two bytes of its character codes.
func printable(r rune) bool {
	if r == unicode.ReplacementChar || r > 0xffff || unicode.IsControl(r) {
		return false
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Co, unicode.Cs) {
		return false
	}
	properties, _ := bidi.LookupRune(r)
	switch properties.Class() {
	case bidi.R, bidi.AL, bidi.AN:
		return false
	default:
		return true
	}
}

// width is the width of s in millimetres at a size in points.
func (m *measurer) width(f *typeface, size float64, s string) float64 {
	total := 0.0
	for _, r := range s {
		if w, ok := m.advance(f, r); ok {
			total += w
		}
	}
	return total * size * point
}

// missing returns the characters of s that f cannot show, each once.
func (m *measurer) missing(f *typeface, s string) []rune {
	var out []rune
	seen := make(map[rune]bool)
	for _, r := range s {
		if r == '\n' || seen[r] {
			continue
		}
		if _, ok := m.advance(f, r); !ok {
			seen[r] = true
			out = append(out, r)
		}
	}
	return out
}
