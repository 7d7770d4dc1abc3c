package nemsms

import (
	"strings"
	"unicode"
)

// holdsCPR reports whether ten digits in text could be a CPR number: in one piece ("2512489996"), as six and four with
// blanks, dashes, dots or slashes between them ("251248-9996", "251248 9996"), or as a possible date in parts and four
// ("25 12 48 9996", "25/12-48-9996"). Digits of any script count, characters that cannot be seen do not part them, and
// longer numbers and those that begin with a + are something else.
//
// Ten digits in one piece, or as six and four, are not let off for an impossible date or modulus: the worst a wrong yes
// does is that somebody words the text anew, before anything was accepted. [src: MEMO-GUIDE]
func holdsCPR(text string) bool {
	groups := digitGroups(text)
	for n, first := range groups {
		if first.international {
			continue
		}
		if len(first.digits) == 10 {
			return true
		}
		front := ""
		for k := n; k+1 < len(groups) && groups[k+1].joined && len(front) < 6; k++ {
			front += groups[k].digits
			if len(front) == 6 && len(groups[k+1].digits) == 4 && (k == n || date(front)) {
				return true
			}
		}
	}
	return false
}

// digitGroup is a run of digits, as ASCII.
type digitGroup struct {
	digits        string
	joined        bool // only a separator stands between it and the group before
	international bool // a + stands before it
}

// maxSeparator is how many characters between two groups still let them be parts of one number, as in "251248 - 9996".
const maxSeparator = 3

func digitGroups(text string) []digitGroup {
	var groups []digitGroup
	var digits strings.Builder
	between, plus := maxSeparator+1, false // nothing is joined to the start of the text
	for _, r := range text + "." {
		switch {
		case unicode.Is(unicode.Cf, r):
		case unicode.IsDigit(r):
			digits.WriteByte(ascii(r))
		default:
			if digits.Len() > 0 {
				groups = append(groups, digitGroup{digits: digits.String(), joined: between <= maxSeparator, international: plus})
				digits.Reset()
				between = 0
			}
			if between++; !separator(r) {
				between = maxSeparator + 1
			}
			plus = r == '+'
		}
	}
	return groups
}

func separator(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '\u2212' || r == '.' || r == '/'
}

// ascii is a decimal digit of any script as '0' to '9'. The digits of a script stand in a row, its zero first.
func ascii(r rune) byte {
	value := 0
	for value < 9 && unicode.IsDigit(r-rune(value)-1) {
		value++
	}
	return byte('0' + value%10)
}

// date reports whether six digits could be the date of a CPR number: the day of a replacement number is 60 higher.
func date(s string) bool {
	day, month := s[:2], s[2:4]
	return (day >= "01" && day <= "31" || day >= "61" && day <= "91") && month >= "01" && month <= "12"
}
