package sf1601test

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// value is a leaf under test.
type value struct {
	text  []byte
	today string // YYYY-MM-DD in UTC
	files []string
}

// check says what is wrong with a value: an NgDP code and a phrase, both empty
// when nothing is. It never quotes the value.
type check func(v *value) (code, text string)

// checks are the types of memoClasses.
//
// FILE and URL are Digital Post's extended validation in force since 10
// September 2025, for MeMo 1.1 and 1.2; POINT, LATER and an empty B64 have
// codes of their own; CODE is the list public clients quote from the guide to
// actions, free text in the schema.
// [src: MEMO-1.1-XSD data types; MEMO-VALIDATION-NEWS; NGDP-ERRORS-KMD; SP-CLIENTS actionCode; MEMO-ACTIONS-GUIDE]
var checks = map[string]check{
	"T256": length(256), "C512": length(512), "N150": length(150), "LP7": length(7),
	"TYPE": enum("DIGITALPOST", "NEMSMS"), "IDTYPE": enum("CPR", "CVR"),
	"CODE": enum("AFTALE", "BEKRAEFT", "BETALING", "FORBEREDELSE", "INFORMATION", "SELVBETJENING", "TILMELDING", "UNDERSKRIV"),
	"UUID": func(v *value) (string, string) { return invalid(uuid4(string(v.text)), "is not a UUID of version 4") },
	"BOOL": func(v *value) (string, string) {
		switch string(bytes.TrimSpace(v.text)) {
		case "", "true", "false", "1", "0": // empty means the default, false
			return "", ""
		}
		return CodeMemoInvalid, "is not an xs:boolean"
	},
	"DTZ": func(v *value) (string, string) {
		return invalid(dateTimeZ(string(v.text)), "is not a dateTime that ends in Z")
	},
	"LATER": checkLater,
	"LANG":  func(v *value) (string, string) { return invalid(language(v.text), "is not a language of two letters") },
	"P10": func(v *value) (string, string) {
		return invalid(number(v.text, 10), "is not a number of at most 10 digits")
	},
	"GLN13": func(v *value) (string, string) {
		return invalid(number(v.text, 13), "is not a number of at most 13 digits")
	},
	"POINT": func(v *value) (string, string) {
		if !uuid(string(v.text)) {
			return CodeContactPoint, "is not a UUID"
		}
		return "", ""
	},
	"FILE": checkFilename,
	"URL":  checkURL,
	"B64": func(v *value) (string, string) {
		n, ok := decodedSize(v.text)
		if !ok {
			return CodeMemoInvalid, "is not Base64"
		}
		if n == 0 {
			return CodeEmptyFile, "is empty"
		}
		return "", ""
	},
}

func invalid(ok bool, phrase string) (code, text string) {
	if ok {
		return "", ""
	}
	return CodeMemoInvalid, phrase
}

func length(limit int) check {
	return func(v *value) (string, string) {
		return invalid(len(v.text) <= limit || utf8.RuneCount(v.text) <= limit, "is too long")
	}
}

func enum(values ...string) check {
	return func(v *value) (string, string) {
		return invalid(slices.Contains(values, string(v.text)), "is not one of the allowed values")
	}
}

// dateTimeZ is an xs:dateTime with or without fraction that ends in Z.
func dateTimeZ(s string) bool {
	if len(s) < len("2006-01-02T15:04:05Z") || s[13] != ':' || strings.Contains(s, ",") {
		return false
	}
	_, err := time.Parse("2006-01-02T15:04:05.999999999Z", s)
	return err == nil
}

func checkLater(v *value) (code, text string) {
	s := string(v.text)
	if len(s) < 10 {
		return CodeMemoInvalid, "is not an xs:date"
	}
	_, err := time.Parse("2006-01-02", s[:10])
	_, errZone := time.Parse("Z07:00", s[10:])
	if err != nil || s[10:] != "" && errZone != nil {
		return CodeMemoInvalid, "is not an xs:date"
	}
	if s[:10] < v.today {
		return CodeDeliverTooEarly, "is in the past"
	}
	return "", ""
}

func language(b []byte) bool {
	if len(b) < 1 || len(b) > 2 {
		return false
	}
	for _, c := range b {
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return false
		}
	}
	return true
}

func number(b []byte, most int) bool {
	b = bytes.TrimSpace(b)
	return len(b) > 0 && digits(string(b), len(b)) && len(bytes.TrimLeft(b, "0")) <= most
}

// uuid is a UUID of any version.
func uuid(s string) bool {
	return len(s) == 36 && uuid4(s[:14]+"4"+s[15:19]+"8"+s[20:]) && hexDigit(s[14]) && hexDigit(s[19])
}

func hexDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func checkFilename(v *value) (code, text string) {
	if code, text := length(256)(v); code != "" {
		return code, text
	}
	name := string(v.text)
	if strings.TrimSpace(name) == "" {
		return CodeMemoInvalid, "is empty"
	}
	for _, r := range name {
		if strings.ContainsRune("<>:\"/\\|?*\r\n\u00a0\u2028\u205f\u2060\u3000", r) || r >= 0x2000 && r <= 0x200A {
			return CodeMemoInvalid, "holds a character that is not allowed in a filename"
		}
	}
	if v.files == nil {
		return "", ""
	}
	for _, ext := range v.files {
		if strings.HasSuffix(strings.ToLower(name), "."+ext) {
			return "", ""
		}
	}
	return CodeFileExtension, "has a file extension that is not allowed"
}

func checkURL(v *value) (code, text string) {
	if code, text := length(256)(v); code != "" {
		return code, text
	}
	u, err := url.Parse(string(v.text))
	return invalid(err == nil && u.Scheme == "https" && u.Host != "", "is not an absolute https URL")
}

// base64Class: 1 for the alphabet, 2 for white space, 3 for padding.
var base64Class = func() (t [256]uint8) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		t[c] = 1
	}
	for _, c := range []byte(" \t\r\n") {
		t[c] = 2
	}
	t['='] = 3
	return t
}()

// decodedSize is how many bytes b decodes to, without decoding it.
func decodedSize(b []byte) (int64, bool) {
	var letters, padding int64
	for _, c := range b {
		switch base64Class[c] {
		case 1:
			letters++
			if padding > 0 {
				return 0, false
			}
		case 2:
		case 3:
			padding++
		default:
			return 0, false
		}
	}
	if padding > 2 || (letters+padding)%4 != 0 {
		return 0, false
	}
	return (letters+padding)/4*3 - padding, true
}
