package print

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/brevdue/brevdue/channels/digitalpost"
	"github.com/brevdue/brevdue/channels/print/letterpdf"
	"github.com/brevdue/brevdue/channels/print/preflight"
	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/fjernprint"
	"github.com/brevdue/brevdue/sf1601/xmlstream"
)

// checkID stands in for the identity that an intent gets when it is accepted.
const checkID = "00000000-0000-4000-8000-000000000000"

// problems collects what is wrong, each thing once.
type problems struct{ list []gateway.Problem }

func (ps *problems) add(pointer, code, detail string) {
	p := gateway.Problem{Pointer: pointer, Code: code, Detail: detail}
	if !slices.Contains(ps.list, p) {
		ps.list = append(ps.list, p)
	}
}

// within reports whether something at the pointer, or inside it, is told already.
func (ps *problems) within(pointer string) bool {
	return slices.ContainsFunc(ps.list, func(p gateway.Problem) bool {
		return p.Pointer == pointer || strings.HasPrefix(p.Pointer, pointer+"/")
	})
}

// Check implements gateway.Channel.
func (c *Channel) Check(ctx context.Context, l gateway.Letter) []gateway.Problem {
	ps := &problems{}
	if l.Sender.Forsendelsestype <= 0 {
		ps.add("/sender", "sender.forsendelsestype",
			"The sender profile has no print profile (forsendelsestype), so it cannot send printed letters.")
	}
	c.checkAddress(ps, l.Intent.Recipient)
	if len(l.Intent.Content.Documents) > 0 {
		c.checkDocuments(ctx, ps, l)
	} else {
		c.checkText(ps, l)
	}
	c.checkForsendelse(ps, l)
	return ps.list
}

// checkAddress tells every part that is missing, or the first one that fits no form of ForsendelseI.
func (c *Channel) checkAddress(ps *problems, r gateway.Recipient) {
	const at = "/recipient/address"
	if r.Name.Empty() {
		ps.add("/recipient/name", "required", "A printed letter needs the recipient's name.")
	}
	if r.Address == (gateway.Address{}) {
		ps.add(at, "required", "A printed letter needs a postal address.")
		return
	}
	needed := []struct {
		part  string
		value gateway.Private
	}{{"/street", r.Address.Street}, {"/postcode", r.Address.Postcode}, {"/city", r.Address.City}}
	for _, n := range needed {
		if strings.TrimSpace(n.value.Reveal()) != "" || n.part == "/postcode" && abroad(r.Address) {
			continue
		}
		ps.add(at+n.part, "required", "A printed letter needs this part of the address.")
	}
	if ps.within(at) || ps.within("/recipient/name") {
		return
	}
	_, err := fjernprint.Normalise(address(r), c.cfg.City)
	var bad *fjernprint.AddressError
	switch {
	case err == nil:
	case errors.As(err, &bad):
		ps.add(placeOf(bad.Part), "address."+string(bad.Rule), bad.Detail)
	default:
		ps.add(at, "address.invalid", "The address cannot be printed.")
	}
}

// placeOf is where a part of the address stands in the request.
func placeOf(p fjernprint.Part) string {
	switch p {
	case fjernprint.PartName:
		return "/recipient/name"
	case fjernprint.PartStreet, fjernprint.PartHouse, fjernprint.PartFloor, fjernprint.PartDoor,
		fjernprint.PartPostcode, fjernprint.PartCity, fjernprint.PartCountry:
		return "/recipient/address/" + string(p)
	case fjernprint.PartCountryName:
		return "/recipient/address/country"
	case fjernprint.PartCareOf:
		return "/recipient/address"
	default:
		return "/recipient/address"
	}
}

// checkText proves that the PDF can be made.
func (c *Channel) checkText(ps *problems, l gateway.Letter) {
	if strings.TrimSpace(l.Intent.Content.Text) == "" {
		ps.add("/content/documents", "required", "A printed letter needs a PDF, or a text to make one from.")
		return
	}
	made, err := c.maker.Make(letter(l))
	var invalid *letterpdf.Invalid
	switch {
	case errors.As(err, &invalid):
		for _, f := range invalid.Findings {
			at := place(f)
			if strings.HasPrefix(at, "/recipient") && (ps.within("/recipient/name") || ps.within("/recipient/address")) {
				continue // the address has its problems already
			}
			ps.add(at, f.Code, f.Detail)
		}
	case err != nil:
		ps.add("/content/text", "letter.not_made", "The letter cannot be made from the text.")
	case int64(len(made.PDF)) > c.cfg.MaxSize:
		ps.add("/content/text", preflight.CodeTooLarge, fmt.Sprintf("The letter has more than %d bytes.", c.cfg.MaxSize))
	}
}

