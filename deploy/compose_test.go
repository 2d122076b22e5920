package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
)

// TestComposeFile reads the file as the compose command does, its schema and its references included.
func TestComposeFile(t *testing.T) {
	t.Parallel()
	options, err := cli.NewProjectOptions([]string{"compose/compose.yaml"}, cli.WithWorkingDirectory("compose"))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, service := range project.Services {
		for key, value := range service.Environment {
			if value != nil && strings.Contains(key, "PASSWORD") && !strings.HasPrefix(*value, "/run/secrets/") {
				t.Errorf("%s: %s holds a secret", name, key)
			}
		}
		if name == "postgres" {
			continue
		}
		if !service.ReadOnly || len(service.CapDrop) != 1 || service.User == "" || service.User == "root" {
			t.Errorf("%s: read-only %t, capabilities dropped %v, user %q", name, service.ReadOnly, service.CapDrop, service.User)
		}
	}
	rollcall := project.Services["rollcall"]
	if rollcall.GetScale() != 3 {
		t.Errorf("%d replicas", rollcall.GetScale())
	}
	if migrate := rollcall.DependsOn["migrate"]; migrate.Condition != "service_completed_successfully" {
		t.Errorf("the replicas start when the migration is %q", migrate.Condition)
	}
	for _, name := range []string{"front", "data"} {
		if !project.Networks[name].Internal {
			t.Errorf("the network %s reaches outside", name)
		}
	}
	for name, secret := range project.Secrets {
		if filepath.Base(filepath.Dir(secret.File)) != "secrets" {
			t.Errorf("secret %s is %s", name, secret.File)
		}
	}
	for _, path := range []string{"deploy/compose/secrets/postgres-password", "deploy/compose/secrets/haproxy.pem"} {
		output(t, "git", "-C", root, "check-ignore", "--quiet", path)
	}
}

// TestComposeCommands: the arguments of the services are ones the program knows. They are tried with what a test must
// not have, such as fixed ports, taken for what it may.
func TestComposeCommands(t *testing.T) {
	t.Parallel()
	options, err := cli.NewProjectOptions([]string{"compose/compose.yaml"}, cli.WithWorkingDirectory("compose"))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{}, project.Services["rollcall"].Command...)
	for i, arg := range args {
		switch {
		case strings.HasPrefix(arg, "--listen="), strings.HasPrefix(arg, "--admin-listen="):
			args[i] = strings.Split(arg, "=")[0] + "=127.0.0.1:0"
		case strings.HasPrefix(arg, "--drain-delay="):
			args[i] = "--drain-delay=0s"
		}
	}
	cmd := inImage(t, newVolume(t), nil, args...)
	cmd.Env = append(cmd.Env, "ROLLCALL_DATA=/var/lib/rollcall")
	s := serve(t, cmd)
	if status, _ := get(t, "http://"+s.api+"/readyz"); status != 200 {
		t.Errorf("the balancer's question: %d", status)
	}
}

// TestBalancerFile has HAProxy judge the balancer's configuration, with a certificate in the place of the secret.
func TestBalancerFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	output(t, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
		"-subj", "/CN=users.example.com", "-keyout", filepath.Join(dir, "key.pem"), "-out", filepath.Join(dir, "cert.pem"))
	both := read(t, filepath.Join(dir, "cert.pem")) + read(t, filepath.Join(dir, "key.pem"))
	pem := write(t, filepath.Join(dir, "haproxy.pem"), both)
	text := strings.ReplaceAll(read(t, "compose/haproxy.cfg"), "/run/secrets/haproxy.pem", pem)
	config := write(t, filepath.Join(dir, "haproxy.cfg"), text)
	out, err := try(t, haproxy(t), "-c", "-f", config)
	if err != nil || strings.Contains(out, "WARNING") {
		t.Errorf("%v\n%s", err, out)
	}
}

// haproxy is where Debian puts it, which is not on everybody's path.
func haproxy(t *testing.T) string {
	t.Helper()
	for _, path := range []string{"/usr/sbin/haproxy", "/usr/local/sbin/haproxy"} {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	t.Fatal("no haproxy: run tools/deps.sh")
	return ""
}
