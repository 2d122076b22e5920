package console

import (
	"context"
	"net/http"
	"net/url"

	"github.com/rollcall-id/rollcall/internal/console/views"
	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// start leads everybody to the first page they may see.
func (c *Console) start(_ context.Context, v *visit) (reply, error) {
	return goTo(c.frame(v, "", "").Nav[0].Href)
}

// toDoor leads whoever is not signed in, or not any more, to the sign-in page, and from
// there back to where they wanted to go.
func (*Console) toDoor(v *visit) reply {
	q := url.Values{}
	rep := reply{}
	if v.sent(sessionBase) != "" {
		q.Set("over", "1")
		rep.cookies = []*http.Cookie{noSession(v)}
	}
	if back := local(v.request.URL.RequestURI()); v.request.Method == http.MethodGet && back != Root {
		q.Set("return", back)
	}
	if isJSON(v.request) { // the script can't follow to a page
		rep.status = http.StatusUnauthorized
		rep.value = map[string]string{"message": "Your session is over. Sign in again."}
		return rep
	}
	rep.to = Root + "/sign-in"
	if len(q) > 0 {
		rep.to += "?" + q.Encode()
	}
	return rep
}

// signInForm is the page as it is shown first.
func (c *Console) signInForm(ctx context.Context, v *visit, account, back string) (views.SignIn, error) {
	entrance, err := c.SignIn.Entrance(ctx)
	p := views.SignIn{
		Door:     c.door(v, "Sign in"),
		Email:    views.Field{Name: "email", Label: "E-mail address", Type: "email", Autocomplete: "username", Max: ident.MaxEmail, First: true},
		Password: views.Field{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password"},
		Return:   local(back), SSO: entrance.SSO || entrance.Account == "",
		Passkeys: views.Passkey{Begin: Root + "/sign-in/passkey/begin", Finish: Root + "/sign-in/passkey/finish"},
	}
	if entrance.Account == "" {
		p.Account = &views.Field{
			Name: "account", Label: "Account id", Value: account, Autocomplete: "organization", Max: ident.MaxGiven,
			Hint: "26 letters and digits; your administrator knows it.",
		}
	}
	return p, err
}

func (c *Console) signInPage(ctx context.Context, v *visit) (reply, error) {
	if v.known {
		return goTo(local(v.query("return")))
	}
	p, err := c.signInForm(ctx, v, v.query("account"), v.query("return"))
	if err != nil {
		return reply{}, err
	}
	switch {
	case v.query("over") != "":
		p.Notice = &views.Notice{Title: "You are signed out.", Text: "Your session has ended. Sign in to go on."}
	case v.query("out") != "":
		p.Notice = &views.Notice{Tone: "good", Text: "You are signed out."}
	}
	return show(views.SignInPage(p))
}

func (c *Console) signIn(ctx context.Context, v *visit) (reply, error) {
	account, email := v.field("account"), v.field("email")
	session, err := c.SignIn.Password(ctx, v.from, ident.AccountID(account), email, v.form.Get("password"))
	if err != nil {
		return c.signInFailed(ctx, v, err)
	}
	return signedIn(v, session, local(v.field("return")))
}

// signInFailed shows the form again; every failure looks alike.
func (c *Console) signInFailed(ctx context.Context, v *visit, failure error) (reply, error) {
	kind := fault.KindOf(failure)
	if kind != fault.KindUnauthenticated && kind != fault.KindExhausted && kind != fault.KindUnavailable {
		return reply{}, failure
	}
	p, err := c.signInForm(ctx, v, v.field("account"), v.field("return"))
	if err != nil {
		return reply{}, err
	}
	p.Wrong, p.Email.Value = true, v.field("email")
	p.Notice = &views.Notice{Tone: "bad", Title: "You are not signed in.", Text: sentence(fault.As(failure).Message)}
	rep := c.problem(v, failure)
	rep.page = views.SignInPage(p)
	return rep, nil
}

// signedIn gives the browser its session and leads on.
func signedIn(v *visit, s signin.NewSession, to string) (reply, error) {
	return reply{to: to, cookies: []*http.Cookie{sessionCookie(v, s.Token)}}, nil
}

func (c *Console) signOut(ctx context.Context, v *visit) (reply, error) {
	if err := c.SignIn.SignOut(ctx, v.signed); err != nil {
		return reply{}, err
	}
	return reply{to: Root + "/sign-in?out=1", cookies: []*http.Cookie{noSession(v)}}, nil
}

func (c *Console) beginSSO(ctx context.Context, v *visit) (reply, error) {
	began, err := c.SignIn.BeginSSO(ctx, v.from, ident.AccountID(v.field("account")), c.callback(v))
	if err != nil {
		return c.signInFailed(ctx, v, err)
	}
	to, err := url.Parse(began.URL)
	if err != nil {
		return reply{}, err
	}
	return reply{
		page: views.AwayPage(c.door(v, "Single sign-on"), began.URL, to.Host), refresh: began.URL,
		cookies: []*http.Cookie{bindingCookie(v, began.Binding)},
	}, nil
}

func (c *Console) callback(v *visit) string { return c.baseURL(v) + ssoPath + "/callback" }

func (c *Console) finishSSO(ctx context.Context, v *visit) (reply, error) {
	answer := signin.SSOAnswer{State: v.query("state"), Code: v.query("code"), Error: v.query("error"), Binding: v.sent(ssoBase)}
	session, err := c.SignIn.FinishSSO(ctx, v.from, answer, c.callback(v))
	if err != nil {
		rep, err := c.signInFailed(ctx, v, err)
		rep.cookies = append(rep.cookies, bindingCookie(v, ""))
		return rep, err
	}
	rep, err := signedIn(v, session, Root)
	rep.cookies = append(rep.cookies, bindingCookie(v, ""))
	return rep, err
}

// theme remembers in a cookie how the reader wants pages to look.
func (*Console) theme(_ context.Context, v *visit) (reply, error) {
	theme := v.field("theme")
	if theme != light && theme != dark {
		theme = system
	}
	return reply{to: local(v.field("return")), cookies: []*http.Cookie{themeChoice(v, theme)}}, nil
}
