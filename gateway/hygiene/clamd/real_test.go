package clamd_test

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/gateway/hygiene/clamd"
)

// eicar is the harmless text that virus scanners agree to find. It is put together here so that no scanner finds this file.
func eicar() string {
	return `X5O!P%@AP[4\PZX54(P^)7CC)7}$` + "EICAR-STANDARD-" + `ANTIVIRUS-TEST-FILE!$H+H*`
}

// TestRealDaemon runs a ClamAV daemon of its own, with one signature and no network.
func TestRealDaemon(t *testing.T) {
	t.Parallel()
	c := startDaemon(t)
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	v, err := c.Version(t.Context())
	if err != nil || !strings.HasPrefix(v.Program, "ClamAV ") {
		t.Fatalf("version %+v, %v", v, err)
	}
	t.Logf("%+v", v)
	t.Run("clean", func(t *testing.T) {
		t.Parallel()
		r, err := c.Scan(t.Context(), strings.NewReader("Kære borger, vi ses på mandag."))
		if err != nil || r.Infected || r.Size != 32 {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("infected", func(t *testing.T) {
		t.Parallel()
		r, err := c.Scan(t.Context(), strings.NewReader(eicar()))
		if err != nil || !r.Infected || !strings.HasPrefix(r.Signature, "Test.Eicar") {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("large", func(t *testing.T) {
		t.Parallel()
		r, err := c.Scan(t.Context(), io.LimitReader(zeros{}, 900_000))
		if err != nil || r.Infected || r.Size != 900_000 {
			t.Errorf("%+v, %v", r, err)
		}
	})
	t.Run("too large", func(t *testing.T) {
		t.Parallel()
		if r, err := c.Scan(t.Context(), io.LimitReader(zeros{}, 99_500_000)); !errors.Is(err, clamd.ErrTooLarge) {
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// startDaemon starts clamd in a folder of its own and waits until it says that it listens.
func startDaemon(t *testing.T) *clamd.Client {
	t.Helper()
	program, err := exec.LookPath("clamd")
	if err != nil {
		if _, inSbin := os.Stat("/usr/sbin/clamd"); inSbin == nil {
			program, err = "/usr/sbin/clamd", nil
		}
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("clamd is missing; .ci/provision installs it")
		}
		t.Skip("SKIPPED: clamd is missing, the client was not tried against ClamAV (Debian: apt-get install clamav-daemon)")
	}
	dir, err := os.MkdirTemp("", "clamd") //nolint:usetesting // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	database := filepath.Join(dir, "db")
	if err := os.Mkdir(database, 0o750); err != nil {
		t.Fatal(err)
	}
	sum := md5.Sum([]byte(eicar()))
	signature := fmt.Sprintf("%s:%d:Test.Eicar\n", hex.EncodeToString(sum[:]), len(eicar()))
	socket := filepath.Join(dir, "ctl")
	settings := strings.Join([]string{
		"DatabaseDirectory " + database, "LocalSocket " + socket, "Foreground yes", "StreamMaxLength 1M", "LogVerbose yes",
		"TemporaryDirectory " + dir, "MaxThreads 4", "SelfCheck 0", "User " + userName(),
	}, "\n") + "\n"
	for name, text := range map[string]string{"db/test.hdb": signature, "clamd.conf": settings} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), program, "--config-file="+filepath.Join(dir, "clamd.conf"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	listening, ended := make(chan struct{}), make(chan struct{})
	var log strings.Builder
	go func() {
		defer close(ended)
		told := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			log.WriteString(lines.Text() + "\n")
			if !told && strings.Contains(lines.Text(), "Self checking") {
				told = true
				close(listening)
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
	})
	select {
	case <-listening:
	case <-ended:
		t.Fatalf("clamd ended:\n%s", log.String())
	}
	c, err := clamd.New(clamd.Config{Address: "unix:" + socket})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// userName is who runs the tests: as root the daemon would otherwise become somebody who cannot write to the folder.
func userName() string {
	if os.Geteuid() == 0 {
		return "root"
	}
	out, err := exec.Command("id", "-un").Output() //nolint:noctx // it answers at once
	if err != nil {
		return "nobody"
	}
	return strings.TrimSpace(string(out))
}
