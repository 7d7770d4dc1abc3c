package sim_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/brevdue/brevdue/cmd/brevdue/config"
	"github.com/brevdue/brevdue/cmd/brevdue/sim"
	"github.com/brevdue/brevdue/gateway/routing"
	"github.com/brevdue/brevdue/sf1606"
)

// TestExamples holds the files that the simulator writes to what serve takes, and that a second start keeps them.
func TestExamples(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	start(t, dir, func(string) {})
	cfg, err := config.Load(filepath.Join(dir, sim.ConfigFile), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := cfg.SF1606; s.Listen != "127.0.0.1:8444" || s.Path != sf1606.DefaultPath || s.RoutesFile != filepath.Join(dir, sim.RoutesFile) {
		t.Errorf("%+v", s)
	}
	rules, err := routing.Load(filepath.Join(dir, sim.RoutesFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range rules.Targets() {
		if info, err := os.Stat(target.Folder); err != nil || !info.IsDir() {
			t.Errorf("folder of %s: %v", target.Name, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, sim.RoutesFile), []byte("# changed\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, dir, func(admin string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, admin+"/inbound", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _ = res.Body.Close(); res.StatusCode != http.StatusOK {
			t.Errorf("GET /inbound: %s", res.Status)
		}
		http.DefaultClient.CloseIdleConnections()
	})
	if text, err := os.ReadFile(filepath.Join(dir, sim.RoutesFile)); err != nil || string(text) != "# changed\n" {
		t.Errorf("the rules were written over: %q, %v", text, err)
	}
}

func TestPostModtagMustBeHTTPS(t *testing.T) {
	t.Parallel()
	err := sim.Run(t.Context(), io.Discard, sim.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", PostModtag: "http://127.0.0.1/"})
	if err == nil || !strings.Contains(err.Error(), "--postmodtag") {
		t.Errorf("%v", err)
	}
}

// start runs the simulator until use returns; use gets the address of the admin port.
func start(t *testing.T, dir string, use func(admin string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := sim.Run(ctx, write, sim.Options{
			Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Dir: dir, PostModtag: "https://127.0.0.1:8444" + sf1606.DefaultPath,
		})
		ended <- errors.Join(err, write.Close())
	}()
	admin := ""
	for lines := bufio.NewScanner(read); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if words[0] == "admin" {
			admin = strings.TrimSuffix(words[1], "/stats")
		}
		if words[0] == "gateway" { // the last line
			break
		}
	}
	go func() { _, _ = io.Copy(io.Discard, read) }()
	use(admin)
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
