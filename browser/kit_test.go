package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// patience bounds one step of a browser on a busy machine.
const patience = 60 * time.Second

const password = "seven quiet lanterns"

var operator = access.Caller{Kind: access.Operator, Name: "test"}

// chromium is the one browser of all tests; each has its own tabs and cookies in it.
var chromium context.Context

func TestMain(m *testing.M) { os.Exit(withBrowser(m)) }

func withBrowser(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rollcall-browser-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir) //nolint:errcheck // nothing depends on it
	if tried, err = try(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer tried.end()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.UserDataDir(filepath.Join(dir, "profile")), chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-search-engine-choice-screen", true), chromedp.Flag("force-device-scale-factor", "1"),
		// This key and no other, because the authority that 'rollcall dev' printed vouches for it.
		chromedp.Flag("ignore-certificate-errors-spki-list", tried.key),
	)
	if os.Geteuid() == 0 { // it refuses its sandbox to root
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	ctx, end := chromedp.NewContext(ctx)
	defer end()
	if err := chromedp.Do(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "start Chromium: %v\ntools/deps.sh installs it\n", err)
		return 1
	}
	chromium = ctx
	return m.Run()
}

// serve starts a server that tells the real time, as browsers do.
func serve(t *testing.T) *testkit.Server {
	t.Helper()
	return testkit.Start(t, testkit.Options{Now: time.Now})
}

// tab is somebody at a browser, with cookies of their own.
type tab struct {
	t    *testing.T
	ctx  context.Context
	base string
}

// open opens a tab at a server. Passkeys need a name and take no address: it is localhost.
func open(t *testing.T, s *testkit.Server) *tab {
	t.Helper()
	return openAt(t, strings.Replace(s.BaseURL, "127.0.0.1", "localhost", 1))
}

// openAt opens a tab for an origin.
func openAt(t *testing.T, origin string) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(chromium, chromedp.WithNewBrowserContext())
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as the first context it is used with
		t.Fatalf("open a tab: %v", err)
	}
	b := &tab{t: t, ctx: ctx, base: origin}
	b.look("light", 1280, 900)
	return b
}

func (b *tab) bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(b.ctx, patience)
}

func (b *tab) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.text())
	}
}

// read evaluates an expression in the page.
func read[T any](b *tab, expression string) T {
	b.t.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// text is what is seen of the page.
func (b *tab) text() string {
	ctx, cancel := b.bounded()
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`(document.querySelector("main") || document.body).innerText`))
	if err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(text), " ")
}

func (b *tab) goTo(path string) {
	b.t.Helper()
	b.do("open "+path, chromedp.Navigate(b.base+path))
}

// path is where the tab is.
func (b *tab) path() string { return read[string](b, "location.pathname") }

// says fails unless the page tells all of that.
func (b *tab) says(words ...string) {
	b.t.Helper()
	text := b.text()
	for _, w := range words {
		if !strings.Contains(text, w) {
			b.t.Fatalf("%s does not say %q:\n%s", b.path(), w, text)
		}
	}
}

// fill types into the field with a label.
func (b *tab) fill(label, text string) {
	b.t.Helper()
	field := b.labelled(label)
	b.set(field, "")
	b.do("fill "+label, chromedp.SendKeys(field, text))
}

// set gives a field a value at once.
func (b *tab) set(field chromedp.CSS, value string) {
	b.t.Helper()
	read[bool](b, `(() => {
		const field = document.querySelector(`+quoted(string(field))+`);
		field.value = `+quoted(value)+`;
		return field.dispatchEvent(new Event("change", {bubbles: true}));
	})()`)
}

