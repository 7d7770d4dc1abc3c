package memo

import (
	"slices"
	"strings"
)

// forbiddenInFilename tells whether Digital Post rejects a message for this character in a file name: one of
// < > : " / \ | ? *, CR, LF, U+00A0, U+2000 to U+200A, U+2028, U+205F, U+2060 and U+3000. The rule holds for
// MeMo 1.1 and 1.2, in production since 10 September 2025. [src: MEMO-VALIDATION-NEWS]
func forbiddenInFilename(r rune) bool {
	switch r {
	case '<', '>', ':', '"', '/', '\\', '|', '?', '*', '\r', '\n', 0x00A0, 0x2028, 0x205F, 0x2060, 0x3000:
		return true
	}
	return r >= 0x2000 && r <= 0x200A
}

// ForbiddenFilenameRunes returns the characters of name that Digital Post does not take in a file name, each once, in
// the order they stand; nil when the name has none of them.
func ForbiddenFilenameRunes(name string) []rune {
	if !strings.ContainsFunc(name, forbiddenInFilename) {
		return nil
	}
	var found []rune
	for _, r := range name {
		if forbiddenInFilename(r) && !slices.Contains(found, r) {
			found = append(found, r)
		}
	}
	return found
}
