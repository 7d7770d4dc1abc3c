package targettest

import (
	"context"
	cryptorand "crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway"
	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/sf1601/memo"
)

// What the message of a [Parcel] says and no outcome may repeat.
const (
	CPR     = "2512489996"
	Name    = "Nancy Ann Berggren"
	Subject = "Spørgsmål om min sag"
	CaseID  = "sag-2026-0417"
)

// Base is where the documents of a [Parcel] can be fetched.
const Base = "https://gateway.testby.example/v1/inbound/"

// Parcel is a message from a citizen that answers one of ours, with documents of these sizes. Its files lie on the disk, as
// those of the document store do.
func Parcel(t testing.TB, sizes ...int64) *inbound.Parcel {
	t.Helper()
	dir := t.TempDir()
	post := &gateway.Post{
		ID: "inb_" + newUUID(), MessageUUID: newUUID(), MessageID: "MSG-1", Source: gateway.PostPushed,
		ReceivedAt: time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC), State: gateway.PostQueued, Flags: []string{"pdf.javascript"},
		Answers: &gateway.Correlation{
			Producer: "huskeservice", IntentID: "int_1", Reference: "ref-1", MessageID: "msg_1", CaseID: CaseID,
		},
	}
	m := &memo.Message{
		Version: memo.V1_1,
		Header: memo.MessageHeader{
			MessageType: memo.DigitalPost, MessageUUID: post.MessageUUID, MessageID: post.MessageID, Label: Subject,
			Sender: memo.Sender{SenderID: CPR, IDType: memo.CPR, Label: Name},
			Recipient: memo.Recipient{
				RecipientID: "55133018", IDType: memo.CVR, Label: "Testby Kommune",
				ContactPoint: &memo.ContactPoint{ContactPointID: "241d39f6-998e-4929-b198-ccacbbf4b330", Label: "Jobcenter"},
			},
			ContentData: &memo.ContentData{
				CaseID:  &memo.CaseID{CaseID: CaseID, CaseSystem: "ESDH"},
				KLEdata: &memo.KLEdata{SubjectKey: "27.00.00", Version: "1", Label: "Social service"},
			},
			ReplyData: []memo.ReplyData{{
				MessageUUID: newUUID(), CaseID: CaseID,
				AdditionalReplyData: []memo.AdditionalReplyData{{Label: "sag", Value: "417"}},
			}},
		},
		Body: &memo.MessageBody{CreatedDateTime: post.ReceivedAt.Add(-time.Hour)},
	}
	for n, size := range sizes {
		content := random{path: filepath.Join(dir, "document"+strconv.Itoa(n)), size: size}
		file := store(t, content.path, content.write)
		post.Documents = append(post.Documents, gateway.PostDocument{
			StoredFile: file, Kind: "main", Filename: fmt.Sprintf("æøå %d.bin", n), SafeName: fmt.Sprintf("æøå %d.bin", n),
			DeclaredType: "application/octet-stream", RealType: "application/octet-stream", Language: "da",
		})
		m.Body.MainDocument.Files = append(m.Body.MainDocument.Files, memo.File{
			EncodingFormat: "application/octet-stream", Filename: fmt.Sprintf("æøå %d.bin", n), Language: "da", Content: content,
		})
	}
	path := filepath.Join(dir, "memo.xml")
	post.Memo = store(t, path, func(w io.Writer) error {
		doc, err := m.Document()
		if err != nil {
			return err
		}
		r := doc.Open(t.Context())
		defer func() { _ = r.Close() }()
		_, err = io.Copy(w, r)
		return err
	})
	facts, err := json.Marshal(routing.FactsOf(m, routing.Correlation{Ours: true, Producer: "huskeservice"})) //nolint:musttag // as inbound
	if err != nil {
		t.Fatal(err)
	}
	post.Facts = facts
	return &inbound.Parcel{
		Post: post, Receipt: []byte(`{"receiptStatus":"COMPLETED"}`),
		Memo: func(context.Context) (io.ReadCloser, error) { return os.Open(path) }, //nolint:gosec // a folder of the test
		Document: func(_ context.Context, n int) (io.ReadCloser, error) {
			return os.Open(filepath.Join(dir, "document"+strconv.Itoa(n))) //nolint:gosec // as memo
		},
		DocumentURL: func(n int) string { return Base + post.ID + "/documents/" + strconv.Itoa(n) },
	}
}

// newUUID is a random UUID, version 4.
func newUUID() string {
	var b [16]byte
	_, _ = cryptorand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	s := hex.EncodeToString(b[:])
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

func store(t testing.TB, path string, write func(io.Writer) error) gateway.StoredFile {
	t.Helper()
	file, err := os.Create(path) //nolint:gosec // a folder of the test
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	counted := &counter{}
	if err := write(io.MultiWriter(file, h, counted)); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return gateway.StoredFile{SHA256: hex.EncodeToString(h.Sum(nil)), Size: counted.n}
}

type counter struct{ n int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return len(p), nil
}

// random is a document of bytes that nothing can compress; it is a memo content, too.
type random struct {
	path string
	size int64
}

func (r random) write(w io.Writer) error {
	source := rand.NewChaCha8([32]byte{1})
	_, err := io.CopyN(w, source, r.size)
	return err
}

// Size implements xmlstream.Content.
func (r random) Size() int64 { return r.size }

// Open implements xmlstream.Content.
func (r random) Open(context.Context) (io.ReadCloser, error) { return os.Open(r.path) }
