package main

import (
	"bytes"
	"crypto/rand"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/go-cmp/cmp"
)

// inMemory is a world without terminals, and what was printed in it.
func inMemory() (w *world, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	return &world{stdout: stdout, stderr: stderr, stdin: strings.NewReader(""), now: time.Now, rand: rand.Reader}, stdout, stderr
}

// parse parses a command without running it.
func parse(t *testing.T, resolver kong.Resolver, args ...string) (*grammar, error) {
	t.Helper()
	w, _, _ := inMemory()
	var c grammar
	parser, err := newParser(t.Context(), &c, args, w)
	if err != nil {
		t.Fatal(err)
	}
	if resolver != nil {
		if err := kong.Resolvers(resolver).Apply(parser); err != nil {
			t.Fatal(err)
		}
	}
	_, err = parser.Parse(args)
	return &c, err
}

var (
	word        = regexp.MustCompile(`"[^"]*"|\S+`)
	redirection = regexp.MustCompile(` > \S+$`)
)

// TestHelpShowsExamplesThatParse also asks for an example and a sentence everywhere.
func TestHelpShowsExamplesThatParse(t *testing.T) {
	t.Parallel()
	w, _, _ := inMemory()
	parser, err := newParser(t.Context(), &grammar{}, nil, w)
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Leaves(false) {
		t.Run(command.FullPath(), func(t *testing.T) {
			t.Parallel()
			if !strings.HasSuffix(command.Help, ".") {
				t.Errorf("help %q is no sentence", command.Help)
			}
			for _, flag := range command.Flags {
				if flag.Help == "" {
					t.Errorf("--%s has no help", flag.Name)
				}
			}
			examples := 0
			for line := range strings.Lines(command.Detail) {
				line = strings.TrimSpace(line)
				if !strings.HasPrefix(line, "rollcall ") {
					continue
				}
				examples++
				if !strings.HasPrefix(line, command.FullPath()) {
					t.Errorf("%q is an example of another command", line)
				}
				var args []string
				for _, arg := range word.FindAllString(redirection.ReplaceAllString(line, ""), -1)[1:] {
					args = append(args, strings.Trim(arg, `"`))
				}
				if _, err := parse(t, nil, args...); err != nil {
					t.Errorf("%q does not parse: %v", line, err)
				}
			}
			if examples == 0 {
				t.Error("its help has no example")
			}
		})
	}
}

// TestNoArgumentIsASecret: what is typed stands in the shell's history and is shown to everybody by ps. What is about a
// secret is a switch, a number, a time, or names a file.
func TestNoArgumentIsASecret(t *testing.T) {
	t.Parallel()
	w, _, _ := inMemory()
	parser, err := newParser(t.Context(), &grammar{}, nil, w)
	if err != nil {
		t.Fatal(err)
	}
	secret, harmless := regexp.MustCompile(`secret|password|token|key`), regexp.MustCompile(`-(file|url)$|^tls-key$`)
	seen := 0
	check := func(n *kong.Node, v *kong.Value) {
		if !secret.MatchString(v.Name) {
			return
		}
		seen++
		if kind := v.Target.Kind(); kind == reflect.String && !harmless.MatchString(v.Name) || kind == reflect.Slice {
			t.Errorf("%s: %s takes a secret as an argument", commandWords(n), v.Name)
		}
	}
	for _, n := range nodesBelow(parser.Model.Node) {
		for _, f := range n.Flags {
			check(n, f.Value)
		}
		for _, argument := range n.Positional {
			check(n, argument)
		}
	}
	if seen == 0 {
		t.Error("nothing was looked at")
	}
}

func TestHelpIsPrintedForEveryCommand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"--help"}, {"admin", "--help"}, {"admin", "user", "--help"}, {"admin", "user", "import", "--help"}, {"users", "suspend", "--help"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			w, stdout, stderr := inMemory()
			if status := runContext(t.Context(), args, w); status != exitOK || stderr.Len() > 0 {
				t.Errorf("status %d, standard error %q", status, stderr)
			}
			if !strings.HasPrefix(stdout.String(), "Usage: rollcall") {
				t.Errorf("got %q", stdout)
			}
		})
	}
}

