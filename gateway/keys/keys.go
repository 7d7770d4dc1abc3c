package keys

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/brevdue/brevdue/gateway"
)

// How often the file is looked at, and how long keys may be used for sealing without that.
const (
	look  = time.Second
	lease = 10 * time.Second
)

// Grace is how long a key must have been out of use before it can be destroyed.
const Grace = time.Minute

// Config says where the keys are.
type Config struct {
	// File is the keyset file. Required.
	File string
	// MasterFile holds the master key that seals the secrets of File: 32 bytes as 64 hexadecimal digits. "": File's secrets are
	// not sealed.
	MasterFile string
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// The errors that a caller can tell apart.
var (
	// ErrNoFile says that there is no keyset file.
	ErrNoFile = errors.New("keys: there is no keyset file")
	// ErrExists says that there is one, which is never overwritten.
	ErrExists = errors.New("keys: the keyset file is there already")
	// ErrMaster says that the master key is not the file's.
	ErrMaster = errors.New("keys: the master key is not that of the keyset file")
	// ErrBusy says that somebody else changes the file, or was cut short.
	ErrBusy = errors.New("keys: somebody else changes the keyset file")
	// ErrInUse says that a key cannot be destroyed (yet).
	ErrInUse = errors.New("keys: the key is in use")
	// ErrUnknown says that there is no key of that id.
	ErrUnknown = errors.New("keys: there is no such key")
)

// Keys is the keyset of a gateway. It is safe for concurrent use, and follows the file when another process changes it.
type Keys struct {
	cfg Config

	ring    atomic.Pointer[ring]
	looked  atomic.Int64 // time of the last look that succeeded, in nanoseconds
	looking sync.Mutex
}

var _ gateway.StreamSealer = (*Keys)(nil)

// ring is the file at one moment.
type ring struct {
	info    os.FileInfo
	master  string // id of the master key; "": none
	primary *key
	keys    []*key // as in the file, the oldest first
	byID    map[string]*key
}

// Info is what may be told of a key.
type Info struct {
	ID      string
	Primary bool // it seals; the others only open
	Created time.Time
	Retired time.Time // when another took its place; zero: it is the primary
}

// Create makes the keyset file, with one key, and its folder (mode 0700). ErrExists.
func Create(cfg Config) (*Keys, error) {
	cfg = cfg.withDefaults()
	m, err := readMaster(cfg.MasterFile)
	if err != nil {
		return nil, err
	}
	first, err := newKey(cfg.Now())
	if err != nil {
		return nil, err
	}
	f := file{Format: format, Warning: warning, Primary: first.id}
	if err := f.add(first, m); err != nil {
		return nil, err
	}
	if err := f.create(cfg.File); err != nil {
		return nil, err
	}
	return Open(cfg)
}

// Open reads the keyset file. ErrNoFile, ErrMaster. A file that others than its owner can read is refused.
func Open(cfg Config) (*Keys, error) {
	k := &Keys{cfg: cfg.withDefaults()}
	if err := k.reload(); err != nil {
		return nil, err
	}
	return k, nil
}

func (c Config) withDefaults() Config {
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// List tells of every key, the oldest first.
func (k *Keys) List() []Info {
	r := k.ring.Load()
	out := make([]Info, len(r.keys))
	for n, key := range r.keys {
		out[n] = Info{ID: key.id, Primary: key == r.primary, Created: key.created, Retired: key.retired}
	}
	return out
}

// Master is the id of the master key that seals the file's secrets, "" when none does.
func (k *Keys) Master() string { return k.ring.Load().master }

// Rotate adds a key that seals from now on, and returns its id. ErrBusy.
func (k *Keys) Rotate() (string, error) {
	now := k.cfg.Now().UTC()
	next, err := newKey(now)
	if err != nil {
		return "", err
	}
	return next.id, k.change(func(f *file, m *master) error {
		if f.find(next.id) >= 0 {
			return fmt.Errorf("%w: two keys would have the id %s; try again", ErrBusy, next.id)
		}
		if n := f.find(f.Primary); n >= 0 {
			f.Keys[n].Retired = now
		}
		f.Primary = next.id
		return f.add(next, m)
	})
}

// Destroy takes a key out of the file. What is sealed under it is lost from then on: the caller has made certain that there is
// nothing, looking after Idle had returned nil. ErrUnknown; ErrInUse as Idle.
func (k *Keys) Destroy(id string) error {
	return k.change(func(f *file, _ *master) error {
		n := f.find(id)
		if n < 0 {
			return fmt.Errorf("%w: %s", ErrUnknown, id)
		}
		if err := k.idle(id, f.Primary == id, f.Keys[n].Retired); err != nil {
			return err
		}
		f.Keys = slices.Delete(f.Keys, n, n+1)
		return nil
	})
}

// Idle reports whether nobody can seal under a key any more: nil, or why not. ErrUnknown; ErrInUse for the primary, and
// before Grace has passed since it was. What was sealed before may still need it.
func (k *Keys) Idle(id string) error {
	r := k.ring.Load()
	key := r.byID[id]
	if key == nil {
		return fmt.Errorf("%w: %s", ErrUnknown, id)
	}
	return k.idle(id, key == r.primary, key.retired)
}

func (k *Keys) idle(id string, primary bool, retired time.Time) error {
	switch free := retired.Add(Grace); {
	case primary:
		return fmt.Errorf("%w: %s seals; rotate first", ErrInUse, id)
	case k.cfg.Now().Before(free):
		return fmt.Errorf("%w: %s sealed until a moment ago, and processes may not know yet; it can go after %s", ErrInUse, id,
			free.UTC().Format("15:04:05 UTC"))
	}
	return nil
}

// change rewrites the file, and follows it.
func (k *Keys) change(edit func(f *file, m *master) error) error {
	m, err := readMaster(k.cfg.MasterFile)
	if err != nil {
		return err
	}
	err = replace(k.cfg.File, func(f *file) error {
		if _, err := f.open(m); err != nil { // a wrong master must not get a key in
			return err
		}
		return edit(f, m)
	})
	if err != nil {
		return err
	}
	k.looking.Lock()
	defer k.looking.Unlock()
	return k.reload()
}

// reload reads the file. k.looking is held, or k is new.
func (k *Keys) reload() error {
	m, err := readMaster(k.cfg.MasterFile)
	if err != nil {
		return err
	}
	at := k.cfg.Now()
	f, info, err := read(k.cfg.File)
	if err != nil {
		return err
	}
	r, err := f.open(m)
	if err != nil {
		return err
	}
	r.info = info
	k.ring.Store(r)
	k.looked.Store(at.UnixNano())
	return nil
}

// fresh reports whether the file was looked at less than so long ago. A clock that was set back makes every look an old one.
func (k *Keys) fresh(d time.Duration) bool {
	age := time.Duration(k.cfg.Now().UnixNano() - k.looked.Load())
	return age >= 0 && age < d
}

// follow looks whether the file has changed, when that was not done for a second. One goroutine looks, the others go on.
func (k *Keys) follow() {
	if k.fresh(look) || !k.looking.TryLock() {
		return
	}
	defer k.looking.Unlock()
	_ = k.refresh() // sealing fails when this goes on failing
}

// refresh reads the file when it is another than the one in memory. k.looking is held.
func (k *Keys) refresh() error {
	at := k.cfg.Now()
	info, err := os.Stat(k.cfg.File)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	was := k.ring.Load().info
	if !os.SameFile(info, was) || info.Size() != was.Size() || !info.ModTime().Equal(was.ModTime()) {
		return k.reload()
	}
	k.looked.Store(at.UnixNano())
	return nil
}

// sealing is the ring when it may be sealed with.
func (k *Keys) sealing() (*ring, error) {
	k.follow()
	if k.fresh(lease) {
		return k.ring.Load(), nil
	}
	k.looking.Lock()
	defer k.looking.Unlock()
	if err := k.refresh(); err != nil {
		return nil, fmt.Errorf("%w: nothing is sealed while the keyset file cannot be looked at: %w", gateway.ErrUnavailable, err)
	}
	return k.ring.Load(), nil
}

// find returns the key of an id. One that is not here may have come to the file just now. ErrSealed.
func (k *Keys) find(id string) (*key, error) {
	k.follow()
	if key := k.ring.Load().byID[id]; key != nil {
		return key, nil
	}
	k.looking.Lock()
	err := k.refresh()
	k.looking.Unlock()
	if key := k.ring.Load().byID[id]; key != nil {
		return key, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not here, and the keyset file cannot be read: %w", gateway.ErrNoKey, id, err)
	}
	return nil, fmt.Errorf("%w: %s is not in the keyset file", gateway.ErrNoKey, id)
}

// Current implements gateway.Sealer.
func (k *Keys) Current() (string, error) {
	r, err := k.sealing()
	if err != nil {
		return "", err
	}
	return r.primary.id, nil
}

// idBytes are an id as it stands before what is sealed.
func idBytes(id string) [4]byte {
	var out [4]byte
	_, _ = hex.Decode(out[:], []byte(id)) // ids are made here, or checked with the file
	return out
}
