package console

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/rollcall-id/rollcall/internal/fault"
	"github.com/rollcall-id/rollcall/internal/ident"
	"github.com/rollcall-id/rollcall/internal/signin"
)

// ceremony is what the script sends at the end of one.
type ceremony struct {
	Ceremony   string          `json:"ceremony"`
	Name       string          `json:"name"`
	Return     string          `json:"return"`
	Credential json.RawMessage `json:"credential"`
}

// begun is what the script is told at its beginning.
type begun struct {
	Ceremony string          `json:"ceremony"`
	Options  json.RawMessage `json:"options"`
}

// arrived tells the script where to go.
type arrived struct {
	Location string `json:"location"`
}

// readCeremony reads what the script sent. A page elsewhere can't send JSON without asking
// first, so asking for it is one more wall beside the check of the origin.
func (v *visit) readCeremony() (ceremony, error) {
	var got ceremony
	if !isJSON(v.request) {
		return got, fault.Invalid("This needs the page's own script.")
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, v.request.Body, maxForm))
	var big *http.MaxBytesError
	if errors.As(err, &big) {
		return got, errTooBig
	}
	if err == nil {
		err = json.Unmarshal(body, &got)
	}
	if err != nil {
		f := fault.Invalid("What the script sent could not be read.")
		f.Cause = err
		return got, f
	}
	return got, nil
}

func began(b signin.Begun, err error) (reply, error) {
	if err != nil {
		return reply{}, err
	}
	return reply{value: begun{b.Token, b.Options}}, nil
}

func (c *Console) beginPasskeySignIn(ctx context.Context, v *visit) (reply, error) {
	if _, err := v.readCeremony(); err != nil {
		return reply{}, err
	}
	return began(c.SignIn.BeginPasskeySignIn(ctx, v.from, c.site(v)))
}

func (c *Console) finishPasskeySignIn(ctx context.Context, v *visit) (reply, error) {
	got, err := v.readCeremony()
	if err != nil {
		return reply{}, err
	}
	session, err := c.SignIn.FinishPasskeySignIn(ctx, v.from, c.site(v), got.Ceremony, got.Credential)
	if err != nil {
		return reply{}, err
	}
	return reply{value: arrived{local(got.Return)}, cookies: []*http.Cookie{sessionCookie(v, session.Token)}}, nil
}

func (c *Console) beginPasskey(ctx context.Context, v *visit) (reply, error) {
	if _, err := v.readCeremony(); err != nil {
		return reply{}, err
	}
	return began(c.SignIn.BeginPasskey(ctx, v.signed, c.site(v)))
}

func (c *Console) finishPasskey(ctx context.Context, v *visit) (reply, error) {
	got, err := v.readCeremony()
	if err != nil {
		return reply{}, err
	}
	name := strings.TrimSpace(got.Name)
	if name == "" {
		name = device(v.from.UserAgent)
	}
	if _, err := c.SignIn.FinishPasskey(ctx, v.signed, c.site(v), got.Ceremony, name, got.Credential); err != nil {
		return reply{}, err
	}
	return reply{value: arrived{Root + "/profile?done=passkey"}}, nil
}

func (c *Console) removePasskey(ctx context.Context, v *visit) (reply, error) {
	id := ident.EntryID(v.values["passkey"])
	if err := c.SignIn.RemovePasskey(ctx, v.caller(), v.account(), v.signed.User.ID, id); err != nil {
		return reply{}, err
	}
	return done("/profile", "passkey-gone")
}
