package deploy

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

const (
	alertsFile    = chart + "/monitoring/alerts.yaml"
	dashboardFile = chart + "/monitoring/dashboard.json"
)

func TestAlerts(t *testing.T) {
	t.Parallel()
	output(t, "promtool", "check", "rules", "--lint-fatal", alertsFile)
	output(t, "promtool", "test", "rules", "monitoring/alerts_test.yaml")
	tested := read(t, "monitoring/alerts_test.yaml")
	guide := read(t, filepath.Join(root, "docs/deploy.md"))
	for _, rule := range rules(t) {
		if !strings.Contains(tested, rule.Alert) {
			t.Errorf("%s has no test in monitoring/alerts_test.yaml", rule.Alert)
		}
		if !strings.Contains(guide, "\n### "+rule.Alert+"\n") || !strings.HasSuffix(rule.Annotations["runbook_url"], "/docs/deploy.md#"+strings.ToLower(rule.Alert)) {
			t.Errorf("%s: docs/deploy.md does not say what to do, or the rule does not say where it does", rule.Alert)
		}
	}
}

type rule struct {
	Alert       string
	Expr        string
	Annotations map[string]string
}

func rules(t *testing.T) []rule {
	t.Helper()
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal([]byte(read(t, alertsFile)), &file); err != nil {
		t.Fatal(err)
	}
	var all []rule
	for _, group := range file.Groups {
		all = append(all, group.Rules...)
	}
	return all
}

// panel is what this test reads of a panel of the dashboard.
type panel struct {
	ID      int
	Title   string
	Type    string
	GridPos struct{ H, W, X, Y int }
	Targets []struct{ Expr string }
}

func dashboard(t *testing.T) []panel {
	t.Helper()
	var board struct {
		UID, Title string
		Panels     []panel
	}
	if err := json.Unmarshal([]byte(read(t, dashboardFile)), &board); err != nil {
		t.Fatal(err)
	}
	if board.UID == "" || board.Title == "" {
		t.Error("the dashboard has no name")
	}
	return board.Panels
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	ids := map[int]bool{}
	taken := map[[2]int]string{}
	var recorded strings.Builder
	recorded.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	for _, p := range dashboard(t) {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q: the number is used twice, or it has no title", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other := taken[[2]int{x, y}]; other != "" || x >= 24 {
					t.Fatalf("%q lies on %q or beyond the edge", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("%q shows nothing", p.Title)
		}
		for i, target := range p.Targets {
			expr := strings.NewReplacer("$__rate_interval", "5m", "$job", "rollcall", "$instance", ".*").Replace(target.Expr)
			fmt.Fprintf(&recorded, "      - {record: \"panel:%d:%d\", expr: %q}\n", p.ID, i, expr)
		}
	}
	output(t, "promtool", "check", "rules", write(t, filepath.Join(t.TempDir(), "dashboard.yaml"), recorded.String()))
}

// selector finds the names of metrics in an expression, and what stands between the braces after them.
var (
	selector = regexp.MustCompile(`\b((?:rollcall|process|go)_[a-z0-9_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"`)
)

// external labels are those that Prometheus adds when it scrapes.
var external = map[string]bool{"job": true, "instance": true}

// TestMetricsExist: every metric that an alert or the dashboard names is shown by a running server, with the labels by
// which it is chosen.
func TestMetricsExist(t *testing.T) {
	t.Parallel()
	shown := scrape(t)
	seen := 0
	check := func(where, expr string) {
		for _, m := range selector.FindAllStringSubmatch(expr, -1) {
			seen++
			labels, ok := shown[m[1]]
			if !ok {
				t.Errorf("%s names %s, which no server shows", where, m[1])
				continue
			}
			for _, l := range matcher.FindAllStringSubmatch(m[2], -1) {
				if !labels[l[1]] && !external[l[1]] {
					t.Errorf("%s: %s has no label %s, only %v", where, m[1], l[1], slices.Sorted(maps.Keys(labels)))
				}
			}
		}
	}
	for _, rule := range rules(t) {
		check(rule.Alert, rule.Expr)
	}
	for _, p := range dashboard(t) {
		for _, target := range p.Targets {
			check(p.Title, target.Expr)
		}
	}
	if seen < 30 {
		t.Errorf("only %d metrics were found in the files", seen)
	}
}

// scrape starts a server that ends TLS itself, has it meet what makes it count, and returns the labels of each metric
// that it shows.
func scrape(t *testing.T) map[string]map[string]bool {
	t.Helper()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	output(t, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
		"-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", key, "-out", cert)
	cmd := exec.CommandContext(t.Context(), binary(t), "serve", "--data", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0",
		"--admin-listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key,
		"--limits-url", "redis://127.0.0.1:1/0") // nobody is there: it counts alone, and shows that
	s := serve(t, cmd)
	for _, path := range []string{"/v1/accounts/A/users", "/nowhere"} {
		_, port, _ := strings.Cut(s.api, ":")
		output(t, "curl", "--silent", "--show-error", "--cacert", cert, "https://localhost:"+port+path)
	}
	breakHTTP2(t, s.api)
	_, text := get(t, "http://"+s.admin+"/metrics")
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]map[string]bool{}
	for name, family := range families {
		labels := map[string]bool{}
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
			if m.Histogram != nil {
				shown[name+"_bucket"] = labels
			}
		}
		shown[name] = labels
	}
	return shown
}

// breakHTTP2 sends a SETTINGS frame of 5 octets, which is an error of the whole connection (RFC 9113 section 6.5), and
// waits until the server has hung up.
func breakHTTP2(t *testing.T, address string) {
	t.Helper()
	conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	frame := "\x00\x00\x05\x04\x00\x00\x00\x00\x0012345"
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+frame); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the server keeps a broken connection")
	}
}
