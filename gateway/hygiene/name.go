package hygiene

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// MaxNameBytes is the most a safe name has, so that a folder's own additions fit in the 255 bytes of a file system.
const MaxNameBytes = 180

const (
	maxEndingBytes = 20   // of a name that is cut; what is longer is no ending
	maxNameLooked  = 8192 // of a received name; of a longer one its start and its end count
	unnamed        = "unnamed"
)

// SafeName makes a name that can be used on any disk, whatever was received: one path element in NFC, no control, format
// or direction characters, none of < > : " / \ | ? *, no name that Windows keeps for devices, no dot, space or hyphen at
// its start and no dot or space at its end, at most [MaxNameBytes] bytes with its ending kept. A name of which nothing is
// left becomes "unnamed".
func SafeName(name string) string {
	if len(name) > maxNameLooked {
		name = name[:maxNameLooked/2] + name[len(name)-maxNameLooked/2:]
	}
	name = norm.NFC.String(strings.ToValidUTF8(name, "_"))
	name = norm.NFC.String(strings.Map(safeRune, name)) // what a removed character kept apart may now belong together
	name = strings.TrimLeft(trimEnd(strings.Join(strings.Fields(name), " ")), ". ")
	switch {
	case name == "":
		return unnamed
	case isDevice(name) || name[0] == '-':
		name = "_" + name
	}
	return shorten(name, MaxNameBytes)
}

// safeRune replaces what must not stand in a name; -1 removes it.
func safeRune(r rune) rune {
	switch {
	case strings.ContainsRune(`<>:"/\|?*`, r), r == utf8.RuneError:
		return '_'
	case unicode.IsSpace(r), unicode.In(r, unicode.Zs, unicode.Zl, unicode.Zp):
		return ' '
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Variation_Selector):
		return -1
	}
	return r
}

func trimEnd(s string) string { return strings.TrimRight(s, ". ") }

// shorten cuts a name to so many bytes, at a character, and keeps its ending.
func shorten(name string, most int) string {
	if len(name) <= most {
		return name
	}
	ending := path.Ext(name)
	if len(ending) > maxEndingBytes {
		ending = ""
	}
	return cutBytes(strings.TrimSuffix(name, ending), most-len(ending)) + ending
}

// cutBytes cuts a text to so many bytes, at a character.
func cutBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return trimEnd(s[:most])
}

// isDevice tells whether Windows takes a name for a device, whatever its ending.
func isDevice(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	stem = strings.TrimRight(stem, " ")
	if slices.Contains([]string{"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"}, stem) {
		return true
	}
	number, found := strings.CutPrefix(stem, "COM")
	if !found {
		number, found = strings.CutPrefix(stem, "LPT")
	}
	return found && slices.Contains([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "¹", "²", "³"}, number)
}

// Names gives the files of one folder safe names that differ even where upper and lower case are the same. The zero value
// is an empty folder; it is for one goroutine.
type Names struct {
	taken map[string]bool
	last  map[string]int // the last number given to a name
}

// Take gives the safe name for one more file: "Bilag.pdf", then "Bilag (2).pdf".
func (n *Names) Take(name string) string {
	if n.taken == nil {
		n.taken, n.last = make(map[string]bool), make(map[string]int)
	}
	safe := SafeName(name)
	folded := foldName(safe)
	if !n.taken[folded] {
		n.taken[folded], n.last[folded] = true, 1
		return safe
	}
	ending := path.Ext(safe)
	if len(ending) > maxEndingBytes {
		ending = ""
	}
	stem := strings.TrimSuffix(safe, ending)
	for {
		n.last[folded]++
		number := " (" + strconv.Itoa(n.last[folded]) + ")"
		next := cutBytes(stem, MaxNameBytes-len(number)-len(ending)) + number + ending
		if key := foldName(next); !n.taken[key] {
			n.taken[key], n.last[key] = true, 1
			return next
		}
	}
}

// foldName makes names equal that a file system without upper and lower case takes for the same.
func foldName(s string) string { return strings.ToLower(strings.ToUpper(s)) }