// labelled is a selector of the field that a label is for.
func (b *tab) labelled(label string) chromedp.CSS {
	b.t.Helper()
	id := read[string](b, `(() => {
		const wanted = `+quoted(label)+`;
		for (const l of document.querySelectorAll("label")) {
			if (!l.innerText.trim().startsWith(wanted)) continue;
			const field = l.control;
			if (field && field.offsetParent !== null) { field.dataset.wanted = wanted; return wanted; }
		}
		return "";
	})()`)
	if id == "" {
		b.t.Fatalf("no field %q on %s:\n%s", label, b.path(), b.text())
	}
	return chromedp.CSS(`[data-wanted=` + quoted(label) + `]`)
}

// mark finds the button or link that says a text, and returns its selector.
func (b *tab) mark(says string) chromedp.CSS {
	b.t.Helper()
	found := read[bool](b, `(() => {
		const wanted = `+quoted(says)+`;
		for (const el of document.querySelectorAll("a, button, summary")) {
			if (el.offsetParent !== null && el.innerText.trim() === wanted) { el.dataset.press = wanted; return true; }
		}
		return false;
	})()`)
	if !found {
		b.t.Fatalf("nothing to press says %q on %s:\n%s", says, b.path(), b.text())
	}
	return chromedp.CSS(`[data-press=` + quoted(says) + `]`)
}

// press clicks what says a text, and waits for the page that it leads to.
func (b *tab) press(says string) {
	b.t.Helper()
	at := b.mark(says)
	ctx, cancel := b.bounded()
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.Click(at, chromedp.NodeVisible)); err != nil {
		b.t.Fatalf("press %q: %v\n%s", says, err, b.text())
	}
}

// tick clicks a box or a choice.
func (b *tab) tick(label string) {
	b.t.Helper()
	b.do("tick "+label, chromedp.Click(b.labelled(label)))
}

// value is the text of an element by its id.
func (b *tab) value(id string) string {
	b.t.Helper()
	return read[string](b, `document.getElementById(`+quoted(id)+`).textContent`)
}

// valueOf is what stands in the field with a label.
func (b *tab) valueOf(label string) string {
	b.t.Helper()
	return read[string](b, `document.querySelector(`+quoted(string(b.labelled(label)))+`).value`)
}

// arrives waits until the tab is at a page of that origin that says so, wherever it is sent
// on the way. A page that goes while it is looked at fails the look, which begins again.
func (b *tab) arrives(origin, says string) {
	b.t.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	there := `location.origin === ` + quoted(origin) + ` && document.readyState === "complete" && document.body.innerText.includes(` + quoted(says) + `)`
	for {
		_, err := chromedp.Run(ctx, chromedp.Poll[bool](there))
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			b.t.Fatalf("no page of %s says %q: %v\n%s", origin, says, err, b.text())
		}
	}
}

// waitFor waits until an expression is true of the page.
func (b *tab) waitFor(expression string) {
	b.t.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.Poll[bool](expression)); err != nil {
		b.t.Fatalf("%s: %v\n%s", expression, err, b.text())
	}
}

// forget drops all cookies, of all sites.
func (b *tab) forget() {
	b.t.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	if _, err := chromedp.Call(ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
}

// look makes the tab a light, dark or small one.
func (b *tab) look(theme string, width, height int64) {
	b.t.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
	}); err != nil {
		b.t.Fatal(err)
	}
	b.do("size", chromedp.EmulateViewport(width, height))
}

// shots is where reviewers find the screenshots.
var shots = filepath.Join("..", ".cache", "screenshots")

func (b *tab) shoot(name string) {
	b.t.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatalf("screenshot of %s: %v", name, err)
	}
	if err := os.MkdirAll(shots, 0o750); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(shots, name+".png"), picture, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// enter signs somebody in who has never been here, by a link.
func (b *tab) enter(s *testkit.Server, user directory.User) {
	b.t.Helper()
	link, err := s.SignIn.Reset(context.Background(), operator, user.Account, user.ID)
	if err != nil {
		b.t.Fatal(err)
	}
	b.goTo("/console/link/" + link.Token)
	b.fill("New password", password)
	b.press("Set password and sign in")
	b.says("Your password is set")
}
