package target

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/brevdue/brevdue/gateway/inbound"
	"github.com/brevdue/brevdue/gateway/routing"
)

// The names in the folder of a message.
const (
	fileMemo      = "memo.xml"
	fileReceipt   = "receipt.json"
	filePost      = "post.json"
	dirDocuments  = "documents"
	hidden        = ".brevdue-" // begins the name of a folder that is being written
	leftoverAfter = time.Hour   // no attempt lasts that long
)

// folder writes one folder per message: it is there whole or not at all.
type folder struct {
	dir string
	now func() time.Time

	mu    sync.Mutex
	swept time.Time
}

func newFolder(t routing.Target, o Options) (*folder, error) {
	if t.Folder == "" {
		return nil, errors.New("folder: it is missing")
	}
	if !filepath.IsAbs(t.Folder) {
		return nil, errors.New("folder: it is no absolute path")
	}
	return &folder{dir: t.Folder, now: o.Now}, nil
}

// Deliver implements inbound.Target.
func (f *folder) Deliver(ctx context.Context, p *inbound.Parcel) inbound.Outcome {
	name := strings.ToLower(p.Post.MessageUUID)
	if !isUUID(name) {
		return outcome(codeFolderName, nil)
	}
	f.sweep()
	final := filepath.Join(f.dir, name)
	if o, there := f.there(ctx, final, p); there {
		return o
	}
	temporary, err := os.MkdirTemp(f.dir, hidden+name+"-")
	if err != nil {
		return f.failed(ctx, err)
	}
	defer func() { _ = os.RemoveAll(temporary) }() // after the rename there is nothing to remove
	if err := f.write(ctx, temporary, p); err != nil {
		return f.failed(ctx, err)
	}
	if ctx.Err() != nil {
		return f.failed(ctx, ctx.Err())
	}
	if err := os.Rename(temporary, final); err != nil {
		if o, there := f.there(ctx, final, p); there { // another attempt was faster
			return o
		}
		return f.failed(ctx, err)
	}
	if err := syncFolder(f.dir); err != nil {
		return f.failed(ctx, err) // the next attempt finds it there, and syncs again
	}
	return outcome(codeStored, nil)
}

// there looks whether the folder of the message exists.
func (f *folder) there(ctx context.Context, final string, p *inbound.Parcel) (inbound.Outcome, bool) {
	if _, err := os.Lstat(final); errors.Is(err, fs.ErrNotExist) {
		return inbound.Outcome{}, false
	} else if err != nil {
		return f.failed(ctx, err), true
	}
	file, err := os.Open(filepath.Join(final, fileMemo)) //nolint:gosec // the operator's folder and a UUID
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return outcome(codeFolderBusy, nil), true
	case err != nil:
		return f.failed(ctx, err), true
	}
	defer func() { _ = file.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return f.failed(ctx, err), true
	}
	if hex.EncodeToString(h.Sum(nil)) != p.Post.Memo.SHA256 {
		return outcome(codeFolderOther, nil), true
	}
	if err := syncFolder(f.dir); err != nil {
		return f.failed(ctx, err), true
	}
	return outcome(codeThere, nil), true
}

// write fills the temporary folder, durably.
func (f *folder) write(ctx context.Context, dir string, p *inbound.Parcel) error {
	about, err := json.MarshalIndent(aboutPost(p), "", "  ")
	if err != nil {
		return fmt.Errorf("post.json: %w", err)
	}
	documents := filepath.Join(dir, dirDocuments)
	if err := os.Mkdir(documents, 0o750); err != nil {
		return err
	}
	for n, d := range p.Post.Documents {
		if !isElement(d.SafeName) {
			return &storeError{errors.New("a document has no safe name")}
		}
		if err := writeFile(filepath.Join(documents, d.SafeName), func(w io.Writer) error {
			return documentOf(p, n).copyTo(ctx, w)
		}); err != nil {
			return err
		}
	}
	if err := writeFile(filepath.Join(dir, fileMemo), func(w io.Writer) error { return memoOf(p).copyTo(ctx, w) }); err != nil {
		return err
	}
	for name, content := range map[string][]byte{fileReceipt: p.Receipt, filePost: append(about, '\n')} {
		if err := writeFile(filepath.Join(dir, name), func(w io.Writer) error {
			_, err := w.Write(content)
			return err
		}); err != nil {
			return err
		}
	}
	if err := os.Chmod(dir, 0o750); err != nil { //nolint:gosec // the system that owns the post reads it through its group
		return err
	}
	return errors.Join(syncFolder(documents), syncFolder(dir))
}

// writeFile makes a file that the group may read, durably.
func writeFile(path string, content func(w io.Writer) error) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640) //nolint:gosec // as write
	if err != nil {
		return err
	}
	err = content(file)
	if err == nil {
		err = file.Sync()
	}
	if errClose := file.Close(); err == nil {
		err = errClose
	}
	return err
}

func syncFolder(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // a folder of the target
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	return d.Sync()
}

// sweep removes what attempts left behind that a crash ended. Nothing depends on it.
func (f *folder) sweep() {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if !f.swept.IsZero() && now.Sub(f.swept) < leftoverAfter {
		return
	}
	f.swept = now
	entries, err := filepath.Glob(filepath.Join(escapeGlob(f.dir), hidden+"*"))
	if err != nil {
		return
	}
	for _, path := range entries {
		if info, err := os.Lstat(path); err == nil && info.IsDir() && now.Sub(info.ModTime()) > leftoverAfter {
			_ = os.RemoveAll(path)
		}
	}
}

// escapeGlob makes a pattern that matches only the path itself.
func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// failed finds the word for what the disk said.
func (*folder) failed(ctx context.Context, err error) inbound.Outcome {
	if o, is := early(ctx, err); is {
		return o
	}
	cause := bare("write", err)
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return outcome(codeFull, cause)
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return outcome(codeMissing, cause)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return outcome(codeDenied, cause)
	default:
		return outcome(codeFolderIO, cause)
	}
}

// isUUID tells whether s is a UUID in lower case: then it is no path.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for n, c := range []byte(s) {
		if n == 8 || n == 13 || n == 18 || n == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isElement tells whether a name stays in its folder. Hygiene makes no other; a journal from elsewhere might hold one.
func isElement(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\\\x00")
}
