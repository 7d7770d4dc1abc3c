package keys

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// format is the form of the file; another program may need another.
const format = "brevdue-keyset-1"

// maxFile bounds a keyset file: some thousand keys.
const maxFile = 4 << 20

// warning stands in the file, for whoever finds it.
const warning = "Whoever loses this file has lost every letter, address and document that was sealed with it. Keep a copy, apart from " +
	"every backup of the data."

// file is the keyset file.
type file struct {
	Format  string  `json:"format"`
	Warning string  `json:"warning"`
	Master  string  `json:"master,omitempty"` // id of the master key that seals the secrets
	Primary string  `json:"primary"`
	Keys    []entry `json:"keys"` // the oldest first
}

// entry is a key of the file.
type entry struct {
	ID        string          `json:"id"`
	Created   time.Time       `json:"created"`
	Retired   time.Time       `json:"retired,omitzero"`
	Fields    json.RawMessage `json:"fields"` // tink keysets, or encrypted ones
	Documents json.RawMessage `json:"documents"`
	Hashes    json.RawMessage `json:"hashes"`
}

func (f *file) find(id string) int {
	for n := range f.Keys {
		if f.Keys[n].ID == id {
			return n
		}
	}
	return -1
}

// add puts a key at the end.
func (f *file) add(k *key, m *master) error {
	e := entry{ID: k.id, Created: k.created, Retired: k.retired}
	for purpose, to := range [purposes]*json.RawMessage{&e.Fields, &e.Documents, &e.Hashes} {
		secret, err := k.secret(purpose, m)
		if err != nil {
			return err
		}
		*to = secret
	}
	f.Keys = append(f.Keys, e)
	f.Master = m.id()
	return nil
}

// open makes the keys of the file usable.
func (f *file) open(m *master) (*ring, error) {
	switch {
	case f.Format != format:
		return nil, fmt.Errorf("keys: the keyset file is not of the form %s", format)
	case f.Master != m.id() && f.Master == "":
		return nil, fmt.Errorf("%w: the file is not sealed, and a master key is configured", ErrMaster)
	case f.Master != m.id() && m == nil:
		return nil, fmt.Errorf("%w: the file is sealed by the master key %s, and none is configured", ErrMaster, f.Master)
	case f.Master != m.id():
		return nil, fmt.Errorf("%w: the file is sealed by %s, the one configured is %s", ErrMaster, f.Master, m.id())
	}
	r := &ring{master: f.Master, byID: make(map[string]*key, len(f.Keys))}
	for n := range f.Keys {
		k, err := f.Keys[n].open(m)
		if err != nil {
			return nil, err
		}
		if r.byID[k.id] != nil {
			return nil, fmt.Errorf("keys: the keyset file has two keys %s", k.id)
		}
		r.keys, r.byID[k.id] = append(r.keys, k), k
	}
	if r.primary = r.byID[f.Primary]; r.primary == nil || r.keys[len(r.keys)-1] != r.primary {
		return nil, errors.New("keys: the primary key of the keyset file is not its last")
	}
	return r, nil
}

func (e *entry) open(m *master) (*key, error) {
	if len(e.ID) != 8 || strings.Trim(e.ID, "0123456789abcdef") != "" {
		return nil, errors.New("keys: a key of the keyset file has no id of eight hexadecimal digits")
	}
	k := &key{id: e.ID, created: e.Created, retired: e.Retired}
	for purpose, secret := range [purposes]json.RawMessage{e.Fields, e.Documents, e.Hashes} {
		if err := k.take(purpose, secret, m); err != nil {
			return nil, err
		}
	}
	return k, k.ready()
}

// read reads the file, which nobody but its owner may read or change.
func read(path string) (*file, os.FileInfo, error) {
	r, err := os.Open(path) //nolint:gosec // the operator's own setting
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, fmt.Errorf("%w: %s", ErrNoFile, path)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("keys: %w", err)
	}
	defer func() { _ = r.Close() }()
	info, err := r.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("keys: %w", err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" {
		return nil, nil, fmt.Errorf("keys: %s can be read or changed by others (mode %04o); set it to 0600", path, info.Mode().Perm())
	}
	content, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, nil, fmt.Errorf("keys: %w", err)
	}
	f, err := parse(content)
	if err != nil {
		return nil, nil, fmt.Errorf("keys: %s: %w", path, err)
	}
	return f, info, nil
}

// parse reads the content of a keyset file. Its errors quote nothing of it.
func parse(content []byte) (*file, error) {
	if len(content) > maxFile {
		return nil, errors.New("it is too large")
	}
	f := new(file)
	d := json.NewDecoder(bytes.NewReader(content))
	d.DisallowUnknownFields()
	if d.Decode(f) != nil || d.More() {
		return nil, errors.New("it is not a keyset file, or it is damaged")
	}
	return f, nil
}

// create writes the file where there is none.
func (f *file) create(path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%w: %s", ErrExists, path)
	}
	next, err := f.write(path)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(next) }()
	if err := os.Link(next, path); errors.Is(err, fs.ErrExist) { // in one step, and never over another
		return fmt.Errorf("%w: %s", ErrExists, path)
	} else if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return syncFolder(dir)
}

// replace edits the file in one step: whoever reads it meanwhile reads the old one or the new one.
func replace(path string, edit func(f *file) error) error {
	next := nextOf(path)
	w, err := lock(next)
	if err != nil {
		return err
	}
	err = rewrite(path, w, edit)
	if errClose := w.Close(); err == nil && errClose != nil {
		err = fmt.Errorf("keys: %w", errClose)
	}
	if err == nil {
		if err = os.Rename(next, path); err == nil { // from here on another may make the next one: it is not ours to remove
			return syncFolder(filepath.Dir(path))
		}
		err = fmt.Errorf("keys: %w", err)
	}
	_ = os.Remove(next)
	return err
}

// rewrite writes the edited content of the file at path to w. Nobody else changes the file meanwhile.
func rewrite(path string, w *os.File, edit func(f *file) error) error {
	f, _, err := read(path)
	if err != nil {
		return err
	}
	if err := edit(f); err != nil {
		return err
	}
	return f.fill(w)
}

// nextOf is where the next content of the file is written. Only one can make it.
func nextOf(path string) string { return path + ".new" }

func lock(next string) (*os.File, error) {
	w, err := os.OpenFile(next, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // beside the operator's own setting
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w; if nobody does, remove what was cut short: %s", ErrBusy, next)
	}
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	return w, nil
}

// write writes the content into the next file and returns its name.
func (f *file) write(path string) (string, error) {
	next := nextOf(path)
	w, err := lock(next)
	if err != nil {
		return "", err
	}
	err = f.fill(w)
	if errClose := w.Close(); err == nil && errClose != nil {
		err = fmt.Errorf("keys: %w", errClose)
	}
	if err != nil {
		_ = os.Remove(next)
		return "", err
	}
	return next, nil
}

// fill writes the content durably.
func (f *file) fill(w *os.File) error {
	content, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	if _, err := w.Write(append(content, '\n')); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	if err := w.Sync(); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}

// syncFolder flushes the names in a folder.
func syncFolder(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the folder of the operator's own setting
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return nil
}
