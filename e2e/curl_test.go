package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rollcall-id/rollcall/api"
)

// lastLine is what `rollcall dev` prints when everything is printed.
const lastLine = "Press Ctrl-C to end."

// TestPrintedCommands runs the four curl commands exactly as `rollcall dev` prints them.
func TestPrintedCommands(t *testing.T) {
	t.Parallel()
	s := start(t)
	eventually(t, "the whole banner", func() bool { return strings.Contains(s.stdout.String(), lastLine) })
	commands := printedCommands(s.stdout.String())
	if len(commands) != 4 {
		t.Fatalf("got %d commands, want 4 in:\n%s", len(commands), &s.stdout)
	}
	const mark = "\x00" // between the answers
	script := commands[0] + "\nprintf %s \"$TOKEN\""
	for _, c := range commands[1:] {
		script += "\nprintf '\\0'\n" + c
	}
	cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
	cmd.Env = cleanEnv()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, script)
	}
	got := strings.Split(string(out), mark)
	if token := got[0]; len(token) < 32 || strings.ContainsAny(token, " \n{\"") {
		t.Errorf("the first command leaves TOKEN=%q, want an access token", token)
	}
	list := decode[api.ListUsersResponse](t, answer{body: []byte(got[1])})
	if len(list.Results) != 5 || list.NextPageToken == "" {
		t.Errorf("the second command prints %s, want 5 people and a next page", got[1])
	}
	for _, u := range list.Results {
		if u.State != api.StateActive {
			t.Errorf("the list of active people holds %v", u)
		}
	}
	suspended := decode[api.User](t, answer{body: []byte(got[2])})
	reactivated := decode[api.User](t, answer{body: []byte(got[3])})
	want := suspended
	want.State = api.StateActive
	if suspended.State != api.StateSuspended || suspended.ID == "" {
		t.Errorf("the third command prints %s, want somebody who is SUSPENDED", got[2])
	}
	if diff := cmp.Diff(want, reactivated); diff != "" {
		t.Errorf("the fourth command prints somebody else: (-want +got)\n%s", diff)
	}
	s.stop(t)
}

// printedCommands returns the lines that are meant to be pasted.
func printedCommands(banner string) []string {
	var commands []string
	for line := range strings.Lines(banner) {
		if strings.HasPrefix(line, "curl ") || strings.HasPrefix(line, "TOKEN=$(curl ") {
			commands = append(commands, strings.TrimSuffix(line, "\n"))
		}
	}
	return commands
}
