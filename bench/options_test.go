package main

import (
	"bytes"
	"encoding/base32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"

	"github.com/rollcall-id/rollcall/bench/report"
)

func TestParseOptions(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args   string
		people int
		quick  bool
		wrong  string
	}{
		"default":        {"", 100_000, false, ""},
		"quick":          {"-quick", 2_000, true, ""},
		"quick, GNU":     {"--quick --people 3000", 3_000, true, ""},
		"some":           {"-only token,ready", 100_000, false, ""},
		"profile":        {"-only get -profile f", 100_000, false, ""},
		"unknown flag":   {"-fast", 0, false, "not defined"},
		"argument":       {"get", 0, false, "unexpected argument"},
		"unknown name":   {"-only gte", 0, false, `-only "gte"`},
		"few people":     {"-people 10", 0, false, "at least 1000"},
		"many requests":  {"-requests 100001", 0, false, "must not exceed -people"},
		"no runs":        {"-runs 0", 0, false, "at least 1"},
		"profile of all": {"-profile f", 0, false, "-profile needs -only"},
		"profile a few":  {"-profile f -only get,list", 0, false, "-profile needs -only"},
		"profile phase":  {"-profile f -only ready", 0, false, "-profile needs -only"},
		"short profile":  {"-profile f -only get -profile-length 1ms", 0, false, "from 1s"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, err := parseOptions(strings.Fields(tt.args), io.Discard)
			if tt.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wrong) {
					t.Errorf("got %v, want %q", err, tt.wrong)
				}
				return
			}
			if err != nil || o.people != tt.people || o.quick != tt.quick {
				t.Errorf("got %+v, %v", o, err)
			}
		})
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	all, some := options{}, options{only: []string{"get", phaseReady}}
	for _, name := range everything() {
		if !all.wants(name) {
			t.Errorf("without -only, %s is not wanted", name)
		}
		if want := name == "get" || name == phaseReady; some.wants(name) != want {
			t.Errorf("wants(%s) is %v", name, !want)
		}
	}
}

// TestPerConnection: every run has requests, an even number for each connection, and not more than asked for.
func TestPerConnection(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := options{requests: rapid.IntRange(2, 100_000).Draw(t, "requests"), connections: rapid.IntRange(1, 256).Draw(t, "connections")}
		n := rapid.IntRange(1, o.connections).Draw(t, "n")
		got := o.perConnection(n)
		if got < 2 || got%2 != 0 || (got > 2 && got*n > o.requests) {
			t.Errorf("%d for each of %d connections of %+v", got, n, o)
		}
	})
	o := thorough()
	if diff := cmp.Diff([]int{250, 500, 800}, []int{o.perConnection(32), o.perConnection(8), o.perConnection(1)}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestNewDatabase(t *testing.T) {
	t.Parallel()
	d, err := newDatabase(t.TempDir(), "x", 1234)
	if err != nil {
		t.Fatal(err)
	}
	if id, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(d.account); err != nil || len(id) != 16 {
		t.Errorf("account id %q: %v, %d bytes", d.account, err, len(id))
	}
	text, err := os.ReadFile(d.seed)
	if err != nil {
		t.Fatal(err)
	}
	var seed struct {
		Accounts []struct {
			ID       string `yaml:"id"`
			Generate struct {
				Count    int     `yaml:"count"`
				Fraction float64 `yaml:"suspended_fraction"`
			} `yaml:"generate_users"`
			Applications []struct {
				ID     string `yaml:"client_id"`
				Secret string `yaml:"client_secret"`
			} `yaml:"applications"`
		} `yaml:"accounts"`
	}
	if err := yaml.Unmarshal(text, &seed); err != nil || len(seed.Accounts) != 1 || len(seed.Accounts[0].Applications) != 1+quietOnes {
		t.Fatalf("%v in\n%s", err, text)
	}
	a := seed.Accounts[0]
	if a.ID != d.account || a.Generate.Count != 1234 || a.Generate.Fraction != 0.1 || a.Applications[0].ID != d.clientID || a.Applications[0].Secret != d.secret {
		t.Errorf("the seed does not say what the database is:\n%s", text)
	}
	for i, q := range d.quiet {
		if quiet := a.Applications[1+i]; quiet.ID != q.clientID || quiet.Secret != q.secret {
			t.Errorf("quiet application %d: got %+v, want %+v", i+1, quiet, q)
		}
	}
}

func TestAssigned(t *testing.T) {
	t.Parallel()
	const text = "ROLLCALL_BASE_URL='https://x'\nexport ROLLCALL_CA_FILE=\"/a b/ca.pem\"\nPLAIN=p=q\n"
	for name, want := range map[string]string{"ROLLCALL_BASE_URL": "https://x", "ROLLCALL_CA_FILE": "/a b/ca.pem", "PLAIN": "p=q", "NONE": ""} {
		if got := assigned(text, name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestFilesystem(t *testing.T) {
	t.Parallel()
	const mounts = "tmpfs /tmp tmpfs rw 0 0\n/dev/b /tmp/deep xfs rw 0 0\nbroken\n/dev/a / ext4 rw 0 0\n"
	for folder, want := range map[string]string{"/home/x": "ext4", "/tmp/x": "tmpfs", "/tmp/deep/x": "xfs", "/tmp/deeper": "tmpfs", "/tmp": "tmpfs", "/": "ext4"} {
		if got := filesystem(mounts, folder); got != want {
			t.Errorf("%s: got %q, want %q", folder, got, want)
		}
	}
}

func TestCPUModel(t *testing.T) {
	t.Parallel()
	if got := cpuModel("processor\t: 0\nmodel name\t: A chip: fast\nmodel name\t: B\n"); got != "A chip: fast" {
		t.Errorf("got %q", got)
	}
}

func TestTimeSync(t *testing.T) {
	t.Parallel()
	if took, err := timeSync(t.TempDir()); err != nil || took <= 0 {
		t.Errorf("got %v, %v", took, err)
	}
	if _, err := timeSync(filepath.Join(t.TempDir(), "absent")); err == nil {
		t.Error("got no error for an absent folder")
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	good := report.Report{Judged: true, Findings: []report.Finding{{Name: "a", Value: 1, Limit: 2, Limited: true}}}
	bad := report.Report{Judged: true, Findings: []report.Finding{{Name: "b", Value: 3, Limit: 2, Limited: true}}}
	tests := map[string]struct {
		report  report.Report
		check   bool
		status  int
		message string
	}{
		"met":           {good, true, exitOK, ""},
		"missed":        {bad, false, exitOK, "bench: missed: b\n"},
		"missed, check": {bad, true, exitMissed, "bench: missed: b\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			status := verdict(tt.report, options{check: tt.check}, &stderr)
			if status != tt.status || stderr.String() != tt.message {
				t.Errorf("got %d, %q, want %d, %q", status, stderr.String(), tt.status, tt.message)
			}
		})
	}
}

func TestPublish(t *testing.T) {
	t.Parallel()
	var stdout bytes.Buffer
	file := filepath.Join(t.TempDir(), "figures.json")
	r := report.Report{Findings: []report.Finding{{Name: "thing", Value: 1}}}
	if err := publish(r, options{json: file, markdown: true}, &stdout); err != nil {
		t.Fatal(err)
	}
	encoded, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(stdout.String(), "| thing | 1 |") || !strings.Contains(string(encoded), `"name": "thing"`) {
		t.Errorf("printed %s, wrote %s", stdout.String(), encoded)
	}
}
