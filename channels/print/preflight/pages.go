package preflight

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The size of A4 and of the unit of a page's coordinates, in millimetres. [src: ISO-216; ISO-32000-1 §8.3.2.3]
const (
	a4Width  = 210.0
	a4Height = 297.0
	unit     = 25.4 / 72
)

// inherited is what a page takes from the nodes above it when it says nothing itself. [src: ISO-32000-1 §7.7.3.4]
type inherited struct{ resources, mediaBox, cropBox, rotate any }

func (i inherited) from(d dict) inherited {
	for key, field := range map[name]*any{
		"Resources": &i.resources, "MediaBox": &i.mediaBox, "CropBox": &i.cropBox, "Rotate": &i.rotate,
	} {
		if v := d[key]; v != nil {
			*field = v
		}
	}
	return i
}

// visit walks the pages and keeps what is found.
type visit struct {
	r        *reader
	cfg      Config
	seen     map[int]bool // nodes of the page tree, by object number
	pages    int
	wrong    []int            // pages of another size
	sizes    []string         // what size they have
	fonts    map[string][]int // fonts without a program, with the pages they are on
	embedded map[int]fontState
}

// tree walks the page tree from the catalog.
func (v *visit) tree() error {
	v.fonts, v.embedded = make(map[string][]int), make(map[int]fontState)
	root, err := v.r.dictionary(v.r.trailer["Root"])
	if err != nil {
		return err
	}
	if root == nil {
		return fault("its catalog is missing")
	}
	if root["Pages"] == nil {
		return fault("its pages are missing")
	}
	return v.node(root["Pages"], inherited{}, 0)
}

