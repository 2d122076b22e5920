package deploy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// containerfile parses the Containerfile as BuildKit does; warnings are what its linter says.
func containerfile() (stages []instructions.Stage, warnings []string, err error) {
	f, err := os.Open("Containerfile")
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return parseContainerfile(f)
}

func parseContainerfile(r io.Reader) (stages []instructions.Stage, warnings []string, err error) {
	parsed, err := parser.Parse(r)
	if err != nil {
		return nil, nil, err
	}
	for _, w := range parsed.Warnings {
		warnings = append(warnings, w.Short)
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, msg string, _ []parser.Range) {
		warnings = append(warnings, rule+": "+msg)
	}})
	stages, _, err = instructions.Parse(parsed.AST, lint)
	return stages, warnings, err
}

// buildImage does what a container engine would: it runs the commands of the first stage, here instead of in the
// builder's image, and returns the folder that the last stage is copied from.
func buildImage(dir string) (string, error) {
	stages, _, err := containerfile()
	if err != nil {
		return "", err
	}
	source, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	script := "set -e\n"
	for _, command := range stages[0].Commands {
		if run, ok := command.(*instructions.RunCommand); ok {
			script += strings.Join(run.CmdLine, " ") + "\n"
		}
	}
	script = strings.ReplaceAll(script, "/image", dir)
	if os.Geteuid() != 0 { // the test then runs it as whoever it is
		script = strings.ReplaceAll(script, "chown ", "true chown ")
	}
	cmd := exec.CommandContext(context.Background(), "sh", "-c", script)
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the image: %w\n%s", err, out)
	}
	return dir, nil
}

func TestContainerfile(t *testing.T) {
	t.Parallel()
	stages, warnings, err := containerfile()
	if err != nil {
		t.Fatal(err)
	}
	if len(warnings) > 0 {
		t.Errorf("BuildKit's linter says: %s", strings.Join(warnings, "; "))
	}
	last := stages[len(stages)-1]
	if last.BaseName != "scratch" {
		t.Errorf("the last stage is from %s, want scratch", last.BaseName)
	}
	var user string
	for _, command := range last.Commands {
		switch c := command.(type) {
		case *instructions.UserCommand:
			user = c.User
		case *instructions.CopyCommand:
			// TestImage runs /image of the first stage: nothing else may come in.
			if diff := cmp.Diff([]string{"/image"}, c.SourcePaths); c.From != "build" || c.DestPath != "/" || diff != "" {
				t.Errorf("COPY --from=%s %v %s: want --from=build /image /", c.From, c.SourcePaths, c.DestPath)
			}
		case *instructions.RunCommand, *instructions.AddCommand:
			t.Errorf("the last stage has %s", c)
		}
	}
	if user != imageUser {
		t.Errorf("the user is %q, want %q", user, imageUser)
	}
}

func TestContainerfileLinterFails(t *testing.T) {
	t.Parallel()
	_, warnings, err := parseContainerfile(strings.NewReader("from scratch as X\nMAINTAINER me\n"))
	if err != nil || len(warnings) < 2 {
		t.Errorf("got %q, %v: want warnings", warnings, err)
	}
}

// imageUser is who the image runs as: a number, since Kubernetes can't tell that a name is not root.
const imageUser = "65532:65532"

// inImage is a command that runs the image as a container engine would: root file system read-only, a volume, a tmpfs,
// the image's user, its environment and its entry point. The network is this machine's.
func inImage(t *testing.T, volume string, mounts map[string]string, args ...string) *exec.Cmd {
	t.Helper()
	stages, _, err := containerfile()
	if err != nil {
		t.Fatal(err)
	}
	var entry, env []string
	for _, command := range stages[len(stages)-1].Commands {
		switch c := command.(type) {
		case *instructions.EntrypointCommand:
			entry = c.CmdLine
		case *instructions.EnvCommand:
			for _, pair := range c.Env {
				env = append(env, pair.Key+"="+pair.Value)
			}
		}
	}
	base := imageRoot(t)
	script := fmt.Sprintf("set -e\nmount --bind %[1]s %[1]s\nmount -t tmpfs -o mode=1777 tmpfs %[1]s/tmp\nmount --bind %[2]s %[1]s/var/lib/rollcall\n", base, volume)
	for target, file := range mounts {
		script += fmt.Sprintf("mount -t tmpfs -o mode=755 tmpfs %[1]s/etc\nmkdir -p $(dirname %[1]s%[2]s)\ncp %[3]s %[1]s%[2]s\n", base, target, file)
	}
	script += fmt.Sprintf("mount -o remount,bind,ro %[1]s\nexec \"$@\"\n", base)
	unshare := []string{"--mount", "--propagation", "private"}
	chroot := []string{"chroot", "--userspec=" + imageUser, base}
	if os.Geteuid() != 0 { // what a plain user may: to be root within, in a name space of one user
		unshare = append(unshare, "--user", "--map-root-user")
		chroot = []string{"chroot", base}
	}
	argv := slices.Concat(unshare, []string{"sh", "-c", script, "sh"}, chroot, entry, args)
	cmd := exec.CommandContext(t.Context(), "unshare", argv...)
	cmd.Env = append(env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin")
	return cmd
}

// newVolume is a folder that belongs to the image's user.
func newVolume(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "volume-")
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 65532, 65532); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestImage(t *testing.T) {
	t.Parallel()
	volume := newVolume(t)
	out, err := inImage(t, volume, nil, "admin", "account", "create", "Example Ltd", "--data", "/var/lib/rollcall").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Example Ltd") {
		t.Fatalf("create an account: %v\n%s", err, out)
	}
	s := serve(t, inImage(t, volume, nil, "serve", "--data", "/var/lib/rollcall", "--tls", "off", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"))
	if status, body := get(t, "http://"+s.admin+"/readyz"); status != 200 {
		t.Errorf("readiness: %d %s", status, body)
	}
	if status, _ := get(t, "http://"+s.api+"/openapi.yaml"); status != 200 {
		t.Errorf("the contract: %d", status)
	}
	if err := s.stop(); err != nil {
		t.Errorf("it ended with %v\n%s", err, s.log)
	}
	// What it may not: write anywhere else.
	out, err = inImage(t, volume, nil, "admin", "account", "create", "Elsewhere", "--data", "/usr/elsewhere").CombinedOutput()
	if exit := (&exec.ExitError{}); !errors.As(err, &exit) || !strings.Contains(string(out), "read-only") {
		t.Errorf("writing beside the volume: got %v\n%s", err, out)
	}
}

// TestImageHolds: the image has these files and no others.
func TestImageHolds(t *testing.T) {
	t.Parallel()
	base := imageRoot(t)
	var got []string
	err := filepath.WalkDir(base, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			got = append(got, strings.TrimPrefix(path, base))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"/etc/group", "/etc/passwd", "/etc/ssl/certs/ca-certificates.crt", "/usr/bin/rollcall"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := output(t, "go", "version", "-m", binary(t)); !strings.Contains(got, "CGO_ENABLED=0") || !strings.Contains(got, "-trimpath=true") {
		t.Errorf("want a static, trimmed program:\n%s", got)
	}
}
