package fjernprint

import (
	"strings"
	"unicode/utf8"
)

// The label of form B. [src: FJERNPRINT-XSD CompletePostalLabelText]
const (
	maxLine  = 34 // characters
	maxLines = 6
)

// label gathers the lines of form B and knows what each part took.
type label struct {
	lines []string
	most  Part // the part that took the most lines so far
	taken int
	err   error
}

// lines is form B: c/o, street with house, floor and door, post code with city, country. Text that is too long for a line
// is broken between words.
func (a Address) lines(danish bool) (*Linjer, error) {
	var l label
	if a.CareOf != "" {
		l.add(word{"c/o " + a.CareOf, PartCareOf})
	}
	house := a.House
	if h, ok := houseNumber(a.House); ok {
		house = h
	}
	l.add(word{a.Street, PartStreet}, word{house, PartHouse}, word{before(", ", a.floorText()), PartFloor}, word{a.doorText(), PartDoor})
	out := &Linjer{}
	if danish {
		out.PostCodeIdentifier = danishPostcode(a.Postcode)
		l.add(word{out.PostCodeIdentifier, PartPostcode}, word{a.City, PartCity})
	} else {
		l.add(word{a.Postcode, PartPostcode}, word{a.City, PartCity})
		l.add(word{a.CountryName, PartCountryName})
	}
	if l.err == nil && len(l.lines) > maxLines {
		l.err = &AddressError{l.most, RuleLength, "The address does not fit on six lines of 34 characters."}
	}
	if l.err != nil {
		return nil, l.err
	}
	copy(out.Linje[:], l.lines)
	return out, nil
}

func before(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// floorText is the floor as a Danish label has it: "st.", "2.".
func (a Address) floorText() string {
	floor, ok := floorOf(a.Floor)
	if !ok || floor == "" {
		return a.Floor
	}
	return floor + "."
}

// doorText is the door, after a comma when there is no floor before it.
func (a Address) doorText() string {
	door, ok := doorOf(a.Door)
	if !ok {
		door = a.Door
	}
	if a.Floor == "" {
		return before(", ", door)
	}
	return door
}

// word is a text of one part. One that begins with ", " is put right behind the text before it.
type word struct {
	text string
	part Part
}

// add puts words on lines of their own, as few as it takes.
func (l *label) add(words ...word) {
	first := len(l.lines)
	line, glue := "", ""
	taken := map[Part]int{}
	for _, w := range words {
		text := w.text
		if rest, ok := strings.CutPrefix(text, ", "); ok {
			text, glue = rest, ","
		}
		for piece := range strings.FieldsSeq(text) {
			if utf8.RuneCountInString(piece) > maxLine {
				l.fail(w.part)
				return
			}
			joined := line + glue + " " + piece
			switch {
			case line == "":
				line = piece
			case utf8.RuneCountInString(joined) <= maxLine:
				line = joined
			default:
				l.lines = append(l.lines, line)
				line = piece
				taken[w.part]++
			}
			glue = ""
		}
		if taken[w.part] > l.taken || l.most == "" {
			l.most, l.taken = w.part, taken[w.part]
		}
	}
	if line != "" || len(l.lines) > first {
		l.lines = append(l.lines, line)
	}
}

func (l *label) fail(p Part) {
	if l.err == nil {
		l.err = &AddressError{p, RuleLength, "A word has more than the 34 characters of a line."}
	}
}
