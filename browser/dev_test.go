package browser

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// dev is a running 'rollcall dev', with the certificates of its own authority.
type dev struct {
	binary, data string
	process      *exec.Cmd
	told         map[string]string // what it printed, by name
	ca           string            // the file that it named
	key          string            // of its certificate, as Chromium takes it
	first        sync.Once
}

// tried is the one that the tests use: Chromium is told at its start whose key to trust.
var tried *dev

// try builds the binary and runs it, in a folder of its own.
func try(dir string) (_ *dev, err error) {
	d := &dev{binary: filepath.Join(dir, "rollcall"), data: filepath.Join(dir, "data"), told: map[string]string{}}
	build := exec.Command("go", "build", "-o", d.binary, "./cmd/rollcall")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build ./cmd/rollcall: %w\n%s", err, out)
	}
	d.process = exec.Command(d.binary, "dev", "--listen", "127.0.0.1:0", "--data", d.data)
	out, err := d.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := d.process.Start(); err != nil {
		return nil, err
	}
	slow := time.AfterFunc(patience, func() { d.process.Process.Kill() }) //nolint:errcheck // it has ended
	defer slow.Stop()
	ready := false
	for lines := bufio.NewScanner(out); !ready && lines.Scan(); {
		ready = strings.HasPrefix(lines.Text(), "Press Ctrl-C")
		if name, value, found := strings.Cut(strings.TrimPrefix(lines.Text(), "  "), "  "); found {
			value, _, _ = strings.Cut(strings.TrimSpace(value), "   ")
			d.told[name] = value
		}
	}
	if d.ca = d.told["CA file"]; ready {
		d.key, err = vouched(d.told["console"], d.ca)
	} else {
		err = fmt.Errorf("'rollcall dev' said %q and no more", d.told)
	}
	if err != nil {
		d.end()
		return nil, err
	}
	return d, nil
}

// end has it end, as Ctrl-C does.
func (d *dev) end() {
	d.process.Process.Signal(syscall.SIGINT)                              //nolint:errcheck // it has ended
	slow := time.AfterFunc(patience, func() { d.process.Process.Kill() }) //nolint:errcheck // it has ended
	defer slow.Stop()
	if err := d.process.Wait(); err != nil {
		fmt.Fprintf(os.Stderr, "rollcall dev: %v\n", err)
	}
}

// door is a link of the first owner: the one that was printed, and where a test runs again in
// the same server, one that recovers.
func (d *dev) door(t *testing.T) string {
	t.Helper()
	link := ""
	d.first.Do(func() { link = d.told["console"] })
	if link != "" {
		return link
	}
	u, err := url.Parse(d.told["console"])
	if err != nil {
		t.Fatal(err)
	}
	out := shell(t, "'"+d.binary+"' admin user list --group owners --data '"+d.data+"'")
	owner := ""
	for word := range strings.FieldsSeq(out) {
		if owner == "" && strings.Contains(word, "@") {
			owner = word
		}
	}
	out = shell(t, "'"+d.binary+"' admin user reset "+owner+" --yes --data '"+d.data+"' --public-url 'https://"+u.Host+"'")
	for word := range strings.FieldsSeq(out) {
		if strings.HasPrefix(word, "https://") {
			return word
		}
	}
	t.Fatalf("no link in %s", out)
	return ""
}

// trusting is the authority of a file, and no other.
func trusting(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New(file + " holds no certificate")
	}
	return roots, nil
}

// vouched connects to a server that the authority of a file must vouch for, and names its key.
func vouched(link, file string) (string, error) {
	u, err := url.Parse(link)
	if err != nil {
		return "", err
	}
	roots, err := trusting(file)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	conn, err := dialer.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return "", fmt.Errorf("%s: %w", u.Host, err)
	}
	defer conn.Close()
	state := conn.(*tls.Conn).ConnectionState() //nolint:forcetypeassert // tls.Dialer promises it
	key := sha256.Sum256(state.PeerCertificates[0].RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(key[:]), nil
}
