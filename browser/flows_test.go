package browser

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestFirstOwner opens the link that the command line prints, signs out, and in again.
func TestFirstOwner(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", DisplayName: "Ada Lovelace", State: directory.Pending, Groups: []string{directory.Owners}})
	link, err := s.SignIn.FirstOwnerLink(context.Background(), operator, testkit.Account, "ada")
	if err != nil {
		t.Fatal(err)
	}
	ada := open(t, s)
	ada.goTo("/console/link/" + link.Token)
	ada.says("Welcome to rollcall", "Ada Lovelace")
	ada.fill("New password", password)
	ada.press("Set password and sign in")
	ada.says("Welcome.", "Everything, as an owner.")

	ada.press("Sign out")
	ada.says("You are signed out.")
	ada.fill("E-mail address", "ada@example.com")
	ada.fill("Password", "not the password")
	ada.press("Sign in")
	ada.says("You are not signed in.")
	ada.fill("Password", password)
	ada.press("Sign in")
	ada.says("Overview", "What needs attention", "One owner is left")

	ada.press("Integrations")
	ada.says("No integrations yet")
}

// TestWizard goes through the two steps, and runs what the second one shows: somebody is
// suspended and thrown out. The secret is rotated, both work, and the audit log tells of it all.
func TestWizard(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners}})
	bob := s.AddUser(directory.User{ID: "bob", Email: "bob@example.com", DisplayName: "Bob Stone"})
	ada, bobs := open(t, s), open(t, s)
	ada.enter(s, directory.User{ID: "ada", Account: testkit.Account})
	bobs.enter(s, bob)

	ada.goTo("/console/integrations/new")
	ada.fill("Name", "Offboarding")
	ada.fill("Redirect URL", "https://localhost/back")
	ada.tick("Suspend user")
	ada.press("Continue to credentials")
	ada.says("1 thing to mend", "must not be on localhost") // what was typed is still there
	ada.fill("Redirect URL", "https://example.com/back")
	ada.press("Continue to credentials")
	ada.says("Save credentials", "Copy the secret now.")
	id, secret := ada.value("client-id"), ada.value("client-secret")
	try, suspend := ada.copied("try-it"), ada.copied("suspend-it")
	if try != ada.value("try-it") || suspend != ada.value("suspend-it") {
		t.Errorf("copying gives\n%s%s", try, suspend)
	}
	if out := shell(t, try); !strings.Contains(out, `"bob@example.com"`) {
		t.Errorf("the commands print %s", out)
	}
	if out := shell(t, try+strings.ReplaceAll(suspend, "USER_ID", "bob")); !strings.Contains(out, `"state":"SUSPENDED"`) {
		t.Errorf("the command that suspends prints %s", out)
	}
	bobs.goTo("/console/profile")
	bobs.says("Your session has ended.")
	bobs.fill("E-mail address", "bob@example.com")
	bobs.fill("Password", password)
	bobs.press("Sign in")
	bobs.says("You are not signed in.")

	// Reloading the second step makes nothing again, and shows the secret to nobody.
	ada.do("reload", chromedp.Reload())
	ada.says("Offboarding", "Current secret")
	if strings.Contains(ada.text(), secret) {
		t.Error("the secret is shown again")
	}
	ada.goTo("/console/integrations/" + id)
	ada.set(ada.labelled("After rotating"), "1h0m0s")
	ada.press("Rotate secret")
	ada.says("Save credentials")
	if fresh := ada.value("client-secret"); fresh == secret {
		t.Error("rotating gives the same secret")
	}
	if out := shell(t, try); !strings.Contains(out, `"bob@example.com"`) {
		t.Errorf("with the old secret, in its overlap: %s", out)
	}
	if out := shell(t, ada.value("try-it")); !strings.Contains(out, `"bob@example.com"`) {
		t.Errorf("with the new secret: %s", out)
	}
	ada.press("I have saved them")
	ada.says("Old secret, ends in", "Current secret")

	s.Entries(testkit.Account) // writes what is waiting
	ada = open(t, s)
	ada.goTo("/console/sign-in")
	ada.fill("E-mail address", "ada@example.com")
	ada.fill("Password", password)
	ada.press("Sign in")
	ada.goTo("/console/audit")
	ada.says("Set up integration", "Rotate secret", "Suspend", "Offboarding", "Bob Stone", "Sign-in", "Refused", "Token")
	ada.press("Verify the chain")
	ada.says("The chain is whole.")
}

// shell runs commands as a person would who has copied them.
func shell(t *testing.T, commands string) string {
	t.Helper()
	cmd := exec.Command("sh", "-euc", commands)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

// withAuthenticator gives the page a device that keeps passkeys, and says yes to everything.
func (b *tab) withAuthenticator() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		b.t.Fatal(err)
	}
	if _, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: "internal", HasResidentKey: true, HasUserVerification: true,
		IsUserVerified: true, AutomaticPresenceSimulation: true,
	}}); err != nil {
		b.t.Fatal(err)
	}
}

// TestPasskey adds a passkey of a virtual authenticator and signs in with it.
func TestPasskey(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ada := s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners}})
	b := open(t, s)
	b.goTo("/console/sign-in")
	b.withAuthenticator()
	b.enter(s, ada)
	b.fill("Name of the passkey", "Test key")
	b.press("Add a passkey")
	b.says("The passkey was added.", "Test key")
	b.press("Sign out")
	b.press("Sign in with a passkey")
	b.says("Overview")
	b.goTo("/console/profile")
	b.says("passkey", "just now")
	b.press("Remove")
	b.says("The passkey was removed.")
	b.press("Sign out")
	b.do("press", chromedp.Click(b.mark("Sign in with a passkey")), chromedp.WaitVisible(chromedp.CSS("[data-wrong]")))
	if text := b.text(); !strings.Contains(text, "That did not work") && !strings.Contains(text, "Nothing was done") {
		t.Errorf("a passkey that was removed: %s", text)
	}
}

// TestBulkSuspend suspends several people, after the words were typed.
func TestBulkSuspend(t *testing.T) {
	t.Parallel()
	s := serve(t)
	ada := s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners}})
	s.AddUsers(directory.User{ID: "bob", DisplayName: "Bob Stone"}, directory.User{ID: "cyd", DisplayName: "Cyd Moon"}, directory.User{ID: "dan", DisplayName: "Dan Hill", Type: directory.ExternallyManaged})
	b := open(t, s)
	b.enter(s, ada)
	b.goTo("/console/people")
	b.says("Nobody is selected.")
	for _, name := range []string{"Bob Stone", "Cyd Moon", "Dan Hill"} {
		b.do("select "+name, chromedp.Click(chromedp.CSS(`input[name=id][value=`+strings.ToLower(name[:3])+`]`)))
	}
	b.says("3 people are selected.")
	b.press("Suspend…")
	b.says("Suspend 3 people?", "Bob Stone", "Cyd Moon", "Dan Hill")
	if !read[bool](b, `document.querySelector("[data-act]").disabled`) {
		t.Error("the button waits for nothing")
	}
	b.fill("Type", "suspend 3 people")
	b.press("Suspend 3 people")
	b.says("2 people are suspended", "1 person was left as they are.", "Dan Hill is externally managed")
}
