package deploy

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// debFile is the package, built once by the script behind `make deb`.
var debFile = sync.OnceValues(func() (string, error) {
	out, err := exec.Command(filepath.Join(root, "tools", "deb.sh")).CombinedOutput() //nolint:noctx // it outlives any one test
	printed := strings.Split(strings.TrimSpace(string(out)), "\n")
	return filepath.Join(root, printed[len(printed)-1]), err
})

func deb(t *testing.T) string {
	t.Helper()
	path, err := debFile()
	if err != nil {
		t.Fatalf("tools/deb.sh: %v: %s", err, path)
	}
	return path
}

// dpkg runs dpkg on a system in a folder. Maintainer scripts run outside of it and are told by DPKG_ROOT.
func dpkg(t *testing.T, system string, args ...string) {
	t.Helper()
	output(t, "dpkg", slices.Concat([]string{"--root=" + system, "--force-not-root", "--force-script-chrootless", "--force-depends"}, args)...)
}

// newSystem is a folder with an empty dpkg database.
func newSystem(t *testing.T) string {
	t.Helper()
	system := t.TempDir()
	write(t, filepath.Join(system, "var/lib/dpkg/status"), "")
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers", "etc"} {
		if err := os.MkdirAll(filepath.Join(system, dir), 0o755); err != nil { //nolint:gosec // as on a real system
			t.Fatal(err)
		}
	}
	return system
}

func TestPackageIsInstalled(t *testing.T) {
	t.Parallel()
	system := newSystem(t)
	dpkg(t, system, "--install", deb(t))

	for path, mode := range map[string]os.FileMode{
		"usr/bin/rollcall": 0o755, "lib/systemd/system/rollcall.service": 0o644, "etc/rollcall/rollcall.yaml": 0o644,
		"etc/rollcall": 0o750, "var/lib/rollcall": 0o700, "usr/share/man/man1/rollcall.1.gz": 0o644,
		"usr/share/bash-completion/completions/rollcall": 0o644, "usr/share/zsh/vendor-completions/_rollcall": 0o644,
		"usr/share/fish/vendor_completions.d/rollcall.fish": 0o644, "usr/share/man/man1/rollcall-users-suspend.1.gz": 0o644,
		"usr/share/doc/rollcall/examples/alerts.yaml": 0o644,
	} {
		info, err := os.Stat(filepath.Join(system, path))
		if err != nil {
			t.Error(err)
		} else if info.Mode().Perm() != mode {
			t.Errorf("/%s has mode %o, want %o", path, info.Mode().Perm(), mode)
		}
	}
	if passwd := read(t, filepath.Join(system, "etc/passwd")); !regexp.MustCompile(`(?m)^rollcall:.*:/var/lib/rollcall:/usr/sbin/nologin$`).MatchString(passwd) {
		t.Errorf("no user was made:\n%s", passwd)
	}
	if _, err := os.Lstat(filepath.Join(system, "etc/systemd/system/multi-user.target.wants/rollcall.service")); err == nil {
		t.Error("the service is enabled before anybody has configured it")
	}
	if got := output(t, filepath.Join(system, "usr/bin/rollcall"), "version"); got == "" {
		t.Error("no version")
	}
	completes(t, filepath.Join(system, "usr/share/bash-completion/completions/rollcall"))
	if page := output(t, "man", "--warnings", "--local-file", filepath.Join(system, "usr/share/man/man1/rollcall.1.gz")); strings.Contains(page, "warning:") {
		t.Errorf("man has warnings:\n%s", page)
	}

	unit := filepath.Join(system, "lib/systemd/system/rollcall.service")
	output(t, "systemd-analyze", "verify", "--root="+system, "--recursive-errors=no", "--man=no", "rollcall.service")
	serves(t, system, unit)
	isRemoved(t, system)
}

// completes asks the script for the words after "rollcall admin audit".
func completes(t *testing.T, script string) {
	t.Helper()
	got := strings.Fields(output(t, "bash", "-c", `source "$1"; COMP_WORDS=(rollcall admin audit v) COMP_CWORD=3; _rollcall; echo "${COMPREPLY[@]}"`, "bash", script))
	if diff := cmp.Diff([]string{"verify"}, got); diff != "" {
		t.Errorf("completion (-want +got)\n%s", diff)
	}
}

