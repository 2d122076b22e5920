package browser

import (
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/rollcall-id/rollcall/internal/envfile"
)

// download presses what says a text, waits for the file, and returns its name and what it assigns.
func (b *tab) download(says string) (name string, assigned map[string]string) {
	b.t.Helper()
	at, dir, events := b.mark(says), b.t.TempDir(), true
	ctx, cancel := b.bounded()
	defer cancel()
	if _, err := chromedp.CallBrowser(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllowAndName, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID, DownloadPath: dir, EventsEnabled: &events,
	}); err != nil {
		b.t.Fatal(err)
	}
	begins, goes := chromedp.BrowserEvents(ctx, browser.DownloadWillBegin), chromedp.BrowserEvents(ctx, browser.DownloadProgress)
	b.do("press "+says, chromedp.Click(at, chromedp.NodeVisible))
	id, own := "", string(chromedp.FromContext(b.ctx).Target.TargetID) // which its first frame is called too
	for begun, err := range begins {
		if err != nil {
			b.t.Fatal(err)
		}
		if string(begun.FrameID) != own {
			continue // the browser tells of the other tests' files as well
		}
		id, name = begun.GUID, begun.SuggestedFilename
		break
	}
	for now, err := range goes {
		if err != nil {
			b.t.Fatal(err)
		}
		if now.GUID == id && now.State != browser.DownloadProgressStateInProgress {
			break
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, id))
	if err != nil || ctx.Err() != nil {
		b.t.Fatalf("download of %q: %v, %v", says, err, ctx.Err())
	}
	b.t.Logf("%s: %d bytes", name, len(text))
	return name, envfile.Read(filepath.Join(dir, id))
}

// copied presses the button that copies what has an id, and reads the clipboard, of which the
// machine has one: a test at a time may.
func (b *tab) copied(id string) string {
	b.t.Helper()
	ctx, cancel := b.bounded()
	defer cancel()
	for _, name := range []string{"clipboard-read", "clipboard-write"} {
		if _, err := chromedp.CallBrowser(ctx, browser.SetPermission, browser.SetPermissionParams{
			Permission: &browser.PermissionDescriptor{Name: name}, Setting: browser.PermissionSettingGranted,
			Origin: b.base, BrowserContextID: chromedp.FromContext(b.ctx).BrowserContextID,
		}); err != nil {
			b.t.Fatal(err)
		}
	}
	if _, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}); err != nil {
		b.t.Fatal(err)
	}
	button := `button[data-copy=` + quoted(id) + `]`
	b.do("copy "+id, chromedp.Click(chromedp.CSS(button)))
	b.waitFor(`document.querySelector(` + quoted(button) + `).innerText.startsWith("Copied")`)
	return read[string](b, `navigator.clipboard.readText()`)
}
