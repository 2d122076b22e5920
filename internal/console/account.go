package console

import (
	"context"
	"slices"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/directory"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
)

func (c *Console) accountPage(ctx context.Context, v *visit) (reply, error) {
	p, err := c.accountForm(ctx, v)
	if err != nil {
		return reply{}, err
	}
	return show(views.AccountPage(p))
}

func (c *Console) accountForm(ctx context.Context, v *visit) (views.Account, error) {
	a, err := c.Directory.Account(ctx, v.caller(), v.account())
	if err != nil {
		return views.Account{}, err
	}
	p := views.Account{
		Frame: c.narrow(v, "Account", "/account"), ID: string(a.ID), BaseURL: c.baseURL(v), CreateTime: a.CreateTime, Manage: v.may(access.ManageAccount),
		Name: views.Field{Name: "name", Label: "Name", Value: a.Name, Max: directory.MaxName, Autocomplete: "organization"},
		Provisioning: views.Field{Name: "provisioning", Label: "Automated provisioning", Hint: "Whether a directory outside, through SCIM, manages the people of this account.", Options: []views.Option{
			{Value: string(directory.NoProvisioning), Label: "None", Hint: "People are managed here."},
			{Value: string(directory.RefuseProvisioning), Label: "Refuse", Hint: "People are managed outside: suspending and reactivating here or through the API is refused."},
			{Value: string(directory.AllowProvisioning), Label: "Allow", Hint: "People are managed outside; suspending here or through the API is allowed, and kept until it is lifted."},
		}},
	}
	choosePolicy(&p, string(a.Provisioning))
	p.SSO, err = c.ssoForm(ctx, v)
	return p, err
}

func choosePolicy(p *views.Account, policy string) {
	for i := range p.Provisioning.Options {
		p.Provisioning.Options[i].Chosen = p.Provisioning.Options[i].Value == policy
	}
}

func (c *Console) ssoForm(ctx context.Context, v *visit) (*views.SSO, error) {
	s := &views.SSO{
		Manage: v.may(access.ManageOwners), Callback: c.callback(v), Remove: Root + "/account/sso/remove",
		Issuer: views.Field{Name: "issuer", Label: "Issuer", Type: "url", Placeholder: "https://", Hint: "The provider's URL, under which it answers /.well-known/openid-configuration.", Autocomplete: "off"},
		Client: views.Field{Name: "client_id", Label: "Client id", Autocomplete: "off"},
		Secret: views.Field{Name: "client_secret", Label: "Client secret", Type: "password", Optional: true, Autocomplete: "off", Hint: "Leave it empty for a public client: PKCE protects it."},
	}
	have, err := c.SignIn.SSO(ctx, v.caller(), v.account())
	if fault.KindOf(err) == fault.KindNotFound && err != nil {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	s.On, s.Issuer.Value, s.Client.Value, s.SecretKept = true, have.Issuer, have.ClientID, have.HasSecret
	if have.HasSecret {
		s.Secret.Hint = "One is kept. Leave it empty to keep it."
	}
	return s, nil
}

func (c *Console) editAccount(ctx context.Context, v *visit) (reply, error) {
	p, err := c.accountForm(ctx, v)
	if err != nil {
		return reply{}, err
	}
	p.Name.Value = v.field("name")
	policy := directory.Provisioning(v.field("provisioning"))
	choosePolicy(&p, string(policy))
	if err := ident.ValidateText("the name", p.Name.Value, directory.MaxName, false); err != nil {
		p.Name.Error, p.Name.First = sentence(fault.As(err).Message), true
	}
	if !slices.Contains(directory.Provisionings(), policy) {
		p.Provisioning.Error = "Choose one of the three."
	}
	if p.Errors = views.Errs(p.Name, p.Provisioning); len(p.Errors) > 0 {
		p.Wrong = true
		return again(views.AccountPage(p))
	}
	if _, err := c.Directory.EditAccount(ctx, v.caller(), v.account(), directory.AccountPatch{Name: &p.Name.Value, Provisioning: &policy}); err != nil {
		return reply{}, err
	}
	return done("/account", "saved")
}

func (c *Console) setSSO(ctx context.Context, v *visit) (reply, error) {
	p, err := c.accountForm(ctx, v)
	if err != nil {
		return reply{}, err
	}
	before := *p.SSO
	change := signin.SSOChange{Issuer: v.field("issuer"), ClientID: v.field("client_id"), Secret: v.field("client_secret")}
	change.KeepSecret = change.Secret == "" && before.SecretKept && change.Issuer == before.Issuer.Value && change.ClientID == before.Client.Value
	p.SSO.Issuer.Value, p.SSO.Client.Value = change.Issuer, change.ClientID
	if p.SSO.Manage && checkSSO(&p, signin.ValidateIssuer(change.Issuer), signin.ValidateSSOClient(change.ClientID), signin.ValidateSSOSecret(change.Secret)) {
		return again(views.AccountPage(p))
	}
	_, err = c.SignIn.SetSSO(ctx, v.caller(), v.account(), change)
	if err == nil {
		return done("/account", "sso")
	}
	text, ok := refused(err, "")
	if !ok || fault.KindOf(err) == fault.KindForbidden {
		return reply{}, err
	}
	// What is left to refuse is an issuer that does not answer as one.
	if fault.KindOf(err) != fault.KindInvalid || !checkSSO(&p, err, nil, nil) {
		p.SSO.Refusal, p.Wrong = text, true
	}
	return again(views.AccountPage(p))
}

// checkSSO says beside each field of the connection what is wrong with it.
func checkSSO(p *views.Account, issuer, client, secret error) bool {
	first := true
	for _, f := range []struct {
		field *views.Field
		err   error
	}{{&p.SSO.Issuer, issuer}, {&p.SSO.Client, client}, {&p.SSO.Secret, secret}} {
		if f.err != nil {
			f.field.Error, f.field.First = sentence(fault.As(f.err).Message), first
			first = false
		}
	}
	p.SSO.Errors = views.Errs(p.SSO.Issuer, p.SSO.Client, p.SSO.Secret)
	p.Wrong = len(p.SSO.Errors) > 0
	return p.Wrong
}

func (c *Console) removeSSOPage(ctx context.Context, v *visit) (reply, error) {
	if _, err := c.accountForm(ctx, v); err != nil {
		return reply{}, err
	}
	return show(views.ConfirmPage(c.narrow(v, "Switch off single sign-on?", "/account"), views.Confirm{
		Title: "Switch off single sign-on?", Button: "Switch off", Action: Root + "/account/sso/remove", Grave: true,
		Points: []string{"Nobody can sign in through the provider any more.", "People who have neither password nor passkey need a recovery link.", "Sessions that began with it go on until they end."},
		Cancel: Root + "/account", Back: views.Link{Label: "Account", Href: Root + "/account"},
	}))
}

func (c *Console) removeSSO(ctx context.Context, v *visit) (reply, error) {
	if err := c.SignIn.RemoveSSO(ctx, v.caller(), v.account()); err != nil {
		return reply{}, err
	}
	return done("/account", "sso-off")
}
