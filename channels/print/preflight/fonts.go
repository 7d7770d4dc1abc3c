package preflight

import (
	"maps"
	"slices"
	"strings"
)

// fontState is what is known of a font.
type fontState struct {
	embedded bool
	name     string
	inner    any // the resources of a Type 3 font
}

// fontWalk collects the fonts of one page. [src: ISO-32000-1 §7.8.3, §9.6 to §9.9]
type fontWalk struct {
	v       *visit
	seen    map[int]bool // resources and objects visited on this page
	missing map[string]bool
}

// first reports whether o is met for the first time on this page.
func (f *fontWalk) first(o any) bool {
	is, ok := o.(ref)
	if !ok {
		return true
	}
	if f.seen[is.num] {
		return false
	}
	f.seen[is.num] = true
	return true
}

func (f *fontWalk) resources(o any, depth int) error {
	if depth > f.v.r.limits.Depth {
		return errLimit
	}
	if !f.first(o) {
		return nil
	}
	d, err := f.v.r.dictionary(o)
	if err != nil || d == nil {
		return err
	}
	if err := f.each(d["Font"], func(font any) error { return f.font(font, depth) }); err != nil {
		return err
	}
	inner := func(o any) error {
		if !f.first(o) {
			return nil
		}
		d, err := f.v.r.dictionary(o)
		if err != nil || d == nil || d["Resources"] == nil {
			return err
		}
		return f.resources(d["Resources"], depth+1)
	}
	if err := f.each(d["XObject"], inner); err != nil {
		return err
	}
	if err := f.each(d["Pattern"], inner); err != nil {
		return err
	}
	return f.each(d["ExtGState"], func(o any) error {
		d, err := f.v.r.dictionary(o)
		if err != nil || d == nil {
			return err
		}
		list, err := f.v.r.resolve(d["Font"])
		if font, ok := list.(array); err == nil && ok && len(font) > 0 {
			return f.font(font[0], depth)
		}
		return err
	})
}

// each visits the values of a dictionary.
func (f *fontWalk) each(o any, do func(any) error) error {
	d, err := f.v.r.dictionary(o)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(d)) { // sorted, so that the same file always gets the same report
		if err := f.v.r.spend(); err != nil {
			return err
		}
		if err := do(d[key]); err != nil {
			return err
		}
	}
	return nil
}

func (f *fontWalk) font(o any, depth int) error {
	state, err := f.v.font(o)
	if err != nil {
		return err
	}
	if !state.embedded {
		f.missing[state.name] = true
	}
	if state.inner != nil {
		return f.resources(state.inner, depth+1)
	}
	return nil
}

// font looks a font up, once per file.
func (v *visit) font(o any) (fontState, error) {
	is, shared := o.(ref)
	if state, known := v.embedded[is.num]; shared && known {
		return state, nil
	}
	state, err := v.lookUp(o)
	if err == nil && shared {
		v.embedded[is.num] = state
	}
	return state, err
}

func (v *visit) lookUp(o any) (fontState, error) {
	d, err := v.r.dictionary(o)
	if err != nil {
		return fontState{}, err
	}
	if d == nil {
		return fontState{embedded: true}, nil // nothing there to print with
	}
	state := fontState{name: fontName(d["BaseFont"])}
	switch d["Subtype"] {
	case name("Type3"):
		return fontState{embedded: true, inner: d["Resources"]}, nil
	case name("Type0"):
		descendants, err := v.r.resolve(d["DescendantFonts"])
		if err != nil {
			return fontState{}, err
		}
		list, ok := descendants.(array)
		if !ok || len(list) == 0 {
			return state, nil
		}
		if d, err = v.r.dictionary(list[0]); err != nil {
			return fontState{}, err
		}
	}
	descriptor, err := v.r.dictionary(d["FontDescriptor"])
	if err != nil {
		return fontState{}, err
	}
	for _, key := range []name{"FontFile", "FontFile2", "FontFile3"} {
		program, err := v.r.resolve(descriptor[key])
		if err != nil {
			return fontState{}, err
		}
		if s, ok := program.(*stream); ok && len(s.raw) > 0 {
			state.embedded = true
		}
	}
	return state, nil
}

// fontName is a font's name as a sentence may hold it.
func fontName(o any) string {
	n, _ := o.(name)
	clean := strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f {
			return r
		}
		return '_'
	}, string(n[:min(len(n), 40)]))
	if clean == "" {
		return "a font without a name"
	}
	return clean
}

// annotations looks at the fonts of what is painted over the page: stamps, filled-in fields.
func (f *fontWalk) annotations(o any) error {
	o, err := f.v.r.resolve(o)
	if err != nil {
		return err
	}
	list, _ := o.(array)
	for _, one := range list {
		if err := f.v.r.spend(); err != nil {
			return err
		}
		d, err := f.v.r.dictionary(one)
		if err != nil {
			return err
		}
		looks, err := f.v.r.dictionary(d["AP"])
		if err != nil {
			return err
		}
		if err := f.appearance(looks["N"]); err != nil {
			return err
		}
	}
	return nil
}

// appearance is a form, or one form for each state.
func (f *fontWalk) appearance(o any) error {
	o, err := f.v.r.resolve(o)
	if err != nil {
		return err
	}
	switch a := o.(type) {
	case *stream:
		return f.resources(a.dict["Resources"], 1)
	case dict:
		return f.each(a, func(o any) error {
			d, err := f.v.r.dictionary(o)
			if err != nil || d == nil {
				return err
			}
			return f.resources(d["Resources"], 1)
		})
	default:
		return nil
	}
}
