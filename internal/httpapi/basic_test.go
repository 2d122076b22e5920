package httpapi_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rollcall-id/rollcall/internal/access"
	"github.com/rollcall-id/rollcall/internal/oauth"
	"github.com/rollcall-id/rollcall/internal/testkit"
)

// percent escapes every byte, as the strictest OAuth libraries do.
func percent(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

// TestBasicSpellings: each way in which clients write the same id and secret.
func TestBasicSpellings(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		for i, secret := range []string{"plain", "with:colon:s", "per%cent", "per%41cent", "a+b c", "ünïcode", "%", "==&?"} {
			id := fmt.Sprintf("0b5c1f2e-%d", i)
			w.AddClient(oauth.Application{ID: clientID(id), Account: account, Name: "x", Permissions: access.All}, secret)
			for name, clear := range map[string]string{
				"raw":             id + ":" + secret,
				"byte by byte":    percent(id) + ":" + percent(secret),
				"lower-case hex":  strings.ToLower(percent(id)) + ":" + strings.ToLower(percent(secret)),
				"form encoded":    id + ":" + strings.NewReplacer("%", "%25", "+", "%2B", " ", "+", ":", "%3A").Replace(secret),
				"only hyphens":    strings.ReplaceAll(id, "-", "%2D") + ":" + percent(secret),
				"id raw, secret%": id + ":" + percent(secret),
			} {
				for _, scheme := range []string{"Basic ", "basic ", "BASIC  "} {
					r := anonymous(w.form("/token", grant))
					r = with(r, "Authorization", scheme+base64.StdEncoding.EncodeToString([]byte(clear)))
					if got := w.Do(r); got.Status != http.StatusOK {
						t.Errorf("secret %q, %s, %q: got %d %s, want 200", secret, name, scheme, got.Status, got.Body)
					}
				}
			}
		}
	})
}

// TestBadBasic: everything that is no client's id and secret gives the same status,
// error and challenge, and unknown client and wrong secret the same answer to the byte.
func TestBadBasic(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		valid := strings.TrimPrefix(basicHeader("payroll:secret-of-payroll"), "Basic ")
		for name, value := range map[string][]string{
			"none":             {},
			"empty":            {""},
			"no scheme":        {valid},
			"no credentials":   {"Basic"},
			"spaces":           {"Basic   "},
			"another scheme":   {"Digest " + valid},
			"glued":            {"Basic" + valid},
			"not base64":       {"Basic ***"},
			"base64 of none":   {"Basic " + base64.StdEncoding.EncodeToString(nil)},
			"more than base64": {"Basic " + valid + " x"},
			"no colon":         {basicHeader("payroll")},
			"only a colon":     {basicHeader(":")},
			"no id":            {basicHeader(":secret-of-payroll")},
			"no secret":        {basicHeader("payroll:")},
			"NUL":              {basicHeader("payroll\x00:secret-of-payroll")},
			"case of the id":   {basicHeader("Payroll:secret-of-payroll")},
			"longer secret":    {basicHeader("payroll:secret-of-payroll ")},
			"broken escape":    {basicHeader("payroll:secret-of-payroll%")},
			"escaped colon":    {basicHeader("payroll%3Asecret-of-payroll")},
			"escaped twice":    {basicHeader("payroll:" + percent(percent("secret-of-payroll")))},
			"long":             {basicHeader("payroll:" + strings.Repeat("x", 20000))},
			"twice":            {"Basic " + valid, "Basic " + valid},
			"two schemes":      {"Bearer x", "Basic " + valid},
		} {
			r := anonymous(w.form("/token", grant))
			r.Header["Authorization"] = value
			got := w.Do(r)
			if e := oauthError(got); got.Status != 401 || e.Error != "invalid_client" || got.Header.Get("Www-Authenticate") != `Basic realm="rollcall"` {
				t.Errorf("%s: got %d %s %v, want 401 invalid_client and a challenge", name, got.Status, got.Body, got.Header)
			}
		}
		unknown := with(with(anonymous(w.form("/token", grant)), "Authorization", basicHeader("unknown:guess")), "X-Request-Id", "r")
		wrong := with(unknown, "Authorization", basicHeader("payroll:guess"))
		if a, b := responseText(w, w.Do(unknown)), responseText(w, w.Do(wrong)); a != b {
			t.Errorf("an unknown client gets\n%s, a wrong secret\n%s", a, b)
		}
	})
}

