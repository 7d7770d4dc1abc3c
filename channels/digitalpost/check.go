package digitalpost

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// forbiddenCharacters is what a filename may not hold, as a producer is told it.
const forbiddenCharacters = `< > : " / \ | ? * CR LF U+00A0 U+2000-U+200A U+2028 U+205F U+2060 U+3000`

// xmlOverhead is room for everything in a request that is not a document.
const xmlOverhead = 64 << 10

// checkUUID stands in for the identity that an intent gets when it is accepted.
const checkUUID = "00000000-0000-4000-8000-000000000000"

// maxDocuments is one main document and ten additional ones.
const maxDocuments = 11

// Check implements gateway.Channel. First come the mistakes a producer can make, each at its own field; then the whole
// MeMo is validated, so that nothing it would be refused for is found later.
func (c *Channel) Check(_ context.Context, l gateway.Letter) []gateway.Problem {
	i := l.Intent
	var ps []gateway.Problem
	add := func(pointer, code, detail string) {
		ps = append(ps, gateway.Problem{Pointer: pointer, Code: code, Detail: detail})
	}
	if i.Recipient.ID.IsZero() {
		add("/recipient", "recipient.identifier", "Digital Post needs a CPR or a CVR number.")
	}
	if len(i.Content.Documents) == 0 && strings.TrimSpace(i.Content.Text) == "" {
		add("/content/documents", "required", "Digital Post needs a document, or a text to make one from.")
	}
	if len(i.Content.Documents) > maxDocuments {
		add("/content/documents", "documents.too_many", "A letter has at most one main document and ten more.")
	}
	total := int64(xmlOverhead)
	for n, d := range i.Content.Documents {
		at := "/content/documents/" + strconv.Itoa(n)
		if bad := memo.ForbiddenFilenameRunes(d.Filename); len(bad) > 0 {
			add(at+"/filename", "filename.forbidden",
				fmt.Sprintf("The filename holds %s. Forbidden are: %s.", names(bad), forbiddenCharacters))
		}
		if contentType(d) == "" {
			add(at+"/contentType", "required", "The content type is missing and the filename's ending does not tell it.")
		}
		total += int64(base64.StdEncoding.EncodedLen(int(d.Size)))
	}
	if total > sf1601.MaxRequestSize {
		add("/content/documents", "letter.too_large",
			"The documents together, in base64, exceed the 99,500,000 bytes of a Digital Post letter.")
	}
	return append(ps, c.validate(l, ps)...)
}

// validate runs MeMo's own rules over what would be sent, leaving out what is told already.
func (c *Channel) validate(l gateway.Letter, known []gateway.Problem) []gateway.Problem {
	l.Message.MessageUUID = checkUUID
	var invalid *memo.Invalid
	err := c.Message(l).Validate()
	if err == nil {
		return nil
	}
	if !errors.As(err, &invalid) {
		return []gateway.Problem{{Pointer: "/content", Code: "memo.invalid", Detail: "The letter cannot be written as MeMo."}}
	}
	var ps []gateway.Problem
	for _, f := range invalid.Findings {
		p := gateway.Problem{Pointer: place(f.Path), Code: "memo." + string(f.Rule), Detail: f.Detail}
		if !covered(known, p.Pointer) && !covered(ps, p.Pointer) && !actionRule(f.Path) {
			ps = append(ps, p)
		}
	}
	return ps
}

// actionRule tells findings about actions, which package actions has found at the door with better words.
func actionRule(p string) bool { return strings.Contains(p, "/Action") }

// covered reports whether a problem with this pointer, inside it or around it is among ps.
func covered(ps []gateway.Problem, pointer string) bool {
	for _, p := range ps {
		if p.Pointer == pointer || strings.HasPrefix(p.Pointer, pointer+"/") || strings.HasPrefix(pointer, p.Pointer+"/") {
			return true
		}
	}
	return false
}

var (
	additional = regexp.MustCompile(`^MessageBody/AdditionalDocument\[(\d+)\]`)
	places     = []struct{ prefix, pointer string }{
		{"MessageHeader/label", "/content/title"},
		{"MessageHeader/notification", "/content/notification"},
		{"MessageHeader/replyByDateTime", "/content/reply/by"},
		{"MessageHeader/Sender", "/sender"},
		{"MessageHeader/Recipient/label", "/recipient/name"},
		{"MessageHeader/Recipient", "/recipient"},
		{"MessageHeader/ContentData/KLEdata", "/content/kle"},
		{"MessageHeader/ContentData/CaseID", "/content/case"},
		{"MessageHeader/ReplyData", ""}, // from the post that is answered: no field of the request
		{"MessageBody/MainDocument", "/content/documents/0"},
	}
)

// place turns the path of a MeMo finding into a pointer into the producer's request.
func place(p string) string {
	suffix := ""
	switch path.Base(p) {
	case "filename":
		suffix = "/filename"
	case "encodingFormat":
		suffix = "/contentType"
	case "content":
		suffix = "/content"
	}
	if m := additional.FindStringSubmatch(p); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return "/content/documents/" + strconv.Itoa(n) + suffix // XML counts from 1, and the main document is 0
		}
	}
	for _, known := range places {
		if strings.HasPrefix(p, known.prefix) {
			if known.prefix == "MessageBody/MainDocument" {
				return known.pointer + suffix
			}
			return known.pointer
		}
	}
	return "/content"
}

// contentType is the document's own, or what its ending says (the types seen in Digital Post), or "".
func contentType(d gateway.Document) string {
	if d.ContentType != "" {
		if t, _, err := mime.ParseMediaType(d.ContentType); err == nil {
			return t
		}
		return d.ContentType
	}
	return byEnding[strings.ToLower(path.Ext(d.Filename))]
}

// byEnding lists the file types that public integrations send.
var byEnding = map[string]string{
	".pdf": "application/pdf", ".html": "text/html", ".htm": "text/html", ".txt": "text/plain", ".xml": "text/xml",
	".doc": "application/msword", ".rtf": "application/msword",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".xls":  "application/vnd.ms-excel",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	".odt":  "application/vnd.oasis.opendocument.text", ".ods": "application/vnd.oasis.opendocument.spreadsheet",
	".bmp": "image/bmp", ".gif": "image/gif", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
	".png": "image/png", ".tif": "image/tiff", ".tiff": "image/tiff",
}

// names spells characters out, since most of the forbidden ones cannot be seen.
func names(runes []rune) string {
	out := make([]string, len(runes))
	for n, r := range runes {
		if r > ' ' && r < 0x7f {
			out[n] = string(r)
		} else {
			out[n] = fmt.Sprintf("%U", r)
		}
	}
	return strings.Join(out, ", ")
}
