package browser

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/rollcall-id/rollcall/internal/directory"
)

// TestKeyboard: one gets in, past the menu and through the forms by keys alone, and sees at each
// step where one is.
func TestKeyboard(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ada := s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners}})
	s.AddUsers(directory.User{ID: "bob", DisplayName: "Bob Stone"}, directory.User{ID: "cyd", DisplayName: "Cyd Moon"})
	b := open(t, s)
	b.enter(s, ada)
	b.press("Sign out")
	// The address has the focus, once the page is drawn: nothing needs to be found first.
	b.waitFor(`document.activeElement.name === "email"`)
	b.do("type", chromedp.KeyEvent("ada@example.com"), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(password))
	ctx, cancel := b.bounded()
	defer cancel()
	if _, err := chromedp.RunResponse(ctx, chromedp.KeyEvent(kb.Enter)); err != nil {
		t.Fatal(err)
	}
	b.says("Overview")

	for _, path := range []string{"/console/overview", "/console/people", "/console/people/bob", "/console/integrations", "/console/audit", "/console/account", "/console/profile"} {
		b.goTo(path)
		b.do("tab", chromedp.KeyEvent(kb.Tab))
		if got := read[string](b, `document.activeElement.className`); got != "skip" {
			t.Errorf("%s: the first key leads to %q, want the way past the menu", path, got)
		}
		met, last := map[string]bool{}, ""
		for range 200 {
			at := read[string](b, `(() => {
				const el = document.activeElement;
				if (el === document.body) return "";
				window.places ??= new Map();
				if (!window.places.has(el)) window.places.set(el, window.places.size);
				const style = getComputedStyle(el), box = el.getBoundingClientRect();
				const ring = [el, ...(el.labels || [])].some((e) => { const s = getComputedStyle(e); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) > 0 || s.boxShadow !== "none"; });
				const seen = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight && style.visibility === "visible";
				return window.places.get(el) + (ring ? "" : " shows no ring: " + el.outerHTML.slice(0, 200)) + (seen ? "" : " is out of sight: " + el.outerHTML.slice(0, 200));
			})()`)
			if at == "" || met[at] && at != last { // a date is one place for several keys
				break
			}
			first := !met[at]
			met[at], last = true, at
			if first && len(at) > 4 {
				t.Errorf("%s: place %s", path, at)
			}
			b.do("tab", chromedp.KeyEvent(kb.Tab))
		}
		if want := read[int](b, `[...document.querySelectorAll("a[href], button, select, textarea, summary, input:not([type=hidden]):not([type=radio])")]
			.filter((e) => !e.disabled && e.tabIndex >= 0 && (e.checkVisibility() || e.className === "skip")).length`); len(met) < want {
			t.Errorf("%s: keys lead to %d places of %d", path, len(met), want)
		}
	}
}
