// Package pgtest runs a PostgreSQL server of one's own for tests: in a folder of its own, on a Unix socket alone, with a
// database for each test.
//
// A server is started with [Start] (or [New] in a test), gives databases with [Server.Database], and can be killed, started
// again, paused and resumed in between. PostgreSQL refuses to run as root; then it runs as the user postgres.
package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrMissing says that PostgreSQL is not installed here.
var ErrMissing = errors.New("PostgreSQL is not installed: no initdb on the path or in /usr/lib/postgresql/*/bin")

// Find returns the folder of PostgreSQL's programs, of the newest version where there are several. ErrMissing.
func Find() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb") // where Debian has them
	if err != nil || len(found) == 0 {
		return "", ErrMissing
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 for what is no number
		return n
	}
	return filepath.Dir(slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) })), nil
}

// Server is a server of one's own.
type Server struct {
	bin       string
	dir       string // data, socket and log
	account   *syscall.SysProcAttr
	databases atomic.Int64

	mu   sync.Mutex
	cmd  *exec.Cmd
	gone chan struct{} // closed: the process has ended
}

// New starts a server for a test and removes it with the test. Without PostgreSQL the test is skipped, or fails when CI=true.
func New(t testing.TB) *Server {
	t.Helper()
	s, err := Start(context.WithoutCancel(t.Context()))
	if errors.Is(err, ErrMissing) {
		Missing(t)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Missing skips a test for want of PostgreSQL, or fails it when CI=true.
func Missing(t testing.TB) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatal(ErrMissing)
	}
	t.Skipf("NOT TESTED: %v", ErrMissing)
}

// Start makes a new server and starts it. Whoever started it closes it. ErrMissing.
func Start(ctx context.Context) (*Server, error) {
	bin, err := Find()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "brevdue-pg-") // short: a socket's path has at most 107 bytes
	if err != nil {
		return nil, fmt.Errorf("pgtest: %w", err)
	}
	s := &Server{bin: bin, dir: dir}
	if err := s.init(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.Start(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// init makes the data folder.
func (s *Server) init(ctx context.Context) error {
	if os.Getuid() == 0 {
		if err := s.stepDown(); err != nil {
			return err
		}
	}
	cmd := s.command(ctx, "initdb", "-D", filepath.Join(s.dir, "data"), "-A", "trust", "-U", "postgres", "--locale=C", "-E", "UTF8",
		"--no-sync", "--no-instructions")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("pgtest: initdb: %w: %s", err, out)
	}
	return nil
}

// stepDown has the server run as the user postgres.
func (s *Server) stepDown() error {
	account, err := user.Lookup("postgres")
	if err != nil {
		return fmt.Errorf("pgtest: PostgreSQL does not run as root: %w", err)
	}
	uid, errU := strconv.ParseUint(account.Uid, 10, 32)
	gid, errG := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(errU, errG, os.Chown(s.dir, int(uid), int(gid))); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	s.account = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return nil
}

// command is one of PostgreSQL's programs, under the right account.
func (s *Server) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, program), args...) //nolint:gosec // a test's own
	cmd.Dir, cmd.SysProcAttr = s.dir, s.account
	cmd.Env = append(os.Environ(), "LC_ALL=C", "TZ=UTC")
	return cmd
}

// Start starts a server that was stopped or killed, and waits until it answers.
func (s *Server) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := s.command(context.WithoutCancel(ctx), "postgres", "-D", filepath.Join(s.dir, "data"), "-k", s.dir,
		"-c", "listen_addresses=", "-c", "max_connections=200", "-c", "log_min_messages=fatal",
		"-c", "shared_buffers=64MB", "-c", "max_wal_size=512MB")
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // killed or stopped
		close(gone)
	}()
	s.cmd, s.gone = cmd, gone
	for tick := time.NewTicker(20 * time.Millisecond); ; { // it tells nobody that it is ready
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			tick.Stop()
			_ = conn.Close(ctx) // it answered
			return nil
		}
		select {
		case <-gone:
			return fmt.Errorf("pgtest: the server ended: %s", log.String())
		case <-ctx.Done():
			return fmt.Errorf("pgtest: %w: %w", ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// URL is that of a database of the server.
func (s *Server) URL(database string) string {
	return (&url.URL{
		Scheme: "postgres", Path: "/" + database, RawQuery: url.Values{"host": {s.dir}, "user": {"postgres"}}.Encode(),
	}).String()
}

// Database makes an empty database and returns its URL. A template is the name of the database that it begins as; "": none.
func (s *Server) Database(ctx context.Context, template string) (string, error) {
	name := fmt.Sprintf("test%d", s.databases.Add(1))
	if err := s.Exec(ctx, "postgres", "CREATE DATABASE "+name+" TEMPLATE "+cmpOr(template, "template0")); err != nil {
		return "", err
	}
	return s.URL(name), nil
}

func cmpOr(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// Exec runs a statement in a database.
func (s *Server) Exec(ctx context.Context, database, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	return nil
}

// Kill ends the server and all that it started as a power cut would, and waits until it is gone.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Stop ends the server at once but in order: open transactions are undone.
func (s *Server) Stop() error { return s.end(syscall.SIGINT) }

func (s *Server) end(signal syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var started []int
	if signal == syscall.SIGKILL {
		if err := s.cmd.Process.Signal(syscall.SIGSTOP); err != nil { // so that it starts nobody meanwhile
			return fmt.Errorf("pgtest: %w", err)
		}
		started = children(s.cmd.Process.Pid)
	}
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("pgtest: %w", err)
	}
	<-s.gone
	for _, pid := range started {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("pgtest: %w", err)
		}
	}
	return nil
}

// children are the processes that a process has started and that live. None where there is no /proc: they end by themselves
// when they see that the one that started them is gone.
func children(pid int) []int {
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	var pids []int
	for field := range strings.FieldsSeq(string(list)) {
		if child, err := strconv.Atoi(field); err == nil {
			pids = append(pids, child)
		}
	}
	return pids
}

// Pause stops the postmaster in its tracks, so that nobody new gets in; Resume has it go on.
func (s *Server) Pause() error { return s.signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (s *Server) Resume() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("pgtest: %w", err)
	}
	return nil
}

// Close stops the server and removes its folder.
func (s *Server) Close() error { return errors.Join(s.end(syscall.SIGQUIT), os.RemoveAll(s.dir)) }
