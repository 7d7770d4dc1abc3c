package evidence

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/sf1601/beskedfordeler"
	"github.com/brevdue/brevdue/sf1601/memo"
	"github.com/brevdue/brevdue/sf1601/signature"
)

// The most bytes of files that are read whole.
const (
	maxReceipt     = 4 << 20 // what beskedfordeler.Decode takes
	maxManifest    = 1 << 20 // of signature.DefaultMax letters: 200 KB
	maxCertificate = 64 << 10
	maxAttempt     = 1 << 20
	maxHeader      = 64 << 10 // of a mail
	maxPage        = 16 << 20
)

// skew is how far the clocks of two machines of one gateway may be apart.
const skew = 5 * time.Minute

// attempts compares the file of each attempt with the timeline.
func (x *examination) attempts() error {
	for i := range x.t.Attempts {
		a := &x.t.Attempts[i]
		alone, wrong, err := x.read(a.File, maxAttempt)
		if err != nil {
			return err
		}
		if wrong == nil {
			want, err := encode(a)
			if err != nil {
				return err
			}
			if !bytes.Equal(alone, want) {
				wrong = errors.New("it is not what the timeline says of this attempt")
			}
		}
		x.note(RuleAnswer, a.File, wrong, "it is what the timeline says of this attempt")
		if a.Answer == "" {
			continue
		}
		if _, good := x.signed.Digests[a.Answer]; !good {
			x.note(RuleAnswer, a.Answer, errNotThere, "")
		}
	}
	return nil
}

// manifests verifies the signatures that were made before anything left.
func (x *examination) manifests() error {
	known := make(map[string]bool, len(x.t.Manifests))
	for i := range x.t.Manifests {
		m := &x.t.Manifests[i]
		known[m.ID] = true
		wrong, err := x.manifest(m)
		if err != nil {
			return err
		}
		x.note(RuleManifest, m.File, wrong, "its signature holds, and it lists the attempts that name it with their digests")
	}
	for i := range x.t.Attempts {
		if a := &x.t.Attempts[i]; a.ManifestID != "" && !known[a.ManifestID] {
			x.note(RuleManifest, a.File, errors.New("the manifest that lists the attempt is not in the container"), "")
		}
	}
	return nil
}

func (x *examination) manifest(m *manifestRecord) (wrong, err error) {
	signed, wrong, err := x.read(m.File, maxManifest)
	if wrong != nil || err != nil {
		return wrong, err
	}
	text, wrong, err := x.read(m.Certificate, maxCertificate)
	if err != nil {
		return nil, err
	}
	if wrong != nil {
		return errors.New("the certificate that signed it is not in the container"), nil
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New(m.Certificate + " is not a certificate in PEM"), nil
	}
	cert, failed := x509.ParseCertificate(block.Bytes)
	if failed != nil {
		return errors.New(m.Certificate + " is not a certificate in PEM"), nil
	}
	digests := map[string][sha256.Size]byte{}
	for i := range x.t.Attempts {
		if a := &x.t.Attempts[i]; a.ManifestID == m.ID {
			sum, failed := hex.DecodeString(a.SHA256)
			if failed != nil || len(sum) != sha256.Size {
				return errors.New("an attempt that it lists has no digest in the timeline"), nil
			}
			digests[a.ID] = [sha256.Size]byte(sum)
		}
	}
	if m.SignedAt.time().IsZero() || m.SignedAt.time().After(x.signed.At.Add(skew)) {
		return errors.New("it has no time before that of the container's own signature"), nil
	}
	trust := signature.Trust{Certificate: cert, Roots: x.trust.Roots, At: m.SignedAt.time(), Intermediates: x509.NewCertPool()}
	for _, between := range x.signed.Chain[1:] {
		trust.Intermediates.AddCert(between)
	}
	verified, failed := signature.VerifyManifest(signed, trust, digests)
	switch {
	case failed != nil:
		return failed, nil
	case verified.ID != m.ID:
		return errors.New("it is another manifest than the timeline says"), nil
	}
	return nil, nil
}

// request checks what was handed over: that it is what was signed for, and this message's.
func (x *examination) request() error {
	r := x.t.Request
	if r == nil {
		x.note(RuleRequest, nameTimeline, nil, "no request is kept: the container says nothing of what was handed over")
		return nil
	}
	digest, good := x.signed.Digests[r.File]
	if !good {
		x.note(RuleRequest, r.File, errNotThere, "")
		return nil
	}
	text, wrong := x.listed(r, hex.EncodeToString(digest[:]))
	x.note(RuleRequest, r.File, wrong, text)
	var err error
	if path.Ext(r.File) == ".eml" {
		text, wrong, err = x.mail(r)
	} else {
		text, wrong, err = x.kombi(r)
	}
	if err != nil {
		return err
	}
	x.note(RuleRequest, r.File, wrong, text)
	return nil
}