// serves runs what the unit starts, with the third way of the configuration file (TLS at a proxy) switched on.
func serves(t *testing.T, system, unit string) {
	t.Helper()
	started := regexp.MustCompile(`(?m)^ExecStart=(.*)$`).FindStringSubmatch(read(t, unit))
	if started == nil {
		t.Fatal("the unit starts nothing")
	}
	config := read(t, filepath.Join(system, "etc/rollcall/rollcall.yaml"))
	_, third, found := strings.Cut(config, "# 3. ")
	if !found {
		t.Fatal("the configuration has no third way")
	}
	third = regexp.MustCompile(`(?m)^#([a-z-]+: )`).ReplaceAllString(third, "$1")
	write(t, filepath.Join(system, "etc/rollcall/rollcall.yaml"), config[:len(config)-len(third)]+third)
	argv := strings.Fields(strings.ReplaceAll(strings.ReplaceAll(started[1], "/usr/bin/", system+"/usr/bin/"), "/etc/", system+"/etc/"))
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Env = []string{"ROLLCALL_DATA=" + filepath.Join(system, "var/lib/rollcall"), "ROLLCALL_LISTEN=127.0.0.1:0", "ROLLCALL_ADMIN_LISTEN=127.0.0.1:0"}
	s := serve(t, cmd)
	if status, body := get(t, "http://"+s.admin+"/readyz"); status != 200 {
		t.Errorf("readiness: %d %s", status, body)
	}
	if err := s.stop(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}

// isRemoved removes the package, then purges it: configuration goes with the second, data with neither.
func isRemoved(t *testing.T, system string) {
	t.Helper()
	database := filepath.Join(system, "var/lib/rollcall/rollcall.db")
	config := filepath.Join(system, "etc/rollcall/rollcall.yaml")
	exists := func(path string) bool { _, err := os.Stat(path); return err == nil }
	dpkg(t, system, "--remove", "rollcall")
	if exists(filepath.Join(system, "usr/bin/rollcall")) || !exists(config) || !exists(database) {
		t.Errorf("after removing: program %t, configuration %t, database %t", exists(filepath.Join(system, "usr/bin/rollcall")), exists(config), exists(database))
	}
	dpkg(t, system, "--purge", "rollcall")
	if exists(config) || !exists(database) {
		t.Errorf("after purging: configuration %t, database %t", exists(config), exists(database))
	}
}

// TestConfigurationNamesSettings: each line that may be switched on is a setting.
func TestConfigurationNamesSettings(t *testing.T) {
	t.Parallel()
	settings := regexp.MustCompile(`(?m)^#?([a-z][a-z0-9-]*): .*$`).FindAllStringSubmatch(read(t, "deb/rollcall.yaml"), -1)
	if len(settings) < 10 {
		t.Fatalf("only %d settings are named", len(settings))
	}
	help := output(t, binary(t), "serve", "--help")
	for _, s := range settings {
		if !regexp.MustCompile(`--(\[no-\])?` + s[1] + `\b`).MatchString(help) {
			t.Errorf("%s is not a setting", s[1])
		}
	}
}

func TestLintian(t *testing.T) {
	t.Parallel()
	if out, err := try(t, "lintian", "--allow-root", "--fail-on=error,warning", "--no-cfg", deb(t)); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// maxExposure is what `systemd-analyze security` may say at most, in tenths: 2.0 on its scale of 0 to 10.
const maxExposure = 20

func TestUnitExposure(t *testing.T) {
	t.Parallel()
	out, err := try(t, "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+strconv.Itoa(maxExposure-1), "systemd/rollcall.service")
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if !strings.Contains(out, "Overall exposure level for rollcall.service") {
		t.Errorf("no figure:\n%s", out)
	}
	bare := write(t, filepath.Join(t.TempDir(), "bare.service"), "[Service]\nExecStart=/usr/bin/rollcall serve\n")
	if _, err := try(t, "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+strconv.Itoa(maxExposure-1), bare); err == nil {
		t.Error("a unit without any protection passes too")
	}
}