// place is where a field of the letter stands in the request.
func place(f letterpdf.Finding) string {
	switch f.Field {
	case letterpdf.FieldTitle:
		return "/content/title"
	case letterpdf.FieldText:
		return "/content/text"
	case letterpdf.FieldCaseID:
		return "/content/case"
	case letterpdf.FieldSender:
		return "/sender"
	case letterpdf.FieldSections:
		return "/content/actions/" + strconv.Itoa(f.Index)
	case letterpdf.FieldRecipient:
		if f.Index == 0 && f.Code == letterpdf.CodeCharacter {
			return "/recipient/name"
		}
		return "/recipient/address"
	default:
		return "/content"
	}
}

// checkDocuments looks through the producer's PDFs.
func (c *Channel) checkDocuments(ctx context.Context, ps *problems, l gateway.Letter) {
	total := int64(0)
	for n, d := range l.Intent.Content.Documents {
		at := "/content/documents/" + strconv.Itoa(n)
		if total += d.Size; d.Size > c.checker.MaxSize() {
			ps.add(at, preflight.CodeTooLarge, fmt.Sprintf("The PDF has %d bytes, at most %d can be printed.", d.Size, c.checker.MaxSize()))
			continue
		}
		report, err := c.look(ctx, l, n, d.Size)
		if err != nil {
			ps.add(at, "document.unreadable", "The document could not be read.")
			continue
		}
		for _, f := range report.Findings {
			ps.add(at, f.Code, f.Detail)
		}
	}
	if total > c.cfg.MaxSize && !ps.within("/content/documents") {
		ps.add("/content/documents", "letter.too_large",
			fmt.Sprintf("The documents have %d bytes together, at most %d can be printed as one letter.", total, c.cfg.MaxSize))
	}
}

// look reads a document and has it checked.
func (c *Channel) look(ctx context.Context, l gateway.Letter, n int, size int64) (preflight.Report, error) {
	r, err := l.Open(ctx, n)
	if err != nil {
		return preflight.Report{}, err
	}
	defer func() { _ = r.Close() }()
	b := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	if _, err := b.ReadFrom(io.LimitReader(r, c.checker.MaxSize()+1)); err != nil {
		return preflight.Report{}, err
	}
	return c.checker.Check(ctx, b.Bytes())
}

// checkForsendelse runs ForsendelseI's own rules over what would be sent, leaving out what is told already.
func (c *Channel) checkForsendelse(ps *problems, l gateway.Letter) {
	l.Message.AfsendelseID = checkID
	l.Sender.Forsendelsestype = max(1, l.Sender.Forsendelsestype)
	pdf := xmlstream.Bytes([]byte("%PDF-"))
	if docs := l.Intent.Content.Documents; len(docs) > 0 {
		pdf = digitalpost.Document(l, 0)
	}
	var invalid *fjernprint.Invalid
	if err := c.forsendelse(l, pdf).ValidateWithin(c.cfg.MaxSize); !errors.As(err, &invalid) {
		if err != nil {
			ps.add("/content", "forsendelse.invalid", "The letter cannot be written as ForsendelseI.")
		}
		return
	}
	for _, f := range invalid.Findings {
		at := position(f.Path)
		if f.Rule == fjernprint.RuleSize && ps.within("/content/documents") || ps.within(at) {
			continue
		}
		ps.add(at, "forsendelse."+string(f.Rule), f.Detail)
	}
}

var bilag = regexp.MustCompile(`^BilagSamling/Bilag\[(\d+)\](/BilagNavn)?`)

// position turns the path of a finding into a pointer into the producer's request. Bilag are counted from 1 and follow
// the main document, so Bilag[n] is document n.
func position(path string) string {
	m := bilag.FindStringSubmatch(path)
	switch {
	case len(m) > 2 && m[2] != "":
		return "/content/documents/" + m[1] + "/filename"
	case len(m) > 0:
		return "/content/documents/" + m[1]
	case path == "BilagSamling", path == "":
		return "/content/documents"
	case path == "MeddelelseIndholdData":
		return "/content/documents/0"
	case path == "DokumentParametre/TitelTekst":
		return "/content/title"
	default:
		return "/content"
	}
}

// checkOptions holds a setting to ForsendelseI's rules.
func (c *Channel) checkOptions(sender string, o Options) error {
	probe := &fjernprint.ForsendelseI{
		AfsendelseIdentifikator: checkID, ForsendelseTypeIdentifikator: 1, MeddelelseIndholdData: xmlstream.Bytes([]byte("%PDF-")),
		Kanal: o.kanal("x"), Print: o.papir(), Post: o.post(),
	}
	if err := probe.Validate(); err != nil {
		if sender == "" {
			return fmt.Errorf("print: the options: %w", err)
		}
		return fmt.Errorf("print: the options of sender %s: %w", sender, err)
	}
	return nil
}
