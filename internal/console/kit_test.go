package console_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"golang.org/x/net/html"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const password = "seven quiet lanterns"

var operator = access.Caller{Kind: access.Operator, Name: "test"}

// browser is somebody's browser: it keeps cookies, follows no redirect by itself, and holds
// every page against what must always be so.
type browser struct {
	t      *testing.T
	s      *testkit.Server
	client *http.Client
	agent  string
}

func open(t *testing.T, s *testkit.Server) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t: t, s: s, agent: "Mozilla/5.0 (X11; Linux x86_64) Firefox/150.0", client: &http.Client{
		Jar: jar, Transport: &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	t.Cleanup(b.client.CloseIdleConnections)
	return b
}

// start starts a server with an owner, Ada, and returns it with a browser she is signed in with.
func start(t *testing.T, o testkit.Options) (*testkit.Server, *browser) {
	t.Helper()
	s := testkit.Start(t, o)
	s.AddUser(directory.User{ID: "ada", DisplayName: "Ada Lovelace", Email: "ada@example.com", Groups: []string{directory.Owners}})
	return s, signedIn(t, s, "ada")
}

// signedIn opens a browser in which a person of the first account has signed in.
func signedIn(t *testing.T, s *testkit.Server, user ident.UserID) *browser {
	t.Helper()
	b := open(t, s)
	link, err := s.SignIn.Reset(context.Background(), operator, testkit.Account, user)
	if err != nil {
		t.Fatalf("make a link for %s: %v", user, err)
	}
	if p := b.post("/console/link/"+link.Token, url.Values{"password": {password}}); p.status != http.StatusSeeOther {
		t.Fatalf("%s can't sign in: got %d\n%s", user, p.status, p.text())
	}
	return b
}

// page is an answer.
type page struct {
	status int
	header http.Header
	body   string
	doc    *html.Node
}

func (b *browser) get(path string) page {
	b.t.Helper()
	return b.do(http.MethodGet, path, nil, http.Header{})
}

// post sends a form as a browser does from one of our pages.
func (b *browser) post(path string, form url.Values) page {
	b.t.Helper()
	return b.do(http.MethodPost, path, form, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {b.s.BaseURL}})
}

func (b *browser) do(method, path string, form url.Values, header http.Header) page {
	b.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
		header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.send(method, path, body, header)
}

func (b *browser) send(method, path string, body io.Reader, header http.Header) page {
	b.t.Helper()
	req, err := http.NewRequest(method, b.s.BaseURL+path, body) //nolint:noctx // tests end with their server
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header = header
	req.Header.Set("User-Agent", b.agent)
	resp, err := b.client.Do(req)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, path, err)
	}
	p := page{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if p.doc, err = html.Parse(strings.NewReader(p.body)); err != nil {
		b.t.Fatal(err)
	}
	if wrong := p.wrong(); len(wrong) > 0 {
		b.t.Errorf("%s %s: answer %d: %s", method, path, p.status, strings.Join(wrong, "; "))
	}
	return p
}

// follow posts a form and gets the page that it leads to.
func (b *browser) follow(path string, form url.Values) page {
	b.t.Helper()
	p := b.post(path, form)
	if p.status != http.StatusSeeOther {
		b.t.Fatalf("POST %s: got %d, want a redirect\n%s", path, p.status, p.text())
	}
	return b.get(p.header.Get("Location"))
}

// all returns the elements that a test is true of.
func (p page) all(is func(*html.Node) bool) []*html.Node {
	var found []*html.Node
	for n := range p.doc.Descendants() {
		if n.Type == html.ElementNode && is(n) {
			found = append(found, n)
		}
	}
	return found
}

func (p page) named(tag string) []*html.Node {
	return p.all(func(n *html.Node) bool { return n.Data == tag && n.Namespace == "" }) // a picture has titles of its own
}

// text is what a reader sees of the page's main part, white space made even.
func (p page) text() string {
	for _, n := range p.named("main") {
		return textOf(n)
	}
	return textOf(p.doc)
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// input returns the first field of a name.
func (p page) input(t *testing.T, name string) *html.Node {
	t.Helper()
	found := p.all(func(n *html.Node) bool {
		return attr(n, "name") == name && (n.Data == "input" || n.Data == "select" || n.Data == "textarea")
	})
	if len(found) == 0 {
		t.Fatalf("no field %q in\n%s", name, p.text())
	}
	return found[0]
}

// byID returns the text of an element.
func (p page) byID(id string) string {
	for _, n := range p.all(func(n *html.Node) bool { return attr(n, "id") == id }) {
		return textOf(n)
	}
	return ""
}

// links are where the page leads.
func (p page) links() []string {
	var list []string
	for _, n := range p.named("a") {
		list = append(list, attr(n, "href"))
	}
	return list
}

// wants fails unless the page is of that status and tells all of that.
func (p page) wants(t *testing.T, status int, said ...string) {
	t.Helper()
	if p.status != status {
		t.Fatalf("got %d, want %d\n%s", p.status, status, p.text())
	}
	for _, s := range said {
		if !strings.Contains(p.text(), s) {
			t.Errorf("the page does not say %q:\n%s", s, p.text())
		}
	}
}
