package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"github.com/rollcall-id/rollcall/api"
)

// integration is what one client has to report of its work, the same for all of them.
type integration struct {
	Snake       [][]string `json:"snake"` // ids, page by page, asked for with max_page_size and page_token
	Camel       [][]string `json:"camel"` // with maxPageSize and pageToken
	Suspended   api.State  `json:"suspended"`
	Reactivated api.State  `json:"reactivated"`
	// AfterRevocation is the status of a request with the token that was revoked.
	AfterRevocation int `json:"after_revocation"`
}

// partner is a client that somebody else wrote. It works with s on the routes of a version, and suspends person.
type partner func(t *testing.T, s *server, v api.Version, person string) integration

// oauthPaths are the token and the revocation endpoint of a version.
var oauthPaths = map[api.Version][2]string{
	api.V1Beta1: {"/v1beta1/users/oauth2/token", "/v1beta1/users/oauth2/revoke"},
	api.V1:      {"/v1/oauth/token", "/v1/oauth/revoke"},
}

const pageOfPartner = 7

// TestPartners: unmodified clients of other people get a token, walk all pages, suspend, reactivate and revoke, over TLS
// with the server's own authority, on both versions.
func TestPartners(t *testing.T) {
	t.Parallel()
	partners := map[string]partner{
		"x-oauth2":             goClient,
		"curl":                 curlClient,
		"oauth4webapi":         nodeClient("oauth4webapi.mjs", ""),
		"simple-oauth2 loose":  nodeClient("simple-oauth2.mjs", "loose"),
		"simple-oauth2 strict": nodeClient("simple-oauth2.mjs", "strict"),
	}
	seeded := newSeed(t, 59)
	s := start(t, append([]string{"--data=" + t.TempDir(), "--seed=" + seeded.file}, noLimits...)...)
	want := integration{Suspended: api.StateSuspended, Reactivated: api.StateActive, AfterRevocation: http.StatusUnauthorized}
	want.Snake = slices.Collect(slices.Chunk(everybody(t, s, 60), pageOfPartner))
	want.Camel = want.Snake
	next := 0
	for name, work := range partners {
		for version := range oauthPaths {
			person := seeded.people[next]
			next++
			t.Run(name+" "+string(version), func(t *testing.T) {
				t.Parallel()
				if diff := cmp.Diff(want, work(t, s, version, person)); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		}
	}
}

// everybody returns all ids in one page.
func everybody(t *testing.T, s *server, count int) []string {
	t.Helper()
	page := decode[api.ListUsersResponse](t, s.must(t, s.askUsers(s.issue(t), "?max_page_size=1000")))
	if len(page.Results) != count || page.NextPageToken != "" {
		t.Fatalf("got %d people, want %d in one page", len(page.Results), count)
	}
	ids := make([]string, count)
	for i, u := range page.Results {
		ids[i] = u.ID
	}
	return ids
}

// nodeClient runs a script of interop, whose libraries tools/deps.sh has installed.
func nodeClient(script, encoding string) partner {
	return func(t *testing.T, s *server, v api.Version, person string) integration {
		t.Helper()
		cmd := exec.Command("node", script)
		cmd.Dir = filepath.Join(root, "interop")
		cmd.Env = append(cleanEnv(), "NODE_EXTRA_CA_CERTS="+s.caFile, "ROLLCALL_BASE_URL="+s.base, "ROLLCALL_ACCOUNT_ID="+s.account,
			"ROLLCALL_CLIENT_ID="+s.app.id, "ROLLCALL_CLIENT_SECRET="+s.app.secret,
			"INTEROP_VERSION="+string(v), "INTEROP_PERSON="+person, "INTEROP_ENCODING="+encoding)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("node %s: %v (run tools/deps.sh if node or its libraries are missing)\n%s", script, err, stderrOf(err))
		}
		var r integration
		if err := json.Unmarshal(out, &r); err != nil {
			t.Fatalf("node %s printed %q: %v", script, out, err)
		}
		return r
	}
}

// round asks with a token; it returns status and body.
type round func(method, path string) (int, []byte)

// walk does with a token what interop/walk.mjs does.
func walk(t *testing.T, s *server, v api.Version, person string, ask round) integration {
	t.Helper()
	users := "/" + string(v) + "/accounts/" + s.account + "/users"
	get := func(method, path string) []byte {
		status, body := ask(method, path)
		if status != http.StatusOK {
			t.Fatalf("%s %s: got %d %s, want 200", method, path, status, body)
		}
		return body
	}
	pages := func(size, token string) (found [][]string) {
		query := fmt.Sprintf("?%s=%d", size, pageOfPartner)
		for rest := query; rest != ""; {
			page := decode[api.ListUsersResponse](t, answer{body: get("GET", users+rest)})
			var ids []string
			for _, u := range page.Results {
				ids = append(ids, u.ID)
			}
			found, rest = append(found, ids), ""
			if page.NextPageToken != "" {
				rest = query + "&" + token + "=" + page.NextPageToken
			}
		}
		return found
	}
	return integration{
		Snake: pages("max_page_size", "page_token"), Camel: pages("maxPageSize", "pageToken"),
		Suspended:   decode[api.User](t, answer{body: get("POST", users+"/"+person+":suspend")}).State,
		Reactivated: decode[api.User](t, answer{body: get("POST", users+"/"+person+":reactivate")}).State,
	}
}

// goClient is golang.org/x/oauth2, which sends the credentials in the way of forms.
func goClient(t *testing.T, s *server, v api.Version, person string) integration {
	t.Helper()
	ctx := context.WithValue(t.Context(), oauth2.HTTPClient, s.client)
	config := clientcredentials.Config{
		ClientID: s.app.id, ClientSecret: s.app.secret, TokenURL: s.base + oauthPaths[v][0],
		Scopes: []string{"openid"}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	tok, err := config.Token(ctx)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path string) (int, []byte) {
		a, err := s.do(ctx, ask{method: method, path: path, token: tok.AccessToken})
		if err != nil {
			t.Fatal(err)
		}
		return a.status, a.body
	}
	r := walk(t, s, v, person, ask)
	// The library has no revocation: this is its way of writing the credentials.
	encoded := application{url.QueryEscape(s.app.id), url.QueryEscape(s.app.secret)}
	a := s.must(t, askForm(encoded, oauthPaths[v][1], url.Values{"token": {tok.AccessToken}}))
	if len(a.body) != 0 || a.header.Get("Content-Type") != "" {
		t.Errorf("a revocation is answered with %q of type %q, want nothing", a.body, a.header.Get("Content-Type"))
	}
	r.AfterRevocation, _ = ask("GET", "/"+string(v)+"/accounts/"+s.account+"/users")
	return r
}

func askForm(app application, path string, form url.Values) ask {
	return ask{method: "POST", path: path, app: &app, form: form}
}

// curlClient is curl, which sends the credentials raw.
func curlClient(t *testing.T, s *server, v api.Version, person string) integration {
	t.Helper()
	curl := func(args ...string) (int, []byte) {
		cmd := exec.Command("curl", append([]string{"-sS", "--cacert", s.caFile, "-w", "\n%{http_code}"}, args...)...)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("curl: %v\n%s", err, stderrOf(err))
		}
		cut := strings.LastIndexByte(string(out), '\n')
		var status int
		if _, err := fmt.Sscan(string(out[cut+1:]), &status); err != nil {
			t.Fatalf("curl printed %q: %v", out, err)
		}
		return status, out[:cut]
	}
	basic := s.app.id + ":" + s.app.secret
	status, body := curl("-u", basic, "-d", "grant_type=client_credentials", s.base+oauthPaths[v][0])
	tok := decode[api.TokenResponse](t, answer{body: body}).AccessToken
	if status != http.StatusOK || tok == "" {
		t.Fatalf("token: got %d %s, want 200", status, body)
	}
	ask := func(method, path string) (int, []byte) {
		return curl("-X", method, "-H", "Authorization: Bearer "+tok, s.base+path)
	}
	r := walk(t, s, v, person, ask)
	if status, body := curl("-u", basic, "--data-urlencode", "token="+tok, s.base+oauthPaths[v][1]); status != http.StatusOK || len(body) != 0 {
		t.Errorf("revocation: got %d %q, want 200 and nothing", status, body)
	}
	r.AfterRevocation, _ = ask("GET", "/"+string(v)+"/accounts/"+s.account+"/users")
	return r
}
