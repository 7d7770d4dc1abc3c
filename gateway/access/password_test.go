package access_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/brevdue/brevdue/gateway/access"
)

func TestPasswords(t *testing.T) {
	t.Parallel()
	const word = "en lang sætning om ingenting"
	hash, err := access.HashPassword(word)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := access.HashPassword(word); again == hash || strings.Contains(hash, "lang") {
		t.Error("the hash has no salt")
	}
	sum := sha256.Sum256([]byte("8f2b1c"))
	k := newClock()
	p, err := access.NewPasswords([]access.StaticOperator{
		{Name: "vagt", Hash: hash, Roles: []access.Role{access.OperatorRole}},
		{Name: "demo", Hash: hex.EncodeToString(sum[:]), Roles: []access.Role{access.Reader}},
	}, k.now)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		name, password string
		want           access.Reason
	}{
		"right": {"vagt", word, ""}, "random": {"demo", "8f2b1c", ""}, "wrong": {"vagt", word + "x", access.WrongPassword},
		"another's": {"vagt", "8f2b1c", access.WrongPassword}, "nobody": {"", "", access.WrongPassword}, "unknown": {"x", word, access.WrongPassword},
		"long": {"vagt", strings.Repeat("x", access.MaxPassword+1), access.WrongPassword}, "the hash": {"vagt", hash, access.WrongPassword},
	} {
		o, err := p.Login(t.Context(), c.name, c.password)
		if access.ReasonOf(err) != c.want || (o == nil) == (err == nil) || (o != nil && o.Name != c.name) {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
}

// TestTriesAreCounted: of a name, whether there is such a person or not; time gives new ones.
func TestTriesAreCounted(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("right"))
	k := newClock()
	p, err := access.NewPasswords([]access.StaticOperator{{Name: "vagt", Hash: hex.EncodeToString(sum[:])}}, k.now)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"vagt", "nobody"} {
		for n := range 10 {
			if _, err := p.Login(t.Context(), name, "wrong"); access.ReasonOf(err) != access.WrongPassword {
				t.Fatalf("%s, try %d: %v", name, n, err)
			}
		}
		if _, err := p.Login(t.Context(), name, "right"); access.ReasonOf(err) != access.TooManyTries {
			t.Errorf("%s: %v", name, err)
		}
	}
	k.add(30 * time.Second)
	if _, err := p.Login(t.Context(), "vagt", "right"); err != nil {
		t.Error(err)
	}
	for range 10 {
		if _, err := p.Login(t.Context(), "vagt", "right"); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 5000 { // somebody tries names
		_, _ = p.Login(t.Context(), strings.Repeat("x", n+1), "wrong")
	}
	k.add(time.Hour)
	if _, err := p.Login(t.Context(), "vagt", "right"); err != nil {
		t.Errorf("an hour after somebody tried names: %v", err)
	}
}

func TestHashesAreChecked(t *testing.T) {
	t.Parallel()
	good, err := access.HashPassword("tolv tegn eller flere")
	if err != nil || access.CheckHash(good) != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, "$")
	for _, bad := range []string{
		"", "password", "abcd", parts[0], parts[0] + "$1$" + parts[2] + "$" + parts[3], parts[0] + "$999999999$" + parts[2] + "$" + parts[3],
		parts[0] + "$600000$$" + parts[3], good + "$", good[:len(good)-4],
	} {
		if access.CheckHash(bad) == nil {
			t.Errorf("%q: accepted", bad)
		}
	}
	for _, bad := range []string{"", "kort", strings.Repeat("x", 2000)} {
		if _, err := access.HashPassword(bad); err == nil {
			t.Errorf("a password of %d bytes: accepted", len(bad))
		}
	}
	for name, list := range map[string][]access.StaticOperator{
		"no name": {{Hash: good}}, "twice": {{Name: "a", Hash: good}, {Name: "a", Hash: good}}, "no hash": {{Name: "a"}},
		"role": {{Name: "a", Hash: good, Roles: []access.Role{"root"}}},
	} {
		if _, err := access.NewPasswords(list, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
