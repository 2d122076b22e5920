package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"github.com/rollcall-id/rollcall/internal/envfile"
)

// What the examples of --help are about.
const (
	exampleAccount = "IR7VB5DAQRDWXAMPLE4QXW2ZLU"
	exampleAdmin   = "IR7VTHYPI2UBOXEKQWGOCIPYDE"
	exampleClient  = "0b8f3c1e-5d2a-4e57-9c66-1f0a7d8e2b34"
	exampleApp     = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
	exampleSecret  = "example-secret-of-the-test"
)

const exampleSeed = `
accounts:
  - id: ` + exampleAccount + `
    name: Example
    applications:
      - {client_id: ` + exampleClient + `, client_secret: ` + exampleSecret + `, name: Example, permissions: [users.list, users.get, users.suspend, users.reactivate, oauth_clients.read, oauth_clients.write]}
      - {client_id: ` + exampleApp + `, client_secret: another-secret-of-the-test, name: Alarm bridge, permissions: [users.list, users.suspend]}
    users:
      - {id: ` + exampleAccount + `, email: ada@example.com, display_name: Ada, groups: [owners]}
      - {id: EVE, email: eve@example.com, display_name: Eve}
      - {id: BOB, email: bob@example.com, display_name: Bob}
`

// exampleFiles lie in the folder where the examples are typed.
var exampleFiles = map[string]string{
	"leavers.csv": "email\neve@example.com\nbob@example.com\n", "people.csv": "email,display_name\nzoe@example.com,Zoe\n", "people.yaml": exampleSeed,
}

// beforeExamples brings about what a command's examples take for granted; $DATA is the folder of the database, and
// standard input comes from the file input.
var beforeExamples = map[string]string{
	"rollcall login":                "printf " + exampleSecret + " >input",
	"rollcall logout":               loginEurope,
	"rollcall whoami":               loginEurope,
	"rollcall users reactivate":     "echo eve@example.com >input",
	"rollcall users undo":           "rollcall users suspend -f leavers.csv --yes --journal leavers.jsonl",
	"rollcall token revoke":         "rollcall token print >input",
	"rollcall completion":           "mkdir -p ~/.config/fish/completions",
	"rollcall admin":                "rm -r $DATA",
	"rollcall admin account create": "rm -r $DATA",
	"rollcall admin account reopen": "rollcall admin account close --account " + exampleAdmin + " --data $DATA",
	"rollcall admin group add":      "rollcall admin user add ada@example.com --name Ada --data $DATA",
	"rollcall admin group remove":   "rollcall admin user add ada@example.com --name Ada --group owners --data $DATA; rollcall admin user add bob@example.com --name Bob --group owners --data $DATA",
	"rollcall admin user invite":    "rollcall admin user add bob@example.com --name Bob --state PENDING --data $DATA",
	"rollcall admin user reset":     "rollcall admin user add ada@example.com --name Ada --data $DATA",
	"rollcall admin restore":        "rollcall admin backup backup/rollcall-monday.db --data $DATA",
}

const loginEurope = "printf " + exampleSecret + " | rollcall login --profile eu --region eu --account " + exampleAccount + " --client-id " + exampleClient + " --stdin"

// exampleDatabase is a server's database in examples.
const exampleDatabase = "postgres://rollcall@db.example.com/rollcall"

// typedAt is what somebody types at the terminal where an example asks for something else than a yes.
var typedAt = map[string]string{
	"rollcall login --base-url https://users.example.com --account " + exampleAccount + " --client-id " + exampleClient: exampleSecret,
	"rollcall login --profile eu":                         exampleSecret,
	"rollcall users suspend --file leavers.csv --dry-run": "no",
	"rollcall users undo leavers.jsonl --dry-run":         "no",
}

