package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// readonly makes a namespace in which every file system is read-only but the folder $1, and runs $2 and what follows there
// as nobody, without capabilities and unable to gain any.
const readonly = `set -eu
mount --bind "$1" "$1"
data=$1; shift
while read -r _ _ _ _ at _; do
	case "$at" in "$data"|/proc|/proc/*) continue ;; esac
	mount -o remount,bind,ro "$at" 2>/dev/null || true
done </proc/self/mountinfo
if touch /tmp/brevdue-is-writable 2>/dev/null || touch /brevdue-is-writable 2>/dev/null; then
	echo "the root is writable" >&2
	exit 77
fi
exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs "$@"
`

// TestNobodyOnAReadOnlySystem runs a gateway, its far end and sample letters as nobody, on a system where only the folder of
// its data can be written.
func TestNobodyOnAReadOnlySystem(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	unshare, err := exec.LookPath("unshare")
	if err == nil {
		_, err = exec.LookPath("setpriv")
	}
	if err == nil {
		err = exec.CommandContext(ctx, unshare, "--mount", "true").Run()
	}
	if err != nil || os.Geteuid() != 0 {
		t.Skipf("NOT TESTED: this needs root, unshare, setpriv and a kernel that allows mount namespaces (uid %d, %v)", os.Geteuid(), err)
	}
	dir, err := os.MkdirTemp("", "brevdue-nobody-") //nolint:usetesting // nobody cannot reach the folders that tests get
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	data, program := filepath.Join(dir, "data"), filepath.Join(dir, "brevdue")
	content, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		func() error { return os.Chmod(dir, 0o755) },
		func() error { return os.WriteFile(program, content, 0o755) },
		func() error { return os.Mkdir(data, 0o700) },
		func() error { return os.Chown(data, 65534, 65534) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(ctx, unshare, "--mount", "--propagation", "private", "sh", "-c", readonly, "sh",
		data, program, "demo", "--once", "--dir", data, "--listen", "127.0.0.1:0")
	cmd.Dir = data
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "TMPDIR=/nonexistent"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	entries, err := os.ReadDir(data)
	if err != nil || len(entries) == 0 {
		t.Errorf("nothing was written, or it cannot be read: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	t.Log(lines[len(lines)-1])
}
