package access

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// StaticOperator is a person who logs in with a password.
type StaticOperator struct {
	Name  string
	Hash  string // of HashPassword; or the SHA-256 of the password in hex, which is enough only for a random one
	Roles []Role
}

// Costs of a password's hash: what OWASP recommends for PBKDF2 with HMAC-SHA256. [src: OWASP-PASSWORDS PBKDF2]
const (
	rounds   = 600_000
	minRound = 100_000
	maxRound = 10_000_000
	saltSize = 16
)

const hashPrefix = "pbkdf2-sha256$"

// MinPassword and MaxPassword are how long a password is, in bytes.
const (
	MinPassword = 12
	MaxPassword = 1024
)

// HashPassword makes the value of StaticOperator.Hash.
func HashPassword(password string) (string, error) {
	if len(password) < MinPassword || len(password) > MaxPassword {
		return "", fmt.Errorf("access: a password has %d to %d bytes", MinPassword, MaxPassword)
	}
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails
	sum, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("access: %w", err)
	}
	b64 := base64.RawStdEncoding
	return hashPrefix + strconv.Itoa(rounds) + "$" + b64.EncodeToString(salt) + "$" + b64.EncodeToString(sum), nil
}

// secret is a parsed hash.
type secret struct {
	rounds    int // 0: plain SHA-256
	salt, sum []byte
}

// errHash is about a value of the configuration.
var errHash = errors.New("access: not a hash of a password")

// CheckHash reports whether a value of StaticOperator.Hash can be read.
func CheckHash(hash string) error {
	_, err := parseHash(hash)
	return err
}

func parseHash(hash string) (*secret, error) {
	rest, stretched := strings.CutPrefix(hash, hashPrefix)
	if !stretched {
		sum, err := hex.DecodeString(hash)
		if err != nil || len(sum) != sha256.Size {
			return nil, errHash
		}
		return &secret{sum: sum}, nil
	}
	parts := strings.Split(rest, "$")
	if len(parts) != 3 {
		return nil, errHash
	}
	n, err := strconv.Atoi(parts[0])
	salt, errSalt := base64.RawStdEncoding.DecodeString(parts[1])
	sum, errSum := base64.RawStdEncoding.DecodeString(parts[2])
	if errors.Join(err, errSalt, errSum) != nil || n < minRound || n > maxRound || len(salt) < saltSize || len(sum) != sha256.Size {
		return nil, errHash
	}
	return &secret{n, salt, sum}, nil
}

func (s *secret) is(password string) bool {
	if s.rounds == 0 {
		sum := sha256.Sum256([]byte(password))
		return subtle.ConstantTimeCompare(sum[:], s.sum) == 1
	}
	sum, err := pbkdf2.Key(sha256.New, password, s.salt, s.rounds, sha256.Size)
	return err == nil && subtle.ConstantTimeCompare(sum, s.sum) == 1
}

// Limits of trying.
const (
	tries      = 10               // that a name has at once
	tryEvery   = 30 * time.Second // and one more after that time
	maxAtOnce  = 2                // hashes that are computed at a time: they take a whole core
	maxTracked = 4096             // names whose tries are counted, made-up ones too
)

// Passwords are the operators who log in with one. It is safe for concurrent use.
type Passwords struct {
	list   []StaticOperator
	known  []*secret
	turns  chan struct{}
	now    func() time.Time
	nobody *secret // what is computed for a name that is none

	mu    sync.Mutex
	spent map[string]spentTries
}

type spentTries struct {
	left float64
	at   time.Time
}

// NewPasswords checks the list; now nil: time.Now.
func NewPasswords(list []StaticOperator, now func() time.Time) (*Passwords, error) {
	p := &Passwords{list: list, turns: make(chan struct{}, maxAtOnce), now: now, spent: make(map[string]spentTries)}
	if now == nil {
		p.now = time.Now
	}
	names := make(map[string]bool)
	for n, o := range list {
		if o.Name == "" || names[o.Name] {
			return nil, fmt.Errorf("operator %d: the name %q is empty or taken", n, o.Name)
		}
		names[o.Name] = true
		for _, role := range o.Roles {
			if !slices.Contains(Roles(), role) {
				return nil, fmt.Errorf("operator %q: there is no role %q", o.Name, role)
			}
		}
		s, err := parseHash(o.Hash)
		if err != nil {
			return nil, fmt.Errorf("operator %q: %w", o.Name, err)
		}
		p.known = append(p.known, s)
		if p.nobody == nil || s.rounds > p.nobody.rounds {
			p.nobody = &secret{s.rounds, make([]byte, saltSize), make([]byte, sha256.Size)}
		}
	}
	return p, nil
}

// Any reports whether anybody can log in this way.
func (p *Passwords) Any() bool { return len(p.list) > 0 }

// Login finds the operator with a name and a password. A name that is none takes as long as one that is.
//
// The error is a *Refusal, or ErrUnavailable when ctx ended while it waited for its turn.
func (p *Passwords) Login(ctx context.Context, name, password string) (*Operator, error) {
	if !p.Any() || len(password) > MaxPassword {
		return nil, refuse(WrongPassword)
	}
	if !p.try(name) {
		return nil, refuse(TooManyTries)
	}
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	at := slices.IndexFunc(p.list, func(o StaticOperator) bool { return o.Name == name })
	if at < 0 {
		p.nobody.is(password)
		return nil, refuse(WrongPassword)
	}
	if !p.known[at].is(password) {
		return nil, refuse(WrongPassword)
	}
	p.forgive(name)
	return &Operator{Name: name, Roles: p.list[at].Roles, How: ByPassword}, nil
}

// try takes one of the tries that a name has.
func (p *Passwords) try(name string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	s, counted := p.spent[name]
	if !counted {
		if len(p.spent) >= maxTracked {
			p.forgetOld(now)
		}
		if len(p.spent) >= maxTracked {
			return false // somebody is trying thousands of names
		}
		s = spentTries{tries, now}
	}
	s.left = min(tries, s.left+now.Sub(s.at).Seconds()/tryEvery.Seconds())
	s.at = now
	allowed := s.left >= 1
	if allowed {
		s.left--
	}
	p.spent[name] = s
	return allowed
}

func (p *Passwords) forgetOld(now time.Time) {
	for name, s := range p.spent {
		if now.Sub(s.at) >= tries*tryEvery {
			delete(p.spent, name)
		}
	}
}

func (p *Passwords) forgive(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.spent, name)
}
