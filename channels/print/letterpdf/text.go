package letterpdf

import (
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// plain brings a text into one form: NFC, "\n" as the only line break, spaces for tabs, and no characters that are
// invisible by definition (byte order mark, soft hyphen, zero-width space).
var plain = strings.NewReplacer(
	"\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n\n", "\u0085", "\n", "\f", "\n", "\v", "\n", "\t", " ",
	"\ufeff", "", "\u00ad", "", "\u200b", "", "\u200c", "", "\u200d", "", "\u200e", "", "\u200f", "", "\u2060", "",
)

func normal(s string) string { return plain.Replace(norm.NFC.String(strings.ToValidUTF8(s, "\ufffd"))) }

// line is normal for a text that stands on one line.
func line(s string) string { return strings.Join(strings.FieldsFunc(normal(s), isSpace), " ") }

// isSpace is where a line may be cut. A no-break space is not such a place.
func isSpace(r rune) bool { return r == ' ' || r == '\n' }

// block is a paragraph, or one item of a list.
type block struct {
	label string   // of a list item: "•", "1."
	lines []string // as the writer broke them
}

var (
	item = regexp.MustCompile(`^ *(?:([-*•])|([0-9]{1,3}[.)])) +(.*)$`)
	// month after a number and a full stop makes a date of it: "21. november" begins no list.
	month = regexp.MustCompile(`(?i)^(jan|feb|mar|apr|maj|jun|jul|aug|sep|okt|nov|dec)[a-zæøå]*\b`)
)

// bullet is the label of an item of a list without numbers.
const bullet = "•"

// listItem reads the label and the text of a list item; false when s is none.
func listItem(s string) (label, text string, ok bool) {
	m := item.FindStringSubmatch(s)
	if len(m) < 4 || m[3] == "" || strings.HasSuffix(m[2], ".") && month.MatchString(m[3]) {
		return "", "", false
	}
	if m[2] != "" {
		return m[2], strings.Trim(m[3], " "), true
	}
	return bullet, strings.Trim(m[3], " "), true
}

// blocks cuts a text into paragraphs and list items.
func blocks(text string) []block {
	var out []block
	open := false // whether the next line goes on with the last block
	for raw := range strings.SplitSeq(text, "\n") {
		trimmed := strings.Trim(raw, " ")
		if trimmed == "" {
			open = false
			continue
		}
		if label, text, ok := listItem(raw); ok {
			out, open = append(out, block{label: label, lines: []string{text}}), true
			continue
		}
		// A line that is not indented ends a list.
		if open && out[len(out)-1].label != "" && !strings.HasPrefix(raw, " ") {
			open = false
		}
		if !open {
			out, open = append(out, block{}), true
		}
		last := &out[len(out)-1]
		last.lines = append(last.lines, trimmed)
	}
	return out
}

// wrap cuts s into lines that are at most limit millimetres wide. A word that is wider than a line is cut where it must.
func (m *measurer) wrap(f *typeface, size, limit float64, s string) []string {
	var out []string
	var current strings.Builder
	used := 0.0
	space := m.width(f, size, " ")
	flush := func() {
		out = append(out, current.String())
		current.Reset()
		used = 0
	}
	for _, word := range strings.FieldsFunc(s, isSpace) {
		w := m.width(f, size, word)
		if used > 0 && used+space+w > limit {
			flush()
		}
		if used > 0 {
			current.WriteByte(' ')
			used += space
		}
		if w <= limit {
			current.WriteString(word)
			used += w
			continue
		}
		for _, r := range word {
			rw := m.width(f, size, string(r))
			if used > 0 && used+rw > limit {
				flush()
			}
			current.WriteRune(r)
			used += rw
		}
	}
	if current.Len() > 0 || len(out) == 0 {
		flush()
	}
	return out
}