// TestTokenForms: what a form may say, and what becomes of it.
func TestTokenForms(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		for _, c := range []struct {
			body   string
			status int
			err    string
		}{
			{grant, 200, ""},
			{"grant_type=client%5Fcredentials", 200, ""},
			{"grant%5Ftype=client_credentials", 200, ""},
			{"&&" + grant + "&", 200, ""},
			{grant + "&scope=openid", 200, ""},
			{grant + "&scope=", 200, ""},
			{grant + "&scope", 200, ""},
			{grant + "&client_id=payroll", 200, ""},
			{grant + "&client_id=&client_secret=", 200, ""},
			{grant + "&audience=x&resource=y", 200, ""},
			{grant + "&client_id=Payroll", 400, "invalid_request"},
			{grant + "&client_secret=secret-of-payroll", 400, "invalid_request"},
			{grant + "&client_secret=x", 400, "invalid_request"},
			{"", 400, "invalid_request"},
			{"grant_type", 400, "invalid_request"},
			{"grant_type=", 400, "invalid_request"},
			{"GRANT_TYPE=client_credentials", 400, "invalid_request"},
			{grant + "&" + grant, 400, "invalid_request"},
			{grant + "&scope=openid&scope=openid", 400, "invalid_request"},
			{grant + "&%zz=1", 400, "invalid_request"},
			{grant + "&x=%", 400, "invalid_request"},
			{"grant_type=%63lient_credential%7", 400, "invalid_request"},
			{"grant_type=authorization_code", 400, "unsupported_grant_type"},
			{"grant_type=refresh_token&refresh_token=x", 400, "unsupported_grant_type"},
			{"grant_type=Client_Credentials", 400, "unsupported_grant_type"},
			{grant + "&scope=users.list", 400, "invalid_scope"},
			{grant + "&scope=OpenID", 400, "invalid_scope"},
			{grant + "&scope=openid+profile", 400, "invalid_scope"},
		} {
			r := w.Do(w.form("/token", c.body))
			if e := oauthError(r); r.Status != c.status || string(e.Error) != c.err {
				t.Errorf("%q: got %d %s, want %d %s", c.body, r.Status, r.Body, c.status, c.err)
			}
		}
		// Nothing is read from the query.
		query := w.form("/token?"+grant, "")
		expect(t, w.Do(query), http.StatusBadRequest)
		query = anonymous(w.form("/token?client_id=payroll&client_secret=secret-of-payroll", grant))
		expect(t, w.Do(query), http.StatusUnauthorized)
		query = w.form("/token?grant_type=password&client_secret=x&%zz", grant)
		expect(t, w.Do(query), http.StatusOK)
	})
}

func TestContentTypes(t *testing.T) {
	t.Parallel()
	bothVersions(t, testkit.Options{}, func(t *testing.T, w *world) {
		for value, want := range map[string]int{
			formType: 200, strings.ToUpper(formType): 200, formType + ";charset=utf-8": 200, formType + " ; charset=\"x;y\"": 200,
			formType + ";": 200, "": 400, "application/json": 400, "multipart/form-data; boundary=x": 400,
			formType + "x": 400, "text/plain;" + formType: 400, "application/x-www-form-urlencoded,text/plain": 400,
		} {
			r := w.form("/token", grant)
			r.Header = http.Header{"Content-Type": {value}}
			if value == "" {
				r.Header = http.Header{}
			}
			expect(t, w.Do(r), want)
		}
	})
}
