package sf1601test

import (
	"bytes"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// printChecks are the types of printClasses: S is a text of at least one
// character, T one that may be empty, both with the most characters. The code
// they give is replaced by CodeForsendelseInvalid.
// [src: FJERNPRINT-XSD simple types]
var printChecks = map[string]check{
	"S4": filled(4), "S34": filled(34), "S38": filled(38), "S40": filled(40), "S130": filled(130), "S2000": filled(2000),
	"T10": length(10), "T34": length(34), "T300": length(300), "T2000": length(2000), "TEXT": length(1 << 30),
	"POS": func(v *value) (string, string) {
		return invalid(natural(v.text) && !zero(v.text), "is not a number from 1")
	},
	"NONNEG": func(v *value) (string, string) { return invalid(natural(v.text), "is not a number from 0") },
	"BOX": func(v *value) (string, string) {
		n := bytes.TrimLeft(bytes.TrimSpace(v.text), "+0")
		return invalid(natural(v.text) && len(n) > 0 && len(n) <= 4, "is not a number from 1 to 9999")
	},
	"BOOL": func(v *value) (string, string) {
		switch string(bytes.TrimSpace(v.text)) {
		case "true", "false", "1", "0":
			return "", ""
		}
		return CodeForsendelseInvalid, "is not an xs:boolean"
	},
	"TIME": func(v *value) (string, string) {
		return invalid(dateTime(strings.TrimSpace(string(v.text))), "is not an xs:dateTime")
	},
	"DATE": func(v *value) (string, string) {
		_, err := time.Parse(time.DateOnly, strings.TrimSpace(string(v.text)))
		return invalid(err == nil, "is not an xs:date without a zone")
	},
	"PDF": func(v *value) (string, string) {
		return invalid(strings.EqualFold(string(v.text), "PDF"), "is not PDF")
	},
	"LETTER": checkLetter,
	"BASE64": func(v *value) (string, string) {
		_, ok := decodedSize(v.text)
		return invalid(ok, "is not Base64")
	},
	"CPR": func(v *value) (string, string) {
		return invalid(string(v.text) == "0000000000", "is not the filler 0000000000: a CPR number is not told to the print supplier")
	},
	"CVR":      func(v *value) (string, string) { return invalid(digits(string(v.text), 8), "is not 8 digits") },
	"HOUSE":    shaped(`[1-9][0-9]{0,2}[A-Z]?`, "is not 1 to 999 with a capital letter or none"),
	"FLOOR":    shaped(`[1-9][0-9]?|KL|ST|kl|st|[kK][2-9]`, "is not 1 to 99, st, kl or k2 to k9"),
	"POSTCODE": shaped(`[0-9]{4}`, "is not four digits"),
	"COUNTRY":  shaped(`[a-z,A-Z]{2,3}|[0-9]{3,4}`, "is not a country code"),
	"EMAIL":    shaped(`[^>()\[\]\\,;:@\s]{0,191}@[^>()\[\]\\,;:@\s]{1,64}`, "is not an e-mail address"),
	"DKALUUID": shaped(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`, "is not a UUID in lower case"),
	"SIMPLEX":  enum("Simplex", "Duplex"), "FARVE": enum("SH", "Farve"), "KUVERT": enum("C4", "C5", "MA"),
	"KATEGORI":   enum("Prioritaire", "Economique", "Bulk", "Rekommanderet", "Rekommanderet med modtagerbevis", "Forkyndelse"),
	"KANAL":      enum("Digital Post", "Fysisk Post"),
	"KVITTERING": enum("Alle", "Ingen", "Kun fejl"),
	"SVAR":       enum("angivet", "ikkeMuligt", "standard"),
	"ANY":        func(*value) (string, string) { return "", "" }, // read by printReader.any
}

// scheme says whether s is a value of CountryIdentificationCode/@scheme.
func scheme(s string) bool {
	switch s {
	case "iso3166-alpha2", "iso3166-alpha3", "un-numeric3", "imk":
		return true
	}
	return false
}

// filled is a text of 1 to limit characters.
func filled(limit int) check {
	return func(v *value) (string, string) {
		return invalid(len(v.text) > 0 && utf8.RuneCount(v.text) <= limit, "is empty or too long")
	}
}

func shaped(pattern, wrong string) check {
	re := regexp.MustCompile(`^(` + pattern + `)$`)
	return func(v *value) (string, string) { return invalid(re.Match(v.text), wrong) }
}

// natural is an xs:nonNegativeInteger of any size.
func natural(b []byte) bool {
	b = bytes.TrimPrefix(bytes.TrimSpace(b), []byte("+"))
	return len(b) > 0 && digits(string(b), len(b))
}

func zero(b []byte) bool { return len(bytes.Trim(b, " \t\r\n+0")) == 0 }

// checkLetter checks the letter itself: a PDF, as far as its first bytes tell.
// Its size is checked by printReader.
func checkLetter(v *value) (code, text string) {
	n, ok := decodedSize(v.text)
	switch {
	case !ok:
		return CodeForsendelseInvalid, "is not Base64"
	case n == 0:
		return CodeForsendelseInvalid, "is empty"
	}
	head := make([]byte, 0, 7)
	for _, c := range v.text {
		if base64Class[c] == 1 {
			head = append(head, c)
		}
		if len(head) == cap(head) {
			break
		}
	}
	// "%PDF-" is JVBERi0 and two bits more: the last letter is one of four.
	isPDF := len(head) == 7 && string(head[:6]) == "JVBERi" && strings.IndexByte("0123", head[6]) >= 0
	return invalid(isPDF, "is not a PDF")
}
