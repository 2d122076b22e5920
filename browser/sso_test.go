package browser

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/sso"
	"github.com/rollcall-id/rollcall/internal/sso/ssotest"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// TestSingleSignOn: an owner connects the account to a provider, which is another site for the
// browser. Somebody who is invited signs in there, lands on the console, and is thrown out
// when they are suspended; the provider goes on vouching for them, in vain.
func TestSingleSignOn(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.SignIn.SSOProtocol = sso.New(sso.Config{AllowLocal: true, Now: time.Now})
	ada := s.AddUser(directory.User{ID: "ada", Email: "ada@example.com", DisplayName: "Ada Lovelace", Groups: []string{directory.Owners}})
	s.AddUser(directory.User{ID: "bob", Email: "bob@example.com", DisplayName: "Bob Stone", State: directory.Pending, Groups: []string{directory.Administrators}})
	owner, bob := open(t, s), open(t, s)
	owner.enter(s, ada)
	owner.goTo("/console/account")
	provider := ssotest.Start(t, owner.value("callback"))
	owner.fill("Issuer", "http://127.0.0.1:1") // nobody is there
	owner.fill("Client id", ssotest.ConfidentialClient)
	owner.fill("Client secret", ssotest.ClientSecret)
	owner.press("Switch on single sign-on")
	owner.says("1 thing to mend")
	if got := owner.valueOf("Issuer"); got != "http://127.0.0.1:1" {
		t.Errorf("what was typed comes back as %q", got)
	}
	owner.fill("Issuer", provider.Issuer)
	owner.fill("Client secret", ssotest.ClientSecret)
	owner.press("Switch on single sign-on")
	owner.says("Single sign-on is on.", "Single sign-on On")

	enter := func(address, says string) {
		t.Helper()
		bob.goTo("/console/sign-in")
		bob.press("Use single sign-on")
		bob.arrives(provider.Issuer, "Who are you?")
		bob.fill("Work address", address)
		bob.press("I am")
		bob.arrives(bob.base, says)
	}
	enter("stranger@example.com", "You are not signed in.")
	bob.forget()
	enter("bob@example.com", "What needs attention")
	bob.says("Overview")
	if bob.path() != "/console/overview" {
		t.Errorf("landed on %s", bob.path())
	}
	owner.goTo("/console/people/bob")
	owner.says("Active", "single sign-on")

	owner.press("Suspend…")
	owner.press("Suspend")
	owner.says("Suspended.", "Their sessions have ended.")
	bob.goTo("/console/people")
	bob.says("Your session has ended.")
	bob.press("Use single sign-on") // the provider remembers him, and asks nothing
	bob.arrives(bob.base, "You are not signed in.")
	if u, err := s.Directory.Person(context.Background(), operator, testkit.Account, "bob"); err != nil || u.State != directory.Suspended {
		t.Errorf("Bob is %s, %v", u.State, err)
	}
	if strings.Contains(bob.text(), "Overview") {
		t.Error("a suspended person sees the console")
	}
}
