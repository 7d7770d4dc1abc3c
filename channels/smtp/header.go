package smtp

import (
	"encoding/base64"
	"mime"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/brevdue/brevdue/gateway"
)

// header is a block of header fields. Whatever a value holds, it stays one field: line ends and other control characters
// become blanks before anything is written.
type header struct{ strings.Builder }

// maxLine is where a header line is folded if it has a blank to fold at. [src: RFC-5322 2.1.1]
const maxLine = 76

// add writes one field, folded at blanks. The first word stays beside the name: some servers lose what does not.
func (h *header) add(name, value string) {
	h.WriteString(name + ":")
	room := maxLine - len(name) - 1
	for n, word := range strings.Fields(oneLine(value)) {
		if n > 0 && room < len(word)+1 {
			h.WriteString("\r\n")
			room = maxLine
		}
		h.WriteString(" " + word)
		room -= len(word) + 1
	}
	h.WriteString("\r\n")
}

// oneLine turns every run of control characters and blanks into one blank.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

// maxWord is how many bytes go into one encoded word, so that a line with the longest field name and one word is at most
// 76 long. [src: RFC-2047 2]
const maxWord = 39

// unstructured is text as a Subject carries it: as it is when it is plain, and in encoded words otherwise. Text that
// looks like an encoded word is encoded, too, so that it is shown as it was written. [src: RFC-2047 2, 5]
func unstructured(s string) string {
	s = oneLine(s)
	if isASCII(s) && !strings.Contains(s, "=?") {
		return s
	}
	var words []string
	for s != "" {
		cut := min(maxWord, len(s))
		for cut < len(s) && !utf8.RuneStart(s[cut]) {
			cut--
		}
		words = append(words, "=?utf-8?B?"+base64.StdEncoding.EncodeToString([]byte(s[:cut]))+"?=")
		s = s[cut:]
	}
	return strings.Join(words, " ")
}

// maxName is the longest display name of an address, in characters; a longer one is cut.
const maxName = 120

// mailbox is a display name and an address. [src: RFC-5322 3.4]
func mailbox(name, address string) string {
	name = oneLine(name)
	if r := []rune(name); len(r) > maxName {
		name = string(r[:maxName])
	}
	switch {
	case name == "":
		return "<" + address + ">"
	case !isASCII(name) || strings.Contains(name, "=?"):
		return unstructured(name) + " <" + address + ">"
	default:
		return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `" <` + address + ">"
	}
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r > unicode.MaxASCII })
}

// date is a moment as a Date field carries it, in Danish time. [src: RFC-5322 3.3]
func date(t time.Time, zone *time.Location) string {
	return t.In(zone).Format("Mon, 2 Jan 2006 15:04:05 -0700")
}

// parameters writes a media type or a disposition with one parameter, as RFC 2231 wants it where it is not plain.
func parameters(value, name, text string) string {
	text = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, oneLine(text))
	if s := mime.FormatMediaType(value, map[string]string{name: text}); s != "" {
		return s
	}
	return value
}

// contentType is the document's own media type, or what its ending says, or application/octet-stream. A parameter it
// came with is left out, but for the character set.
func contentType(d gateway.Document) string {
	t, params, err := mime.ParseMediaType(d.ContentType)
	if err != nil || !strings.Contains(t, "/") {
		t = byEnding[strings.ToLower(path.Ext(d.Filename))]
	}
	// A part that claims to be mail or a set of parts would be opened up by programs on the way.
	if t == "" || strings.HasPrefix(t, "multipart/") || strings.HasPrefix(t, "message/") {
		return "application/octet-stream"
	}
	if set := params["charset"]; strings.HasPrefix(t, "text/") && set != "" {
		if s := mime.FormatMediaType(t, map[string]string{"charset": set}); s != "" {
			return s
		}
	}
	return t
}

// byEnding lists the file types that authorities send.
var byEnding = map[string]string{
	".pdf": "application/pdf", ".html": "text/html", ".htm": "text/html", ".txt": "text/plain", ".xml": "text/xml",
	".doc": "application/msword", ".rtf": "application/rtf", ".csv": "text/csv", ".ics": "text/calendar",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xls":  "application/vnd.ms-excel",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".odt":  "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
	".bmp": "image/bmp", ".gif": "image/gif", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
	".png": "image/png", ".tif": "image/tiff", ".tiff": "image/tiff", ".zip": "application/zip",
}