func (v *visit) node(o any, above inherited, depth int) error {
	if depth > v.r.limits.Depth {
		return errLimit
	}
	if is, ok := o.(ref); ok {
		if v.seen[is.num] {
			return fault("a page stands in it twice")
		}
		v.seen[is.num] = true
	}
	d, err := v.r.dictionary(o)
	if err != nil {
		return err
	}
	if d == nil {
		return fault("a page is missing")
	}
	here := above.from(d)
	kids, err := v.r.resolve(d["Kids"])
	if err != nil {
		return err
	}
	list, branch := kids.(array)
	if !branch {
		if d["Type"] == name("Pages") {
			return nil // a branch without pages
		}
		v.pages++
		return v.page(d, here)
	}
	for _, kid := range list {
		if err := v.node(kid, here, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// page looks at one page. Beyond the allowed number pages are only counted.
func (v *visit) page(d dict, in inherited) error {
	if v.pages > v.cfg.MaxPages {
		return nil
	}
	if err := v.size(d, in); err != nil {
		return err
	}
	if err := v.contents(d["Contents"]); err != nil {
		if isFault(err) {
			return fault("the contents of page " + strconv.Itoa(v.pages) + " cannot be read")
		}
		return err
	}
	missing := make(map[string]bool)
	f := &fontWalk{v: v, seen: make(map[int]bool), missing: missing}
	if err := f.resources(in.resources, 0); err != nil {
		return err
	}
	if err := f.annotations(d["Annots"]); err != nil {
		return err
	}
	for font := range missing {
		v.fonts[font] = append(v.fonts[font], v.pages)
	}
	return nil
}

// size compares what is visible of a page with A4.
func (v *visit) size(d dict, in inherited) error {
	box := in.cropBox
	if box == nil {
		box = in.mediaBox
	}
	width, height, err := v.box(box)
	if err != nil {
		return err
	}
	scale := unit
	if o, err := v.r.resolve(d["UserUnit"]); err != nil {
		return err
	} else if u, ok := number(o); ok && u > 0 {
		scale *= u
	}
	turned, err := v.r.resolve(in.rotate)
	if err != nil {
		return err
	}
	if degrees, ok := number(turned); ok && math.Mod(math.Abs(degrees), 180) == 90 {
		width, height = height, width
	}
	width, height = width*scale, height*scale
	if math.Abs(width-a4Width) <= v.cfg.Tolerance && math.Abs(height-a4Height) <= v.cfg.Tolerance {
		return nil
	}
	v.wrong = append(v.wrong, v.pages)
	if s := fmt.Sprintf("%.0f x %.0f mm", width, height); !slices.Contains(v.sizes, s) {
		v.sizes = append(v.sizes, s)
	}
	return nil
}

// box returns the width and height of a rectangle; 0 when it is none.
func (v *visit) box(o any) (width, height float64, err error) {
	o, err = v.r.resolve(o)
	if err != nil {
		return 0, 0, err
	}
	list, ok := o.(array)
	if !ok || len(list) != 4 {
		return 0, 0, nil
	}
	var n [4]float64
	for k := range n {
		o, err := v.r.resolve(list[k])
		if err != nil {
			return 0, 0, err
		}
		if n[k], ok = number(o); !ok {
			return 0, 0, nil
		}
	}
	return math.Abs(n[2] - n[0]), math.Abs(n[3] - n[1]), nil
}

func number(o any) (float64, bool) {
	switch v := o.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	default:
		return 0, false
	}
}

// contents unpacks what a page paints. A page without contents is empty paper, and allowed.
func (v *visit) contents(o any) error {
	o, err := v.r.resolve(o)
	if err != nil {
		return err
	}
	list, many := o.(array)
	if !many {
		list = array{o}
	}
	for _, part := range list {
		if err := v.r.spend(); err != nil {
			return err
		}
		part, err := v.r.resolve(part)
		if err != nil {
			return err
		}
		switch s := part.(type) {
		case nil:
		case *stream:
			if err := v.r.readable(s); err != nil {
				return err
			}
		default:
			return fault("its contents cannot be read")
		}
	}
	return nil
}

// report sums up.
func (v *visit) report() Report {
	out := Report{Pages: v.pages}
	add := func(code, detail string, pages []int) {
		out.Findings = append(out.Findings, Finding{Code: code, Detail: detail, Pages: pages})
	}
	if v.pages == 0 {
		add(CodeNoPages, "The PDF has no pages.", nil)
	}
	if v.pages > v.cfg.MaxPages {
		add(CodeTooManyPages, fmt.Sprintf("The PDF has %d pages, at most %d can be printed.", v.pages, v.cfg.MaxPages), nil)
	}
	if len(v.wrong) > 0 {
		sizes := v.sizes
		if len(sizes) > 3 {
			sizes = append(slices.Clone(sizes[:3]), "...")
		}
		add(CodePageSize, fmt.Sprintf("Every page must be A4 portrait (210 x 297 mm, +/- %g mm); %s: %s.",
			v.cfg.Tolerance, Pages(v.wrong), strings.Join(sizes, ", ")), v.wrong)
	}
	if len(v.fonts) > 0 {
		fonts, pages := make([]string, 0, len(v.fonts)), []int{}
		for font, on := range v.fonts {
			fonts = append(fonts, font)
			pages = append(pages, on...)
		}
		slices.Sort(fonts)
		slices.Sort(pages)
		pages = slices.Compact(pages)
		if len(fonts) > 5 {
			fonts = append(fonts[:5], "...")
		}
		add(CodeFontNotEmbedded, fmt.Sprintf("Every font must be embedded; %s: %s.", Pages(pages), strings.Join(fonts, ", ")), pages)
	}
	return out
}

// Pages names page numbers in a sentence: "page 1", "pages 1, 3-5".
func Pages(pages []int) string {
	var parts []string
	for k := 0; k < len(pages); {
		end := k
		for end+1 < len(pages) && pages[end+1] == pages[end]+1 {
			end++
		}
		part := strconv.Itoa(pages[k])
		if end > k {
			part += "-" + strconv.Itoa(pages[end])
		}
		parts = append(parts, part)
		k = end + 1
	}
	if len(pages) == 1 {
		return "page " + parts[0]
	}
	return "pages " + strings.Join(parts, ", ")
}