// TestExamplesRun runs every example of every --help, as it stands there: by a shell, at a terminal, against a server
// that every host of the internet is. Changed are ports and folders that a test has not got.
func TestExamplesRun(t *testing.T) {
	t.Parallel()
	w, _, _ := inMemory()
	parser, err := newParser(t.Context(), &grammar{}, nil, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range nodesBelow(parser.Model.Node) {
		examples := examplesOf(n)
		if len(examples) == 0 {
			continue
		}
		t.Run(commandWords(n), func(t *testing.T) {
			t.Parallel()
			at := newExamplePlace(t, commandWords(n))
			if prepare := beforeExamples[commandWords(n)]; prepare != "" {
				at.run(t, prepare)
			}
			for _, example := range examples {
				at.run(t, example)
			}
		})
	}
}

func examplesOf(n *kong.Node) (examples []string) {
	for line := range strings.Lines(n.Detail) {
		if example, ok := strings.CutPrefix(line, "\t"); ok {
			examples = append(examples, strings.TrimSpace(example))
		}
	}
	return examples
}

// examplePlace is where the examples of one command are typed.
type examplePlace struct {
	dir string
	env []string
}

func newExamplePlace(t *testing.T, command string) *examplePlace {
	t.Helper()
	at := &examplePlace{dir: t.TempDir()}
	at.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + at.dir, raceVariable + "=" + os.Getenv(raceVariable), "TMPDIR=" + t.TempDir(), "DATA=" + filepath.Join(at.dir, "data"),
		"ROLLCALL_LISTEN=127.0.0.1:0", "ROLLCALL_ADMIN_LISTEN=127.0.0.1:0", "ROLLCALL_ACME_DIRECTORY=https://127.0.0.1:1/directory",
	}
	for name, text := range exampleFiles {
		if err := os.WriteFile(filepath.Join(at.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(at.dir, "backup"), 0o700); err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(command, "rollcall admin") || command == "rollcall serve" {
		at.run(t, "rollcall admin account create Example --id "+exampleAdmin+" --data $DATA")
		at.run(t, "rollcall admin app create 'Alarm bridge' --client-id "+exampleApp+" --permissions users.list --data $DATA")
	}
	at.connect(t)
	return at
}

// connect starts a server, and an internet in which every host is that server.
func (at *examplePlace) connect(t *testing.T) {
	t.Helper()
	seed, env, authority := filepath.Join(at.dir, "people.yaml"), filepath.Join(t.TempDir(), "dev.env"), filepath.Join(t.TempDir(), "internet.pem")
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	w, _, _ := inMemory()
	w.stderr = &bytes.Buffer{}
	go func() {
		ended <- runContext(ctx, []string{"dev", "--tls", "off", "--listen", "127.0.0.1:0", "--seed", seed, "--env-file", env}, w)
	}()
	t.Cleanup(func() {
		stop()
		if status := <-ended; status != exitOK {
			t.Errorf("the server ended with status %d", status)
		}
	})
	waitUntil(t, "server", func() bool { return envfile.Read(env)[envfile.BaseURL] != "" })
	i, err := newInternet(envfile.Read(env)[envfile.BaseURL], authority)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(i.close)
	at.env = append(at.env, i.environment(authority)...)
	at.certificate(t, i)
}

// certificate writes what 'rollcall serve' is to show.
func (at *examplePlace) certificate(t *testing.T, i *internet) {
	t.Helper()
	chain, err := i.certificate("localhost")
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(chain.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"chain.pem": {Type: "CERTIFICATE", Bytes: chain.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(at.dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func waitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for !ok() {
		select {
		case <-again.C:
		case <-deadline.C:
			t.Fatalf("no %s in %s", what, patience)
		}
	}
}

var (
	portOfItsOwn = regexp.MustCompile(`--listen :\d+`)
	servesOn     = regexp.MustCompile(`^rollcall (dev|serve)\b`)
	isServing    = regexp.MustCompile(`Press Ctrl-C|"msg":"serving`)
)

// run types a command, which must end well; a server is told to once it serves.
func (at *examplePlace) run(t *testing.T, command string) {
	t.Helper()
	text := portOfItsOwn.ReplaceAllString(command, "--listen 127.0.0.1:0")
	if strings.Contains(text, exampleDatabase) {
		text = strings.ReplaceAll(text, exampleDatabase, "'"+emptyDatabase(t)+"'")
	}
	text = strings.NewReplacer("/var/lib/rollcall", "$DATA", "/backup/", "backup/").Replace(text)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", text)
	cmd.WaitDelay = time.Second // what it started may hold its output open
	if servesOn.MatchString(text) {
		cmd.Args[len(cmd.Args)-1] = "exec " + text
	}
	cmd.Dir, cmd.Env = at.dir, at.env
	if !strings.Contains(text, "rollcall login") && !strings.HasPrefix(text, "rollcall admin") {
		cmd.Env = append(cmd.Env, "ROLLCALL_BASE_URL=https://users.example.com", "ROLLCALL_ACCOUNT_ID="+exampleAccount, "ROLLCALL_CLIENT_ID="+exampleClient, "ROLLCALL_CLIENT_SECRET="+exampleSecret)
	}
	if strings.Contains(text, "--stdin") || strings.Contains(text, " - ") {
		input, err := os.Open(filepath.Join(at.dir, "input"))
		if err == nil {
			cmd.Stdin = input
			defer input.Close()
		}
	}
	if cmd.Stdin == nil {
		screen, keyboard := pty(t)
		if _, err := keyboard.WriteString(cmp.Or(typedAt[command], "yes") + "\n"); err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = screen
	}
	var printed lockedBuffer
	cmd.Stdout, cmd.Stderr = &printed, &printed
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if servesOn.MatchString(text) {
		waitUntil(t, "server: "+text, func() bool { return isServing.MatchString(printed.String()) || len(ended) > 0 })
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	if err := <-ended; err != nil {
		t.Errorf("%s\n%v: %s", command, err, &printed)
	}
}

// emptyDatabase returns the URL of a database of a real server.
func emptyDatabase(t *testing.T) string {
	t.Helper()
	s, err := pgServer()
	if err != nil {
		t.Fatal(err)
	}
	name, err := s.Create(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Drop(context.Background(), name); err != nil {
			t.Error(err)
		}
	})
	return s.URL(name)
}

// lockedBuffer is written by a process and read meanwhile.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written so far.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