// TestDefectIsNoSuccess: a panic must get past what catches kong's wish to end.
func TestDefectIsNoSuccess(t *testing.T) {
	t.Parallel()
	w, _, _ := inMemory()
	w.stdout = panicking{}
	defer func() {
		if got := recover(); got != "a defect" {
			t.Errorf("recovered %v, want the defect", got)
		}
	}()
	status := runContext(t.Context(), []string{"version"}, w)
	t.Errorf("ended with status %d", status)
}

type panicking struct{}

func (panicking) Write([]byte) (int, error) { panic("a defect") }

func TestErrorsAreEscaped(t *testing.T) {
	t.Parallel()
	w, _, stderr := inMemory()
	if status := runContext(t.Context(), []string{"\x1b[2J"}, w); status != exitUsage {
		t.Errorf("status %d, want %d", status, exitUsage)
	}
	if strings.Contains(stderr.String(), "\x1b") || !strings.Contains(stderr.String(), `\x1b[2J`) {
		t.Errorf("got %q, want the escape to be shown", stderr)
	}
}

func settings(t *testing.T, text string) *settingsFile {
	t.Helper()
	s, err := readSettings("c.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSettingsOfAFile(t *testing.T) {
	t.Parallel()
	c, err := parse(t, settings(t, `
data: /d
tls: off
users-per-minute: 7
token-lifetime: 60s
admin-hosts: [one, two]
trusted-proxies: 10.0.0.0/8
v1beta1: false
public-health: true
`), "serve", "--token-lifetime", "30s")
	if err != nil {
		t.Fatal(err)
	}
	got := []any{
		c.Serve.Data, c.Serve.TLS.TLS, c.Serve.UsersPerMinute, c.Serve.TokenLifetime, c.Serve.AdminHosts,
		c.Serve.TrustedProxies, c.Serve.V1Beta1, c.Serve.PublicHealth, c.Serve.UsersPerHour, c.Serve.LogFormat,
	}
	want := []any{
		"/d", "off", 7, 30 * time.Second, []string{"one", "two"}, []string{"10.0.0.0/8"}, false, true, 6000, "json",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSettingsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"unknown":    {"data: d\ntls: off\nnonsense: 1", `c.yaml: "nonsense" is not a setting`},
		"no setting": {"data: d\ntls: off\nyes: true", `c.yaml: "yes" is not a setting`},
		"itself":     {"data: d\ntls: off\nconfig: x", `c.yaml: "config" is not a setting`},
		"type":       {"data: d\ntls: off\nusers-per-minute: many", "users-per-minute"},
		"enum":       {"data: d\ntls: maybe", "tls"},
		"fraction":   {"data: d\ntls: off\nusers-per-minute: 0.4", "users-per-minute: 0.4 is not a whole number"},
		"range":      {"data: d\ntls: off\nusers-per-minute: -1", "out of range"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parse(t, settings(t, tt.text), "serve")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestFilesThatAreNoSettings(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"list": "- data", "broken": "data: [", "repeated": "data: a\ndata: b", "large": strings.Repeat("#\n", maxSettings),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readSettings("c.yaml", strings.NewReader(text))
			if err == nil || !strings.HasPrefix(err.Error(), "read the configuration c.yaml: ") {
				t.Errorf("got error %v", err)
			}
		})
	}
	if _, err := readSettings("c.yaml", iotest.ErrReader(iotest.ErrTimeout)); err == nil {
		t.Error("a file that can't be read: got no error")
	}
	if s := settings(t, ""); len(s.values) != 0 {
		t.Errorf("an empty file holds %v", s.values)
	}
}

func TestSettingsOfAFileDecideNoCommand(t *testing.T) {
	t.Parallel()
	// env-file is a setting of dev, and a flag of app create that is no setting.
	c, err := parse(t, settings(t, "data: /d\nenv-file: /left/over.env\n"),
		"admin", "app", "create", "Bridge", "--permissions", "users.list")
	if err != nil {
		t.Fatal(err)
	}
	if c.Admin.Data != "/d" || c.Admin.App.Create.EnvFile != "" {
		t.Errorf("got data %q and env file %q, want /d and none", c.Admin.Data, c.Admin.App.Create.EnvFile)
	}
}