// listed says whether the request is the one that the attempts tell of, and a manifest lists.
func (x *examination) listed(r *requestRecord, digest string) (good string, wrong error) {
	if r.SHA256 != digest || r.Size != x.c.Open(r.File).Size() {
		return "", errors.New("the timeline tells of another request")
	}
	witnessed, accepted, other := false, false, false
	var same []string
	for i := range x.t.Attempts {
		a := &x.t.Attempts[i]
		switch taken := a.Class == string(gateway.Accept); {
		case a.SHA256 == digest:
			same = append(same, a.ID)
			witnessed = witnessed || a.ManifestID != "" // manifests verifies it
			accepted = accepted || taken
		case taken && a.SHA256 != "":
			other = true
		}
	}
	switch {
	case !slices.Equal(same, r.Attempts) || len(same) == 0:
		return "", errors.New("its SHA-256 is not that of the attempts which the timeline names")
	case other && !accepted:
		return "", errors.New("the attempt that was accepted sent something else")
	case witnessed:
		return "its SHA-256 is in a manifest that was signed before it left, under the id of the attempt", nil
	case path.Base(r.File) == "kombi_request.xml":
		return "", errors.New("no manifest lists its SHA-256, and this channel signs what it sends")
	}
	return "its SHA-256 is that of the attempt; this channel signs nothing before it sends, so the container alone vouches for it", nil
}

// kombi reads a kombi_request for the identity of the letter.
func (x *examination) kombi(r *requestRecord) (good string, wrong, err error) {
	k, err := memo.ReadKombi(x.ctx, x.c.Open(r.File), memo.ReadOptions{
		Limits: memo.ReadLimits{Size: 1 << 32},
		Fault:  func(*memo.ReadError) error { return nil }, // what was sent is to be identified, not to be judged
	})
	var broken *memo.ReadError
	switch {
	case errors.As(err, &broken) && broken.Reason == memo.ReasonRead:
		return "", nil, err
	case err != nil:
		return "", errors.New("it is not a kombi_request that can be read"), nil
	case k.Message == nil && !k.Forsendelse:
		return "", errors.New("it holds neither a MeMo nor a ForsendelseI"), nil
	}
	if m := k.Message; m != nil {
		if !strings.EqualFold(m.Header.MessageUUID, x.t.Message.MessageUUID) {
			return "", errors.New("the messageUUID in its MeMo is not that of the message"), nil
		}
		if to := x.t.Recipient.Number; to != "" && m.Header.Recipient.RecipientID != to {
			return "", errors.New("its MeMo is to another recipient than the timeline says"), nil
		}
	}
	if k.Forsendelse {
		found, err := contains(x.ctx, x.c.Open(r.File), "AfsendelseIdentifikator>"+x.t.Message.AfsendelseID+"</")
		if err != nil {
			return "", nil, err
		}
		if !found || x.t.Message.AfsendelseID == "" {
			return "", errors.New("the AfsendelseIdentifikator in its ForsendelseI is not that of the message"), nil
		}
	}
	return "the letter in it has the identity of the message", nil, nil
}

// mail looks for the identity of the letter in a mail: the Message-ID is made from the message's id (package smtp).
func (x *examination) mail(r *requestRecord) (good string, wrong, err error) {
	header := io.LimitReader(x.c.Open(r.File), maxHeader)
	found, err := contains(x.ctx, header, "<"+x.t.Message.ID+"@")
	if err != nil {
		return "", nil, err
	}
	if !found || x.t.Message.ID == "" {
		return "", errors.New("its Message-ID is not made from the message's id"), nil
	}
	return "its Message-ID is made from the message's id", nil, nil
}

// receipt reads one receipt, and compares it with the message and the timeline.
func (x *examination) receipt(all []told, r *receiptRecord, raw []byte) (_ []told, good string, wrong error) {
	b, err := beskedfordeler.Decode(raw)
	form := formBeskedfordeler
	if err != nil {
		form = formOther
	}
	switch {
	case form != r.Form:
		return all, "", errors.New("the timeline says that it is of another form")
	case form == formOther:
		return all, "it is as it was received; it is not of Beskedfordeler, so nothing in it is compared", nil
	case !belongs(b, &x.t.Message):
		return all, "", errors.New("it is about another message: none of its three identities is this one's")
	case b.ID != r.ID:
		return all, "", errors.New("its BeskedId is not the one in the timeline")
	}
	t := newTold(r.File, b)
	if !t.at.Equal(r.OccurredAt.time()) || b.Status != nil && b.Status.TransaktionsStatusKode != r.Status {
		return all, "", errors.New("the timeline says something else of it than it does itself")
	}
	return append(all, t), "it belongs to the message, and the timeline says of it what it does", nil
}

// contains looks for a text in a stream.
func contains(ctx context.Context, r io.Reader, text string) (bool, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	var window []byte
	piece := make([]byte, 32<<10)
	for ctx.Err() == nil {
		n, err := in.Read(piece)
		window = append(window, piece[:n]...)
		if bytes.Contains(window, []byte(text)) {
			return true, nil
		}
		window = append(window[:0], window[max(0, len(window)-len(text)):]...)
		if errors.Is(err, io.EOF) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("read: %w", err)
		}
	}
	return false, context.Cause(ctx)
}
